//! From what is asked to the parts that have it, and their rows. Invariant: a version's rows come in its order, each once.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::file::metadata::RowGroupMetaData;
use stillpoint_engine::Instant;

use super::core::Core;
use super::info::{AsOf, ReadOptions, Reading, VersionInfo};
use super::state::{Part, Place, Series, Symbol, Version};
use crate::date::{DateRange, LocalPolicy, Zone};
use crate::error::{StoreError, help};
use crate::log::commit_name;
use crate::query::Pushdown;
use crate::segment::{Columns, InlineDecoder, MayMatch, PlainRows, Wanted, read_inline, read_segment};
use crate::table::{TIME, Table};

/// The parts of a version that may have what is wanted. As long as it lives, their files are not removed by this process.
#[derive(Debug)]
pub(crate) struct Selected {
    core: Arc<Core>,
    pub(crate) info: VersionInfo,
    pub(crate) schema: SchemaRef,
    /// Each with the rows of it that are wanted, from .. to, counted in its place.
    parts: Arc<[Taken]>,
    span: (i64, Option<i64>),
    cached: bool,
}

/// A part, and which rows of it, from .. to.
pub(super) type Taken = (Part, (u64, u64));

/// What rows lie in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    /// A commit, by its number.
    Commit(u64),
    /// A segment, by its name.
    Segment(Arc<str>),
}

impl Object {
    fn of(part: &Part) -> Self {
        match &part.place {
            Place::Inline(blob) => Self::Commit(blob.commit),
            Place::Segment(segment) => Self::Segment(segment.name.as_str().into()),
        }
    }
}

impl Core {
    pub(crate) fn no_symbol(&self, state: &Series, symbol: &str) -> StoreError {
        let help = help(symbol, state.symbols.keys().map(String::as_str));
        StoreError::SymbolNotFound { library: self.name.clone(), symbol: symbol.to_owned(), help }
    }

    pub(crate) fn no_snapshot(&self, state: &Series, snapshot: &str) -> StoreError {
        let help = match Zone::UTC.parse(snapshot, LocalPolicy::Refuse) {
            Ok(at) => format!("if the latest version of then is meant, write the whole instant, such as {at}"),
            Err(_) => help(snapshot, state.snapshots.keys().map(String::as_str)),
        };
        StoreError::SnapshotNotFound { library: self.name.clone(), snapshot: snapshot.to_owned(), help }
    }

