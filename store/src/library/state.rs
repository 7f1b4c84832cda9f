//! The symbols, versions and snapshots of one library. Invariant: everything that a version or snapshot shows has its rows in a chain, and
//! everything that a chain holds is counted in `stored`.
//!
//! Rows are kept in chains: lists of parts, each some rows of a segment or of a commit. A version is the first so many rows of a chain, so an append
//! adds a part and a version, whatever there is already, and compaction changes parts without any version noticing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::op::{Audit, Op, PartOp, PlaceOp, SchemaOp, Tip};
use crate::log::{BlobRef, Stamp, State};
use crate::segment::Segment;

/// Where the rows of a part lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In a commit.
    #[serde(rename = "inline")]
    Inline(BlobRef),
    /// In a file of its own.
    #[serde(rename = "segment")]
    Segment(Arc<Segment>),
}

/// Some rows of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// How many rows of the place come before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip: u64,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// The first and the last instant, or bounds of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) span: Option<(i64, i64)>,
    /// Where they are.
    pub(crate) place: Place,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !b
}

/// Rows that versions share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chain {
    pub(crate) parts: Vec<Part>,
    /// Where each part ends, in rows of the chain.
    pub(crate) ends: Vec<u64>,
}

impl Chain {
    pub(crate) fn rows(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn push(&mut self, part: Part) {
        self.ends.push(self.rows() + part.rows);
        self.parts.push(part);
    }

    /// The parts that make up its first `rows` rows, with the last one cut.
    pub(crate) fn prefix(&self, rows: u64) -> Vec<Part> {
        let whole = self.ends.partition_point(|end| *end <= rows);
        let mut parts = self.parts[..whole].to_vec();
        let there = if whole == 0 { 0 } else { self.ends[whole - 1] };
        if there < rows
            && let Some(part) = self.parts.get(whole)
        {
            parts.push(Part { rows: rows - there, ..part.clone() });
        }
        parts
    }

    fn of(parts: Vec<Part>) -> Self {
        let mut chain = Self::default();
        parts.into_iter().for_each(|part| chain.push(part));
        chain
    }
}

/// One version of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    #[serde(rename = "n")]
    pub(crate) number: u64,
    #[serde(rename = "at")]
    pub(crate) at: i64,
    #[serde(rename = "c")]
    pub(crate) chain: u64,
    #[serde(rename = "r")]
    pub(crate) rows: u64,
    #[serde(rename = "s")]
    pub(crate) schema: u32,
    /// The first and the last instant, exactly.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) span: Option<(i64, i64)>,
    /// JSON.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Arc<str>>,
    /// Deleted, but a snapshot shows it.
    #[serde(rename = "h", default, skip_serializing_if = "is_false")]
    pub(crate) hidden: bool,
}

/// One symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Symbol {
    /// The number of the version that comes next.
    pub(crate) next: u64,
    /// By number.
    pub(crate) versions: Vec<Version>,
    pub(crate) chains: BTreeMap<u64, Chain>,
}

impl Symbol {
    /// The latest version that is not deleted.
    pub(crate) fn latest(&self) -> Option<&Version> {
        self.versions.iter().rev().find(|version| !version.hidden)
    }

    /// A version by its number, also a deleted one that a snapshot shows.
    pub(crate) fn numbered(&self, number: u64) -> Option<&Version> {
        self.versions.binary_search_by_key(&number, |version| version.number).ok().map(|index| &self.versions[index])
    }

    /// The versions that are not deleted.
    pub(crate) fn visible(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions.iter().filter(|version| !version.hidden)
    }

    pub(crate) fn chain_of(&self, version: &Version) -> &Chain {
        &self.chains[&version.chain]
    }
}

/// Versions of several symbols, as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) at: i64,
    /// Symbol to version.
    pub(crate) pins: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Arc<str>>,
}

/// A segment that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    bytes: u64,
    /// How many parts of chains show rows of it.
    parts: u64,
}

