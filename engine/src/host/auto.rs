//! Finds the faster host.

use super::launch::Launch;
use crate::outcome::{Failed, Outcome};

pub(super) fn run(launch: Launch, threads: usize) -> Result<Outcome, Box<Failed>> {
    super::keeper::run(launch, threads)
}
