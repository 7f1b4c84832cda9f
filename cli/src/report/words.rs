//! What a report keeps of messages: a line of words for each that tells of a market or of an order. Invariant: what [`of`] writes, [`Word::read`]
//! reads back; of all other messages nothing is kept.

use std::any::Any;
use std::fmt::{Debug, Write};
use std::sync::Arc;

use stillpoint_actors::portfolio::Statement;
use stillpoint_actors::{
    Amendment, Bar, BookChange, BookOrderId, BookUpdate, DepthChange, DepthUpdate, InstrumentId, Liquidity, MarkOf, MarketEvent, Order,
    OrderAction, OrderEvent, OrderId, OrderKind, OrderRequest, Outcome, Price, Quantity, Quote, Side, Ticket, TimeInForce, Trade, TrailBy,
};
use stillpoint_engine::Instant;
use stillpoint_engine::trace::Wording;

use super::books;

/// What a message says, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A price: twice of it, so that a mid has no half.
    Mark { instrument: InstrumentId, of: MarkOf, twice: i128 },
    /// A change of a book.
    Book { instrument: InstrumentId, change: books::Change },
    /// Orders that are sent.
    Sent { instrument: InstrumentId, orders: Vec<Sent> },
    /// An order is asked to be changed.
    Asked { instrument: InstrumentId, order: OrderId, change: Change },
    /// What came of an order.
    Event { instrument: InstrumentId, order: OrderId, side: Side, what: What },
    /// What an account has: equity, margin used, what is free, and fees, in units of the last decimal.
    Statement { currency: u16, before: Instant, amounts: [i128; 4] },
}

/// Where a price is from, as `report.json` calls it.
pub(super) fn name_of(mark: MarkOf) -> &'static str {
    match mark {
        MarkOf::Fill => "fill",
        MarkOf::Bar => "bar",
        MarkOf::Trade => "trade",
        MarkOf::Quote => "mid",
    }
}

/// An order as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) id: OrderId,
    pub(super) side: Side,
    pub(super) quantity: Quantity,
    pub(super) kind: String,
    pub(super) limit: Option<Price>,
    pub(super) trigger: Option<Price>,
    pub(super) time_in_force: String,
}

/// What an order is to be from now on: its whole quantity, and prices where they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) quantity: Quantity,
    pub(super) limit: Option<Price>,
    pub(super) trigger: Option<Price>,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Filled {
        quantity: Quantity,
        price: Price,
        left: Quantity,
        liquidity: &'static str,
        fee: i128,
    },
    /// It ended otherwise: how, and why.
    Ended {
        how: &'static str,
        why: String,
    },
    /// It was changed, and so much is left to be done.
    Changed {
        left: Quantity,
    },
    /// It was not changed.
    Unchanged,
    /// It lives.
    Alive,
}

/// The wording of reports.
pub(super) fn wording() -> Wording {
    Arc::new(|message, _| of(message))
}

