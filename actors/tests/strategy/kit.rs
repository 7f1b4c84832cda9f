//! What tests of strategies share: a strategy that does what a plan says and writes down what it sees, an exchange that says what a script says,
//! and markets of a few quotes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use stillpoint_actors::strategy::{
    Blotter, Desk, Execution, InstrumentLimits, Refusal, RiskLimits, Route, Strategy, TimerTag, Trader, TraderSettings,
};
use stillpoint_actors::{
    Bar, Decimals, Exchange, ExchangeSettings, Instrument, InstrumentId, Latencies, Listing, MarketRules, OrderAction, OrderEvent, OrderId,
    OrderKind, OrderRequest, Outcome, Price, Quantity, Quote, Side, TimeInForce, Trade,
};
use stillpoint_engine::{
    Actor, Addr, Context, Handler, Instant, Message, Outcome as Ran, Recipient, Report, Saving, Simulation, Stream, Timed, Value,
};

pub(crate) fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

pub(crate) const X: InstrumentId = InstrumentId(0);
pub(crate) const Y: InstrumentId = InstrumentId(7);

/// Without decimals, in ticks of 1 and lots of 1.
pub(crate) fn instrument(id: InstrumentId, symbol: &str) -> Instrument {
    let none = Decimals::new(0).expect("at most 18");
    Instrument::new(id, symbol).with_decimals(none, none)
}

pub(crate) fn x() -> Instrument {
    instrument(X, "X")
}

/// What a strategy is to do at an instant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    Submit(Side, i64, OrderKind, TimeInForce),
    Modify(u64, i64, Option<i64>),
    Cancel(u64),
    CancelAll,
    Stop,
}

pub(crate) fn market(side: Side, quantity: i64) -> Command {
    Command::Submit(side, quantity, OrderKind::Market, TimeInForce::Gtc)
}

pub(crate) fn limit(side: Side, quantity: i64, price: i64) -> Command {
    Command::Submit(side, quantity, OrderKind::Limit(Price(price)), TimeInForce::Gtc)
}

/// What a strategy did and saw, in order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    Did(Command, Result<Option<OrderId>, Refusal>),
    Heard(OrderEvent),
}

/// What a desk said after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) held: i64,
    pub(crate) cash: i128,
    pub(crate) buying: i64,
    pub(crate) selling: i64,
    pub(crate) open: Vec<(u64, i64)>,
}

impl State {
    pub(crate) fn of(desk: &Blotter) -> Self {
        let account = desk.account(X).expect("it trades X");
        Self {
            held: account.held().0,
            cash: account.cash().0,
            buying: account.working(Side::Buy).0,
            selling: account.working(Side::Sell).0,
            open: desk.orders().iter().map(|order| (order.id.0, order.left().0)).collect(),
        }
    }
}

/// Does what its plan says, in X.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Scripted {
    pub(crate) plan: Vec<(i64, Command)>,
    pub(crate) log: Vec<(i64, Entry, State)>,
    pub(crate) seen: String,
}

impl Scripted {
    pub(crate) fn new(plan: &[(i64, Command)]) -> Self {
        Self { plan: plan.to_vec(), ..Self::default() }
    }

    fn note(&mut self, entry: Entry, desk: &Desk<'_>) {
        let (now, state) = (desk.now().as_nanos(), State::of(desk));
        let what = match entry {
            Entry::Did(_, Ok(Some(id))) => format!("sent {}", id.0),
            Entry::Did(_, Ok(None)) => "done".to_owned(),
            Entry::Did(_, Err(refusal)) => format!("{refusal:?}"),
            Entry::Heard(event) => said(&event),
        };
        let State { held, buying, selling, .. } = &state;
        writeln!(self.seen, "{now} {what} | {held} +{buying} -{selling}").expect("a text grows");
        self.log.push((now, entry, state));
    }
}

