//! Inputs and answers of a market as text, one a line. Prices and quantities are whole numbers, times are nanoseconds.
//!
//! Inputs: `quote 99x5 101x3` (`-` for an empty side) · `depth [clear] bid 99x5 ask 101x3 [...]` (the dots: more follows) · `trade sell 3@99`
//! (`?` if nobody knows who took) · `add 7 buy 5@99`, `change 7 4@98`, `remove 7 2`, `hit 7 3`, `wipe` for recorded orders · `a1 buy 5 @99`
//! for order 1 of owner a, with `market`, `@99`, `stop 103`, `stop 103 @104`, `trail 5`, `trail 50bp` or `@99 show 2`, then maybe `ioc`, `fok`,
//! `gtx` or `gtd 10` · `oco a1 .. | a2 ..`, `bracket a1 .. | a2 .. | a3 ..` · `a1 modify 4 [@98] [stop 103]`, `a1 cancel`, `a cancel-all` ·
//! `phase halted` · `at 10` (the clock) and `time 10` (what follows happens then).

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use stillpoint_actors::{
    Amendment, Answer, BookChange, BookKind, BookOrderId, BookUpdate, CancelCause, ContractKind, Decimals, DepthChange, DepthUpdate,
    FeeRate, FeeSchedule, FeeTier, Impact, Input, Instrument, InstrumentId, Liquidity, Market, MarketRules, Money, OrderAction, OrderId,
    OrderKind, Outbox, Outcome, OwnerId, Phase, Price, Quantity, QueueModel, Quote, Scale, SelfTrade, Side, Ticket, TimeInForce, Trade,
    TradeId, TrailBy, TriggerBy,
};
use stillpoint_engine::Instant;

/// A market that is driven by text.
pub(crate) struct Desk {
    pub(crate) market: Market,
    now: Instant,
    sides: BTreeMap<(OwnerId, OrderId), Side>,
}

impl Desk {
    /// A market with settings such as `book l2, tick 5, queue power 1`.
    pub(crate) fn new(settings: &str) -> Self {
        let (mut rules, mut instrument) = (MarketRules::default(), instrument());
        for setting in settings.split(',').filter(|setting| !setting.trim().is_empty()) {
            let words: Vec<&str> = setting.split_whitespace().collect();
            set(&mut rules, &mut instrument, &words);
        }
        instrument.check().expect("an instrument");
        rules.check().expect("rules");
        Self { market: Market::new(instrument, rules), now: Instant::EPOCH, sides: BTreeMap::new() }
    }

    /// Takes a line and gives the answers as text, joined by `; `, or `-` for none.
    pub(crate) fn play(&mut self, line: &str) -> String {
        let mut out = Outbox::default();
        match line.split_once(' ') {
            Some(("=", _)) => return self.book(),
            Some(("best", _)) => return self.best(),
            Some(("last", _)) => return self.market.last_trade().map_or("-".to_owned(), |price| price.0.to_string()),
            Some(("time", at)) => self.now = Instant::from_nanos(number(at)),
            Some(("depth", levels)) => {
                for update in depth(levels) {
                    self.market.apply(self.now, Input::Depth(update), &mut out);
                }
            }
            _ => {
                let input = self.input(line);
                self.market.apply(self.now, input, &mut out);
            }
        }
        let answers: Vec<String> = out.answers.iter().map(shown).collect();
        if answers.is_empty() { "-".to_owned() } else { answers.join("; ") }
    }