fn of(message: &dyn Any) -> Option<String> {
    if let Some(quote) = message.downcast_ref::<Quote>() {
        return of_quote(quote);
    }
    if let Some(trade) = message.downcast_ref::<Trade>() {
        return Some(of_trade(trade));
    }
    if let Some(event) = message.downcast_ref::<MarketEvent>() {
        return match event {
            MarketEvent::Quote(quote) => of_quote(quote),
            MarketEvent::Trade(trade) => Some(of_trade(trade)),
        };
    }
    if let Some(bar) = message.downcast_ref::<Bar>() {
        return Some(format!("b {} {}", bar.instrument.0, 2 * i128::from(bar.close.0)));
    }
    if let Some(update) = message.downcast_ref::<DepthUpdate>() {
        return Some(of_depth(update));
    }
    if let Some(update) = message.downcast_ref::<BookUpdate>() {
        return Some(of_book(update));
    }
    if let Some(event) = message.downcast_ref::<OrderEvent>() {
        return Some(of_event(event));
    }
    if let Some(Statement { before, currency, figures }) = message.downcast_ref::<Statement>() {
        let amounts = [figures.equity(), figures.margin_used(), figures.free(), figures.fees].map(|amount| amount.to_string());
        return Some(format!("a {} {} {}", currency.0, before.as_nanos(), amounts.join(" ")));
    }
    if let Some(order) = message.downcast_ref::<Order>() {
        let Order { id, instrument, side, quantity, kind, .. } = *order;
        return Some(sent(instrument, &[Ticket { id, side, quantity, kind, time_in_force: TimeInForce::default() }]));
    }
    match message.downcast_ref::<OrderRequest>()? {
        OrderRequest { instrument, action: OrderAction::Submit(ticket), .. } => Some(sent(*instrument, &[*ticket])),
        OrderRequest { instrument, action: OrderAction::Oco(tickets), .. } => Some(sent(*instrument, tickets)),
        OrderRequest { instrument, action: OrderAction::Bracket { entry, exits }, .. } => {
            Some(sent(*instrument, &[*entry, exits[0], exits[1]]))
        }
        OrderRequest { instrument, action: OrderAction::Modify(Amendment { id, quantity, limit, trigger, .. }), .. } => {
            Some(format!("m {} {} {} {} {}", instrument.0, id.0, quantity.0, or_dash(*limit), or_dash(*trigger)))
        }
        _ => None,
    }
}

fn of_quote(quote: &Quote) -> Option<String> {
    let is_whole = quote.bid_quantity.0 > 0 && quote.ask_quantity.0 > 0;
    is_whole.then(|| format!("q {} {}", quote.instrument.0, i128::from(quote.bid.0) + i128::from(quote.ask.0)))
}

fn of_trade(trade: &Trade) -> String {
    format!("t {} {}", trade.instrument.0, 2 * i128::from(trade.price.0))
}

fn of_depth(update: &DepthUpdate) -> String {
    let (instrument, last) = (update.instrument.0, u8::from(update.last));
    match update.change {
        DepthChange::Clear => format!("d {instrument} {last} clear"),
        DepthChange::Set { side, price, quantity } => format!("d {instrument} {last} {} {} {}", letter(side), price.0, quantity.0),
    }
}

fn of_book(update: &BookUpdate) -> String {
    let instrument = update.instrument.0;
    match update.change {
        BookChange::Clear => format!("k {instrument} clear"),
        BookChange::Add { id, side, price, quantity } => format!("k {instrument} add {} {} {} {}", id.0, quantity.0, price.0, letter(side)),
        BookChange::Modify { id, price, quantity } => format!("k {instrument} modify {} {} {}", id.0, quantity.0, price.0),
        BookChange::Cancel { id, quantity } => format!("k {instrument} cancel {} {}", id.0, quantity.0),
        BookChange::Fill { id, quantity } => format!("k {instrument} fill {} {}", id.0, quantity.0),
    }
}

fn sent(instrument: InstrumentId, tickets: &[Ticket]) -> String {
    let mut text = format!("o {}", instrument.0);
    for Ticket { id, side, quantity, kind, time_in_force } in tickets {
        let (kind, limit, trigger) = match *kind {
            OrderKind::Market => ("market", None, None),
            OrderKind::Limit(limit) => ("limit", Some(limit), None),
            OrderKind::Stop { trigger } => ("stop", None, Some(trigger)),
            OrderKind::StopLimit { trigger, limit } => ("stop-limit", Some(limit), Some(trigger)),
            OrderKind::TrailingStop(TrailBy::Price(_) | TrailBy::BasisPoints(_)) => ("trailing-stop", None, None),
            OrderKind::Iceberg { limit, .. } => ("iceberg", Some(limit), None),
        };
        let time = match time_in_force {
            TimeInForce::Gtc => "GTC".to_owned(),
            TimeInForce::Ioc => "IOC".to_owned(),
            TimeInForce::Fok => "FOK".to_owned(),
            TimeInForce::Gtx => "GTX".to_owned(),
            TimeInForce::Gtd(until) => format!("GTD:{until}"),
        };
        let _ = write!(text, " {} {} {} {kind} {} {} {time}", id.0, letter(*side), quantity.0, or_dash(limit), or_dash(trigger));
    }
    text
}

