//! Recordings of the raw feed: a small one worked out by hand, bad ones, and six of a real exchange, whose books must be those that it told.

use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_actors::{Decimals, DepthChange, DepthUpdate, Instrument, InstrumentId, Price, Quantity, Quote, Side, Trade, TradeId};
use stillpoint_adapters::{BookDifference, Fed, FeedReader, FeedSettings, TimeOf, check_books, clock_offset, inspect};
use stillpoint_engine::{Duration, Instant, Source, Timed};

/// Futures: a change before the whole book that it has already, one that begins before it and ends in it, best prices, a trade, a gap.
const LINES: &str = r#"1000 {"stream":"x@depth@0ms","data":{"e":"depthUpdate","E":7,"T":6,"s":"X","U":1,"u":4,"pu":0,"b":[["9.5","1"]],"a":[]}}
2000 {"stream":"x@depth@0ms","data":{"e":"depthUpdate","E":7,"T":6,"s":"X","U":5,"u":12,"pu":4,"b":[["9.5","3"]],"a":[["10.5","0"]]}}
3000 {"lastUpdateId":10,"E":8,"T":8,"bids":[["9.5","2"],["9.0","7"]],"asks":[["10.5","4"],["11.0","5"]]}
4000 {"stream":"x@bookTicker","data":{"e":"bookTicker","u":14,"s":"X","b":"9.5","B":"3","a":"11.0","A":"6","T":9,"E":9}}
4500 {"stream":"x@trade","data":{"e":"trade","E":9,"T":8,"s":"X","t":77,"p":"9.5","q":"2","X":"MARKET","m":true}}
5000 {"stream":"x@depth@0ms","data":{"e":"depthUpdate","E":9,"T":9,"s":"X","U":13,"u":14,"pu":12,"b":[],"a":[["11.0","6"]]}}
5500 {"stream":"x@bookTicker","data":{"e":"bookTicker","u":14,"s":"X","b":"9.5","B":"2","a":"11.0","A":"6","T":9,"E":9}}
5600 {"stream":"x@forceOrder","data":{"e":"forceOrder"}}

6000 {"stream":"x@depth@0ms","data":{"e":"depthUpdate","E":9,"T":9,"s":"X","U":20,"u":21,"pu":19,"b":[],"a":[["11.0","1"]]}}
7000 {"stream":"x@bookTicker","data":{"e":"bookTicker","u":14,"s":"X","b":"9.5","B":"2","a":"11.0","A":"6","T":9,"E":9}}
"#;

fn instrument(price: u8, quantity: u8) -> Instrument {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    Instrument::new(InstrumentId(3), "X").with_decimals(decimals(price), decimals(quantity))
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a file in the folder of tests");
    path
}

fn read<M: Fed>(settings: &FeedSettings) -> Result<Vec<Timed<M>>, String> {
    let mut reader = FeedReader::<M>::open(settings).map_err(|error| error.to_string())?;
    let mut items = Vec::new();
    while let Some(item) = reader.next().map_err(|error| error.to_string())? {
        items.push(item);
    }
    Ok(items)
}

#[test]
fn changes_follow_the_whole_book_and_stop_at_a_gap() {
    let settings = FeedSettings::new(file("depth.txt", LINES), instrument(1, 0));
    let updates = read::<DepthUpdate>(&settings).expect("a good file");
    let told: Vec<_> = updates
        .iter()
        .map(|item| {
            let change = match item.value.change {
                DepthChange::Clear => (None, 0, 0),
                DepthChange::Set { side, price, quantity } => (Some(side), price.0, quantity.0),
            };
            (item.at.as_nanos(), change, item.value.last)
        })
        .collect();
    let (bid, ask) = (Some(Side::Buy), Some(Side::Sell));
    let expected = [
        (3000, (None, 0, 0), false),
        (3000, (bid, 95, 2), false),
        (3000, (bid, 90, 7), false),
        (3000, (ask, 105, 4), false),
        (3000, (ask, 110, 5), false),
        (3000, (bid, 95, 3), false),
        (3000, (ask, 105, 0), true),
        (5000, (ask, 110, 6), true),
        (6000, (None, 0, 0), true),
    ];
    assert_eq!(told, expected);
    assert!(updates.iter().all(|item| item.value.instrument == InstrumentId(3)));
}

