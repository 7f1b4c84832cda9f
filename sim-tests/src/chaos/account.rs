//! What a run has to say for itself, and the first difference of two such accounts. Invariant: two accounts that differ anywhere are told apart.

use std::collections::BTreeMap;
use std::fmt;

/// One delivery. Paths are texts, so that accounts of the engine and of the model are of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Instant, round and step.
    pub site: (i64, u32, u32),
    /// Who received it.
    pub receiver: String,
    /// How many records the receiver has with this one; `None`: a dead letter.
    pub count: Option<u64>,
    /// Who sent it.
    pub sender: String,
    /// The sender's count when it was sent.
    pub sender_count: u64,
    /// The kind of the message.
    pub kind: String,
    /// The digest of the message.
    pub digest: u64,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, round, step) = self.site;
        write!(f, "{at} r{round} k{step} `{}` ", self.receiver)?;
        match self.count {
            Some(count) => write!(f, "#{count}")?,
            None => f.write_str("dead")?,
        }
        write!(f, " <- `{}` #{} {} {:016x}", self.sender, self.sender_count, self.kind, self.digest)
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left.
    Done,
    /// All that was left lay behind `until`.
    Until,
    /// An actor asked for it.
    Stopped,
    /// Too many deliveries for one actor: where, who, how many.
    Mailbox((i64, u32, u32), String, usize),
    /// Too many steps: where, and the first senders and receivers.
    Livelock((i64, u32, u32), Vec<String>),
    /// A late item: where, the stream, the index.
    Late((i64, u32, u32), String, u64),
    /// A panic: where, who, while handling what.
    Panic((i64, u32, u32), String, String),
    /// An undeclared send: where, from whom, to whom, while handling what.
    Undeclared((i64, u32, u32), String, String, String),
    /// Something that no program does.
    Other(String),
}

/// All that is compared of two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Every record, in file order.
    pub records: Vec<Record>,
    /// How it ended.
    pub ending: Ending,
    /// Items of streams that were delivered, each once.
    pub events: u64,
    /// Records that are no dead letters.
    pub deliveries: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Late items of every stream that has any.
    pub late: BTreeMap<String, u64>,
    /// Items left out during a pause, of every stream that has any. `None`: not known, since the run did not read all streams.
    pub paused: Option<BTreeMap<String, u64>>,
    /// Items left out before the start, of every stream that has any. `None`: not known, since the run did not read all streams.
    pub skipped: Option<BTreeMap<String, u64>>,
    /// What would have been due after the last instant. `None`: not known, since the run did not read all streams.
    pub never: Option<u64>,
    /// The memory of every actor after its last whole delivery.
    pub memories: BTreeMap<String, u64>,
}

impl Account {
    /// Describes the first difference of two accounts, the expected one first. `None` if they are equal.
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let same = self.records.iter().zip(&other.records).take_while(|(a, b)| a == b).count();
        if same < self.records.len().max(other.records.len()) {
            let mut text = format!("records differ from number {same} on\n");
            for record in &self.records[same.saturating_sub(12)..same] {
                text += &format!("    both:     {record}\n");
            }
            for (who, records) in [("expected", &self.records), ("found   ", &other.records)] {
                for record in records.iter().skip(same).take(3) {
                    text += &format!("    {who}: {record}\n");
                }
                if records.len() == same {
                    text += &format!("    {who}: nothing more\n");
                }
            }
            return Some(text + &format!("    ends: expected {:?}, found {:?}\n", self.ending, other.ending));
        }
        let (mut a, mut b) = (self.clone(), other.clone());
        for (one, another) in [(&mut a, other), (&mut b, self)] {
            one.records.clear();
            one.paused = one.paused.take().filter(|_| another.paused.is_some());
            one.skipped = one.skipped.take().filter(|_| another.skipped.is_some());
            one.never = one.never.filter(|_| another.never.is_some());
        }
        (a != b).then(|| format!("all {same} records are equal, but\n    expected {a:?}\n    found    {b:?}\n"))
    }
}
