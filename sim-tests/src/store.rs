//! Replay from a store, held to one trace. Invariant: every way holds the same rows; only how, and what has been read before, is another.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{Instant, Pool, Rng, Simulation, Source, SourceError, Stream, Timed};
use stillpoint_store::replay::{FromRows, Replay, RowsOf};
use stillpoint_store::{Bucket, Cache, ReadOptions, SetClock, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions};

use crate::facts::{Facts, facts};
use crate::prefix::Prefixes;
use crate::sample::Sample;

/// What a simulation that replays from a store is built of.
#[derive(Clone, Debug)]
pub struct Held {
    /// The store.
    pub store: Store,
    /// The library with the rows.
    pub library: VersionLibrary,
    /// Where jobs run.
    pub pool: Arc<Pool>,
}

/// One way to hold rows and to run what replays them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The room of the cache, in bytes.
    pub cache: u64,
    /// How many rows were written at a time: few lie in the log, many in segments.
    pub part: usize,
    /// Whether the parts were put together afterwards.
    pub compacted: bool,
    /// How often the rows were replayed before: a cache is warm from then on.
    pub before: u32,
    /// Threads of the run; 0 for none but its own.
    pub threads: usize,
    /// Threads for jobs.
    pub pool: usize,
}

/// All at once, decoded anew, on one thread.
const PLAIN: Holding = Holding { cache: 0, part: usize::MAX, compacted: false, before: 0, threads: 0, pool: 0 };

/// After so many instants, at most, other futures are tried.
const FUTURES: usize = 8;

impl Holding {
    /// The ways that are tried: each dimension by itself, and those that can meet together.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for cache in [0, 4_096, 64 << 20] {
            for part in [13, 250, 5_000, usize::MAX] {
                for compacted in [false, true] {
                    all.extend([0, 1].map(|before| Self { cache, part, compacted, before, ..PLAIN }));
                }
            }
        }
        all.extend((1..=8).map(|threads| Self { cache: 64 << 20, part: 250, threads, ..PLAIN }));
        all.extend((0..=2).map(|pool| Self { cache: 4_096, part: 250, compacted: true, pool, ..PLAIN }));
        all
    }

    /// One for a few items, on one thread.
    pub(crate) fn drawn(rng: &mut Rng) -> Self {
        let mut below = |count: usize| rng.below(count as u64) as usize;
        let (cache, part) = ([0, 256, 64 << 20][below(3)], [1, 2, 7, usize::MAX][below(4)]);
        Self { cache, part, compacted: below(2) == 0, before: below(2) as u32, threads: 0, pool: below(3) }
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache, part, compacted, before, threads, pool } = self;
        match *part {
            usize::MAX => f.write_str("written at once")?,
            part => write!(f, "written {part} rows at a time")?,
        }
        let compacted = if *compacted { "compacted" } else { "not compacted" };
        write!(f, ", {compacted}, cache of {cache} bytes, replayed {before} times before, {threads} threads, {pool} for jobs")
    }
}

type Build = dyn Fn(&Held) -> Result<Simulation, Box<dyn std::error::Error + Send + Sync>> + Send + Sync;

/// Holds a simulation that replays from a store to its promises: the same rows give the same run, however the store holds them; and what happens
/// until an instant depends on no row after it. So an item must not be earlier than the time of its row.
///
/// ```
/// use stillpoint_engine::{Instant, Simulation};
/// use stillpoint_sim_tests::StoreReplay;
/// use stillpoint_store::Table;
///
/// let rows = Table::at([Instant::EPOCH]).column("price", [1i64]).finish().expect("rows");
/// StoreReplay::of(|held| {
///     let mut sim = Simulation::new("replay");
///     // Streams of `held.library` and actors that hear them come here.
///     Ok(sim.pool(held.pool.clone()))
/// })
/// .symbol("EURUSD", rows)
/// .check();
/// ```
pub struct StoreReplay {
    build: Arc<Build>,
    symbols: Vec<(String, Table)>,
}