#[test]
fn best_prices_and_trades_are_exact() {
    let settings = FeedSettings::new(file("kinds.txt", LINES), instrument(1, 0));
    let at = |nanos| Instant::from_nanos(nanos);
    let quote =
        Quote { instrument: InstrumentId(3), bid: Price(95), bid_quantity: Quantity(3), ask: Price(110), ask_quantity: Quantity(6) };
    let quotes = read::<Quote>(&settings).expect("a good file");
    assert_eq!((quotes.len(), quotes[0].at, quotes[0].value), (3, at(4000), quote));
    // The buyer was there before, so somebody sold to it.
    let trade = Trade { instrument: InstrumentId(3), side: Some(Side::Sell), price: Price(95), quantity: Quantity(2), id: TradeId(77) };
    assert_eq!(read::<Trade>(&settings).expect("a good file"), [Timed { at: at(4500), value: trade }]);
    let offset = clock_offset(&settings.path).expect("a good file").expect("times of the exchange");
    // 9 ms less 4 us at 4000, and 6 ms less 1 us at 1000.
    assert_eq!((offset.least, offset.greatest, offset.messages), (Duration::nanos(-8_996_000), Duration::nanos(-5_998_000), 9));
    let shifted = FeedSettings { time: TimeOf::Exchange, clock_offset: offset.least, ..settings };
    assert_eq!(read::<Trade>(&shifted).expect("a good file")[0].at, at(8_000_000 - 8_996_000));
}

#[test]
fn built_books_are_compared_where_numbers_are_equal() {
    let check = check_books(&FeedSettings::new(file("check.txt", LINES), instrument(1, 0))).expect("a good file");
    // Number 14 three times: before its change, and right; after it, with another quantity; after the gap, with which nothing is compared.
    assert_eq!((check.compared, check.gaps), (2, 1));
    assert_eq!(check.different.into_iter().collect::<Vec<_>>(), [(BookDifference::Quantity, 1)]);
    let (at, told, built) = check.first.expect("one that differs");
    assert_eq!((at.as_nanos(), told.bid_quantity, built.bid_quantity), (5500, Quantity(2), Quantity(3)));
}

#[test]
fn a_look_counts_messages_by_their_streams() {
    let path = file("look.txt", LINES);
    let found = inspect(&path, TimeOf::Received).expect("a good file");
    assert_eq!(found.format, "Binance's raw feed, by receive time");
    let counts: Vec<_> = found.streams.iter().map(|(name, scan)| (name.as_str(), scan.count, scan.duplicates)).collect();
    let expected = [("others", 1, 0), ("whole books", 1, 0), ("x@bookTicker", 3, 0), ("x@depth@0ms", 4, 0), ("x@trade", 1, 0)];
    assert_eq!(counts, expected);
    assert_eq!((found.overall.count, found.overall.backward_steps), (10, 0));
    // From 1000 to 2000, and from 6000 to 7000; the first counts.
    assert_eq!(found.overall.longest_gap, (Duration::nanos(1000), Instant::from_nanos(1000)));
    assert!(
        found.notes.iter().any(|note| note.contains("`feed_quotes`, `feed_trades` and `feed_depth`") || note.contains("`feed_depth` ("))
    );
    let by_exchange = inspect(&path, TimeOf::Exchange).expect("a good file");
    // In ms: 6 6 8 9 8 9 9, none, 9 9. The last two of the best prices are the same.
    assert_eq!((by_exchange.overall.count, by_exchange.overall.backward_steps, by_exchange.overall.duplicates), (10, 1, 1));
    assert_eq!((by_exchange.overall.below_maximum, by_exchange.overall.furthest_below), (1, Duration::millis(1)));
    assert_eq!(by_exchange.streams["others"].first, None);
    assert!(by_exchange.to_string().contains("the exchange tells no time"), "{by_exchange}");
}

