//! The naive reference model of the rules of time: one sorted map from the full key of a delivery to the delivery. Invariant: it takes nothing
//! from the kernel but times, paths, ranks, digests and the seeded numbers.

mod calls;
mod effects;
mod handling;
mod step;
mod streams;
mod tasks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stillpoint_engine::{Duration, Instant, Path, Rank, Rng, digest_of};

use super::account::{Account, Ending, Record};
use super::messages::Worked;
use super::mind::{Handles, Mind};
use super::program::{Body, ControlPlan, Program};
use streams::Flow;
use tasks::Chore;

/// How often each thing happened over many programs.
pub type Tally = BTreeMap<&'static str, u64>;

/// Runs a program by the rules alone and counts in `tally` what it did.
pub fn run(program: &Program, tally: &mut Tally) -> Account {
    let mut world = World::new(program, std::mem::take(tally));
    let ending = world.run();
    world.happened(match ending {
        Ending::Done => "end: done",
        Ending::Until => "end: until",
        Ending::Stopped => "end: stopped",
        Ending::Mailbox(..) => "end: mailbox",
        Ending::Livelock(..) => "end: livelock",
        Ending::Late(..) => "end: late item",
        Ending::Panic(..) => "end: panic",
        Ending::Undeclared(..) => "end: undeclared send",
        Ending::Other(_) => unreachable!("the model knows how it ended"),
    });
    *tally = std::mem::take(&mut world.tally);
    world.account(ending)
}

/// A moment in which deliveries happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct When {
    at: i64,
    round: u32,
    step: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Start,
    Stream,
    Message,
    Timer,
    Wake,
}

/// The full key. The receiver comes last: one emission may have many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    when: When,
    class: Class,
    rank: Rank,
    sender: Path,
    seq: u64,
    receiver: Path,
}

/// Something that can be cancelled: a timer, a job, a wait of a task. Numbers are the model's own and are seen nowhere.
type Token = u64;
/// An ask, by a number of the model's own.
type AskId = u64;

#[derive(Clone, Debug)]
struct Delivery {
    sender_count: u64,
    kind: &'static str,
    digest: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
struct Repeat {
    period: i64,
    end: Option<i64>,
}

#[derive(Clone, Debug)]
enum What {
    Start,
    Item { body: Body, event_time: i64, lag: Option<i64> },
    Note { body: Body, about: Option<(Being, usize)>, due: i64 },
    Publication { flash: bool, body: Body },
    Timer { token: Token, body: Body, due: i64, repeat: Option<Repeat> },
    Timeout { token: Token, ask: AskId, due: i64 },
    Wake { token: Token, value: u64 },
    Job { token: Token, result: Worked },
    Request { ask: AskId },
    Reply { ask: AskId, answer: Answer },
    Stop,
    Subscribe { flash: bool },
    Control(ControlPlan),
    StopRun,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Body(Body),
    Next(Option<Instant>),
    Gone,
}

/// A peer: an actor that is, was, or may come to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Being {
    path: Path,
    root: usize,
}

struct ModelHandles;

impl Handles for ModelHandles {
    type Peer = Being;
    type Timer = Token;
    type Ask = AskId;
    type Job = Token;
    type Task = u64;
    type Inbox = u64;
    type Held = AskId;
}

type ModelMind = Mind<ModelHandles>;

/// A living actor.
struct Person {
    root: usize,
    /// Out while it acts.
    mind: Option<ModelMind>,
    /// What can still be cancelled, with the key under which it waits. Things that are never due are not here.
    pending: BTreeMap<Token, Key>,
    tasks: BTreeMap<u64, Chore>,
    /// Tasks that are over: what they gave, or `None` if they were cancelled.
    over: BTreeMap<u64, Option<u64>>,
    inboxes: BTreeMap<u64, VecDeque<u64>>,
    /// The tasks to be polled in this step, woken ones first, each with the cause of its poll.
    woken: Vec<(u64, Cause)>,
    fresh: VecDeque<(u64, Cause)>,
}

/// The delivery from which something follows.
#[derive(Clone, Copy, Debug)]
struct Cause {
    count: u64,
    kind: &'static str,
}

struct Ask {
    asker: Being,
    target: Being,
    /// The key of the request without its receiver: the order in which lost ones are resolved.
    order: (When, Rank, Path, u64),
    body: Option<Body>,
    timeout: Option<Token>,
    /// The wait of a task that asked; `None`: a handler did.
    wait: Option<Token>,
    open: bool,
    /// The target's count when the request reached it.
    count: u64,
}