    fn input(&mut self, line: &str) -> Input {
        let words: Vec<&str> = line.split_whitespace().collect();
        let instrument = InstrumentId(0);
        let book = |change| Input::Book(BookUpdate { instrument, change });
        let other = |text| BookOrderId(number(text) as u64);
        match words[..] {
            ["quote", bid, ask] => {
                let ((bid, bid_quantity), (ask, ask_quantity)) = (level(bid), level(ask));
                Input::Quote(Quote { instrument, bid, bid_quantity, ask, ask_quantity })
            }
            ["trade", taker, what] => {
                let (quantity, price) = at(what);
                let side = (taker != "?").then(|| side(taker));
                Input::Trade(Trade { instrument, side, price, quantity, id: TradeId(0) })
            }
            ["add", id, way, what] => {
                let (quantity, price) = at(what);
                book(BookChange::Add { id: other(id), side: side(way), price, quantity })
            }
            ["change", id, what] => {
                let (quantity, price) = at(what);
                book(BookChange::Modify { id: other(id), price, quantity })
            }
            ["remove", id, quantity] => book(BookChange::Cancel { id: other(id), quantity: Quantity(number(quantity)) }),
            ["hit", id, quantity] => book(BookChange::Fill { id: other(id), quantity: Quantity(number(quantity)) }),
            ["wipe"] => book(BookChange::Clear),
            ["phase", phase] => Input::Phase(match phase {
                "open" => Phase::Open,
                "halted" => Phase::Halted,
                "auction" => Phase::Auction,
                "closed" => Phase::Closed,
                _ => panic!("`{phase}` is no phase"),
            }),
            ["at", time] => {
                self.now = Instant::from_nanos(number(time));
                Input::Clock
            }
            _ => self.request(line),
        }
    }

    fn request(&mut self, line: &str) -> Input {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [owner, "cancel-all"] = words[..] {
            return Input::Request(name(&format!("{owner}0")).0, OrderAction::CancelAll);
        }
        if let [order, "cancel", ref way @ ..] = words[..] {
            let (owner, id) = name(order);
            let side = way.first().map_or_else(|| self.side_of(owner, id), |way| side(way));
            return Input::Request(owner, OrderAction::Cancel { id, side });
        }
        if let [order, "modify", quantity, ref rest @ ..] = words[..] {
            let (owner, id) = name(order);
            let mut amendment =
                Amendment { id, side: self.side_of(owner, id), quantity: Quantity(number(quantity)), limit: None, trigger: None };
            let mut rest = rest.iter();
            while let Some(word) = rest.next() {
                match word.strip_prefix('@') {
                    Some(price) => amendment.limit = Some(Price(number(price))),
                    None => amendment.trigger = rest.next().map(|price| Price(number(price))),
                }
            }
            return Input::Request(owner, OrderAction::Modify(amendment));
        }
        let (what, tickets) = match line.split_once(' ') {
            Some((what @ ("oco" | "bracket"), tickets)) => (what, tickets),
            _ => ("", line),
        };
        let tickets: Vec<(OwnerId, Ticket)> = tickets.split('|').map(|text| ticket(text.trim())).collect();
        for (owner, ticket) in &tickets {
            self.sides.entry((*owner, ticket.id)).or_insert(ticket.side);
        }
        let action = match (what, &tickets[..]) {
            ("oco", [(_, a), (_, b)]) => OrderAction::Oco([*a, *b]),
            ("bracket", [(_, entry), (_, a), (_, b)]) => OrderAction::Bracket { entry: *entry, exits: [*a, *b] },
            ("", [(_, ticket)]) => OrderAction::Submit(*ticket),
            _ => panic!("`{line}` is no request"),
        };
        Input::Request(tickets[0].0, action)
    }

    fn side_of(&self, owner: OwnerId, id: OrderId) -> Side {
        self.sides.get(&(owner, id)).copied().unwrap_or(Side::Buy)
    }

    /// `bid 99 a1x5+3 #x4 ask 101 b1x2`: at each price the queue, with what is ahead of each order; `#` are recorded orders.
    fn book(&self) -> String {
        let mut words = Vec::new();
        for (title, side) in [("bid", Side::Buy), ("ask", Side::Sell)] {
            let mut last = None;
            for (price, whose, quantity, ahead) in self.market.resting(side) {
                if last.is_none() {
                    words.push(title.to_owned());
                }
                if last != Some(price) {
                    words.push(price.0.to_string());
                    last = Some(price);
                }
                let whose = whose.map_or("#".to_owned(), |(owner, id)| format!("{}{}", letter(owner), id.0));
                let ahead = match ahead.0 {
                    0 => String::new(),
                    i64::MAX => "+?".to_owned(),
                    ahead => format!("+{ahead}"),
                };
                words.push(format!("{whose}x{}{ahead}", quantity.0));
            }
        }
        if words.is_empty() { "-".to_owned() } else { words.join(" ") }
    }

