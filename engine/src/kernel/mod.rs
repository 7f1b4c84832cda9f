//! The kernel of one shard: actors, mailboxes, timers and streams, driven by a host up to a bound. It knows nothing of threads or clocks.

pub(crate) mod border;
pub(crate) mod components;
pub(crate) mod core;
pub(crate) mod door;
pub(crate) mod emission;
pub(crate) mod entry;
pub(crate) mod gate;
pub(crate) mod kinds;
pub(crate) mod lists;
pub(crate) mod order;
pub(crate) mod pending;
pub(crate) mod queue;
pub(crate) mod ready;
pub(crate) mod record;
pub(crate) mod shard;
pub(crate) mod store;
pub(crate) mod stream;
