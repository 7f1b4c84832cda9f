//! A trace kept in memory, for tests.

use std::fmt;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::path::{Path, Rank};
use crate::trace::blocks::{Block, Blocks, Loaded, Record};
use crate::trace::code::{BLOCK, Coded};
use crate::trace::diff::{Comparison, compare};
use crate::trace::reader::{Cut, FileError};
use crate::trace::record::{Observer, TraceHash, TraceRecord, Wording, in_full};
use crate::trace::table::{Kinds, Names};

/// An observer that keeps all records, with their texts. Clones share what they keep: give one to the run, ask another afterwards.
///
/// ```
/// use stillpoint_engine::trace::{Collect, Observer, TraceHash};
/// let trace = Collect::new("first run");
/// let mut observer = trace.clone();
/// observer.end(TraceHash(1))?;
/// assert_eq!(trace.hash(), Some(TraceHash(1)));
/// assert!(trace.records().is_empty());
/// assert!(trace.diff(&observer).is_equal());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Collect {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Clone, Default)]
struct Kept {
    label: String,
    names: Names,
    kinds: Kinds,
    ids: Vec<u32>,
    records: Vec<Coded>,
    texts: Vec<Option<String>>,
    index: Vec<Block>,
    hash: Option<TraceHash>,
}

impl Collect {
    /// Keeps nothing yet. A comparison calls this trace `label`.
    pub fn new(label: impl Into<String>) -> Self {
        Self { kept: Arc::new(Mutex::new(Kept { label: label.into(), ..Kept::default() })) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }

    /// All records so far.
    pub fn records(&self) -> Vec<Record> {
        let mut kept = self.kept();
        let count = kept.count();
        let mut loaded = Loaded::default();
        let mut record = |position| {
            let slot = loaded.fetch(&mut *kept, position).expect("memory can be read");
            kept.resolve(&loaded, slot)
        };
        (0..count).map(&mut record).collect()
    }

    /// The hash of the run, once it has ended.
    pub fn hash(&self) -> Option<TraceHash> {
        self.kept().hash
    }

    /// Everybody's number of records, and who that is: all who appear, in the order in which they came up.
    pub fn names(&self) -> Vec<(Path, Rank)> {
        let kept = self.kept();
        (0..kept.names.len() as u32).map(|id| (kept.names.path(id).clone(), kept.names.rank(id))).collect()
    }

    /// The first difference between this trace and another one.
    pub fn diff(&self, other: &Self) -> Comparison {
        // One after the other: the two may be clones that share one lock.
        let mut a = self.kept().clone();
        let mut b = other.kept().clone();
        compare(&mut a, &mut b).expect("memory can be read")
    }
}

impl fmt::Debug for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("Collect").field("label", &kept.label).field("records", &kept.count()).field("hash", &kept.hash).finish()
    }
}

impl Observer for Collect {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        let mut kept = self.kept();
        let index = id as usize;
        if kept.ids.len() <= index {
            kept.ids.resize(index + 1, u32::MAX);
        }
        kept.ids[index] = kept.names.add(path.clone(), rank);
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        let kept = &mut *self.kept();
        let (kind, _) = kept.kinds.intern(record.kind, 0);
        let coded = Coded {
            at: record.at,
            round: record.round,
            step: record.step,
            receiver: kept.ids[record.receiver as usize],
            count: record.count.unwrap_or(0),
            sender: kept.ids[record.sender as usize],
            sender_count: record.sender_count,
            kind,
            digest: record.digest,
        };
        let before = kept.records.len() as u64;
        let chain = kept.index.last().map_or(0, |block| block.digest);
        if before.is_multiple_of(u64::from(BLOCK)) {
            kept.index.push(Block { before, records: 0, first: record.at, digest: 0, offset: before, len: 0 });
        }
        let block = kept.index.last_mut().expect("a block under way");
        block.records += 1;
        block.digest = coded.chain(chain, &kept.names, &kept.kinds);
        kept.records.push(coded);
        kept.texts.push(record.text.map(str::to_owned));
        Ok(())
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.kept().hash = Some(hash);
        Ok(())
    }

    fn wording(&self) -> Option<Wording> {
        Some(in_full())
    }
}

impl Blocks for Kept {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn names(&self) -> &Names {
        &self.names
    }

    fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    fn hash(&self) -> Option<TraceHash> {
        self.hash
    }

    fn cut(&self) -> Option<Cut> {
        self.hash.is_none().then_some(Cut { offset: self.count(), records: self.count() })
    }

    fn index(&self) -> &[Block] {
        &self.index
    }

    fn with_text(&self) -> bool {
        true
    }

    fn load(&mut self, number: usize, into: &mut Loaded) -> Result<(), FileError> {
        let block = self.index[number];
        let range = block.before as usize..block.end() as usize;
        into.records.extend_from_slice(&self.records[range.clone()]);
        self.texts[range].iter().for_each(|text| into.add_text(text.as_deref()));
        Ok(())
    }
}
