//! Files of DBN: Databento's own test vectors, whose values were read from their bytes by hand, and records made here for what these do not have.
#![cfg(feature = "dbn")]

use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_actors::{
    Bar, BookChange, BookOrderId, BookUpdate, Decimals, DepthChange, DepthUpdate, Instrument, InstrumentId, MarketEvent, Price, Quantity,
    Quote, Side, Trade, TradeId,
};
use stillpoint_adapters::{DbnReader, DbnSettings, FileSeries, FromDbn, Scan, TimeOf, inspect};
use stillpoint_engine::{Duration, Instant, Source, Timed};
use tempfile::TempDir;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dbn").join(format!("test_data.{name}"))
}

fn instrument() -> Instrument {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    Instrument::new(InstrumentId(7), "ESH1").with_decimals(decimals(2), decimals(0))
}

fn settings(path: impl Into<PathBuf>) -> DbnSettings {
    DbnSettings::new(path, instrument())
}

fn drain<S: Source>(source: Result<S, impl std::fmt::Display>) -> (Vec<Timed<S::Item>>, Option<String>) {
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut items = Vec::new();
    loop {
        match source.next() {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return (items, None),
            Err(error) => return (items, Some(error.to_string())),
        }
    }
}

fn all<M: FromDbn>(settings: &DbnSettings) -> Vec<(i64, M)> {
    let (items, error) = drain(DbnReader::<M>::open(settings));
    assert_eq!(error, None, "{}", settings.path.display());
    items.into_iter().map(|item| (item.at.as_nanos(), item.value)).collect()
}

const SECOND: i64 = 1_609_160_400_000_000_000;

fn quote(bid: i64, bid_quantity: i64, ask: i64, ask_quantity: i64) -> Quote {
    Quote {
        instrument: InstrumentId(7),
        bid: Price(bid),
        bid_quantity: Quantity(bid_quantity),
        ask: Price(ask),
        ask_quantity: Quantity(ask_quantity),
    }
}

fn sale(price: i64, quantity: i64) -> Trade {
    Trade { instrument: InstrumentId(7), side: Some(Side::Sell), price: Price(price), quantity: Quantity(quantity), id: TradeId(0) }
}

