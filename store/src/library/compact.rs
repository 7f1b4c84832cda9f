//! Rows that came in small pieces are put together, and files that nothing shows are removed. Invariant: no version changes by it.

use std::ops::Range;
use std::sync::Arc;

use stillpoint_engine::{Duration, Instant};

use super::core::Core;
use super::op::Op;
use super::select::Object;
use super::state::{Part, Place, Series};
use crate::date::DateRange;
use crate::error::StoreError;
use crate::log::commit_number;
use crate::segment::{Columns, GROUP_ROWS, InlineDecoder, SEGMENT_ROWS, Wanted, read_inline, read_segment};
use crate::table::Table;

/// So many bytes of a symbol's rows may lie in commits before they are moved into a segment in the background.
const INLINE_LIMIT: u64 = 4 << 20;
/// So many small segments side by side are made one in the background.
const SMALL_RUN: usize = 8;
/// A segment with fewer rows is small.
const SMALL_ROWS: u64 = (SEGMENT_ROWS / 4) as u64;

/// What compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Pieces that were put together.
    pub pieces: u64,
    /// Segments that they became.
    pub segments: u64,
    /// Their rows.
    pub rows: u64,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files of rows.
    pub segments: u64,
    /// Commits that a checkpoint stands for.
    pub commits: u64,
    /// Their bytes; those of segments are not known any more, and count 0.
    pub bytes: u64,
}

/// Parts of a chain that should become one.
struct Run {
    symbol: String,
    chain: u64,
    schema: arrow_schema::SchemaRef,
    /// The row of the chain with which it begins.
    from: u64,
    parts: Vec<Part>,
}

fn is_small(part: &Part) -> bool {
    matches!(part.place, Place::Inline(_)) || part.rows < SMALL_ROWS
}

/// Which stretches of parts should become one. `all`: every stretch of small parts; else only those that are worth it.
fn stretches(parts: &[Part], all: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while from < parts.len() {
        let len = parts[from..].iter().take_while(|part| is_small(part)).count();
        let stretch = &parts[from..from + len];
        let inline: u64 = stretch.iter().map(|part| if let Place::Inline(blob) = &part.place { blob.len } else { 0 }).sum();
        let segments = stretch.iter().filter(|part| matches!(part.place, Place::Segment(_))).count();
        if len > 1 && (all || inline >= INLINE_LIMIT || segments >= SMALL_RUN) {
            // What lies in commits is moved as it comes; the segments that come of it are put together when there are many of them.
            let start = if all || segments >= SMALL_RUN {
                0
            } else {
                stretch.iter().position(|part| matches!(part.place, Place::Inline(_))).unwrap_or(0)
            };
            found.push(from + start..from + len);
        }
        from += len.max(1);
    }
    found
}

impl Core {
    fn runs(&self, symbol: &str, all: bool) -> Vec<Run> {
        self.log.read(|state| {
            let Some(known) = state.symbols.get(symbol) else { return Vec::new() };
            let mut runs = Vec::new();
            for (id, chain) in &known.chains {
                // The latest version of a chain has the columns of all.
                let Some(version) = known.versions.iter().filter(|version| version.chain == *id).max_by_key(|version| version.rows) else {
                    continue;
                };
                for range in stretches(&chain.parts, all) {
                    let from = if range.start == 0 { 0 } else { chain.ends[range.start - 1] };
                    let schema = state.schema(version.schema).clone();
                    runs.push(Run { symbol: symbol.to_owned(), chain: *id, schema, from, parts: chain.parts[range].to_vec() });
                }
            }
            runs
        })
    }

    /// Puts the small pieces of a symbol together: all, or those that are worth it.
    pub(crate) fn compact(self: &Arc<Self>, symbol: &str, all: bool) -> Result<Compacted, StoreError> {
        let mut done = Compacted::default();
        for run in self.runs(symbol, all) {
            let table = self.rows_of(&run)?;
            let parts = self.write_segments(&run.symbol, &table)?;
            let (pieces, segments, rows) = (run.parts.len() as u64, parts.len() as u64, table.rows());
            let (replaced, _) = self.commit_whole(move |state, _| {
                if !still_there(state, &run) {
                    return Ok((Vec::new(), false));
                }
                let op = Op::Compact { symbol: run.symbol.clone(), chain: run.chain, from: run.from, parts: parts.clone() };
                Ok((vec![op], true))
            })?;
            if replaced {
                done = Compacted { pieces: done.pieces + pieces, segments: done.segments + segments, rows: done.rows + rows };
            }
        }
        Ok(done)
    }

