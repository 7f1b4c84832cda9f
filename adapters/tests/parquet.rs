//! Parquet files: rows become what the same rows of a CSV file become, whatever the types of the columns; and what is wrong is told with its row.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use stillpoint_actors::{Bar, Decimals, Instrument, InstrumentId, Price, Quantity, Quote, Trade};
use stillpoint_adapters::{CsvReader, CsvSettings, FromRow, ParquetReader, ParquetSettings, TimeFormat, TimeOf, inspect};
use stillpoint_engine::{Duration, Instant, Source, Timed};
use tempfile::TempDir;

fn instrument() -> Instrument {
    let decimals = |count| Decimals::new(count).expect("at most 18");
    Instrument::new(InstrumentId(7), "X").with_decimals(decimals(2), decimals(3))
}

/// Writes columns in row groups of so many rows.
fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, group: usize) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).expect("columns");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = File::create(path).expect("a folder for temporary files");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("space for a small file");
    writer.close().expect("space for a small file");
}

/// All items of a source, and the error that it ended with.
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

fn stamps(nanos: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(nanos))
}

/// A row of all three events, in whole hundredths and thousandths.
#[derive(Clone, Debug)]
struct Line {
    at: i64,
    prices: [i64; 4],
    quantity: i64,
    buys: bool,
    id: u64,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let price = -1_000_000_000i64..1_000_000_000;
    let line = (any::<i64>(), prop::array::uniform4(price), 0i64..1_000_000_000_000, any::<bool>(), any::<u64>());
    prop::collection::vec(line.prop_map(|(at, prices, quantity, buys, id)| Line { at, prices, quantity, buys, id }), 1..40)
}

fn hundredths(value: i64) -> String {
    Price(value).display(Decimals::new(2).expect("at most 18")).to_string()
}

fn thousandths(value: i64) -> String {
    Quantity(value).display(Decimals::new(3).expect("at most 18")).to_string()
}