#[test]
fn quotes_and_trades() {
    let expected = [(SECOND + 6_136_329, quote(372_025, 24, 372_050, 11)), (SECOND + 6_246_513, quote(372_025, 24, 372_050, 12))];
    for name in ["mbp-1.dbn", "cmbp-1.dbn", "cbbo-1s.dbn"] {
        assert_eq!(all::<Quote>(&settings(vector(name))), expected, "{name}");
    }
    let by_exchange = DbnSettings { time: TimeOf::Exchange, ..settings(vector("mbp-1.dbn")) };
    assert_eq!(all::<Quote>(&by_exchange).iter().map(|(at, _)| at - SECOND).collect::<Vec<_>>(), [6_001_487, 6_146_661]);
    let (first, second) = (SECOND + 99_150_057, SECOND + 108_142_648);
    assert_eq!(all::<Trade>(&settings(vector("trades.dbn"))), [(first, sale(372_025, 5)), (second, sale(372_025, 21))]);
    assert_eq!(all::<Trade>(&settings(vector("mbp-1.dbn"))), []);
    let expected = [
        (first, MarketEvent::Quote(quote(372_025, 26, 372_050, 7))),
        (first, MarketEvent::Trade(sale(372_025, 5))),
        (second, MarketEvent::Quote(quote(372_025, 21, 372_050, 22))),
        (second, MarketEvent::Trade(sale(372_025, 21))),
    ];
    assert_eq!(all::<MarketEvent>(&settings(vector("tbbo.dbn"))), expected);
    let minutes = all::<Quote>(&settings(vector("bbo-1m.dbn")));
    let start = 1_609_113_600_000_000_000;
    assert_eq!(minutes.iter().map(|(at, _)| (at - start) / 60_000_000_000).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(minutes[3], (start + 180_000_000_000, quote(370_425, 10, 370_475, 18)));
}

/// The data has where a bar begins; it comes when it is over.
#[test]
fn bars_come_at_their_end() {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    let bar = |open, high, low, close, volume| Bar {
        instrument: InstrumentId(7),
        open: Price(open),
        high: Price(high),
        low: Price(low),
        close: Price(close),
        volume: Quantity(volume),
    };
    let of = |name| DbnSettings { instrument: instrument().with_decimals(decimals(0), decimals(1)), ..settings(vector(name)) };
    let seconds = [
        (SECOND + 1_000_000_000, bar(372_025, 372_050, 372_025, 372_050, 570)),
        (SECOND + 2_000_000_000, bar(372_050, 372_050, 372_050, 372_050, 130)),
    ];
    assert_eq!(all::<Bar>(&of("ohlcv-1s.dbn")), seconds);
    let minute = (SECOND + 120_000_000_000, bar(372_100, 372_150, 372_100, 372_150, 1_520));
    assert_eq!(all::<Bar>(&of("ohlcv-1m.dbn"))[1], minute);
    let hour = (SECOND + 3_600_000_000_000, bar(372_025, 372_350, 372_025, 372_225, 93_850));
    assert_eq!(all::<Bar>(&of("ohlcv-1h.dbn"))[0], hour);
    assert_eq!(all::<Bar>(&of("ohlcv-1d.dbn")), []);
}

fn set(side: Side, price: i64, quantity: i64) -> DepthChange {
    DepthChange::Set { side, price: Price(price), quantity: Quantity(quantity) }
}

#[test]
fn depth_is_what_has_changed() {
    let updates = all::<DepthUpdate>(&settings(vector("mbp-10.dbn")));
    assert_eq!(updates.len(), 21);
    let (at, first) = updates[0];
    assert_eq!((at, first.change, first.last), (SECOND + 704_060, set(Side::Buy, 372_025, 24), false));
    assert_eq!((updates[9].1.change, updates[10].1.change), (set(Side::Buy, 371_800, 67), set(Side::Sell, 372_050, 10)));
    assert_eq!((updates[19].1.change, updates[19].1.last), (set(Side::Sell, 372_275, 44), true));
    assert_eq!((updates[20].0, updates[20].1.change, updates[20].1.last), (SECOND + 750_544, set(Side::Buy, 372_000, 30), true));
    // The same file once more: the book is that of its end, so that one level changes back, and forth.
    let settings = settings(vector("mbp-10.dbn"));
    let series =
        FileSeries::open(vec![settings.path.clone(); 2], move |path: &Path, before: Option<DbnReader<DepthUpdate>>| match before {
            Some(reader) => reader.go_on(&settings.at(path)),
            None => DbnReader::open(&settings.at(path)),
        });
    let (twice, error) = drain(series);
    let rest: Vec<_> = twice[21..].iter().map(|item| item.value.change).collect();
    assert_eq!((rest, error), (vec![set(Side::Buy, 372_000, 31), set(Side::Buy, 372_000, 30)], None));
}

#[test]
fn every_version_and_packing_holds_the_same() {
    fn same<M: FromDbn + PartialEq + std::fmt::Debug>(schema: &str, count: usize) {
        let expected = all::<M>(&settings(vector(&format!("{schema}.v2.dbn.zst"))));
        assert_eq!(expected.len(), count, "{schema}");
        let mut looked = 0;
        for ending in ["dbn", "v1.dbn.zst", "v3.dbn", "v3.dbn.zst", "dbz"] {
            let path = vector(&format!("{schema}.{ending}"));
            if path.exists() {
                looked += 1;
                assert_eq!(all::<M>(&settings(path)), expected, "{schema}.{ending}");
            }
        }
        assert!(looked >= 2, "{schema}: {looked}");
    }
    same::<BookUpdate>("mbo", 2);
    same::<Quote>("mbp-1", 2);
    same::<DepthUpdate>("mbp-10", 21);
    same::<MarketEvent>("tbbo", 4);
    same::<Trade>("trades", 2);
    same::<Quote>("bbo-1s", 4);
    same::<Quote>("bbo-1m", 4);
    for schema in ["ohlcv-1s", "ohlcv-1m", "ohlcv-1h"] {
        same::<Bar>(schema, 2);
    }
}

/// A record of the schema mbo, with times 1,000 and 2,000 ns.
fn order(action: u8, side: u8, id: u64, price: i64, size: u32, flags: u8) -> Vec<u8> {
    let mut bytes = vec![14, 0xa0, 1, 0];
    bytes.extend(5u32.to_le_bytes());
    bytes.extend(1_000u64.to_le_bytes());
    bytes.extend(id.to_le_bytes());
    bytes.extend(price.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend([flags, 0, action, side]);
    bytes.extend(2_000u64.to_le_bytes());
    bytes.extend([0; 8]);
    bytes
}

/// A fragment of such records, and how to read it.
fn fragment(folder: &TempDir, records: &[Vec<u8>]) -> DbnSettings {
    let path = folder.path().join("fragment.dbn.frag");
    fs::write(&path, records.concat()).expect("space for a small file");
    DbnSettings { instrument_id: Some(5), version: Some(3), ..settings(path) }
}

const LAST: u8 = 1 << 7;
const BAD_TS_RECV: u8 = 1 << 3;
const DOLLAR: i64 = 1_000_000_000;

/// An order is filled in part and changed, another is filled in part and cancelled, a third is filled and its rest cancelled at once; a fill that nothing
/// follows changes nothing.
#[test]
fn fills_change_a_book_once() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let settings = fragment(
        &folder,
        &[
            order(b'R', b'N', 0, i64::MAX, 0, LAST),
            order(b'A', b'B', 11, 10 * DOLLAR, 8, LAST),
            order(b'A', b'A', 12, 11 * DOLLAR + DOLLAR / 4, 5, LAST),
            order(b'T', b'A', 0, 10 * DOLLAR, 3, 0),
            order(b'F', b'B', 11, 10 * DOLLAR, 3, 0),
            order(b'M', b'B', 11, 10 * DOLLAR, 5, LAST),
            order(b'F', b'A', 12, 11 * DOLLAR, 2, 0),
            order(b'C', b'A', 12, 11 * DOLLAR, 2, LAST),
            order(b'C', b'A', 12, 11 * DOLLAR, 1, LAST),
            order(b'F', b'B', 11, 10 * DOLLAR, 2, 0),
            order(b'C', b'B', 11, 10 * DOLLAR, 5, LAST),
            order(b'F', b'A', 12, 11 * DOLLAR, 2, LAST),
            order(b'C', b'A', 12, 11 * DOLLAR, 2, LAST),
        ],
    );
    let (first, second) = (BookOrderId(11), BookOrderId(12));
    let expected = [
        BookChange::Clear,
        BookChange::Add { id: first, side: Side::Buy, price: Price(1_000), quantity: Quantity(8) },
        BookChange::Add { id: second, side: Side::Sell, price: Price(1_125), quantity: Quantity(5) },
        BookChange::Fill { id: first, quantity: Quantity(3) },
        BookChange::Modify { id: first, price: Price(1_000), quantity: Quantity(5) },
        BookChange::Fill { id: second, quantity: Quantity(2) },
        BookChange::Cancel { id: second, quantity: Quantity(1) },
        BookChange::Fill { id: first, quantity: Quantity(2) },
        BookChange::Cancel { id: first, quantity: Quantity(3) },
        BookChange::Cancel { id: second, quantity: Quantity(2) },
    ];
    let updates = all::<BookUpdate>(&settings);
    assert!(updates.iter().all(|(at, update)| *at == 2_000 && update.instrument == InstrumentId(7)));
    assert_eq!(updates.iter().map(|(_, update)| update.change).collect::<Vec<_>>(), expected);
    assert_eq!(all::<Trade>(&settings), [(2_000, sale(1_000, 3))]);
}

fn with_times(mut record: Vec<u8>, event: u64, received: u64) -> Vec<u8> {
    record[8..16].copy_from_slice(&event.to_le_bytes());
    record[40..48].copy_from_slice(&received.to_le_bytes());
    record
}

#[test]
fn receive_times_that_are_said_to_be_wrong() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let clear = |flags| order(b'R', b'N', 0, i64::MAX, 0, flags);
    let records = [(0, 10, 100), (BAD_TS_RECV, 20, 50), (BAD_TS_RECV, 30, 150), (0, 40, 120), (0, 50, u64::MAX)];
    let records = records.map(|(flags, event, received)| with_times(clear(flags), event, received));
    let settings = fragment(&folder, &records);
    let times = |settings: &DbnSettings| {
        let (items, error) = drain(DbnReader::<BookUpdate>::open(settings));
        (items.iter().map(|item| item.at.as_nanos()).collect::<Vec<_>>(), error.unwrap_or_default())
    };
    let (received, error) = times(&settings);
    assert_eq!(received, [100, 100, 150, 120]);
    assert!(error.ends_with("record 5, byte 224: has no time between 1970 and 2262; leave the record out"), "{error}");
    assert_eq!(times(&DbnSettings { time: TimeOf::Exchange, ..settings }), (vec![10, 20, 30, 40, 50], String::new()));
}