    /// Finds a version.
    pub(crate) fn version<'a>(&self, state: &'a Series, symbol: &str, as_of: &AsOf) -> Result<(&'a Symbol, &'a Version), StoreError> {
        let known = state.symbols.get(symbol).ok_or_else(|| self.no_symbol(state, symbol));
        let found = match as_of {
            AsOf::Snapshot(name) => {
                let snapshot = state.snapshots.get(name).ok_or_else(|| self.no_snapshot(state, name))?;
                let known = known?;
                (known, snapshot.pins.get(symbol).and_then(|number| known.numbered(*number)))
            }
            AsOf::Latest => {
                let known = known?;
                (known, Some(known.latest().ok_or_else(|| self.no_symbol(state, symbol))?))
            }
            AsOf::Version(number) => {
                let known = known?;
                (known, known.numbered(*number).filter(|version| !version.hidden))
            }
            AsOf::At(at) => {
                let known = known?;
                let until = known.versions.partition_point(|version| version.at <= at.as_nanos());
                (known, known.versions[..until].iter().rev().find(|version| !version.hidden))
            }
        };
        let (known, version) = found;
        let missing = || StoreError::VersionNotFound { symbol: symbol.to_owned(), wanted: as_of.to_string(), has: numbers(known) };
        Ok((known, version.ok_or_else(missing)?))
    }

    pub(crate) fn info(&self, state: &Series, symbol: &str, version: &Version) -> VersionInfo {
        let pinned = |pins: &std::collections::BTreeMap<String, u64>| pins.get(symbol) == Some(&version.number);
        VersionInfo {
            number: version.number,
            at: Instant::from_nanos(version.at),
            rows: version.rows,
            span: version.span.map(|(first, last)| (Instant::from_nanos(first), Instant::from_nanos(last))),
            columns: state
                .schema(version.schema)
                .fields()
                .iter()
                .map(|field| (field.name().clone(), field.data_type().to_string()))
                .collect(),
            metadata: version.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok()),
            snapshots: state.snapshots.iter().filter(|(_, snapshot)| pinned(&snapshot.pins)).map(|(name, _)| name.clone()).collect(),
            deleted: version.hidden,
        }
    }

    /// Finds what is asked for. Only what is known here is looked at: refresh first.
    pub(crate) fn select(self: &Arc<Self>, symbol: &str, options: &ReadOptions) -> Result<Selected, StoreError> {
        self.log.read(|state| {
            let (known, version) = self.version(state, symbol, &options.as_of)?;
            let schema = project(symbol, state.schema(version.schema), options.columns.as_deref())?;
            let span = options.range.half_open();
            let rows = options.rows.map_or((0, version.rows), |(from, to)| (from.min(version.rows), to.min(version.rows)));
            let parts = self.hold(wanted_parts(known, version, rows, span));
            let info = self.info(state, symbol, version);
            Ok(Selected { core: self.clone(), info, schema, parts, span, cached: !options.bypass_cache })
        })
    }

    /// The files of these parts are not removed by this process until they are let go.
    fn hold(&self, parts: Vec<Taken>) -> Arc<[Taken]> {
        let parts: Arc<[Taken]> = parts.into();
        let mut in_use = self.in_use.lock();
        in_use.retain(|held| held.strong_count() > 0);
        in_use.push(Arc::downgrade(&parts));
        parts
    }

    /// What somebody of this process is about to read.
    pub(super) fn in_use(&self) -> BTreeSet<Object> {
        let held: Vec<_> = self.in_use.lock().iter().filter_map(Weak::upgrade).collect();
        held.iter().flat_map(|parts| parts.iter()).map(|(part, _)| Object::of(part)).collect()
    }

    /// Reads what is asked for.
    pub(crate) fn read(self: &Arc<Self>, symbol: &str, options: &ReadOptions) -> Result<Reading, StoreError> {
        self.refresh()?;
        let selected = self.select(symbol, options)?;
        let table = selected.table()?;
        Ok(Reading { symbol: symbol.to_owned(), version: selected.info.clone(), table })
    }

    /// What a commit's rows look like in the cache.
    pub(super) fn cache_inline(&self, symbol: &str, commit: u64, len: u64, batch: &RecordBatch) {
        let place = self.log.read(|state| {
            let symbol = state.symbols.get(symbol)?;
            let part = symbol.chain_of(symbol.latest()?).parts.last()?;
            match &part.place {
                Place::Inline(blob) if blob.commit == commit && blob.len == len => Some(blob.offset),
                _ => None,
            }
        });
        let Some(offset) = place else { return };
        let object: Arc<str> = commit_name(&self.folder, commit).into();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let key = crate::cache::ColumnKey { object: object.clone(), group: offset, column: field.name().as_str().into() };
            self.shared.cache.put(key, column);
        }
    }
}

/// What versions there are, for errors.
fn numbers(symbol: &Symbol) -> String {
    let numbers: Vec<u64> = symbol.visible().map(|version| version.number).collect();
    match &numbers[..] {
        [] => "none".to_owned(),
        [one] => format!("version {one}"),
        [first, .., last] if last - first + 1 == numbers.len() as u64 => format!("versions {first} to {last}"),
        [first, .., last] => format!("{} versions from {first} to {last}", numbers.len()),
    }
}

