//! R10: sources that fail, and sources that are longer than what is read ahead.

use stillpoint_engine::{RunError, Source, SourceError, Stream, Timed};

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
