//! CSV files: columns, times, packing, and several instruments in one file.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use stillpoint_actors::{Bar, Decimals, Instrument, InstrumentId, Price, Quantity, Quote, Side, Trade, TradeId};
use stillpoint_adapters::{CsvReader, CsvSettings, FromRow, TimeFormat, TimeOf, inspect};
use stillpoint_engine::{Duration, Instant, Source, Timed};
use tempfile::NamedTempFile;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(bytes).expect("space for a small file");
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

/// One zstd frame of one raw block without checksum, and a skippable frame before it (RFC 8878, 3.1.1 and 3.1.2).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a small text");
    let mut frame = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3, 0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(length.to_le_bytes());
    frame.extend(&((length << 3) | 1).to_le_bytes()[..3]);
    frame.extend(bytes);
    frame
}

fn instrument() -> Instrument {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    Instrument::new(InstrumentId(7), "X").with_decimals(decimals(2), decimals(3))
}

fn all<M: FromRow>(settings: &CsvSettings) -> Vec<Timed<M>> {
    let mut reader = CsvReader::<M>::open(settings).expect("a file with these columns");
    let mut items = Vec::new();
    while let Some(item) = reader.next().expect("whole rows") {
        items.push(item);
    }
    items
}

fn settings(file: &NamedTempFile, time: &str, format: &str) -> CsvSettings {
    CsvSettings::new(file.path(), instrument(), time, format.parse::<TimeFormat>().expect("a format"))
}

#[test]
fn quotes_plain_gzip_and_zstd_are_the_same() {
    let text = b"\xef\xbb\xbfts,bid,bid_quantity,ask,ask_quantity\r\n1, 99.5 ,1,100.5,2.125\r\n\r\n2,\"99.25\",0,100,3\r\n";
    let (first, second) = text.split_at(40);
    let members = [gzip(first), gzip(second)].concat();
    let frames = [zstd(first), zstd(second)].concat();
    for bytes in [text.to_vec(), gzip(text), members, zstd(text), frames] {
        let file = file(&bytes);
        let quote = |bid, bid_quantity, ask, ask_quantity| Quote {
            instrument: InstrumentId(7),
            bid: Price(bid),
            bid_quantity: Quantity(bid_quantity),
            ask: Price(ask),
            ask_quantity: Quantity(ask_quantity),
        };
        let items = [
            Timed { at: Instant::from_nanos(1_000_000_000), value: quote(9_950, 1_000, 10_050, 2_125) },
            Timed { at: Instant::from_nanos(2_000_000_000), value: quote(9_925, 0, 10_000, 3_000) },
        ];
        assert_eq!(all::<Quote>(&settings(&file, "ts", "s")), items);
    }
}

#[test]
fn columns_are_mapped_and_optional_ones_may_be_absent() {
    let file = file(b"when;px;size;taker\n2024-08-08 23:54:14.5;-1.5;0.25;Buy\n2024-08-08 23:54:15;2;1;s\n");
    let mut settings = settings(&file, "when", "%Y-%m-%d %H:%M:%S%.f");
    settings.delimiter = b';';
    settings.columns = [("price", "px"), ("quantity", "size"), ("side", "taker")].map(|(field, name)| (field.into(), name.into())).into();
    let trade = |side, price, quantity| Trade {
        instrument: InstrumentId(7),
        side: Some(side),
        price: Price(price),
        quantity: Quantity(quantity),
        id: TradeId(0),
    };
    let items: Vec<(String, Trade)> = all(&settings).into_iter().map(|item| (item.at.to_string(), item.value)).collect();
    let expected = [("2024-08-08T23:54:14.500Z", trade(Side::Buy, -150, 250)), ("2024-08-08T23:54:15Z", trade(Side::Sell, 200, 1_000))];
    assert_eq!(items, expected.map(|(at, trade)| (at.to_owned(), trade)));
}

