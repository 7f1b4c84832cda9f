//! The kinds of the engine's own deliveries, as the trace names them.

use crate::digest::{Digest, digest_of_text};

/// A kind with its digest.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) digest: u64,
}

impl Kind {
    const fn new(name: &'static str) -> Self {
        Self { name, digest: digest_of_text(name) }
    }
}

/// The digest of a delivery that carries nothing.
pub(crate) const UNIT: u64 = Digest::new().value();

pub(crate) const START: Kind = Kind::new("start");
pub(crate) const STOP: Kind = Kind::new("stop");
pub(crate) const SUBSCRIBE: Kind = Kind::new("subscribe");
pub(crate) const WAKE: Kind = Kind::new("wake");
pub(crate) const GONE: Kind = Kind::new("gone");
pub(crate) const TIMEOUT: Kind = Kind::new("timeout");
pub(crate) const JOB_PANIC: Kind = Kind::new("job-panic");
pub(crate) const PAUSE: Kind = Kind::new("pause");
pub(crate) const RESUME: Kind = Kind::new("resume");
pub(crate) const END: Kind = Kind::new("end");