fn depth(levels: &[[(i64, u32); 2]], flags: u8) -> Vec<u8> {
    let mut bytes = vec![92, 10, 1, 0];
    bytes.extend(5u32.to_le_bytes());
    bytes.extend(1_000u64.to_le_bytes());
    bytes.extend((10 * DOLLAR).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([b'A', b'B', flags, 0]);
    bytes.extend(2_000u64.to_le_bytes());
    bytes.extend([0; 8]);
    for level in 0..10 {
        let [(bid, bid_size), (ask, ask_size)] = levels.get(level).copied().unwrap_or([(i64::MAX, 0); 2]);
        bytes.extend(bid.to_le_bytes());
        bytes.extend(ask.to_le_bytes());
        bytes.extend(bid_size.to_le_bytes());
        bytes.extend(ask_size.to_le_bytes());
        bytes.extend([0; 8]);
    }
    bytes
}

#[test]
fn depth_is_told_when_an_event_is_over() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let (none, cents) = ((i64::MAX, 0), DOLLAR / 100);
    let settings = fragment(
        &folder,
        &[
            depth(&[[(999 * cents, 1), (1_001 * cents, 2)]], LAST),
            depth(&[[(999 * cents, 7), (1_001 * cents, 2)]], 0),
            depth(&[[(1_000 * cents, 3), none], [(999 * cents, 1), none]], LAST),
            depth(&[[(1_000 * cents, 3), none], [(999 * cents, 1), none]], LAST),
            depth(&[], LAST),
        ],
    );
    let told: Vec<_> = all::<DepthUpdate>(&settings).into_iter().map(|(_, update)| (update.change, update.last)).collect();
    let expected = [
        (set(Side::Buy, 999, 1), false),
        (set(Side::Sell, 1_001, 2), true),
        (set(Side::Buy, 1_000, 3), false),
        (set(Side::Sell, 1_001, 0), true),
        (DepthChange::Clear, true),
    ];
    assert_eq!(told, expected);
    assert_eq!(all::<Quote>(&settings)[2].1, quote(1_000, 3, 0, 0), "no asks");
}