#[test]
fn rows_of_one_instrument_among_several() {
    let text = "Ticker,Date,Open,High,Low,Close,Volume\nA,2000-03-01,1,4,0.5,2,10\nB,2000-03-01,9,9,9,9,9\nA,2000-03-02,2,3,1,1.5,20\n";
    let file = file(text.as_bytes());
    let mut settings = settings(&file, "Date", "%Y-%m-%d");
    settings.only = Some(("Ticker".into(), "A".into()));
    let names = [("open", "Open"), ("high", "High"), ("low", "Low"), ("close", "Close")];
    settings.columns = names.map(|(field, name)| (field.into(), name.into())).into();
    let bar = |open, high, low, close, volume| Bar {
        instrument: InstrumentId(7),
        open: Price(open),
        high: Price(high),
        low: Price(low),
        close: Price(close),
        volume: Quantity(volume),
    };
    let values = |settings: &CsvSettings| all::<Bar>(settings).into_iter().map(|item| item.value).collect::<Vec<_>>();
    // `volume` is not called as the field is, so there is none until it is mapped.
    assert_eq!(values(&settings), [bar(100, 400, 50, 200, 0), bar(200, 300, 100, 150, 0)]);
    settings.columns.insert("volume".into(), "Volume".into());
    assert_eq!(values(&settings), [bar(100, 400, 50, 200, 10_000), bar(200, 300, 100, 150, 20_000)]);
}

#[test]
fn without_a_header_columns_are_called_by_their_place() {
    let file = file(b"1000,5,6\n2000,7,8\n");
    let mut settings = settings(&file, "1", "ms");
    settings.header = false;
    settings.columns = [("bid", "2"), ("ask", "3")].map(|(field, name)| (field.into(), name.into())).into();
    let bids: Vec<i64> = all::<Quote>(&settings).into_iter().map(|item| item.value.bid.0).collect();
    assert_eq!(bids, [500, 700]);
    assert_eq!(all::<Quote>(&settings)[0].value.ask_quantity, Quantity(i64::MAX));
}

#[test]
fn rows_of_several_symbols_are_looked_at_apart() {
    // A second after the other is in order, and the same row comes twice.
    let file = file(b"Ticker,time,price\nA,1000000010,1\nA,1000000020,2\nB,1000000010,7\nB,1000000015,8\nB,1000000015,8\n");
    let found = inspect(file.path(), TimeOf::Received).expect("a file with a time column");
    let counts: Vec<_> = found.streams.iter().map(|(name, scan)| (name.as_str(), scan.count, scan.duplicates)).collect();
    assert_eq!((counts, found.overall.duplicates), (vec![("Ticker A", 2, 0), ("Ticker B", 3, 1)], 1));
    let text = found.to_string();
    let remedy = "As one stream 3 events are late. Apart each is in order: give each value of `Ticker` a stream of its own, with \
                  `only: (\"Ticker\", \"A\")`, or split the file.\n";
    assert!(text.contains(remedy) && !text.contains("reorder"), "{text}");
    assert!(text.contains("It is read by the kinds `csv_quotes`, `csv_trades` and `csv_bars`;"), "{text}");
}

#[test]
fn a_symbol_that_is_out_of_order_needs_reordering_too() {
    let file = file(b"time,symbol\n1000000010,A\n1000000008,A\n1000000001,B\n1000000002,B\n");
    let text = inspect(file.path(), TimeOf::Received).expect("a file with a time column").to_string();
    assert!(text.contains("Apart each is put in order by `reorder: \"2s\"`: give each value of `symbol`"), "{text}");
    let alone =
        inspect(self::file(b"time,symbol\n1000000010,A\n1000000008,A\n").path(), TimeOf::Received).expect("a file with a time column");
    assert_eq!(alone.streams.keys().collect::<Vec<_>>(), ["rows"]);
    assert!(alone.to_string().contains("`reorder: \"2s\"` would put all of them in order."), "{alone}");
}

#[test]
fn a_look_at_a_file_with_faults() {
    // Instants 10, 20, 20 (the same row again), 15, 40, 30, in seconds.
    let file = file(b"price,Timestamp\n1,1000000010\n2,1000000020\n2,1000000020\n3,1000000015\n4,1000000040\n5,1000000030\n");
    let found = inspect(file.path(), TimeOf::Received).expect("a file with a time column");
    let scan = &found.overall;
    assert_eq!(found.format, "CSV, by column `Timestamp` of format `s`");
    assert_eq!((scan.count, scan.duplicates, scan.backward_steps, scan.below_maximum), (6, 1, 2, 2));
    assert_eq!((scan.longest_backward, scan.furthest_below), (Duration::secs(10), Duration::secs(10)));
    assert_eq!(scan.longest_gap, (Duration::secs(20), Instant::from_nanos(1_000_000_020_000_000_000)));
}