fn or_dash(price: Option<Price>) -> String {
    price.map_or_else(|| "-".to_owned(), |price| price.0.to_string())
}

fn of_event(event: &OrderEvent) -> String {
    let mut text = format!("e {} {} {} ", event.instrument.0, event.order.0, letter(event.side));
    let _ = match event.outcome {
        Outcome::Filled { quantity, price, left, liquidity, fee } => {
            write!(text, "filled {} {} {} {} {}", quantity.0, price.0, left.0, liquidity_word(liquidity), fee.0)
        }
        Outcome::Cancelled { cause, .. } => write!(text, "cancelled {}", words(&cause)),
        Outcome::Rejected { reason, .. } => write!(text, "rejected {}", words(&reason)),
        Outcome::Expired { .. } => write!(text, "expired -"),
        Outcome::Modified { left } => write!(text, "changed {}", left.0),
        Outcome::ModifyRejected { .. } => write!(text, "unchanged"),
        _ => write!(text, "alive"),
    };
    text
}

fn letter(side: Side) -> char {
    match side {
        Side::Buy => 'B',
        Side::Sell => 'S',
    }
}

fn liquidity_word(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
        Liquidity::Auction => "auction",
    }
}

/// `OneCancelsOther` as `one-cancels-other`.
fn words(name: &dyn Debug) -> String {
    let name = format!("{name:?}");
    let mut text = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

impl Word {
    /// What [`of`] has written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let first = words.next()?;
        if first == "a" {
            return Self::read_statement(words);
        }
        let instrument = InstrumentId(words.next()?.parse().ok()?);
        let of = match first {
            "q" => MarkOf::Quote,
            "t" => MarkOf::Trade,
            "b" => MarkOf::Bar,
            "d" => return Some(Self::Book { instrument, change: depth_change(words)? }),
            "k" => return Some(Self::Book { instrument, change: books::Change::Order(book_change(words)?) }),
            "o" => return Some(Self::Sent { instrument, orders: std::iter::from_fn(|| Sent::read(&mut words)).collect() }),
            "m" => return Self::read_asked(instrument, words),
            _ => return Self::read_event(instrument, words),
        };
        Some(Self::Mark { instrument, of, twice: words.next()?.parse().ok()? })
    }

    fn read_statement<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<Self> {
        let (currency, before) = (words.next()?.parse().ok()?, Instant::from_nanos(words.next()?.parse().ok()?));
        let mut amount = || words.next()?.parse().ok();
        Some(Self::Statement { currency, before, amounts: [amount()?, amount()?, amount()?, amount()?] })
    }

    fn read_asked<'t>(instrument: InstrumentId, mut words: impl Iterator<Item = &'t str>) -> Option<Self> {
        let order = OrderId(words.next()?.parse().ok()?);
        let quantity = Quantity(words.next()?.parse().ok()?);
        let mut price = || words.next().map(|price| price.parse().ok().map(Price));
        Some(Self::Asked { instrument, order, change: Change { quantity, limit: price()?, trigger: price()? } })
    }

    fn read_event<'t>(instrument: InstrumentId, mut words: impl Iterator<Item = &'t str>) -> Option<Self> {
        let order = OrderId(words.next()?.parse().ok()?);
        let side = side(words.next()?);
        let what = match words.next()? {
            "filled" => What::Filled {
                quantity: Quantity(words.next()?.parse().ok()?),
                price: Price(words.next()?.parse().ok()?),
                left: Quantity(words.next()?.parse().ok()?),
                liquidity: match words.next()? {
                    "maker" => "maker",
                    "taker" => "taker",
                    _ => "auction",
                },
                fee: words.next()?.parse().ok()?,
            },
            "changed" => What::Changed { left: Quantity(words.next()?.parse().ok()?) },
            "unchanged" => What::Unchanged,
            "alive" => What::Alive,
            how => {
                let how = ["cancelled", "rejected", "expired"].into_iter().find(|known| *known == how)?;
                What::Ended { how, why: words.next()?.trim_start_matches('-').to_owned() }
            }
        };
        Some(Self::Event { instrument, order, side, what })
    }
}

