//! Recordings of Binance's raw feed, as collectors such as that of `hftbacktest` write them: lines of the receive time in nanoseconds, a space,
//! and the message as it came.
//!
//! Messages are `{"stream":"NAME@KIND..","data":{..}}` with the kinds `depth` (changes of the book by price), `bookTicker` (best bid and ask) and
//! `trade`; a line without `stream` is the answer to a request for the whole book. Other kinds are passed over. The spot market, USD-margined and
//! coin-margined futures differ in how changes are numbered, and the spot market's `bookTicker` has no time of its own.
//!
//! One file may be opened as many streams, one for each kind: lines that a stream does not want are told by their first bytes.

mod check;
mod inspection;
mod message;
mod sync;

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use stillpoint_actors::{DepthChange, DepthUpdate, Instrument, Price, Quantity, Quote, Side, Trade, TradeId, parse_decimal};
use stillpoint_engine::{Duration, Instant, Source, SourceError, Timed};

use crate::binance::TimeOf;
use crate::error::DataError;
use crate::input::Lines;
pub use check::{BookCheck, BookDifference, check_books};
pub(crate) use inspection::{inspect, is_line};
use message::{Body, Fault, Kind, Message};
use sync::{Step, Sync};

/// Which recording to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSettings {
    /// The file, plain or packed by gzip or zstd.
    pub path: PathBuf,
    /// The instrument that the file is about, with the decimals to read its prices and quantities with.
    pub instrument: Instrument,
    /// Which time is the event time. By exchange time the file is not sorted: Binance's clocks differ from message to message.
    pub time: TimeOf,
    /// What is added to the exchange's times: below zero if its clock is ahead of the recorder's. See [`clock_offset`].
    pub clock_offset: Duration,
}

impl FeedSettings {
    /// A recording by receive time.
    pub fn new(path: impl Into<PathBuf>, instrument: Instrument) -> Self {
        Self { path: path.into(), instrument, time: TimeOf::Received, clock_offset: Duration::ZERO }
    }

    /// The same settings for another file.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

mod sealed {
    use super::{FeedEvent, Kind};

    pub trait Sealed: Sized {
        /// The event, if it is of this type.
        fn of(event: FeedEvent) -> Option<Self>;
        /// Whether a message of this kind can have any.
        fn is_in(kind: Kind) -> bool;
    }
}

/// What a [`FeedReader`] can read: [`Quote`], [`Trade`], or [`DepthUpdate`].
pub trait Fed: 'static + sealed::Sealed {}

impl Fed for Quote {}
impl Fed for Trade {}
impl Fed for DepthUpdate {}

impl sealed::Sealed for Quote {
    fn of(event: FeedEvent) -> Option<Self> {
        if let FeedEvent::Quote(quote) = event { Some(quote) } else { None }
    }

    fn is_in(kind: Kind) -> bool {
        kind == Kind::Ticker
    }
}

impl sealed::Sealed for Trade {
    fn of(event: FeedEvent) -> Option<Self> {
        if let FeedEvent::Trade(trade) = event { Some(trade) } else { None }
    }

    fn is_in(kind: Kind) -> bool {
        kind == Kind::Trade
    }
}

impl sealed::Sealed for DepthUpdate {
    fn of(event: FeedEvent) -> Option<Self> {
        if let FeedEvent::Depth(update) = event { Some(update) } else { None }
    }

