//! The first difference of two traces. Invariant: every record before it is equal in both, whatever numbers the names had in each run.

use std::fmt;
use std::path::Path as FilePath;

use crate::time::Instant;
use crate::trace::blocks::{Blocks, Loaded, Record};
use crate::trace::code::BLOCK;
use crate::trace::reader::{Cut, FileError, Reader};
use crate::trace::record::TraceHash;

/// How far back the causes of a record are followed.
const MAX_CAUSES: usize = 8;

/// What is known of one of two traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The file, or another name.
    pub label: String,
    /// How many records could be compared.
    pub records: u64,
    /// The hash of the run; `None` if the trace has no end.
    pub hash: Option<TraceHash>,
    /// Where the trace stops, if it has no end.
    pub cut: Option<Cut>,
}

/// A record that the other trace does not have at this place, and why it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record.
    pub record: Record,
    /// The delivery that its sender was handling, the delivery that the sender of that was handling, and so on: at most eight. Ends
    /// at a start or at an item of a stream.
    pub causes: Vec<Record>,
}

/// The first place at which two traces differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many records before it are equal.
    pub equal: u64,
    /// What the first trace has here; `None` if it has ended.
    pub a: Option<Found>,
    /// What the second trace has here; `None` if it has ended.
    pub b: Option<Found>,
}

impl Difference {
    /// The instant, round and step of the difference: the earlier of both records' ones.
    pub fn when(&self) -> (Instant, u32, u32) {
        let key = |found: &Found| (found.record.at, found.record.round, found.record.step);
        [&self.a, &self.b].into_iter().flatten().map(key).min().expect("a difference has a record")
    }
}

/// Two traces side by side. `Display` explains it to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The first trace.
    pub a: Side,
    /// The second trace.
    pub b: Side,
    /// Where they differ. `None`: they agree as far as both go.
    pub difference: Option<Difference>,
}

impl Comparison {
    /// Whether both traces are whole and the same.
    pub fn is_equal(&self) -> bool {
        self.difference.is_none() && self.a.hash.is_some() && self.a.hash == self.b.hash
    }
}

/// Compares two trace files. One without its end is compared as far as it goes, and the result says so.
///
/// # Errors
/// [`FileError`] if one of them cannot be read or is damaged.
pub fn diff(a: impl AsRef<FilePath>, b: impl AsRef<FilePath>) -> Result<Comparison, FileError> {
    compare(&mut Reader::open_cut(a)?, &mut Reader::open_cut(b)?)
}