impl Sent {
    fn read<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Self> {
        let id = OrderId(words.next()?.parse().ok()?);
        let side = side(words.next()?);
        let quantity = Quantity(words.next()?.parse().ok()?);
        let kind = words.next()?.to_owned();
        let mut price = || words.next().map(|price| price.parse().ok().map(Price));
        let (limit, trigger) = (price()?, price()?);
        Some(Self { id, side, quantity, kind, limit, trigger, time_in_force: words.next()?.to_owned() })
    }
}

fn depth_change<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<books::Change> {
    let last = words.next()? == "1";
    let change = match words.next()? {
        "clear" => DepthChange::Clear,
        letter => {
            let (price, quantity) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            DepthChange::Set { side: side(letter), price: Price(price), quantity: Quantity(quantity) }
        }
    };
    Some(books::Change::Depth(change, last))
}

fn book_change<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<BookChange> {
    let what = words.next()?;
    if what == "clear" {
        return Some(BookChange::Clear);
    }
    let (id, quantity) = (BookOrderId(words.next()?.parse().ok()?), Quantity(words.next()?.parse().ok()?));
    Some(match what {
        "add" => BookChange::Add { id, quantity, price: Price(words.next()?.parse().ok()?), side: side(words.next()?) },
        "modify" => BookChange::Modify { id, quantity, price: Price(words.next()?.parse().ok()?) },
        "cancel" => BookChange::Cancel { id, quantity },
        _ => BookChange::Fill { id, quantity },
    })
}

