//! Where a run can be started, and how it can be driven: none of it changes the trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::AsyncContext as _;
use parking_lot::Mutex;
use stillpoint_engine::trace::{Collect, TraceHash};
use stillpoint_engine::{
    Actor, Addr, Answer, Context, Duration, End, Every, Failed, Handler, Instant, JobDone, Message, Outcome, Pool, Request, Responder,
    Responds, Run, Simulation, Source, SourceError, Stream, Timed,
};

#[derive(Clone, Copy, Debug, Hash)]
struct Step(u64);

impl Message for Step {
    const KIND: &'static str = "step";
}

#[derive(Clone, Copy, Debug, Hash)]
struct Double(u64);

impl Message for Double {
    const KIND: &'static str = "double";
}

impl Request for Double {
    type Reply = Step;
}

/// Does a little of everything: timers, messages, publications, questions, jobs, tasks, children, random numbers.
struct Busy {
    peer: Option<Addr<Busy>>,
    depth: u32,
    handled: u64,
}

impl Actor for Busy {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_every(Every::from(ctx.now() + Duration::nanos(3), Duration::nanos(10)).until(Instant::from_nanos(200)), Step(1));
        if let Some(peer) = self.peer {
            ctx.subscribe::<Step, _>(peer);
            ctx.task(move |cx| async move {
                for round in 0..8 {
                    cx.sleep(Duration::nanos(round * 3)).await;
                    let answer = cx.ask(peer, Double(round as u64), Some(Duration::nanos(5))).await.map_or(0, |step| step.0);
                    let sum = cx.submit(Duration::nanos(round % 3), move || Step(answer + 1)).await.expect("a sum");
                    cx.publish(sum);
                }
            });
        }
        if self.depth > 0 {
            ctx.spawn(Busy { peer: self.peer, depth: self.depth - 1, handled: 0 });
        }
    }
}

impl Handler<Step> for Busy {
    fn handle(&mut self, step: &Step, ctx: &mut Context<'_, Self>) {
        self.handled += 1;
        ctx.log(format_args!("step {}", step.0));
        let drawn = ctx.rng().below(4);
        match (step.0 % 4, self.peer) {
            (0, Some(peer)) => ctx.send_after(peer, Duration::nanos(drawn as i64), Step(drawn + 1)),
            (1, _) => ctx.publish(Step(2 + drawn)),
            (2, _) => _ = ctx.submit(Duration::nanos(drawn as i64), move || Step(drawn * 3)),
            (_, Some(peer)) => _ = ctx.ask(peer, Double(drawn), None),
            _ => {}
        }
    }
}

impl Handler<JobDone<Step>> for Busy {
    fn handle(&mut self, _: &JobDone<Step>, _: &mut Context<'_, Self>) {}
}

impl Handler<Answer<Double>> for Busy {
    fn handle(&mut self, _: &Answer<Double>, _: &mut Context<'_, Self>) {}
}

impl Responds<Double> for Busy {
    fn respond(&mut self, question: &Double, responder: Responder<Step>, ctx: &mut Context<'_, Self>) {
        if question.0 % 5 != 4 {
            ctx.reply(responder, Step(question.0 * 2));
        }
    }
}

fn busy(seed: u64) -> Simulation {
    let mut sim = Simulation::new("busy").seed(seed).start(Instant::EPOCH);
    let a = sim.reserve::<Busy>("a", stillpoint_engine::Rank(0)).expect("a free name");
    let b = sim.actor("b", Busy { peer: Some(a), depth: 2, handled: 0 }).expect("a free name");
    sim.place(a, Busy { peer: None, depth: 1, handled: 0 });
    let items = (0..100u64).map(|index| Timed { at: Instant::from_nanos(index as i64 / 3 * 7), value: Step(index) });
    let stream = sim.stream("s", Stream::from_vec(items.collect()).one_by_one()).expect("a free name");
    sim.subscribe::<Step, _>(a, stream);
    sim.subscribe::<Step, _>(b, stream);
    sim
}

/// What every host and every way to drive must come to.
fn expected(seed: u64) -> TraceHash {
    busy(seed).run().expect("a run").trace_hash
}

#[test]
fn the_busy_run_is_worth_comparing() {
    let outcome = busy(1).run().expect("a run");
    assert!(outcome.deliveries > 500, "{} deliveries", outcome.deliveries);
    assert!(outcome.instants > 100 && outcome.steps > 2 * outcome.instants, "{} steps in {}", outcome.steps, outcome.instants);
    assert_eq!((outcome.events, outcome.end), (100, End::Done));
    assert_ne!(expected(1), expected(2));
}

/// Runs a whole simulation in its handler and in its task.
struct Nesting(Arc<Mutex<Vec<TraceHash>>>, bool);

impl Actor for Nesting {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let (found, runs) = (self.0.clone(), self.1);
        ctx.notify_after(Duration::nanos(1), Step(0));
        ctx.task(move |cx| async move {
            cx.sleep(Duration::nanos(2)).await;
            if runs {
                found.lock().push(expected(1));
            }
            cx.sleep(Duration::nanos(2)).await;
        });
    }
}

impl Handler<Step> for Nesting {
    fn handle(&mut self, _: &Step, ctx: &mut Context<'_, Self>) {
        if self.1 {
            self.0.lock().push(expected(1));
        }
        ctx.notify_after(Duration::nanos(100 * i64::from(ctx.now() < Instant::from_nanos(50))), Step(1));
        if ctx.now() > Instant::from_nanos(50) {
            ctx.stop();
        }
    }
}

#[test]
fn a_run_may_start_inside_a_handler_and_a_task_of_another_run() {
    let outer = |runs: bool| {
        let found = Arc::default();
        let mut sim = busy(3);
        sim.actor("nesting", Nesting(Arc::clone(&found), runs)).expect("a free name");
        let hash = sim.run().expect("a run").trace_hash;
        let inner = found.lock().clone();
        (hash, inner)
    };
    let (with, inner) = outer(true);
    let (without, none) = outer(false);
    assert_eq!(with, without);
    assert_eq!((inner, none), (vec![expected(1); 3], vec![]));
}

#[test]
fn a_run_may_be_a_job_of_a_pool_and_have_jobs_in_that_pool() {
    for size in [0, 1, 2] {
        let pool = Arc::new(Pool::new(size));
        let own = pool.clone();
        let ticket = pool.submit(move || busy(1).pool(own).run().expect("a run").trace_hash);
        assert_eq!(ticket.wait(), Ok(expected(1)));
    }
}

#[test]
fn a_run_on_other_threads_is_the_same() {
    let expected = expected(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| busy(1).run().expect("a run").trace_hash)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), expected);
        }
    });
}