fn error_of<M: FromDbn>(settings: &DbnSettings) -> String {
    let (_, error) = drain(DbnReader::<M>::open(settings));
    let error = error.expect("an error");
    assert!(error.contains("; "), "no advice: {error}");
    error.replace(&settings.path.display().to_string(), "FILE")
}

#[test]
fn files_that_make_no_sense() {
    let check = |found: String, expected: &str| assert!(found.starts_with(expected), "expected: {expected}\nfound:    {found}");
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("file");
    let written = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("space for a small file");
        settings(&path)
    };
    check(error_of::<Quote>(&settings(folder.path().join("none"))), "FILE: cannot be opened: ");
    check(error_of::<Quote>(&written(b"time,bid,ask\n")), "FILE: does not begin with the metadata of a DBN file; ");
    check(error_of::<Quote>(&written(b"")), "FILE: does not begin with the metadata of a DBN file; ");
    check(error_of::<Quote>(&written(b"DBN\x04\0\0\0\0")), "FILE: is of version 4 of the format, of which 1 to 3 can be read; ");
    check(error_of::<Quote>(&written(b"DBN\x03\xff\xff\xff\xff")), "FILE: says that its metadata has 4294967303 bytes, ");
    check(error_of::<Quote>(&written(b"DBN\x03\x80\0\0\0abc")), "FILE: its metadata cannot be read: the file ends in the middle of it; ");
    check(error_of::<Quote>(&written(b"DBN\x03\x01\0\0\0abc")), "FILE: its metadata cannot be read (");
    check(
        error_of::<Quote>(&settings(vector("mbo.dbn"))),
        "FILE: holds records of the schema mbo; this stream can be made of mbp-1, mbp-10, tbbo, bbo-1s, ",
    );
    for name in ["definition.dbn", "statistics.dbn", "status.dbn", "imbalance.dbn", "trades.dbn"] {
        check(error_of::<BookUpdate>(&settings(vector(name))), "FILE: holds records of the schema ");
    }
    let definitions = DbnSettings { version: Some(3), instrument_id: Some(5482), ..settings(vector("definition.v3.dbn.frag")) };
    check(error_of::<Quote>(&definitions), "FILE: record 1, byte 0: is of the type InstrumentDef; this stream can be made of mbp-1");
    check(error_of::<Quote>(&DbnSettings { instrument_id: None, ..definitions.clone() }), "FILE: has no metadata; give the file's number");
    check(error_of::<Quote>(&DbnSettings { version: Some(9), ..definitions }), "FILE: is of version 9 of the format, ");
    let other = Instrument { symbol: "ESH2".into(), ..instrument() };
    let unknown = DbnSettings { instrument: other, ..settings(vector("mbp-1.dbn")) };
    check(
        error_of::<Quote>(&unknown),
        "FILE: has no instrument `ESH2`; give the file's number of the instrument as `instrument_id`; did you mean `ESH1`?",
    );
    assert_eq!(all::<Quote>(&DbnSettings { instrument_id: Some(5482), ..unknown }).len(), 2);
    let coarse = Instrument { price_decimals: Decimals::new(1).expect("at most 18"), ..instrument() };
    let coarse = DbnSettings { instrument: coarse, ..settings(vector("trades.dbn")) };
    check(
        error_of::<Trade>(&coarse),
        "FILE: record 1, byte 353: price `3720.250000000` has more than the instrument's 1 decimals; give the instrument",
    );
    let fine = Instrument { quantity_decimals: Decimals::MAX, ..instrument() };
    let fine = DbnSettings { instrument: fine, ..settings(vector("trades.dbn")) };
    check(error_of::<Trade>(&fine), "FILE: record 2, byte 401: size `21` does not fit 64 bits with the instrument's 18 decimals; ");
    let interval = DbnSettings { time: TimeOf::Exchange, ..settings(vector("bbo-1s.dbn")) };
    check(error_of::<Quote>(&interval), "FILE: record 1, byte 353: tells the state at the end of an interval, ");
}

