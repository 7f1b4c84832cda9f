//! Runs on several threads: one order of arrival, one trace file, one log; errors, panics and run control as on the inline host.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use stillpoint_engine::host::{Finish, GetStatus, Host, Launch, Pace, Pause, Start, Step, Stop, TimeKeeper};
use stillpoint_engine::trace::{Text, TraceHash, Writer};
use stillpoint_engine::{
    Actor, Addr, Answer, BuildError, Context, Control, Duration, End, Every, Handler, Instant, Link, Message, Outcome, Rank, ReadyOrder,
    Report, Responder, Responds, RunError, Simulation, Source, SourceError, Stream, StreamRef, Timed, Value,
};

fn ns(nanos: i64) -> Duration {
    Duration::nanos(nanos)
}

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

#[derive(Clone, Copy, Debug, Hash)]
struct Note(u64);

impl Message for Note {
    const KIND: &'static str = "note";
}

/// Work of different length on different actors and instants; what it comes to matters to nobody.
fn toil(turns: u64) {
    let mut state = 1u64;
    for _ in 0..turns {
        state = std::hint::black_box(state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ state >> 29);
    }
}

/// Ticks, and tells its workers.
struct Origin {
    workers: Vec<Addr<Worker>>,
}

impl Actor for Origin {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_every(Every::from(ctx.now() + ns(10), ns(10)).until(at(10_000)), Note(0));
    }
}

impl Handler<Note> for Origin {
    fn handle(&mut self, _: &Note, ctx: &mut Context<'_, Self>) {
        let now = ctx.now().as_nanos() as u64;
        for worker in &self.workers {
            ctx.send(*worker, Note(now));
        }
    }
}

struct Worker {
    number: u64,
    sink: Addr<Sink>,
}

impl Actor for Worker {}

impl Handler<Note> for Worker {
    fn handle(&mut self, note: &Note, ctx: &mut Context<'_, Self>) {
        toil((self.number * 37 + note.0 * 13) % 11 * 50);
        ctx.send(self.sink, Note(self.number));
    }
}

/// Keeps the order in which workers reached it.
#[derive(Default)]
struct Sink {
    order: Vec<u64>,
}

impl Actor for Sink {
    fn report(&self, report: &mut Report) {
        report.text("order", format!("{:?}", self.order));
    }
}

impl Handler<Note> for Sink {
    fn handle(&mut self, note: &Note, _: &mut Context<'_, Self>) {
        self.order.push(note.0);
    }
}

/// A source, eight workers that are told at the same instants, and a sink, each a component.
fn workers() -> Result<Simulation, BuildError> {
    let mut sim = Simulation::new("workers").start(at(0));
    let sink = sim.actor("sink", Sink::default())?;
    let mut workers = Vec::new();
    // Neither the order of names nor that of ranks is the order of numbers.
    for (number, name) in [(3u64, "w3"), (0, "w0"), (7, "w7"), (5, "w5"), (1, "w1"), (6, "w6"), (2, "w2"), (4, "w4")] {
        workers.push(sim.actor_ranked(name, Rank(number as i32 % 3), Worker { number, sink })?);
        sim.link("origin", name, Link::latency(ns(3))).expect_err("the origin is not there yet");
    }
    sim.actor("origin", Origin { workers })?;
    for number in 0..8 {
        sim.link("origin", &format!("w{number}"), Link::latency(ns(3)))?;
        sim.link(&format!("w{number}"), "sink", Link::latency(ns(2)))?;
    }
    Ok(sim)
}

fn order(outcome: &Outcome) -> String {
    format!("{:?}", outcome.report("sink").and_then(|report| report.get("order")).expect("the sink's report"))
}

