//! Asynchronous requests: operations on libraries, run on the project's pool of threads or at virtual instants. Invariant: a request starts
//! when no earlier unfinished one conflicts with it, and every accepted request ends, whatever its operation does.
//!
//! An [`Operation`] says what it does, to what, and whether it modifies. [`RequestPool::submit`] gives a [`Request`], a handle that can be
//! waited for, alone or with others, looked at, and dropped: the operation goes on regardless.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! use stillpoint_engine::{Duration, Instant};
//! use stillpoint_store::request::{Call, Named, RequestPool, Scope};
//!
//! /// A library of one number a symbol would be the real thing; this one knows its name alone.
//! struct Toy;
//! impl Named for Toy {
//!     fn name(&self) -> &str {
//!         "toy"
//!     }
//! }
//!
//! let pool = RequestPool::new(2, Arc::new(|| Instant::EPOCH));
//! let toy = Arc::new(Toy);
//! let requests = ["A", "B", "C"]
//!     .map(|symbol| pool.submit(&toy, Call::read("measure", Scope::symbol(symbol), move |_: &Toy| Ok::<_, Infallible>(symbol.len()))));
//! let requests = requests.into_iter().collect::<Result<Vec<_>, _>>()?;
//! let lengths = pool.wait_all(&requests, Some(Duration::secs(60)))?;
//! assert_eq!(lengths.iter().map(|length| **length).sum::<usize>(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order
//!
//! Two requests conflict if they concern the same library, their symbols overlap (a whole-library operation overlaps all), and at least one
//! modifies. Conflicting requests run in the order of their submission; the others share. So there is one modifier at a time for each
//! symbol, readers run together, and a reader that comes after a waiting modifier waits behind it. [`Queue`] is this rule, as values alone.
//!
//! # Waiting, and threads
//!
//! A thread that waits without a time-out runs what it waits for if no thread has begun it; so a pool of any size, 0 included, makes progress,
//! and an operation may itself submit and wait. A wait with a time-out leaves the work to the pool's threads, unless there are none; so an
//! operation that waits had better give none, or all threads may wait for one that is free. It must not wait for a request that conflicts
//! with itself, nor for the end of its own pool: it would wait for itself.
//!
//! # Virtual time
//!
//! [`VirtualPool`] serves the same requests inside a simulation: each starts and ends at an instant that follows from its declared latency.

mod error;
mod handle;
mod operation;
mod pool;
mod queue;
mod set;
mod submission;
mod virtual_pool;
mod wait;

pub use crate::clock::Clock;
pub use error::RequestError;
pub use handle::{Finished, Request, RequestInfo, Times};
pub use operation::{Call, Named, Operation};
pub use pool::{DEFAULT_SIZE, RequestPool, Statistics};
pub use queue::{Claim, Kind, NotRunning, Queue, RequestId, Scope, Stage};
pub use set::{Handle, RequestSet, Watched, filter_failed, filter_finished, first_error};
pub use submission::Submission;
pub use virtual_pool::{Completion, VirtualPool};
