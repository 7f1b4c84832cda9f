//! Random programs as data: what every actor does on its n-th delivery. Invariant: a program is finite, since each actor has a bounded energy.

use std::collections::BTreeSet;
use std::hash::Hash;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Path, digest_of};

/// The names of roots, such that their order is that of no index.
pub(crate) const ROOTS: [&str; 8] = ["m", "a", "a-b", "z", "a0", "B", "é", "ab"];
/// The names of streams, some of them among those of the roots.
pub(crate) const STREAMS: [&str; 4] = ["s", "a!", "zz", "S"];

/// One random simulation. All times are offsets in nanoseconds from its `origin`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    pub(crate) seed: u64,
    pub(crate) origin: i64,
    pub(crate) start: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) max_steps: Option<u32>,
    pub(crate) max_mailbox: Option<usize>,
    pub(crate) poison: bool,
    pub(crate) energy: u32,
    pub(crate) roots: Vec<Root>,
    /// `None`: no links are declared, so all actors are one component.
    pub(crate) links: Option<Vec<(usize, usize, i64)>>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) streams: Vec<StreamPlan>,
    pub(crate) roles: Vec<Role>,
    pub(crate) scripts: Vec<Vec<Step>>,
}

/// An actor that is there from the start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Root {
    pub(crate) rank: i32,
    pub(crate) role: u8,
}

/// A subscription in force from before the start, by indices of roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscription {
    pub(crate) subscriber: usize,
    pub(crate) publisher: usize,
    pub(crate) flash: bool,
}

/// A stream with all its items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StreamPlan {
    pub(crate) rank: i32,
    pub(crate) items: Vec<(i64, Body)>,
    pub(crate) late: LatePlan,
    pub(crate) reorder: Option<i64>,
    pub(crate) one_by_one: bool,
    pub(crate) controlled: bool,
    pub(crate) subscribers: Vec<usize>,
}

/// What becomes of late items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LatePlan {
    Error,
    Drop,
    Flag,
}

/// How an actor behaves: a table of what it does, by its deliveries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Role {
    pub(crate) on_start: Vec<Op>,
    pub(crate) table: Vec<Vec<Op>>,
    pub(crate) answers: Vec<Answering>,
}

/// What an actor does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answering {
    Now,
    Keep,
    Drop,
}

/// One of the actors that the acting one knows, by index modulo their number.
pub(crate) type Who = u8;

/// Something an actor does. Numbers that choose among what there is (actors, timers, streams) are taken modulo how many there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Send {
        to: Who,
    },
    SendAfter {
        to: Who,
        delay: i64,
    },
    /// Tells one actor of another.
    Mention {
        to: Who,
        about: Who,
    },
    /// Sends to any root, whether a link leads there or not.
    SendAstray {
        root: u8,
    },
    AskAstray {
        root: u8,
    },
    Publish {
        flash: bool,
    },
    Subscribe {
        to: Who,
        flash: bool,
    },
    Unsubscribe {
        to: Who,
        flash: bool,
    },
    SubscribeStream {
        stream: u8,
    },
    UnsubscribeStream {
        stream: u8,
    },
    Soon,
    After {
        delay: i64,
    },
    At {
        offset: i64,
    },
    Every {
        first: i64,
        period: i64,
        ticks: i8,
    },
    CancelTimer {
        which: u8,
    },
    Ask {
        to: Who,
        timeout: Option<i64>,
    },
    AnswerKept {
        which: u8,
    },
    DropKept {
        which: u8,
    },
    Spawn {
        role: u8,
        rank: Option<i32>,
    },
    StopSelf,
    StopOther {
        to: Who,
    },
    Task {
        script: u8,
    },
    CancelTask {
        which: u8,
    },
    Push {
        which: u8,
    },
    Submit {
        latency: i64,
        panics: bool,
    },
    CancelJob {
        which: u8,
    },
    Panic,
    Draw {
        to: Who,
    },
    NextInstant {
        timeout: Option<i64>,
    },
    StopRun,
    Control {
        stream: u8,
        what: ControlPlan,
    },
}

/// What a stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlPlan {
    Pause,
    Resume,
    End,
}