#[test]
fn same_instant_workers_of_unequal_load_reach_a_sink_in_one_order() {
    let inline = Launch::new(workers).run().expect("a run");
    assert_eq!(inline.deliveries, 10 + 1_000 + 8_000 + 8_000);
    // By rank, then by name: 0 3 6, then 1 4 7, then 2 5.
    assert!(order(&inline).starts_with("Text(\"[0, 3, 6, 1, 4, 7, 2, 5, 0, 3, 6, 1, 4, 7, 2, 5, "));
    for threads in [2, 8] {
        for run in 0..100 {
            let launch = Launch::new(workers).host(Host::Actix { threads }).shards(10).deal(run);
            let launch = if run % 2 == 0 { launch } else { launch.ready_order(ReadyOrder::Shuffled(run)) };
            let outcome = launch.run().expect("a run");
            assert_eq!(outcome.trace_hash, inline.trace_hash, "{threads} threads, run {run}");
            assert!(order(&outcome) == order(&inline), "another order of arrival: {threads} threads, run {run}");
        }
    }
}

/// Sends, publishes, spawns, logs and draws, in a ring of actors.
struct Ring {
    next: Option<Addr<Ring>>,
    stops: bool,
}

impl Actor for Ring {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_every(Every::from(ctx.now() + ns(1), ns(3)).until(at(400)), Note(0));
        if let Some(next) = self.next {
            ctx.subscribe::<Note, _>(next);
        }
    }
}

impl Handler<Note> for Ring {
    fn handle(&mut self, note: &Note, ctx: &mut Context<'_, Self>) {
        let drawn = ctx.rng().below(6);
        ctx.log(format_args!("{} and {drawn}", note.0));
        match (drawn, self.next) {
            (0, _) if note.0 < 50 => ctx.publish(Note(note.0 + 1)),
            (1, Some(next)) => ctx.send_after(next, ns(drawn as i64), Note(note.0 + 1)),
            (2, Some(_)) if ctx.now() < at(300) => {
                let child = ctx.spawn(Ring { next: None, stops: false });
                ctx.send(child, Note(99));
            }
            _ => {}
        }
        if self.stops && ctx.now() > at(250) {
            ctx.stop_run();
        }
    }
}

fn ring(stops: bool) -> impl Fn() -> Result<Simulation, BuildError> + Send + Sync + 'static {
    move || {
        let mut sim = Simulation::new("ring").seed(5).start(at(0)).until(at(380));
        let names = ["b", "a", "c", "d"];
        let mut ring = Vec::new();
        for name in names {
            ring.push(sim.reserve::<Ring>(name, Rank(0))?);
        }
        for (index, address) in ring.iter().enumerate() {
            sim.place(*address, Ring { next: Some(ring[(index + 1) % 4]), stops: stops && index == 2 });
        }
        for from in names {
            for to in names.iter().filter(|to| **to != from) {
                sim.link(from, to, Link::latency(ns(2)))?;
            }
        }
        Ok(sim)
    }
}

/// The bytes of a trace file.
fn trace_file(launch: Launch) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.trace");
    launch.observe(Box::new(Writer::create(&file, Text::Keep).expect("a file"))).run().expect("a run");
    std::fs::read(file).expect("the trace")
}

/// The bytes of a trace file and the lines of a log.
fn told(launch: Launch) -> (Vec<u8>, Vec<String>, Outcome) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.trace");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let writer = Writer::create(&file, Text::Keep).expect("a file");
    let outcome = launch.observe(Box::new(writer)).log(move |line| sink.lock().push(line.to_string())).run().expect("a run");
    let lines = std::mem::take(&mut *lines.lock());
    (std::fs::read(file).expect("the trace"), lines, outcome)
}

#[test]
fn trace_files_and_logs_are_the_same_bytes_also_of_a_run_that_stops_early() {
    for stops in [false, true] {
        let (file, lines, inline) = told(Launch::new(ring(stops)));
        assert!(inline.deliveries > 300 && lines.len() > 200, "{} deliveries, {} lines", inline.deliveries, lines.len());
        assert_eq!(inline.end, if stops { End::Stopped } else { End::Until });
        for (threads, shards, batch) in [(1, 4, 1), (2, 4, 7), (3, 3, 64), (8, 4, 2)] {
            let launch = || Launch::new(ring(stops)).host(Host::Actix { threads }).shards(shards).batch(batch);
            let (other_file, other_lines, outcome) = told(launch());
            assert!(file == other_file, "the trace files differ at {threads} threads");
            assert_eq!(lines, other_lines);
            assert_eq!((outcome.end, outcome.deliveries, &outcome.chains), (inline.end, inline.deliveries, &inline.chains));
            for order in [ReadyOrder::Reversed, ReadyOrder::Shuffled(7)] {
                assert!(file == trace_file(launch().ready_order(order)), "the trace files differ at {threads} threads and {order:?}");
                assert!(file == trace_file(Launch::new(ring(stops)).ready_order(order)), "the trace files differ inline with {order:?}");
            }
        }
    }
}

