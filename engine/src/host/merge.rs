//! What several shards have observed, given to one observer and one log in the order of trace files. Invariant: they are called as the inline
//! host would have called them, whatever the number of shards, the bounds of windows and the numbers that names have in each shard.
//!
//! A shard observes through a [`Tap`]. At the end of a window its host takes what was observed as a [`Part`], and one [`Merge`] either commits
//! the parts of all shards or discards them. A run that is done again on the inline host goes on [where the merge stands](Merge::inline).

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use crate::event::LogLine;
use crate::kernel::core::LogSink;
use crate::path::{Path, Rank};
use crate::time::Instant;
use crate::trace::{Kinds, Observer, TraceHash, TraceRecord, Wording};

/// A log that may be moved to another thread.
pub(crate) type SharedLog = Box<dyn FnMut(LogLine<'_>) + Send>;

/// No number, no text.
const NONE: u32 = u32::MAX;

/// A record whose names have the numbers of its shard, and whose text, if it has one, is next in the part's texts.
struct Kept {
    at: Instant,
    round: u32,
    step: u32,
    receiver: u32,
    sender: u32,
    count: Option<u64>,
    sender_count: u64,
    digest: u64,
    kind: u32,
    text: u32,
}

/// A log line; its text is next in the part's texts.
struct Line {
    /// How many records of the part come before it.
    after: usize,
    at: Instant,
    round: u32,
    step: u32,
    writer: u32,
    text: usize,
}

/// What one shard has observed in one window, in its order. Emptied by the merge, it is a spare that holds memory for another window.
#[derive(Default)]
pub(crate) struct Part {
    /// Names that are new in this window; the shard announces each of them once.
    names: Vec<(u32, Path, Rank)>,
    records: Vec<Kept>,
    lines: Vec<Line>,
    writers: Vec<(Path, Rank)>,
    texts: String,
    /// Kept from window to window, as what follows.
    kinds: Kinds,
    /// The kind that each receiver had last.
    likely: Vec<u32>,
}

impl Part {
    fn keep(&mut self, record: &TraceRecord<'_>) {
        let receiver = record.receiver as usize;
        if self.likely.len() <= receiver {
            self.likely.resize(receiver + 1, NONE);
        }
        let (kind, _) = self.kinds.intern(record.kind, self.likely[receiver]);
        self.likely[receiver] = kind;
        let text = record.text.map_or(NONE, |text| {
            self.texts.push_str(text);
            u32::try_from(text.len()).ok().filter(|len| *len != NONE).expect("a text below 4 GiB")
        });
        let TraceRecord { at, round, step, receiver, sender, count, sender_count, digest, .. } = *record;
        self.records.push(Kept { at, round, step, receiver, sender, count, sender_count, digest, kind, text });
    }

    fn write(&mut self, line: &LogLine<'_>) {
        if self.writers.last().is_none_or(|(path, _)| path != line.actor) {
            self.writers.push((line.actor.clone(), line.rank));
        }
        let before = self.texts.len();
        std::fmt::Write::write_fmt(&mut self.texts, line.text).expect("a text takes any text");
        let LogLine { at, round, step, .. } = *line;
        let (writer, text) = (self.writers.len() as u32 - 1, self.texts.len() - before);
        self.lines.push(Line { after: self.records.len(), at, round, step, writer, text });
    }

    fn clear(&mut self) {
        self.names.clear();
        self.records.clear();
        self.lines.clear();
        self.writers.clear();
        self.texts.clear();
    }
}

/// The observer and the log of one shard. Clones share what they keep.
#[derive(Clone)]
pub(crate) struct Tap {
    part: Rc<RefCell<Part>>,
    wording: Option<Wording>,
}

impl Tap {
    /// Has observed nothing. `wording` is that of the [merge](Merge::wording).
    pub(crate) fn new(wording: Option<Wording>) -> Self {
        Self { part: Rc::default(), wording }
    }

    /// Takes the shard's log lines.
    pub(crate) fn log(&self) -> LogSink {
        let part = self.part.clone();
        Box::new(move |line| part.borrow_mut().write(&line))
    }

    /// What was observed since the last call; what comes next is kept in `spare`, which must be empty.
    pub(crate) fn take(&self, spare: Part) -> Part {
        self.part.replace(spare)
    }
}

impl Observer for Tap {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        self.part.borrow_mut().names.push((id, path.clone(), rank));
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        self.part.borrow_mut().keep(record);
        Ok(())
    }

    /// The merge tells the end.
    fn end(&mut self, _: TraceHash) -> io::Result<()> {
        Ok(())
    }

    fn wording(&self) -> Option<Wording> {
        self.wording.clone()
    }
}