/// The columns that are asked for, the time index first.
pub(crate) fn project(symbol: &str, schema: &SchemaRef, columns: Option<&[String]>) -> Result<SchemaRef, StoreError> {
    let Some(columns) = columns else { return Ok(schema.clone()) };
    let mut fields = Vec::new();
    if let Ok(time) = schema.index_of(TIME)
        && !columns.iter().any(|column| column == TIME)
    {
        fields.push(schema.fields()[time].clone());
    }
    for column in columns {
        let index = schema.index_of(column).map_err(|_| {
            let help = help(column, schema.fields().iter().map(|field| field.name().as_str()));
            StoreError::Schema { symbol: symbol.to_owned(), what: format!("there is no column `{column}`: {help}") }
        })?;
        fields.push(schema.fields()[index].clone());
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// The parts of a version with any of the wanted rows.
fn wanted_parts(symbol: &Symbol, version: &Version, rows: (u64, u64), span: (i64, Option<i64>)) -> Vec<Taken> {
    let chain = symbol.chain_of(version);
    let mut index = chain.ends.partition_point(|end| *end <= rows.0);
    if span.0 > i64::MIN {
        // Rows are in order, so bounds of their instants are too.
        index = index.max(chain.parts.partition_point(|part| part.span.is_some_and(|(_, last)| last < span.0)));
    }
    let mut wanted = Vec::new();
    while let (Some(part), Some(end)) = (chain.parts.get(index), chain.ends.get(index)) {
        let start = end - part.rows;
        if start >= rows.1 || span.1.is_some_and(|to| part.span.is_some_and(|(first, _)| first >= to)) {
            break;
        }
        let (from, to) = (rows.0.max(start) - start, rows.1.min(*end) - start);
        wanted.push((part.clone(), (part.skip + from, part.skip + to)));
        index += 1;
    }
    wanted
}

impl Selected {
    /// Hands the rows on, batch by batch, until `emit` wants no more.
    pub(crate) fn for_each(
        &self,
        may_match: Option<MayMatch<'_>>,
        emit: &mut dyn FnMut(RecordBatch) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let (mut decoder, columns) = (InlineDecoder::default(), Columns { schema: self.schema.clone() });
        let in_commits = self.parts.iter().filter(|(part, _)| matches!(part.place, Place::Inline(_)));
        let in_commits = in_commits.map(|(_, (from, to))| to - from).sum();
        let mut plain = PlainRows::new(&*self.core.shared.objects, &columns, in_commits);
        for (part, rows) in &*self.parts {
            let goes_on = match &part.place {
                Place::Inline(blob) if !self.cached && self.is_inside(part) => {
                    plain.read(&commit_name(&self.core.folder, blob.commit), blob, *rows, emit)?
                }
                _ => plain.flush(emit)? && self.part(&mut decoder, part, *rows, may_match, emit)?,
            };
            if !goes_on {
                return Ok(());
            }
        }
        plain.flush(emit).map(|_| ())
    }

    /// Whether all instants of a part are wanted.
    fn is_inside(&self, part: &Part) -> bool {
        let is_inside = |(first, last): (i64, i64)| first >= self.span.0 && self.span.1.is_none_or(|to| last < to);
        self.span == (i64::MIN, None) || part.span.is_some_and(is_inside)
    }

    /// Hands rows of one part on, from .. to, counted in its place.
    fn part(
        &self,
        decoder: &mut InlineDecoder,
        part: &Part,
        rows: (u64, u64),
        may_match: Option<MayMatch<'_>>,
        emit: &mut dyn FnMut(RecordBatch) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let shared = &self.core.shared;
        let cache = self.cached.then_some(&shared.cache);
        let wanted = Wanted { rows, span: self.span, may_match, cache };
        let columns = Columns { schema: self.schema.clone() };
        match &part.place {
            Place::Segment(segment) => read_segment(&*shared.objects, segment, &columns, wanted, emit),
            Place::Inline(blob) => {
                let object = commit_name(&self.core.folder, blob.commit);
                read_inline(decoder, &*shared.objects, &object, blob, &columns, wanted, emit)
            }
        }
    }

    /// All the rows.
    pub(crate) fn table(&self) -> Result<Table, StoreError> {
        let mut batches = Vec::new();
        self.for_each(None, &mut |batch| {
            batches.push(batch);
            Ok(true)
        })?;
        Ok(Table::of(self.schema.clone(), batches))
    }

    /// Of rows of all instants, those that lie in a range, and of these columns alone. They are of the same version.
    pub(crate) fn narrowed(&self, range: DateRange, schema: SchemaRef) -> Self {
        let span = range.half_open();
        let overlaps = |part: &Part| part.span.is_none_or(|(first, last)| last >= span.0 && span.1.is_none_or(|to| first < to));
        let parts = self.core.hold(self.parts.iter().filter(|(part, _)| overlaps(part)).cloned().collect());
        Self { core: self.core.clone(), info: self.info.clone(), schema, parts, span, cached: self.cached }
    }

    /// The files that the rows are in.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self
            .parts
            .iter()
            .map(|(part, _)| match &part.place {
                Place::Segment(segment) => self.core.shared.objects.place(&segment.name),
                Place::Inline(blob) => self.core.shared.objects.place(&commit_name(&self.core.folder, blob.commit)),
            })
            .collect();
        files.dedup();
        files
    }

    /// The rows, read as they are asked for.
    pub(crate) fn scan(self) -> Scan {
        Scan {
            selected: self,
            decoder: InlineDecoder::default(),
            part: 0,
            row: 0,
            skipping: None,
            ready: Vec::new().into_iter(),
            failed: false,
        }
    }
}

/// The rows of a version, batch by batch, at constant memory.
#[derive(Debug)]
pub struct Scan {
    selected: Selected,
    decoder: InlineDecoder,
    part: usize,
    /// How far that part was read, counted in its place.
    row: u64,
    /// What need not be read.
    skipping: Option<Pushdown>,
    ready: std::vec::IntoIter<RecordBatch>,
    failed: bool,
}

impl Scan {
    /// Leaves out row groups that a query does not need.
    pub(crate) fn skipping(mut self, pushdown: Pushdown) -> Self {
        self.skipping = Some(pushdown);
        self
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.selected.schema
    }

    /// How many rows there are, at most: a part that a range cuts counts whole.
    pub fn rows(&self) -> u64 {
        self.selected.parts.iter().map(|(_, (from, to))| to - from).sum()
    }

    /// The version that is read.
    pub fn version(&self) -> &VersionInfo {
        &self.selected.info
    }

    /// The next rows of a part to read: no more than a row group.
    fn next_rows(&mut self) -> Option<(usize, (u64, u64))> {
        loop {
            let (part, (from, to)) = self.selected.parts.get(self.part)?;
            let from = self.row.max(*from);
            if from >= *to {
                (self.part, self.row) = (self.part + 1, 0);
                continue;
            }
            let end = match &part.place {
                Place::Inline(_) => *to,
                Place::Segment(segment) => {
                    let ends = segment.groups.iter().scan(0, |end, group| {
                        *end += group.rows;
                        Some(*end)
                    });
                    ends.into_iter().find(|end| *end > from).unwrap_or(*to).min(*to)
                }
            };
            self.row = end;
            return Some((self.part, (from, end)));
        }
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.next() {
                return Some(Ok(batch));
            }
            if self.failed {
                return None;
            }
            let (part, rows) = self.next_rows()?;
            let mut batches = Vec::new();
            let skipping = self.skipping.as_ref();
            let wants = |group: &RowGroupMetaData, schema: &Schema| skipping.is_none_or(|pushdown| pushdown.wants(group, schema));
            let may_match: Option<MayMatch<'_>> = skipping.map(|_| &wants as MayMatch<'_>);
            let read = self.selected.part(&mut self.decoder, &self.selected.parts[part].0, rows, may_match, &mut |batch| {
                batches.push(batch);
                Ok(true)
            });
            if let Err(error) = read {
                self.failed = true;
                return Some(Err(error));
            }
            self.ready = batches.into_iter();
        }
    }
}