/// One step of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Do(Op),
    Await(Wait),
    /// The first of two, the left one where both are ready.
    Select(Wait, Wait),
    /// Starts one of the scripts behind this one.
    Spawn {
        script: u8,
    },
    CancelChild {
        which: u8,
    },
}

/// Something a task waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    Sleep {
        delay: i64,
    },
    SleepUntil {
        offset: i64,
    },
    Yield,
    Recv,
    Ask {
        to: Who,
        timeout: Option<i64>,
    },
    /// A child task that was not joined yet; yields if there is none.
    Join {
        which: u8,
    },
    Submit {
        latency: i64,
        panics: bool,
    },
}

/// What every message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Body {
    /// How many more messages may follow from this one in a row.
    pub fuel: u32,
    /// The sender's memory when it was sent: any difference in what an actor has seen shows in all it says later.
    pub tag: u64,
}

impl Program {
    pub(crate) fn at(&self, offset: i64) -> Instant {
        Instant::from_nanos(self.origin.saturating_add(offset))
    }

    pub(crate) fn root_path(&self, root: usize) -> Path {
        Path::parse(ROOTS[root]).expect("names of roots are paths")
    }

    pub(crate) fn stream_path(&self, stream: usize) -> Path {
        Path::parse(STREAMS[stream]).expect("names of streams are paths")
    }

    /// The latency from one root's tree to another's, if a message may go there.
    pub(crate) fn latency(&self, from: usize, to: usize) -> Option<i64> {
        match &self.links {
            Some(links) if from != to => links.iter().find(|link| (link.0, link.1) == (from, to)).map(|link| link.2),
            _ => Some(0),
        }
    }

    /// Whether two trees are in one component: links without latency lead from one to the other, or they hear one controlled stream.
    pub(crate) fn joined(&self, a: usize, b: usize) -> bool {
        self.component(Member::Root(a)).contains(&Member::Root(b))
    }

    /// Whether a root has this name.
    pub fn is_root(&self, name: &str) -> bool {
        ROOTS[..self.roots.len()].contains(&name)
    }

    /// Whether the trees of two roots are in one component. Panics if there are no such roots.
    pub fn are_joined(&self, a: &str, b: &str) -> bool {
        let index = |name| ROOTS.iter().position(|root| *root == name).expect("a root's name");
        self.joined(index(a), index(b))
    }

    /// Whether a tree may hear and control a stream, of which there may be one copy only.
    pub(crate) fn may_hear(&self, root: usize, stream: usize) -> bool {
        !self.streams[stream].controlled || self.component(Member::Root(root)).contains(&Member::Stream(stream))
    }

    /// All that is joined to a member.
    fn component(&self, member: Member) -> BTreeSet<Member> {
        let Some(links) = &self.links else {
            let roots = (0..self.roots.len()).map(Member::Root);
            return roots.chain((0..self.streams.len()).map(Member::Stream)).collect();
        };
        let linked = links.iter().filter(|link| link.2 == 0).map(|link| (Member::Root(link.0), Member::Root(link.1)));
        let controlled = self.streams.iter().enumerate().filter(|(_, stream)| stream.controlled);
        let heard =
            controlled.flat_map(|(index, stream)| stream.subscribers.iter().map(move |who| (Member::Root(*who), Member::Stream(index))));
        let pairs: Vec<_> = linked.chain(heard).collect();
        let mut component = BTreeSet::from([member]);
        loop {
            let before = component.len();
            for (a, b) in &pairs {
                if component.contains(a) || component.contains(b) {
                    component.extend([*a, *b]);
                }
            }
            if component.len() == before {
                return component;
            }
        }
    }

    /// Whether two trees may ask each other.
    pub(crate) fn mutual(&self, a: usize, b: usize) -> bool {
        self.latency(a, b).is_some() && self.latency(b, a).is_some()
    }
}

/// A root or a stream, by its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Root(usize),
    Stream(usize),
}

/// Folds what an actor has seen into its memory.
pub(crate) fn remember(memory: u64, seen: impl Hash) -> u64 {
    digest_of(&(memory, seen))
}

/// A delay as a duration.
pub(crate) fn nanos(n: i64) -> Duration {
    Duration::nanos(n)
}
