//! Stillpoint's engine: actors with mailboxes under a virtual clock that moves only when every actor is at rest.

mod actor;
mod address;
mod ask;
mod context;
mod digest;
mod error;
mod event;
mod job;
mod kernel;
mod limits;
mod link;
mod message;
mod metrics;
mod outcome;
mod path;
pub mod pool;
mod report;
mod rng;
#[doc = include_str!("../RULES.md")]
pub mod rules {}
mod run;
pub mod scenario;
mod simulation;
mod source;
mod stream;
pub mod task;
mod time;
mod time_keeper;
pub mod trace;

pub use actor::{Actor, Handler, Responds};
pub use address::{Addr, Recipient, StreamRef, Target};
pub use ask::{Answer, AskError, AskId, Responder};
pub use context::{Context, Control, Every, Timer};
pub use digest::{Digest, digest_of};
pub use error::{BuildError, RunError, Site};
pub use event::{Event, LogLine};
pub use job::{JobDone, JobId};
pub use limits::{Limits, OnPanic};
pub use link::Link;
pub use message::{Message, Request, canonical_bits};
pub use metrics::Metrics;
pub use outcome::{End, Failed, Outcome};
pub use path::{Name, NameError, Path, Rank};
pub use pool::{JobPanic, Pool};
pub use report::{Report, Value};
pub use rng::Rng;
pub use run::{Progress, Run};
pub use simulation::Simulation;
pub use source::{Source, SourceError, Timed};
pub use stream::{Late, LateCounts, Stream};
pub use task::{Inbox, TaskContext};
pub use time::{Duration, Instant, TimeError};
pub use time_keeper::{NextInstant, NextInstantIs, StopRun, TimeKeeper};
