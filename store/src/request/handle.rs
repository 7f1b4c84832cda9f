//! A request, as whoever submitted it sees it. Invariant: its result is set once, and stays as long as a handle does.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use stillpoint_engine::{Duration, Instant, JobPanic};

use super::error::RequestError;
use super::pool::Core;
use super::queue::{Claim, Kind, RequestId, Scope};

/// What a request is: fixed when it is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    id: RequestId,
    operation: String,
    claim: Claim,
}

impl RequestInfo {
    pub(super) fn new(id: RequestId, operation: String, claim: Claim) -> Self {
        Self { id, operation, claim }
    }

    /// Its number within its pool.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Whether it modifies.
    pub fn kind(&self) -> Kind {
        self.claim.kind
    }

    /// The name of the library.
    pub fn library(&self) -> &str {
        &self.claim.library
    }

    /// What of the library it concerns.
    pub fn scope(&self) -> &Scope {
        &self.claim.scope
    }

    /// The symbol, if it concerns exactly one.
    pub fn symbol(&self) -> Option<&str> {
        self.claim.scope.only_symbol()
    }

    /// The name of the operation.
    pub fn operation(&self) -> &str {
        &self.operation
    }
}

impl fmt::Display for RequestInfo {
    /// Such as ``` `read` of `AAPL` in library `prices` ```.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(&self.operation, &self.claim))
    }
}

/// An operation and what it is for.
pub(super) fn describe(operation: &str, claim: &Claim) -> String {
    format!("`{operation}` of {} in library `{}`", claim.scope, claim.library)
}

/// When things happened to a request, by its pool's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was submitted.
    pub created: Instant,
    /// When its operation began.
    pub started: Option<Instant>,
    /// When its operation ended.
    pub ended: Option<Instant>,
}

impl Times {
    /// How long it waited for its operation to begin; `None` before.
    pub fn schedule_delay(&self) -> Option<Duration> {
        Some(self.started?.since(self.created))
    }

    /// How long its operation took; `None` before its end.
    pub fn execution_duration(&self) -> Option<Duration> {
        Some(self.ended?.since(self.started?))
    }

    /// How long it took from its submission to its end; `None` before.
    pub fn total_duration(&self) -> Option<Duration> {
        Some(self.ended?.since(self.created))
    }
}

/// A request that has ended, as its callback sees it.
#[derive(Debug)]
pub struct Finished<'a, T> {
    /// What it is.
    pub info: &'a RequestInfo,
    /// When things happened.
    pub times: Times,
    /// What came of it.
    pub result: &'a Result<Arc<T>, RequestError>,
}

#[derive(Debug)]
struct Progress<T> {
    times: Times,
    result: Option<Result<Arc<T>, RequestError>>,
    callback_panic: Option<JobPanic>,
}

/// What the handles of a request share with its work.
#[derive(Debug)]
pub(super) struct Shared<T> {
    pub(super) info: RequestInfo,
    progress: Mutex<Progress<T>>,
}

impl<T> Shared<T> {
    pub(super) fn new(info: RequestInfo, created: Instant) -> Self {
        let times = Times { created, started: None, ended: None };
        Self { info, progress: Mutex::new(Progress { times, result: None, callback_panic: None }) }
    }

    pub(super) fn start(&self, at: Instant) {
        self.progress.lock().times.started = Some(at);
    }

    pub(super) fn end(&self, at: Option<Instant>, result: Result<Arc<T>, RequestError>) {
        let mut progress = self.progress.lock();
        progress.times.ended = at;
        progress.result = Some(result);
    }

    pub(super) fn call_back(&self, callback: impl FnOnce(Finished<'_, T>)) {
        let (times, result) = {
            let progress = self.progress.lock();
            (progress.times, progress.result.clone())
        };
        let Some(result) = result else { return };
        let finished = Finished { info: &self.info, times, result: &result };
        if let Err(panic) = stillpoint_engine::pool::catch(|| callback(finished)) {
            self.progress.lock().callback_panic = Some(panic);
        }
    }
}

/// A handle of a request that was submitted. Clones are handles of the same one. To drop them all is no harm: the operation goes on, and
/// its result is dropped.
pub struct Request<T> {
    pub(super) core: Arc<Core>,
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("info", &self.shared.info).field("times", &self.times()).finish_non_exhaustive()
    }
}

impl<T> Request<T> {
    /// What it is: id, kind, library, symbol, operation.
    pub fn info(&self) -> &RequestInfo {
        &self.shared.info
    }

    /// What came of it; `None` before its end. The result is shared: it is freed with the last handle of the request and of the result.
    pub fn result(&self) -> Option<Result<Arc<T>, RequestError>> {
        self.shared.progress.lock().result.clone()
    }

    /// Its error, if it has ended with one.
    pub fn error(&self) -> Option<RequestError> {
        self.shared.progress.lock().result.as_ref()?.as_ref().err().cloned()
    }

    /// Whether its operation has begun and not ended.
    pub fn running(&self) -> bool {
        let progress = self.shared.progress.lock();
        progress.times.started.is_some() && progress.result.is_none()
    }

    /// Whether its operation has ended, well or not. Its callback may still run; a wait is for both.
    pub fn completed(&self) -> bool {
        self.shared.progress.lock().result.is_some()
    }

    /// When things happened, and how long they took.
    pub fn times(&self) -> Times {
        self.shared.progress.lock().times
    }

    /// What its callback said when it panicked.
    pub fn callback_panic(&self) -> Option<JobPanic> {
        self.shared.progress.lock().callback_panic.clone()
    }
}
