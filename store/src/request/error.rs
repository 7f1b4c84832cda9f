//! What can go wrong with a request. Invariant: every error of this module is one enum, and says what went on, or did not, regardless.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use stillpoint_engine::{Duration, JobPanic};

use super::queue::RequestId;

/// The base of all errors of requests.
#[derive(Clone, Debug)]
pub enum RequestError {
    /// The time-out of a wait passed. The operations go on, and can be waited for again.
    RequestDuration {
        /// How long the wait was to take.
        timeout: Duration,
        /// The first request that had not ended.
        first: RequestId,
        /// How many had not.
        pending: usize,
    },
    /// The pool takes no requests: it was shut down, or is being reset. Nothing was submitted.
    Rejected {
        /// The operation, and what it was for.
        operation: String,
    },
    /// The end of a pool was awaited that was not shut down.
    NotShutDown,
    /// A request was waited for at a pool that it was not submitted to.
    OtherPool {
        /// The request.
        request: RequestId,
    },
    /// The operation panicked. What it left half done is as it was left.
    Panicked {
        /// The request.
        request: RequestId,
        /// The operation, and what it was for.
        operation: String,
        /// What the panic said.
        panic: JobPanic,
    },
    /// The operation failed.
    Operation {
        /// The request.
        request: RequestId,
        /// The operation, and what it was for.
        operation: String,
        /// Its own error.
        error: Arc<dyn Error + Send + Sync>,
    },
}

impl RequestError {
    /// The operation's own error, if it failed with an `E`.
    pub fn operation<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Operation { error, .. } => error.downcast_ref(),
            _ => None,
        }
    }

    /// Whether it is a time-out: the operations go on.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::RequestDuration { .. })
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestDuration { timeout, first, pending } => write!(
                f,
                "{pending} requests had not ended after {timeout}, the first of them {first}; their operations go on: wait again, or longer"
            ),
            Self::Rejected { operation } => {
                write!(f, "{operation} was not submitted: the pool is shut down or being reset; reset it to open it again")
            }
            Self::NotShutDown => f.write_str("the end of a pool was awaited that takes requests; call `shutdown` first"),
            Self::OtherPool { request } => write!(f, "request {request} belongs to another pool; wait for it where it was submitted"),
            Self::Panicked { request, operation, panic } => {
                write!(f, "request {request}, {operation}: {panic}; this is a fault of the operation, and other requests go on")
            }
            Self::Operation { request, operation, error } => write!(f, "request {request}, {operation}: {error}"),
        }
    }
}

impl Error for RequestError {
    /// What lies behind the operation's own error, whose text is part of this one's.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Operation { error, .. } => error.source(),
            _ => None,
        }
    }
}
