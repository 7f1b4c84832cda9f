//! The market of one instrument: a pure state that takes an input and gives answers. Invariant: every accepted order is in exactly one place
//! until it ends, and after every input of an open market no resting order could trade with what is on the other side.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::fees::Turnover;
use super::ids::IdSet;
use super::rules::{BookKind, MarketRules, Phase};
use super::stops::Stops;
use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Side, Trade, TradeId};
use crate::instrument::Instrument;
use crate::market::{BookOrderId, BookUpdate, DepthUpdate, OrderBook, OrderKey, PriceBook};
use crate::order::{CancelCause, Liquidity, OrderAction, OrderId, OrderKind, Outcome, Ticket, TimeInForce};
use crate::position::Money;

/// Whose orders they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OwnerId(pub u32);

/// What a market takes.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// The recorded best prices.
    Quote(Quote),
    /// A change of the recorded depth by price.
    Depth(DepthUpdate),
    /// A change of the recorded book by order.
    Book(BookUpdate),
    /// A recorded trade.
    Trade(Trade),
    /// What an owner asks for.
    Request(OwnerId, OrderAction),
    /// The market opens, halts, gathers or closes.
    Phase(Phase),
    /// Time has come this far: orders that are good until now, or until before, expire.
    Clock,
}

/// What became of somebody's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose.
    pub owner: OwnerId,
    /// Its number.
    pub order: OrderId,
    /// Its side.
    pub side: Side,
    /// What happened.
    pub outcome: Outcome,
}

/// What a market gives: answers to owners in their order, and the trades that it made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// Answers.
    pub answers: Vec<Answer>,
    /// Trades, numbered from 1.
    pub trades: Vec<Trade>,
}

/// A place in the table of open orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Slot(pub(super) u32);

/// Who a resting order belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Who {
    /// An actor of the run.
    Owner(Slot),
    /// Somebody in the recording.
    Other(BookOrderId),
}

/// A resting order, as the book carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resting {
    pub(super) who: Who,
    /// What is displayed by others at its price, and comes before it.
    pub(super) ahead: i64,
}

/// Where an open order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// On its way in: it takes, or waits to.
    Entering,
    /// In the book.
    Resting(OrderKey),
    /// A stop before its trigger, which is this price.
    Waiting(Price),
    /// An exit that waits for this entry to end.
    Held(Slot),
}

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) owner: OwnerId,
    pub(super) ticket: Ticket,
    pub(super) filled: i64,
    pub(super) place: Place,
    /// Which of all orders it was.
    pub(super) number: u64,
    /// The order that is cancelled when this one trades, triggers or ends.
    pub(super) partner: Option<Slot>,
    /// The orders that follow when this one ends.
    pub(super) exits: Option<[Slot; 2]>,
}

impl Live {
    pub(super) const fn left(&self) -> i64 {
        self.ticket.quantity.0 - self.filled
    }

    /// The limit it has now. A stop-limit has it before its trigger too.
    pub(super) const fn limit(&self) -> Option<Price> {
        match self.ticket.kind {
            OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } | OrderKind::Iceberg { limit, .. } => Some(limit),
            OrderKind::Market | OrderKind::Stop { .. } | OrderKind::TrailingStop(_) => None,
        }
    }
}

/// What a market knows of an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) used: IdSet,
    pub(super) traded: Turnover,
}