/// A column of the same numbers in another type.
fn numbers(lines: &[Line], kind: usize, of: impl Fn(&Line) -> (i64, String)) -> ArrayRef {
    let texts = || lines.iter().map(|line| of(line).1);
    match kind {
        0 => Arc::new(Float64Array::from_iter_values(texts().map(|text| text.parse::<f64>().expect("a number")))),
        1 => Arc::new(StringArray::from_iter_values(texts())),
        2 => Arc::new(BinaryArray::from_iter_values(texts())),
        _ => {
            let scale = lines.first().and_then(|line| of(line).1.split('.').nth(1).map(str::len)).unwrap_or(0);
            let values = Decimal128Array::from_iter_values(lines.iter().map(|line| i128::from(of(line).0)));
            Arc::new(values.with_precision_and_scale(30, i8::try_from(scale).expect("a few")).expect("room"))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The CSV reader is the oracle: any rows, in columns of any types, in row groups of any size.
    #[test]
    fn rows_are_those_of_a_csv_file(lines in lines(), kinds in prop::array::uniform5(0usize..4), group in 1usize..9) {
        let folder = TempDir::new().expect("a folder for temporary files");
        let (csv, parquet) = (folder.path().join("rows.csv"), folder.path().join("rows.parquet"));
        let mut text = "at,a,b,c,d,quantity,side,id,bid_quantity,ask_quantity\n".to_owned();
        for line in &lines {
            let [a, b, c, d] = line.prices.map(hundredths);
            let (quantity, side) = (thousandths(line.quantity), if line.buys { "Buy" } else { "s" });
            text.push_str(&format!("{},{a},{b},{c},{d},{quantity},{side},{},{quantity},{quantity}\n", line.at, line.id));
        }
        std::fs::write(&csv, text).expect("space for a small file");
        let quantity = numbers(&lines, kinds[4], |line| (line.quantity, thousandths(line.quantity)));
        let side = StringArray::from_iter_values(lines.iter().map(|line| if line.buys { "Buy" } else { "s" }));
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("side", Arc::new(side)),
            ("not read", Arc::new(BooleanArray::from(vec![true; lines.len()]))),
            ("id", Arc::new(UInt64Array::from_iter_values(lines.iter().map(|line| line.id)))),
            ("quantity", quantity.clone()),
            ("bid_quantity", quantity.clone()),
            ("ask_quantity", quantity),
            ("at", stamps(lines.iter().map(|line| line.at))),
        ];
        for (place, name) in ["d", "c", "b", "a"].into_iter().enumerate() {
            columns.push((name, numbers(&lines, kinds[place], |line| (line.prices[3 - place], hundredths(line.prices[3 - place])))));
        }
        write(&parquet, columns, group);
        same::<Quote>(&csv, &parquet, &[("bid", "a"), ("ask", "b")])?;
        same::<Trade>(&csv, &parquet, &[("price", "c")])?;
        same::<Bar>(&csv, &parquet, &[("open", "a"), ("high", "b"), ("low", "c"), ("close", "d"), ("volume", "quantity")])?;
    }
}

fn same<M: FromRow + PartialEq + std::fmt::Debug>(csv: &Path, parquet: &Path, columns: &[(&str, &str)]) -> Result<(), TestCaseError> {
    let mut settings = ParquetSettings::new(parquet, instrument(), "at");
    settings.columns = columns.iter().map(|(field, name)| ((*field).to_owned(), (*name).to_owned())).collect();
    let oracle = CsvSettings { columns: settings.columns.clone(), ..CsvSettings::new(csv, instrument(), "at", TimeFormat::Nanos) };
    let (expected, none) = drain(CsvReader::<M>::open(&oracle));
    prop_assert_eq!(none, None);
    let (items, error) = drain(ParquetReader::<M>::open(&settings));
    prop_assert_eq!(error, None);
    prop_assert_eq!(items, expected);
    Ok(())
}

/// Reads quotes of the columns `t`, `bid` and `ask`.
fn quotes(columns: Vec<(&str, ArrayRef)>, time_format: Option<&str>) -> (Vec<Timed<Quote>>, Option<String>) {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("quotes.parquet");
    write(&path, columns, 2);
    let mut settings = ParquetSettings::new(&path, instrument(), "t");
    settings.time_format = time_format.map(|text| text.parse().expect("a format"));
    let (items, error) = drain(ParquetReader::open(&settings));
    (items, error.map(|error| error.replace(&path.display().to_string(), "FILE")))
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

#[test]
fn times_of_every_type() {
    let expected = ["1970-01-01T00:00:00Z", "2025-03-25T00:00:00Z"].map(|text| text.parse::<Instant>().expect("an instant"));
    let seconds = [0i64, 1_742_860_800];
    let texts = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let columns: [(ArrayRef, Option<&str>); 10] = [
        (stamps(seconds.map(|at| at * 1_000_000_000)), None),
        (Arc::new(TimestampMicrosecondArray::from_iter_values(seconds.map(|at| at * 1_000_000)).with_timezone("+02:00")), None),
        (Arc::new(TimestampMillisecondArray::from_iter_values(seconds.map(|at| at * 1_000))), None),
        (Arc::new(Date32Array::from_iter_values([0, 20_172])), None),
        (Arc::new(Int64Array::from_iter_values(seconds)), Some("s")),
        (Arc::new(UInt64Array::from_iter_values(seconds.map(|at| at.unsigned_abs() * 1_000_000))), Some("us")),
        (Arc::new(Float64Array::from_iter_values(seconds.map(|at| at as f64))), Some("s")),
        (Arc::new(Int32Array::from(vec![19_700_101, 20_250_325])), Some("%Y%m%d")),
        (texts(["1970-01-01T00:00:00Z", "2025-03-25T02:00:00+02:00"]), Some("rfc3339")),
        (texts([" 1970-01-01", "2025-03-25 "]), Some("%Y-%m-%d")),
    ];
    for (column, format) in columns {
        let of = column.data_type().clone();
        let (items, error) = quotes(vec![("t", column), ("bid", floats(&[1.0, 2.0])), ("ask", floats(&[3.0, 4.0]))], format);
        assert_eq!(error, None, "{of}");
        assert_eq!(items.iter().map(|item| item.at).collect::<Vec<_>>(), expected, "{of}");
    }
}

#[test]
fn rows_of_one_instrument_among_several() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("quotes.parquet");
    let symbols: DictionaryArray<Int32Type> = ["A", "B", "A", "B", "A"].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("symbol", Arc::new(symbols)),
        ("t", stamps([1, 2, 3, 4, 5])),
        ("bid", Arc::new(Float32Array::from(vec![0.1, 0.2, 0.3, 0.4, 0.5]))),
        ("ask", floats(&[1.0, 2.0, 3.0, 4.0, f64::NAN])),
    ];
    write(&path, columns, 2);
    let settings = ParquetSettings { only: Some(("symbol".into(), "B".into())), ..ParquetSettings::new(&path, instrument(), "t") };
    let (items, error) = drain(ParquetReader::<Quote>::open(&settings));
    let told: Vec<_> =
        items.iter().map(|item| (item.at.as_nanos(), item.value.bid.0, item.value.ask.0, item.value.bid_quantity.0)).collect();
    assert_eq!((told, error), (vec![(2, 20, 200, i64::MAX), (4, 40, 400, i64::MAX)], None));
    let mut reader = ParquetReader::<Quote>::open(&settings).expect("a good file");
    let length = path.metadata().expect("a file").len();
    assert_eq!(reader.progress(), Some((0, length)));
    reader.next().expect("a row");
    assert_eq!(reader.progress(), Some((length * 2 / 5, length)));
}

