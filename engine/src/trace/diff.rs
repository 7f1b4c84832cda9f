//! The first difference of two traces. Invariant: every record before it is equal in both, whatever numbers the names had in each run.

use std::fmt;
use std::path::Path as FilePath;

use crate::path::Path;
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
    /// The delivery that its sender was handling, the delivery that the sender of that was handling, and so on: at most eight.
    pub causes: Vec<Record>,
    /// What is at the end of the causes.
    pub origin: Origin,
}

impl Found {
    fn step(&self) -> (Instant, u32, u32) {
        (self.record.at, self.record.round, self.record.step)
    }

    /// The last cause that is known.
    fn oldest(&self) -> &Record {
        self.causes.last().unwrap_or(&self.record)
    }
}

/// Where a chain of causes ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The last one is the start of an actor that was not spawned.
    Start,
    /// The last one was sent by a stream; its sender's count is the index of the item.
    Item,
    /// The last one has causes of its own, of which nothing is said here.
    Earlier,
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
        [&self.a, &self.b].into_iter().flatten().map(Found::step).min().expect("a difference has a record")
    }

    /// Who received, or should have received, what differs: one actor, or two if only one of the traces has a record for each of them.
    pub fn who(&self) -> Vec<&Path> {
        let when = self.when();
        let there = [&self.a, &self.b].into_iter().flatten().filter(|found| found.step() == when);
        let mut who: Vec<&Path> = there.map(|found| &found.record.receiver).collect();
        who.dedup();
        who
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
    let difference = if same || unfinished(a) || unfinished(b) { None } else { Some(explain((a, &mut from_a), (b, &mut from_b), equal)?) };
    Ok(Comparison { a: side(a), b: side(b), difference })
}

fn side(trace: &impl Blocks) -> Side {
    Side { label: trace.label(), records: trace.count(), hash: trace.hash(), cut: trace.cut() }
}

/// What both traces have at the first position that differs, and why.
fn explain<A: Blocks, B: Blocks>(a: (&mut A, &mut Loaded), b: (&mut B, &mut Loaded), equal: u64) -> Result<Difference, FileError> {
    let alike = a.0.with_text() == b.0.with_text();
    let a = found(a.0, a.1, equal, |_| None)?;
    // All before is equal: if one delivery has caused both, what has caused that needs no second search.
    let known = |record: &Record| {
        let a = a.as_ref().filter(|a| alike && (&a.record.sender, a.record.sender_count) == (&record.sender, record.sender_count))?;
        Some((a.causes.clone(), a.origin))
    };
    let b = found(b.0, b.1, equal, known)?;
    Ok(Difference { equal, a, b })
}

/// The record at this position and what led to it, unless that is known.
fn found(
    trace: &mut impl Blocks,
    loaded: &mut Loaded,
    position: u64,
    known: impl FnOnce(&Record) -> Option<(Vec<Record>, Origin)>,
) -> Result<Option<Found>, FileError> {
    if position >= trace.count() {
        return Ok(None);
    }
    let slot = loaded.fetch(trace, position)?;
    let record = trace.resolve(loaded, slot);
    let (causes, origin) = match known(&record) {
        Some(known) => known,
        None => causes(trace, loaded, position)?,
    };
    Ok(Some(Found { record, causes, origin }))
}

/// Follows causes back. Every search begins where the one before has ended, so that all of them together read the trace once.
fn causes(trace: &mut impl Blocks, loaded: &mut Loaded, position: u64) -> Result<(Vec<Record>, Origin), FileError> {
    let mut causes = Vec::new();
    let mut effect = position;
    loop {
        let slot = loaded.fetch(trace, effect)?;
        let (sender, count) = (loaded.records[slot].sender, loaded.records[slot].sender_count);
        if count == 0 {
            let is_start = *trace.names().path(sender) == Path::time_keeper();
            return Ok((causes, if is_start { Origin::Start } else { Origin::Item }));
        }
        let Some(at) = find_back(trace, loaded, effect, (sender, count))? else { return Ok((causes, Origin::Item)) };
        let slot = loaded.fetch(trace, at)?;
        let cause = trace.resolve(loaded, slot);
        if is_control(&cause) {
            return Ok((causes, Origin::Item));
        }
        if causes.len() == MAX_CAUSES {
            return Ok((causes, Origin::Earlier));
        }
        causes.push(cause);
        effect = at;
    }
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
        let when = self.when();
        let (at, round, step) = when;
        let who: Vec<String> = self.who().iter().map(ToString::to_string).collect();
        write!(f, "first difference at {at}, round {round}, step {step}, at {}, after {} equal records", who.join(" or "), self.equal)?;
        let both = self.a.as_ref().zip(self.b.as_ref()).filter(|(a, b)| a.step() == b.step());
        if let Some((a, b)) = both {
            write!(f, "; not the same: {}", differing(&a.record, &b.record).join(", "))?;
        }
        let common = both.filter(|(a, b)| (&a.causes, a.origin) == (&b.causes, b.origin) && !a.causes.is_empty());
        for (side, found) in [("A", &self.a), ("B", &self.b)] {
            match found {
                None => write!(f, "\n{side}  nothing: the run has ended")?,
                Some(found) if found.step() != when => write!(f, "\n{side}  nothing there; the next is {}", found.record)?,
                Some(found) => {
                    write!(f, "\n{side}  {}", found.record)?;
                    if common.is_none() {
                        write_causes(f, found, "")?;
                    }
                }
            }
        }
        common.map_or(Ok(()), |(a, _)| write_causes(f, a, "both "))
    }
}

fn write_causes(f: &mut fmt::Formatter<'_>, found: &Found, who: &str) -> fmt::Result {
    for (back, cause) in found.causes.iter().enumerate() {
        write!(f, "\n   {}because of {cause}", if back == 0 { who } else { "" })?;
    }
    match found.origin {
        Origin::Start => Ok(()),
        Origin::Item => write!(f, "\n   which is item {} of the stream {}", found.oldest().sender_count, found.oldest().sender),
        Origin::Earlier => write!(f, "\n   and of what has caused that"),
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