/// What an exchange said of an order.
pub(crate) fn said(OrderEvent { order, outcome, .. }: &OrderEvent) -> String {
    match outcome {
        Outcome::Filled { quantity, price, left, .. } => format!("{} filled {}@{} left {}", order.0, quantity.0, price.0, left.0),
        Outcome::Accepted => format!("{} accepted", order.0),
        Outcome::Cancelled { quantity, .. } => format!("{} cancelled {}", order.0, quantity.0),
        Outcome::Rejected { reason, .. } => format!("{} rejected {reason:?}", order.0),
        Outcome::Modified { left } => format!("{} modified {}", order.0, left.0),
        Outcome::ModifyRejected { reason } => format!("{} modify-rejected {reason:?}", order.0),
        Outcome::CancelRejected { reason } => format!("{} cancel-rejected {reason:?}", order.0),
        Outcome::Expired { quantity } => format!("{} expired {}", order.0, quantity.0),
        Outcome::Triggered { price } => format!("{} triggered {}", order.0, price.0),
    }
}

impl Strategy for Scripted {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        for (index, (nanos, _)) in self.plan.iter().enumerate() {
            desk.notify_at(at(*nanos), TimerTag(index as u64));
        }
    }

    fn on_timer(&mut self, tag: TimerTag, desk: &mut Desk<'_>) {
        let command = self.plan[tag.0 as usize].1;
        let result = match command {
            Command::Submit(side, quantity, kind, time_in_force) => desk.submit(X, side, Quantity(quantity), kind, time_in_force).map(Some),
            Command::Modify(id, quantity, limit) => desk.modify(OrderId(id), Quantity(quantity), limit.map(Price), None).map(|()| None),
            Command::Cancel(id) => desk.cancel(OrderId(id)).map(|()| None),
            Command::CancelAll => {
                desk.cancel_all();
                Ok(None)
            }
            Command::Stop => {
                desk.stop();
                Ok(None)
            }
        };
        self.note(Entry::Did(command, result), desk);
    }

    fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) {
        let Execution { order, instrument, side, quantity, price, left, liquidity, fee } = *fill;
        let outcome = Outcome::Filled { quantity, price, left, liquidity, fee };
        self.note(Entry::Heard(OrderEvent { order, instrument, side, outcome }), desk);
    }

    fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) {
        self.note(Entry::Heard(*event), desk);
    }
}

/// An exchange that answers nothing by itself and says what its script says, to whoever sent it something first.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Puppet {
    pub(crate) script: Vec<(i64, u64, Side, Outcome)>,
    pub(crate) owner: Option<Recipient<OrderEvent>>,
    /// What it was asked for.
    pub(crate) asked: String,
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Say(usize);

impl Message for Say {
    const KIND: &'static str = "say";
}

impl Actor for Puppet {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for (index, (nanos, ..)) in self.script.iter().enumerate() {
            ctx.notify_at(at(*nanos), Say(index));
        }
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Say>().message::<OrderRequest>())
    }

    fn report(&self, report: &mut Report) {
        report.text("asked", self.asked.clone());
    }
}

impl Handler<OrderRequest> for Puppet {
    fn handle(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        self.owner = Some(request.owner);
        let now = ctx.now().as_nanos();
        let asked = match request.action {
            OrderAction::Submit(ticket) => {
                format!("submit {} {:?} {} {:?} {:?}", ticket.id.0, ticket.side, ticket.quantity.0, ticket.kind, ticket.time_in_force)
            }
            OrderAction::Modify(change) => {
                format!("modify {} {:?} {} {:?}", change.id.0, change.side, change.quantity.0, change.limit.map(|price| price.0))
            }
            OrderAction::Cancel { id, side } => format!("cancel {} {side:?}", id.0),
            other => format!("{other:?}"),
        };
        writeln!(self.asked, "{now} {} {asked}", request.instrument.0).expect("a text grows");
    }
}

impl Handler<Say> for Puppet {
    fn handle(&mut self, say: &Say, ctx: &mut Context<'_, Self>) {
        let (_, id, side, outcome) = self.script[say.0];
        let event = OrderEvent { order: OrderId(id), instrument: X, side, outcome };
        ctx.send(self.owner.expect("somebody who asked"), event);
    }
}

pub(crate) fn filled(quantity: i64, price: i64, left: i64) -> Outcome {
    let liquidity = stillpoint_actors::Liquidity::Maker;
    Outcome::Filled { quantity: Quantity(quantity), price: Price(price), left: Quantity(left), liquidity, fee: stillpoint_actors::Money(0) }
}

