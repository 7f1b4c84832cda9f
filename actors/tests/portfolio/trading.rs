//! A portfolio between scripted strategies and an exchange, in small runs worked out by hand.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use stillpoint_actors::portfolio::{
    Contract, Currency, CurrencyId, Keeping, Margin, MarginMode, Parts, Portfolio, PortfolioActor, PortfolioRoute,
};
use stillpoint_actors::{
    Amendment, Exchange, ExchangeSettings, FeeRate, FeeSchedule, FeeTier, Instrument, InstrumentId, Listing, MarketRules, OrderAction,
    OrderEvent, OrderId, OrderKind, OrderRequest, Outcome, Price, Quantity, Quote, Side, Ticket, TimeInForce,
};
use stillpoint_engine::{
    Actor, Context, Duration, Handler, Instant, Link, Message, Recipient, Report, Saving, Simulation, Stream, Timed, Value,
};

use Side::{Buy, Sell};

use crate::decimals;

const USD: CurrencyId = CurrencyId(0);
const EUR: CurrencyId = CurrencyId(1);
/// On margin, in dollars: prices with two decimals, whole quantities.
const X: InstrumentId = InstrumentId(0);
/// Paid in full, in euros: prices and quantities with one decimal.
const Y: InstrumentId = InstrumentId(1);

type Plan = Vec<(Instant, InstrumentId, OrderAction)>;

/// Sends requests at their instants, and writes down what comes back.
#[derive(Serialize, Deserialize)]
struct Scripted {
    venue: Recipient<OrderRequest>,
    plan: Plan,
    seen: String,
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Next(InstrumentId, OrderAction);

impl Message for Next {
    const KIND: &'static str = "next";
}

impl Actor for Scripted {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        std::mem::take(&mut self.plan).into_iter().for_each(|(at, instrument, action)| _ = ctx.notify_at(at, Next(instrument, action)));
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Next>().message::<OrderEvent>())
    }

    fn report(&self, report: &mut Report) {
        report.text("seen", self.seen.clone());
    }
}

impl Handler<Next> for Scripted {
    fn handle(&mut self, next: &Next, ctx: &mut Context<'_, Self>) {
        let owner = ctx.address().recipient();
        ctx.send(self.venue, OrderRequest { instrument: next.0, action: next.1, owner });
    }
}

impl Handler<OrderEvent> for Scripted {
    fn handle(&mut self, event: &OrderEvent, ctx: &mut Context<'_, Self>) {
        let OrderEvent { order, instrument, side, outcome } = *event;
        let second = ctx.now().since(Instant::EPOCH).as_nanos() / 1_000_000_000;
        write!(self.seen, "{second} {}{} {side:?} ", if instrument == X { 'x' } else { 'y' }, order.0).expect("a text grows");
        match outcome {
            Outcome::Filled { quantity, price, left, fee, .. } => {
                writeln!(self.seen, "{}@{} left {} fee {}", quantity.0, price.0, left.0, fee.0)
            }
            Outcome::Rejected { reason, .. } | Outcome::ModifyRejected { reason } | Outcome::CancelRejected { reason } => {
                writeln!(self.seen, "rejected: {reason}")
            }
            Outcome::Modified { left } => writeln!(self.seen, "modified to {}", left.0),
            Outcome::Cancelled { .. } => writeln!(self.seen, "cancelled"),
            other => writeln!(self.seen, "{}", format!("{other:?}").to_lowercase()),
        }
        .expect("a text grows");
    }
}

fn at(second: i64) -> Instant {
    Instant::EPOCH + Duration::secs(second)
}

fn order(id: u64, side: Side, quantity: i64, kind: OrderKind) -> Ticket {
    Ticket { id: OrderId(id), side, quantity: Quantity(quantity), kind, time_in_force: TimeInForce::Gtc }
}

fn market(second: i64, instrument: InstrumentId, id: u64, side: Side, quantity: i64) -> (Instant, InstrumentId, OrderAction) {
    (at(second), instrument, OrderAction::Submit(order(id, side, quantity, OrderKind::Market)))
}

fn limit(second: i64, instrument: InstrumentId, id: u64, side: Side, what: (i64, i64)) -> (Instant, InstrumentId, OrderAction) {
    (at(second), instrument, OrderAction::Submit(order(id, side, what.0, OrderKind::Limit(Price(what.1)))))
}

