//! Running a random program in the engine. Invariant: how it is set up (order of registration, pool, metrics, a stranger) changes no account.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::snapshot::SnapshotError;
use stillpoint_engine::trace::{Observer, TraceHash, TraceRecord};
use stillpoint_engine::{
    Actor, BuildError, Context, Duration, End, Failed, Handler, Instant, Late, Limits, Link, OnPanic, Outcome, Path, Pool, Rank,
    ReadyOrder, RunError, Simulation, Site, Snapshot, Source, SourceError, Stream, Timed,
};

use super::account::{Account, Ending, Record};
use super::actor::{EngineNote, Memories, Player, Setting};
use super::messages::{Flash, Item};
use super::program::{LatePlan, Program, ROOTS, STREAMS, StreamPlan};

/// How a program is set up, none of which may matter.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Registers roots and streams, and makes subscriptions and links, from the last to the first.
    pub backwards: bool,
    /// Threads for jobs.
    pub pool: Option<Arc<Pool>>,
    /// Measures the run.
    pub metrics: bool,
    /// Adds an actor that nobody knows, with timers and messages of its own.
    pub stranger: bool,
    /// Lets sources give few items at a time, so that streams are read as late as they can be.
    pub sips: bool,
    /// In which order the actors of a step run.
    pub ready: ReadyOrder,
    /// Runs it on several threads.
    pub spread: Option<Spread>,
}

/// How a run is spread over threads.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// How many threads.
    pub threads: usize,
    /// How many shards.
    pub shards: usize,
    /// How many windows there are in a batch.
    pub batch: u32,
    /// The longest window, if not what the links allow.
    pub window: Option<Duration>,
    /// How components are dealt to shards: at random, or by what they do in a trial.
    pub deal: Option<u64>,
}

/// An account of a run, and what only the engine knows.
#[derive(Clone, Debug)]
pub struct Play {
    /// What the model gives too.
    pub account: Account,
    /// The hash of the run.
    pub hash: TraceHash,
    /// Everybody's chain and count by path, without the stranger's and its child's.
    pub chains: Vec<(String, u64, u64)>,
}

const STRANGER: &str = "stranger";

/// Runs a program in the engine.
pub fn run(program: &Program, setup: &Setup) -> Play {
    let seen = Arc::new(Mutex::new(Collected::default()));
    let memories = Arc::new(Mutex::new(Memories::default()));
    let ran = match setup.spread {
        None => build(program, setup, &memories).observe(Box::new(Recorder(seen.clone()))).run(),
        Some(spread) => launch(program, setup, spread).observe(Box::new(Recorder(seen.clone()))).run(),
    };
    play(ran, &seen, &memories)
}

/// What snapshots of a program held, by what: how many of them.
pub type Held = BTreeMap<&'static str, u64>;

/// What to look for in the text of a snapshot.
const HELD: [(&str, &str); 21] = [
    ("a timer", "cargo: Timer("),
    ("an interval", "cargo: Tick("),
    ("a delayed message", "cargo: Message("),
    ("a job's result", "cargo: Job("),
    ("a publication on its way", "cargo: Share("),
    ("a question on its way", "cargo: Request("),
    ("an answer on its way", "cargo: Reply("),
    ("no answer on its way", "cargo: Gone("),
    ("a timeout", "cargo: Timeout("),
    ("a stop on its way", "cargo: Stop)"),
    ("a subscription on its way", "cargo: Subscribe("),
    ("a subscriber of an actor", "lists: "),
    ("a subscriber of a stream", "streams: ["),
    ("a half-read stream", "exhausted: false"),
    ("an item held back", "held: 1)"),
    ("two items held back", "held: 2)"),
    ("a paused stream", "paused: true"),
    ("an ended stream", "ended: true"),
    ("a child", "/0\""),
    ("a stopped actor", "role: Stopped("),
    ("a facet", "role: Facet"),
];

