//! R8: the bound on steps.

use stillpoint_engine::{Limits, RunError};

use crate::kit::*;

fn limited(max_steps: u32) -> stillpoint_engine::Simulation {
    world().limits(Limits { max_steps, ..Limits::default() })
}

#[test]
fn r08_livelock_is_an_error_at_its_key_and_no_one_runs_that_step() {
    let mut sim = limited(4);
    let (a, b) = (sim.promise("a"), sim.promise("b"));
    for (me, other) in [(a, b), (b, a)] {
        sim.place(
            me,
            probe(move |what, ctx| {
                if let In::Note(value) = what {
                    ctx.send(other, Note(value + 1));
                }
            }),
        );
    }
    sim.put("c", starter(move |ctx| ctx.send(a, Note(1))));
    let (error, outcome) = check_failing_after_start(
        sim,
        "0.0.1 a#2 <- c#1 note 1
         0.0.2 b#2 <- a#2 note 2
         0.0.3 a#3 <- b#2 note 3",
    );
    assert_eq!(error, RunError::Livelock { site: site(0, 0, 4), actors: vec!["a".to_owned(), "b".to_owned()] });
    assert_eq!((outcome.steps, outcome.end), (4, stillpoint_engine::End::Failed));
    assert!(error.to_string().contains("`a`, `b`") && error.to_string().contains("max_steps"), "{error}");
}

#[test]
fn r08_livelock_is_not_reached_one_step_before() {
    let mut sim = limited(4);
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => ctx.send(m, Note(2)),
            In::Note(left @ 1..) => ctx.send(m, Note(left - 1)),
            _ => {}
        }),
    );
    check_after_start(sim, "0.0.1 m#2 <- m#1 note 2\n0.0.2 m#3 <- m#2 note 1\n0.0.3 m#4 <- m#3 note 0");
}

#[test]
fn r08_livelock_does_not_count_a_step_of_dead_letters_alone() {
    for someone_lives in [false, true] {
        let mut sim = limited(1);
        let m = sim.put("m", starter(|ctx| ctx.stop()));
        sim.put(
            "a",
            starter(move |ctx| {
                ctx.send(m, Note(1));
                if someone_lives {
                    ctx.send(ctx.address(), Note(2));
                }
            }),
        );
        if someone_lives {
            // The step of the error leaves no record, its dead letter neither.
            let (error, outcome) = check_failing_after_start(sim, "");
            assert_eq!(error, RunError::Livelock { site: site(0, 0, 1), actors: vec!["a".to_owned()] });
            assert_eq!(outcome.dead_letters, 0);
        } else {
            let outcome = check_after_start(sim, "0.0.1 m dead <- a#1 note 1");
            assert_eq!((outcome.dead_letters, outcome.steps), (1, 1));
        }
    }
}

#[test]
fn r08_livelock_counts_the_steps_of_each_round_and_each_instant_anew() {
    let mut sim = limited(3);
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(left @ 1..) = what {
                ctx.send(m, Note(left - 1));
            }
        }),
    );
    sim.feed("s", items(&[(0, 2), (0, 2), (1, 2)]).one_by_one(), &[m]);
    let outcome = run(sim);
    assert_eq!((outcome.steps, outcome.deliveries), (9, 10));
}

#[test]
fn r08_livelock_names_the_first_eight_actors() {
    let mut sim = limited(1);
    for index in 0..10 {
        sim.put(&format!("a{index}"), starter(|ctx| ctx.send(ctx.address(), Note(0))));
    }
    let (_, result) = traced(sim);
    let names = (0..8).map(|index| format!("a{index}")).collect();
    assert_eq!(result.expect_err("an error").0, RunError::Livelock { site: site(0, 0, 1), actors: names });
}
