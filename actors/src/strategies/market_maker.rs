//! A market maker. Invariant: it has at most one order a side, and neither takes what is there nor may bring its position beyond its limit.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Report;

use super::{positive, whole_lots, whole_times};
use crate::decimal::{Decimals, Price, Quantity};
use crate::event::{Quote, Side};
use crate::instrument::{Instrument, InstrumentId};
use crate::order::{OrderEvent, OrderId, OrderKind, Outcome, Reject, TimeInForce};
use crate::strategy::{Desk, Execution, SettingsError, Strategy};

/// What a [`MarketMaker`] quotes, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketMakerSettings {
    /// What.
    pub instrument: InstrumentId,
    /// How much it quotes on each side.
    pub quantity: Quantity,
    /// The most it holds, long or short.
    pub limit: Quantity,
    /// How far its prices are from their centre.
    pub half_spread: Price,
    /// How far the centre is shifted from the mid price when it holds its limit: down if it is long, up if it is short; less if it holds less.
    pub skew: Price,
    /// How far a price must have moved before its order is moved; any distance unless given.
    #[serde(default)]
    pub requote: Price,
}

/// Quotes both sides of the mid price with post-only orders, and shifts both prices against what it holds, so that it is rather relieved of it
/// than given more.
///
/// It looks at its orders whenever a quote or a fill comes. An order that is where it should be stays and keeps its place in the queue; else it
/// is moved, one change at a time. What the exchange has rejected is not asked for again before another price or quantity is wanted, or something was
/// filled; but rejections that pass with the market, as of orders that would take or of changes that came too late, are none of that sort. Prices are
/// rounded away from the mid to whole ticks and never cross the other side of the quote.
///
/// It reports how much it has `bought` and `sold`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarketMaker {
    settings: MarketMakerSettings,
    bid: Option<OrderId>,
    ask: Option<OrderId>,
    /// What was last asked for, bids first, and whether it was rejected.
    asked: [Option<Asked>; 2],
    /// In units of the last of the decimals, which are those of the instrument once there was a fill.
    bought: i128,
    sold: i128,
    decimals: Decimals,
}

/// What was asked for on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    order: OrderId,
    price: Price,
    quantity: Quantity,
    is_rejected: bool,
}

/// Whether what was rejected for this reason may be taken the next time, though nothing of it is changed.
fn passes(reason: Reject) -> bool {
    use Reject::{BelowFilled, Closed, Halted, InAuction, NotOpen, UnknownOrder, WouldTake};
    // A change of an order that was filled meanwhile came too late: another order may be taken.
    matches!(reason, WouldTake | Halted | InAuction | Closed | NotOpen | UnknownOrder | BelowFilled)
}

impl MarketMaker {
    /// A market maker that has no orders.
    ///
    /// # Errors
    /// [`SettingsError`] if a quantity or the half spread is not above zero, or another distance is below it.
    pub fn new(settings: MarketMakerSettings) -> Result<Self, SettingsError> {
        let MarketMakerSettings { quantity, limit, half_spread, skew, requote, .. } = settings;
        positive("quantity", quantity)?;
        positive("limit", limit)?;
        if half_spread.0 <= 0 {
            return Err(SettingsError::new("half_spread", "is not above zero; both sides would meet at one price"));
        }
        for (field, distance) in [("skew", skew), ("requote", requote)] {
            if distance.0 < 0 {
                return Err(SettingsError::new(field, "is below zero; give a distance"));
            }
        }
        Ok(Self { settings, bid: None, ask: None, asked: [None; 2], bought: 0, sold: 0, decimals: Decimals::EIGHT })
    }

    /// The price and the quantity it wants to quote on a side; no quantity where it has reached its limit.
    fn wanted(&self, side: Side, quote: &Quote, held: Quantity, instrument: &Instrument) -> (Price, Quantity) {
        let MarketMakerSettings { quantity, limit, half_spread, skew, .. } = self.settings;
        let [bid, ask, limit, half_spread, skew, held, tick] =
            [quote.bid.0, quote.ask.0, limit.0, half_spread.0, skew.0, held.0, instrument.tick_size.0].map(i128::from);
        // In units of one part in `2 * limit` of a price.
        let centre = (bid + ask) * limit - 2 * skew * held;
        let (distance, step) = (2 * half_spread * limit, 2 * limit * tick);
        let (price, room) = match side {
            // The other side of the quote may be between two ticks.
            Side::Buy => (whole_times(centre - distance, step).min(whole_times(ask - tick, tick)) * tick, limit - held),
            Side::Sell => (-whole_times(-(centre + distance), step).min(whole_times(-(bid + tick), tick)) * tick, limit + held),
        };
        let price = i64::try_from(price).unwrap_or(if price < 0 { i64::MIN } else { i64::MAX });
        (Price(price), whole_lots(i128::from(quantity.0).min(room).max(0), instrument.lot_size))
    }

