//! R13: streams go on where they were. They are opened again; what was read ahead, held back or half delivered is read once more.

use stillpoint_engine::snapshot::RestoreError;
use stillpoint_engine::{Late, Simulation, Stream, Timed};

use super::kit::{Note, at, items, ns, world};
use super::saved::{Planner, cast, having, interrupted_everywhere, reread};

/// A stream with one subscriber from the start and one that comes and goes.
fn fed(stream: Stream<Note>, plan: &str) -> Simulation {
    let (mut sim, stream) = {
        let mut sim = world();
        let stream = sim.stream("s", stream).expect("a free name");
        (sim, stream)
    };
    let late = Planner::new(plan).hears("s", stream);
    let peers;
    (sim, peers) = cast(sim, vec![("early", Planner::new("")), ("late", late)]);
    sim.subscribe::<Note, _>(peers["early"], stream);
    sim
}

/// Two items a nanosecond for so long.
fn many(until: i64) -> Vec<(i64, u64)> {
    (0..2 * until).map(|n| (n / 2, n as u64)).collect()
}

#[test]
fn r13_half_read() {
    // More than one batch is read ahead.
    let (texts, came) = interrupted_everywhere(|| fed(items(&many(150)), "20 hear s\n 40 unhear s\n 60 hear s"));
    assert_eq!(texts.len(), 150);
    assert!(having(&texts, "exhausted: false") > 60 && having(&texts, "exhausted: true") > 20);
    assert!(came.to.contains("events: 300,"));
}

#[test]
fn r13_late_items() {
    let plan = [(1, 1), (5, 2), (3, 3), (5, 4), (5, 5), (4, 6), (9, 7), (2, 8), (12, 9), (12, 10), (6, 11)];
    for late in [Late::DropAndCount, Late::DeliverFlagged, Late::Error] {
        let (texts, came) = interrupted_everywhere(|| fed(items(&plan).late(late), "6 hear s\n 20 unhear s"));
        assert!(texts.len() >= 2);
        assert_eq!(came.error.is_some(), late == Late::Error);
    }
}

#[test]
fn r13_held_back_by_reorder() {
    let plan = [(10, 1), (7, 2), (12, 3), (9, 4), (30, 5), (28, 6), (27, 7), (3, 8), (31, 9), (9_223_372_036_854_775_800, 10)];
    for late in [Late::DropAndCount, Late::DeliverFlagged] {
        let (texts, came) = interrupted_everywhere(|| fed(items(&plan).reorder(ns(12)).late(late), "1 draw\n 18 hear s\n 35 unhear s"));
        assert!(
            texts.len() >= 6 && texts.iter().filter(|text| !text.contains("held: 0")).count() == 0
                || having(&texts, "held: ") == texts.len()
        );
        assert!(came.to.contains("never: 1"));
    }
    // Far apart, so that items are held at still points.
    let far: Vec<(i64, u64)> =
        (0..200).map(|n| (if n % 3 == 0 { 10 * n - 15 } else { 10 * n }, n as u64)).filter(|item| item.0 >= 0).collect();
    let (texts, _) = interrupted_everywhere(|| fed(items(&far).reorder(ns(400)).late(Late::DropAndCount), "900 hear s"));
    let held = texts.iter().filter(|text| !text.contains("held: 0)")).count();
    assert!(held > 100, "{held} of {} snapshots hold items back", texts.len());
}

#[test]
fn r13_one_by_one() {
    let ties: Vec<(i64, u64)> = (0..200).map(|n| (n / 5 * 3, n as u64)).collect();
    let (texts, came) = interrupted_everywhere(|| fed(items(&ties).one_by_one(), "0 say early 0 1\n 12 hear s\n 30 say late 0 2"));
    assert!(texts.len() >= 40);
    assert!(came.to.contains("events: 200,"));
}

#[test]
fn r13_paused_resumed_and_ended() {
    let plan = "10 pause s\n 11 draw\n 20 resume s\n 30 pause s\n 31 hear s\n 35 resume s\n 50 end s\n 60 draw";
    let (texts, came) = interrupted_everywhere(|| fed(items(&many(90)), plan));
    assert!(having(&texts, "paused: true") >= 10 && having(&texts, "ended: true") >= 2);
    // From 11 to 20 and from 31 to 35, two a nanosecond; what came between the control and the subscription is in no trace.
    assert!(came.to.contains("paused: 30,"));
}

#[test]
fn r13_opened_late() {
    let build = || {
        let mut sim = world();
        let stream = sim.stream("s", items(&many(40))).expect("a free name");
        let other = sim.stream("ended", items(&many(40))).expect("a free name");
        let planner = Planner::new("1 draw\n 7 hear s\n 9 draw\n 12 unhear s\n 20 end e\n 25 hear e\n 30 draw\n 33 hear s");
        cast(sim, vec![("a", planner.hears("s", stream).hears("e", other))]).0
    };
    let (texts, came) = interrupted_everywhere(build);
    assert!(having(&texts, "opened: false") >= 2 && having(&texts, "skipped: 16") >= 10);
    assert!(came.to.contains("skipped: 16,"), "those of 0 to 7");
}

#[test]
fn r13_a_changed_source_is_refused_by_name() {
    let before = many(100);
    let mut run = fed(items(&before), "").begin().expect("a simulation that begins");
    run.until(at(20));
    let snapshot = reread(&run.snapshot().expect("a still point"));
    let differs = |after: &[(i64, u64)]| match fed(items(after), "").restore(&snapshot) {
        Err(RestoreError::Changed { stream, difference }) => {
            assert_eq!(stream, "s");
            difference
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a changed source goes unnoticed"),
    };
    assert_eq!(differs(&before[..30]), "it has 30 items to its end where it had 65");
    let mut one = before.clone();
    one[50].1 = 7;
    assert_eq!(differs(&one), "item 42 of 1970-01-01T00:00:00.000000021Z or one of those behind it is another than it was");
    one[42].0 = 20;
    let came = "item 42 of 1970-01-01T00:00:00.000000020Z comes next where item 42 of 1970-01-01T00:00:00.000000021Z did";
    assert_eq!(differs(&one), came);
    // What is far ahead was not looked at.
    one = before.clone();
    one[150].1 = 7;
    assert!(fed(items(&one), "").restore(&snapshot).is_ok());
}

#[test]
fn r13_a_source_that_fails_is_an_error_of_its_own() {
    let build = |fails: bool| {
        let stream =
            Stream::open(move || if fails { Err(stillpoint_engine::SourceError("the disk is gone".to_owned())) } else { Ok(Numbers(0)) });
        fed(stream, "")
    };
    let mut run = build(false).begin().expect("a simulation that begins");
    run.until(at(5));
    let snapshot = run.snapshot().expect("a still point");
    let error = build(true).restore(&snapshot).expect_err("no source");
    assert_eq!(error.to_string(), "stream `s`: the disk is gone");
}

struct Numbers(i64);

impl stillpoint_engine::Source for Numbers {
    type Item = Note;

    fn next(&mut self) -> Result<Option<Timed<Note>>, stillpoint_engine::SourceError> {
        self.0 += 1;
        Ok((self.0 < 10).then(|| Timed { at: at(self.0), value: Note(self.0 as u64) }))
    }
}
