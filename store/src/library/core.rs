//! A library of rows, as the kinds of libraries use it. Invariant: what is planned is planned again on whatever state it is committed to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use parking_lot::Mutex;
use stillpoint_engine::{Instant, Pool};

use super::info::Written;
use super::kept::is_nearly_full;
use super::op::{Op, PartOp, PlaceOp, Tip};
use super::select::Taken;
use super::state::{Place, Series};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::error::StoreError;
use crate::log::{Entry, Group, Log, Verdict};
use crate::object::{Objects, escaped};
use crate::segment::{self, SEGMENT_ROWS};
use crate::table::{Table, sliced_bytes, time_of};

/// Rows that take no more memory than this are written into the commit itself.
const INLINE_BYTES: usize = 96 << 10;

/// What the libraries of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: Cache,
    /// Distinguishes what this process writes.
    pub(crate) writer: u64,
    /// Numbers the segments that it writes.
    pub(crate) segments: AtomicU64,
    /// Where compaction and checkpoints run; `None`: only when asked for.
    pub(crate) background: Option<Arc<Pool>>,
}

/// A library of rows.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: String,
    pub(crate) folder: String,
    pub(crate) quota: AtomicU64,
    pub(crate) shared: Arc<Shared>,
    pub(crate) log: Log<Series>,
    /// What somebody of this process is about to read.
    pub(super) in_use: Mutex<Vec<Weak<[Taken]>>>,
    /// Symbols that are being compacted.
    pub(super) compacting: Mutex<BTreeSet<String>>,
    /// What went wrong in the background, lately.
    pub(super) trouble: Mutex<Option<StoreError>>,
}

/// Rows that are ready for a commit.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub(super) schema: SchemaRef,
    pub(super) parts: Vec<PartOp>,
    pub(super) blob: Option<Bytes>,
    pub(super) rows: u64,
    pub(super) span: Option<(i64, i64)>,
    pub(super) bytes: u64,
    /// As they are in memory, for the cache.
    batch: Option<RecordBatch>,
}

impl Laid {
    /// Rows that lie somewhere already.
    pub(super) fn of(schema: SchemaRef, parts: Vec<PartOp>, rows: u64, span: Option<(i64, i64)>, bytes: u64) -> Self {
        Self { schema, parts, blob: None, rows, span, bytes, batch: None }
    }
}

/// What the planner of one wish found out, for who wished it.
pub(crate) type Found<T> = Arc<Mutex<Option<T>>>;

impl Core {
    pub(crate) fn new(name: String, folder: String, quota: u64, shared: Arc<Shared>, log: Log<Series>) -> Self {
        let quota = AtomicU64::new(quota);
        Self { name, folder, quota, shared, log, in_use: Mutex::default(), compacting: Mutex::default(), trouble: Mutex::default() }
    }

    /// Puts rows where they will be: files of their own, which nobody sees yet, or bytes for the commit.
    pub(crate) fn lay(&self, symbol: &str, table: &Table) -> Result<Laid, StoreError> {
        let rows = table.rows();
        let span = table.span().map(|(first, last)| (first.as_nanos(), last.as_nanos()));
        let mut laid = Laid { schema: table.schema().clone(), parts: Vec::new(), blob: None, rows, span, bytes: 0, batch: None };
        if rows == 0 {
            return Ok(laid);
        }
        let memory: usize = table.batches().iter().map(sliced_bytes).sum();
        if memory <= INLINE_BYTES {
            let whole = table.whole()?;
            let blob = segment::encode_inline(table.schema(), std::slice::from_ref(&whole))?;
            laid.bytes = blob.len() as u64;
            laid.blob = Some(blob);
            laid.batch = Some(whole);
            laid.parts.push(PartOp { skip: 0, rows, span, place: PlaceOp::Here });
            return Ok(laid);
        }
        laid.parts = self.write_segments(symbol, table)?;
        laid.bytes =
            laid.parts.iter().map(|part| if let PlaceOp::At(Place::Segment(segment)) = &part.place { segment.bytes } else { 0 }).sum();
        Ok(laid)
    }

