//! The shipped recording, read as it is, as six streams, and looked at. The figures come from examples/tests/oracle.py.

use std::path::{Path, PathBuf};

use stillpoint_actors::{Decimals, Instrument, InstrumentId, MarketEvent, Price, Quantity, Quote, Side, Trade, TradeId};
use stillpoint_adapters::{BinanceReader, BinanceSettings, Floored, Recorded, TimeOf, inspect};
use stillpoint_engine::{Duration, Instant, Source, Timed};

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/binance-trades/binance_spot_trades_l1_btcusdt_ethusdt_solusdt.json.gz")
}

fn read<M: Recorded>(settings: &BinanceSettings) -> Vec<Timed<M>> {
    let mut reader = BinanceReader::<M>::open(settings).expect("the recording opens");
    let mut items = Vec::new();
    while let Some(item) = reader.next().expect("the recording is whole") {
        items.push(item);
    }
    let (read, length) = reader.progress().expect("a file knows its length");
    assert_eq!(read, length);
    items
}

fn instrument(id: u32, price: u8, quantity: u8) -> Instrument {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    Instrument::new(InstrumentId(id), "X").with_decimals(decimals(price), decimals(quantity))
}

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

#[test]
fn the_first_quote_and_trade_are_exact() {
    let settings = BinanceSettings::new(recording());
    let events = read::<MarketEvent>(&settings);
    let quote = MarketEvent::Quote(Quote {
        instrument: InstrumentId(1),
        bid: Price(205_910_000_000),
        bid_quantity: Quantity(3_309_140_000),
        ask: Price(205_911_000_000),
        ask_quantity: Quantity(301_460_000),
    });
    assert_eq!(events[0], Timed { at: at("2025-03-25T23:07:00.773684644Z"), value: quote });
    let trade = MarketEvent::Trade(Trade {
        instrument: InstrumentId(0),
        side: Some(Side::Sell),
        price: Price(8_723_200_000_000),
        quantity: Quantity(12_000),
        id: TradeId(4_744_868_157),
    });
    assert_eq!(events[4], Timed { at: at("2025-03-25T23:07:00.847021081Z"), value: trade });
    let settings = BinanceSettings { time: TimeOf::Exchange, instruments: vec![instrument(0, 2, 5)], ..settings };
    let trade = Trade { price: Price(8_723_200), quantity: Quantity(12), ..read::<Trade>(&settings)[0].value };
    assert_eq!(read::<Trade>(&settings)[0], Timed { at: at("2025-03-25T23:07:00.715Z"), value: trade });
}

#[test]
fn six_openings_hold_every_event_once_and_in_order() {
    for (id, price, quantity, quotes, trades) in [(0, 2, 5, 17_634, 6_770), (1, 2, 4, 12_033, 1_805), (2, 2, 3, 9_301, 2_457)] {
        let settings = BinanceSettings { instruments: vec![instrument(id, price, quantity)], ..BinanceSettings::new(recording()) };
        let (found_quotes, found_trades) = (read::<Quote>(&settings), read::<Trade>(&settings));
        assert_eq!((found_quotes.len(), found_trades.len()), (quotes, trades), "instrument {id}");
        assert!(found_quotes.is_sorted_by_key(|item| item.at) && found_trades.is_sorted_by_key(|item| item.at));
        assert!(found_quotes.iter().all(|item| item.value.instrument == InstrumentId(id) && item.value.bid < item.value.ask));
        assert!(found_trades.iter().all(|item| item.value.instrument == InstrumentId(id) && item.value.quantity > Quantity(0)));
    }
}

#[test]
fn floored_times_stay_in_order() {
    let settings = BinanceSettings { instruments: vec![instrument(1, 2, 4)], ..BinanceSettings::new(recording()) };
    let reader = BinanceReader::<Trade>::open(&settings).expect("the recording opens");
    let mut floored = Floored::new(reader, Some(Duration::secs(1)));
    let first = floored.next().expect("the recording is whole").expect("it has trades");
    assert_eq!(first.at, at("2025-03-25T23:07:01Z"));
}

#[test]
fn a_look_at_the_recording() {
    let found = inspect(&recording(), TimeOf::Received).expect("the recording is whole");
    let counts: Vec<(&str, u64)> = found.streams.iter().map(|(name, scan)| (name.as_str(), scan.count)).collect();
    let expected = [
        ("instrument 0 quotes", 17_634),
        ("instrument 0 trades", 6_770),
        ("instrument 1 quotes", 12_033),
        ("instrument 1 trades", 1_805),
        ("instrument 2 quotes", 9_301),
        ("instrument 2 trades", 2_457),
    ];
    assert_eq!(counts, expected);
    assert!(found.streams.values().all(|scan| scan.is_sorted() && scan.below_maximum == 0));
    let overall = &found.overall;
    assert_eq!((overall.count, overall.backward_steps, overall.below_maximum), (50_000, 9_078, 20_904));
    assert_eq!((overall.longest_backward, overall.furthest_below), (Duration::nanos(767_850_589), Duration::nanos(767_850_589)));
    assert_eq!(overall.first, Some(at("2025-03-25T23:07:00.773684644Z")));
    assert_eq!(overall.last, Some(at("2025-03-25T23:10:05.263970096Z")));

    let found = inspect(&recording(), TimeOf::Exchange).expect("the recording is whole");
    let overall = &found.overall;
    assert_eq!((overall.count, overall.backward_steps, overall.below_maximum), (50_000, 10_272, 12_523));
    assert_eq!(overall.furthest_below, Duration::nanos(975_283_410));
    assert!(found.to_string().contains("12523 events are late; `reorder: \"975.28341ms\"` would put all of them in order."));
}
