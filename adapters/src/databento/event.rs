//! What records become. Invariant: a book is told whole or not at all: what belongs to one event of the exchange is applied before anything is told
//! of it as done.

use std::collections::BTreeMap;

use dbn::UNDEF_PRICE;
use stillpoint_actors::{Bar, BookChange, BookOrderId, BookUpdate, DepthChange, DepthUpdate, MarketEvent, Quote, Side, Trade, TradeId};

use super::record::{Body, Fault, Scale, side_of};

pub trait Sealed: Sized + 'static {
    /// What is known of the records before.
    type State: Default;
    /// Schemas that it can be made of.
    const SCHEMAS: &'static [&'static str];
    /// Whether records of several publishers make no sense together.
    const ONE_PUBLISHER: bool = true;

    fn is_in(body: Body<'_>) -> bool;

    /// Tells what a record, for which `is_in` holds, says.
    fn tell(body: Body<'_>, scale: &Scale, state: &mut Self::State, tell: &mut dyn FnMut(Self)) -> Result<(), Fault>;
}

fn quote(best: [(i64, u32); 2], scale: &Scale) -> Result<Quote, Fault> {
    let ((bid, bid_quantity), (ask, ask_quantity)) = (scale.level(best[0])?, scale.level(best[1])?);
    Ok(Quote { instrument: scale.instrument.id, bid, bid_quantity, ask, ask_quantity })
}

fn trade((price, size, side): (i64, u32, Option<Side>), scale: &Scale) -> Result<Trade, Fault> {
    let (price, quantity) = (scale.price(price)?, scale.quantity(size.into())?);
    Ok(Trade { instrument: scale.instrument.id, side, price, quantity, id: TradeId(0) })
}

impl Sealed for Quote {
    type State = ();
    const SCHEMAS: &'static [&'static str] = &["mbp-1", "mbp-10", "tbbo", "bbo-1s", "bbo-1m", "cmbp-1", "tcbbo", "cbbo-1s", "cbbo-1m"];

    fn is_in(body: Body<'_>) -> bool {
        body.best().is_some()
    }

    fn tell(body: Body<'_>, scale: &Scale, _: &mut (), tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        if let Some(best) = body.best() {
            tell(quote(best, scale)?);
        }
        Ok(())
    }
}

impl Sealed for Trade {
    type State = ();
    const SCHEMAS: &'static [&'static str] = &["trades", "mbo", "mbp-1", "mbp-10", "tbbo", "cmbp-1", "tcbbo"];
    const ONE_PUBLISHER: bool = false;

    fn is_in(body: Body<'_>) -> bool {
        body.may_be_trade()
    }

    fn tell(body: Body<'_>, scale: &Scale, _: &mut (), tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        if let Some(found) = body.trade() {
            tell(trade(found, scale)?);
        }
        Ok(())
    }
}

/// The best prices of a record are those before its trade, which comes behind them.
impl Sealed for MarketEvent {
    type State = ();
    const SCHEMAS: &'static [&'static str] = &["mbp-1", "mbp-10", "tbbo", "cmbp-1", "tcbbo"];

    fn is_in(body: Body<'_>) -> bool {
        body.best().is_some() && body.may_be_trade()
    }

    fn tell(body: Body<'_>, scale: &Scale, _: &mut (), tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        if let Some(best) = body.best() {
            tell(Self::Quote(quote(best, scale)?));
        }
        if let Some(found) = body.trade() {
            tell(Self::Trade(trade(found, scale)?));
        }
        Ok(())
    }
}

impl Sealed for Bar {
    type State = ();
    const SCHEMAS: &'static [&'static str] = &["ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d"];

    fn is_in(body: Body<'_>) -> bool {
        matches!(body, Body::Ohlcv(..))
    }

    fn tell(body: Body<'_>, scale: &Scale, _: &mut (), tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        if let Body::Ohlcv(bar, _) = body {
            tell(Self {
                instrument: scale.instrument.id,
                open: scale.price(bar.open)?,
                high: scale.price(bar.high)?,
                low: scale.price(bar.low)?,
                close: scale.price(bar.close)?,
                volume: scale.quantity(bar.volume)?,
            });
        }
        Ok(())
    }
}

/// Prices and sizes of the levels that were told last, of bids and of asks.
#[derive(Default)]
pub struct Levels([Vec<(i64, u32)>; 2]);