fn side(letter: &str) -> Side {
    if letter == "B" { Side::Buy } else { Side::Sell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_actors::portfolio::{CurrencyId, Figures};
    use stillpoint_actors::{CancelCause, Money, Reject};

    fn read(message: &dyn Any) -> Option<Word> {
        of(message).and_then(|text| Word::read(&text))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let instrument = InstrumentId(7);
        let quote = Quote { instrument, bid: Price(-3), bid_quantity: Quantity(1), ask: Price(4), ask_quantity: Quantity(2) };
        assert_eq!(read(&quote), Some(Word::Mark { instrument, of: MarkOf::Quote, twice: 1 }));
        assert_eq!(read(&MarketEvent::Quote(Quote { ask_quantity: Quantity(0), ..quote })), None);
        let event = |outcome| OrderEvent { order: OrderId(9), instrument, side: Side::Sell, outcome };
        let filled = event(Outcome::Filled {
            quantity: Quantity(5),
            price: Price(6),
            left: Quantity(1),
            liquidity: Liquidity::Maker,
            fee: Money(-2),
        });
        let what = What::Filled { quantity: Quantity(5), price: Price(6), left: Quantity(1), liquidity: "maker", fee: -2 };
        assert_eq!(read(&filled), Some(Word::Event { instrument, order: OrderId(9), side: Side::Sell, what }));
        let cancelled = event(Outcome::Cancelled { quantity: Quantity(5), cause: CancelCause::OneCancelsOther });
        let Some(Word::Event { what, .. }) = read(&cancelled) else { panic!("no event") };
        assert_eq!(what, What::Ended { how: "cancelled", why: "one-cancels-other".to_owned() });
        let Some(Word::Event { what, .. }) = read(&event(Outcome::Accepted)) else { panic!("no event") };
        assert_eq!(what, What::Alive);
        let Some(Word::Event { what, .. }) = read(&event(Outcome::Modified { left: Quantity(3) })) else { panic!("no event") };
        assert_eq!(what, What::Changed { left: Quantity(3) });
        let Some(Word::Event { what, .. }) = read(&event(Outcome::ModifyRejected { reason: Reject::UnknownOrder })) else {
            panic!("no event")
        };
        assert_eq!(what, What::Unchanged);
        let figures = Figures { paid_in: 100, fees: 3, initial: 20, outright: 7, ..Figures::default() };
        let before = Instant::from_nanos(-5);
        let statement = Statement { before, currency: CurrencyId(1), figures };
        // 97 of equity, of which 20 are margin and 7 are worth something else.
        assert_eq!(read(&statement), Some(Word::Statement { currency: 1, before, amounts: [97, 20, 70, 3] }));
        assert_eq!(read(&7u64), None);
    }

    #[test]
    fn changes_of_books_are_read_back() {
        let (instrument, side, price, quantity, id) = (InstrumentId(2), Side::Sell, Price(-7), Quantity(8), BookOrderId(9));
        for (change, last) in [(DepthChange::Clear, false), (DepthChange::Set { side, price, quantity }, true)] {
            let word = Word::Book { instrument, change: books::Change::Depth(change, last) };
            assert_eq!(read(&DepthUpdate { instrument, change, last }), Some(word));
        }
        for change in [
            BookChange::Clear,
            BookChange::Add { id, side, price, quantity },
            BookChange::Modify { id, price, quantity },
            BookChange::Cancel { id, quantity },
            BookChange::Fill { id, quantity },
        ] {
            assert_eq!(read(&BookUpdate { instrument, change }), Some(Word::Book { instrument, change: books::Change::Order(change) }));
        }
    }

    #[test]
    fn a_change_that_is_asked_for_is_read_back() {
        let sim = &mut stillpoint_engine::Simulation::new("words");
        let owner = sim.actor("owner", Deaf).expect("a name").recipient();
        for (limit, trigger) in [(Some(Price(-7)), None), (None, Some(Price(8)))] {
            let (id, side, quantity) = (OrderId(4), Side::Sell, Quantity(9));
            let action = OrderAction::Modify(Amendment { id, side, quantity, limit, trigger });
            let change = Change { quantity, limit, trigger };
            let word = Word::Asked { instrument: InstrumentId(2), order: id, change };
            assert_eq!(read(&OrderRequest { owner, instrument: InstrumentId(2), action }), Some(word));
        }
    }

    struct Deaf;

    impl stillpoint_engine::Actor for Deaf {}

    impl stillpoint_engine::Handler<OrderEvent> for Deaf {
        fn handle(&mut self, _: &OrderEvent, _: &mut stillpoint_engine::Context<'_, Self>) {}
    }

    #[test]
    fn all_orders_of_a_request_are_read_back() {
        let ticket = |id, kind, time_in_force| Ticket { id: OrderId(id), side: Side::Buy, quantity: Quantity(3), kind, time_in_force };
        let until = "2025-01-01T00:00:00Z".parse().expect("an instant");
        let tickets = [
            ticket(1, OrderKind::StopLimit { trigger: Price(8), limit: Price(9) }, TimeInForce::Gtd(until)),
            ticket(2, OrderKind::Market, TimeInForce::Ioc),
        ];
        let Some(Word::Sent { orders, .. }) = Word::read(&sent(InstrumentId(1), &tickets)) else { panic!("no orders") };
        assert_eq!(
            (orders[0].limit, orders[0].trigger, orders[0].time_in_force.as_str()),
            (Some(Price(9)), Some(Price(8)), "GTD:2025-01-01T00:00:00Z")
        );
        assert_eq!((orders[1].id, orders[1].kind.as_str(), orders[1].limit), (OrderId(2), "market", None));
    }
}
