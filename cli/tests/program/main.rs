//! The built program, from its command line to its exit code.

mod bad_input;
mod commands;
mod interrupt;
mod memory;
mod new_crate;
mod place;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "report")]
mod report_page;
mod snapshots;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "store")]
mod store_bad_input;
#[cfg(feature = "store")]
mod store_interop;
#[cfg(feature = "store")]
mod store_interrupt;
#[cfg(feature = "s3")]
mod store_s3;