#[test]
fn a_run_inside_tokio_is_the_same() {
    let current = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(current.block_on(async { expected(1) }), expected(1));

    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let tasks: Vec<_> = (0..2).map(|_| many.spawn(async { expected(1) })).collect();
    let blocking = many.spawn_blocking(|| expected(1));
    for task in tasks.into_iter().chain([blocking]) {
        assert_eq!(many.block_on(task).expect("no panic"), expected(1));
    }
}

#[test]
fn two_runs_may_take_turns_on_one_tokio_thread() {
    async fn slowly(seed: u64, mut step: impl FnMut(&mut Run) -> bool) -> TraceHash {
        let mut run = busy(seed).begin().expect("a run");
        while step(&mut run) {
            tokio::task::yield_now().await;
        }
        run.finish().expect("a run").trace_hash
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let (one, two) = local.block_on(&runtime, async {
        let one = tokio::task::spawn_local(slowly(1, Run::step));
        let two = tokio::task::spawn_local(slowly(2, Run::step_instant));
        (one.await.expect("no panic"), two.await.expect("no panic"))
    });
    assert_eq!((one, two), (expected(1), expected(2)));
}

/// An actix actor with a run in it, which it drives a slice at a time.
struct Host {
    run: Option<Run>,
    slices: u64,
    tell: Option<tokio::sync::oneshot::Sender<(TraceHash, u64)>>,
}

impl actix::Actor for Host {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut actix::Context<Self>) {
        ctx.notify(Slice);
    }
}

struct Slice;

impl actix::Message for Slice {
    type Result = ();
}

impl actix::Handler<Slice> for Host {
    type Result = ();

    fn handle(&mut self, _: Slice, ctx: &mut actix::Context<Self>) {
        let run = self.run.as_mut().expect("a run under way");
        self.slices += 1;
        if run.until(Instant::from_nanos(self.slices as i64 * 50)) {
            ctx.notify(Slice);
        } else if let (Some(run), Some(tell)) = (self.run.take(), self.tell.take()) {
            let hash = run.finish().expect("a run").trace_hash;
            tell.send((hash, self.slices)).expect("somebody listens");
        }
    }
}

#[test]
fn a_run_inside_an_actix_system_is_the_same() {
    let system = actix::System::new();
    // In the system's own thread, whole.
    assert_eq!(system.block_on(async { expected(1) }), expected(1));
    // In an actor of an arbiter of its own, sliced.
    let (tell, told) = tokio::sync::oneshot::channel();
    let arbiter = actix::Arbiter::new();
    let start = move || Host { run: Some(busy(1).begin().expect("a run")), slices: 0, tell: Some(tell) };
    let spawned = arbiter.spawn_fn(move || {
        actix::Actor::start(start());
    });
    assert!(spawned);
    let (hash, slices) = system.block_on(told).expect("an answer");
    assert_eq!(hash, expected(1));
    assert!(slices > 2, "{slices} slices");
    arbiter.stop();
    arbiter.join().expect("no panic");
}