    /// Writes rows as segments.
    pub(super) fn write_segments(&self, symbol: &str, table: &Table) -> Result<Vec<PartOp>, StoreError> {
        let mut parts = Vec::new();
        for batches in in_runs(table.batches(), SEGMENT_ROWS) {
            let number = self.shared.segments.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}/segment/{}/{:016x}-{number:06}.parquet", self.folder, escaped(symbol), self.shared.writer);
            let (segment, bytes) = segment::write(name, table.schema(), &batches)?;
            let objects = &self.shared.objects;
            // A bucket that was asked twice for one thing may say that it is there already.
            if !objects.put_new(&segment.name, vec![bytes.clone()])? && objects.get(&segment.name)?.as_ref() != Some(&bytes) {
                let what = format!("{} is there already", objects.place(&segment.name));
                return Err(StoreError::Io { what, why: "two writers have one number, which does not happen by chance".to_owned() });
            }
            let spans = segment.groups.iter().filter_map(|group| group.span);
            let span = spans.reduce(|all, group| (all.0.min(group.0), all.1.max(group.1)));
            let rows = segment.rows();
            parts.push(PartOp { skip: 0, rows, span, place: PlaceOp::At(Place::Segment(Arc::new(segment))) });
        }
        Ok(parts)
    }

    /// Commits what `plan` says of one symbol's tip, which may be of this very group. It is asked again when the library has changed.
    pub(crate) fn commit_tip<T: Send + 'static>(
        self: &Arc<Self>,
        symbol: &str,
        laid: Laid,
        mut plan: impl FnMut(&Series, Option<Tip>, Instant) -> Result<Planned<T>, StoreError> + Send + 'static,
    ) -> Result<(T, Option<crate::log::Stamp>), StoreError> {
        let found: Found<T> = Found::default();
        let (out, name, core) = (found.clone(), symbol.to_owned(), self.clone());
        let (blob, bytes) = (laid.blob.clone(), laid.blob.as_ref().map_or(256, |blob| blob.len() + 256));
        let stamp = self.log.commit(bytes, move |state: &Series, group: &Group<Series>| {
            if group.has_whole() {
                return Ok(Verdict::Later);
            }
            let touched = group.tip(&name).cloned();
            let tip = touched.clone().or_else(|| tip_of(state, &name));
            let planned = plan(state, tip, group.at)?;
            *out.lock() = Some(planned.result);
            if planned.ops.is_empty() {
                return Ok(Verdict::Nothing);
            }
            if touched.is_some() && !planned.only_tip {
                return Ok(Verdict::Later);
            }
            // The operations that are planned already count too.
            let adds = planned.adds + touched.map_or(0, |tip| tip.adds);
            let others: u64 = group.tips().filter(|(key, _)| **key != name).map(|(_, tip)| tip.adds).sum();
            core.check_quota(state, planned.adds, others + adds)?;
            let mut blob = blob.clone();
            let entries = planned.ops.into_iter().map(|op| {
                let uses = matches!(&op, Op::Write { parts, .. } | Op::Append { parts, .. } if parts.iter().any(|part| matches!(part.place, PlaceOp::Here)));
                Entry { blob: if uses { blob.take() } else { None }, op }
            });
            let entries = entries.collect();
            let tips = planned.tip.map(|tip| (name.clone(), Tip { adds, ..tip })).into_iter().collect();
            Ok(Verdict::Commit { entries, tips, whole: false })
        })?;
        if let (Some(stamp), Some(batch)) = (stamp, &laid.batch) {
            self.cache_inline(symbol, stamp.commit, laid.blob.as_ref().map_or(0, |blob| blob.len() as u64), batch);
        }
        let result = found.lock().take().expect("a plan that succeeded said what it found");
        self.after_commit(symbol);
        Ok((result, stamp))
    }

    /// Commits what `plan` says of the whole library.
    pub(crate) fn commit_whole<T: Send + 'static>(
        &self,
        mut plan: impl FnMut(&Series, Instant) -> Result<(Vec<Op>, T), StoreError> + Send + 'static,
    ) -> Result<(T, Option<crate::log::Stamp>), StoreError> {
        let found: Found<T> = Found::default();
        let out = found.clone();
        let stamp = self.log.commit(1024, move |state: &Series, group: &Group<Series>| {
            if !group.is_empty() {
                return Ok(Verdict::Later);
            }
            let (ops, result) = plan(state, group.at)?;
            *out.lock() = Some(result);
            if ops.is_empty() {
                return Ok(Verdict::Nothing);
            }
            let entries = ops.into_iter().map(|op| Entry { op, blob: None }).collect();
            Ok(Verdict::Commit { entries, tips: Vec::new(), whole: true })
        })?;
        let result = found.lock().take().expect("a plan that succeeded said what it found");
        Ok((result, stamp))
    }

    /// No rows.
    pub(crate) fn nothing(&self) -> Laid {
        Laid::of(Arc::new(Schema::empty()), Vec::new(), 0, None, 0)
    }

    /// Whether there is room for what one adds, when all together add so much.
    fn check_quota(&self, state: &Series, adds: u64, together: u64) -> Result<(), StoreError> {
        let (quota, wanted) = (self.quota.load(Ordering::Relaxed), state.bytes + together);
        if quota > 0 && adds > 0 && wanted > quota {
            return Err(StoreError::QuotaExceeded { library: self.name.clone(), quota, wanted });
        }
        Ok(())
    }

    pub(crate) fn nearly_full(&self) -> Option<(u64, u64)> {
        let (quota, bytes) = (self.quota.load(Ordering::Relaxed), self.log.read(|state| state.bytes));
        is_nearly_full(bytes, quota).then_some((bytes, quota))
    }

    pub(crate) fn written(&self, symbol: &str, number: u64, rows: u64, at: Instant) -> Written {
        Written { symbol: symbol.to_owned(), version: number, rows, at, nearly_full: self.nearly_full() }
    }

    /// Takes in what others have committed.
    pub(crate) fn refresh(&self) -> Result<(), StoreError> {
        self.log.refresh().map(|_| ())
    }
}

