//! The portfolio as an actor, in small runs worked out by hand.

use std::error::Error;
use std::sync::{Arc, Mutex};

use stillpoint_actors::portfolio::{
    ConversionRate, EquityPoint, FiguresAre, FiguresOf, Fill, Funding, Keeping, Leg, Liquidation, LiquidationDue, MarginMode, Parts,
    PortfolioActor, Statement,
};
use stillpoint_actors::{InstrumentId, MarketEvent, Price, Quantity, Quote, Side, Trade, TradeId};
use stillpoint_engine::trace::Collect;
use stillpoint_engine::{
    Actor, Answer, Context, Duration, Every, Handler, Instant, Message, Rank, Recipient, Simulation, Stream, Timed, Value,
};

use crate::{COIN, DOLLAR, LINEAR, SPOT, decimals, fill, portfolio};

fn at(second: i64) -> Instant {
    Instant::EPOCH + Duration::secs(second)
}

fn quote(second: i64, instrument: InstrumentId, bid: i64, ask: i64) -> Timed<MarketEvent> {
    let one = Quantity(1);
    let value = MarketEvent::Quote(Quote { instrument, bid: Price(bid), bid_quantity: one, ask: Price(ask), ask_quantity: one });
    Timed { at: at(second), value }
}

fn trade(second: i64, instrument: InstrumentId, price: i64) -> Timed<MarketEvent> {
    let value = MarketEvent::Trade(Trade { instrument, side: None, price: Price(price), quantity: Quantity(1), id: TradeId(0) });
    Timed { at: at(second), value }
}

/// What is written down.
type Notes = Arc<Mutex<Vec<Note>>>;

/// The second, and what was heard.
type Note = (i64, String);

/// Writes down what it hears from a portfolio, and asks it for its dollars every second.
struct Listener {
    portfolio: stillpoint_engine::Addr<PortfolioActor>,
    asks: Option<Every>,
    notes: Notes,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Ask;

impl Message for Ask {
    const KIND: &'static str = "ask";
}

impl Listener {
    fn note(&self, ctx: &Context<'_, Self>, text: String) {
        self.notes.lock().expect("no panic").push((ctx.now().since(Instant::EPOCH).as_nanos() / 1_000_000_000, text));
    }
}

impl Actor for Listener {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if let Some(every) = self.asks {
            ctx.notify_every(every, Ask);
        }
    }
}

impl Handler<Ask> for Listener {
    fn handle(&mut self, _: &Ask, ctx: &mut Context<'_, Self>) {
        ctx.ask(self.portfolio, FiguresOf(DOLLAR), None);
    }
}

impl Handler<Answer<FiguresOf>> for Listener {
    fn handle(&mut self, answer: &Answer<FiguresOf>, ctx: &mut Context<'_, Self>) {
        let FiguresAre(figures) = answer.result.as_ref().expect("it answers");
        self.note(ctx, format!("has {}", figures.expect("it has dollars").equity()));
    }
}

impl Handler<EquityPoint> for Listener {
    fn handle(&mut self, point: &EquityPoint, ctx: &mut Context<'_, Self>) {
        assert_eq!((point.before, point.currency), (ctx.now(), DOLLAR));
        self.note(ctx, format!("equity {}", point.equity));
    }
}

impl Handler<LiquidationDue> for Listener {
    fn handle(&mut self, due: &LiquidationDue, ctx: &mut Context<'_, Self>) {
        self.note(ctx, format!("due {:?}", due.0));
    }
}