/// What a library holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) symbols: BTreeMap<String, Symbol>,
    /// Symbols that were deleted, and where their numbers go on.
    retired: BTreeMap<String, u64>,
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    schemas: Vec<Arc<Schema>>,
    stored: BTreeMap<String, Stored>,
    /// Bytes of rows that lie in commits, by commit.
    inline: BTreeMap<u64, u64>,
    /// All bytes in `stored` and `inline`.
    pub(crate) bytes: u64,
    /// Segments that nothing shows any more, and since when.
    pub(crate) garbage: BTreeMap<String, i64>,
    pub(crate) audit: Vec<Audit>,
}

impl Series {
    /// The number that a new version of a symbol gets.
    pub(crate) fn next_number(&self, symbol: &str) -> u64 {
        let known = self.symbols.get(symbol).map(|symbol| symbol.next);
        known.or_else(|| self.retired.get(symbol).copied()).unwrap_or(1)
    }

    pub(crate) fn schema(&self, id: u32) -> &Arc<Schema> {
        &self.schemas[id as usize]
    }

    /// How operations name a schema.
    pub(crate) fn schema_op(&self, schema: &Arc<Schema>) -> SchemaOp {
        match self.schemas.iter().position(|known| known == schema) {
            Some(id) => SchemaOp::Known(id as u32),
            None => SchemaOp::New(schema.clone()),
        }
    }

    /// Whether a commit holds rows that a version or snapshot shows.
    pub(crate) fn has_rows_in(&self, commit: u64) -> bool {
        self.inline.contains_key(&commit)
    }

    /// All segments that versions and snapshots show, each once.
    pub(crate) fn shown(&self) -> Vec<Arc<Segment>> {
        let chains = self.symbols.values().flat_map(|symbol| symbol.chains.values());
        let segments = chains.flat_map(|chain| &chain.parts).filter_map(|part| match &part.place {
            Place::Segment(segment) => Some((segment.name.as_str(), segment)),
            Place::Inline(_) => None,
        });
        let by_name: BTreeMap<&str, &Arc<Segment>> = segments.collect();
        by_name.into_values().cloned().collect()
    }

    /// The commits that hold rows of versions or snapshots.
    pub(crate) fn commits_with_rows(&self) -> Vec<u64> {
        self.inline.keys().copied().collect()
    }

    fn intern(&mut self, schema: &SchemaOp) -> u32 {
        match schema {
            SchemaOp::Known(id) => *id,
            SchemaOp::New(schema) => match self.schemas.iter().position(|known| known == schema) {
                Some(id) => id as u32,
                None => {
                    self.schemas.push(schema.clone());
                    self.schemas.len() as u32 - 1
                }
            },
        }
    }

    fn hold(&mut self, part: &Part) {
        match &part.place {
            Place::Inline(blob) => {
                *self.inline.entry(blob.commit).or_default() += blob.len;
                self.bytes += blob.len;
            }
            Place::Segment(segment) => {
                self.garbage.remove(&segment.name);
                let stored = self.stored.entry(segment.name.clone()).or_insert(Stored { bytes: segment.bytes, parts: 0 });
                stored.parts += 1;
                if stored.parts == 1 {
                    self.bytes += segment.bytes;
                }
            }
        }
    }

    fn release(&mut self, part: &Part, at: Instant) {
        match &part.place {
            Place::Inline(blob) => {
                let held = self.inline.get_mut(&blob.commit).expect("a part is held until it is released");
                *held -= blob.len;
                self.bytes -= blob.len;
                if *held == 0 {
                    self.inline.remove(&blob.commit);
                }
            }
            Place::Segment(segment) => {
                let stored = self.stored.get_mut(&segment.name).expect("a part is held until it is released");
                stored.parts -= 1;
                if stored.parts == 0 {
                    self.bytes -= stored.bytes;
                    self.stored.remove(&segment.name);
                    self.garbage.insert(segment.name.clone(), at.as_nanos());
                }
            }
        }
    }

