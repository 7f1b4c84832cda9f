//! R13 and R16 on several threads: a snapshot of any host goes on on any host and any number of shards, as the run that was not interrupted.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stillpoint_engine::host::{Finish, Host, Launch, Pace, Step, Stop, TakeSnapshot, TimeKeeper};
use stillpoint_engine::snapshot::SnapshotError;
use stillpoint_engine::{
    Actor, Addr, BuildError, Context, Duration, Every, Handler, Instant, Late, Link, Message, Outcome, Rank, Report, RunError, Saving,
    Simulation, Snapshot, Stream, Timed,
};

fn ns(nanos: i64) -> Duration {
    Duration::nanos(nanos)
}

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Note(u64);

impl Message for Note {
    const KIND: &'static str = "note";
}

/// Sends, publishes, spawns, logs and draws, in a ring of actors.
#[derive(Serialize, Deserialize)]
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

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Note>().child::<Self>())
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
                let child = ctx.spawn(Self { next: None, stops: false });
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
                sim.link(from, to, Link::latency(ns(2)).jitter(ns(3)).loss(0.1))?;
            }
        }
        Ok(sim)
    }
}

/// Keeps what it hears, and stops after a while.
#[derive(Default, Serialize, Deserialize)]
struct Listener {
    heard: Vec<u64>,
    most: usize,
}

impl Actor for Listener {
    fn report(&self, report: &mut Report) {
        report.text("heard", format!("{:?}", self.heard));
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Note>())
    }
}

impl Handler<Note> for Listener {
    fn handle(&mut self, note: &Note, ctx: &mut Context<'_, Self>) {
        self.heard.push(note.0);
        if self.heard.len() == self.most {
            ctx.stop();
        }
    }
}

/// The ring, with two streams that two other components hear: one is late at times, one is held back.
fn heard() -> Result<Simulation, BuildError> {
    let mut sim = ring(false)()?;
    let items = |step: i64| (0..60).map(|index| Timed { at: at((index * step) ^ 3), value: Note(60 + index as u64) }).collect::<Vec<_>>();
    let plain = sim.stream("plain", Stream::from_vec(items(4)).late(Late::DropAndCount).one_by_one())?;
    let late = sim.stream("late", Stream::from_vec(items(5)).late(Late::DeliverFlagged).reorder(ns(2)))?;
    for (name, most) in [("listener", 70), ("other", 1_000)] {
        let listener = sim.actor(name, Listener { heard: Vec::new(), most })?;
        sim.subscribe::<Note, _>(listener, plain);
        sim.subscribe::<Note, _>(listener, late);
    }
    Ok(sim)
}

/// All of an outcome that no host may change.
fn same(outcome: &Outcome) -> impl PartialEq + std::fmt::Debug + use<> {
    let Outcome { end, trace_hash, events, deliveries, first, last, streams, dead_letters, lost, never, reports, chains, .. } =
        outcome.clone();
    ((end, trace_hash), (events, deliveries, dead_letters, lost, never), (first, last), streams, reports, chains)
}

/// Runs to the end, with a snapshot at an instant.
fn saved(launch: Launch, instant: Instant) -> (Outcome, Snapshot) {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let keep = move |snapshot| {
        *keep.lock() = Some(snapshot);
        Ok::<_, &str>(())
    };
    let outcome = launch.snapshot_at(instant, keep).run().expect("a run");
    let snapshot = kept.lock().take().expect("a snapshot");
    (outcome, snapshot)
}

#[test]
fn r13_a_snapshot_of_any_host_goes_on_on_any_host() {
    let whole = Launch::new(heard).run().expect("a run");
    assert!(whole.events > 100 && whole.deliveries > 500, "{} events, {} deliveries", whole.events, whole.deliveries);
    let hosts = [(Host::Inline, 1), (Host::Actix { threads: 2 }, 2), (Host::Actix { threads: 2 }, 6), (Host::Actix { threads: 3 }, 5)];
    for (number, instant) in [0, 1, 40, 133, 240, 379].into_iter().enumerate() {
        for (index, (host, shards)) in hosts.into_iter().enumerate() {
            let (outcome, snapshot) = saved(Launch::new(heard).host(host).shards(shards).deal(number as u64), at(instant));
            assert_eq!(same(&outcome), same(&whole), "taking a snapshot at {instant} on {host:?} changes the run");
            let read = Snapshot::from_bytes(snapshot.to_text().as_bytes(), Path::new("memory")).expect("its own text");
            for (host, shards) in [hosts[(index + number) % 4], hosts[(index + number + 1) % 4]] {
                let gone_on = Launch::new(heard).host(host).shards(shards).deal(instant as u64).restore(read.clone());
                assert_eq!(same(&gone_on.run().expect("a run")), same(&whole), "the snapshot of {instant} goes on otherwise on {host:?}");
            }
        }
    }
}