fn run(
    actor: PortfolioActor,
    events: Vec<Timed<MarketEvent>>,
    fills: Vec<Timed<Fill>>,
    others: (Vec<Timed<Funding>>, Vec<Timed<ConversionRate>>),
    asks: Option<Every>,
) -> Result<(Vec<Note>, stillpoint_engine::Outcome), Box<dyn Error>> {
    let notes = Notes::default();
    let mut sim = Simulation::new("portfolio");
    let (events, fills) = (sim.stream("events", Stream::from_vec(events))?, sim.stream("fills", Stream::from_vec(fills))?);
    let (funding, rates) = (sim.stream("funding", Stream::from_vec(others.0))?, sim.stream("rates", Stream::from_vec(others.1))?);
    let address = sim.reserve::<PortfolioActor>("portfolio", Rank::default())?;
    sim.place(address, actor);
    let listener = sim.actor("listener", Listener { portfolio: address, asks, notes: notes.clone() })?;
    sim.subscribe::<MarketEvent, _>(address, events);
    sim.subscribe::<Fill, _>(address, fills);
    sim.subscribe::<Funding, _>(address, funding);
    sim.subscribe::<ConversionRate, _>(address, rates);
    sim.subscribe_to::<EquityPoint, _, _>(listener, address);
    sim.subscribe_to::<LiquidationDue, _, _>(listener, address);
    let _: Recipient<Fill> = address.recipient();
    let outcome = sim.run().map_err(|failed| failed.error.to_string())?;
    let notes = notes.lock().expect("no panic").clone();
    Ok((notes, outcome))
}

fn timed<T>(second: i64, value: T) -> Timed<T> {
    Timed { at: at(second), value }
}

fn texts(notes: &[Note]) -> Vec<(i64, &str)> {
    notes.iter().map(|(second, text)| (*second, text.as_str())).collect()
}

#[test]
fn equity_is_that_of_the_still_point_before() -> Result<(), Box<dyn Error>> {
    let mut book = portfolio(Keeping::Netting, MarginMode::Cross);
    book.pay_in(DOLLAR, 1_000_000_000)?;
    book.pay_in(COIN, 100_000_000)?;
    let rate = |price| ConversionRate { of: COIN, within: DOLLAR, rate: Price(price), decimals: decimals(0) };
    let every = Every::from(at(1), Duration::secs(1)).until(at(5));
    let actor = PortfolioActor::new(book, DOLLAR, Some(every))?;
    let (notes, outcome) = run(
        actor,
        // 2.0 bought at 100.00; the bid is 98.00, then the last trade 103.00.
        vec![quote(1, SPOT, 9_800, 10_100), quote(3, SPOT, 9_800, 10_100), trade(4, SPOT, 10_300), trade(4, InstrumentId(8), 1)],
        vec![
            timed(2, Fill { fee: (DOLLAR, 500_000), ..fill(SPOT, Leg::Net, Side::Buy, 20, 10_000) }),
            timed(3, fill(SPOT, Leg::Long, Side::Buy, 1, 1)),
        ],
        (vec![], vec![timed(0, rate(10)), timed(4, rate(20))]),
        None,
    )?;
    assert_eq!(
        texts(&notes),
        [
            (1, "equity 1010000000"),
            (2, "equity 1010000000"), // before the fill of that instant
            (3, "equity 1009500000"), // the fee is paid
            (4, "equity 1005500000"), // at the bid
            (5, "equity 1025500000"), // the trade, and the coin at 20
        ]
    );
    let report = outcome.report("portfolio").expect("it reports");
    let number = |name: &str| report.get(name).cloned();
    assert_eq!((number("fills"), number("refused")), (Some(Value::Integer(1)), Some(Value::Integer(1))));
    for (name, value) in [
        ("USD equity", 1005.5),
        ("USD balance", 999.5),
        ("USD realised", 0.0),
        ("USD unrealised", 6.0),
        ("USD fees", 0.5),
        ("USD funding", 0.0),
        ("BTC equity", 1.0),
    ] {
        assert_eq!(number(name), Some(Value::Number(value)), "{name}");
    }
    Ok(())
}

