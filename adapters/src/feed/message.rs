//! The messages of Binance's feed, as they stand in a recording. Invariant: numbers stay text until their decimals are known.

use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use stillpoint_actors::DecimalError;
use stillpoint_engine::Instant;

use super::sync::Numbers;
use crate::error::DataError;

/// What a message is about, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Depth,
    Ticker,
    Trade,
    Snapshot,
}

/// The name of the stream is looked for in so many bytes.
const GLANCE: usize = 96;

/// A message and when it came.
pub(super) struct Message<'a> {
    pub(super) received: Instant,
    pub(super) body: Body<'a>,
}

pub(super) enum Body<'a> {
    Depth(Diff<'a>),
    Ticker(Ticker<'a>),
    Trade(Print<'a>),
    Snapshot(Book<'a>),
}

#[derive(Deserialize)]
struct Of<T> {
    data: T,
}

/// Changes of the book by price: quantities from now on.
#[derive(Deserialize)]
pub(super) struct Diff<'a> {
    #[serde(rename = "E")]
    event: i64,
    #[serde(rename = "T")]
    transaction: Option<i64>,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    pu: Option<u64>,
    #[serde(borrow)]
    pub(super) b: Vec<[&'a str; 2]>,
    #[serde(borrow)]
    pub(super) a: Vec<[&'a str; 2]>,
}

impl Diff<'_> {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers { first: self.first, last: self.last, before: self.pu }
    }
}

/// Best bid and ask.
#[derive(Deserialize)]
pub(super) struct Ticker<'a> {
    pub(super) u: u64,
    pub(super) b: &'a str,
    #[serde(rename = "B")]
    pub(super) bid_quantity: &'a str,
    pub(super) a: &'a str,
    #[serde(rename = "A")]
    pub(super) ask_quantity: &'a str,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(rename = "T")]
    transaction: Option<i64>,
}

/// A trade.
#[derive(Deserialize)]
pub(super) struct Print<'a> {
    #[serde(rename = "E")]
    event: i64,
    #[serde(rename = "T")]
    transaction: Option<i64>,
    pub(super) t: u64,
    pub(super) p: &'a str,
    pub(super) q: &'a str,
    /// Whether the buyer was there before.
    pub(super) m: bool,
}

/// A whole book.
#[derive(Deserialize)]
pub(super) struct Book<'a> {
    #[serde(rename = "lastUpdateId")]
    pub(super) id: u64,
    #[serde(rename = "E")]
    event: Option<i64>,
    #[serde(rename = "T")]
    transaction: Option<i64>,
    #[serde(borrow)]
    pub(super) bids: Vec<[&'a str; 2]>,
    #[serde(borrow)]
    pub(super) asks: Vec<[&'a str; 2]>,
}

impl<'a> Message<'a> {
    /// The message of a line; `None` if it is empty or of a kind that is not wanted, or not known.
    pub(super) fn parse(line: &'a [u8], is_wanted: impl Fn(Kind) -> bool) -> Result<Option<Self>, Fault> {
        let line = line.trim_ascii();
        let Some((received, text)) = received(line)? else { return Ok(None) };
        let Some(kind) = kind_of(text).filter(|kind| is_wanted(*kind)) else { return Ok(None) };
        let from = line.len() - text.len();
        let fault = |error| Fault::Json(from, error);
        let body = match kind {
            Kind::Depth => Body::Depth(serde_json::from_slice::<Of<_>>(text).map_err(fault)?.data),
            Kind::Ticker => Body::Ticker(serde_json::from_slice::<Of<_>>(text).map_err(fault)?.data),
            Kind::Trade => Body::Trade(serde_json::from_slice::<Of<_>>(text).map_err(fault)?.data),
            Kind::Snapshot => Body::Snapshot(serde_json::from_slice(text).map_err(fault)?),
        };
        Ok(Some(Self { received, body }))
    }

    /// When the exchange says that it happened, in whole milliseconds: the transaction's time, or else the message's. The spot market does not
    /// tell it for best prices and whole books.
    pub(super) fn sent(&self) -> Result<Option<Instant>, Fault> {
        let millis = match &self.body {
            Body::Depth(Diff { event, transaction, .. }) | Body::Trade(Print { event, transaction, .. }) => transaction.or(Some(*event)),
            Body::Ticker(Ticker { event, transaction, .. }) | Body::Snapshot(Book { event, transaction, .. }) => transaction.or(*event),
        };
        millis.map(|millis| millis.checked_mul(1_000_000).map(Instant::from_nanos).ok_or(Fault::Time(millis))).transpose()
    }
}

/// When a line came, and what came; `None` if it is empty.
pub(super) fn received(line: &[u8]) -> Result<Option<(Instant, &[u8])>, Fault> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let nanos = std::str::from_utf8(&line[..digits]).ok().and_then(|text| text.parse().ok()).ok_or(Fault::NoReceiveTime)?;
    Ok(Some((Instant::from_nanos(nanos), line[digits..].trim_ascii_start())))
}

/// The name of the stream that a message is from, such as `btcusdt@trade`; whole books are from none.
pub(super) fn stream_of(text: &[u8]) -> Option<&str> {
    let key = br#""stream":""#;
    let start = &text[..text.len().min(GLANCE)];
    let name = &start[memmem::find(start, key)? + key.len()..];
    std::str::from_utf8(&name[..memmem::find(name, b"\"")?]).ok()
}

/// A line that is no JSON object is taken for a whole book too, whose parser then says what is wrong.
fn kind_of(text: &[u8]) -> Option<Kind> {
    let start = &text[..text.len().min(GLANCE)];
    if memmem::find(start, br#""stream""#).is_none() {
        return Some(Kind::Snapshot);
    }
    let name = &start[memmem::find(start, b"@")? + 1..];
    let kinds: [(&[u8], Kind); 3] = [(b"depth", Kind::Depth), (b"bookTicker", Kind::Ticker), (b"trade", Kind::Trade)];
    let (_, kind) = kinds.into_iter().find(|(prefix, _)| name.starts_with(prefix))?;
    Some(kind)
}

/// What is wrong with a line.
pub(super) enum Fault {
    NoReceiveTime,
    NoExchangeTime,
    /// With where in the line the JSON begins.
    Json(usize, serde_json::Error),
    Time(i64),
    Number(&'static str, String, DecimalError),
}

impl Fault {
    pub(super) fn at(self, path: &Path, line: u64) -> DataError {
        let fault = |cause: String, help: &str| DataError::new(path, Some(line), cause, help);
        match self {
            Self::NoReceiveTime => fault(
                "the line does not begin with a time in nanoseconds".to_owned(),
                "a line is the receive time in nanoseconds since 1970, a space, and the message",
            ),
            Self::NoExchangeTime => fault(
                "the message has no time of the exchange that could be used".to_owned(),
                "read this kind by receive time; the spot market does not tell when best prices and whole books were sent",
            ),
            Self::Json(from, error) => {
                let text = error.to_string();
                let what = text.split(" at line ").next().unwrap_or(&text);
                fault(
                    format!("column {}: the message is not one of Binance's feed ({what})", from + error.column()),
                    "mend or leave out the line; if the file's end is cut off, leave out its last line",
                )
            }
            Self::Time(millis) => fault(format!("{millis} milliseconds are no instant"), "mend or leave out the line"),
            Self::Number(name, text, error) => fault(format!("{name} `{text}` {error}"), error.help()),
        }
    }
}