/// Somebody who appears in the run.
struct Known {
    path: Path,
    rank: Rank,
    /// The number that the inner observer knows.
    number: u32,
}

/// Everybody, under numbers of the merge's own: slots.
#[derive(Default)]
struct Everybody {
    slots: Vec<Known>,
    by_path: BTreeMap<Path, u32>,
    announced: u32,
}

impl Everybody {
    fn slot(&mut self, path: &Path, rank: Rank) -> u32 {
        if let Some(slot) = self.by_path.get(path) {
            debug_assert_eq!(self.slots[*slot as usize].rank, rank, "{path} has two ranks");
            return *slot;
        }
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 names in a run");
        self.slots.push(Known { path: path.clone(), rank, number: NONE });
        self.by_path.insert(path.clone(), slot);
        slot
    }

    /// The number that the observer knows; it is told of it now if it does not.
    fn number(&mut self, slot: u32, observer: &mut dyn Observer) -> u32 {
        let known = &mut self.slots[slot as usize];
        if known.number == NONE {
            known.number = self.announced;
            self.announced += 1;
            observer.name(known.number, &known.path, known.rank);
        }
        known.number
    }

    fn compare(&self, a: Key, b: Key) -> Ordering {
        let place = |slot: u32| (self.slots[slot as usize].rank, &self.slots[slot as usize].path);
        (a.at, a.round, a.step)
            .cmp(&(b.at, b.round, b.step))
            .then_with(|| if a.receiver == b.receiver { Ordering::Equal } else { place(a.receiver).cmp(&place(b.receiver)) })
    }
}

/// Where a record or a line stands. Those of one receiver and step are all in one part, in order.
#[derive(Clone, Copy)]
struct Key {
    at: Instant,
    round: u32,
    step: u32,
    /// A slot.
    receiver: u32,
}

/// What the merge knows of one shard.
#[derive(Default)]
struct Seat {
    /// From the shard's numbers to slots.
    slots: Vec<u32>,
    /// From the part's writers to slots.
    writers: Vec<u32>,
    /// The next record, the next line and the next byte of the texts.
    record: usize,
    line: usize,
    text: usize,
}

impl Seat {
    fn learn(&mut self, part: &Part, everybody: &mut Everybody) {
        for (id, path, rank) in &part.names {
            set(&mut self.slots, *id, everybody.slot(path, *rank));
        }
        self.writers.clear();
        self.writers.extend(part.writers.iter().map(|(path, rank)| everybody.slot(path, *rank)));
        (self.record, self.line, self.text) = (0, 0, 0);
    }

    /// The line that comes before the next record.
    fn line<'a>(&self, part: &'a Part) -> Option<&'a Line> {
        part.lines.get(self.line).filter(|line| line.after <= self.record)
    }

    fn head(&self, part: &Part) -> Option<Key> {
        if let Some(line) = self.line(part) {
            return Some(Key { at: line.at, round: line.round, step: line.step, receiver: self.writers[line.writer as usize] });
        }
        let record = part.records.get(self.record)?;
        Some(Key { at: record.at, round: record.round, step: record.step, receiver: self.slots[record.receiver as usize] })
    }

    fn text<'a>(&mut self, part: &'a Part, len: usize) -> &'a str {
        let from = self.text;
        self.text += len;
        &part.texts[from..self.text]
    }
}