impl fmt::Debug for StoreReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreReplay").field("symbols", &self.symbols.len()).finish_non_exhaustive()
    }
}

impl StoreReplay {
    /// A simulation that is built again for every run.
    pub fn of(build: impl Fn(&Held) -> Result<Simulation, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static) -> Self {
        Self { build: Arc::new(build), symbols: Vec::new() }
    }

    /// Rows that the library has.
    #[must_use]
    pub fn symbol(mut self, name: &str, rows: Table) -> Self {
        self.symbols.push((name.to_owned(), rows));
        self
    }

    /// Tries all ways, and other futures. Panics with the first that makes a difference.
    #[track_caller]
    pub fn check(&self) {
        if let Some((way, difference)) = self.report() {
            panic!("replay depends on how the store holds the rows. {way}:\n{difference}");
        }
        if let Some((at, future)) = self.look_ahead() {
            panic!("what comes later reaches what happens before: look-ahead bias. Until {at} the run is another if {future}");
        }
    }

    /// The first of some instants until which the run is another if rows after it are gone, and which ones are.
    ///
    /// # Panics
    /// As [`StoreReplay::report`].
    pub fn look_ahead(&self) -> Option<(Instant, &'static str)> {
        let instants = self.instants();
        let base = self.past(&self.symbols, &instants);
        let futures = [("the next row of each symbol is gone", 1), ("all rows after it are gone", usize::MAX)];
        instants.iter().flat_map(|at| futures.map(|future| (*at, future))).find_map(|(at, (future, rows))| {
            let changed: Vec<_> = self.symbols.iter().map(|(name, table)| (name.clone(), without(table, at, rows))).collect();
            let other = self.past(&changed, &instants);
            let differs = base.iter().zip(&other).find(|(one, other)| one.0 <= at && one.1 != other.1);
            differs.map(|((until, _), _)| (*until, future))
        })
    }

    /// Some instants of rows, in order.
    fn instants(&self) -> Vec<Instant> {
        let times = |(_, table): &(String, Table)| table.times().unwrap_or_else(|error| panic!("the rows cannot be replayed: {error}"));
        let all: BTreeSet<Instant> = self.symbols.iter().flat_map(times).collect();
        all.iter().copied().step_by(all.len().div_ceil(FUTURES).max(1)).collect()
    }

    /// What happens until each of these instants, when these are the rows.
    fn past(&self, symbols: &[(String, Table)], instants: &[Instant]) -> Vec<(Instant, u64)> {
        let held = held(symbols, PLAIN).unwrap_or_else(|error| panic!("the rows cannot be written: {error}"));
        let (prefixes, build) = (Prefixes::new(instants.to_vec()), self.build.clone());
        let launch = Launch::new(move || build(&held)).host(Host::Inline).observe(Box::new(prefixes.clone()));
        // How it ends is after all of these instants.
        drop(launch.run());
        prefixes.digests()
    }

    /// The first way that makes a difference to the plain one, and what differs.
    ///
    /// # Panics
    /// If the rows cannot be written to a store in memory: the test's tables are wrong.
    pub fn report(&self) -> Option<(Holding, String)> {
        let base = self.run(PLAIN);
        Holding::all().into_iter().find_map(|way| {
            let other = self.run(way);
            (other != base).then(|| (way, difference(&base, &other)))
        })
    }

    fn run(&self, way: Holding) -> Facts {
        let held = held(&self.symbols, way).unwrap_or_else(|error| panic!("the rows cannot be written: {error}"));
        for _ in 0..way.before {
            self.run_once(&held, Host::Inline);
        }
        self.run_once(&held, if way.threads == 0 { Host::Inline } else { Host::Actix { threads: way.threads } })
    }

    fn run_once(&self, held: &Held, host: Host) -> Facts {
        let (build, held) = (self.build.clone(), held.clone());
        match Launch::new(move || build(&held)).host(host).run() {
            Ok(outcome) => facts(&outcome, None),
            Err(failed) => facts(&failed.outcome, Some(&failed.error)),
        }
    }
}

