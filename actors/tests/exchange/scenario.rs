//! The kinds that scenarios name, and bars at their instants.

use std::path::Path;

use stillpoint_actors::{Bar, BarMaker, BarPrice, BarSpan, InstrumentId, Price, Quantity, Quote};
use stillpoint_engine::scenario::{Registry, Scenario};
use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Report, Simulation, Stream, Timed, Value};

#[test]
fn every_kind_can_be_named() {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/books.ron");
    let scenario = Scenario::read(&file, &[]).expect("a scenario");
    let outcome = scenario.build(&registry).expect("known kinds").simulation.run().expect("a run");
    let report = |actor: &str, name: &str| outcome.report(actor).and_then(|report| report.get(name)).cloned();
    assert_eq!(report("exchange", "X last_price"), Some(Value::Number(98.0)));
    assert_eq!(report("exchange", "Y last_price"), Some(Value::Number(55.0)));
    assert_eq!(report("minutes", "bars"), Some(Value::Integer(2)));
    assert_eq!(report("pairs", "bars"), Some(Value::Integer(1)));
}

/// Writes down bars, and when they come.
struct Reader(Vec<String>);

impl Actor for Reader {
    fn report(&self, report: &mut Report) {
        report.text("bars", self.0.join("\n"));
    }
}

impl Handler<Bar> for Reader {
    fn handle(&mut self, bar: &Bar, ctx: &mut Context<'_, Self>) {
        let Bar { open, high, low, close, .. } = bar;
        self.0.push(format!("{} {} {} {} {}", ctx.now().as_nanos(), open.0, high.0, low.0, close.0));
    }
}

#[test]
fn a_bar_is_published_when_it_is_over() {
    let quote = |time, bid, ask| Timed {
        at: Instant::from_nanos(time),
        value: Quote { bid: Price(bid), bid_quantity: Quantity(1), ask: Price(ask), ask_quantity: Quantity(1), ..Quote::default() },
    };
    // Mids are 10, 12.5 rounded down, 9, and -0.5 rounded down; the one at 100 belongs to the next bar.
    let quotes = vec![quote(5, 9, 11), quote(40, 12, 13), quote(99, 8, 10), quote(100, -1, 0), quote(350, 7, 7)];
    let mut sim = Simulation::new("bars").until(Instant::from_nanos(380));
    let quotes = sim.stream("quotes", Stream::from_vec(quotes)).expect("a name");
    let maker = BarMaker::new(InstrumentId(0), BarSpan::Time(Duration::nanos(100)), BarPrice::Mid).expect("a span");
    let maker = sim.actor("maker", maker).expect("a name");
    sim.subscribe::<Quote, _>(maker, quotes);
    let reader = sim.actor("reader", Reader(Vec::new())).expect("a name");
    sim.subscribe_to::<Bar, _, BarMaker>(reader, maker);
    let outcome = sim.run().expect("a run");
    let Some(Value::Text(bars)) = outcome.report("reader").and_then(|report| report.get("bars")) else { panic!("no text") };
    assert_eq!(bars.lines().collect::<Vec<_>>(), ["100 10 12 9 9", "200 -1 -1 -1 -1"]);
}