#[test]
fn the_faster_host_gives_the_trace_of_both() {
    let expected = Launch::new(ring(false)).run().expect("a run").trace_hash;
    let auto = Launch::new(ring(false)).host(Host::Auto { threads: 2 });
    assert_eq!(auto.run().expect("a run").trace_hash, expected);
}

/// Items, then trouble.
struct Troubled {
    items: u64,
    panics: bool,
}

impl Source for Troubled {
    type Item = Note;

    fn next(&mut self) -> Result<Option<Timed<Note>>, SourceError> {
        if self.items == 20 {
            assert!(!self.panics, "the source panics");
            return Err(SourceError("row 21 of it makes no sense".to_owned()));
        }
        self.items += 1;
        Ok(Some(Timed { at: at(self.items as i64 * 10), value: Note(self.items) }))
    }
}

fn troubled(panics: bool) -> impl Fn() -> Result<Simulation, BuildError> + Send + Sync + 'static {
    move || {
        let mut sim = ring(false)()?;
        let stream = sim.stream("s", Stream::open(move || Ok(Troubled { items: 0, panics })))?;
        let listener = sim.actor("listener", Sink::default())?;
        sim.subscribe::<Note, _>(listener, stream);
        Ok(sim)
    }
}

#[test]
fn a_source_that_fails_ends_every_host_with_the_same_error_and_outcome() {
    let inline = Launch::new(troubled(false)).run().expect_err("a source that fails");
    assert!(matches!(&inline.error, RunError::Source { stream, error } if stream == "s" && error.0.contains("row 21")));
    let spread = Launch::new(troubled(false)).host(Host::Actix { threads: 2 }).shards(5).run().expect_err("a source that fails");
    assert_eq!((&spread.error, spread.outcome.trace_hash), (&inline.error, inline.outcome.trace_hash));
}

#[test]
fn a_panic_of_a_source_goes_on_in_the_caller() {
    for host in [Host::Inline, Host::Actix { threads: 2 }, Host::Actix { threads: 5 }] {
        let run = || Launch::new(troubled(true)).host(host).shards(5).deal(1).run();
        let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<&str>().copied(), Some("the source panics"), "{host:?}");
    }
}

#[test]
fn what_a_host_cannot_run_is_an_error_that_says_why() {
    let error = |launch: Launch| launch.host(Host::Actix { threads: 2 }).run().expect_err("not to be run").error;
    let watched = || Ok::<_, BuildError>(ring(false)()?.log(|_| {}));
    assert!(matches!(error(Launch::new(watched)), RunError::Host(cause) if cause.contains("gives it a log") && cause.contains("Launch")));

    let built = Arc::new(AtomicU64::new(0));
    let fickle = move || {
        let mut sim = ring(false)()?;
        for index in 0..built.fetch_add(1, Ordering::Relaxed) {
            sim.actor(&format!("more {index}"), Sink::default())?;
        }
        Ok::<_, BuildError>(sim)
    };
    assert!(matches!(error(Launch::new(fickle)), RunError::Host(cause) if cause.contains("built differently")));

    let twice = || {
        let mut sim = Simulation::new("twice");
        sim.actor("a", Sink::default())?;
        sim.actor("a", Sink::default())?;
        Ok::<_, BuildError>(sim)
    };
    assert_eq!(error(Launch::new(twice)), RunError::Build(BuildError::Duplicate("a".to_owned())));
    let failing = || Err::<Simulation, _>("no data today");
    assert_eq!(error(Launch::new(failing)), RunError::Host("no data today".to_owned()));
}

