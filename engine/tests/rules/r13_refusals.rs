//! R13: what cannot be saved or restored is refused by name.

use serde::{Deserialize, Serialize};
use stillpoint_engine::snapshot::{Pending, RestoreError, SnapshotError};
use stillpoint_engine::{
    Actor, Answer, Context, End, Handler, Instant, JobDone, Link, Responder, Responds, Run, Saving, Simulation, Snapshot, Stream,
};

use super::kit::{Build, Note, Question, Reply, Sum, Word, at, items, ns, silent, site, world};
use super::saved::{Planner, cast, reread};

fn begun(sim: Simulation) -> Run {
    sim.begin().expect("a simulation that begins")
}

fn refusal(sim: Simulation, until: i64) -> SnapshotError {
    let mut run = begun(sim);
    run.until(at(until));
    run.snapshot().expect_err("a refusal")
}

#[test]
fn r13_only_at_still_points() {
    let mut run = begun(cast(world(), vec![("a", Planner::new("1 say a 0 1\n 9 draw"))]).0);
    assert_eq!(run.snapshot().map(drop), Err(SnapshotError::Unbegun));
    run.until(at(0));
    assert!(run.snapshot().is_ok());
    run.step();
    assert_eq!(run.snapshot().map(drop), Err(SnapshotError::Moving(site(1, 0, 0))));
    run.step_instant();
    assert!(run.snapshot().is_ok_and(|snapshot| snapshot.at() == at(1)));
    let mut run = begun(cast(world(), vec![("a", Planner::new("1 stop-run\n 9 draw"))]).0);
    run.until(at(5));
    assert_eq!(run.snapshot().map(drop), Err(SnapshotError::Over(site(1, 0, 1))));
}

#[test]
fn r13_an_actor_that_does_not_say_how() {
    let mut sim = cast(world(), vec![("a", Planner::new(""))]).0;
    sim.put("stubborn", silent());
    let error = refusal(sim, 0);
    assert_eq!(error, SnapshotError::Unsavable { actor: "stubborn".to_owned(), of: "rules::kit::Probe" });
    assert_eq!(error.to_string(), "`stubborn` cannot be saved: its type `rules::kit::Probe` does not say how; give it `Actor::saving`");
}

#[test]
fn r13_a_live_task() {
    let sim = cast(world(), vec![("a", Planner::new("")), ("b", Planner::new("1 sleep 10"))]).0;
    assert_eq!(refusal(sim, 5), SnapshotError::LiveTask { actor: "b".to_owned() });
}

#[test]
fn r13_an_owed_answer() {
    let owing = || cast(world(), vec![("a", Planner::new("2 ask b 5\n 9 draw")), ("b", Planner::new("1 keep\n 6 answer"))]).0;
    let (actor, kind, asker) = ("b".to_owned(), "question".to_owned(), "a".to_owned());
    assert_eq!(refusal(owing(), 4), SnapshotError::OwedAnswer { actor, kind, asker });
    let mut run = begun(owing());
    run.until(at(7));
    assert!(run.snapshot().is_ok(), "it has answered");
}

