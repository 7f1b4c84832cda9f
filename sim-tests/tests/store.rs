//! Store replay under the kit: a good one holds, and replays that look at what they must not are caught.

use std::ops::Range;
use std::sync::Arc;

use stillpoint_engine::{
    Actor, Context, Duration, Handler, Instant, JobDone, Message, Report, Simulation, Source, SourceError, Stream, Timed,
};
use stillpoint_sim_tests::{Check, Determinism, Faults, Held, StoreReplay, World, scenarios};
use stillpoint_store::replay::{FromRows, Replay, RowsOf, stream};
use stillpoint_store::{AsOf, ReadOptions, StoreError, Table};

#[derive(Clone, Debug, Hash)]
struct Tick {
    symbol: Arc<str>,
    price: i64,
}

impl Message for Tick {
    const KIND: &'static str = "tick";
}

fn ticks(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Tick>>, price: impl Fn(usize, i64) -> i64) -> Result<(), StoreError> {
    let (times, prices) = (of.times()?, of.texts("price")?);
    into.extend(rows.map(|row| {
        let value = Tick { symbol: of.symbol().clone(), price: price(row, prices.value(row).parse().unwrap_or(0)) };
        Timed { at: Instant::from_nanos(times[row]), value }
    }));
    Ok(())
}

impl FromRows for Tick {
    const COLUMNS: &'static [&'static str] = &["price"];

    fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError> {
        ticks(of, rows, into, |_, price| price)
    }
}

/// Rows with ties: so many, up to three at an instant.
fn rows(seed: i64) -> Table {
    let numbers = 0..6_000;
    let prices: Vec<String> = numbers.clone().map(|row| (row * row * seed % 9_973).to_string()).collect();
    Table::at(numbers.map(|row| Instant::EPOCH + Duration::millis(row / 3 * seed))).column("price", prices).finish().expect("rows in order")
}

/// Has a job for every hundredth price.
#[derive(Default)]
struct Ear {
    count: i64,
    sum: i64,
}

impl Actor for Ear {
    fn report(&self, report: &mut Report) {
        report.integer("sum", self.sum);
    }
}

impl Handler<Tick> for Ear {
    fn handle(&mut self, tick: &Tick, ctx: &mut Context<'_, Self>) {
        self.count += 1;
        if self.count % 100 == 0 {
            let price = tick.price;
            ctx.submit(Duration::millis(5), move || price * 2);
        }
    }
}

impl Handler<JobDone<i64>> for Ear {
    fn handle(&mut self, done: &JobDone<i64>, _: &mut Context<'_, Self>) {
        self.sum += done.result.as_ref().copied().unwrap_or(0);
    }
}

type Built = Result<Simulation, Box<dyn std::error::Error + Send + Sync>>;

fn heard(held: &Held, streams: Vec<Stream<Tick>>) -> Built {
    let mut sim = Simulation::new("replay").pool(held.pool.clone());
    for (number, stream) in streams.into_iter().enumerate() {
        let stream = sim.stream(&format!("stream-{number}"), stream)?;
        let ear = sim.actor(&format!("ear-{number}"), Ear::default())?;
        sim.subscribe::<Tick, _>(ear, stream);
    }
    Ok(sim)
}

fn replay(build: impl Fn(&Held) -> Built + Send + Sync + 'static) -> StoreReplay {
    StoreReplay::of(build).symbol("A", rows(1)).symbol("B", rows(2))
}

#[test]
fn a_replay_is_the_same_however_the_store_holds_its_rows() {
    let build = |held: &Held| {
        let options = ReadOptions::default();
        heard(held, vec![stream::<Tick, _>(&held.library, &["A", "B"], &options)?, stream::<Tick, _>(&held.library, &["B"], &options)?])
    };
    replay(build).check();
}

/// Remembers the last price, and tells itself of every rise a second later.
struct Rises(i64);

impl Actor for Rises {}

impl Handler<i64> for Rises {
    fn handle(&mut self, price: &i64, ctx: &mut Context<'_, Self>) {
        if *price > self.0 {
            ctx.notify_after(Duration::secs(1), u64::from(*price > 100));
        }
        self.0 = *price;
    }
}

impl Handler<u64> for Rises {
    fn handle(&mut self, _: &u64, _: &mut Context<'_, Self>) {}
}

/// Ties, late items and every fault of a source too.
#[test]
fn made_up_scenarios_are_the_same_when_their_streams_come_from_a_store() {
    let verdict = Determinism::of(|world: &mut World<i64>| _ = world.add("rises", Rises(0)))
        .scenarios(scenarios().streams(1..=3).ties(0.3).late(0.1).faults(Faults::all()))
        .only([])
        .replayed()
        .report();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.checks.get(&Check::Store), Some(&64));
}

/// Every row has the number that it has in its batch.
#[derive(Debug)]
struct Numbered(Tick);

impl FromRows for Numbered {
    const COLUMNS: &'static [&'static str] = Tick::COLUMNS;

    fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError> {
        let mut found = Vec::new();
        ticks(of, rows, &mut found, |row, _| row as i64)?;
        into.extend(found.into_iter().map(|Timed { at, value }| Timed { at, value: Numbered(value) }));
        Ok(())
    }
}

