//! R13: a restored run gives the trace, the outcome and the counts of the uninterrupted one, whatever is pending. Every program here is
//! interrupted at each of its still points; `having` shows that there was something to restore.

use stillpoint_engine::{Link, OnPanic, Simulation};

use super::kit::{items, ns};
use super::saved::{Planner, cast, having, interrupted_everywhere};

fn seeded(name: &str) -> Simulation {
    Simulation::new(name).seed(7).start(stillpoint_engine::Instant::EPOCH)
}

#[test]
fn r13_timers_delayed_messages_and_intervals() {
    let build = || {
        let a = Planner::new(
            "0 every tick 2 3 1 20
             0 every brief 1 4 2 9
             1 after one 30 3
             1 after never 9223372036854775807 4
             2 say b 10 5
             6 cancel one
             7 cancel one
             12 cancel brief
             12 say b -3 6
             13 cancel tick
             14 cancel tick
             15 cancel never
             16 after past -5 7",
        );
        cast(seeded("timers"), vec![("a", a), ("b", Planner::new("9 say a 0 8"))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(texts.len() >= 12 && having(&texts, "Tick(\"note\"") >= 5 && having(&texts, "Message(\"note\"") >= 4);
    // The interval ticks at 2, 5, 8, 11 and is cancelled at 13 through the handle that was kept; a second time there is nothing to cancel.
    assert_eq!(came.to.matches("cancelled true").count(), 2);
    assert_eq!(came.to.matches("cancelled false").count(), 4);
    assert_eq!(came.to.matches("note 1 due").count(), 4);
}

#[test]
fn r13_random_numbers_go_on() {
    let build = || {
        let draws: String = (0..40).map(|time| format!("{time} draw\n")).collect();
        cast(seeded("draws"), vec![("a", Planner::new(&draws)), ("b", Planner::new(&draws))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert_eq!(texts.len(), 40);
    assert_eq!(came.to.matches("drew").count(), 80);
}

#[test]
fn r13_addresses_and_recipients_are_kept() {
    let build = || {
        let a = Planner::new(
            "0 spawn kid idle
             1 remember kid
             1 remember b
             3 say-to b 1
             4 say-to kid 2
             5 stop-other kid
             6 say kid 0 3
             7 say-to kid 4
             7 say kid 4 5",
        );
        cast(seeded("addresses"), vec![("a", a.plan("idle", "")), ("b", Planner::new(""))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert_eq!(texts.len(), 8);
    assert!(came.to.contains("dead_letters: 3,"));
}

#[test]
fn r13_children_spawn_again() {
    let build = || {
        let a = Planner::new(
            "0 spawn first parent
             2 spawn second parent -1
             5 stop-other first
             8 spawn third parent
             9 say first 3 9
             9 say second 0 8
             20 stop",
        )
        .plan("parent", "1 spawn kid kid\n 4 spawn kid kid 3\n 5 say a 1 1\n 5 draw")
        .plan("kid", "1 say a 0 2\n 2 after late 6 3\n 3 next\n 2 draw");
        cast(seeded("families"), vec![("a", a), ("b", Planner::new("30 draw"))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(texts.len() >= 12 && having(&texts, "Stopped(Some(") >= 4 && having(&texts, "\"a/2/0\"") >= 3);
    assert!(having(&texts, "\"a/1/1\"") >= 8, "the second child's second child");
    assert!(came.to.contains("drew"));
}

#[test]
fn r13_subscriptions_between_actors() {
    let build = || {
        let a = Planner::new("1 publish 1\n 3 publish 2\n 5 publish 3\n 7 publish 4\n 8 publish 5\n 9 stop-other c\n 10 publish 6");
        let b = Planner::new("2 subscribe a\n 4 unsubscribe a\n 6 subscribe a\n 7 unsubscribe a\n 9 unsubscribe a");
        let c = Planner::new("2 subscribe a");
        let (mut sim, peers) = cast(seeded("subscribers"), vec![("a", a), ("b", b), ("c", c), ("d", Planner::new(""))]);
        sim.subscribe_to::<super::kit::Word, _, _>(peers["d"], peers["a"]);
        sim
    };
    let (texts, came) = interrupted_everywhere(build);
    assert_eq!(texts.len(), 11);
    // d hears all six; b hears that of 3 alone, since at 7 its last call is an unsubscribe in an earlier step; c those of 3, 5, 7 and 8.
    assert_eq!(came.to.matches(" word ").count(), 6 + 1 + 4, "{}", came.to);
}

#[test]
fn r13_over_links() {
    let build = || {
        let a = Planner::new(
            "0 subscribe b
             1 say b 0 1
             2 ask b 3
             3 ask b 4 5
             4 ask b 0
             5 ask b 6 100
             6 ask-astray b 7
             8 unsubscribe b
             9 publish 10
             10 publish 11
             20 stop-other b
             21 ask b 12
             22 say b 0 13",
        );
        let b = Planner::new("4 publish 1\n 6 publish 2\n 9 publish 3\n 12 publish 4\n 13 subscribe a\n 3 stop-other c");
        let c = Planner::new("0 subscribe a");
        let (mut sim, _) = cast(seeded("linked"), vec![("a", a), ("b", b), ("c", c)]);
        for (from, to, latency) in [("a", "b", 4), ("b", "a", 3), ("a", "c", 5), ("c", "a", 1), ("b", "c", 7), ("c", "b", 1)] {
            sim.link(from, to, Link::latency(ns(latency))).expect("a new link");
        }
        sim
    };
    let (texts, came) = interrupted_everywhere(build);
    for (what, least) in [
        ("Subscribe(\"word\"", 2),
        ("Share(\"word\"", 2),
        ("Request(\"question\"", 4),
        ("Reply(", 2),
        ("Gone(", 1),
        ("Timeout(", 3),
        ("open: false", 1),
        ("cargo: Stop)", 1),
        ("cargo: Relic)", 1),
    ] {
        assert!(having(&texts, what) >= least, "{what} is in {} of {} snapshots", having(&texts, what), texts.len());
    }
    for what in ["Err(Gone)", "Err(Timeout)", "Ok(6)", "Ok(12)"] {
        assert!(came.to.contains(what), "no answer {what}");
    }
}

#[test]
fn r13_links_that_draw_numbers() {
    let build = || {
        let says: String = (0..30).map(|time| format!("{time} say b 0 {time}\n")).collect();
        let (mut sim, _) = cast(seeded("jitter"), vec![("a", Planner::new(&says)), ("b", Planner::new(""))]);
        sim.link("a", "b", Link::latency(ns(3)).jitter(ns(20)).loss(0.3)).expect("a new link");
        sim
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(texts.len() >= 30);
    assert!(!came.to.contains("lost: 0,"), "some are lost");
}

#[test]
fn r13_jobs_are_waited_for() {
    let build = || {
        let a = Planner::new(
            "0 job quick 0 10
             1 job slow 8 100
             2 job bad 6 0
             3 job gone 9 5
             6 cancel-job gone
             7 cancel-job gone
             8 cancel-job quick
             10 job last 3 4
             11 stop",
        );
        let build = cast(seeded("jobs"), vec![("a", a), ("b", Planner::new("1 job other 20 6"))]).0;
        build.pool(std::sync::Arc::new(stillpoint_engine::Pool::new(1)))
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(having(&texts, "Job(\"sum\", Ok((5050)))") >= 4 && having(&texts, "Job(\"sum\", Err((\"no sum\")))") >= 3);
    assert!(came.to.contains("job Some(\\\"slow\\\") gave Ok(5050)") && came.to.contains("job Some(\\\"other\\\") gave Ok(21)"));
    assert_eq!(came.to.matches("cancelled true").count(), 1);
}

#[test]
fn r13_facets_of_the_time_keeper() {
    let build = || {
        let a = Planner::new("1 next\n 2 after later 5 1\n 3 next\n 8 next\n 9 stop-run\n 12 draw");
        let kids = Planner::new("0 spawn kid kid\n 10 draw").plan("kid", "2 next\n 5 next\n 6 draw");
        cast(seeded("facets"), vec![("a", a), ("b", kids)]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(having(&texts, "\"time-keeper@a\"") >= 6 && having(&texts, "\"time-keeper@b/0\"") >= 4);
    assert!(came.to.contains("end: Stopped"));
}

#[test]
fn r13_a_panic_after_it() {
    for policy in [OnPanic::Stop, OnPanic::Poison] {
        let build = || {
            let a = Planner::new("1 say b 4 1\n 3 draw\n 5 panic\n 5 say b 0 2\n 7 draw");
            cast(seeded("panics"), vec![("a", a), ("b", Planner::new("2 say a 3 3\n 6 say a 0 4\n 8 draw"))]).0.on_panic(policy)
        };
        let (texts, came) = interrupted_everywhere(build);
        assert_eq!(came.error.is_some(), policy == OnPanic::Stop);
        assert!(texts.len() >= 4);
    }
}

#[test]
fn r13_tasks_that_are_over_and_what_waits_for_them() {
    let build = || {
        let a = Planner::new(
            "1 push 5
             1 push 6
             3 receive
             4 cancel-tasks
             5 receive
             6 push 7
             6 push 8
             8 receive
             9 receive
             10 cancel-tasks",
        );
        cast(seeded("tasks"), vec![("a", a), ("b", Planner::new("2 draw"))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(having(&texts, "[5,6]") >= 2 && having(&texts, "[7,8]") >= 1);
    // A handle of a task that is over is no other task's, also after a restore.
    assert!(came.to.contains("received 8") && !came.to.contains("known 1") && !came.to.contains("cancelled 1"));
}

#[test]
fn r13_with_until_and_without_a_start() {
    let build = || {
        let (mut sim, peers) = cast(Simulation::new("late"), vec![("a", Planner::new("3 draw\n 6 say a 50 1\n 40 draw"))]);
        let stream = sim.stream("s", items(&[(100, 1), (103, 2), (109, 3), (200, 4)])).expect("a free name");
        sim.subscribe::<super::kit::Note, _>(peers["a"], stream);
        sim.until(super::kit::at(130))
    };
    let (texts, came) = interrupted_everywhere(build);
    assert_eq!(texts.len(), 4, "100, 103, 106, 109");
    assert!(came.to.contains("end: Until"));
}
