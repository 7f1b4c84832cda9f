//! What a comparison needs of a trace, in a file or in memory: blocks of records with cumulative digests. Invariant: two traces have equal
//! digests at a block's end just when all records up to there are equal.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::path::Path;
use crate::time::Instant;
use crate::trace::code::{BLOCK, Coded};
use crate::trace::reader::{Cut, FileError};
use crate::trace::record::TraceHash;
use crate::trace::table::{Kinds, Names};

/// One delivery, with names in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The instant of the delivery.
    pub at: Instant,
    /// The round inside the instant.
    pub round: u32,
    /// The step inside the round.
    pub step: u32,
    /// Who received it.
    pub receiver: Path,
    /// How many records the receiver has with this one; `None` for a dead letter.
    pub count: Option<u64>,
    /// Who sent it.
    pub sender: Path,
    /// The count of the delivery that the sender was handling; for a stream, the index of the item in its source.
    pub sender_count: u64,
    /// The kind of the message.
    pub kind: Arc<str>,
    /// The digest of the message.
    pub digest: u64,
    /// The message as text, if the trace has it.
    pub text: Option<String>,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, round, step, receiver, sender, sender_count, kind, digest, .. } = self;
        write!(f, "{at} round {round} step {step}: ")?;
        match self.count {
            Some(count) => write!(f, "{receiver} #{count} `{kind}`")?,
            None => write!(f, "dead letter to {receiver}, `{kind}`")?,
        }
        write!(f, " from {sender} #{sender_count}, digest {digest:016x}")?;
        self.text.as_ref().map_or(Ok(()), |text| write!(f, ", {text}"))
    }
}

/// Some records that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The number of records before this block.
    pub(super) before: u64,
    pub(super) records: u32,
    pub(super) first: Instant,
    /// The digest of all records up to the end of this block.
    pub(super) digest: u64,
    /// Where the records are in the file, and how many bytes they have.
    pub(super) offset: u64,
    pub(super) len: usize,
}

impl Block {
    /// The number of records up to the end of this block.
    pub(super) fn end(&self) -> u64 {
        self.before + u64::from(self.records)
    }
}

/// The records of one block.
#[derive(Default)]
pub(super) struct Loaded {
    number: Option<usize>,
    pub(super) records: Vec<Coded>,
    /// Where each record's text is in `text`: one for each record, or none at all.
    texts: Vec<Option<Range<usize>>>,
    text: String,
}

impl Loaded {
    /// Adds the text of the record that was added last.
    pub(super) fn add_text(&mut self, text: Option<&str>) {
        let from = self.text.len();
        self.text.push_str(text.unwrap_or_default());
        self.texts.push(text.map(|_| from..self.text.len()));
    }

    /// Makes sure that the block of the `position`-th record is here; gives the record's place in it.
    pub(super) fn fetch(&mut self, trace: &mut impl Blocks, position: u64) -> Result<usize, FileError> {
        let number = (position / u64::from(BLOCK)) as usize;
        if self.number != Some(number) {
            self.number = None;
            self.records.clear();
            self.texts.clear();
            self.text.clear();
            trace.load(number, self)?;
            self.number = Some(number);
        }
        Ok((position % u64::from(BLOCK)) as usize)
    }
}

/// A trace as a comparison sees it.
pub(super) trait Blocks {
    fn label(&self) -> String;
    fn names(&self) -> &Names;
    fn kinds(&self) -> &Kinds;
    fn hash(&self) -> Option<TraceHash>;
    fn cut(&self) -> Option<Cut>;
    fn index(&self) -> &[Block];

    /// Whether records have the texts of messages.
    fn with_text(&self) -> bool;

    /// Appends the records of a block.
    fn load(&mut self, number: usize, into: &mut Loaded) -> Result<(), FileError>;

    fn count(&self) -> u64 {
        self.index().last().map_or(0, Block::end)
    }

    /// Spells a record out.
    fn resolve(&self, loaded: &Loaded, slot: usize) -> Record {
        let coded = &loaded.records[slot];
        Record {
            at: coded.at,
            round: coded.round,
            step: coded.step,
            receiver: self.names().path(coded.receiver).clone(),
            count: (coded.count != 0).then_some(coded.count),
            sender: self.names().path(coded.sender).clone(),
            sender_count: coded.sender_count,
            kind: self.kinds().text(coded.kind).clone(),
            digest: coded.digest,
            text: loaded.texts.get(slot).cloned().flatten().map(|range| loaded.text[range].to_owned()),
        }
    }
}