struct Birth {
    parent: Path,
    being: Being,
    rank: Rank,
    role: usize,
    generation: u32,
    count: u64,
}

struct World<'p> {
    program: &'p Program,
    now: When,
    queue: BTreeMap<Key, Delivery>,
    people: BTreeMap<Path, Person>,
    flows: Vec<Flow>,
    seqs: BTreeMap<Path, u64>,
    counts: BTreeMap<Path, u64>,
    /// Ranks of all that were ever born, and of the streams.
    ranks: BTreeMap<Path, Rank>,
    children: BTreeMap<Path, u32>,
    rngs: BTreeMap<Path, Rng>,
    asks: BTreeMap<AskId, Ask>,
    /// Requests that reached their target and were not answered.
    unanswered: BTreeSet<AskId>,
    subscribers: BTreeMap<(Path, bool), BTreeMap<Path, usize>>,
    /// Whether the last call of (subscriber, publisher, type) was a subscribe.
    last_call: BTreeMap<(Path, Path, bool), bool>,
    next_token: u64,
    births: Vec<Birth>,
    new_subscriptions: Vec<(Path, bool, Being)>,
    ended_subscriptions: Vec<(Path, bool, Path)>,
    stopping: BTreeSet<Path>,
    lost: Vec<AskId>,
    /// What the time-keeper will answer, noted when the step of the question is closed.
    noted: BTreeMap<AskId, Option<Instant>>,
    faults: Vec<Ending>,
    stopped: bool,
    records: Vec<Record>,
    events: u64,
    never: u64,
    memories: BTreeMap<String, u64>,
    tally: Tally,
}

fn unit() -> u64 {
    digest_of(&())
}

fn facet_of(being: &Being) -> Being {
    Being { path: Path::parse(&format!("time-keeper@{}", being.path)).expect("a facet has a path"), root: being.root }
}

impl<'p> World<'p> {
    fn new(program: &'p Program, tally: Tally) -> Self {
        let flows = (0..program.streams.len()).map(|index| Flow::new(program, index)).collect();
        let mut world = Self {
            program,
            now: When { at: i64::MIN, round: 0, step: 0 },
            queue: BTreeMap::new(),
            people: BTreeMap::new(),
            flows,
            seqs: BTreeMap::new(),
            counts: BTreeMap::new(),
            ranks: BTreeMap::new(),
            children: BTreeMap::new(),
            rngs: BTreeMap::new(),
            asks: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            subscribers: BTreeMap::new(),
            last_call: BTreeMap::new(),
            next_token: 0,
            births: Vec::new(),
            new_subscriptions: Vec::new(),
            ended_subscriptions: Vec::new(),
            stopping: BTreeSet::new(),
            lost: Vec::new(),
            noted: BTreeMap::new(),
            faults: Vec::new(),
            stopped: false,
            records: Vec::new(),
            events: 0,
            never: 0,
            memories: BTreeMap::new(),
            tally,
        };
        world.set_up();
        world
    }

    /// Actors, streams and subscriptions from before the start, and the start itself (R11).
    fn set_up(&mut self) {
        let program = self.program;
        for (index, stream) in program.streams.iter().enumerate() {
            self.ranks.insert(program.stream_path(index), Rank(stream.rank));
            for subscriber in &stream.subscribers {
                self.flows[index].subscribers.insert(program.root_path(*subscriber));
            }
        }
        for link in &program.subscriptions {
            let (subscriber, publisher) = (program.root_path(link.subscriber), program.root_path(link.publisher));
            self.last_call.insert((subscriber.clone(), publisher.clone(), link.flash), true);
            self.subscribers.entry((publisher, link.flash)).or_default().insert(subscriber, link.subscriber);
        }
        let start = program.start.map(|offset| program.at(offset).as_nanos());
        let least = self.flows.iter().filter(|flow| !flow.subscribers.is_empty()).filter_map(|flow| flow.first_event_time()).min();
        let at = start.or(least).unwrap_or(0);
        for flow in self.flows.iter_mut().filter(|flow| !flow.subscribers.is_empty()) {
            self.never += flow.open(start);
        }
        let when = When { at, round: 0, step: 0 };
        for (index, root) in program.roots.iter().enumerate() {
            let being = Being { path: program.root_path(index), root: index };
            self.bear(&being, Rank(root.rank), usize::from(root.role) % program.roles.len(), 0);
            self.put_start(when, Path::parse("time-keeper").expect("a path"), 0, Rank(0), being.path);
        }
    }