pub(crate) fn cancelled(quantity: i64) -> Outcome {
    Outcome::Cancelled { quantity: Quantity(quantity), cause: stillpoint_actors::CancelCause::Requested }
}

/// What limits a trader in X.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits(pub(crate) RiskLimits, pub(crate) InstrumentLimits);

pub(crate) fn settings(venue: Recipient<OrderRequest>, Limits(limits, of_x): Limits) -> TraderSettings {
    TraderSettings { routes: vec![Route { instrument: x(), venue, limits: of_x }], limits, ..TraderSettings::default() }
}

/// A quote of X, five on each side.
pub(crate) fn quote(bid: i64, ask: i64) -> Quote {
    Quote { instrument: X, bid: Price(bid), bid_quantity: Quantity(5), ask: Price(ask), ask_quantity: Quantity(5) }
}

pub(crate) fn quotes_of(all: &[(i64, i64, i64)]) -> Stream<Quote> {
    Stream::from_vec(all.iter().map(|(nanos, bid, ask)| Timed { at: at(*nanos), value: quote(*bid, *ask) }).collect())
}

/// What a strategy does, what an exchange says, and quotes of (instant, bid, ask).
pub(crate) type Played<'s> = (&'s [(i64, Command)], &'s [(i64, u64, Side, Outcome)], &'s [(i64, i64, i64)]);

/// A trader that follows a plan, and an exchange that follows a script; quotes of X for the trader.
pub(crate) fn scripted(
    limits: Limits,
    plan: &[(i64, Command)],
    script: &[(i64, u64, Side, Outcome)],
    quotes: &[(i64, i64, i64)],
) -> (Simulation, Addr<Trader<Scripted>>) {
    let mut sim = Simulation::new("scripted").start(at(0));
    let stream = sim.stream("quotes", quotes_of(quotes)).expect("a name");
    let puppet = sim.actor("exchange", Puppet { script: script.to_vec(), ..Puppet::default() }).expect("a name");
    let trader = Trader::new(settings(puppet.recipient(), limits), Scripted::new(plan)).expect("good settings");
    let trader = sim.actor("trader", trader).expect("a name");
    sim.subscribe::<Quote, _>(trader, stream);
    (sim, trader)
}

/// Runs a plan against a script, and compares what the strategy saw and what the exchange was asked for.
pub(crate) fn check(limits: Limits, (plan, script, quotes): Played<'_>, seen: &[&str], asked: &[&str]) {
    let (sim, trader) = scripted(limits, plan, script, quotes);
    let mut run = sim.begin().expect("a run");
    run.until(at(i64::MAX));
    assert_eq!(run.actor(trader).expect("it lives").strategy().seen.lines().collect::<Vec<_>>(), seen);
    let outcome = run.finish().expect("a run");
    assert_eq!(text(&outcome, "exchange", "asked").lines().collect::<Vec<_>>(), asked);
}

pub(crate) fn text(outcome: &Ran, actor: &str, name: &str) -> String {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{actor} reports {other:?} as `{name}`"),
    }
}

pub(crate) fn integer(outcome: &Ran, actor: &str, name: &str) -> i64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{actor} reports {other:?} as `{name}`"),
    }
}

pub(crate) fn number(outcome: &Ran, actor: &str, name: &str) -> f64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Number(number)) => *number,
        other => panic!("{actor} reports {other:?} as `{name}`"),
    }
}

/// An exchange that trades these.
pub(crate) fn exchange(instruments: &[Instrument], latencies: Latencies) -> Exchange {
    let listings = instruments.iter().map(|instrument| Listing { instrument: instrument.clone(), rules: MarketRules::default() });
    Exchange::new(ExchangeSettings { listings: listings.collect(), latencies, ..ExchangeSettings::default() }).expect("good settings")
}

/// Stands between a strategy and an exchange of X, passes everything on, and writes down what is asked for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tape {
    venue: Recipient<OrderRequest>,
    asked: String,
}

impl Actor for Tape {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<OrderRequest>())
    }

    fn report(&self, report: &mut Report) {
        report.text("asked", self.asked.clone());
    }
}