    fn best(&self) -> String {
        let quote = self.market.quote();
        let side = |price: Price, quantity: Quantity| if quantity.0 == 0 { "-".to_owned() } else { format!("{}x{}", price.0, quantity.0) };
        format!("{} {}", side(quote.bid, quote.bid_quantity), side(quote.ask, quote.ask_quantity))
    }
}

/// An instrument whose decimals do not show: prices and quantities are whole.
pub(crate) fn instrument() -> Instrument {
    let none = Decimals::new(0).expect("at most 18");
    Instrument::new(InstrumentId(0), "X").with_decimals(none, none)
}

fn set(rules: &mut MarketRules, instrument: &mut Instrument, words: &[&str]) {
    let float = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("`{text}` is no number"));
    let scale = |words: &[&str]| Scale { coefficient: float(words[0]), volatility: float(words[1]), volume: Quantity(number(words[2])) };
    match words {
        ["book", "l1"] => rules.book = BookKind::L1,
        ["book", "l2"] => rules.book = BookKind::L2,
        ["book", "l3"] => rules.book = BookKind::L3,
        ["tick", tick] => instrument.tick_size = Price(number(tick)),
        ["lot", lot] => instrument.lot_size = Quantity(number(lot)),
        ["multiplier", multiplier] => instrument.multiplier = number(multiplier),
        ["inverse"] => instrument.contract = ContractKind::Inverse,
        ["self", "newest"] => rules.self_trade = SelfTrade::CancelNewest,
        ["self", "oldest"] => rules.self_trade = SelfTrade::CancelOldest,
        ["self", "both"] => rules.self_trade = SelfTrade::CancelBoth,
        ["self", "allow"] => rules.self_trade = SelfTrade::Allow,
        ["queue", "risk-averse"] => rules.queue = QueueModel::RiskAverse,
        ["queue", "power", n] => rules.queue = QueueModel::Power { n: float(n) },
        ["queue", "share", n] => rules.queue = QueueModel::PowerOfShare { n: float(n) },
        ["queue", "log"] => rules.queue = QueueModel::Log,
        ["queue", "log-of-all"] => rules.queue = QueueModel::LogOfAll,
        ["trigger", "trades"] => rules.trigger_by = TriggerBy::Trades,
        ["negative"] => rules.negative_prices = true,
        ["impact", "ticks", ticks] => rules.impact = Impact::Ticks(number(ticks) as u32),
        ["impact", "linear", rest @ ..] => rules.impact = Impact::Linear(scale(rest)),
        ["impact", "root", rest @ ..] => rules.impact = Impact::SquareRoot(scale(rest)),
        ["fees", tiers @ ..] => {
            let tier = |text: &&str| {
                let parts: Vec<i64> = text.split('/').map(number).collect();
                FeeTier { from: i128::from(parts[0]), maker: FeeRate(parts[1] as i32), taker: FeeRate(parts[2] as i32) }
            };
            rules.fees = FeeSchedule::new(tiers.iter().map(tier).collect()).expect("tiers");
        }
        ["fee-days", days] => rules.fee_days = NonZeroU32::new(number(days) as u32),
        _ => panic!("`{}` is no setting", words.join(" ")),
    }
}

fn number(text: &str) -> i64 {
    text.trim().parse().unwrap_or_else(|_| panic!("`{text}` is no whole number"))
}

fn side(text: &str) -> Side {
    match text {
        "buy" | "bid" => Side::Buy,
        "sell" | "ask" => Side::Sell,
        _ => panic!("`{text}` is no side"),
    }
}

fn level(text: &str) -> (Price, Quantity) {
    text.split_once('x').map_or((Price(0), Quantity(0)), |(price, quantity)| (Price(number(price)), Quantity(number(quantity))))
}

fn at(text: &str) -> (Quantity, Price) {
    let (quantity, price) = text.split_once('@').unwrap_or_else(|| panic!("`{text}` is no quantity@price"));
    (Quantity(number(quantity)), Price(number(price)))
}