/// Puts a slot under a number.
fn set(slots: &mut Vec<u32>, id: u32, slot: u32) {
    let index = id as usize;
    if slots.len() <= index {
        slots.resize(index + 1, NONE);
    }
    slots[index] = slot;
}

/// The one observer and the one log of a run on several shards.
#[derive(Default)]
pub(crate) struct Merge {
    observer: Option<Box<dyn Observer + Send>>,
    log: Option<SharedLog>,
    everybody: Everybody,
    seats: Vec<Seat>,
    /// How many records and lines were told.
    records: u64,
    lines: u64,
    /// What the observer said to the last record that it was told of.
    refused: Option<(io::ErrorKind, String)>,
}

impl Merge {
    pub(crate) fn new(observer: Option<Box<dyn Observer + Send>>, log: Option<SharedLog>) -> Self {
        Self { observer, log, ..Self::default() }
    }

    /// Whether shards need an observer.
    pub(crate) fn observes(&self) -> bool {
        self.observer.is_some()
    }

    /// Whether shards need a log.
    pub(crate) fn logs(&self) -> bool {
        self.log.is_some()
    }

    /// What texts records should carry.
    pub(crate) fn wording(&self) -> Option<Wording> {
        self.observer.as_ref().and_then(|observer| observer.wording())
    }

    /// Tells all that was observed in a window, of which `parts` has one part for each shard; then empties the parts. Shards keep their place
    /// in `parts` from window to window.
    ///
    /// # Errors
    /// That of the observer, which is told of nothing more. The run is to be done again [inline](Merge::inline) from its beginning: it
    /// then ends as if it had been inline from the beginning.
    pub(crate) fn commit(&mut self, parts: &mut [Part]) -> io::Result<()> {
        self.learn(parts);
        let mut told = Ok(());
        while told.is_ok()
            && let Some((shard, bound)) = self.least(parts)
        {
            told = self.tell_from(shard, &parts[shard], bound);
        }
        parts.iter_mut().for_each(Part::clear);
        told
    }

    /// Empties the parts of a window that did not happen.
    pub(crate) fn discard(&mut self, parts: &mut [Part]) {
        // A shard that goes on announces no name a second time.
        self.learn(parts);
        parts.iter_mut().for_each(Part::clear);
    }