#[test]
fn r13_a_restored_run_can_be_saved_again_elsewhere() {
    let whole = Launch::new(heard).run().expect("a run");
    let (_, first) = saved(Launch::new(heard).host(Host::Actix { threads: 2 }).shards(3).deal(1), at(90));
    let (_, second) = saved(Launch::new(heard).restore(first), at(180));
    let (outcome, third) = saved(Launch::new(heard).host(Host::Actix { threads: 2 }).shards(5).deal(2).restore(second), at(270));
    assert_eq!(same(&outcome), same(&whole));
    assert_eq!(same(&Launch::new(heard).restore(third).run().expect("a run")), same(&whole));
}

#[test]
fn r13_log_lines_after_a_restore_are_those_after_the_snapshot() {
    let logged = |launch: Launch| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let outcome = launch.log(move |line| sink.lock().push(line.to_string())).run().expect("a run");
        assert!(outcome.deliveries > 500);
        std::mem::take(&mut *lines.lock())
    };
    let lines = logged(Launch::new(heard));
    for host in [Host::Inline, Host::Actix { threads: 3 }] {
        let (_, snapshot) = saved(Launch::new(heard).host(host).shards(5), at(200));
        let later = logged(Launch::new(heard).host(host).shards(4).restore(snapshot));
        let first = lines.iter().position(|line| *line == later[0]).expect("the first line after the snapshot");
        assert!(first > 50 && lines[first..] == later[..], "{} and {} lines", lines.len() - first, later.len());
    }
}

#[test]
fn r13_what_cannot_be_kept_or_restored_ends_the_run_there() {
    let (_, snapshot) = saved(Launch::new(heard), at(20));
    for host in [Host::Inline, Host::Actix { threads: 2 }] {
        let error = |launch: Launch| launch.host(host).run().expect_err("no snapshot").error;
        let full = Launch::new(heard).snapshot_at(at(50), |_| Err("the disk is full"));
        assert_eq!(error(full), RunError::Snapshot("the disk is full".to_owned()));
        let other = Launch::new(ring(false)).restore(snapshot.clone());
        assert!(matches!(error(other), RunError::Restore(cause) if cause.contains("listener")));
    }
}

/// An actor that does not say how it is saved.
struct Unsavable;

impl Actor for Unsavable {}

#[test]
fn r13_an_actor_that_cannot_be_saved_is_named_on_every_host() {
    let build = || {
        let mut sim = ring(false)()?;
        sim.actor("closed", Unsavable)?;
        Ok::<_, BuildError>(sim)
    };
    for host in [Host::Inline, Host::Actix { threads: 2 }] {
        let failed = Launch::new(build).host(host).snapshot_at(at(50), |_| Ok::<_, &str>(())).run().expect_err("no snapshot");
        assert!(matches!(&failed.error, RunError::Snapshot(cause) if cause.contains("`closed`")), "{}", failed.error);
    }
}

#[test]
fn r16_an_early_end_after_a_restore_is_that_of_the_whole_run() {
    let whole = Launch::new(ring(true)).run().expect("a run");
    let (_, snapshot) = saved(Launch::new(ring(true)), at(120));
    for (threads, shards) in [(1, 1), (2, 2), (3, 4)] {
        let launch = Launch::new(ring(true)).host(Host::Actix { threads }).shards(shards).restore(snapshot.clone());
        assert_eq!(same(&launch.run().expect("a run")), same(&whole), "{threads} threads");
    }
}

#[test]
fn the_time_keeper_takes_snapshots() {
    let whole = Launch::new(heard).run().expect("a run");
    let snapshot = actix::System::new().block_on(async {
        let keeper = TimeKeeper::of(Launch::new(heard).host(Host::Actix { threads: 2 })).await.expect("a time-keeper");
        let unbegun = keeper.send(TakeSnapshot).await.expect("it lives").expect_err("nothing has run");
        assert_eq!(unbegun, SnapshotError::Unbegun);
        for _ in 0..20 {
            keeper.send(Step(Pace::Window)).await.expect("it lives");
        }
        let snapshot = keeper.send(TakeSnapshot).await.expect("it lives").expect("a snapshot");
        keeper.send(Stop).await.expect("it lives");
        let over = keeper.send(TakeSnapshot).await.expect("it lives").expect_err("it is over");
        assert!(matches!(over, SnapshotError::Over(_)));
        keeper.send(Finish).await.expect("it lives").expect("a run");
        snapshot
    });
    assert!(snapshot.at() > at(20) && snapshot.at() < at(80), "{}", snapshot.at());
    assert_eq!(same(&Launch::new(heard).restore(snapshot).run().expect("a run")), same(&whole));
}