#[test]
fn a_run_on_threads_may_start_inside_tokio_actix_and_a_handler() {
    let expected = Launch::new(ring(false)).run().expect("a run").trace_hash;
    let spread = || Launch::new(ring(false)).host(Host::Actix { threads: 2 }).run().expect("a run").trace_hash;
    let current = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(current.block_on(async { spread() }), expected);
    assert_eq!(actix::System::new().block_on(async { spread() }), expected);

    struct Nesting(Arc<Mutex<Vec<TraceHash>>>);
    impl Actor for Nesting {
        fn started(&mut self, _: &mut Context<'_, Self>) {
            self.0.lock().push(Launch::new(ring(false)).host(Host::Actix { threads: 3 }).run().expect("a run").trace_hash);
        }
    }
    let found: Arc<Mutex<Vec<TraceHash>>> = Arc::default();
    let mut sim = Simulation::new("outer");
    sim.actor("nesting", Nesting(found.clone())).expect("a free name");
    sim.run().expect("a run");
    assert_eq!(*found.lock(), [expected]);
}

#[test]
fn an_interrupted_run_ends_at_a_still_point() {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let launch = Launch::new(ring(false)).host(Host::Actix { threads: 2 }).batch(1).interrupt(flag);
    let outcome = launch.progress(move |_| set.store(true, Ordering::Relaxed)).run().expect("a run");
    assert_eq!(outcome.end, End::Interrupted);
    assert!(outcome.last < Some(at(100)), "it went on to {:?}", outcome.last);
}

#[test]
fn the_time_keeper_takes_run_control() {
    let whole = Launch::new(ring(false)).run().expect("a run");
    let launch = || Launch::new(ring(false)).host(Host::Actix { threads: 2 });
    actix::System::new().block_on(async {
        let keeper = TimeKeeper::of(launch()).await.expect("a time-keeper");
        let status = keeper.send(GetStatus).await.expect("it lives");
        assert_eq!((status.next, status.progress.deliveries, status.shards), (Some(at(0)), 0, 2));
        // The four starts, of which each subscribes; nothing else at 0.
        let status = keeper.send(Step(Pace::Instant)).await.expect("it lives");
        assert_eq!((status.next, status.progress.deliveries, status.windows), (Some(at(1)), 4, 1));
        // The timers at 1, and the subscriptions at 2.
        let status = keeper.send(Step(Pace::Window)).await.expect("it lives");
        assert_eq!((status.progress.deliveries >= 12, status.windows, status.end), (true, 2, None));
        keeper.send(Start).await.expect("it lives");
        let status = keeper.send(Pause).await.expect("it lives");
        assert!(status.next.is_none() || status.next > Some(at(2)));
        keeper.send(Start).await.expect("it lives");
        let outcome = keeper.send(Finish).await.expect("it lives").expect("a run");
        assert_eq!((outcome.trace_hash, outcome.end), (whole.trace_hash, End::Until));

        let keeper = TimeKeeper::of(launch()).await.expect("a time-keeper");
        keeper.send(Step(Pace::Window)).await.expect("it lives");
        let status = keeper.send(Stop).await.expect("it lives");
        assert_eq!(status.end, Some(End::Stopped));
        let outcome = keeper.send(Finish).await.expect("it lives").expect("a run");
        assert_eq!((outcome.end, outcome.deliveries), (End::Stopped, status.progress.deliveries));
    });
}

/// Controls a stream, or listens to it, from another component.
struct Stranger {
    stream: StreamRef<Note>,
    controls: bool,
}

impl Actor for Stranger {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if self.controls { ctx.control(self.stream, Control::Pause) } else { ctx.subscribe_stream(self.stream) }
    }
}

impl Handler<Note> for Stranger {
    fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {}
}

#[test]
fn a_controlled_stream_has_one_copy_in_the_component_of_its_subscribers() {
    for controls in [true, false] {
        let build = move |joined: bool| {
            move || {
                let mut sim = Simulation::new("controlled").start(at(0));
                let items = (1..5).map(|index| Timed { at: at(index), value: Note(index as u64) }).collect();
                let stream = sim.stream("s", Stream::from_vec(items).controlled())?;
                let listener = sim.actor("listener", Sink::default())?;
                sim.subscribe::<Note, _>(listener, stream);
                sim.actor("stranger", Stranger { stream, controls })?;
                sim.link("stranger", "listener", Link::latency(ns(i64::from(!joined))))?;
                Ok::<_, BuildError>(sim)
            }
        };
        for host in [Host::Inline, Host::Actix { threads: 2 }] {
            let failed = Launch::new(build(false)).host(host).run().expect_err("it is not joined to the stream");
            assert!(matches!(&failed.error, RunError::Undeclared { from, to, .. } if from == "stranger" && to == "s"), "{}", failed.error);
            let outcome = Launch::new(build(true)).host(host).run().expect("it is joined to the stream");
            assert_eq!(outcome.events, if controls { 0 } else { 4 });
        }
    }
}

