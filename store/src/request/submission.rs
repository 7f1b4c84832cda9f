//! An operation on its way into a pool. Invariant: the work it becomes ends with a result, whatever the operation, the clock or the callback do.

use std::fmt;
use std::sync::Arc;

use stillpoint_engine::pool;

use super::error::RequestError;
use super::handle::{Finished, Request, RequestInfo, Shared, describe};
use super::operation::{Named, Operation};
use super::pool::{RequestPool, Work};
use super::queue::{Claim, Kind};

type Callback<T> = Box<dyn FnOnce(Finished<'_, T>) + Send>;

/// An operation that is about to be submitted; see [`RequestPool::prepare`].
#[must_use = "an operation that is not submitted does nothing"]
pub struct Submission<'a, L: Named, O: Operation<L>> {
    pool: &'a RequestPool,
    target: Arc<L>,
    operation: O,
    kind: Kind,
    callback: Option<Callback<O::Output>>,
}

impl<L: Named, O: Operation<L>> fmt::Debug for Submission<'_, L, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission").field("operation", &self.operation.name()).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<'a, L: Named + Send + Sync + 'static, O: Operation<L>> Submission<'a, L, O> {
    pub(super) fn new(pool: &'a RequestPool, target: &Arc<L>, operation: O) -> Self {
        Self { pool, target: target.clone(), kind: operation.kind(), operation, callback: None }
    }

    /// Says whether it modifies, whatever the operation says of itself.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Calls `callback` on the thread that ran the operation, once the result is there and the symbols are free for others. Waits for the
    /// request return after it. If it panics, [`Request::callback_panic`] has what it said, and nothing else changes. It must not wait for
    /// its own request, nor for the end of the pool.
    pub fn callback(mut self, callback: impl FnOnce(Finished<'_, O::Output>) + Send + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Submits it.
    ///
    /// # Errors
    /// [`RequestError::Rejected`] if the pool takes no requests; nothing will be done.
    pub fn submit(self) -> Result<Request<O::Output>, RequestError> {
        let Self { pool, target, operation, kind, callback } = self;
        let claim = Claim { library: operation.library(&target), scope: operation.scope(), kind };
        let name = operation.name().to_owned();
        let core = &pool.core;
        let created = core.clock.now();
        let shared = core.submit(claim.clone(), &|| describe(&name, &claim), |id| {
            let info = RequestInfo::new(id, name.clone(), claim.clone());
            let shared = Arc::new(Shared::new(info, created));
            (work(shared.clone(), target, operation, callback), shared)
        })?;
        Ok(Request { core: core.clone(), shared })
    }
}

/// What a thread has to do for a request: perform the operation and keep its result; then, once others may go on, call back.
fn work<L, O>(shared: Arc<Shared<O::Output>>, target: Arc<L>, operation: O, callback: Option<Callback<O::Output>>) -> Work
where
    L: Named + Send + Sync + 'static,
    O: Operation<L>,
{
    Box::new(move |clock| {
        let performed = pool::catch(|| {
            shared.start(clock.now());
            // Everything the operation owned is dropped in here too.
            let ran = pool::catch(move || operation.run(&target));
            (ran, clock.now())
        });
        let (ran, ended) = performed.map_or_else(|panic| (Err(panic), None), |(ran, ended)| (ran, Some(ended)));
        let (request, operation) = (shared.info.id(), || shared.info.to_string());
        let result = match ran {
            Ok(Ok(output)) => Ok(Arc::new(output)),
            Ok(Err(error)) => Err(RequestError::Operation { request, operation: operation(), error: Arc::new(error) }),
            Err(panic) => Err(RequestError::Panicked { request, operation: operation(), panic }),
        };
        shared.end(ended, result);
        Box::new(move || {
            if let Some(callback) = callback {
                shared.call_back(callback);
            }
        })
    })
}