/// The market of one instrument.
///
/// It holds the orders of the run's owners by price and time, beside what a recording displays: quotes, depth by price, or orders one by one.
/// The recorded market does not react: what is taken from a displayed level is missing until the recording tells the level again, and a
/// recorded trade that fills an owner's order has its recorded effect too.
///
/// * At each price there is one queue. Between recorded orders by number and those of owners it is exact; where a recording gives only the sum
///   at a price, a [`QueueModel`](super::QueueModel) estimates how much of it comes before each order.
/// * A recorded trade goes through that queue like an order for its quantity: better prices first, then what is ahead, then the order. Where
///   the recording does not tell who took, it is who came from the other side of the displayed quote; between the two, nobody is filled.
/// * A recorded price that crosses a resting order fills it at the order's own limit, up to what is displayed.
/// * Answers come in this order: acceptance or trigger, then for each trade the order that came and the order that rested.
///
/// ```
/// use stillpoint_actors::{Input, Instrument, InstrumentId, Market, MarketRules, OrderAction, OrderId, OrderKind, Outbox, OwnerId};
/// use stillpoint_actors::{BookKind, Price, Quantity, Side, Ticket, TimeInForce};
/// use stillpoint_engine::Instant;
/// let rules = MarketRules { book: BookKind::L3, ..MarketRules::default() };
/// let mut market = Market::new(Instrument::new(InstrumentId(0), "X"), rules);
/// let mut out = Outbox::default();
/// let limit = |side, price| OrderAction::Submit(Ticket {
///     id: OrderId(1),
///     side,
///     quantity: Quantity(5),
///     kind: OrderKind::Limit(Price(price)),
///     time_in_force: TimeInForce::Gtc,
/// });
/// market.apply(Instant::EPOCH, Input::Request(OwnerId(0), limit(Side::Sell, 100)), &mut out);
/// market.apply(Instant::EPOCH, Input::Request(OwnerId(1), limit(Side::Buy, 102)), &mut out);
/// assert_eq!((out.trades[0].price, out.trades[0].quantity), (Price(100), Quantity(5)));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Market {
    pub(super) instrument: Instrument,
    pub(super) rules: MarketRules,
    pub(super) phase: Phase,
    pub(super) now: Instant,
    /// What a recording displays by price.
    pub(super) depth: PriceBook,
    /// The orders of owners, and those of a recording by order.
    pub(super) book: OrderBook<Resting>,
    pub(super) others: BTreeMap<BookOrderId, OrderKey>,
    pub(super) live: Vec<Option<Live>>,
    pub(super) free: Vec<Slot>,
    pub(super) index: BTreeMap<(OwnerId, OrderId), Slot>,
    pub(super) accounts: BTreeMap<OwnerId, Account>,
    pub(super) stops: Stops,
    pub(super) expiries: BTreeSet<(Instant, u64, Slot)>,
    /// Exits whose entry has ended, to be entered.
    pub(super) ready: Vec<[Slot; 2]>,
    pub(super) orders: u64,
    pub(super) trades: u64,
    pub(super) last: Option<Price>,
    /// Whether the depth was cleared and is being told anew.
    pub(super) cleared: bool,
}

impl Market {
    /// An open market without orders.
    pub fn new(instrument: Instrument, rules: MarketRules) -> Self {
        Self {
            instrument,
            rules,
            phase: Phase::Open,
            now: Instant::MIN,
            depth: PriceBook::default(),
            book: OrderBook::new(),
            others: BTreeMap::new(),
            live: Vec::new(),
            free: Vec::new(),
            index: BTreeMap::new(),
            accounts: BTreeMap::new(),
            stops: Stops::default(),
            expiries: BTreeSet::new(),
            ready: Vec::new(),
            orders: 0,
            trades: 0,
            last: None,
            cleared: false,
        }
    }

    /// Takes an input at an instant, and appends what comes of it. Instants do not go back.
    ///
    /// Orders that were good until before `now` expire first; with [`Input::Clock`] those that are good until `now` too.
    #[inline(always)]
    pub fn apply(&mut self, now: Instant, input: Input, out: &mut Outbox) {
        self.now = now;
        if self.next_expiry().is_some_and(|at| at < now || matches!(input, Input::Clock)) {
            self.expire(matches!(input, Input::Clock), out);
            self.settle(out);
        }
        match input {
            Input::Quote(quote) => self.on_quote(&quote, out),
            Input::Depth(update) => self.on_depth(&update, out),
            Input::Book(update) => self.on_book(&update, out),
            Input::Trade(trade) => self.on_trade(&trade, out),
            Input::Request(owner, action) => self.on_request(owner, action, out),
            Input::Phase(phase) => self.on_phase(phase, out),
            Input::Clock => {}
        }
        self.settle(out);
    }

    /// What is traded here.
    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Its rules.
    pub fn rules(&self) -> &MarketRules {
        &self.rules
    }

    /// Whether orders are matched.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The price of the last trade, recorded or made here.
    pub fn last_trade(&self) -> Option<Price> {
        self.last
    }

    /// How many orders are open, stops and exits that wait included.
    pub fn open_orders(&self) -> usize {
        self.index.len()
    }

