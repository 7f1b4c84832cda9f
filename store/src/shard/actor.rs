//! The actor that serves symbols, and several of them together. Invariant: what it answers and when follows from its questions alone.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use stillpoint_engine::{
    Actor, Addr, Answer, AskId, BuildError, Context, Duration, Handler, Instant, Message, Responder, Responds, Simulation, Timer, digest_of,
};

use super::cap::capped;
use super::message::{AppendRows, Asked, Question, ReadRows, Rows, RowsAnswer, RowsRead, RowsWritten, RunQuery, WriteRows, WrittenAnswer};
use super::recorded::Recorded;
use crate::cache::Cache;
use crate::clock::SetClock;
use crate::date::DateRange;
use crate::error::StoreError;
use crate::library::{AsOf, ReadOptions, Scan, VersionLibrary, WriteOptions, Written};
use crate::object::Bucket;
use crate::query::Query;
use crate::request::{Claim, Kind, RequestId, Scope, VirtualPool};
use crate::store::{Store, StoreOptions};
use crate::table::{TIME, Table};

/// How long requests take, in virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How long each occupies a worker.
    pub fixed: Duration,
    /// How much longer for each row: rows to be written occupy the worker, rows that were read travel on their own.
    pub per_row: Duration,
}

impl Latency {
    fn of_rows(self, rows: u64) -> Duration {
        Duration::nanos(self.per_row.as_nanos().saturating_mul(i64::try_from(rows).unwrap_or(i64::MAX)))
    }
}

/// How a shard serves.
#[derive(Clone, Copy, Debug)]
pub struct ShardOptions {
    /// How many requests at a time.
    pub workers: NonZeroUsize,
    /// How long they take.
    pub latency: Latency,
}

impl Default for ShardOptions {
    /// Four at a time, a millisecond each.
    fn default() -> Self {
        Self { workers: NonZeroUsize::MIN.saturating_add(3), latency: Latency { fixed: Duration::millis(1), per_row: Duration::ZERO } }
    }
}

/// A request is due, or an answer has arrived.
#[derive(Debug, Hash)]
struct Due;

impl Message for Due {
    const KIND: &'static str = "due";
}

/// What is wanted of rows.
#[derive(Debug)]
enum Look {
    Read(ReadRows),
    Query(RunQuery),
}

#[derive(Debug)]
enum Open {
    Look { asked: Instant, look: Look, responder: Responder<RowsAnswer> },
    Change { symbol: String, rows: Rows, append: bool, responder: Responder<WrittenAnswer> },
}

/// An actor that serves the symbols of one library, or a part of them. See the [module](super).
pub struct StorageShard {
    recorded: Recorded,
    own: VersionLibrary,
    clock: Arc<SetClock>,
    latency: Latency,
    pool: VirtualPool,
    open: BTreeMap<RequestId, Open>,
    /// Rows on their way to who asked, by their arrival.
    travelling: BTreeMap<(Instant, RequestId), (Responder<RowsAnswer>, RowsAnswer)>,
    timer: Option<Timer>,
}