/// The rows before the bad one come; the error names file, row and column.
#[test]
fn rows_and_columns_that_make_no_sense() {
    let good = |name: &'static str| (name, floats(&[1.0, 2.0, 3.0]));
    let time = || ("t", stamps([1, 2, 3]));
    let nulls = |values: [Option<f64>; 3]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let bools: ArrayRef = Arc::new(BooleanArray::from(vec![true; 3]));
    let no_time: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(1), Some(2), None]));
    let far: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1, i64::MAX, 3]));
    for (columns, format, items, expected) in [
        (
            vec![time(), good("bid"), ("ask", nulls([Some(1.0), Some(2.0), None]))],
            None,
            2,
            "row 3: column `ask`: `` is empty where a number should be; fill it in",
        ),
        (
            vec![time(), good("bid"), ("ask", floats(&[1.0, f64::NAN, 1.0]))],
            None,
            1,
            "row 2: column `ask`: `NaN` is no finite decimal number; ",
        ),
        (
            vec![time(), ("bid", floats(&[0.1 + 0.2, 1.0, 1.0])), good("ask")],
            None,
            0,
            "row 1: column `bid`: `0.30000000000000004` has more than the instrument's 2 decimals; ",
        ),
        (vec![time(), ("bid", texts(["1", "2", "x"])), good("ask")], None, 2, "row 3: column `bid`: `x` is no finite decimal number; "),
        (
            vec![time(), ("bid", bools.clone()), good("ask")],
            None,
            0,
            "column `bid` is of the type Boolean, which is no number and no text; ",
        ),
        (
            vec![time(), good("bid"), good("aks")],
            None,
            0,
            "there is no column `ask`; did you mean `aks`? The columns are `t`, `bid`, `aks`",
        ),
        (vec![good("bid"), good("ask")], None, 0, "there is no column `t`; the columns are `bid`, `ask`"),
        (vec![("t", no_time), good("bid"), good("ask")], None, 2, "row 3: column `t` has no value where a time should be; "),
        (vec![("t", far), good("bid"), good("ask")], None, 1, "row 2: column `t` has a time that is not between 1677 and 2262; "),
        (
            vec![good("t"), good("bid"), good("ask")],
            None,
            0,
            "column `t` is of the type Float64, which does not say how times are written in it; give `time_format`",
        ),
        (
            vec![time(), good("bid"), good("ask")],
            Some("s"),
            0,
            "column `t` is of the type Timestamp(ns), and not written in the format `s`; leave `time_format` out",
        ),
        (vec![("t", bools), good("bid"), good("ask")], None, 0, "column `t` is of the type Boolean, which holds no times; "),
        (
            vec![("t", texts(["1", "2", "soon"])), good("bid"), good("ask")],
            Some("s"),
            2,
            "row 3: column `t`: `soon` is no time of the format `s` between 1677 and 2262; ",
        ),
    ] {
        let (found, error) = quotes(columns, format);
        let error = error.expect("an error");
        let start = format!("FILE: {expected}");
        assert!(error.starts_with(&start), "expected: {start}\nfound:    {error}");
        assert_eq!(found.len(), items, "{error}");
    }
}

