//! Files that cannot be read: each error names file, line and cause, and says what to do.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use stillpoint_actors::{Instrument, InstrumentId, MarketEvent, Quote, Trade};
use stillpoint_adapters::{BinanceReader, BinanceSettings, CsvReader, CsvSettings, FromRow, Recorded, TimeFormat, TimeOf, inspect};
use stillpoint_engine::Source;
use tempfile::TempDir;

/// Writes `bytes` to a file, reads it to its end or its error, and compares the error, in which `FILE` stands for the file, and how many
/// items came before it.
fn check(bytes: &[u8], read: impl Fn(&std::path::Path) -> (usize, Option<String>), items: usize, expected: &str) {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("file");
    fs::write(&path, bytes).expect("space for a small file");
    let (found, error) = read(&path);
    let error = error.expect("an error").replace(&path.display().to_string(), "FILE");
    assert!(error.starts_with(expected), "expected: {expected}\nfound:    {error}");
    assert!(error.contains("; "), "no advice: {error}");
    assert_eq!(found, items);
}

fn drain<S: Source>(source: Result<S, impl std::fmt::Display>) -> (usize, Option<String>) {
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return (0, Some(error.to_string())),
    };
    let mut count = 0;
    loop {
        match source.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, None),
            Err(error) => return (count, Some(error.to_string())),
        }
    }
}

fn recording<M: Recorded>(path: &std::path::Path) -> (usize, Option<String>) {
    drain(BinanceReader::<M>::open(&BinanceSettings::new(path)))
}