#[test]
fn runs_that_take_turns_by_steps_do_not_touch_each_other() {
    let mut runs = [busy(1).begin().expect("a run"), busy(2).begin().expect("a run"), busy(1).begin().expect("a run")];
    let mut turns = 0u64;
    loop {
        let mut any = false;
        for (index, run) in runs.iter_mut().enumerate() {
            // At different paces.
            any |= (0..=index).any(|_| run.step());
        }
        turns += 1;
        if !any {
            break;
        }
    }
    assert!(turns > 100);
    assert_eq!(runs.map(|run| run.finish().expect("a run").trace_hash), [expected(1), expected(2), expected(1)]);
}

/// A way to drive a run, up to its end or not so far.
type Drive = fn(&mut Run);

const WAYS: [(&str, Drive); 7] = [
    ("step", |run| while run.step() {}),
    ("step_instant", |run| while run.step_instant() {}),
    ("until each nanosecond", |run| (-5..400).for_each(|at| _ = run.until(Instant::from_nanos(at)))),
    ("until far away", |run| _ = run.until(Instant::MAX)),
    ("until what is next", |run| {
        while let Some(next) = run.next_instant()
            && run.until(next)
        {}
    }),
    ("mixed", |run| {
        (0..17).for_each(|_| _ = run.step());
        run.until(Instant::from_nanos(40));
        (0..3).for_each(|_| _ = run.step_instant());
        run.step();
    }),
    ("a bound in the past", |run| {
        run.until(Instant::from_nanos(100));
        run.until(Instant::from_nanos(20));
        run.until(Instant::MIN);
    }),
];

/// Drives a run in some way; gives its trace and what it came to.
fn driven(sim: Simulation, drive: Drive) -> (Collect, Result<Outcome, Box<Failed>>) {
    let trace = Collect::new("driven");
    let mut run = sim.observe(Box::new(trace.clone())).begin().expect("a run");
    drive(&mut run);
    (trace, run.finish())
}

/// Panics at its 20th step, if that is asked for; else it stops the run.
struct Ending {
    panics: bool,
    handled: u64,
}

impl Actor for Ending {}

impl Handler<Step> for Ending {
    fn handle(&mut self, _: &Step, ctx: &mut Context<'_, Self>) {
        self.handled += 1;
        if self.handled == 20 {
            assert!(!self.panics, "twenty are enough");
            ctx.stop_run();
        }
    }
}

/// A source that breaks off.
struct Broken(u64);

impl Source for Broken {
    type Item = Step;

    fn next(&mut self) -> Result<Option<Timed<Step>>, SourceError> {
        self.0 += 1;
        match self.0 {
            30.. => Err(SourceError("no more".to_owned())),
            number => Ok(Some(Timed { at: Instant::from_nanos(number as i64 * 4), value: Step(number) })),
        }
    }
}

/// The busy run, with one more listener that may end it early, and one more stream that may fail.
fn ending(panics: Option<bool>, breaks: bool) -> Simulation {
    let mut sim = busy(1);
    let ending = Ending { panics: panics == Some(true), handled: if panics.is_none() { 1000 } else { 0 } };
    let ending = sim.actor("ending", ending).expect("a free name");
    let end = if breaks { 0 } else { 29 };
    let stream = Stream::open(move || Ok(Limited(Broken(0), end)));
    let stream = sim.stream("broken", stream).expect("a free name");
    sim.subscribe::<Step, _>(ending, stream);
    sim
}

/// As many items as said of a source; all, if none are said.
struct Limited(Broken, u64);

impl Source for Limited {
    type Item = Step;

    fn next(&mut self) -> Result<Option<Timed<Step>>, SourceError> {
        if self.1 > 0 && self.0.0 == self.1 { Ok(None) } else { self.0.next() }
    }
}