    fn is_in(kind: Kind) -> bool {
        matches!(kind, Kind::Depth | Kind::Snapshot)
    }
}

/// One event of a feed.
#[derive(Clone, Copy, Debug)]
pub enum FeedEvent {
    Quote(Quote),
    Trade(Trade),
    Depth(DepthUpdate),
}

/// Reads one kind of events of a recording front to back, one line at a time, and keeps the order of the file.
///
/// Changes of the book begin with the first whole book in the file: those that came before are held back, and what of them the whole book does not
/// have yet follows it, all at the instant at which it came. Where numbers of changes are missing, the book is cleared
/// ([`DepthChange::Clear`]) and nothing more is told until the next whole book.
///
/// ```no_run
/// use stillpoint_actors::{DepthUpdate, Instrument, InstrumentId};
/// use stillpoint_adapters::{FeedReader, FeedSettings};
/// use stillpoint_engine::Source;
///
/// let settings = FeedSettings::new("btcusdt_20240808.gz", Instrument::new(InstrumentId(0), "BTCUSDT"));
/// let mut reader = FeedReader::<DepthUpdate>::open(&settings)?;
/// while let Some(update) = reader.next()? {
///     println!("{} {:?}", update.at, update.value);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FeedReader<M> {
    feed: Feed,
    waiting: VecDeque<Timed<M>>,
    kind: PhantomData<fn() -> M>,
}

impl<M: Fed> FeedReader<M> {
    /// Opens a recording.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened.
    pub fn open(settings: &FeedSettings) -> Result<Self, DataError> {
        Ok(Self { feed: Feed::open(settings)?, waiting: VecDeque::new(), kind: PhantomData })
    }

    /// Goes on with another file, with the book as it stands: for recordings that begin a new file each day, but no new book.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened.
    pub fn go_on(mut self, path: &Path) -> Result<Self, DataError> {
        self.feed.lines = Lines::open(path)?;
        Ok(self)
    }

    /// How often changes of the book were missing so far.
    pub fn gaps(&self) -> u64 {
        self.feed.sync.gaps()
    }

    fn next_item(&mut self) -> Result<Option<Timed<M>>, DataError> {
        while self.waiting.is_empty() {
            let waiting = &mut self.waiting;
            let more = self.feed.advance(M::is_in, |at, event| {
                waiting.extend(M::of(event).map(|value| Timed { at, value }));
            })?;
            if more.is_none() {
                return Ok(None);
            }
        }
        Ok(self.waiting.pop_front())
    }
}

impl<M: Fed> Source for FeedReader<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.next_item()?)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some(self.feed.lines.input().progress())
    }
}

/// How far the exchange's clock and the way to the recorder are apart: receive time less exchange time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// The least difference. With it as [`FeedSettings::clock_offset`], no message is received before it was sent, and the fastest one takes no time.
    pub least: Duration,
    /// The greatest difference.
    pub greatest: Duration,
    /// Messages that have both times.
    pub messages: u64,
}

/// Looks through a recording for how far its two clocks are apart. `None` if no message has a time of the exchange.
///
/// # Errors
/// [`DataError`] if the file cannot be read or a line makes no sense.
pub fn clock_offset(path: &Path) -> Result<Option<ClockOffset>, DataError> {
    let mut lines = Lines::open(path)?;
    let mut found: Option<ClockOffset> = None;
    while lines.advance()? {
        let fault = |fault: Fault| fault.at(path, lines.number());
        let Some(message) = Message::parse(lines.line(), |_| true).map_err(fault)? else { continue };
        let Some(sent) = message.sent().map_err(fault)? else { continue };
        let lag = message.received.since(sent);
        let before = found.unwrap_or(ClockOffset { least: lag, greatest: lag, messages: 0 });
        let (least, greatest) = (before.least.min(lag), before.greatest.max(lag));
        found = Some(ClockOffset { least, greatest, messages: before.messages + 1 });
    }
    Ok(found)
}

/// A recording, message by message.
struct Feed {
    lines: Lines,
    instrument: Instrument,
    time: TimeOf,
    clock_offset: Duration,
    sync: Sync,
}

impl Feed {
    fn open(settings: &FeedSettings) -> Result<Self, DataError> {
        let FeedSettings { path, instrument, time, clock_offset } = settings.clone();
        Ok(Self { lines: Lines::open(&path)?, instrument, time, clock_offset, sync: Sync::default() })
    }