fn csv<M: FromRow>(path: &std::path::Path) -> (usize, Option<String>) {
    drain(CsvReader::<M>::open(&CsvSettings::new(path, Instrument::new(InstrumentId(0), "X"), "time", TimeFormat::Seconds)))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn line(instrument: u32, kind: &str) -> String {
    let times = r#""time_exchange":"2025-03-25T23:07:00.715Z","time_received":"2025-03-25T23:07:00.847021081Z""#;
    format!(r#"{{"Item":{{{times},"exchange":"binance_spot","instrument":{instrument},"kind":{kind}}}}}"#) + "\n"
}

fn trade(price: &str) -> String {
    line(0, &format!(r#"{{"Trade":{{"id":"1","price":{price},"amount":0.00012,"side":"Sell"}}}}"#))
}

#[test]
fn recordings() {
    let good = trade("87232.0");
    let check = |text: String, items, expected: &str| check(text.as_bytes(), recording::<MarketEvent>, items, expected);
    check(good.clone() + &trade("NaN"), 1, "FILE:2: column 177: the line is not one of this recording format (expected value");
    check(good.clone() + &trade("\"NaN\""), 1, "FILE:2: price `NaN` is no finite decimal number; ");
    check(trade("0.123456789"), 0, "FILE:1: price `0.123456789` has more than the instrument's 8 decimals; give the instrument more");
    check(trade("1e11"), 0, "FILE:1: price `1e11` does not fit 64 bits with the instrument's 8 decimals; ");
    check(good.replace("\"1\"", "\"x\""), 0, "FILE:1: trade id `x` is no whole number of 64 bits; ");
    check(good.replace("23:07:00.847021081Z", "25:07:00Z"), 0, "FILE:1: time_received `2025-03-25T25:07:00Z` is no RFC 3339 time; ");
    check(good.replace("Sell", "Hold"), 0, "FILE:1: column 214: the line is not one of this recording format (unknown variant `Hold`");
    check(good.clone() + "\n" + &good[..60], 1, "FILE:3: column 60: the line is not one of this recording format (EOF while parsing");
    check(good.clone() + "\"price\",\"time\"\n", 1, "FILE:2: column 7: the line is not one of this recording format");
}

#[test]
fn a_bad_line_is_an_error_of_the_stream_it_belongs_to() {
    let text = trade("87232.0") + &trade("NaN");
    check(text.as_bytes(), recording::<Trade>, 1, "FILE:2: ");
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("file");
    fs::write(&path, text + "{\"Reconnecting\":\"binance_spot\"}\n").expect("space for a small file");
    assert_eq!(recording::<Quote>(&path), (0, None));
}

#[test]
fn packed_files_that_are_cut_or_damaged() {
    let text = trade("87232.0").repeat(2_000);
    let packed = gzip(text.as_bytes());
    let cut = &packed[..packed.len() - 20];
    let ends_early = ": the gzip data ends too early or is damaged near its end (";
    for bytes in [cut, &packed[..packed.len() - 4]] {
        let read = |path: &std::path::Path| {
            let (count, error) = recording::<Trade>(path);
            assert!(count > 0 && error.as_ref().is_some_and(|error| error.contains(ends_early)), "{count} {error:?}");
            (0, error)
        };
        check(bytes, read, 0, "FILE:");
    }
    let mut damaged = packed.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    check(&damaged, |path| (0, recording::<Trade>(path).1), 0, "FILE:2001: the gzip data ends too early or is damaged");
    check(&packed[..5], recording::<Trade>, 0, "FILE:1: the gzip data ends too early");
    check(&[0x28, 0xb5, 0x2f, 0xfd, 0xa0, 9, 0], recording::<Trade>, 0, "FILE:1: the zstd data ends too early");
    check(&gzip(b"time,bid,ask\n1,2,3\n")[..24], csv::<Quote>, 0, "FILE:");
}

/// What `zstd --check` (1.5) makes of four rows; the last four bytes are the checksum.
#[test]
fn a_checksum_that_does_not_match() {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0x29, 0x01, 0x00];
    frame.extend(b"time,bid,ask\n1,2,3\n2,3,4\n3,4,5\n4,5,6\n");
    frame.extend([0xee, 0xd8, 0xfc, 0xc1]);
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("file");
    fs::write(&path, &frame).expect("space for a small file");
    assert_eq!(csv::<Quote>(&path), (4, None));
    // The first row's time becomes 3.
    frame[22] ^= 0x02;
    check(&frame, csv::<Quote>, 4, "FILE:6: the zstd data ends too early or is damaged near its end (a checksum does not match); ");
}

#[test]
fn csv_files() {
    let check = |text: &str, items, expected: &str| check(text.as_bytes(), csv::<Quote>, items, expected);
    check("", 0, "FILE: the file is empty; ");
    check("time,bid,aks\n", 0, "FILE:1: there is no column `ask`; did you mean `aks`? The columns are `time`, `bid`, `aks`");
    check("Time,bid,ask\n", 0, "FILE:1: there is no column `time`; did you mean `Time`?");
    check("a,b\n", 0, "FILE:1: there is no column `time`; the columns are `a`, `b`");
    check("time,bid,ask\n1,2,3\n2,NaN,3\n", 1, "FILE:3: column `bid`: `NaN` is no finite decimal number; ");
    check("time,bid,ask\n1,2,\n", 0, "FILE:2: column `ask`: `` is empty where a number should be; fill it in or leave the row out");
    check("time,bid,ask\n1,2,0.123456789\n", 0, "FILE:2: column `ask`: `0.123456789` has more than the instrument's 8 decimals; ");
    check("time,bid,ask\n\n\nnoon,2,3\n", 0, "FILE:4: column `time`: `noon` is no time of the format `s` between 1677 and 2262; ");
    check("time,bid,ask\r\n\r\n1,2,3\r\n2,x,3\r\n", 1, "FILE:4: column `bid`: `x` ");
    check("time,bid,ask\n1,2,3\n2,3\n", 1, "FILE:3: the row has 2 fields, the one before 3; ");
    check(
        "time,bid,ask\n1,\"2,3\n4,5,6\n",
        0,
        "FILE:2: the row has 2 fields, the one before 3; mend the row, or check the delimiter and the quotes",
    );
}

#[test]
fn sides_and_numbers_of_trades() {
    let head = "time,price,quantity,side,id\n";
    check((head.to_owned() + "1,2,3,up,1\n").as_bytes(), csv::<Trade>, 0, "FILE:2: column `side`: `up` is no side; write buy or sell");
    check((head.to_owned() + "1,2,3,Sell,x1\n").as_bytes(), csv::<Trade>, 0, "FILE:2: column `id`: `x1` is no whole number of 64 bits; ");
}

#[test]
fn files_that_are_not_there_and_settings_that_do_not_fit() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let (_, error) = csv::<Quote>(&folder.path().join("none.csv"));
    let error = error.expect("an error");
    assert!(error.contains("none.csv: cannot be opened: ") && error.contains("; check the path"), "{error}");
    let path = folder.path().join("file.csv");
    fs::write(&path, "time,bid,ask\n").expect("space for a small file");
    let mut settings = CsvSettings::new(&path, Instrument::new(InstrumentId(0), "X"), "time", TimeFormat::Seconds);
    settings.columns.insert("size".into(), "bid".into());
    let error = CsvReader::<Quote>::open(&settings).err().expect("an error").to_string();
    let expected =
        "a column is given for `size`, which is no field of this event; the fields are `bid`, `ask`, `bid_quantity`, `ask_quantity`";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn looks_that_find_no_time() {
    let look = |path: &std::path::Path| (0, inspect(path, TimeOf::Received).err().map(|error| error.to_string()));
    check(b"a,b\n1,2\n", look, 0, "FILE:1: no column is called like a time among `a`, `b`; ");
    check(b"date,b\nsoon,2\n", look, 0, "FILE:2: column `date`: `soon` is in no time format that can be guessed; ");
    check(b"", look, 0, "FILE: the file is empty; ");
}