#[test]
fn a_question_is_answered_as_of_the_still_point_before() -> Result<(), Box<dyn Error>> {
    let mut book = portfolio(Keeping::Netting, MarginMode::Cross);
    book.pay_in(DOLLAR, 100_000_000)?;
    book.fill(&fill(LINEAR, Leg::Net, Side::Sell, 10, 5_000))?;
    let actor = PortfolioActor::new(book, DOLLAR, None)?;
    let funding = Funding { instrument: LINEAR, rate: Parts(10_000_000) };
    let (notes, _) = run(
        actor,
        // 1.0 sold at 50.00; closing it costs the ask.
        vec![quote(1, LINEAR, 4_800, 4_900), quote(2, LINEAR, 5_100, 5_200)],
        vec![],
        (vec![timed(3, funding), timed(3, Funding { instrument: InstrumentId(8), ..funding })], vec![]),
        Some(Every::from(at(1), Duration::secs(1)).until(at(4))),
    )?;
    // The question of a second arrives in the step after the quote of that second. A hundredth of 52.00 comes at the third.
    assert_eq!(texts(&notes), [(1, "has 100000000"), (2, "has 101000000"), (3, "has 98000000"), (4, "has 98520000")]);
    Ok(())
}

/// Statements are of the still point before: of the money alone at 2.0 s, of what the fill has left at 4.1 s; what is between comes too early, and
/// after the last change there is none.
#[test]
fn statements_are_written_at_changes_and_not_too_often() -> Result<(), Box<dyn Error>> {
    let mut book = portfolio(Keeping::Netting, MarginMode::Cross);
    book.pay_in(DOLLAR, 1_000_000_000)?;
    book.pay_in(COIN, 100_000_000)?;
    let actor = PortfolioActor::new(book, DOLLAR, None)?.statements(Duration::secs(2));
    let trace = Collect::new("statements");
    let mut sim = Simulation::new("portfolio");
    // 2.0 bought at 100.00 for a fee of 0.5; no position, no change, is what a trade finds before.
    let fill = Fill { fee: (DOLLAR, 500_000), ..fill(SPOT, Leg::Net, Side::Buy, 20, 10_000) };
    let events = sim.stream(
        "events",
        Stream::from_vec(vec![trade(1, SPOT, 9_900), trade(3, SPOT, 9_900), trade(4, SPOT, 10_100), trade(5, SPOT, 1)]),
    )?;
    let fills = sim.stream("fills", Stream::from_vec(vec![timed(2, fill)]))?;
    let address = sim.actor("portfolio", actor)?;
    sim.subscribe::<MarketEvent, _>(address, events);
    sim.subscribe::<Fill, _>(address, fills);
    sim.observe(Box::new(trace.clone())).run().map_err(|failed| failed.error.to_string())?;
    let written: Vec<_> = trace.records().into_iter().filter(|record| &*record.kind == Statement::KIND).collect();
    assert_eq!(written.iter().map(|record| record.at).collect::<Vec<_>>(), [at(2), at(2), at(4), at(4)]);
    for (record, parts) in written.iter().zip([
        ["CurrencyId(0)", "paid_in: 1000000000, realised: 0, fees: 0,"],
        ["CurrencyId(1)", "paid_in: 100000000, realised: 0, fees: 0,"],
        // As of the trade at 99.00: 198.00 is what cost 200.00.
        ["CurrencyId(0)", "fees: 500000, funding: 0, covered: 0, cost: 200000000, value: 198000000,"],
        ["CurrencyId(1)", "paid_in: 100000000, realised: 0, fees: 0,"],
    ]) {
        let text = record.text.as_deref().unwrap_or_default();
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
    }
    Ok(())
}

#[test]
fn what_is_due_is_said_once_and_again_after_it_was_all_right() -> Result<(), Box<dyn Error>> {
    let mut book = portfolio(Keeping::Netting, MarginMode::Cross);
    book.pay_in(DOLLAR, 20_000_000)?;
    book.fill(&fill(LINEAR, Leg::Net, Side::Buy, 10, 10_000))?;
    let actor = PortfolioActor::new(book, DOLLAR, None)?;
    // Due from 80.40 down.
    let prices = [(1, 8_100), (2, 8_040), (3, 7_900), (4, 8_500), (5, 8_000)];
    let events = prices.map(|(second, price)| trade(second, LINEAR, price)).to_vec();
    let (notes, _) = run(actor, events, vec![], (vec![], vec![]), None)?;
    let due = format!("due {:?}", Liquidation::Account(DOLLAR));
    assert_eq!(texts(&notes), [(2, due.as_str()), (5, due.as_str())]);
    Ok(())
}