#[test]
fn records_that_make_no_sense() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let check = |second: Vec<u8>, expected: &str| {
        let settings = fragment(&folder, &[order(b'R', b'N', 0, i64::MAX, 0, LAST), second]);
        let (items, error) = drain(DbnReader::<BookUpdate>::open(&settings));
        let error = error.unwrap_or_else(|| panic!("{expected}"));
        assert!(error.contains(&format!(": record 2, byte 56: {expected}")), "expected: {expected}\nfound:    {error}");
        assert_eq!(items.len(), 1);
    };
    let good = || order(b'A', b'B', 11, 10 * DOLLAR, 8, LAST);
    let changed = |at: usize, byte: u8| {
        let mut record = good();
        record[at] = byte;
        record
    };
    check(changed(0, 0), "says that it is 0 bytes long, which no record is; ");
    check(changed(0, 13), "says that it is 52 bytes long, which no record is; ");
    check(changed(0, 16), "the file ends in the middle of it; the file is cut short");
    check(good()[..55].to_vec(), "the file ends in the middle of it; ");
    check(changed(1, 0x7f), "is of the type 0x7f, which is not known; ");
    check(changed(1, 0x0a), "has 56 bytes, too few for its type 0x0a; ");
    check(changed(1, 0x20), "is of another schema; this stream can be made of mbo; ");
    check(changed(2, 2), "is of publisher 2, and those before are of publisher 1; choose one with `publisher`");
    check(order(b'A', b'B', 1, i64::MAX, 8, LAST), "has no price; ");
    check(order(b'A', b'N', 1, DOLLAR, 8, LAST), "is an order without a side; ");
    check(order(b'A', b'B', 1, DOLLAR, 8, LAST | 1 << 6), "is a level of the book, not an order; this publisher tells no single orders");
    // Another instrument's records are passed over, and so are another publisher's if one is chosen.
    let mut other = good();
    other[4] = 6;
    let settings = fragment(&folder, &[other, changed(2, 2), good()]);
    assert_eq!(all::<BookUpdate>(&DbnSettings { publisher: Some(1), ..settings }).len(), 1);
}

