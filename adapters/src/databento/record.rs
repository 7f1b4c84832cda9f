//! One record, whatever its schema. Invariant: what a record does not tell is `None` here, and never a number that stands for nothing.

use dbn::{BboMsg, CbboMsg, Cmbp1Msg, FlagSet, MboMsg, Mbp1Msg, Mbp10Msg, OhlcvMsg, RType, RecordRef, Schema, TradeMsg, UNDEF_PRICE};
use stillpoint_actors::{Decimals, Instrument, Price, Quantity, Side};
use stillpoint_engine::Duration;

use crate::row::rescaled;

/// What is wrong with a record, and what to do.
pub(super) type Fault = (String, String);

/// The decimals of DBN's prices.
const PRICE_DECIMALS: u8 = 9;

/// The type of bars of every length, in files from before there was one for each.
const OLD_BARS: u8 = 0x11;

/// How long the bars of a schema are.
pub(super) fn span_of(schema: Schema) -> Option<Duration> {
    match schema {
        Schema::Ohlcv1S => Some(Duration::secs(1)),
        Schema::Ohlcv1M => Some(Duration::minutes(1)),
        Schema::Ohlcv1H => Some(Duration::hours(1)),
        Schema::Ohlcv1D => Some(Duration::hours(24)),
        _ => None,
    }
}