#[test]
fn ways_to_drive_a_run_give_one_trace_and_one_end() {
    type Build = fn() -> Simulation;
    let runs: [(&str, Build, End); 6] = [
        ("whole", || busy(1), End::Done),
        ("until an instant with events", || busy(1).until(Instant::from_nanos(63)), End::Until),
        ("until an instant without", || busy(1).until(Instant::from_nanos(64)), End::Until),
        ("stopped", || ending(Some(false), false), End::Stopped),
        ("panicking", || ending(Some(true), false), End::Failed),
        ("broken", || ending(None, true), End::Failed),
    ];
    let figures = |result: &Result<Outcome, Box<Failed>>| {
        let outcome = result.as_ref().unwrap_or_else(|failed| &failed.outcome);
        let Outcome { end, trace_hash, events, deliveries, instants, steps, first, last, .. } = outcome;
        let error = result.as_ref().err().map(|failed| failed.error.clone());
        (error, *end, *trace_hash, (*events, *deliveries, *instants, *steps), (*first, *last), outcome.chains.clone())
    };
    for (name, build, end) in runs {
        let (whole, expected) = driven(build(), |_| {});
        assert_eq!(figures(&expected).1, end, "{name}");
        for (way, drive) in WAYS {
            let (trace, found) = driven(build(), drive);
            let comparison = whole.diff(&trace);
            assert!(comparison.is_equal(), "{name}, {way}: {comparison}");
            assert_eq!(figures(&found), figures(&expected), "{name}, {way}");
        }
    }
}

#[test]
fn steps_stop_where_they_say() {
    let mut run = busy(1).begin().expect("a run");
    assert_eq!(run.next_instant(), Some(Instant::EPOCH));
    assert!(run.step());
    assert_eq!((run.site().at, run.site().round, run.site().step), (Instant::EPOCH, 0, 0));
    assert!(run.step());
    assert_eq!((run.site().round, run.site().step), (0, 1));
    assert!(run.step_instant());
    assert_eq!(run.site().at, Instant::EPOCH);
    assert!(run.step_instant());
    let second = run.site().at;
    assert!(second > Instant::EPOCH);
    assert!(run.until(Instant::from_nanos(60)));
    assert!(run.site().at <= Instant::from_nanos(60) && run.next_instant() > Some(Instant::from_nanos(60)));
    run.stop();
    assert_eq!(run.end(), Some(End::Stopped));
    assert!(!run.step() && !run.step_instant() && !run.until(Instant::MAX));
    let outcome = run.finish().expect("a run");
    assert_eq!(outcome.end, End::Stopped);
    assert!(outcome.last <= Some(Instant::from_nanos(60)));
}

#[test]
fn an_actor_can_be_looked_at_between_steps() {
    let mut sim = Simulation::new("look").start(Instant::EPOCH).until(Instant::from_nanos(45));
    let a = sim.actor("a", Busy { peer: None, depth: 0, handled: 0 }).expect("a free name");
    let mut run = sim.begin().expect("a run");
    let mut handled = Vec::new();
    while run.step_instant() {
        handled.push(run.actor(a).expect("a living actor").handled);
    }
    // At the start, and after the ticks at 3, 13, 23, 33 and 43.
    assert_eq!(handled, [0, 1, 2, 3, 4, 5]);
    assert_eq!(run.end(), Some(End::Until));
}

#[test]
fn figures_clocks_logs_observers_progress_and_pools_change_nothing() {
    let plain = busy(1).run().expect("a run");
    assert!(plain.metrics.is_none());

    let ticks = Arc::new(AtomicU64::new(0));
    let clock = ticks.clone();
    let measured = busy(1).metrics(true).handler_clock(move || clock.fetch_add(7, Ordering::Relaxed)).run().expect("a run");
    let metrics = measured.metrics.as_ref().expect("metrics");
    assert_eq!(metrics.events_per_instant.len(), measured.instants);
    assert_eq!(metrics.handler_ns.len(), measured.deliveries);
    assert_eq!((metrics.handler_ns.min(), metrics.handler_ns.max()), (7, 7));

    let unclocked = busy(1).metrics(true).run().expect("a run");
    assert!(unclocked.metrics.as_ref().expect("metrics").handler_ns.is_empty());

    // A clock without metrics is not asked.
    let asked = Arc::new(AtomicU64::new(0));
    let clock = asked.clone();
    let clocked = busy(1).handler_clock(move || clock.fetch_add(1, Ordering::Relaxed)).run().expect("a run");
    assert_eq!(asked.load(Ordering::Relaxed), 0);

    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = lines.clone();
    let logged = busy(1).log(move |line| sink.lock().push(line.to_string())).run().expect("a run");
    assert!(lines.lock()[0].starts_with("1970-01-01T00:00:00Z round 0 step 0 a: step 0"), "{}", lines.lock()[0]);

    let observed = busy(1).observe(Box::new(Collect::new("observed"))).progress(|_| {}).run().expect("a run");
    let pooled = [1, 2].map(|size| busy(1).pool(Arc::new(Pool::new(size))).run().expect("a run"));

    for outcome in [measured, unclocked, clocked, logged, observed].iter().chain(&pooled) {
        assert_eq!((outcome.trace_hash, outcome.steps, &outcome.chains), (plain.trace_hash, plain.steps, &plain.chains));
    }
}