/// A replay of `A` whose prices are raised by something that was found out when it was opened.
struct Faulty {
    rows: Replay<Numbered>,
    price: Option<i64>,
}

impl Source for Faulty {
    type Item = Tick;

    fn next(&mut self) -> Result<Option<Timed<Tick>>, SourceError> {
        let item = self.rows.next()?;
        Ok(item.map(|Timed { at, value: Numbered(tick) }| Timed { at, value: Tick { price: self.price.unwrap_or(tick.price), ..tick } }))
    }
}

fn faulty(price: impl Fn(&Held) -> Option<i64> + Clone + Send + Sync + 'static) -> StoreReplay {
    replay(move |held| {
        let (price, of) = (price.clone(), held.clone());
        let open = move || {
            let rows = Replay::open(&of.library, "A", &ReadOptions::default()).map_err(|error| SourceError(error.to_string()))?;
            Ok(Faulty { rows, price: price(&of) })
        };
        heard(held, vec![Stream::open(open)])
    })
}

#[test]
fn a_replay_that_shows_where_parts_begin_is_caught() {
    let (way, text) = faulty(|_| None).report().expect("it is caught");
    assert!(way.part < 6_000, "{way}: {text}");
    assert!(!text.is_empty());
}

#[test]
fn a_replay_that_shows_what_the_cache_holds_is_caught() {
    // Whether anything was found in the cache, which is so the second time.
    let (way, text) = faulty(|held| Some((held.store.cache_stats().bytes > 0).into())).report().expect("it is caught");
    assert!(way.cache > 0, "{way}: {text}");
}

#[test]
fn a_replay_that_shows_whether_its_rows_were_compacted_is_caught() {
    let files = |held: &Held| held.library.files("A", &AsOf::Latest).map_or(0, |files| files.len() as i64);
    let (way, text) = faulty(move |held| Some(files(held).min(100) / 2)).report().expect("it is caught");
    assert!(way.part < 6_000, "{way}: {text}");
}

#[test]
fn a_replay_that_shows_the_threads_for_jobs_is_caught() {
    let (way, text) = faulty(|held| Some(held.pool.size() as i64)).report().expect("it is caught");
    assert!(way.pool > 0, "{way}: {text}");
}

/// Gives every row the price of the next one.
struct Ahead {
    rows: Replay<Tick>,
    now: Option<Timed<Tick>>,
}

impl Source for Ahead {
    type Item = Tick;

    fn next(&mut self) -> Result<Option<Timed<Tick>>, SourceError> {
        let next = self.rows.next()?;
        let price = next.as_ref().map(|item| item.value.price);
        let now = std::mem::replace(&mut self.now, next);
        Ok(now.map(|Timed { at, value }| Timed { at, value: Tick { price: price.unwrap_or(value.price), ..value } }))
    }
}

/// It does the same however the rows are held: only another future can tell.
#[test]
fn a_replay_that_reads_beyond_its_instant_is_caught() {
    let ahead = replay(|held| {
        let of = held.clone();
        let open = move || {
            let failed = |error: StoreError| SourceError(error.to_string());
            let mut rows = Replay::open(&of.library, "A", &ReadOptions::default()).map_err(failed)?;
            let now = rows.next()?;
            Ok(Ahead { rows, now })
        };
        heard(held, vec![Stream::open(open)])
    });
    assert_eq!(ahead.report(), None);
    // Three rows share an instant, of which the last one shows a later price: that of the first instant does already.
    assert_eq!(ahead.look_ahead(), Some((Instant::EPOCH, "the next row of each symbol is gone")));
}

/// What a library has is known when the run begins, and tells how long it will be.
#[test]
fn a_replay_that_knows_how_many_rows_come_is_caught() {
    let counts = faulty(|held| held.library.info("A", &AsOf::Latest).ok().map(|info| info.rows as i64));
    assert!(counts.look_ahead().is_some());
}

#[test]
#[should_panic(expected = "look-ahead bias")]
fn what_reads_ahead_fails_the_test() {
    replay(|held| {
        let last = held.library.info("A", &AsOf::Latest)?.span.map_or(0, |(_, last)| last.as_nanos());
        let of = held.clone();
        let open = move || {
            let rows = Replay::open(&of.library, "A", &ReadOptions::default()).map_err(|error| SourceError(error.to_string()))?;
            Ok(Faulty { rows, price: Some(last) })
        };
        heard(held, vec![Stream::open(open)])
    })
    .check();
}

/// Rows of one instant come in the order of a set that has another one each time.
#[test]
#[expect(clippy::disallowed_types, reason = "this is the fault that is to be caught")]
fn a_replay_in_hash_order_is_caught() {
    let build = |held: &Held| {
        let symbols: Vec<&str> = std::collections::HashSet::from(["A", "B"]).into_iter().collect();
        heard(held, vec![stream::<Tick, _>(&held.library, &symbols, &ReadOptions::default())?])
    };
    assert!(replay(build).report().is_some());
}

#[test]
#[should_panic(expected = "replay depends on how the store holds the rows")]
fn what_is_caught_fails_the_test() {
    faulty(|_| None).check();
}
