//! When orders are taken: warm-up, the end of trading, a stopped desk; and what can never be right.

use serde::{Deserialize, Serialize};
use stillpoint_actors::Side::{Buy, Sell};
use stillpoint_actors::strategy::{Desk, Refusal, Strategy, TimerTag, Trader, TraderSettings};
use stillpoint_actors::{Bar, InstrumentId, Latencies, OrderKind, Price, Quantity, Quote, TimeInForce, Trade, TrailBy};
use stillpoint_engine::{Duration, Every, Report, Simulation, Stream, Timed};

use crate::kit::{Command, Limits, Puppet, Scripted, Stage, at, check, flat_bar, limit, market, settings, text, timed, trade, x};

/// Writes down every callback, and what becomes of an order at each.
#[derive(Default, Serialize, Deserialize)]
struct Diary {
    lines: Vec<String>,
}

impl Diary {
    fn note(&mut self, what: &str, desk: &mut Desk<'_>) {
        let sent = desk.buy(InstrumentId(0), Quantity(1));
        self.lines.push(format!("{} {what} {sent:?}", desk.now().as_nanos()));
    }
}

impl Strategy for Diary {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        self.note("start", desk);
        desk.notify_every(Every::from(at(6), Duration::nanos(10)).until(at(30)), TimerTag(4));
        let timer = desk.notify_after(Duration::nanos(15), TimerTag(5));
        assert!(desk.cancel_timer(timer) && !desk.cancel_timer(timer));
    }

    fn on_quote(&mut self, _: &Quote, desk: &mut Desk<'_>) {
        self.note("quote", desk);
    }

    fn on_trade(&mut self, _: &Trade, desk: &mut Desk<'_>) {
        self.note("trade", desk);
    }

    fn on_bar(&mut self, bar: &Bar, desk: &mut Desk<'_>) {
        self.note(&format!("bar {}", bar.close.0), desk);
    }

    fn on_timer(&mut self, tag: TimerTag, desk: &mut Desk<'_>) {
        self.note(&format!("timer {}", tag.0), desk);
    }

    fn report(&self, report: &mut Report) {
        report.text("diary", self.lines.join("\n"));
    }
}

fn diary(change: impl FnOnce(&mut TraderSettings)) -> (Simulation, impl Sized) {
    let mut sim = Simulation::new("diary").start(at(0));
    let quotes = sim.stream("quotes", Stream::from_vec(vec![timed(5, 99, 101), timed(20, 99, 101), timed(30, 99, 101)])).expect("a name");
    let trades = sim.stream("trades", Stream::from_vec(vec![Timed { at: at(19), value: trade(100) }])).expect("a name");
    let puppet = sim.actor("exchange", Puppet::default()).expect("a name");
    let mut given = settings(puppet.recipient(), Limits::default());
    change(&mut given);
    let trader = sim.actor("trader", Trader::new(given, Diary::default()).expect("good settings")).expect("a name");
    sim.subscribe::<Quote, _>(trader, quotes);
    sim.subscribe::<Trade, _>(trader, trades);
    (sim, trader)
}

#[test]
fn what_comes_before_trading_reaches_the_strategy_and_orders_are_refused() {
    let (sim, _) = diary(|settings| {
        settings.history = vec![flat_bar(7), flat_bar(8), Bar { instrument: InstrumentId(9), ..flat_bar(9) }];
        settings.trade_from = Some(at(20));
        settings.trade_until = Some(at(30));
    });
    let outcome = sim.run().expect("a run");
    let expected = [
        "0 bar 7 Err(WarmUp)",
        "0 bar 8 Err(WarmUp)",
        "0 start Err(WarmUp)",
        "5 quote Err(WarmUp)",
        "6 timer 4 Err(WarmUp)",
        "16 timer 4 Err(WarmUp)",
        "19 trade Err(WarmUp)",
        "20 quote Ok(OrderId(1))",
        "26 timer 4 Ok(OrderId(2))",
        "30 quote Err(Ended)",
    ];
    assert_eq!(text(&outcome, "trader", "diary").lines().collect::<Vec<_>>(), expected);
    // At the end what is open is cancelled.
    assert_eq!(
        text(&outcome, "exchange", "asked").lines().collect::<Vec<_>>(),
        ["20 0 submit 1 Buy 1 Market Gtc", "26 0 submit 2 Buy 1 Market Gtc", "30 0 CancelAll"]
    );
}

#[test]
fn without_times_orders_are_taken_from_the_start_but_not_for_history() {
    let (sim, _) = diary(|settings| settings.history = vec![flat_bar(7)]);
    let outcome = sim.run().expect("a run");
    let diary = text(&outcome, "trader", "diary");
    assert_eq!(diary.lines().take(3).collect::<Vec<_>>(), ["0 bar 7 Err(WarmUp)", "0 start Ok(OrderId(1))", "5 quote Ok(OrderId(2))"]);
    assert_eq!(crate::kit::integer(&outcome, "trader", "refused"), 1);
    assert_eq!(crate::kit::integer(&outcome, "trader", "refused because trading has not begun"), 1);
}

