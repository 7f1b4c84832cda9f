//! The built program, from its command line to its exit code.

mod bad_input;
mod commands;
mod interrupt;
mod memory;
mod new_crate;
mod place;
mod snapshots;