impl fmt::Debug for StorageShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageShard").field("recorded", &self.recorded).field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl StorageShard {
    /// A shard that has what was recorded, and a place in memory for what will be written.
    ///
    /// # Errors
    /// None that is known.
    pub fn new(recorded: Recorded, options: ShardOptions) -> Result<Self, StoreError> {
        let clock = Arc::new(SetClock::default());
        let own = StoreOptions { clock: clock.clone(), cache: Cache::new(0), background: None, writer: Some(0) };
        let own = Store::open(Arc::new(Bucket::memory()), own)?.create_versions(recorded.name())?;
        let (pool, open, travelling) = (VirtualPool::new(options.workers), BTreeMap::new(), BTreeMap::new());
        Ok(Self { recorded, own, clock, latency: options.latency, pool, open, travelling, timer: None })
    }

    fn submit(&mut self, symbol: &str, kind: Kind, rows: u64, open: Open, ctx: &mut Context<'_, Self>) {
        let claim = Claim { library: self.recorded.name().to_owned(), scope: Scope::symbol(symbol), kind };
        let id = self.pool.submit(ctx.now(), claim, self.latency.fixed + self.latency.of_rows(rows));
        self.open.insert(id, open);
        self.arm(ctx);
    }

    fn look(&mut self, asked: Instant, symbol: &str, look: Look, responder: Responder<RowsAnswer>, ctx: &mut Context<'_, Self>) {
        self.submit(symbol, Kind::Read, 0, Open::Look { asked, look, responder }, ctx);
    }

    fn change(&mut self, symbol: &str, rows: &Rows, append: bool, responder: Responder<WrittenAnswer>, ctx: &mut Context<'_, Self>) {
        let (symbol, rows) = (symbol.to_owned(), rows.clone());
        let count = rows.table().rows();
        self.submit(&symbol.clone(), Kind::Modify, count, Open::Change { symbol, rows, append, responder }, ctx);
    }

    fn arm(&mut self, ctx: &mut Context<'_, Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel(timer);
        }
        let arrival = self.travelling.keys().next().map(|(at, _)| *at);
        let next = self.pool.next().into_iter().chain(arrival).min();
        self.timer = next.map(|at| ctx.notify_at(at, Due));
    }

    fn scan(&self, symbol: &str, version: Option<u64>, options: &ReadOptions) -> Result<Scan, StoreError> {
        let as_of = version.map_or(AsOf::Latest, AsOf::Version);
        let own = || self.own.scan(symbol, &ReadOptions { as_of, ..options.clone() });
        self.recorded.scan(symbol, version, options).unwrap_or_else(own)
    }

    fn read(&self, asked: Instant, look: &Look) -> Result<RowsRead, StoreError> {
        let (symbol, version) = match look {
            Look::Read(read) => (&read.symbol, read.version),
            Look::Query(run) => (&run.symbol, run.version),
        };
        let schema = self.scan(symbol, version, &ReadOptions::default())?.schema().clone();
        let wanted = match look {
            Look::Query(run) => run.query.clone(),
            Look::Read(read) => {
                let ranged = if read.range == DateRange::ALL { Query::new() } else { Query::new().date_range(read.range) };
                match &read.columns {
                    Some(columns) => {
                        let time = (schema.index_of(TIME).is_ok() && !columns.iter().any(|column| column == TIME)).then(|| TIME.to_owned());
                        ranged.columns(time.into_iter().chain(columns.iter().cloned()))
                    }
                    None => ranged,
                }
            }
        };
        let query = capped(&wanted, &schema, symbol, asked, !self.recorded.has(symbol))?;
        let (plan, pushed) = (query.plan(&schema)?, query.pushdown());
        let columns = pushed.columns.filter(|columns| !columns.is_empty()).map(|columns| columns.into_iter().collect());
        let scan = self.scan(symbol, version, &ReadOptions { range: pushed.range, columns, ..ReadOptions::default() })?;
        let number = scan.version().number;
        let batches = plan.run(scan).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(RowsRead { version: number, rows: Table::of(plan.schema().clone(), batches).into() })
    }

    fn write(&self, symbol: &str, table: &Table, append: bool) -> Result<RowsWritten, StoreError> {
        if self.recorded.has(symbol) {
            let why = "it was recorded before the run, which must not change it: write to a symbol of another name";
            return Err(StoreError::Invalid {
                what: format!("writing to `{symbol}` of library `{}`", self.recorded.name()),
                why: why.to_owned(),
            });
        }
        let write = if append { VersionLibrary::upsert } else { VersionLibrary::write };
        let Written { version, rows, at, .. } = write(&self.own, symbol, table, &WriteOptions::default())?;
        Ok(RowsWritten { version, rows, at })
    }
}

impl Actor for StorageShard {}

impl Handler<Due> for StorageShard {
    fn handle(&mut self, _: &Due, ctx: &mut Context<'_, Self>) {
        for done in self.pool.completed(ctx.now()) {
            match self.open.remove(&done.id) {
                Some(Open::Look { asked, look, responder }) => {
                    let answer = self.read(asked, &look);
                    let rows = answer.as_ref().map_or(0, |read| read.rows.table().rows());
                    let arrival = done.ended.checked_add(self.latency.of_rows(rows)).unwrap_or(Instant::MAX);
                    self.travelling.insert((arrival, done.id), (responder, RowsAnswer(answer)));
                }
                Some(Open::Change { symbol, rows, append, responder }) => {
                    self.clock.set(done.ended);
                    let written = self.write(&symbol, rows.table(), append);
                    ctx.reply(responder, WrittenAnswer(written));
                }
                None => {}
            }
        }
        while let Some(first) = self.travelling.first_entry().filter(|first| first.key().0 <= ctx.now()) {
            let (responder, answer) = first.remove();
            ctx.reply(responder, answer);
        }
        self.arm(ctx);
    }
}

