//! Recordings of Binance's spot market in JSON lines, as the crate `barter` (MIT) writes them: best bid and ask, and trades.
//!
//! A line is `{"Item":{"time_exchange":T,"time_received":T,"exchange":"binance_spot","instrument":N,"kind":K}}` with K either
//! `{"OrderBookL1":{"best_bid":{"price":"..","amount":".."},"best_ask":{..}}}` or
//! `{"Trade":{"id":"..","price":..,"amount":..,"side":"Buy"}}`. A line `{"Reconnecting":"binance_spot"}` carries no event.
//!
//! One file may be opened as many streams, one for each instrument and kind: lines that a stream does not want are told by a glance and
//! are parsed by the stream that wants them. So a damaged line is an error of the stream that it belongs to, or of all where that cannot
//! be told.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stillpoint_actors::{
    DecimalError, Decimals, Instrument, InstrumentId, MarketEvent, Price, Quantity, Quote, Side, Trade, TradeId, parse_decimal,
};
use stillpoint_engine::{Instant, Source, SourceError, Timed};

use crate::error::DataError;
use crate::input::Lines;
use crate::time_format::parse_rfc3339;

/// Which of a recording's two times is the event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeOf {
    /// When the recorder received the message.
    #[default]
    Received,
    /// When the exchange says it happened. Binance gives trades their time in whole milliseconds.
    Exchange,
}

impl TimeOf {
    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Received => "receive",
            Self::Exchange => "exchange",
        }
    }
}

/// Which events of a recording to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinanceSettings {
    /// The file, plain or packed by gzip or zstd.
    pub path: PathBuf,
    /// The instruments to read, by the number that the file gives them. None at all stands for every one, with 8 decimals each.
    pub instruments: Vec<Instrument>,
    /// Which time is the event time.
    pub time: TimeOf,
}

impl BinanceSettings {
    /// Every instrument of a file by receive time.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), instruments: Vec::new(), time: TimeOf::Received }
    }

    /// The same settings for another file.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Quote {}
    impl Sealed for super::Trade {}
    impl Sealed for super::MarketEvent {}
}

/// What a [`BinanceReader`] can read: [`Quote`], [`Trade`], or [`MarketEvent`] for both.
pub trait Recorded: Sized + 'static + sealed::Sealed {
    /// Whether quotes are wanted.
    const QUOTES: bool;
    /// Whether trades are wanted.
    const TRADES: bool;

    /// The event as this type; `None` if it is of the other kind.
    fn from_event(event: MarketEvent) -> Option<Self>;
}

impl Recorded for Quote {
    const QUOTES: bool = true;
    const TRADES: bool = false;

    fn from_event(event: MarketEvent) -> Option<Self> {
        match event {
            MarketEvent::Quote(quote) => Some(quote),
            MarketEvent::Trade(_) => None,
        }
    }
}

impl Recorded for Trade {
    const QUOTES: bool = false;
    const TRADES: bool = true;

    fn from_event(event: MarketEvent) -> Option<Self> {
        match event {
            MarketEvent::Trade(trade) => Some(trade),
            MarketEvent::Quote(_) => None,
        }
    }
}

impl Recorded for MarketEvent {
    const QUOTES: bool = true;
    const TRADES: bool = true;

    fn from_event(event: MarketEvent) -> Option<Self> {
        Some(event)
    }
}

/// Reads a recording front to back, one line at a time, and keeps the order of the file.
///
/// ```no_run
/// use stillpoint_actors::Quote;
/// use stillpoint_adapters::{BinanceReader, BinanceSettings};
/// use stillpoint_engine::Source;
///
/// let mut reader = BinanceReader::<Quote>::open(&BinanceSettings::new("recording.json.gz"))?;
/// while let Some(quote) = reader.next()? {
///     println!("{} {:?}", quote.at, quote.value);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BinanceReader<M> {
    lines: Lines,
    instruments: Vec<Instrument>,
    time: TimeOf,
    glance: Glance,
    kind: PhantomData<fn() -> M>,
}

impl<M: Recorded> BinanceReader<M> {
    /// Opens a recording.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened.
    pub fn open(settings: &BinanceSettings) -> Result<Self, DataError> {
        Ok(Self {
            lines: Lines::open(&settings.path)?,
            instruments: settings.instruments.clone(),
            time: settings.time,
            glance: Glance::new(),
            kind: PhantomData,
        })
    }

    pub(crate) fn next_item(&mut self) -> Result<Option<Timed<M>>, DataError> {
        while self.lines.advance()? {
            if !self.wanted_at_a_glance() {
                continue;
            }
            let item = self.parse().map_err(|fault| fault.at(self.lines.input().path(), self.lines.number()))?;
            if let Some((at, event)) = item
                && let Some(value) = M::from_event(event)
            {
                return Ok(Some(Timed { at, value }));
            }
        }
        Ok(None)
    }

    /// False only for a line that clearly is of another kind or instrument.
    fn wanted_at_a_glance(&self) -> bool {
        let line = self.lines.line();
        let other_kind = (!M::QUOTES && self.glance.is_quote(line)) || (!M::TRADES && self.glance.is_trade(line));
        !other_kind && (self.instruments.is_empty() || self.glance.instrument(line).is_none_or(|number| self.instrument(number).is_some()))
    }

    fn instrument(&self, number: u32) -> Option<&Instrument> {
        self.instruments.iter().find(|instrument| instrument.id.0 == number)
    }