    /// The run has ended with this hash.
    ///
    /// # Errors
    /// That of the observer.
    pub(crate) fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.observer.as_mut().map_or(Ok(()), |observer| observer.end(hash))
    }

    /// An observer and a log, where there are any, for a run that is done again on the inline host: they pass on what was not told.
    pub(crate) fn inline(self) -> (Option<Box<dyn Observer>>, Option<LogSink>) {
        let (observes, logs) = (self.observes(), self.logs());
        let inline = Inline { slots: Vec::new(), records: self.records, lines: self.lines, merge: self };
        let inline = Rc::new(RefCell::new(inline));
        let log = inline.clone();
        let log: LogSink = Box::new(move |line| log.borrow_mut().write(line));
        (observes.then(|| Box::new(InlineObserver(inline)) as Box<dyn Observer>), logs.then_some(log))
    }

    fn learn(&mut self, parts: &[Part]) {
        if self.seats.len() < parts.len() {
            self.seats.resize_with(parts.len(), Seat::default);
        }
        for (seat, part) in self.seats.iter_mut().zip(parts) {
            seat.learn(part, &mut self.everybody);
        }
    }

    /// The shard that is next, and what is next of the others.
    fn least(&self, parts: &[Part]) -> Option<(usize, Option<Key>)> {
        let mut least: Option<(usize, Key)> = None;
        let mut bound: Option<Key> = None;
        for (shard, part) in parts.iter().enumerate() {
            let Some(key) = self.seats[shard].head(part) else { continue };
            let displaced = match least {
                Some((_, other)) if self.everybody.compare(other, key).is_le() => Some(key),
                _ => least.replace((shard, key)).map(|(_, other)| other),
            };
            if let Some(key) = displaced
                && bound.is_none_or(|other| self.everybody.compare(key, other).is_lt())
            {
                bound = Some(key);
            }
        }
        least.map(|(shard, _)| (shard, bound))
    }

    /// Tells what a shard has before `bound`.
    fn tell_from(&mut self, shard: usize, part: &Part, bound: Option<Key>) -> io::Result<()> {
        let mut next = self.seats[shard].head(part);
        while let Some(key) = next {
            self.tell_next(shard, part)?;
            next = self.seats[shard].head(part);
            debug_assert!(next.is_none_or(|next| self.everybody.compare(key, next).is_le()), "a shard's records are in order");
            if next.is_some_and(|next| bound.is_some_and(|bound| self.everybody.compare(next, bound).is_ge())) {
                break;
            }
        }
        Ok(())
    }

    fn tell_next(&mut self, shard: usize, part: &Part) -> io::Result<()> {
        let seat = &mut self.seats[shard];
        if let Some(line) = seat.line(part) {
            seat.line += 1;
            let (text, (actor, rank)) = (seat.text(part, line.text), &part.writers[line.writer as usize]);
            let Line { at, round, step, .. } = *line;
            self.write(LogLine { at, round, step, actor, rank: *rank, text: format_args!("{text}") });
            return Ok(());
        }
        let Kept { at, round, step, receiver, sender, count, sender_count, digest, kind, text } = part.records[seat.record];
        seat.record += 1;
        let (receiver, sender) = (seat.slots[receiver as usize], seat.slots[sender as usize]);
        let (kind, text) = (&**part.kinds.text(kind), (text != NONE).then(|| seat.text(part, text as usize)));
        self.tell(TraceRecord { at, round, step, receiver, count, sender, sender_count, kind, digest, text })
    }

    /// Tells of a record that has slots in place of numbers.
    fn tell(&mut self, mut record: TraceRecord<'_>) -> io::Result<()> {
        let Some(observer) = &mut self.observer else { return Ok(()) };
        record.sender = self.everybody.number(record.sender, &mut **observer);
        record.receiver = self.everybody.number(record.receiver, &mut **observer);
        self.records += 1;
        let told = observer.record(&record);
        self.refused = told.as_ref().err().map(|error| (error.kind(), error.to_string()));
        told
    }

    fn write(&mut self, line: LogLine<'_>) {
        self.lines += 1;
        if let Some(log) = &mut self.log {
            log(line);
        }
    }
}

/// A run on the inline host, of which a part was told before.
struct Inline {
    merge: Merge,
    /// From the run's numbers to slots.
    slots: Vec<u32>,
    /// How many records and lines are still to be skipped.
    records: u64,
    lines: u64,
}

impl Inline {
    fn write(&mut self, line: LogLine<'_>) {
        if !skips(&mut self.lines) {
            self.merge.write(line);
        }
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        if skips(&mut self.records) {
            // What the observer said to the last record, it says again.
            let refused = if self.records == 0 { self.merge.refused.take() } else { None };
            return refused.map_or(Ok(()), |(kind, text)| Err(io::Error::new(kind, text)));
        }
        let (receiver, sender) = (self.slots[record.receiver as usize], self.slots[record.sender as usize]);
        self.merge.tell(TraceRecord { receiver, sender, ..*record })
    }
}

/// Whether this one was told before.
fn skips(left: &mut u64) -> bool {
    let skips = *left > 0;
    *left = left.saturating_sub(1);
    skips
}

struct InlineObserver(Rc<RefCell<Inline>>);

impl Observer for InlineObserver {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        let Inline { merge, slots, .. } = &mut *self.0.borrow_mut();
        set(slots, id, merge.everybody.slot(path, rank));
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        self.0.borrow_mut().record(record)
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.0.borrow_mut().merge.end(hash)
    }

    fn wording(&self) -> Option<Wording> {
        self.0.borrow().merge.wording()
    }
}

#[cfg(test)]
mod tests;