/// Searches the cumulative digests for the first block that differs, then that block.
pub(super) fn compare(a: &mut impl Blocks, b: &mut impl Blocks) -> Result<Comparison, FileError> {
    let both = a.index().len().min(b.index().len());
    let agree = |block: usize| (a.index()[block].records, a.index()[block].digest) == (b.index()[block].records, b.index()[block].digest);
    let (mut low, mut high) = (0, both);
    while low < high {
        let middle = low + (high - low) / 2;
        if agree(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let mut equal = (low as u64 * u64::from(BLOCK)).min(a.count()).min(b.count());
    let (mut from_a, mut from_b) = (Loaded::default(), Loaded::default());
    while equal < a.count() && equal < b.count() {
        let (in_a, in_b) = (from_a.fetch(a, equal)?, from_b.fetch(b, equal)?);
        let chain_a = from_a.records[in_a].chain(0, a.names(), a.kinds());
        let chain_b = from_b.records[in_b].chain(0, b.names(), b.kinds());
        if chain_a != chain_b {
            break;
        }
        equal += 1;
    }
    let unfinished = |trace: &dyn Blocks| equal == trace.count() && trace.cut().is_some();
    let same = equal == a.count() && equal == b.count();
    let difference = if same || unfinished(a) || unfinished(b) {
        None
    } else {
        Some(Difference { equal, a: found(a, &mut from_a, equal)?, b: found(b, &mut from_b, equal)? })
    };
    Ok(Comparison { a: side(a), b: side(b), difference })
}

fn side(trace: &impl Blocks) -> Side {
    Side { label: trace.label(), records: trace.count(), hash: trace.hash(), cut: trace.cut() }
}

/// The record at this position and what led to it.
fn found(trace: &mut impl Blocks, loaded: &mut Loaded, position: u64) -> Result<Option<Found>, FileError> {
    if position >= trace.count() {
        return Ok(None);
    }
    let slot = loaded.fetch(trace, position)?;
    let record = trace.resolve(loaded, slot);
    let mut causes = Vec::new();
    let mut wanted = (loaded.records[slot].sender, loaded.records[slot].sender_count);
    let mut before = position;
    while causes.len() < MAX_CAUSES && wanted.1 > 0 {
        let Some(at) = find_back(trace, loaded, before, wanted)? else { break };
        let slot = loaded.fetch(trace, at)?;
        let cause = trace.resolve(loaded, slot);
        if is_control(&cause) {
            break;
        }
        causes.push(cause);
        wanted = (loaded.records[slot].sender, loaded.records[slot].sender_count);
        before = at;
    }
    Ok(Some(Found { record, causes }))
}

/// Only a stream receives these, and what a stream sends counts items: it was not caused by a delivery.
fn is_control(record: &Record) -> bool {
    matches!(&*record.kind, "pause" | "resume" | "end")
}

/// The last record before `before` that this receiver got with this count.
fn find_back(
    trace: &mut impl Blocks,
    loaded: &mut Loaded,
    mut before: u64,
    (receiver, count): (u32, u64),
) -> Result<Option<u64>, FileError> {
    while before > 0 {
        let last = loaded.fetch(trace, before - 1)?;
        let first = before - 1 - last as u64;
        let hit = loaded.records[..=last].iter().rposition(|record| record.receiver == receiver && record.count == count);
        if let Some(slot) = hit {
            return Ok(Some(first + slot as u64));
        }
        before = first;
    }
    Ok(None)
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} records, ", self.label, self.records)?;
        match (self.hash, self.cut) {
            (Some(hash), _) => write!(f, "trace hash {hash}"),
            (None, _) => write!(f, "no end: the run was cut, or is going on"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A {}\nB {}", self.a, self.b)?;
        match &self.difference {
            Some(difference) => write!(f, "{difference}"),
            None if self.is_equal() => write!(f, "the traces are equal"),
            None if self.a.hash.is_some() && self.b.hash.is_some() => {
                write!(f, "all records are equal, but the hashes are not: they were written by different versions of the engine")
            }
            None => write!(f, "no difference in the first {} records, which is as far as both go", self.a.records.min(self.b.records)),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, round, step) = self.when();
        write!(f, "first difference at {at}, round {round}, step {step}, after {} equal records", self.equal)?;
        if let (Some(a), Some(b)) = (&self.a, &self.b) {
            write!(f, "; not the same: {}", differing(&a.record, &b.record).join(", "))?;
        }
        for (side, found) in [("A", &self.a), ("B", &self.b)] {
            match found {
                None => write!(f, "\n{side}  nothing: the run has ended")?,
                Some(Found { record, causes }) => {
                    write!(f, "\n{side}  {record}")?;
                    causes.iter().try_for_each(|cause| write!(f, "\n   because of {cause}"))?;
                }
            }
        }
        Ok(())
    }
}

/// The names of the fields in which two records differ.
fn differing(a: &Record, b: &Record) -> Vec<&'static str> {
    let fields = [
        ("instant", a.at != b.at),
        ("round", a.round != b.round),
        ("step", a.step != b.step),
        ("receiver", a.receiver != b.receiver),
        ("receiver's count", a.count != b.count),
        ("sender", a.sender != b.sender),
        ("cause", a.sender_count != b.sender_count),
        ("kind", a.kind != b.kind),
        ("digest", a.digest != b.digest),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