    fn requote(&mut self, desk: &mut Desk<'_>) {
        let Some(account) = desk.account(self.settings.instrument) else { return };
        let Some(quote) = account.quote().filter(|quote| quote.mid().is_some()) else { return };
        let held = account.held();
        let [bid, ask] = [Side::Buy, Side::Sell].map(|side| self.wanted(side, quote, held, account.instrument()));
        let limit = self.ask.and_then(|id| desk.order(id)).and_then(|order| order.limit());
        // Whichever moves away from the other goes first, so that the two never meet.
        if limit.is_some_and(|limit| ask.0 > limit) {
            self.ask = self.place(Side::Sell, self.ask, ask, desk);
            self.bid = self.place(Side::Buy, self.bid, bid, desk);
        } else {
            self.bid = self.place(Side::Buy, self.bid, bid, desk);
            self.ask = self.place(Side::Sell, self.ask, ask, desk);
        }
    }

    /// Brings the order of a side to where it is wanted: its number, if there is one now.
    fn place(&mut self, side: Side, order: Option<OrderId>, (price, quantity): (Price, Quantity), desk: &mut Desk<'_>) -> Option<OrderId> {
        let MarketMakerSettings { instrument, requote, .. } = self.settings;
        let asked = &mut self.asked[usize::from(side == Side::Sell)];
        if asked.is_some_and(|asked| asked.is_rejected && (asked.price, asked.quantity) == (price, quantity)) {
            return order.filter(|id| desk.order(*id).is_some());
        }
        let ask = |order| Some(Asked { order, price, quantity, is_rejected: false });
        let Some(order) = order.and_then(|id| desk.order(id)).copied() else {
            let kind = OrderKind::Limit(price);
            let place = |desk: &mut Desk<'_>| desk.submit(instrument, side, quantity, kind, TimeInForce::Gtx).ok();
            let placed = if quantity.0 > 0 && desk.closed().is_none() { place(desk) } else { None };
            *asked = placed.and_then(ask);
            return placed;
        };
        let moved = order.limit().map_or(0, |limit| limit.0.abs_diff(price.0));
        let is_moved = moved > 0 && i128::from(moved) >= i128::from(requote.0);
        if order.is_settled() && (is_moved || order.left() > quantity) {
            let whole = Quantity(order.filled.0.saturating_add(quantity.0));
            // Where it may not be changed, it must not stay either.
            if quantity.0 == 0 || desk.modify(order.id, whole, Some(price), None).is_err() {
                _ = desk.cancel(order.id);
            } else {
                *asked = ask(order.id);
            }
        }
        Some(order.id)
    }
}

impl Strategy for MarketMaker {
    fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
        if quote.instrument == self.settings.instrument {
            self.requote(desk);
        }
    }

    fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) {
        if let Some(account) = desk.account(fill.instrument) {
            self.decimals = account.instrument().quantity_decimals;
        }
        match fill.side {
            Side::Buy => self.bought += i128::from(fill.quantity.0),
            Side::Sell => self.sold += i128::from(fill.quantity.0),
        }
        for asked in self.asked.iter_mut().flatten() {
            asked.is_rejected = false;
        }
        self.requote(desk);
    }

    fn on_order(&mut self, event: &OrderEvent, _: &mut Desk<'_>) {
        let (Outcome::Rejected { reason, .. } | Outcome::ModifyRejected { reason }) = event.outcome else { return };
        for asked in self.asked.iter_mut().flatten().filter(|asked| asked.order == event.order) {
            asked.is_rejected = !passes(reason);
        }
    }

    fn report(&self, report: &mut Report) {
        for (name, units) in [("bought", self.bought), ("sold", self.sold)] {
            report.number(name, units as f64 / self.decimals.one() as f64);
        }
    }
}