/// Interrupts a program at each of its still points at which it can be saved. The restored run is saved again at the next one, where it must be
/// as the run that was not interrupted; and from some of them it runs to the end, which must be that of the whole.
///
/// # Errors
/// Where it does not, and what differs.
pub fn interrupt(program: &Program, held: &mut Held) -> Result<(), String> {
    let sips = Setup { sips: true, ..Setup::default() };
    let whole = run(program, &sips);
    let instants = whole.account.records.chunk_by(|a, b| a.site.0 == b.site.0).count();
    let memories = Arc::new(Mutex::new(Memories::default()));
    let mut going = build(program, &sips, &memories).begin().map_err(|error| error.to_string())?;
    let (mut still_points, mut read) = (0, 0);
    let mut resumed: Option<Snapshot> = None;
    while going.step_instant() {
        still_points += 1;
        *held.entry("a still point").or_default() += 1;
        let snapshot = match going.snapshot() {
            Ok(snapshot) => snapshot,
            Err(SnapshotError::LiveTask { .. }) => {
                *held.entry("a live task").or_default() += 1;
                continue;
            }
            Err(SnapshotError::OwedAnswer { .. }) => {
                *held.entry("an owed answer").or_default() += 1;
                continue;
            }
            Err(error) => return Err(format!("at {}: {error}", going.site())),
        };
        let text = snapshot.to_text();
        *held.entry("a snapshot").or_default() += 1;
        for (what, sign) in HELD {
            *held.entry(what).or_default() += u64::from(text.contains(sign));
        }
        // A restored run does not stop where there is nothing but timers of those who have stopped.
        if let Some(resumed) = resumed.take().filter(|resumed| resumed.at() == snapshot.at()) {
            if resumed.to_text() != text {
                return Err(format!("at {} a restored run is\n{}\nand was to be\n{text}", snapshot.at(), resumed.to_text()));
            }
            *held.entry("a restored run at its next still point").or_default() += 1;
        }
        // Of a program with thousands of actors not all snapshots are read.
        read += text.len();
        if still_points % (1 + read / MOST_READ) > 0 {
            continue;
        }
        let snapshot = Snapshot::from_bytes(text.as_bytes(), std::path::Path::new("a text")).map_err(|error| error.to_string())?;
        let next = build(program, &sips, &Arc::default()).restore(&snapshot);
        let mut next = next.map_err(|error| format!("from {}: {error}", snapshot.at()))?;
        resumed = next.step_instant().then(|| next.snapshot().ok()).flatten();
        if still_points % (instants / RUN_ON + 1) == 0 {
            let remembered = memories.lock().expect("nobody panics while noting").clone();
            // The order of registration is another one every second time.
            let setup = Setup { backwards: still_points % 2 == 0, ..sips.clone() };
            run_on(program, &setup, &snapshot, remembered, &whole)?;
            *held.entry("a restored run at its end").or_default() += 1;
        }
    }
    Ok(())
}

/// Bytes of snapshots of one program, after which fewer and fewer are read.
const MOST_READ: usize = 2_000_000;

/// From about so many still points of each program it runs on to the end.
const RUN_ON: usize = 12;

/// Restores a snapshot and runs to the end, which must be that of the whole.
fn run_on(program: &Program, setup: &Setup, snapshot: &Snapshot, remembered: Memories, whole: &Play) -> Result<(), String> {
    let seen = Arc::new(Mutex::new(Collected::default()));
    let memories = Arc::new(Mutex::new(remembered));
    let simulation = build(program, setup, &memories).observe(Box::new(Recorder(seen.clone())));
    let going = simulation.restore(snapshot).map_err(|error| format!("from {}: {error}", snapshot.at()))?;
    let mut rest = play(going.finish(), &seen, &memories);
    let before = whole.account.records.iter().take_while(|record| record.site.0 <= snapshot.at().as_nanos());
    rest.account.records.splice(0..0, before.cloned());
    if let Some(difference) = whole.account.first_difference(&rest.account) {
        return Err(format!("from {}: {difference}", snapshot.at()));
    }
    if whole.hash != rest.hash || whole.chains != rest.chains {
        return Err(format!("from {}: all records are equal, but not the hash or a chain", snapshot.at()));
    }
    Ok(())
}

/// The account of a run that is over.
fn play(ran: Result<Outcome, Box<Failed>>, seen: &Mutex<Collected>, memories: &Mutex<Memories>) -> Play {
    let (outcome, error) = match ran {
        Ok(outcome) => (outcome, None),
        Err(failed) => {
            let Failed { error, outcome } = *failed;
            (outcome, Some(error))
        }
    };
    let records = std::mem::take(&mut seen.lock().expect("the run is over").records);
    let memories = std::mem::take(&mut *memories.lock().expect("the run is over"));
    let chains = outcome.chains.iter().map(|(path, chain, count)| (path.to_string(), *chain, *count));
    let mut chains: Vec<_> = chains.filter(|(path, ..)| !path.starts_with(STRANGER)).collect();
    chains.sort();
    let hash = outcome.trace_hash;
    let counted = |count: fn(&stillpoint_engine::LateCounts) -> u64| {
        let entries = outcome.streams.iter().filter(|(_, counts)| count(counts) > 0);
        entries.map(|(path, counts)| (path.to_string(), count(counts))).collect()
    };
    let done = outcome.end == End::Done;
    let account = Account {
        records,
        ending: ending(&outcome, error),
        events: outcome.events,
        deliveries: outcome.deliveries,
        dead_letters: outcome.dead_letters,
        late: counted(|counts| counts.late()),
        paused: done.then(|| counted(|counts| counts.paused)),
        skipped: done.then(|| counted(|counts| counts.skipped)),
        never: done.then(|| outcome.never + outcome.streams.values().map(|counts| counts.never).sum::<u64>()),
        memories,
    };
    Play { account, hash, chains }
}