/// What a plan wants.
pub(crate) struct Planned<T> {
    /// None: there is nothing to do.
    pub(super) ops: Vec<Op>,
    /// What it leaves behind.
    pub(super) tip: Option<Tip>,
    /// It needs nothing but the tip, so it may follow another operation of the same commit.
    pub(super) only_tip: bool,
    /// Bytes that it adds to the library.
    pub(super) adds: u64,
    /// What it found.
    pub(super) result: T,
}

/// How a symbol stands.
pub(super) fn tip_of(state: &Series, symbol: &str) -> Option<Tip> {
    let known = state.symbols.get(symbol)?;
    let latest = known.latest()?;
    let schema: Arc<Schema> = state.schema(latest.schema).clone();
    Some(Tip { number: known.next - 1, span: latest.span, rows: latest.rows, schema, exists: true, adds: 0 })
}

/// Batches in runs of so many rows, the last one with fewer.
fn in_runs(batches: &[RecordBatch], rows: usize) -> Vec<Vec<RecordBatch>> {
    let mut runs: Vec<Vec<RecordBatch>> = Vec::new();
    let mut room = 0;
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            if room == 0 {
                runs.push(Vec::new());
                room = rows;
            }
            let here = room.min(batch.num_rows() - from);
            runs.last_mut().expect("there is room in it").push(batch.slice(from, here));
            (from, room) = (from + here, room - here);
        }
    }
    debug_assert!(runs.iter().flatten().all(|batch| time_of(batch).is_none_or(<[i64]>::is_sorted)), "tables are in order");
    runs
}