    /// The instant at which the next order expires, for whoever calls with [`Input::Clock`] then.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, ..)| *at)
    }

    /// The best price of a side, displayed or of an owner's order, and all that is shown there.
    pub fn best(&self, side: Side) -> Option<(Price, Quantity)> {
        let price = self.best_price(side)?;
        let displayed = self.depth.level(side, price).map_or(0, |level| i128::from(level.quantity.0));
        let resting = self.book.best(side).filter(|(best, _)| *best == price).map_or(0, |(_, quantity)| quantity);
        Some((price, Quantity(i64::try_from(displayed + resting).unwrap_or(i64::MAX))))
    }

    /// What the best prices are, as a quote.
    pub fn quote(&self) -> Quote {
        let best = |side| self.best(side).unwrap_or_default();
        let ((bid, bid_quantity), (ask, ask_quantity)) = (best(Side::Buy), best(Side::Sell));
        Quote { instrument: self.instrument.id, bid, bid_quantity, ask, ask_quantity }
    }

    /// The resting orders of a side by price and time: whose (`None` for the recording's), what is shown, and what is estimated to be ahead.
    pub fn resting(&self, side: Side) -> impl Iterator<Item = (Price, Option<(OwnerId, OrderId)>, Quantity, Quantity)> {
        let keys = self.book.levels(side).flat_map(move |(price, _)| self.book.queue(side, price).map(move |key| (price, key)));
        keys.map(|(price, key)| {
            let Resting { who, ahead } = *self.book.value(key);
            let whose = match who {
                Who::Owner(slot) => Some((self.order(slot).owner, self.order(slot).ticket.id)),
                Who::Other(_) => None,
            };
            (price, whose, self.book.quantity(key), Quantity(ahead))
        })
    }

    pub(super) fn best_price(&self, side: Side) -> Option<Price> {
        let displayed = self.depth.best(side).map(|(price, _)| price);
        let resting = self.book.best(side).map(|(price, _)| price);
        match (displayed, resting) {
            (Some(a), Some(b)) => Some(if side.is_better(a, b) { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    pub(super) fn order(&self, slot: Slot) -> &Live {
        self.live[slot.0 as usize].as_ref().expect("an open order")
    }

    pub(super) fn order_mut(&mut self, slot: Slot) -> &mut Live {
        self.live[slot.0 as usize].as_mut().expect("an open order")
    }

    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.live[slot.0 as usize].is_some()
    }

    pub(super) fn answer(&self, slot: Slot, outcome: Outcome, out: &mut Outbox) {
        let Live { owner, ticket, .. } = self.order(slot);
        out.answers.push(Answer { owner: *owner, order: ticket.id, side: ticket.side, outcome });
    }

    /// Books a fill of an order: its fee, its answer, what leaves the book, and what depends on it.
    pub(super) fn fill(&mut self, slot: Slot, quantity: i64, price: Price, liquidity: Liquidity, out: &mut Outbox) {
        let fee = self.charge(self.order(slot).owner, quantity, price, liquidity);
        let order = self.order_mut(slot);
        order.filled += quantity;
        let (left, place) = (order.left(), order.place);
        self.answer(slot, Outcome::Filled { quantity: Quantity(quantity), price, left: Quantity(left), liquidity, fee }, out);
        if let Place::Resting(key) = place {
            self.shrink(slot, key, quantity);
        }
        self.release_partner(slot, out);
        if left == 0 {
            self.end(slot, out);
        }
    }

    fn charge(&mut self, owner: OwnerId, quantity: i64, price: Price, liquidity: Liquidity) -> Money {
        let notional = self.instrument.notional(price, Quantity(quantity)).map_or(i128::MAX, |money| money.0.saturating_abs());
        let (now, window) = (self.now, self.rules.fee_days);
        let traded = &mut self.accounts.entry(owner).or_default().traded;
        let fee = self.rules.fees.fee(traded.at(now, window), liquidity, Money(notional));
        traded.add(now, window, notional);
        fee
    }

    /// Takes a fill out of the book, and shows the next part of an iceberg at the end of the queue.
    fn shrink(&mut self, slot: Slot, key: OrderKey, quantity: i64) {
        if quantity < self.book.quantity(key).0 {
            self.book.reduce(key, Quantity(quantity));
            return;
        }
        self.book.remove(key);
        self.order_mut(slot).place = Place::Entering;
        if self.order(slot).left() > 0 {
            self.rest(slot);
        }
    }

    /// Puts what is left of an order into the book, at the end of its level.
    pub(super) fn rest(&mut self, slot: Slot) {
        let order = self.order(slot);
        let (side, left) = (order.ticket.side, order.left());
        let price = order.limit().expect("an order that rests has a limit");
        let shown = match order.ticket.kind {
            OrderKind::Iceberg { display, .. } => display.0.min(left),
            _ => left,
        };
        let resting = Resting { who: Who::Owner(slot), ahead: self.displayed_ahead(side, price) };
        let key = self.book.add(side, price, Quantity(shown), resting);
        self.order_mut(slot).place = Place::Resting(key);
    }

    /// What comes before an order that joins a level now: all that is displayed there. Behind the best quote it is unknown, and more than
    /// anything, until the quote comes to it.
    fn displayed_ahead(&self, side: Side, price: Price) -> i64 {
        match self.depth.level(side, price) {
            Some(level) => level.quantity.0,
            None => match (self.rules.book, self.depth.best(side)) {
                (BookKind::L1, Some((best, _))) if side.is_better(best, price) => i64::MAX,
                _ => 0,
            },
        }
    }

    /// Ends an order that was not filled as a whole, with this last answer.
    pub(super) fn finish(&mut self, slot: Slot, outcome: Outcome, out: &mut Outbox) {
        match self.order(slot).place {
            Place::Resting(key) => {
                self.book.remove(key);
            }
            Place::Waiting(_) => self.stop_waiting(slot),
            Place::Held(entry) => self.order_mut(entry).exits = None,
            Place::Entering => {}
        }
        self.order_mut(slot).place = Place::Entering;
        self.answer(slot, outcome, out);
        self.release_partner(slot, out);
        self.end(slot, out);
    }

    pub(super) fn cancel(&mut self, slot: Slot, cause: CancelCause, out: &mut Outbox) {
        let quantity = Quantity(self.order(slot).left());
        self.finish(slot, Outcome::Cancelled { quantity, cause }, out);
    }

    /// Cancels the other order of a pair.
    pub(super) fn release_partner(&mut self, slot: Slot, out: &mut Outbox) {
        let Some(partner) = self.order_mut(slot).partner.take() else { return };
        self.order_mut(partner).partner = None;
        self.cancel(partner, CancelCause::OneCancelsOther, out);
    }

    /// Forgets an order that has had its last answer; its exits get their turn, or their end.
    fn end(&mut self, slot: Slot, out: &mut Outbox) {
        let order = self.live[slot.0 as usize].take().expect("an open order");
        self.free.push(slot);
        self.index.remove(&(order.owner, order.ticket.id));
        if let TimeInForce::Gtd(at) = order.ticket.time_in_force {
            self.expiries.remove(&(at, order.number, slot));
        }
        let Some(exits) = order.exits else { return };
        exits.iter().for_each(|exit| self.order_mut(*exit).place = Place::Entering);
        if order.filled > 0 {
            exits.iter().for_each(|exit| self.order_mut(*exit).ticket.quantity = Quantity(order.filled));
            self.ready.push(exits);
        } else {
            exits.iter().for_each(|exit| self.order_mut(*exit).partner = None);
            exits.iter().for_each(|exit| self.cancel(*exit, CancelCause::EntryUnfilled, out));
        }
    }

    /// Does what an input has set off.
    #[inline(always)]
    fn settle(&mut self, out: &mut Outbox) {
        if !self.ready.is_empty() || !self.stops.is_empty() {
            self.follow_up(out);
        }
    }

    /// Exits whose entry has ended, then stops whose trigger was reached, until there is none.
    fn follow_up(&mut self, out: &mut Outbox) {
        loop {
            if !self.ready.is_empty() {
                let exits = self.ready.remove(0);
                self.enter_pair(exits, out);
            } else if !self.trigger_one(out) {
                return;
            }
        }
    }

    /// Tells a trade that was made here.
    pub(super) fn print(&mut self, price: Price, quantity: i64, taker: Option<Side>, out: &mut Outbox) {
        self.trades += 1;
        self.note_last(price);
        let instrument = self.instrument.id;
        out.trades.push(Trade { instrument, side: taker, price, quantity: Quantity(quantity), id: TradeId(self.trades) });
    }

    fn expire(&mut self, inclusive: bool, out: &mut Outbox) {
        while let Some(&(at, _, slot)) = self.expiries.first() {
            if at > self.now || (at == self.now && !inclusive) {
                return;
            }
            let quantity = Quantity(self.order(slot).left());
            self.finish(slot, Outcome::Expired { quantity }, out);
        }
    }
}
