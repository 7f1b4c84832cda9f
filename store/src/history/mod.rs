//! Libraries of metadata: what is valid of a symbol from when on, and what was known of that when.
//!
//! Every entry has two times: the start from which on it is valid, which the writer names, and the commit that recorded it. Readers may ask by
//! both ([`AsOf`]): what was valid on that day, as we know it now; or as it was known on that day, which is what a simulation may see.
//!
//! [`History`] is the state: `read`, `read_history` and `list_symbols` read it; plans of append, prepend, pop, delete and purge make
//! [`HistoryOp`]s, which [`History::apply`] applies. Nothing but a purge removes what was once known.

mod error;
mod plan;
mod read;
mod state;

pub use error::HistoryError;
pub use plan::HistoryPlan;
pub use read::{AsOf, Period, SymbolQuery};
pub use state::{Entry, Fact, History, HistoryOp};
