//! Made-up events of markets: prices of 80 to 120 and sizes of 1 to 9, with 8 decimals, and spreads of one to three cents.

use stillpoint_actors::{InstrumentId, MarketEvent, Price, Quantity, Quote, Side, Trade, TradeId};

use crate::sample::{Draft, Sample};

/// A price of a draft in units of the last of 8 decimals, the same for every instrument: 80 to 120.
fn price(draft: Draft) -> i64 {
    draft.price * 100_000_000
}

fn quantity(draft: Draft) -> Quantity {
    Quantity(draft.size * 100_000_000)
}

fn scaled(price: Price, power: u32) -> Option<Price> {
    price.0.checked_mul(1i64.checked_shl(power)?).map(Price)
}

fn renamed(instrument: InstrumentId, by: u32) -> Option<InstrumentId> {
    instrument.0.checked_add(by).map(InstrumentId)
}

/// A quote around the draft's price; one in nine has no ask. Its heartbeat is itself.
impl Sample for Quote {
    const SCRIPT: &'static str = "script_quotes";

    fn sample(draft: Draft) -> Self {
        let half = 500_000 * (1 + draft.size % 3);
        let ask_quantity = if draft.size == 9 { Quantity(0) } else { quantity(draft) };
        let (bid, ask) = (Price(price(draft) - half), Price(price(draft) + half));
        Self { instrument: InstrumentId(draft.instrument), bid, bid_quantity: quantity(draft), ask, ask_quantity }
    }

    fn simpler(&self) -> Vec<Self> {
        let one = Quantity(100_000_000);
        let plain = Self { bid_quantity: one, ask_quantity: one, ..*self };
        let round = Self { bid: Price(9_999_500_000), ask: Price(10_000_500_000), ..plain };
        [Self { instrument: InstrumentId(0), ..round }, round, plain].into_iter().take_while(|simpler| simpler != self).collect()
    }

    fn scaled(&self, power: u32) -> Option<Self> {
        Some(Self { bid: scaled(self.bid, power)?, ask: scaled(self.ask, power)?, ..*self })
    }

    fn renamed(&self, by: u32) -> Option<Self> {
        Some(Self { instrument: renamed(self.instrument, by)?, ..*self })
    }

    fn heartbeat(&self) -> Option<Self> {
        Some(*self)
    }
}

/// A trade at the draft's price. It has no heartbeat: every trade is news.
impl Sample for Trade {
    const SCRIPT: &'static str = "script_trades";

    fn sample(draft: Draft) -> Self {
        let side = Some(if draft.buys { Side::Buy } else { Side::Sell });
        Self { instrument: InstrumentId(draft.instrument), side, price: Price(price(draft)), quantity: quantity(draft), id: TradeId(0) }
    }

    fn simpler(&self) -> Vec<Self> {
        let plain = Self { quantity: Quantity(100_000_000), side: Some(Side::Buy), ..*self };
        let round = Self { price: Price(10_000_000_000), ..plain };
        [Self { instrument: InstrumentId(0), ..round }, round, plain].into_iter().take_while(|simpler| simpler != self).collect()
    }

    fn scaled(&self, power: u32) -> Option<Self> {
        Some(Self { price: scaled(self.price, power)?, ..*self })
    }

    fn renamed(&self, by: u32) -> Option<Self> {
        Some(Self { instrument: renamed(self.instrument, by)?, ..*self })
    }
}

/// Quotes and trades: odd sizes trade.
impl Sample for MarketEvent {
    const SCRIPT: &'static str = "script_market_events";

    fn sample(draft: Draft) -> Self {
        if draft.size % 2 == 1 { Self::Trade(Trade::sample(draft)) } else { Self::Quote(Quote::sample(draft)) }
    }

    fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Quote(quote) => quote.simpler().into_iter().map(Self::Quote).collect(),
            Self::Trade(trade) => trade.simpler().into_iter().map(Self::Trade).collect(),
        }
    }

    fn scaled(&self, power: u32) -> Option<Self> {
        match self {
            Self::Quote(quote) => quote.scaled(power).map(Self::Quote),
            Self::Trade(trade) => trade.scaled(power).map(Self::Trade),
        }
    }

    fn renamed(&self, by: u32) -> Option<Self> {
        match self {
            Self::Quote(quote) => quote.renamed(by).map(Self::Quote),
            Self::Trade(trade) => trade.renamed(by).map(Self::Trade),
        }
    }
}