impl Handler<OrderRequest> for Tape {
    fn handle(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        let now = ctx.now().as_nanos();
        let instrument = if request.instrument == X { "X" } else { "Y" };
        let asked = match request.action {
            OrderAction::Submit(ticket) => match ticket.kind {
                OrderKind::Limit(limit) => format!("{:?} {}@{} {:?}", ticket.side, ticket.quantity.0, limit.0, ticket.time_in_force),
                kind => format!("{:?} {} {kind:?}", ticket.side, ticket.quantity.0),
            },
            OrderAction::Modify(change) => {
                format!("{} to {}@{}", change.id.0, change.quantity.0, change.limit.map_or(0, |limit| limit.0))
            }
            OrderAction::Cancel { id, .. } => format!("{} off", id.0),
            other => format!("{other:?}"),
        };
        writeln!(self.asked, "{now} {instrument} {asked}").expect("a text grows");
        ctx.send(self.venue, *request);
    }
}

/// A strategy on an exchange of X and Y, with streams of quotes and bars for both of them.
pub(crate) struct Stage {
    pub(crate) sim: Simulation,
    pub(crate) venue: Recipient<OrderRequest>,
    quotes: Vec<stillpoint_engine::StreamRef<Quote>>,
    bars: Vec<stillpoint_engine::StreamRef<Bar>>,
}

impl Stage {
    pub(crate) fn new(latencies: Latencies, quotes: &[Timed<Quote>], bars: &[(i64, Bar)]) -> Self {
        let mut sim = Simulation::new("stage").start(at(0));
        let quotes = sim.stream("quotes", Stream::from_vec(quotes.to_vec())).expect("a name");
        let bars = bars.iter().map(|(nanos, value)| Timed { at: at(*nanos), value: *value }).collect();
        let bars = sim.stream("bars", Stream::from_vec(bars)).expect("a name");
        let exchange = sim.actor("exchange", exchange(&[x(), instrument(Y, "Y")], latencies)).expect("a name");
        sim.subscribe::<Quote, _>(exchange, quotes);
        let tape = sim.actor("tape", Tape { venue: exchange.recipient(), asked: String::new() }).expect("a name");
        Self { sim, venue: tape.recipient(), quotes: vec![quotes], bars: vec![bars] }
    }

    /// Adds a trader of X and Y with this strategy, and gives the simulation.
    pub(crate) fn with<S: Strategy>(mut self, strategy: S, change: impl FnOnce(&mut TraderSettings)) -> Simulation {
        let route = |instrument| Route { instrument, venue: self.venue, limits: InstrumentLimits::default() };
        let routes = vec![route(x()), route(instrument(Y, "Y"))];
        let mut settings = TraderSettings { routes, ..TraderSettings::default() };
        change(&mut settings);
        let trader = self.sim.actor("trader", Trader::new(settings, strategy).expect("good settings")).expect("a name");
        self.quotes.iter().for_each(|stream| self.sim.subscribe::<Quote, _>(trader, *stream));
        self.bars.iter().for_each(|stream| self.sim.subscribe::<Bar, _>(trader, *stream));
        self.sim
    }
}

pub(crate) fn timed(nanos: i64, bid: i64, ask: i64) -> Timed<Quote> {
    Timed { at: at(nanos), value: quote(bid, ask) }
}

/// A bar of X with one price.
pub(crate) fn flat_bar(price: i64) -> Bar {
    bar(price, price, price)
}

/// A bar of X.
pub(crate) fn bar(high: i64, low: i64, close: i64) -> Bar {
    Bar { instrument: X, open: Price(close), high: Price(high), low: Price(low), close: Price(close), volume: Quantity(0) }
}

/// Runs a simulation, and compares what was asked for.
pub(crate) fn check_asked(sim: Simulation, expected: &[&str]) -> Ran {
    let outcome = sim.run().expect("a run");
    assert_eq!(text(&outcome, "tape", "asked").lines().collect::<Vec<_>>(), expected);
    outcome
}

/// A trade of X.
pub(crate) fn trade(price: i64) -> Trade {
    Trade { instrument: X, side: None, price: Price(price), quantity: Quantity(1), id: stillpoint_actors::TradeId(0) }
}
