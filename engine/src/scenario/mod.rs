//! Scenarios: a run described in RON (Rusty Object Notation), built from kinds of streams and actors that a [`Registry`] knows.
//!
//! A file is one struct. All but `name` may be left out:
//! ```text
//! (
//!     name: "quickstart",
//!     seed: 7,                                  // of everything random
//!     start: "2025-03-25T23:07:00Z",            // default: the first event
//!     end: "2025-03-25T23:10:06Z",              // inclusive; default: when nothing is left to do
//!     host: Inline,                             // or Actix(threads: 2), or Auto(threads: 2); whoever runs it may choose another one
//!     on_panic: Stop,                           // or Poison
//!     limits: (max_steps: 1000, max_mailbox: 100),
//!     streams: [
//!         (name: "words", kind: script(steps: []), late: Error, reorder: "250us", ties: Together, controlled: false, rank: 0),
//!     ],
//!     actors: [
//!         (name: "porter", kind: relay(streams: ["words"], to: "greeter"), rank: 0),
//!         (name: "greeter", kind: recorder),
//!     ],
//!     links: [(from: "porter", to: "greeter", latency: "250us", jitter: "50us", loss: 0.01)],
//!     faults: [
//!         Gap(stream: "words", from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z"),        // those events are lost
//!         Duplicate(stream: "words", from: "..", to: ".."),                                      // each comes twice
//!         Late(stream: "words", from: "..", to: "..", by: "1s"),                                 // they come behind what is a second later
//!         Skew(stream: "words", from: "..", to: "..", by: "-5ms"),                               // their times are wrong
//!         Disconnect(stream: "words", at: ".."),                                                 // nothing comes any more
//!         Fail(stream: "words", at: ".."),                                                       // the source fails: the run ends
//!         Down(link: ("porter", "greeter"), from: "..", to: ".."),                              // what is sent meanwhile is lost
//!     ],
//!     expect: (trace_hash: "00000000000000000000000000000000", events: 2, deliveries: 3, late_events: 0, dead_letters: 0,
//!         results: [(actor: "greeter", name: "received", min: 2, max: 2)]),
//! )
//! ```
//! Times are RFC 3339, durations have units, paths are relative to the file. The extensions `implicit_some` and `unwrap_newtypes` of RON are
//! always on. What stands where in the file means nothing: streams and actors are made in the order of their names.

mod absent;
mod build;
mod error;
mod expect;
mod facts;
mod faults;
mod file;
mod graph;
mod kinds;
mod misfit;
mod notes;
mod parts;
mod probe;
mod raw;
mod registry;
mod scene;
mod scene_error;
mod schema;
mod script;
mod set;
mod shared;
mod text;

pub use absent::build_with;
pub use build::Built;
pub use error::{Place, ScenarioError};
pub use expect::Unmet;
pub use faults::{StreamFault, spoil};
pub use file::{Piece, RonFile};
pub use graph::{Edge, Graph, LinkEdge, Node};
pub use notes::Notes;
pub use parts::{FieldDoc, PartDoc, PartKind};
pub use registry::{ActorKind, KindDoc, ParamDoc, Registry, StreamKind};
pub use scene::{Scene, StreamScene};
pub use scene_error::SceneError;
pub use schema::Scenario;
pub use script::{Script, Step};
pub use set::{Override, OverrideError};
pub use shared::{Shared, SharedFigures};