    /// Goes to the next message of a wanted kind and tells its events; gives the number of the exchange's last change that it has brought, 0 if
    /// none. `None` at the end.
    fn advance(&mut self, is_wanted: fn(Kind) -> bool, mut tell: impl FnMut(Instant, FeedEvent)) -> Result<Option<u64>, DataError> {
        while self.lines.advance()? {
            let told = Message::parse(self.lines.line(), is_wanted).and_then(|message| match message {
                Some(message) => {
                    let at = event_time(&message, self.time, self.clock_offset)?;
                    events(&message, &self.instrument, &mut self.sync, &mut |event| tell(at, event)).map(Some)
                }
                None => Ok(None),
            });
            if let Some(update) = told.map_err(|fault| fault.at(self.lines.input().path(), self.lines.number()))? {
                return Ok(Some(update));
            }
        }
        Ok(None)
    }
}

fn event_time(message: &Message<'_>, time: TimeOf, clock_offset: Duration) -> Result<Instant, Fault> {
    match time {
        TimeOf::Received => Ok(message.received),
        TimeOf::Exchange => {
            let sent = message.sent()?.ok_or(Fault::NoExchangeTime)?;
            sent.checked_add(clock_offset).ok_or(Fault::NoExchangeTime)
        }
    }
}

/// Tells what a message says, and gives the number of the last change in it.
fn events(message: &Message<'_>, of: &Instrument, sync: &mut Sync, tell: &mut dyn FnMut(FeedEvent)) -> Result<u64, Fault> {
    let instrument = of.id;
    let price = |name, text: &str| number(name, text, of.price_decimals).map(Price);
    let quantity = |name, text: &str| number(name, text, of.quantity_decimals).map(Quantity);
    match &message.body {
        Body::Ticker(ticker) => {
            let (bid, bid_quantity) = (price("b", ticker.b)?, quantity("B", ticker.bid_quantity)?);
            let (ask, ask_quantity) = (price("a", ticker.a)?, quantity("A", ticker.ask_quantity)?);
            tell(FeedEvent::Quote(Quote { instrument, bid, bid_quantity, ask, ask_quantity }));
            Ok(ticker.u)
        }
        Body::Trade(trade) => {
            // Whose order was there before is the maker; the other side took.
            let side = if trade.m { Side::Sell } else { Side::Buy };
            let (price, quantity) = (price("p", trade.p)?, quantity("q", trade.q)?);
            tell(FeedEvent::Trade(Trade { instrument, side: Some(side), price, quantity, id: TradeId(trade.t) }));
            Ok(0)
        }
        Body::Depth(_) | Body::Snapshot(_) => {
            let mut changes = Vec::new();
            let step = match &message.body {
                Body::Snapshot(book) => sync.restart(book.id, levels(&book.bids, &book.asks, of)?, &mut changes),
                Body::Depth(diff) => sync.change(diff.numbers(), levels(&diff.b, &diff.a, of)?, &mut changes),
                _ => Step::Held,
            };
            let count = changes.len();
            for (index, change) in changes.into_iter().enumerate() {
                tell(FeedEvent::Depth(DepthUpdate { instrument, change, last: index + 1 == count }));
            }
            Ok(match step {
                Step::At(update) => update,
                Step::Held => 0,
            })
        }
    }
}

type Levels<'a> = [[&'a str; 2]];

fn levels(bids: &Levels<'_>, asks: &Levels<'_>, of: &Instrument) -> Result<Vec<DepthChange>, Fault> {
    let sides = [(Side::Buy, bids), (Side::Sell, asks)];
    let all = sides.into_iter().flat_map(|(side, levels)| levels.iter().map(move |level| (side, level)));
    all.map(|(side, [price, quantity])| {
        let price = Price(number("price of a level", price, of.price_decimals)?);
        let quantity = Quantity(number("quantity of a level", quantity, of.quantity_decimals)?);
        Ok(DepthChange::Set { side, price, quantity })
    })
    .collect()
}

fn number(name: &'static str, text: &str, decimals: stillpoint_actors::Decimals) -> Result<i64, Fault> {
    parse_decimal(text.as_bytes(), decimals).map_err(|error| Fault::Number(name, text.to_owned(), error))
}