/// Many lengths of a file, and bytes of it changed: whole records come, then an error or the end, never a panic.
#[test]
fn files_that_are_cut_or_damaged() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("file");
    for name in ["mbp-1.dbn", "mbp-1.v3.dbn.zst", "mbp-1.dbz"] {
        let whole = fs::read(vector(name)).expect("a vector");
        let expected = all::<Quote>(&settings(vector(name)));
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("space for a small file");
            let (items, error) = drain(DbnReader::<Quote>::open(&settings(&path)));
            (items.into_iter().map(|item| (item.at.as_nanos(), item.value)).collect::<Vec<_>>(), error)
        };
        for end in (0..whole.len()).filter(|end| end % 3 == 0 || end % 8 == 1) {
            let (items, error) = read(&whole[..end]);
            assert!(expected.starts_with(&items), "{name} cut at {end}");
            // Without packing, a file that ends where a record does is whole; and so is one of DBZ that ends where its metadata does.
            let is_whole = match name {
                "mbp-1.dbn" => end == 353 || end == 433,
                "mbp-1.dbz" => end == 8 + usize::from(whole[4]),
                _ => false,
            };
            assert_eq!(error.is_none(), is_whole, "{name} cut at {end}: {error:?}");
        }
        for at in (0..whole.len()).step_by(2) {
            let mut bytes = whole.clone();
            bytes[at] ^= [0xff, 0x01, 0x80][at % 3];
            read(&bytes);
        }
    }
    assert_eq!(Instant::from_nanos(SECOND).to_string(), "2020-12-28T13:00:00Z");
}

/// Metadata of version 3 and the schema mbo, that says of one symbol which number it has.
fn metadata(symbol: &str, number: &str) -> Vec<u8> {
    let padded = |text: &str| text.bytes().chain(std::iter::repeat(0)).take(71).collect::<Vec<u8>>();
    let mut fixed = vec![0; 100];
    fixed[42..47].copy_from_slice(&[1, 0, 0, 71, 0]);
    let counts = [0u32, 0, 0, 0, 1].map(u32::to_le_bytes).concat();
    let days = [1u32, 20_200_101, 20_300_101].map(u32::to_le_bytes).concat();
    let whole = [fixed, counts, padded(symbol), days, padded(number)].concat();
    let length = u32::try_from(whole.len()).expect("a few hundred bytes");
    [b"DBN\x03".as_slice(), &length.to_le_bytes(), &whole].concat()
}