    fn parse(&self) -> Result<Option<(Instant, MarketEvent)>, Fault> {
        let line = self.lines.line().trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        let item = match serde_json::from_slice(line).map_err(Fault::Json)? {
            Line::Item(item) => item,
            Line::Reconnecting(_) => return Ok(None),
        };
        let decimals = if self.instruments.is_empty() {
            (Decimals::EIGHT, Decimals::EIGHT)
        } else {
            match self.instrument(item.instrument) {
                Some(instrument) => (instrument.price_decimals, instrument.quantity_decimals),
                None => return Ok(None),
            }
        };
        let (name, time) = match self.time {
            TimeOf::Received => ("time_received", item.time_received),
            TimeOf::Exchange => ("time_exchange", item.time_exchange),
        };
        let at = parse_rfc3339(time.as_bytes()).ok_or_else(|| Fault::Time(name, time.to_owned()))?;
        Ok(Some((at, item.event(decimals)?)))
    }
}

impl<M: Recorded> Source for BinanceReader<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.next_item()?)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some(self.lines.input().progress())
    }
}

/// What can be told of a line without parsing it.
struct Glance {
    quote: memmem::Finder<'static>,
    trade: memmem::Finder<'static>,
    instrument: memmem::Finder<'static>,
}

impl Glance {
    fn new() -> Self {
        let finder = |text: &'static str| memmem::Finder::new(text);
        Self { quote: finder(r#""OrderBookL1""#), trade: finder(r#""Trade""#), instrument: finder(r#""instrument""#) }
    }

    fn is_quote(&self, line: &[u8]) -> bool {
        self.quote.find(line).is_some() && self.trade.find(line).is_none()
    }

    fn is_trade(&self, line: &[u8]) -> bool {
        self.trade.find(line).is_some() && self.quote.find(line).is_none()
    }

    /// The number after `"instrument":`, `None` where it is not plain to see.
    fn instrument(&self, line: &[u8]) -> Option<u32> {
        let at = self.instrument.find(line)? + self.instrument.needle().len();
        let value = line[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&value[..digits]).ok()?.parse().ok()
    }
}

#[derive(Deserialize)]
enum Line<'a> {
    #[serde(borrow)]
    Item(Item<'a>),
    Reconnecting(#[expect(dead_code, reason = "the exchange's name, which no event carries")] &'a str),
}

#[derive(Deserialize)]
struct Item<'a> {
    time_exchange: &'a str,
    time_received: &'a str,
    instrument: u32,
    #[serde(borrow)]
    kind: Kind<'a>,
}

#[derive(Deserialize)]
enum Kind<'a> {
    OrderBookL1 {
        #[serde(borrow)]
        best_bid: Option<Level<'a>>,
        #[serde(borrow)]
        best_ask: Option<Level<'a>>,
    },
    Trade {
        id: &'a str,
        #[serde(borrow)]
        price: &'a RawValue,
        #[serde(borrow)]
        amount: &'a RawValue,
        side: Side,
    },
}

#[derive(Deserialize)]
struct Level<'a> {
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    amount: &'a RawValue,
}

impl Item<'_> {
    fn event(&self, (price_decimals, quantity_decimals): (Decimals, Decimals)) -> Result<MarketEvent, Fault> {
        let instrument = InstrumentId(self.instrument);
        let price = |name, raw: &RawValue| number(name, raw, price_decimals).map(Price);
        let quantity = |name, raw: &RawValue| number(name, raw, quantity_decimals).map(Quantity);
        Ok(match &self.kind {
            Kind::OrderBookL1 { best_bid, best_ask } => {
                let mut quote = Quote { instrument, ..Quote::default() };
                if let Some(level) = best_bid {
                    (quote.bid, quote.bid_quantity) = (price("best_bid.price", level.price)?, quantity("best_bid.amount", level.amount)?);
                }
                if let Some(level) = best_ask {
                    (quote.ask, quote.ask_quantity) = (price("best_ask.price", level.price)?, quantity("best_ask.amount", level.amount)?);
                }
                MarketEvent::Quote(quote)
            }
            Kind::Trade { id, price: at, amount, side } => MarketEvent::Trade(Trade {
                instrument,
                side: Some(*side),
                price: price("price", at)?,
                quantity: quantity("amount", amount)?,
                id: TradeId(id.parse().map_err(|_| Fault::TradeId((*id).to_owned()))?),
            }),
        })
    }
}

/// A number that stands in the JSON as such or as text.
fn number(name: &'static str, raw: &RawValue, decimals: Decimals) -> Result<i64, Fault> {
    let text = raw.get();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    parse_decimal(text.as_bytes(), decimals).map_err(|error| Fault::Number(name, text.to_owned(), error))
}

/// What is wrong with a line.
enum Fault {
    Json(serde_json::Error),
    Time(&'static str, String),
    Number(&'static str, String, DecimalError),
    TradeId(String),
}

impl Fault {
    fn at(self, path: &Path, line: u64) -> DataError {
        let fault = |cause: String, help: &str| DataError::new(path, Some(line), cause, help);
        match self {
            Self::Json(error) => {
                let text = error.to_string();
                let what = text.split(" at line ").next().unwrap_or(&text);
                fault(
                    format!("column {}: the line is not one of this recording format ({what})", error.column()),
                    "mend or leave out the line; a number that is not finite (NaN) is no JSON",
                )
            }
            Self::Time(name, text) => {
                fault(format!("{name} `{text}` is no RFC 3339 time"), "write it as in 2025-03-25T23:07:00.773684644Z")
            }
            Self::Number(name, text, error) => fault(format!("{name} `{text}` {error}"), error.help()),
            Self::TradeId(text) => fault(format!("trade id `{text}` is no whole number of 64 bits"), "mend or leave out the line"),
        }
    }
}
