//! The recording as one stream under every late policy, with and without a reorder buffer: how many items are late, and by how much
//! altogether. The figures come from `late` in oracle.py.

use std::path::Path;

use stillpoint_actors::MarketEvent;
use stillpoint_adapters::{BinanceReader, BinanceSettings, TimeOf};
use stillpoint_engine::{Actor, Context, Duration, Handler, Late, Outcome, Report, Simulation, Stream, Value};

/// Counts what it gets, and checks each item's instant against its event time.
struct Counter {
    bound: Duration,
    events: i64,
    late: i64,
    lag: i64,
}

impl Actor for Counter {
    fn report(&self, report: &mut Report) {
        report.integer("events", self.events);
        report.integer("late", self.late);
        report.integer("lag", self.lag);
    }
}

impl Handler<MarketEvent> for Counter {
    fn handle(&mut self, _: &MarketEvent, ctx: &mut Context<'_, Self>) {
        let event = ctx.event();
        self.events += 1;
        match event.lag {
            // In time: released when the buffer has held it long enough.
            None => assert_eq!(ctx.now(), event.event_time + self.bound),
            // Late: at once, at the greatest event time before it.
            Some(lag) => {
                assert_eq!(ctx.now().since(event.event_time), lag);
                assert!(lag > self.bound);
                self.late += 1;
                self.lag += lag.as_nanos();
            }
        }
    }
}

fn run(time: TimeOf, late: Late, bound: Duration) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/binance-trades/binance_spot_trades_l1_btcusdt_ethusdt_solusdt.json.gz");
    let settings = BinanceSettings { time, ..BinanceSettings::new(path) };
    let mut sim = Simulation::new("late");
    let stream = Stream::open(move || Ok(BinanceReader::<MarketEvent>::open(&settings)?)).late(late).reorder(bound);
    let stream = sim.stream("recording", stream).expect("a new name");
    let counter = sim.actor("counter", Counter { bound, events: 0, late: 0, lag: 0 }).expect("a new name");
    sim.subscribe::<MarketEvent, _>(counter, stream);
    sim.run().unwrap_or_else(|failed| panic!("{}", failed.error))
}

fn counted(outcome: &Outcome) -> [i64; 3] {
    let report = outcome.report("counter").expect("the counter reports");
    ["events", "late", "lag"].map(|name| match report.get(name) {
        Some(Value::Integer(value)) => *value,
        other => panic!("{name} is {other:?}"),
    })
}

#[test]
fn late_items_by_policy_and_buffer() {
    let millis = Duration::millis;
    for (time, bound, late, lag) in [
        (TimeOf::Received, Duration::ZERO, 20_904, 1_655_040_188_483),
        (TimeOf::Received, millis(1), 16_773, 1_653_851_863_564),
        (TimeOf::Received, millis(100), 3_894, 1_320_270_805_933),
        (TimeOf::Received, millis(1_000), 0, 0),
        (TimeOf::Exchange, Duration::ZERO, 12_523, 2_114_613_653_731),
        (TimeOf::Exchange, millis(500), 365, 258_134_779_965),
    ] {
        let flagged = run(time, Late::DeliverFlagged, bound);
        assert_eq!(counted(&flagged), [50_000, late, lag], "{time:?}, {bound}");
        let dropped = run(time, Late::DropAndCount, bound);
        assert_eq!(counted(&dropped), [50_000 - late, 0, 0], "{time:?}, {bound}");
        for (outcome, events) in [(&flagged, 50_000), (&dropped, 50_000 - late)] {
            assert_eq!((outcome.late() as i64, outcome.events as i64), (late, events), "{time:?}, {bound}");
        }
    }
}
