//! R10: sources that fail, and sources that are longer than what is read ahead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use stillpoint_engine::{Actor, Context, Handler, Late, Lent, Message, RunError, Source, SourceError, Stream, Timed};

use crate::kit::*;

/// Gives its items, then an error.
struct Broken {
    items: std::vec::IntoIter<(i64, u64)>,
}

impl Source for Broken {
    type Item = Note;

    fn next(&mut self) -> Result<Option<Timed<Note>>, SourceError> {
        match self.items.next() {
            Some((time, value)) => Ok(Some(Timed { at: at(time), value: Note(value) })),
            None => Err(SourceError("line 4 is no quote".to_owned())),
        }
    }
}

fn broken(items: &[(i64, u64)]) -> Stream<Note> {
    let items = items.to_vec();
    Stream::open(move || Ok(Broken { items: items.clone().into_iter() }))
}

#[test]
fn r10_source_that_fails_delivers_what_comes_before_and_ends_the_run_before_anything_later() {
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", broken(&[(1, 0), (4, 1), (4, 2)]), &[m]);
    sim.put(
        "a",
        probe(|what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(3), Note(10));
                ctx.notify_at(at(4), Note(11));
                ctx.notify_at(at(5), Note(12));
            }
            In::Note(11) => _ = ctx.notify_soon(Note(13)),
            _ => {}
        }),
    );
    let (error, outcome) = check_failing_after_start(
        sim,
        "1.0.0 m#2 <- s#0 note 0
         3.0.0 a#2 <- a#1 note 10
         4.0.0 a#3 <- a#1 note 11
         4.0.0 m#3 <- s#1 note 1
         4.0.0 m#4 <- s#2 note 2
         4.0.1 a#4 <- a#3 note 13",
    );
    assert_eq!(error, RunError::Source { stream: "s".to_owned(), error: SourceError("line 4 is no quote".to_owned()) });
    assert_eq!(outcome.last, Some(at(4)));
}

#[test]
fn r10_source_that_cannot_be_opened_or_gives_nothing_fails_before_the_start() {
    let cannot_open = Stream::open(|| -> Result<Broken, SourceError> { Err(SourceError("no such file".to_owned())) });
    for (stream, cause) in [(cannot_open, "no such file"), (broken(&[]), "line 4 is no quote")] {
        let mut sim = world();
        let m = sim.put("m", silent());
        sim.feed("s", stream, &[m]);
        let (error, outcome) = check_failing(sim, "");
        assert_eq!(error, RunError::Source { stream: "s".to_owned(), error: SourceError(cause.to_owned()) });
        assert_eq!(outcome.deliveries, 0);
    }
}

#[test]
fn r10_streams_of_several_types_come_in_one_order() {
    // Five streams, every other one of another type; sometimes one has several items before the next one's turn, sometimes all have one at once.
    let next = |time: i64| (time / 3 * 7 + time / 50) % 5;
    let times = |stream: i64| (1..=900i64).filter(move |time| next(*time) == stream || time % 100 == 0);
    let mut sim = world();
    let m = sim.put("m", silent());
    for stream in 0..5 {
        let name = format!("s{stream}");
        let all: Vec<(i64, u64)> = times(stream).map(|time| (time, time as u64)).collect();
        if stream % 2 == 0 {
            sim.feed(&name, items(&all), &[m]);
        } else {
            let words = all.iter().map(|(time, value)| Timed { at: at(*time), value: Word(*value) }).collect();
            let words = sim.stream(&name, Stream::from_vec(words)).expect("a free name");
            sim.subscribe::<Word, _>(m, words);
        }
    }
    let mut expected: Vec<(i64, i64, usize)> =
        (0..5).flat_map(|stream| times(stream).enumerate().map(move |(index, time)| (time, stream, index))).collect();
    expected.sort_unstable();
    let kind = |stream: i64| if stream % 2 == 0 { "note" } else { "word" };
    let line = |(count, (time, stream, index)): (usize, &(i64, i64, usize))| {
        format!("{time}.0.0 m#{} <- s{stream}#{index} {} {time}\n", count + 2, kind(*stream))
    };
    check_after_start(sim, &expected.iter().enumerate().map(line).collect::<String>());
}

/// As many items as are said, one a nanosecond, then a panic.
struct Panics(i64);

impl Source for Panics {
    type Item = Note;

    fn next(&mut self) -> Result<Option<Timed<Note>>, SourceError> {
        assert!(self.0 < 200, "the source panics");
        self.0 += 1;
        Ok(Some(Timed { at: at(self.0), value: Note(0) }))
    }
}