/// A record.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    Mbo(&'a MboMsg),
    Trade(&'a TradeMsg),
    Mbp1(&'a Mbp1Msg),
    Mbp10(&'a Mbp10Msg),
    Cmbp1(&'a Cmbp1Msg),
    Bbo(&'a BboMsg),
    Cbbo(&'a CbboMsg),
    /// A bar, and how long it is.
    Ohlcv(&'a OhlcvMsg, Duration),
    /// What a gateway says about the stream.
    Notice,
    /// Something else.
    Other(RType),
}

impl<'a> Body<'a> {
    /// Looks at a record. `span` is how long bars are where only the metadata says so.
    pub(super) fn of(record: &RecordRef<'a>, span: Option<Duration>) -> Result<Self, Fault> {
        let number = record.header().rtype;
        let rtype = RType::try_from(number).map_err(|_| {
            let cause = format!("is of the type {number:#04x}, which is not known");
            (cause, "the file is damaged, or no DBN file: fetch it again".to_owned())
        })?;
        let bar = |span| record.try_get().map(|bar| Self::Ohlcv(bar, span));
        let body = match rtype {
            _ if number == OLD_BARS => span.map_or(Ok(Self::Other(rtype)), bar),
            RType::Mbo => record.try_get().map(Self::Mbo),
            RType::Mbp0 => record.try_get().map(Self::Trade),
            RType::Mbp1 => record.try_get().map(Self::Mbp1),
            RType::Mbp10 => record.try_get().map(Self::Mbp10),
            RType::Cmbp1 | RType::Tcbbo => record.try_get().map(Self::Cmbp1),
            RType::Bbo1S | RType::Bbo1M => record.try_get().map(Self::Bbo),
            RType::Cbbo1S | RType::Cbbo1M => record.try_get().map(Self::Cbbo),
            RType::Ohlcv1S => bar(Duration::secs(1)),
            RType::Ohlcv1M => bar(Duration::minutes(1)),
            RType::Ohlcv1H => bar(Duration::hours(1)),
            RType::Ohlcv1D => bar(Duration::hours(24)),
            RType::Error | RType::SymbolMapping | RType::System => Ok(Self::Notice),
            other => Ok(Self::Other(other)),
        };
        body.map_err(|_| {
            let cause = format!("has {} bytes, too few for its type {number:#04x}", record.header().record_size());
            (cause, "the file is damaged: fetch it again".to_owned())
        })
    }

    /// When it was received, where that is told, and its flags.
    pub(super) fn received(self) -> Option<(u64, FlagSet)> {
        Some(match self {
            Self::Mbo(record) => (record.ts_recv, record.flags),
            Self::Trade(record) => (record.ts_recv, record.flags),
            Self::Mbp1(record) => (record.ts_recv, record.flags),
            Self::Mbp10(record) => (record.ts_recv, record.flags),
            Self::Cmbp1(record) => (record.ts_recv, record.flags),
            Self::Bbo(record) => (record.ts_recv, record.flags),
            Self::Cbbo(record) => (record.ts_recv, record.flags),
            Self::Ohlcv(..) | Self::Notice | Self::Other(_) => return None,
        })
    }

    /// Prices and sizes of the best bid and ask, where it tells them.
    pub(super) fn best(self) -> Option<[(i64, u32); 2]> {
        let pair = |level: &dbn::BidAskPair| [(level.bid_px, level.bid_sz), (level.ask_px, level.ask_sz)];
        let consolidated = |level: &dbn::ConsolidatedBidAskPair| [(level.bid_px, level.bid_sz), (level.ask_px, level.ask_sz)];
        match self {
            Self::Mbp1(record) => Some(pair(&record.levels[0])),
            Self::Mbp10(record) => Some(pair(&record.levels[0])),
            Self::Bbo(record) => Some(pair(&record.levels[0])),
            Self::Cmbp1(record) => Some(consolidated(&record.levels[0])),
            Self::Cbbo(record) => Some(consolidated(&record.levels[0])),
            _ => None,
        }
    }

    /// Price, size and the side that took, if it is a trade.
    pub(super) fn trade(self) -> Option<(i64, u32, Option<Side>)> {
        let (action, price, size, side) = match self {
            Self::Mbo(record) => (record.action, record.price, record.size, record.side),
            Self::Trade(record) => (record.action, record.price, record.size, record.side),
            Self::Mbp1(record) => (record.action, record.price, record.size, record.side),
            Self::Mbp10(record) => (record.action, record.price, record.size, record.side),
            Self::Cmbp1(record) => (record.action, record.price, record.size, record.side),
            _ => return None,
        };
        (action as u8 == b'T').then_some((price, size, side_of(side as u8)))
    }

    /// Whether records of this type can be trades.
    pub(super) fn may_be_trade(self) -> bool {
        matches!(self, Self::Mbo(_) | Self::Trade(_) | Self::Mbp1(_) | Self::Mbp10(_) | Self::Cmbp1(_))
    }
}

/// The side of an order, or of who took.
pub(super) fn side_of(letter: u8) -> Option<Side> {
    match letter {
        b'B' => Some(Side::Buy),
        b'A' => Some(Side::Sell),
        _ => None,
    }
}

/// Numbers of records as numbers of an instrument.
pub struct Scale {
    pub(super) instrument: Instrument,
}

impl Scale {
    pub(super) fn price(&self, price: i64) -> Result<Price, Fault> {
        let (nine, decimals) = (Decimals::new(PRICE_DECIMALS).unwrap_or(Decimals::MAX), self.instrument.price_decimals);
        if price == UNDEF_PRICE {
            return Err(("has no price".into(), "leave the record out".into()));
        }
        rescaled(price.into(), i32::from(decimals.count()) - i32::from(PRICE_DECIMALS), decimals)
            .map(Price)
            .map_err(|error| (format!("price `{}` {error}", Price(price).display(nine)), error.help().into()))
    }

    pub(super) fn quantity(&self, size: u64) -> Result<Quantity, Fault> {
        let decimals = self.instrument.quantity_decimals;
        rescaled(size.into(), decimals.count().into(), decimals)
            .map(Quantity)
            .map_err(|error| (format!("size `{size}` {error}"), error.help().into()))
    }

    /// A price and what is there; nothing at 0 where there is no price.
    pub(super) fn level(&self, (price, size): (i64, u32)) -> Result<(Price, Quantity), Fault> {
        if price == UNDEF_PRICE { Ok(Default::default()) } else { Ok((self.price(price)?, self.quantity(size.into())?)) }
    }
}