/// The ten best levels of each side as they are after an event of the exchange: what has changed since the event before is told. A level that others
/// pushed out of the ten is told as gone.
impl Sealed for DepthUpdate {
    type State = Levels;
    const SCHEMAS: &'static [&'static str] = &["mbp-10"];

    fn is_in(body: Body<'_>) -> bool {
        matches!(body, Body::Mbp10(_))
    }

    fn tell(body: Body<'_>, scale: &Scale, told: &mut Levels, tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        let Body::Mbp10(record) = body else { return Ok(()) };
        if !record.flags.is_last() {
            return Ok(());
        }
        let is_there = |level: &(i64, u32)| level.0 != UNDEF_PRICE && level.1 > 0;
        let bids = record.levels.iter().map(|level| (level.bid_px, level.bid_sz)).filter(is_there).collect::<Vec<_>>();
        let asks = record.levels.iter().map(|level| (level.ask_px, level.ask_sz)).filter(is_there).collect::<Vec<_>>();
        let now = Levels([bids, asks]);
        let mut changes = Vec::new();
        if now.0.iter().all(Vec::is_empty) && told.0.iter().any(|levels| !levels.is_empty()) {
            changes.push(DepthChange::Clear);
        } else {
            for (side, (before, after)) in [Side::Buy, Side::Sell].into_iter().zip(told.0.iter().zip(&now.0)) {
                let gone = before.iter().filter(|(price, _)| !after.iter().any(|(other, _)| other == price)).map(|(price, _)| (*price, 0));
                let new = after.iter().filter(|level| !before.contains(level)).copied();
                for (price, size) in gone.chain(new) {
                    changes.push(DepthChange::Set { side, price: scale.price(price)?, quantity: scale.quantity(size.into())? });
                }
            }
        }
        *told = now;
        let count = changes.len();
        for (index, change) in changes.into_iter().enumerate() {
            tell(Self { instrument: scale.instrument.id, change, last: index + 1 == count });
        }
        Ok(())
    }
}

/// What of each order was filled in an event of the exchange that is not over yet.
#[derive(Default)]
pub struct Fills(BTreeMap<u64, u32>);

/// In DBN a fill changes no book: the cancellation or change that follows it in the same event does. That one is told as a fill as far as it goes.
impl Sealed for BookUpdate {
    type State = Fills;
    const SCHEMAS: &'static [&'static str] = &["mbo"];

    fn is_in(body: Body<'_>) -> bool {
        matches!(body, Body::Mbo(_))
    }

    fn tell(body: Body<'_>, scale: &Scale, fills: &mut Fills, tell: &mut dyn FnMut(Self)) -> Result<(), Fault> {
        let Body::Mbo(record) = body else { return Ok(()) };
        if record.flags.is_tob() || record.flags.is_mbp() {
            let cause = "is a level of the book, not an order".to_owned();
            return Err((cause, "this publisher tells no single orders: read the schema mbp-1 or mbp-10 instead".into()));
        }
        let mut change = |change| tell(Self { instrument: scale.instrument.id, change });
        let (id, size) = (BookOrderId(record.order_id), record.size);
        match record.action as u8 {
            b'R' => change(BookChange::Clear),
            b'A' => {
                let side =
                    side_of(record.side as u8).ok_or_else(|| ("is an order without a side".to_owned(), "leave it out".to_owned()))?;
                change(BookChange::Add { id, side, price: scale.price(record.price)?, quantity: scale.quantity(size.into())? });
            }
            b'F' => {
                let filled = fills.0.entry(record.order_id).or_default();
                *filled = filled.saturating_add(size);
            }
            b'C' => {
                let filled = fills.0.remove(&record.order_id).unwrap_or(0);
                if filled > 0 {
                    change(BookChange::Fill { id, quantity: scale.quantity(filled.min(size).into())? });
                }
                if size > filled {
                    change(BookChange::Cancel { id, quantity: scale.quantity((size - filled).into())? });
                }
            }
            b'M' => {
                if let Some(filled) = fills.0.remove(&record.order_id) {
                    change(BookChange::Fill { id, quantity: scale.quantity(filled.into())? });
                }
                change(BookChange::Modify { id, price: scale.price(record.price)?, quantity: scale.quantity(size.into())? });
            }
            // A trade, which its fills tell of, or nothing.
            _ => {}
        }
        if record.flags.is_last() {
            fills.0.clear();
        }
        Ok(())
    }
}