fn quote(second: i64, instrument: InstrumentId, bid: i64, ask: i64) -> Timed<Quote> {
    let (bid_quantity, ask_quantity) = (Quantity(1_000), Quantity(1_000));
    Timed { at: at(second), value: Quote { instrument, bid: Price(bid), bid_quantity, ask: Price(ask), ask_quantity } }
}

/// 150 dollars with four decimals, 50 euros with three. X takes a tenth to open and a twentieth to keep.
fn book(keeping: Keeping, mode: MarginMode) -> Portfolio {
    let mut book = Portfolio::new(keeping);
    book.add_currency(USD, Currency { code: "USD".into(), decimals: decimals(4) }).expect("new");
    book.add_currency(EUR, Currency { code: "EUR".into(), decimals: decimals(3) }).expect("new");
    let margin = Margin { mode, initial: Parts(100_000_000), maintenance: Parts(50_000_000) };
    book.add_contract(X, Contract::of(&instruments()[0], USD, Some(margin))).expect("a contract");
    book.add_contract(Y, Contract::of(&instruments()[1], EUR, None)).expect("a contract");
    book.set_rate(EUR, USD, (Price(11), decimals(1))).expect("known");
    book.pay_in(USD, 1_500_000).expect("known");
    book.pay_in(EUR, 50_000).expect("known");
    book
}

fn instruments() -> [Instrument; 2] {
    [Instrument::new(X, "X").with_decimals(decimals(2), decimals(0)), Instrument::new(Y, "Y").with_decimals(decimals(1), decimals(1))]
}

/// Strategies, a portfolio that liquidates for a hundredth, and an exchange where taking costs a thousandth.
fn build(book: &Portfolio, plans: &[Plan], quotes: &[Timed<Quote>]) -> Simulation {
    let mut sim = Simulation::new("account").start(at(0));
    let quotes = sim.stream("quotes", Stream::from_vec(quotes.to_vec())).expect("a name");
    let fees = FeeSchedule::new(vec![FeeTier { from: 0, maker: FeeRate(0), taker: FeeRate(1_000) }]).expect("fees");
    let rules = MarketRules { fees, ..MarketRules::default() };
    let listings = instruments().map(|instrument| Listing { instrument, rules: rules.clone() }).to_vec();
    let exchange = Exchange::new(ExchangeSettings { listings, ..ExchangeSettings::default() }).expect("settings");
    let exchange = sim.actor("exchange", exchange).expect("a name");
    sim.subscribe::<Quote, _>(exchange, quotes);
    let routes = instruments().map(|instrument| PortfolioRoute { instrument, venue: exchange.recipient() }).to_vec();
    let account = PortfolioActor::new(book.clone(), USD, None).and_then(|actor| actor.trading(routes, Parts(10_000_000)));
    let account = sim.actor("account", account.expect("routes")).expect("a name");
    sim.subscribe::<Quote, _>(account, quotes);
    for (name, plan) in ["a", "b"].into_iter().zip(plans) {
        let scripted = Scripted { venue: account.recipient(), plan: plan.clone(), seen: String::new() };
        sim.actor(name, scripted).expect("a name");
    }
    sim
}

struct Ended(stillpoint_engine::Outcome);

impl Ended {
    fn seen(&self, who: &str) -> Vec<String> {
        let Some(Value::Text(seen)) = self.0.report(who).and_then(|report| report.get("seen")) else { panic!("{who} reports no text") };
        seen.lines().map(str::to_owned).collect()
    }

    fn assert(&self, expected: &[(&str, f64)]) {
        let report = self.0.report("account").expect("a report");
        for (name, value) in expected {
            let found = match report.get(name) {
                Some(Value::Number(number)) => *number,
                Some(Value::Integer(number)) => *number as f64,
                other => panic!("{name}: {other:?} in {report:?}"),
            };
            assert_eq!(found, *value, "{name}");
        }
    }
}