fn ending(outcome: &Outcome, error: Option<RunError>) -> Ending {
    let key = |site: Site| (site.at.as_nanos(), site.round, site.step);
    match (outcome.end, error) {
        (End::Done, None) => Ending::Done,
        (End::Until, None) => Ending::Until,
        (End::Stopped, None) => Ending::Stopped,
        (End::Failed, Some(error)) => match error {
            RunError::Mailbox { site, actor, deliveries, .. } => Ending::Mailbox(key(site), actor, deliveries),
            RunError::Livelock { site, actors } => Ending::Livelock(key(site), actors),
            RunError::Late { site, stream, index, .. } => Ending::Late(key(site), stream, index),
            RunError::Panic { site, actor, kind, .. } => Ending::Panic(key(site), actor, kind),
            RunError::Undeclared { site, from, to, kind } => Ending::Undeclared(key(site), from, to, kind),
            other => Ending::Other(other.to_string()),
        },
        (end, error) => Ending::Other(format!("{end:?}, {error:?}")),
    }
}

fn launch(program: &Program, setup: &Setup, spread: Spread) -> Launch {
    let (program, setup) = (program.clone(), setup.clone());
    // What actors remember is not asked for: those of a run that ends early have run on before they were run again.
    let launch = Launch::new(move || Ok::<_, BuildError>(build(&program, &setup, &Arc::default())));
    let launch = launch.host(Host::Actix { threads: spread.threads }).shards(spread.shards).batch(spread.batch);
    let launch = spread.window.into_iter().fold(launch, Launch::window);
    spread.deal.into_iter().fold(launch, Launch::deal)
}

fn build(program: &Program, setup: &Setup, memories: &Arc<Mutex<Memories>>) -> Simulation {
    let mut sim = Simulation::new("chaos").seed(program.seed).metrics(setup.metrics).ready_order(setup.ready);
    if let Some(start) = program.start {
        sim = sim.start(program.at(start));
    }
    if let Some(until) = program.until {
        sim = sim.until(program.at(until));
    }
    if let Some(pool) = &setup.pool {
        sim = sim.pool(pool.clone());
    }
    let defaults = Limits::default();
    let max_steps = program.max_steps.unwrap_or(defaults.max_steps);
    sim = sim.limits(Limits { max_steps, max_mailbox: program.max_mailbox });
    sim = sim.on_panic(if program.poison { OnPanic::Poison } else { OnPanic::Stop });
    if setup.stranger {
        sim.actor(STRANGER, Stranger(0)).expect("a free name");
    }

    let in_order = |count: usize| -> Vec<usize> { if setup.backwards { (0..count).rev().collect() } else { (0..count).collect() } };
    let (mut roots, mut streams) = (vec![None; program.roots.len()], vec![None; program.streams.len()]);
    if setup.backwards {
        for index in in_order(streams.len()) {
            streams[index] = Some(sim.stream(STREAMS[index], stream(program, &program.streams[index], setup.sips)).expect("a free name"));
        }
    }
    for index in in_order(roots.len()) {
        roots[index] = Some(sim.reserve::<Player>(ROOTS[index], Rank(program.roots[index].rank)).expect("a free name"));
    }
    if !setup.backwards {
        for index in in_order(streams.len()) {
            streams[index] = Some(sim.stream(STREAMS[index], stream(program, &program.streams[index], setup.sips)).expect("a free name"));
        }
    }
    let setting = Arc::new(Setting {
        program: program.clone(),
        roots: roots.into_iter().flatten().collect(),
        streams: streams.into_iter().flatten().collect(),
        memories: memories.clone(),
    });
    for index in in_order(program.roots.len()) {
        let role = usize::from(program.roots[index].role) % program.roles.len();
        sim.place(setting.roots[index], Player::new(setting.clone(), index, role, 0));
    }
    let links = program.links.as_deref().unwrap_or_default();
    for index in in_order(links.len()) {
        let (from, to, latency) = links[index];
        sim.link(ROOTS[from], ROOTS[to], Link::latency(Duration::nanos(latency))).expect("a link declared once");
    }
    for index in in_order(program.subscriptions.len()) {
        let one = program.subscriptions[index];
        let (subscriber, publisher) = (setting.roots[one.subscriber], setting.roots[one.publisher]);
        if one.flash {
            sim.subscribe_to::<Flash, _, _>(subscriber, publisher);
        } else {
            sim.subscribe_to::<EngineNote, _, _>(subscriber, publisher);
        }
    }
    for index in in_order(program.streams.len()) {
        for subscriber in &program.streams[index].subscribers {
            sim.subscribe::<Item, _>(setting.roots[*subscriber], setting.streams[index]);
        }
    }
    sim
}