    fn put_start(&mut self, when: When, sender: Path, sender_count: u64, rank: Rank, receiver: Path) {
        let key = Key { when, class: Class::Start, rank, sender, seq: 0, receiver };
        self.queue.insert(key, Delivery { sender_count, kind: "start", digest: unit(), what: What::Start });
    }

    fn bear(&mut self, being: &Being, rank: Rank, role: usize, generation: u32) {
        let program = self.program;
        let roots = (0..program.roots.len()).map(|root| Being { path: program.root_path(root), root }).collect();
        let person = Person {
            root: being.root,
            mind: Some(Mind::new(program, being.root, role, generation, roots)),
            pending: BTreeMap::new(),
            tasks: BTreeMap::new(),
            over: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            woken: Vec::new(),
            fresh: VecDeque::new(),
        };
        self.ranks.insert(being.path.clone(), rank);
        self.people.insert(being.path.clone(), person);
    }

    fn rank(&self, path: &Path) -> Rank {
        self.ranks.get(path).copied().unwrap_or(Rank(0))
    }

    fn count(&self, path: &Path) -> u64 {
        self.counts.get(path).copied().unwrap_or(0)
    }

    fn draw_seq(&mut self, path: &Path) -> u64 {
        let seq = self.seqs.entry(path.clone()).or_insert(0);
        *seq += 1;
        *seq
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    fn happened(&mut self, what: &'static str) {
        *self.tally.entry(what).or_insert(0) += 1;
    }

    /// When something called for `delay` from now arrives (R2). `None`: never.
    fn arrival(&mut self, delay: i128) -> Option<When> {
        if delay <= 0 {
            return Some(When { step: self.now.step + 1, ..self.now });
        }
        match i64::try_from(i128::from(self.now.at) + delay) {
            Ok(at) => Some(When { at, round: 0, step: 0 }),
            Err(_) => {
                self.never += 1;
                self.happened("never");
                None
            }
        }
    }

    /// Queues an emission of `sender` for `receiver`, `delay` from now. Gives the key under which it waits.
    #[allow(clippy::too_many_arguments, reason = "these are the parts of a key and a delivery")]
    fn emit(&mut self, class: Class, sender: &Path, seq: u64, receiver: &Path, delay: i128, delivery: Delivery) -> Option<Key> {
        let when = self.arrival(delay)?;
        let key = Key { when, class, rank: self.rank(sender), sender: sender.clone(), seq, receiver: receiver.clone() };
        let before = self.queue.insert(key.clone(), delivery);
        assert!(before.is_none(), "two deliveries share the key {key:?}");
        Some(key)
    }

    /// Forgets something that waits for its instant, or for its turn in the mailbox at hand.
    fn cancel(&mut self, owner: &Path, token: Token) -> bool {
        let Some(key) = self.people.get_mut(owner).and_then(|person| person.pending.remove(&token)) else { return false };
        if self.queue.remove(&key).is_none() {
            assert_eq!(key.when, self.now, "what is pending is queued, or in the step at hand");
            self.happened("cancel what is due in this mailbox");
        }
        true
    }

    fn run(&mut self) -> Ending {
        let until = self.program.until.map(|offset| self.program.at(offset).as_nanos());
        loop {
            let queued = self.queue.first_key_value().map(|(key, _)| key.when.at);
            let streamed = self.flows.iter().filter_map(Flow::next).min();
            let Some(at) = [queued, streamed].into_iter().flatten().min() else { return Ending::Done };
            if until.is_some_and(|until| at > until) {
                return Ending::Until;
            }
            if let Some(ending) = self.instant(at) {
                return ending;
            }
        }
    }

    fn account(self, ending: Ending) -> Account {
        let done = ending == Ending::Done && self.flows.iter().all(|flow| !flow.ended);
        let dead_letters = self.records.iter().filter(|record| record.count.is_none()).count() as u64;
        let counted = |count: fn(&Flow) -> u64| {
            let entries = self.flows.iter().filter(|flow| count(flow) > 0);
            entries.map(|flow| (flow.path.to_string(), count(flow))).collect::<BTreeMap<_, _>>()
        };
        Account {
            ending,
            events: self.events,
            deliveries: self.records.len() as u64 - dead_letters,
            dead_letters,
            late: counted(|flow| flow.late),
            paused: done.then(|| counted(|flow| flow.missed)),
            skipped: done.then(|| counted(|flow| flow.skipped)),
            never: done.then_some(self.never),
            memories: self.memories,
            records: self.records,
        }
    }
}

/// Nanoseconds of a duration, for sums that cannot overflow.
fn wide(duration: Duration) -> i128 {
    i128::from(duration.as_nanos())
}