fn depth(text: &str) -> Vec<DepthUpdate> {
    let (mut updates, mut way, mut more) = (Vec::new(), Side::Buy, false);
    let instrument = InstrumentId(0);
    for word in text.split_whitespace() {
        match word {
            "clear" => updates.push(DepthUpdate { instrument, change: DepthChange::Clear, last: false }),
            "bid" | "ask" => way = side(word),
            "..." => more = true,
            _ => {
                let (price, quantity) = level(word);
                updates.push(DepthUpdate { instrument, change: DepthChange::Set { side: way, price, quantity }, last: false });
            }
        }
    }
    if let Some(last) = updates.last_mut() {
        last.last = !more;
    }
    updates
}

/// `a1`: order 1 of owner 0.
fn name(text: &str) -> (OwnerId, OrderId) {
    let owner = text.bytes().next().filter(u8::is_ascii_lowercase).unwrap_or_else(|| panic!("`{text}` names no order"));
    (OwnerId(u32::from(owner - b'a')), OrderId(number(&text[1..]) as u64))
}

fn letter(owner: OwnerId) -> char {
    char::from(b'a' + owner.0 as u8)
}

fn ticket(text: &str) -> (OwnerId, Ticket) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [order, way, quantity, ref rest @ ..] = words[..] else { panic!("`{text}` is no order") };
    let price = |text: &str| Price(number(text.trim_start_matches('@')));
    let (kind, rest) = match *rest {
        ["market", ref rest @ ..] => (OrderKind::Market, rest),
        ["stop", trigger, limit, ref rest @ ..] if limit.starts_with('@') => {
            (OrderKind::StopLimit { trigger: price(trigger), limit: price(limit) }, rest)
        }
        ["stop", trigger, ref rest @ ..] => (OrderKind::Stop { trigger: price(trigger) }, rest),
        ["trail", by, ref rest @ ..] => {
            let by = by.strip_suffix("bp").map_or_else(|| TrailBy::Price(price(by)), |points| TrailBy::BasisPoints(number(points) as u32));
            (OrderKind::TrailingStop(by), rest)
        }
        [limit, "show", display, ref rest @ ..] => (OrderKind::Iceberg { limit: price(limit), display: Quantity(number(display)) }, rest),
        [limit, ref rest @ ..] => (OrderKind::Limit(price(limit)), rest),
        [] => panic!("`{text}` has no kind"),
    };
    let time_in_force = match *rest {
        [] => TimeInForce::Gtc,
        ["ioc"] => TimeInForce::Ioc,
        ["fok"] => TimeInForce::Fok,
        ["gtx"] => TimeInForce::Gtx,
        ["gtd", at] => TimeInForce::Gtd(Instant::from_nanos(number(at))),
        _ => panic!("`{text}` has no such time in force"),
    };
    let (owner, id) = name(order);
    (owner, Ticket { id, side: side(way), quantity: Quantity(number(quantity)), kind, time_in_force })
}

/// An answer as text. What is usual is left out: a taker, no fee, a cancellation of what could not be filled at once.
pub(crate) fn shown(answer: &Answer) -> String {
    let what = match answer.outcome {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Filled { quantity, price, left, liquidity, fee } => {
            let part = match liquidity {
                Liquidity::Taker => "",
                Liquidity::Maker => " maker",
                Liquidity::Auction => " auction",
            };
            let fee = if fee == Money(0) { String::new() } else { format!(" fee {}", fee.0) };
            format!("filled {}@{} left {}{part}{fee}", quantity.0, price.0, left.0)
        }
        Outcome::Cancelled { quantity, cause } => {
            let cause = match cause {
                CancelCause::Unfilled => "",
                CancelCause::Requested => " requested",
                CancelCause::OneCancelsOther => " oco",
                CancelCause::SelfTrade => " self",
                CancelCause::EntryUnfilled => " entry",
                CancelCause::Closed => " closed",
            };
            format!("cancelled {}{cause}", quantity.0)
        }
        Outcome::Rejected { quantity, reason } => format!("rejected {} {reason:?}", quantity.0),
        Outcome::Triggered { price } => format!("triggered {}", price.0),
        Outcome::Expired { quantity } => format!("expired {}", quantity.0),
        Outcome::Modified { left } => format!("modified {}", left.0),
        Outcome::ModifyRejected { reason } => format!("modify-rejected {reason:?}"),
        Outcome::CancelRejected { reason } => format!("cancel-rejected {reason:?}"),
    };
    format!("{}{} {what}", letter(answer.owner), answer.order.0)
}