impl Responds<Asked<ReadRows>> for StorageShard {
    fn respond(&mut self, asked: &Asked<ReadRows>, responder: Responder<RowsAnswer>, ctx: &mut Context<'_, Self>) {
        self.look(asked.at, &asked.question.symbol, Look::Read(asked.question.clone()), responder, ctx);
    }
}

impl Responds<Asked<RunQuery>> for StorageShard {
    fn respond(&mut self, asked: &Asked<RunQuery>, responder: Responder<RowsAnswer>, ctx: &mut Context<'_, Self>) {
        self.look(asked.at, &asked.question.symbol, Look::Query(asked.question.clone()), responder, ctx);
    }
}

impl Responds<Asked<WriteRows>> for StorageShard {
    fn respond(&mut self, asked: &Asked<WriteRows>, responder: Responder<WrittenAnswer>, ctx: &mut Context<'_, Self>) {
        self.change(&asked.question.symbol, &asked.question.rows, false, responder, ctx);
    }
}

impl Responds<Asked<AppendRows>> for StorageShard {
    fn respond(&mut self, asked: &Asked<AppendRows>, responder: Responder<WrittenAnswer>, ctx: &mut Context<'_, Self>) {
        self.change(&asked.question.symbol, &asked.question.rows, true, responder, ctx);
    }
}

/// Which of so many shards serves a symbol: the same in every process.
///
/// ```
/// use stillpoint_store::shard::shard_of;
/// let four = std::num::NonZeroUsize::MIN.saturating_add(3);
/// assert_eq!(shard_of("prices", "EURUSD", four), shard_of("prices", "EURUSD", four));
/// assert!(shard_of("prices", "EURUSD", four) < 4);
/// ```
pub fn shard_of(library: &str, symbol: &str, shards: NonZeroUsize) -> usize {
    (digest_of(&(library, symbol)) % shards.get() as u64) as usize
}

/// The shards of a library, as those who ask know them.
#[derive(Clone, Debug)]
pub struct Shards {
    library: String,
    shards: Vec<Addr<StorageShard>>,
}

impl Shards {
    /// Adds `count` shards to a simulation, named `name-0`, `name-1` and so on.
    ///
    /// # Errors
    /// [`StoreError::Other`] with the [`BuildError`] if a name is taken.
    pub fn add(
        sim: &mut Simulation,
        name: &str,
        recorded: &Recorded,
        count: NonZeroUsize,
        options: ShardOptions,
    ) -> Result<Self, StoreError> {
        let shards = (0..count.get()).map(|index| {
            let shard = StorageShard::new(recorded.clone(), options)?;
            sim.actor(&format!("{name}-{index}"), shard).map_err(|error: BuildError| StoreError::other(error))
        });
        Ok(Self::of(recorded.name(), shards.collect::<Result<_, _>>()?))
    }

    /// Shards that are in a simulation already; all of one library, with the same recorded rows.
    pub fn of(library: impl Into<String>, shards: Vec<Addr<StorageShard>>) -> Self {
        Self { library: library.into(), shards }
    }

    /// The shard that serves a symbol.
    ///
    /// # Panics
    /// If there are no shards.
    pub fn serving(&self, symbol: &str) -> Addr<StorageShard> {
        let count = NonZeroUsize::new(self.shards.len()).expect("a library has at least one shard");
        self.shards[shard_of(&self.library, symbol, count)]
    }

    /// Asks the shard that serves the symbol. What is answered was known at this instant.
    pub fn ask<A, Q>(&self, ctx: &mut Context<'_, A>, question: Q, timeout: Option<Duration>) -> AskId
    where
        Q: Question,
        A: Handler<Answer<Asked<Q>>>,
        StorageShard: Responds<Asked<Q>>,
    {
        let shard = self.serving(question.symbol());
        let at = ctx.now();
        ctx.ask(shard, Asked { at, question }, timeout)
    }
}