/// Subscribes to a stream when its timer comes.
struct Latecomer {
    stream: StreamRef<Note>,
    when: Instant,
}

impl Actor for Latecomer {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_at(self.when, ());
    }
}

impl Handler<()> for Latecomer {
    fn handle(&mut self, (): &(), ctx: &mut Context<'_, Self>) {
        ctx.subscribe_stream(self.stream);
    }
}

impl Handler<Note> for Latecomer {
    fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {}
}

#[test]
fn shards_that_open_one_stream_in_one_window_are_found_out_before_anything_is_told() {
    // The first to subscribe decides which items are skipped: the one of event time 3, delivered at 5, is after instant 2 and before instant 4.
    let build = || {
        let mut sim = Simulation::new("late").start(at(0)).until(at(20));
        let items = (1..9).map(|index| Timed { at: at(index), value: Note(index as u64) }).collect();
        let stream = sim.stream("s", Stream::from_vec(items).reorder(ns(2)))?;
        sim.actor("early", Latecomer { stream, when: at(2) })?;
        sim.actor("late", Latecomer { stream, when: at(4) })?;
        sim.link("early", "late", Link::latency(ns(10)))?;
        Ok::<_, BuildError>(sim)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let trace = |host: Host, file: &str| {
        let file = folder.path().join(file);
        let launch = Launch::new(build).host(host).shards(2).batch(1);
        let outcome = launch.observe(Box::new(Writer::create(&file, Text::Keep).expect("a file"))).run().expect("a run");
        (outcome.trace_hash, outcome.deliveries, std::fs::read(&file).expect("a trace"))
    };
    let (inline, spread) = (trace(Host::Inline, "a.trace"), trace(Host::Actix { threads: 2 }, "b.trace"));
    // Two starts, two timers, the items 3 to 8 to the one, and 3 to 8 to the other, who came before the third was delivered.
    assert_eq!(inline.1, 16);
    assert!(inline == spread, "a trace file differs");
}

/// A question, and its answer.
impl stillpoint_engine::Request for Note {
    type Reply = Note;
}

/// Spawns a child of a greater rank, tells of it, and stops before it is born.
struct Parent {
    hears: Addr<Asker>,
}

struct Child;

#[derive(Clone, Copy, Debug, Hash)]
struct Meet(Addr<Child>);

impl Message for Meet {
    const KIND: &'static str = "meet";
}

impl Actor for Parent {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let child = ctx.spawn_ranked(Rank(1), Child);
        ctx.send(self.hears, Meet(child));
        ctx.stop();
    }
}

impl Actor for Child {}

impl Responds<Note> for Child {
    fn respond(&mut self, question: &Note, responder: Responder<Note>, ctx: &mut Context<'_, Self>) {
        ctx.reply(responder, *question);
    }
}

/// Asks the child, and keeps what it hears.
#[derive(Default)]
struct Asker {
    heard: Vec<&'static str>,
}

impl Actor for Asker {
    fn report(&self, report: &mut Report) {
        report.text("heard", self.heard.join(", "));
    }
}

impl Handler<Meet> for Asker {
    fn handle(&mut self, meet: &Meet, ctx: &mut Context<'_, Self>) {
        ctx.ask(meet.0, Note(1), None);
    }
}

impl Handler<Answer<Note>> for Asker {
    fn handle(&mut self, answer: &Answer<Note>, _: &mut Context<'_, Self>) {
        self.heard.push(if answer.result.is_err() { "gone" } else { "answer" });
    }
}

impl Handler<Note> for Asker {
    fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {
        self.heard.push("note");
    }
}