/// Bytes of a small file changed, and its end cut off: an error or rows, never a panic.
#[test]
fn files_that_are_foreign_cut_or_damaged() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("quotes.parquet");
    let read = || drain(ParquetReader::<Quote>::open(&ParquetSettings::new(&path, instrument(), "t")));
    for foreign in [&b""[..], b"time,bid,ask\n1,2,3\n", b"PAR1"] {
        std::fs::write(&path, foreign).expect("space for a small file");
        let error = read().1.expect("no Parquet file");
        assert!(error.contains("quotes.parquet: is no Parquet file that can be read (") && error.contains("; "), "{error}");
    }
    write(&path, vec![("t", stamps([1, 2, 3])), ("bid", floats(&[1.0, 2.0, 3.0])), ("ask", floats(&[1.0, 2.0, 3.0]))], 2);
    let whole = std::fs::read(&path).expect("what was just written");
    for end in (0..whole.len()).step_by(29) {
        std::fs::write(&path, &whole[..end]).expect("space for a small file");
        assert!(read().1.is_some(), "cut at {end} of {}", whole.len());
    }
    for at in (0..whole.len()).step_by(2) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, bytes).expect("space for a small file");
        read();
    }
}

/// Seconds 10, 20, 20 (the same row again), 20 (with another flag), 15 and 40, as times and as numbers.
#[test]
fn a_look_at_a_file_with_faults() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("rows");
    let seconds = [10i64, 20, 20, 20, 15, 40].map(|second| 1_000_000_000 + second);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(seconds));
    for (time, format) in [(stamps(seconds.map(|second| second * 1_000_000_000)), "type Timestamp(ns)"), (numbers, "format `s`")] {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![false, true, true, false, false, false]));
        let symbols: DictionaryArray<Int32Type> = ["A"; 6].into_iter().collect();
        let columns: Vec<(&str, ArrayRef)> =
            vec![("price", floats(&[1.0, 2.0, 2.0, 2.0, 3.0, 4.0])), ("flag", flags), ("symbol", Arc::new(symbols)), ("Timestamp", time)];
        write(&path, columns, 2);
        let found = inspect(&path, TimeOf::Received).expect("a good file");
        assert_eq!(found.format, format!("Parquet, by column `Timestamp` of {format}"));
        let scan = &found.overall;
        assert_eq!((scan.count, scan.duplicates, scan.backward_steps, scan.below_maximum), (6, 1, 1, 1));
        assert_eq!((scan.longest_backward, scan.furthest_below), (Duration::secs(5), Duration::secs(5)));
        assert_eq!(scan.longest_gap, (Duration::secs(20), Instant::from_nanos(1_000_000_020_000_000_000)));
        assert_eq!(found.streams.get("rows"), Some(scan));
    }
}

#[test]
fn files_that_cannot_be_looked_at() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = folder.path().join("rows.parquet");
    let look = |path: &Path| inspect(path, TimeOf::Received).expect_err("a bad file").to_string();
    let bools: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    for (columns, expected) in [
        (vec![("bid", floats(&[1.0]))], "no column is called like a time among `bid`; call one `time`"),
        (vec![("time", bools)], "column `time` is of the type Boolean, which holds no times; "),
        (vec![("time", floats(&[0.5]))], "row 1: column `time`: `0.5` is in no time format that can be guessed; "),
    ] {
        write(&path, columns, 2);
        let error = look(&path);
        assert!(error.contains(&format!("rows.parquet: {expected}")), "{error}");
    }
    write(&path, vec![("time", stamps([1]))], 2);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(&path).expect("a file")).expect("memory takes bytes");
    for (bytes, expected) in [
        (packed.finish().expect("memory takes bytes"), "is a Parquet file inside of another packing; unpack it first"),
        (b"PARE".to_vec(), "is an encrypted Parquet file; decrypt it first"),
        (b"time,bid\n".to_vec(), "is no Parquet file that can be read ("),
    ] {
        std::fs::write(&path, bytes).expect("space for a small file");
        assert!(look(&path).contains(&format!("rows.parquet: {expected}")), "{}", look(&path));
    }
    let other = folder.path().join("data");
    std::fs::write(&other, b"\xd0\xcf\x11\0\0\n").expect("space for a small file");
    assert!(look(&other).contains("data:1: is neither text nor of a known format; "), "{}", look(&other));
}