/// Runs it whole, and again from a snapshot at each second.
fn run(book: &Portfolio, plans: &[Plan], quotes: &[Timed<Quote>]) -> Ended {
    let whole = build(book, plans, quotes).run().expect("a run");
    for second in 0..10 {
        let mut run = build(book, plans, quotes).begin().expect("a run");
        run.until(at(second));
        let snapshot = run.snapshot().expect("a snapshot");
        let rest = build(book, plans, quotes).restore(&snapshot).expect("restored").finish().expect("a run");
        assert_eq!((rest.trace_hash, rest.report("account")), (whole.trace_hash, whole.report("account")), "interrupted at {second}");
    }
    Ended(whole)
}

#[test]
fn an_account_in_two_currencies_to_the_last_digit() {
    let quotes =
        [quote(1, X, 9_990, 10_000), quote(1, Y, 99, 100), quote(5, Y, 150, 151), quote(7, X, 9_500, 9_510), quote(9, X, 9_200, 9_210)];
    let plan = vec![
        // 10 at 100.00 take 100 of margin, and cost a fee of 1.
        market(2, X, 1, Buy, 10),
        // 49 are free: 5 at 100.00 would take 50, 4 at 99.00 take 39.60.
        market(3, X, 2, Buy, 5),
        limit(3, X, 3, Buy, (4, 9_900)),
        // 9.40 are free: one at 94.10 would take 9.41.
        limit(3, X, 4, Buy, (1, 9_410)),
        // 3.0 at 10.0 of 50 euros, for a fee of 0.03; 2.0 more would take 20 of the 19.97 left.
        limit(4, Y, 5, Buy, (30, 100)),
        limit(5, Y, 6, Buy, (20, 100)),
        // 4.0 are more than there are; 2.0 are sold at 15.0.
        market(6, Y, 7, Sell, 40),
        market(6, Y, 8, Sell, 20),
        // 0.40 are free. It rests until the margin is used up.
        limit(8, X, 9, Buy, (1, 300)),
    ];
    let ended = run(&book(Keeping::Netting, MarginMode::Cross), &[plan], &quotes);
    assert_eq!(
        ended.seen("a"),
        [
            "2 x1 Buy accepted",
            "2 x1 Buy 10@10000 left 0 fee 100",
            "3 x2 Buy rejected: the account does not cover what the order could open",
            "3 x4 Buy rejected: the account does not cover what the order could open",
            "3 x3 Buy accepted",
            "4 y5 Buy accepted",
            "4 y5 Buy 30@100 left 0 fee 3",
            "5 y6 Buy rejected: the account does not cover what the order could open",
            "6 y7 Sell rejected: the account does not cover what the order could open",
            "6 y8 Sell accepted",
            "6 y8 Sell 20@150 left 0 fee 3",
            "7 x3 Buy 4@9900 left 0 fee 0",
            "8 x9 Buy accepted",
            // Bought for 1,396, worth 1,288: 41 are left, and 64.40 would be needed. The fee is a hundredth of 1,288.
            "9 x0 Sell 14@9200 left 0 fee 1288",
            "9 x9 Buy cancelled",
        ]
    );
    ended.assert(&[
        ("USD realised", -108.0),
        ("USD fees", 13.88),
        ("USD cash", 28.12),
        ("USD equity", 28.12),
        ("USD margin", 0.0),
        ("EUR cash", 49.94), // 50 - 30 - 0.03 + 30 - 0.03
        ("EUR realised", 10.0),
        ("EUR unrealised", 5.0), // 1.0 at 15.0, bought for 10
        ("EUR fees", 0.06),
        ("EUR equity", 64.94),
        ("total in USD", 99.554), // 28.12 and 1.1 times 64.94
        ("requests", 9.0),
        ("rejected", 4.0),
        ("fills", 4.0),
        ("refused", 0.0),
        ("liquidations", 1.0),
        ("open_orders", 0.0),
    ]);
}

