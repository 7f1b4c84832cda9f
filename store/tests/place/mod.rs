//! A place in memory that stores are opened on, again and again, with a clock that stands where a test sets it.

use std::sync::Arc;

use stillpoint_store::{Bucket, Cache, Objects, SetClock, Store, StoreOptions};

pub(crate) struct Place {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) clock: Arc<SetClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { objects: Arc::new(Bucket::memory()), clock: Arc::new(SetClock::default()) }
    }

    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions { clock: self.clock.clone(), cache: Cache::default(), background: None, writer: None }
    }

    /// Opens it anew, as another process would.
    pub(crate) fn store(&self) -> Store {
        Store::open(self.objects.clone(), self.options()).expect("a store that opens")
    }
}