    fn rows_of(self: &Arc<Self>, run: &Run) -> Result<Table, StoreError> {
        let (mut batches, mut decoder) = (Vec::new(), InlineDecoder::default());
        let columns = Columns { schema: run.schema.clone() };
        let objects = &*self.shared.objects;
        for part in &run.parts {
            let span = DateRange::default().half_open();
            let wanted = Wanted { rows: (part.skip, part.skip + part.rows), span, may_match: None, cache: Some(&self.shared.cache) };
            let mut emit = |batch| {
                batches.push(batch);
                Ok(true)
            };
            match &part.place {
                Place::Segment(segment) => read_segment(objects, segment, &columns, Wanted { cache: None, ..wanted }, &mut emit)?,
                Place::Inline(blob) => read_inline(
                    &mut decoder,
                    objects,
                    &crate::log::commit_name(&self.folder, blob.commit),
                    blob,
                    &columns,
                    wanted,
                    &mut emit,
                )?,
            };
        }
        // Small batches cost the writer more than one copy does.
        let batches = if batches.len() > 1 && run.parts.iter().map(|part| part.rows).sum::<u64>() <= 64 * GROUP_ROWS as u64 {
            vec![arrow_select::concat::concat_batches(&run.schema, &batches).map_err(StoreError::other)?]
        } else {
            batches
        };
        Ok(Table::of(run.schema.clone(), batches))
    }

    /// After a commit: compaction and checkpoints in the background, where they are due.
    pub(super) fn after_commit(self: &Arc<Self>, symbol: &str) {
        let Some(pool) = &self.shared.background else { return };
        let is_due = self.log.read(|state| {
            let latest = state.symbols.get(symbol).and_then(|known| Some(known.chain_of(known.latest()?)));
            // Looking at a long chain after each append would cost more than it gains.
            latest.is_some_and(|chain| chain.parts.len().is_multiple_of(64) && !stretches(&chain.parts, false).is_empty())
        });
        if is_due && self.compacting.lock().insert(symbol.to_owned()) {
            let (core, symbol) = (self.clone(), symbol.to_owned());
            // Nobody waits for it: what goes wrong is told in the statistics, and tried again.
            drop(pool.submit(move || {
                let done = core.compact(&symbol, false);
                core.compacting.lock().remove(&symbol);
                core.note(done.err());
            }));
        }
        if self.log.is_checkpoint_due() && self.compacting.lock().insert(String::new()) {
            let core = self.clone();
            drop(pool.submit(move || {
                let done = core.log.checkpoint_if_due();
                core.compacting.lock().remove("");
                core.note(done.err());
            }));
        }
    }

    fn note(&self, error: Option<StoreError>) {
        if error.is_some() {
            *self.trouble.lock() = error;
        }
    }

    /// What went wrong in the background, lately; told once.
    pub(crate) fn trouble(&self) -> Option<StoreError> {
        self.trouble.lock().take()
    }

    /// Removes files that nothing has shown for so long, and commits for which a checkpoint stands. Who opened the store before and has read
    /// nothing since may then not find them, so nobody else should be idle for longer than `grace`.
    pub(crate) fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.refresh()?;
        let now = self.shared.clock.now();
        let is_old = |since: Instant| since <= now && now.since(since) >= grace;
        let mut swept = Swept::default();
        let garbage: Vec<String> = self.log.read(|state| {
            let in_use = self.in_use();
            let old = state
                .garbage
                .iter()
                .filter(|(name, since)| is_old(Instant::from_nanos(**since)) && !in_use.contains(&Object::Segment(name.as_str().into())));
            old.map(|(name, _)| name.clone()).collect()
        });
        for name in &garbage {
            self.shared.objects.delete(name)?;
            swept.segments += 1;
        }
        if !garbage.is_empty() {
            self.commit_whole(move |_, _| Ok((vec![Op::Swept { segments: garbage.clone() }], ())))?;
        }
        for info in self.log.superseded()? {
            let Some(number) = commit_number(&info.name) else { continue };
            // Who reads rows of it has selected them before they were released, so one look at each is enough.
            let holds_rows = self.log.read(|state| state.has_rows_in(number) || self.in_use().contains(&Object::Commit(number)));
            if !holds_rows && is_old(info.written) {
                self.shared.objects.delete(&info.name)?;
                swept.commits += 1;
                swept.bytes += info.bytes;
            }
        }
        Ok(swept)
    }
}

/// Whether the parts of a run are still where they were.
fn still_there(state: &Series, run: &Run) -> bool {
    let Some(chain) = state.symbols.get(&run.symbol).and_then(|symbol| symbol.chains.get(&run.chain)) else { return false };
    let first = chain.ends.partition_point(|end| *end <= run.from);
    let begins = if first == 0 { 0 } else { chain.ends[first - 1] };
    begins == run.from && chain.parts.get(first..first + run.parts.len()) == Some(&run.parts[..])
}