/// Both number their orders from 1 on, and cancel their own alone.
#[test]
fn two_strategies_share_an_account() {
    let quotes = [quote(1, X, 9_990, 10_000), quote(6, X, 10_490, 10_500)];
    let cancel_all = (at(3), X, OrderAction::CancelAll);
    let again = OrderAction::Cancel { id: OrderId(1), side: Buy };
    let a = vec![
        market(2, X, 1, Buy, 8),
        limit(2, X, 2, Sell, (8, 10_400)),
        cancel_all,
        (at(4), X, again),
        (at(4), X, OrderAction::Cancel { id: OrderId(77), side: Buy }),
        limit(5, X, 2, Sell, (8, 10_400)),
    ];
    // It sells what the other has bought, which takes no margin, and 2 more.
    let b = vec![market(4, X, 1, Sell, 10), limit(5, X, 2, Buy, (10, 9_000))];
    let ended = run(&book(Keeping::Netting, MarginMode::Cross), &[a, b], &quotes);
    assert_eq!(
        ended.seen("a"),
        [
            "2 x1 Buy accepted",
            "2 x1 Buy 8@10000 left 0 fee 80",
            "2 x2 Sell accepted",
            "3 x2 Sell cancelled",
            "4 x1 Buy rejected: the order has ended",
            "4 x77 Buy rejected: there is no such order",
            "5 x2 Sell rejected: the number of the order was used before",
        ]
    );
    assert_eq!(ended.seen("b"), ["4 x1 Sell accepted", "4 x1 Sell 10@9990 left 0 fee 100", "5 x2 Buy accepted"]);
    // 8 bought for 800 and sold for 799.20; 2 sold for 199.80, worth 210. What is paid in is 150, the fees are 0.80 and 1 (0.999 rounded up).
    ended.assert(&[
        ("USD realised", -0.8),
        ("USD unrealised", -10.2),
        ("USD fees", 1.8),
        ("USD equity", 137.2),
        ("USD margin", 21.0),
        ("fills", 2.0),
        ("open_orders", 1.0),
    ]);
}

/// A long and a short position beside each other: both take margin, and each strategy loses its own.
#[test]
fn strategies_that_hedge_each_other_are_liquidated_each_on_its_own() {
    let quotes = [quote(1, X, 9_990, 10_000), quote(4, X, 10_700, 10_710)];
    let a = vec![market(2, X, 1, Buy, 4)];
    let b = vec![market(2, X, 1, Sell, 6), market(3, X, 2, Buy, 2), market(3, X, 3, Sell, 12)];
    let ended = run(&book(Keeping::Hedging, MarginMode::Isolated), &[a, b], &quotes);
    assert_eq!(ended.seen("a"), ["2 x1 Buy accepted", "2 x1 Buy 4@10000 left 0 fee 40"]);
    // Sold 6 for 599.40, of which 59.94 are set aside; 2 are bought back for 200, so that 39.96 stand behind 4 that cost 428.40 at the ask.
    // Their loss of 28.80 leaves 11.16, where 21.42 are needed. 12 more would have taken 119.88 of the 49.06 that are free at 3.
    assert_eq!(
        ended.seen("b"),
        [
            "2 x1 Sell accepted",
            "2 x1 Sell 6@9990 left 0 fee 60",
            "3 x3 Sell rejected: the account does not cover what the order could open",
            "3 x2 Buy accepted",
            "3 x2 Buy 2@10000 left 0 fee 20",
            "4 x0 Buy 4@10710 left 0 fee 429",
        ]
    );
    // Realised: 2 * -0.10, and the loss; the other has gained 28. Fees: 0.40, 0.60, 0.20, and 4.29 (a hundredth of 428.40, rounded up).
    ended.assert(&[
        ("USD realised", -29.0),
        ("USD unrealised", 28.0),
        ("USD fees", 5.49),
        ("USD equity", 143.51),
        ("USD margin", 40.0),
        ("liquidations", 1.0),
    ]);
}

#[test]
fn a_change_is_held_against_what_is_free() {
    let quotes = [quote(1, X, 9_990, 10_000), quote(5, X, 9_800, 9_810)];
    let change = |second, quantity, limit| {
        let amendment = Amendment { id: OrderId(1), side: Buy, quantity: Quantity(quantity), limit: Some(Price(limit)), trigger: None };
        (at(second), X, OrderAction::Modify(amendment))
    };
    // 150 are free: 15 at 99.00 take 148.50, 16 take 158.40, 15 at 100.10 take 150.15.
    let plan = vec![limit(2, X, 1, Buy, (10, 9_900)), change(3, 15, 9_900), change(4, 16, 9_900), change(4, 15, 10_010)];
    let ended = run(&book(Keeping::Netting, MarginMode::Cross), &[plan], &quotes);
    let refused = "4 x1 Buy rejected: the account does not cover what the order could open";
    assert_eq!(ended.seen("a"), ["2 x1 Buy accepted", "3 x1 Buy modified to 15", refused, refused, "5 x1 Buy 15@9900 left 0 fee 0"]);
    ended.assert(&[("USD equity", 150.0), ("USD margin", 148.5)]);
}