/// A stream whose items lie in memory, or have to be read, in batches or in sips.
fn stream(program: &Program, plan: &StreamPlan, sips: bool) -> Stream<Item> {
    let items: Arc<[Timed<Item>]> = plan.items.iter().map(|(offset, body)| Timed { at: program.at(*offset), value: Item(*body) }).collect();
    let stream = if sips {
        Stream::open(move || Ok(Sips { items: items.clone(), next: 0 }))
    } else if items.len().is_multiple_of(2) {
        Stream::open(move || Ok(Listed { items: items.clone(), next: 0 }))
    } else {
        Stream::from_shared(items)
    };
    let mut stream = stream.rank(Rank(plan.rank)).late(match plan.late {
        LatePlan::Error => Late::Error,
        LatePlan::Drop => Late::DropAndCount,
        LatePlan::Flag => Late::DeliverFlagged,
    });
    if let Some(delay) = plan.reorder {
        stream = stream.reorder(Duration::nanos(delay));
    }
    if plan.one_by_one {
        stream = stream.one_by_one();
    }
    if plan.controlled { stream.controlled() } else { stream }
}

/// Gives as many items at a time as it is asked for.
struct Listed {
    items: Arc<[Timed<Item>]>,
    next: usize,
}

impl Source for Listed {
    type Item = Item;

    fn next(&mut self) -> Result<Option<Timed<Item>>, SourceError> {
        self.next += 1;
        Ok(self.items.get(self.next - 1).copied())
    }
}

/// Gives one to three items at a time.
struct Sips {
    items: Arc<[Timed<Item>]>,
    next: usize,
}

impl Source for Sips {
    type Item = Item;

    fn next(&mut self) -> Result<Option<Timed<Item>>, SourceError> {
        self.next += 1;
        Ok(self.items.get(self.next - 1).copied())
    }

    fn read(&mut self, _: usize, into: &mut Vec<Timed<Item>>) -> Result<bool, SourceError> {
        for _ in 0..1 + self.next % 3 {
            into.extend(self.next()?);
        }
        Ok(self.next < self.items.len())
    }
}

#[derive(Default)]
struct Collected {
    names: Vec<String>,
    records: Vec<Record>,
}

/// Collects the records of a run under the names of those they are about.
struct Recorder(Arc<Mutex<Collected>>);

impl Observer for Recorder {
    fn name(&mut self, id: u32, path: &Path, _: Rank) {
        let names = &mut self.0.lock().expect("one observer").names;
        let index = id as usize;
        names.resize(names.len().max(index + 1), String::new());
        names[index] = path.to_string();
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        let mut collected = self.0.lock().expect("one observer");
        let record = Record {
            site: (record.at.as_nanos(), record.round, record.step),
            receiver: collected.names[record.receiver as usize].clone(),
            count: record.count,
            sender: collected.names[record.sender as usize].clone(),
            sender_count: record.sender_count,
            kind: record.kind.to_owned(),
            digest: record.digest,
        };
        collected.records.push(record);
        Ok(())
    }

    fn end(&mut self, _: TraceHash) -> io::Result<()> {
        Ok(())
    }
}

/// Talks to itself, and to a child, for some steps and instants.
struct Stranger(u32);

impl Actor for Stranger {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_soon(0u64);
        ctx.notify_at(ctx.now() + Duration::nanos(3), 1u64);
        ctx.notify_at(Instant::MAX, 2u64);
        if self.0 == 0 {
            let child = ctx.spawn(Stranger(1));
            ctx.send(child, 3u64);
        }
    }
}

impl Handler<u64> for Stranger {
    fn handle(&mut self, number: &u64, ctx: &mut Context<'_, Self>) {
        if *number < 8 {
            let me = ctx.address();
            ctx.send(me, number + 4);
            ctx.send_after(me, Duration::nanos(2), number + 3);
            ctx.rng().bits();
        }
    }
}