#[test]
fn a_look_warns_of_what_no_stream_could_read() {
    let lines = LINES.lines().filter(|line| !line.contains("lastUpdateId")).collect::<Vec<_>>().join("\n");
    let two = lines.replacen("x@trade", "y@trade", 1);
    let text = inspect(&file("warned.txt", &two), TimeOf::Received).expect("a good file").to_string();
    for part in ["It speaks of `x`, `y`, but", "no whole book that they could follow"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let bad =
        inspect(&file("cut.txt", &format!("{LINES}8000 {{\"lastUpdateId\":1")), TimeOf::Received).expect_err("a cut line").to_string();
    assert!(bad.contains("cut.txt:12: column 22: the message is not one of Binance's feed"), "{bad}");
}

#[test]
fn what_makes_no_sense_is_named_with_its_line() {
    let good = LINES.lines().next().expect("a line");
    let ticker = r#"1 {"stream":"x@bookTicker","data":{"u":14,"s":"X","b":"9.5","B":"2","a":"11.0","A":"6"}}"#;
    for (text, expected) in [
        ("x {}", ":2: the line does not begin with a time in nanoseconds"),
        ("99999999999999999999 {}", ":2: the line does not begin with a time in nanoseconds"),
        ("5 {\"lastUpdateId\":1,\"bids\":[[\"1\"]],\"asks\":[]}", ":2: column 33: the message is not one of Binance's feed"),
        ("5 {\"stream\":\"x@depth\",\"data\":{\"E\":1,\"U\":1", ":2: column 41: the message is not one of Binance's feed"),
        (&good.replace("9.5", "9.55"), ":2: price of a level `9.55` has more than the instrument's 1 decimals"),
        (&good.replace("\"1\"]", "\"NaN\"]"), ":2: quantity of a level `NaN`"),
        ("5", ":2: column 1: the message is not one of Binance's feed"),
    ] {
        let settings = FeedSettings::new(file("bad.txt", &format!("{good}\n{text}\n")), instrument(1, 0));
        let error = read::<DepthUpdate>(&settings).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    let settings = FeedSettings { time: TimeOf::Exchange, ..FeedSettings::new(file("spot.txt", ticker), instrument(1, 0)) };
    let error = read::<Quote>(&settings).expect_err("no time of the exchange");
    assert!(error.contains(":1: the message has no time of the exchange"), "{error}");
}

/// File, decimals of prices and quantities, how many best prices have the number of a change; counted by a program of another language.
const REAL: [(&str, u8, u8, u64); 6] = [
    ("cm_btcusd_perp_20240808.gz", 1, 0, 1_124),
    ("cm_ethusd_perp_20240808.gz", 2, 0, 1_345),
    ("spot_btcusdt_20240808.gz", 8, 8, 564),
    ("spot_ethusdt_20240808.gz", 8, 8, 577),
    ("usdm_btcusdt_20240808.gz", 2, 3, 629),
    ("usdm_ethusdt_20240808.gz", 2, 3, 551),
];

#[test]
#[expect(clippy::disallowed_methods, reason = "where data lies that does not ship")]
fn books_of_a_real_exchange_are_those_that_it_told() {
    let Some(folder) = std::env::var_os("STILLPOINT_DATA").map(|folder| Path::new(&folder).join("binance-l2")) else {
        println!("skipped: STILLPOINT_DATA names no folder with data");
        return;
    };
    for (name, price, quantity, compared) in REAL {
        let settings = FeedSettings::new(folder.join(name), instrument(price, quantity));
        let check = check_books(&settings).expect(name);
        let different: u64 = check.different.values().sum();
        let share = 100.0 * (check.compared - different) as f64 / check.compared as f64;
        println!("{name}: {share:.2} % of {} best prices; different {:?}, gaps {}", check.compared, check.different, check.gaps);
        assert_eq!((check.compared, check.different.len(), check.gaps), (compared, 0, 0), "{name}: {check:?}");
    }
}