/// One of a pair counts, and what closes takes nothing.
#[test]
fn orders_that_belong_together_count_once() {
    let quotes = [quote(1, X, 9_990, 10_000), quote(6, X, 10_500, 10_510)];
    let ticket = |id, side, quantity, price| order(id, side, quantity, OrderKind::Limit(Price(price)));
    let stop = |id, side, quantity, price| order(id, side, quantity, OrderKind::Stop { trigger: Price(price) });
    let pair = OrderAction::Oco([ticket(1, Buy, 10, 9_000), stop(2, Buy, 9, 11_000)]);
    let entry = order(4, Buy, 5, OrderKind::Market);
    let bracket = OrderAction::Bracket { entry, exits: [ticket(5, Sell, 5, 10_400), stop(6, Sell, 5, 9_500)] };
    let plan = vec![
        // 10 at no more than 110.00 take 110: 40 are left, which 5 at 100.00 do not fit in.
        (at(2), X, pair),
        (at(3), X, bracket),
        (at(4), X, OrderAction::Cancel { id: OrderId(1), side: Buy }),
        (
            at(5),
            X,
            OrderAction::Bracket {
                entry: order(7, Buy, 14, OrderKind::Market),
                exits: [ticket(8, Sell, 14, 10_400), stop(9, Sell, 14, 9_500)],
            },
        ),
    ];
    let ended = run(&book(Keeping::Netting, MarginMode::Cross), &[plan], &quotes);
    let refused = |id, side| format!("3 x{id} {side} rejected: the account does not cover what the order could open");
    let seen = ended.seen("a");
    assert_eq!(
        seen[..5],
        ["2 x1 Buy accepted", "2 x2 Buy accepted"]
            .map(str::to_owned)
            .into_iter()
            .chain([refused(4, "Buy"), refused(5, "Sell"), refused(6, "Sell")])
            .collect::<Vec<_>>()
    );
    assert!(
        seen.contains(&"5 x7 Buy 14@10000 left 0 fee 140".to_owned()) && seen.contains(&"6 x8 Sell 14@10400 left 0 fee 0".to_owned()),
        "{seen:#?}"
    );
    // 14 times 4.00, less 1.40.
    ended.assert(&[("USD equity", 204.6), ("USD margin", 0.0), ("open_orders", 0.0)]);
}

#[test]
fn what_the_account_does_not_trade_is_rejected() {
    let plan = vec![
        (at(1), InstrumentId(5), OrderAction::Submit(order(1, Buy, 1, OrderKind::Market))),
        market(1, X, 2, Buy, 1),
        limit(1, X, 1 << 40, Buy, (1, 1)),
    ];
    let ended = run(&book(Keeping::Netting, MarginMode::Cross), &[plan], &[]);
    assert_eq!(
        ended.seen("a"),
        [
            "1 y1 Buy rejected: the venue does not trade the instrument",
            "1 x2 Buy rejected: there is no market price to follow yet",
            "1 x1099511627776 Buy rejected: the venue does not take orders of this kind",
        ]
    );
    // A delay between strategy, account and exchange does not matter to who is told.
    let mut sim = build(&book(Keeping::Netting, MarginMode::Cross), &[vec![market(2, X, 1, Buy, 1)]], &[quote(1, X, 9_990, 10_000)]);
    for (one, other) in [("a", "account"), ("account", "exchange")] {
        sim.link(one, other, Link::latency(Duration::millis(100))).expect("known");
        sim.link(other, one, Link::latency(Duration::millis(100))).expect("known");
    }
    let ended = Ended(sim.run().expect("a run"));
    assert_eq!(ended.seen("a"), ["2 x1 Buy accepted", "2 x1 Buy 1@10000 left 0 fee 10"]);
    ended.assert(&[("USD equity", 149.9)]);
}