/// Rows without the next so many after an instant.
fn without(rows: &Table, at: Instant, gone: usize) -> Table {
    let cut = || {
        let (whole, times) = (rows.whole()?, rows.times()?);
        let before = times.partition_point(|time| *time <= at);
        let after = before + gone.min(times.len() - before);
        Table::new(whole.schema(), vec![whole.slice(0, before), whole.slice(after, times.len() - after)])
    };
    cut().unwrap_or_else(|error: StoreError| panic!("the rows cannot be cut: {error}"))
}

/// A store in memory that holds rows like this.
fn held(symbols: &[(String, Table)], way: Holding) -> Result<Held, StoreError> {
    let options = StoreOptions { clock: Arc::new(SetClock::default()), cache: Cache::new(way.cache), background: None, writer: Some(1) };
    let store = Store::open(Arc::new(Bucket::memory()), options)?;
    let library = store.create_versions("replayed")?;
    for (symbol, rows) in symbols {
        let whole = rows.whole()?;
        let mut from = 0;
        loop {
            let count = way.part.min(whole.num_rows() - from);
            library.upsert(symbol, &Table::from_batch(whole.slice(from, count))?, &WriteOptions::default())?;
            from += count;
            if from >= whole.num_rows() {
                break;
            }
        }
        if way.compacted {
            library.compact(symbol)?;
        }
    }
    Ok(Held { store, library, pool: Arc::new(Pool::new(way.pool)) })
}

/// A stream of these items, replayed from a store: what lies there of an item is its instant and its number.
pub(crate) fn replayed<M: Sample>(items: &[Timed<M>], way: Holding) -> Stream<M> {
    let items: Arc<[Timed<M>]> = items.into();
    let open = move || {
        let places = places(&items, way).map_err(|error| SourceError(error.to_string()))?;
        Ok(Replayed { places, items: items.clone() })
    };
    Stream::open(open)
}

/// The places of items in a store; `None` if there are no items. An item may be late, and rows are in order: their time is the latest so far.
fn places<M>(items: &[Timed<M>], way: Holding) -> Result<Option<Replay<Place>>, StoreError> {
    if items.is_empty() {
        return Ok(None);
    }
    let latest = items.iter().scan(Instant::MIN, |latest, item| {
        *latest = item.at.max(*latest);
        Some(*latest)
    });
    let events: Vec<i64> = items.iter().map(|item| item.at.as_nanos()).collect();
    let numbers: Vec<i64> = (0..items.len() as i64).collect();
    let rows = Table::at(latest).column("event", events).column("number", numbers).finish()?;
    let held = held(&[("items".to_owned(), rows)], way)?;
    for _ in 0..way.before {
        held.library.read("items", &ReadOptions::default())?;
    }
    Replay::open(&held.library, "items", &ReadOptions::default()).map(Some)
}

/// Which item a row is.
struct Place(usize);

impl FromRows for Place {
    const COLUMNS: &'static [&'static str] = &["event", "number"];

    fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError> {
        let (events, numbers) = (of.integers("event")?, of.integers("number")?);
        into.extend(rows.map(|row| Timed { at: Instant::from_nanos(events[row]), value: Place(numbers[row] as usize) }));
        Ok(())
    }
}

struct Replayed<M> {
    places: Option<Replay<Place>>,
    items: Arc<[Timed<M>]>,
}

impl<M: Sample> Source for Replayed<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        let place = match &mut self.places {
            Some(places) => places.next()?,
            None => None,
        };
        Ok(place.map(|Timed { at, value: Place(number) }| Timed { at, value: self.items[number].value.clone() }))
    }
}

/// The first fact that differs and tells more than the hash of all of them.
fn difference(base: &Facts, other: &Facts) -> String {
    let differs = base.iter().zip(other).find(|(a, b)| a != b && a.0 != "the trace hash");
    match differs {
        Some(((what, plain), (_, other))) => format!("{what}\nwritten at once  {plain}\nthis way         {other}"),
        None => format!("the plain run tells {} things, this one {}", base.len(), other.len()),
    }
}