    fn parts(&mut self, parts: &[PartOp], blob: Option<&BlobRef>) -> Vec<Part> {
        let parts: Vec<Part> = parts
            .iter()
            .map(|part| {
                let place = match &part.place {
                    PlaceOp::Here => Place::Inline(blob.expect("an operation with rows here has them").clone()),
                    PlaceOp::At(place) => place.clone(),
                };
                Part { skip: part.skip, rows: part.rows, span: part.span, place }
            })
            .collect();
        parts.iter().for_each(|part| self.hold(part));
        parts
    }

    fn add_version(&mut self, symbol: &str, stamp: Stamp, make: impl FnOnce(&mut Symbol, u64) -> Version) {
        let next = self.next_number(symbol);
        self.retired.remove(symbol);
        let entry = self.symbols.entry(symbol.to_owned()).or_default();
        let version = make(entry, next);
        assert_eq!(version.at, stamp.at.as_nanos(), "a version has the time of its commit");
        entry.next = next + 1;
        entry.versions.push(version);
    }

    /// Removes versions, or hides those that a snapshot shows; then the rows that nothing shows.
    fn remove_versions(&mut self, name: &str, gone: impl Fn(&Version) -> bool, at: Instant) {
        let pinned: Vec<u64> = self.snapshots.values().filter_map(|snapshot| snapshot.pins.get(name).copied()).collect();
        let Some(symbol) = self.symbols.get_mut(name) else { return };
        symbol.versions.retain_mut(|version| {
            version.hidden |= gone(version);
            !version.hidden || pinned.contains(&version.number)
        });
        self.tidy(name, at);
    }

    /// Removes the version before the last one, or hides it if a snapshot shows it. All its rows are in the last one, so none is dropped.
    fn replace_before_last(&mut self, name: &str) {
        let Some(versions) = self.symbols.get_mut(name).map(|symbol| &mut symbol.versions) else { return };
        let before = versions.len() - 2;
        let number = versions[before].number;
        if self.snapshots.values().any(|snapshot| snapshot.pins.get(name) == Some(&number)) {
            versions[before].hidden = true;
        } else {
            versions.remove(before);
        }
    }

    /// Drops the rows of a symbol that no version shows, and the symbol if it has no version left.
    fn tidy(&mut self, name: &str, at: Instant) {
        let Some(symbol) = self.symbols.get_mut(name) else { return };
        let mut longest: BTreeMap<u64, u64> = BTreeMap::new();
        for version in &symbol.versions {
            let rows = longest.entry(version.chain).or_default();
            *rows = (*rows).max(version.rows);
        }
        let mut dropped = Vec::new();
        symbol.chains.retain(|id, chain| {
            let rows = longest.get(id).copied();
            let keep = rows.map_or(0, |rows| chain.ends.partition_point(|end| *end < rows) + usize::from(rows > 0));
            dropped.extend(chain.parts.split_off(keep.min(chain.parts.len())));
            chain.ends.truncate(keep);
            rows.is_some()
        });
        if symbol.versions.is_empty() {
            let next = symbol.next;
            self.symbols.remove(name);
            self.retired.insert(name.to_owned(), next);
        }
        dropped.iter().for_each(|part| self.release(part, at));
    }

    fn compact(&mut self, symbol: &str, chain: u64, from: u64, parts: &[PartOp], at: Instant) {
        let fresh = self.parts(parts, None);
        let chain = self.symbols.get_mut(symbol).and_then(|symbol| symbol.chains.get_mut(&chain)).expect("planned on this state");
        let to = from + fresh.iter().map(|part| part.rows).sum::<u64>();
        let first = chain.ends.partition_point(|end| *end <= from);
        let last = chain.ends.partition_point(|end| *end <= to);
        let old: Vec<Part> = chain.parts.splice(first..last, fresh).collect();
        *chain = Chain::of(std::mem::take(&mut chain.parts));
        old.iter().for_each(|part| self.release(part, at));
    }
}

