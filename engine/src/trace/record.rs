//! One delivery as the trace knows it, the hash of a whole run, and who is told of them. Invariant: nothing here depends on the host.

use std::any::Any;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::path::{Path, Rank};
use crate::time::Instant;

/// One delivery. Senders and receivers are numbers that [`Observer::name`] has announced; they mean nothing outside one observer.
///
/// ```
/// use stillpoint_engine::{Instant, trace::TraceRecord};
/// let record = TraceRecord {
///     at: Instant::EPOCH,
///     round: 0,
///     step: 0,
///     receiver: 1,
///     count: Some(1),
///     sender: 0,
///     sender_count: 0,
///     kind: "start",
///     digest: 7,
///     text: None,
/// };
/// assert!(!record.is_dead_letter());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord<'a> {
    /// The instant of the delivery.
    pub at: Instant,
    /// The round inside the instant.
    pub round: u32,
    /// The step inside the round.
    pub step: u32,
    /// The number of who received it.
    pub receiver: u32,
    /// How many records the receiver has with this one. `None`: a dead letter.
    pub count: Option<u64>,
    /// The number of who sent it.
    pub sender: u32,
    /// The count of the delivery that the sender was handling: the cause. For a stream, the index of the item in its source.
    pub sender_count: u64,
    /// The kind of the message.
    pub kind: &'a str,
    /// The digest of the message.
    pub digest: u64,
    /// The message in the observer's [wording], where that has words for it.
    ///
    /// [wording]: Observer::wording
    pub text: Option<&'a str>,
}

impl TraceRecord<'_> {
    /// Whether nobody was there to receive it.
    pub fn is_dead_letter(&self) -> bool {
        self.count.is_none()
    }
}

/// Someone who is told of every record of a run, such as a trace file.
///
/// The engine promises the order of trace files: instant, round, step, receiver by rank and path, receiver's count; dead letters after
/// the receiver's records of that step. The calls are the same on every host. An observer cannot change a run; an error it returns ends the run.
pub trait Observer {
    /// The number `id` stands for `path` from here on. Called once for each number, before the first record that has it: 0, 1, 2 and so on,
    /// a record's sender before its receiver.
    fn name(&mut self, id: u32, path: &Path, rank: Rank);

    /// One delivery, in file order.
    ///
    /// # Errors
    /// When the record cannot be kept, such as on a full disk. The run ends with that error.
    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()>;

    /// The run has ended with this hash.
    ///
    /// # Errors
    /// When what was observed cannot be kept.
    fn end(&mut self, hash: TraceHash) -> io::Result<()>;

    /// The run rests at a still point: whatever comes next is of a later instant. Called when a host has run a batch of windows.
    ///
    /// # Errors
    /// As [`Observer::record`].
    fn still(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// How the messages in records should be put in words; `None`: not at all, which costs neither time nor space. Asked once, before the
    /// first record.
    fn wording(&self) -> Option<Wording> {
        None
    }
}

/// Puts a message in words: given as what it is and as what prints it, tells the text that its record is to carry, or `None`.
///
/// The text is all that an observer gets to see of a message, since records come from several threads and are put in order before they are
/// told. It must depend on the message alone. It is called once for each delivery, on the thread that made it.
///
/// ```
/// use std::sync::Arc;
/// use stillpoint_engine::trace::Wording;
/// let numbers: Wording = Arc::new(|message, _| message.downcast_ref::<u64>().map(u64::to_string));
/// assert_eq!(numbers(&7u64, &7u64), Some("7".to_owned()));
/// assert_eq!(numbers(&true, &true), None);
/// ```
pub type Wording = Arc<dyn Fn(&dyn Any, &dyn fmt::Debug) -> Option<String> + Send + Sync>;

/// The wording that keeps every message as its `Debug`.
pub fn in_full() -> Wording {
    Arc::new(|_, message| Some(format!("{message:?}")))
}

/// The hash of a run: equal for two runs in which every actor received the same deliveries.
///
/// ```
/// use stillpoint_engine::trace::TraceHash;
/// let hash: TraceHash = "000000000000000000000000000000ff".parse()?;
/// assert_eq!(hash, TraceHash(255));
/// assert_eq!(hash.to_string(), "000000000000000000000000000000ff");
/// # Ok::<(), stillpoint_engine::trace::TraceHashError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceHash(pub u128);

/// A text that is no trace hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHashError(pub String);

impl fmt::Display for TraceHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no trace hash; write the 32 hexadecimal digits that a run prints", self.0)
    }
}

impl std::error::Error for TraceHashError {}

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for TraceHash {
    type Err = TraceHashError;

    fn from_str(text: &str) -> Result<Self, TraceHashError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fault = || TraceHashError(text.to_owned());
        if digits { u128::from_str_radix(text, 16).map(Self).map_err(|_| fault()) } else { Err(fault()) }
    }
}

impl Serialize for TraceHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_print_and_parse() {
        let text = "0123456789abcdef00000000000000f0";
        let hash: TraceHash = text.parse().expect("32 digits");
        assert_eq!(hash, TraceHash(0x0123_4567_89ab_cdef_0000_0000_0000_00f0));
        assert_eq!(hash.to_string(), text);
        for bad in ["", "0", "+123456789abcdef00000000000000f0", "0123456789abcdef00000000000000f", "g123456789abcdef00000000000000f0"] {
            assert_eq!(bad.parse::<TraceHash>(), Err(TraceHashError(bad.to_owned())));
        }
        assert_eq!(ron::to_string(&hash).as_deref(), Ok("\"0123456789abcdef00000000000000f0\""));
        assert_eq!(ron::from_str::<TraceHash>("\"0123456789abcdef00000000000000f0\""), Ok(hash));
        assert!(ron::from_str::<TraceHash>("\"12\"").is_err());
    }
}