/// Actors that leave one thing pending, which they are told, and declare as much as is said here.
macro_rules! sparse {
    ($($name:ident: $saving:expr;)*) => {
        $(#[derive(Serialize, Deserialize)]
        struct $name(u8);

        impl Actor for $name {
            fn started(&mut self, ctx: &mut Context<'_, Self>) {
                let me = ctx.address();
                match self.0 {
                    0 => _ = ctx.notify_after(ns(5), Note(1)),
                    1 => _ = ctx.submit(ns(5), || Sum(1)),
                    2 => _ = ctx.ask(me, Question(1), Some(ns(5))),
                    3 => _ = ctx.spawn(Planner::new("")),
                    4 => ctx.subscribe::<Word, _>(me),
                    5 => ctx.send_after(me, ns(5), Word(1)),
                    _ => {}
                }
            }

            fn saving() -> Option<Saving<Self>> {
                $saving
            }
        }

        impl Handler<Note> for $name {
            fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {}
        }

        impl Handler<Word> for $name {
            fn handle(&mut self, _: &Word, _: &mut Context<'_, Self>) {}
        }

        impl Handler<JobDone<Sum>> for $name {
            fn handle(&mut self, _: &JobDone<Sum>, _: &mut Context<'_, Self>) {}
        }

        impl Handler<Answer<Question>> for $name {
            fn handle(&mut self, _: &Answer<Question>, _: &mut Context<'_, Self>) {}
        }

        impl Responds<Question> for $name {
            fn respond(&mut self, question: &Question, responder: Responder<Reply>, ctx: &mut Context<'_, Self>) {
                if question.0 == 1 {
                    ctx.reply(responder, Reply(1));
                }
            }
        })*
    };
}

sparse! {
    Nothing: Some(Saving::new());
    All: Some(Saving::new().message::<Note>().message::<Word>().job::<Sum>().asks::<Question>().answers::<Question>().child::<Planner>());
}

fn one<A: Actor>(actor: A) -> Simulation {
    let mut sim = world();
    sim.actor("one", actor).expect("a free name");
    sim
}

#[test]
fn r13_kinds_that_are_not_declared() {
    let name = |kind: &str| kind.to_owned();
    for (what, missing) in [
        (0, Pending::Message(name("note"))),
        (1, Pending::Job(name("sum"))),
        (3, Pending::Child(name("rules::saved::Planner"))),
        (4, Pending::Message(name("word"))),
        (5, Pending::Message(name("word"))),
    ] {
        let error = refusal(one(Nothing(what)), 1);
        assert_eq!(error, SnapshotError::Undeclared { actor: "one".to_owned(), what: missing });
        assert!(error.to_string().starts_with("`one` cannot be saved: ") && error.to_string().contains(">()` to its `Actor::saving`"));
        let mut run = begun(one(All(what)));
        run.until(at(1));
        assert!(run.snapshot().is_ok());
    }
    // A stream's events are messages too.
    let mut sim = world();
    let who = sim.actor("one", Nothing(9)).expect("a free name");
    let stream = sim.stream("s", items(&[(1, 1), (5, 2)])).expect("a free name");
    sim.subscribe::<Note, _>(who, stream);
    assert_eq!(refusal(sim, 1), SnapshotError::Undeclared { actor: "one".to_owned(), what: Pending::Message(name("note")) });
}

/// Asks over a link.
struct Asker<const DECLARES: bool>;

impl<const DECLARES: bool> Asker<DECLARES> {
    fn linked<A: Responds<Question>>(target: A) -> Simulation {
        let mut sim = world();
        let target = sim.actor("target", target).expect("a free name");
        sim.actor("asker", Asking::<A, DECLARES> { target: Some(target) }).expect("a free name");
        for (from, to) in [("asker", "target"), ("target", "asker")] {
            sim.link(from, to, Link::latency(ns(4))).expect("a new link");
        }
        sim
    }
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Asking<A: Actor, const DECLARES: bool> {
    #[serde(skip)]
    target: Option<stillpoint_engine::Addr<A>>,
}

impl<A: Responds<Question>, const DECLARES: bool> Actor for Asking<A, DECLARES> {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.ask(self.target.expect("a target"), Question(1), None);
    }

    fn saving() -> Option<Saving<Self>> {
        Some(if DECLARES { Saving::new().asks::<Question>() } else { Saving::new() })
    }
}

impl<A: Responds<Question>, const DECLARES: bool> Handler<Answer<Question>> for Asking<A, DECLARES> {
    fn handle(&mut self, _: &Answer<Question>, _: &mut Context<'_, Self>) {}
}

#[test]
fn r13_questions_and_answers_that_are_not_declared() {
    let undeclared = |actor: &str, what| SnapshotError::Undeclared { actor: actor.to_owned(), what };
    // The question is on its way until 4, the answer until 8.
    let question = "question".to_owned();
    assert_eq!(refusal(Asker::<true>::linked(Nothing(9)), 1), undeclared("target", Pending::Answer(question.clone())));
    assert_eq!(refusal(Asker::<false>::linked(All(9)), 5), undeclared("asker", Pending::Ask(question)));
    for until in [1, 5] {
        let mut run = begun(Asker::<true>::linked(All(9)));
        run.until(at(until));
        assert!(run.snapshot().is_ok());
    }
}

#[test]
#[should_panic(expected = "declares the message `note` twice")]
fn r13_a_kind_is_declared_once() {
    let _ = Saving::<All>::new().message::<Note>().message::<Note>();
}

fn snapshot() -> Snapshot {
    let mut run = begun(named("rules", &["a", "b"], &[]));
    run.until(at(2));
    reread(&run.snapshot().expect("a still point"))
}

fn named(name: &str, actors: &[&str], streams: &[&str]) -> Simulation {
    let mut sim = Simulation::new(name).seed(3).start(Instant::EPOCH);
    for stream in streams {
        sim.stream(stream, items(&[])).expect("a free name");
    }
    cast(sim, actors.iter().map(|name| (*name, Planner::new("1 draw\n 5 draw"))).collect()).0
}

#[test]
fn r13_another_simulation_is_refused() {
    let snapshot = snapshot();
    assert_eq!((snapshot.name(), snapshot.at()), ("rules", at(1)));
    let refused = |sim: Simulation| sim.restore(&snapshot).expect_err("a refusal");
    let (saved, built) = ("rules".to_owned(), "other".to_owned());
    assert_eq!(refused(named("other", &["a", "b"], &[])), RestoreError::Name { saved, built });
    assert_eq!(refused(named("rules", &["a", "b"], &[]).seed(4)), RestoreError::Seed { saved: 3, built: 4 });
    let roots = |missing: &[&str], added: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        RestoreError::Roots { missing: names(missing), added: names(added) }
    };
    assert_eq!(refused(named("rules", &["a"], &[])), roots(&["b"], &[]));
    let error = refused(named("rules", &["a", "c"], &["s"]));
    assert_eq!(error, roots(&["b"], &["c", "s"]));
    assert_eq!(
        error.to_string(),
        "the simulation is not the one that the snapshot was taken of: it lacks `b`, it adds `c`, `s`; build it with the same actors and streams"
    );
    let (actor, saved, built) = ("b".to_owned(), "an actor".to_owned(), "a stream".to_owned());
    assert_eq!(refused(named("rules", &["a"], &["b"])), RestoreError::Type { actor, saved, built });
}

#[test]
fn r13_the_order_of_registration_does_not_matter() {
    let snapshot = snapshot();
    let hash = |sim: Simulation| {
        let run = sim.restore(&snapshot).expect("the same simulation");
        run.finish().expect("a run that ends").trace_hash
    };
    let whole = named("rules", &["a", "b"], &[]).run().expect("a run that ends");
    assert_eq!(whole.end, End::Done);
    assert_eq!(hash(named("rules", &["b", "a"], &[])), whole.trace_hash);
    assert_eq!(hash(named("rules", &["a", "b"], &[])), whole.trace_hash);
}

#[test]
fn r13_a_state_that_does_not_fit_any_more() {
    // The text of one state is changed, and sealed anew.
    let text = snapshot().to_text().replace("keeps:false", "keeps:7");
    let error = named("rules", &["a", "b"], &[]).restore(&resealed(&text)).expect_err("no state of a planner");
    let RestoreError::State { actor, what: Pending::State, cause } = &error else { panic!("{error}") };
    assert!(actor == "a" && cause.contains("xpected boolean"), "{error}");
    let text = snapshot().to_text().replace("\"cue\"", "\"cute\"");
    let error = named("rules", &["a", "b"], &[]).restore(&resealed(&text)).expect_err("an unknown kind");
    assert_eq!(error, RestoreError::Undeclared { actor: "a".to_owned(), what: Pending::Message("cute".to_owned()) });
}

/// A changed text under the checksum that it should have.
fn resealed(text: &str) -> Snapshot {
    super::r13_files::sealed(text.splitn(3, '\n').last().expect("three parts"))
}

#[test]
fn r13_streams_are_not_opened_twice() {
    // A stream that cannot be opened is an error of the restore, not of the run.
    let stream = Stream::<Note>::open(|| -> Result<Never, _> { Err(stillpoint_engine::SourceError("no such file".to_owned())) });
    let mut sim = world();
    sim.stream("s", stream).expect("a free name");
    let sim = cast(sim, vec![("a", Planner::new("1 draw"))]).0;
    let mut run = begun(sim);
    run.step_instant();
    assert!(run.snapshot().is_ok(), "nobody has subscribed to it");
}

struct Never;

impl stillpoint_engine::Source for Never {
    type Item = Note;

    fn next(&mut self) -> Result<Option<stillpoint_engine::Timed<Note>>, stillpoint_engine::SourceError> {
        Ok(None)
    }
}