/// Received at 10, 10 (the same again), 12 (another instrument), 9 and 20 s (another publisher); of the exchange's times none is before another.
#[test]
fn a_look_at_a_file_with_faults() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("faults");
    let second = 1_000_000_000;
    let record = |event: u64, received: u64, instrument: u8, publisher: u8| {
        let mut record = with_times(order(b'R', b'N', 0, i64::MAX, 0, LAST), event * second, received * second);
        (record[2], record[4]) = (publisher, instrument);
        record
    };
    let records = [record(1, 10, 5, 1), record(1, 10, 5, 1), record(2, 12, 6, 1), record(8, 9, 5, 1), record(9, 20, 5, 2)];
    fs::write(&path, [metadata("ESH1", "5"), records.concat()].concat()).expect("space for a small file");
    let found = inspect(&path, TimeOf::Received).expect("a good file");
    assert_eq!(found.format, "DBN, schema mbo, by receive time");
    let counts: Vec<_> = found.streams.iter().map(|(name, scan)| (name.as_str(), scan.count, scan.duplicates)).collect();
    let expected =
        [("instrument 5 ESH1, publisher 1", 3, 1), ("instrument 5 ESH1, publisher 2", 1, 0), ("instrument 6, publisher 1", 1, 0)];
    assert_eq!(counts, expected);
    let at = |seconds: i64| Instant::from_nanos(seconds * 1_000_000_000);
    let steps = |scan: &Scan| (scan.backward_steps, scan.longest_backward, scan.below_maximum, scan.furthest_below);
    let (one, three) = (Duration::secs(1), Duration::secs(3));
    assert_eq!(steps(&found.streams[expected[0].0]), (1, one, 1, one));
    let overall = &found.overall;
    assert_eq!((overall.count, overall.duplicates, overall.first, overall.last), (5, 1, Some(at(9)), Some(at(20))));
    assert_eq!((steps(overall), overall.longest_gap), ((1, three, 1, three), (Duration::secs(8), at(12))));
    let found = inspect(&path, TimeOf::Exchange).expect("a good file");
    assert_eq!((found.format.as_str(), found.overall.is_sorted()), ("DBN, schema mbo, by exchange time", true));
    assert_eq!((found.overall.first, found.overall.last), (Some(at(1)), Some(at(9))));
}

#[test]
fn a_look_at_files_of_every_kind() {
    // Two bars of a second each, of which the first begins at SECOND.
    let found = inspect(&vector("ohlcv-1s.dbn"), TimeOf::Received).expect("a good file");
    assert_eq!((found.format.as_str(), found.overall.count), ("DBN, schema ohlcv-1s, by the end of bars", 2));
    assert_eq!(found.overall.first, Some(Instant::from_nanos(SECOND + 1_000_000_000)));
    let look = |name: &str| inspect(&vector(name), TimeOf::Received).map_err(|error| error.to_string());
    let plain = look("mbo.dbn").expect("a good file");
    assert_eq!((plain.overall.count, plain.streams.keys().next().map(String::as_str)), (2, Some("instrument 5482 ESH1, publisher 1")));
    for name in ["mbo.dbz", "mbo.v1.dbn.zst", "mbo.v3.dbn.zst"] {
        assert_eq!(look(name).map(|found| found.overall.count), Ok(2), "{name}");
    }
    let error = look("definition.dbn").expect_err("no market data");
    assert!(error.contains("definition.dbn: record 1, byte ") && error.contains("no kind of stream reads such records"), "{error}");
    let error = look("definition.v3.dbn.frag").expect_err("no metadata");
    assert!(error.contains("does not begin with the metadata of a DBN file") && error.contains("give its `version`"), "{error}");
}