#[test]
fn r10_source_that_panics_in_the_middle_is_no_panic_of_an_actor() {
    // Alone, and merged with another one.
    for streams in [1, 2] {
        let mut sim = world();
        let m = sim.put("m", silent());
        sim.feed("s", Stream::open(|| Ok(Panics(0))), &[m]);
        if streams > 1 {
            sim.feed("t", items(&[(150, 0), (500, 0)]), &[m]);
        }
        let panic = catch_unwind(AssertUnwindSafe(|| sim.run())).expect_err("a panic");
        assert_eq!(panic.downcast_ref::<&str>().copied(), Some("the source panics"));
    }
}

#[test]
fn r10_source_of_many_items_at_one_instant_and_over_many_is_delivered_whole() {
    // More than any batch that is read ahead: 1000 items at 0, then one at each of 1000 instants.
    let list: Vec<(i64, u64)> = (0..1000).map(|index| (0, index)).chain((1..=1000).map(|time| (time, 1000 + time as u64 - 1))).collect();
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    let m = sim.put(
        "m",
        probe(move |what, _| {
            if let In::Note(value) = what {
                seen.add(value.to_string());
            }
        }),
    );
    sim.feed("s", items(&list), &[m]);
    let outcome = run(sim);
    assert_eq!(log.text(), (0..2000).map(|value| value.to_string()).collect::<Vec<_>>().join("\n"));
    assert_eq!((outcome.events, outcome.instants), (2000, 1001));
}

#[test]
fn r10_source_is_opened_anew_by_every_run() {
    let build = || {
        let mut sim = world();
        let m = sim.put("m", silent());
        sim.feed("s", items(&[(1, 0), (2, 1)]), &[m]);
        sim
    };
    assert_eq!(run(build()).trace_hash, run(build()).trace_hash);
}

/// What is copied is one more.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Copied(u64);

impl Clone for Copied {
    fn clone(&self) -> Self {
        Self(self.0 + 1)
    }
}

impl Message for Copied {
    const KIND: &'static str = "copied";
}

struct Keeps(Log);

impl Actor for Keeps {}

impl Handler<Copied> for Keeps {
    fn handle(&mut self, copied: &Copied, ctx: &mut Context<'_, Self>) {
        self.0.add(format!("{}: {}", ctx.now().as_nanos(), copied.0));
    }
}

/// Can only be lent.
struct Memory(Arc<[Timed<Copied>]>);

impl Source for Memory {
    type Item = Copied;

    fn next(&mut self) -> Result<Option<Timed<Copied>>, SourceError> {
        panic!("the items are lent");
    }

    fn lend(&self) -> Option<Lent<Copied>> {
        Some(Lent::new(self.0.clone()))
    }
}

/// What a subscriber gets of lent items.
fn lent(times: impl Iterator<Item = i64>, given: impl FnOnce(Stream<Copied>) -> Stream<Copied>) -> Vec<String> {
    let items: Arc<[Timed<Copied>]> = times.map(|time| Timed { at: at(time), value: Copied(0) }).collect();
    let log = Log::default();
    let mut sim = world();
    let keeps = sim.actor("keeps", Keeps(log.clone())).expect("a free name");
    let stream = sim.stream("s", given(Stream::open(move || Ok(Memory(items.clone()))))).expect("a free name");
    sim.subscribe(keeps, stream);
    sim.run().expect("a run without errors");
    log.text().lines().map(str::to_owned).collect()
}

#[test]
fn r10_source_that_lends_is_read_in_place_and_only_what_is_judged_is_copied() {
    let sorted: Vec<String> = (1..301).map(|time| format!("{time}: 0")).collect();
    assert_eq!(lent(1..301, |stream| stream), sorted);
    // One item of the third batch, 130 to 193, is late; when it is read, 129 is still to come.
    let times = || (1..301).map(|time| if time == 150 { 7 } else { time });
    let expected = |keeps_late: bool| {
        let time = |time| match time {
            150 => keeps_late.then_some(149),
            _ => Some(time),
        };
        let line = |time| format!("{time}: {}", u8::from((129..194).contains(&time)));
        (1..301).filter_map(time).map(line).collect::<Vec<_>>()
    };
    assert_eq!(lent(times(), |stream| stream.late(Late::DropAndCount)), expected(false));
    assert_eq!(lent(times(), |stream| stream.late(Late::DeliverFlagged)), expected(true));
    // All are held back by 10.
    let held: Vec<String> = (1..301).map(|time| format!("{}: 1", time + 10)).collect();
    assert_eq!(lent(1..301, |stream| stream.reorder(ns(10))), held);
}