impl State for Series {
    type Op = Op;
    type Tip = Tip;

    fn apply(&mut self, op: &Op, stamp: Stamp, blob: Option<&BlobRef>) {
        let at = stamp.at.as_nanos();
        match op {
            Op::Write { symbol, schema, parts, span, metadata } => {
                let (schema, parts) = (self.intern(schema), self.parts(parts, blob));
                self.add_version(symbol, stamp, |symbol, number| {
                    let chain = Chain::of(parts);
                    let rows = chain.rows();
                    symbol.chains.insert(number, chain);
                    Version { number, at, chain: number, rows, schema, span: *span, metadata: metadata.clone(), hidden: false }
                });
            }
            Op::Append { symbol, schema, parts, span, metadata, replaces } => {
                let (schema, parts) = (self.intern(schema), self.parts(parts, blob));
                let mut shared = Vec::new();
                self.add_version(symbol, stamp, |symbol, number| {
                    let before = symbol.latest().expect("planned on this state").clone();
                    let mut chain = before.chain;
                    if symbol.chains[&chain].rows() != before.rows {
                        // Another version goes on where this one ends: from here on they part.
                        let prefix = symbol.chains[&chain].prefix(before.rows);
                        shared = prefix.clone();
                        chain = number;
                        symbol.chains.insert(number, Chain::of(prefix));
                    }
                    let rows = symbol.chains.get_mut(&chain).expect("it is there");
                    parts.into_iter().for_each(|part| rows.push(part));
                    let rows = rows.rows();
                    let metadata = metadata.clone().or(before.metadata);
                    Version { number, at, chain, rows, schema, span: *span, metadata, hidden: false }
                });
                shared.iter().for_each(|part| self.hold(part));
                if *replaces {
                    self.replace_before_last(symbol);
                }
            }
            Op::Describe { symbol, metadata } => self.add_version(symbol, stamp, |symbol, number| {
                let before = symbol.latest().expect("planned on this state").clone();
                Version { number, at, metadata: metadata.clone(), ..before }
            }),
            Op::Restore { symbol, number } => self.add_version(symbol, stamp, |symbol, next| {
                let before = symbol.numbered(*number).expect("planned on this state").clone();
                Version { number: next, at, hidden: false, ..before }
            }),
            Op::Drop { symbol, versions } => self.remove_versions(symbol, |version| versions.contains(&version.number), stamp.at),
            Op::DropSymbol { symbol } => self.remove_versions(symbol, |_| true, stamp.at),
            Op::Rename { symbol, to } => {
                if let Some(moved) = self.symbols.remove(symbol) {
                    self.retired.insert(symbol.clone(), moved.next);
                    let next = self.retired.remove(to).unwrap_or(1).max(moved.next);
                    self.symbols.insert(to.clone(), Symbol { next, ..moved });
                    for snapshot in self.snapshots.values_mut() {
                        if let Some(pin) = snapshot.pins.remove(symbol) {
                            snapshot.pins.insert(to.clone(), pin);
                        }
                    }
                }
            }
            Op::Snapshot { name, pins, metadata } => {
                self.snapshots.insert(name.clone(), Snapshot { at, pins: pins.clone(), metadata: metadata.clone() });
            }
            Op::DropSnapshot { name } => {
                let pins = self.snapshots.remove(name).map(|snapshot| snapshot.pins).unwrap_or_default();
                for symbol in pins.keys() {
                    self.remove_versions(symbol, |_| false, stamp.at);
                }
            }
            Op::Compact { symbol, chain, from, parts } => self.compact(symbol, *chain, *from, parts, stamp.at),
            Op::Swept { segments } => segments.iter().for_each(|name| _ = self.garbage.remove(name)),
            Op::Audit { symbol, version, what, message } => {
                let (symbol, what, message) = (symbol.clone(), what.clone(), message.clone());
                self.audit.push(Audit { at, symbol, version: *version, what, message });
            }
        }
    }
}