struct Zed {
    hears: Addr<Asker>,
}

impl Actor for Zed {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.send(self.hears, Note(2));
    }
}

#[test]
fn a_child_that_was_never_born_stands_at_rank_zero_in_every_shard() {
    // The child's address comes at 5, the question at 10, that it is gone at 15, and so does the note. The sender's rank decides: 0 for both, and
    // `parent/0` comes before `zed`.
    let build = || {
        let mut sim = Simulation::new("unborn").start(at(0));
        let hears = sim.actor("asker", Asker::default())?;
        sim.actor("parent", Parent { hears })?;
        sim.actor("zed", Zed { hears })?;
        for (from, to, latency) in [("parent", "asker", 5), ("asker", "parent", 5), ("zed", "asker", 15)] {
            sim.link(from, to, Link::latency(ns(latency)))?;
        }
        Ok::<_, BuildError>(sim)
    };
    let run = |host| Launch::new(build).host(host).shards(3).run().expect("a run");
    let (inline, spread) = (run(Host::Inline), run(Host::Actix { threads: 2 }));
    for outcome in [&inline, &spread] {
        assert_eq!(outcome.report("asker").and_then(|report| report.get("heard")), Some(&Value::Text("gone, note".to_owned())));
    }
    assert_eq!(inline.trace_hash, spread.trace_hash);
}

/// Publishes a message without content every ten nanoseconds, and counts those of others.
#[derive(Default)]
struct Beacon {
    beats: i64,
    publishes: bool,
}

impl Actor for Beacon {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if self.publishes {
            ctx.notify_every(Every { first: at(10), period: ns(10), end: Some(at(50)) }, true);
        }
    }

    fn report(&self, report: &mut Report) {
        report.integer("beats", self.beats);
    }
}

impl Handler<bool> for Beacon {
    fn handle(&mut self, _: &bool, ctx: &mut Context<'_, Self>) {
        ctx.publish(());
    }
}

impl Handler<()> for Beacon {
    fn handle(&mut self, (): &(), _: &mut Context<'_, Self>) {
        self.beats += 1;
    }
}

#[test]
fn a_publication_without_content_is_recorded_in_every_shard() {
    let build = || {
        let mut sim = Simulation::new("beacon").start(at(0));
        let beacon = sim.actor("beacon", Beacon { publishes: true, ..Beacon::default() })?;
        let far = sim.actor("far", Beacon::default())?;
        sim.subscribe_to::<(), _, _>(far, beacon);
        for (from, to) in [("beacon", "far"), ("far", "beacon")] {
            sim.link(from, to, Link::latency(ns(5)))?;
        }
        Ok::<_, BuildError>(sim)
    };
    let run = |host| Launch::new(build).host(host).shards(2).run().expect("a run");
    let (inline, spread) = (run(Host::Inline), run(Host::Actix { threads: 2 }));
    for outcome in [&inline, &spread] {
        assert_eq!(outcome.report("far").and_then(|report| report.get("beats")), Some(&Value::Integer(5)));
        // Two starts, five ticks, and what they publish.
        assert_eq!(outcome.deliveries, 12);
    }
    assert_eq!(inline.trace_hash, spread.trace_hash);
}

#[test]
fn handlers_are_not_told_where_they_run() {
    // A state that is no more than `Send` is enough for an actor.
    struct Single(Cell<u64>);
    impl Actor for Single {
        fn started(&mut self, ctx: &mut Context<'_, Self>) {
            self.0.set(ctx.rng().bits());
        }
        fn report(&self, report: &mut Report) {
            report.text("drawn", self.0.get().to_string());
        }
    }
    let build = || {
        let mut sim = Simulation::new("cells").seed(9);
        for name in ["a", "b", "c"] {
            sim.actor(name, Single(Cell::new(0)))?;
        }
        sim.link("a", "b", Link::latency(ns(1)))?;
        Ok::<_, BuildError>(sim)
    };
    let inline = Launch::new(build).run().expect("a run");
    let spread = Launch::new(build).host(Host::Actix { threads: 3 }).run().expect("a run");
    assert_eq!((inline.reports, inline.trace_hash), (spread.reports, spread.trace_hash));
}
