//! The program `stillpoint`, with the kinds of this workspace and no others.

use std::process::ExitCode;

fn main() -> ExitCode {
    stillpoint_cli::program(|_| {})
}