#[test]
fn a_stopped_desk_cancels_everything_and_takes_nothing() {
    check(
        Limits::default(),
        (
            &[(1, limit(Buy, 5, 100)), (2, Command::Stop), (3, market(Buy, 1)), (4, Command::Modify(1, 2, None)), (5, Command::CancelAll)],
            &[],
            &[],
        ),
        &["1 sent 1 | 0 +5 -0", "2 done | 0 +5 -0", "3 Stopped | 0 +5 -0", "4 Stopped | 0 +5 -0", "5 done | 0 +5 -0"],
        &["1 0 submit 1 Buy 5 Limit(Price(100)) Gtc", "2 0 CancelAll"],
    );
}

/// Sends one order of each kind in an instrument with ticks of 5 and lots of 10, and says which were refused.
#[derive(Default, Serialize, Deserialize)]
struct Wrong {
    said: Vec<Option<Refusal>>,
}

impl Strategy for Wrong {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        let x = InstrumentId(0);
        let mut send = |quantity, kind| {
            let sent = desk.submit(x, Sell, Quantity(quantity), kind, TimeInForce::Gtc);
            self.said.push(sent.err());
        };
        for quantity in [-10, 0, 5, 10, 15] {
            send(quantity, OrderKind::Market);
        }
        let (tick, off) = (Price(100), Price(101));
        for good in [tick, off] {
            send(10, OrderKind::Limit(good));
            send(10, OrderKind::Stop { trigger: good });
            send(10, OrderKind::StopLimit { trigger: good, limit: tick });
            send(10, OrderKind::StopLimit { trigger: tick, limit: good });
            send(10, OrderKind::Iceberg { limit: good, display: Quantity(10) });
            send(10, OrderKind::TrailingStop(TrailBy::Price(good)));
        }
        send(10, OrderKind::TrailingStop(TrailBy::BasisPoints(3)));
        let id = desk.orders()[1].id;
        self.said.push(desk.modify(id, Quantity(20), Some(off), None).err());
        self.said.push(desk.modify(id, Quantity(15), Some(tick), None).err());
        self.said.push(desk.modify(id, Quantity(0), Some(tick), None).err());
        self.said.push(desk.reprice(id, Price(105)).err());
        self.said.push(desk.buy(InstrumentId(3), Quantity(10)).err());
        self.said.push(desk.trade_to(InstrumentId(3), Quantity(10)).err());
    }
}

#[test]
fn what_can_never_be_right_is_refused() {
    use Refusal::{BadQuantity, OffLot, OffTick, UnknownInstrument};
    let mut sim = Simulation::new("wrong").start(at(0));
    let puppet = sim.actor("exchange", Puppet::default()).expect("a name");
    let mut given = settings(puppet.recipient(), Limits::default());
    given.routes[0].instrument = x().with_steps(Price(5), Quantity(10));
    let trader = sim.actor("trader", Trader::new(given, Wrong::default()).expect("good settings")).expect("a name");
    let mut run = sim.begin().expect("a run");
    run.until(at(1));
    let said = run.actor(trader).expect("it lives").strategy().said.clone();
    let (markets, rest) = said.split_at(5);
    assert_eq!(markets, [Some(BadQuantity), Some(BadQuantity), Some(OffLot), None, Some(OffLot)]);
    assert_eq!(rest[..6], [None; 6]);
    assert_eq!(rest[6..12], [Some(OffTick); 6]);
    assert_eq!(rest[12..], [None, Some(OffTick), Some(OffLot), Some(BadQuantity), None, Some(UnknownInstrument), Some(UnknownInstrument)]);
    let asked = text(&run.finish().expect("a run"), "exchange", "asked");
    assert_eq!(asked.lines().count(), 9, "what was refused was not sent:\n{asked}");
}

/// Brings its position to targets.
#[derive(Default, Serialize, Deserialize)]
struct Targets;

impl Strategy for Targets {
    fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
        let target = Quantity(quote.bid.0 - 100);
        _ = desk.trade_to(quote.instrument, target);
        _ = desk.trade_to(quote.instrument, target);
    }
}

#[test]
fn a_target_counts_what_is_on_its_way() {
    let quotes = [timed(1, 103, 104), timed(2, 97, 99), timed(3, 97, 99), timed(4, 100, 101)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    // Of the six at 2, five are filled; the one that is missing is sold with the next quote.
    let expected = ["1 X Buy 3 Market", "2 X Sell 6 Market", "3 X Sell 1 Market", "4 X Buy 3 Market"];
    crate::kit::check_asked(stage.with(Targets, |_| {}), &expected);
}

#[test]
fn a_plan_is_followed_whatever_the_strategy() {
    let strategy = Scripted::new(&[(1, market(Sell, 2))]);
    let stage = Stage::new(Latencies::default(), &[timed(0, 99, 101)], &[]);
    let outcome = crate::kit::check_asked(stage.with(strategy, |_| {}), &["1 X Sell 2 Market"]);
    assert_eq!(crate::kit::number(&outcome, "trader", "X position"), -2.0);
}
