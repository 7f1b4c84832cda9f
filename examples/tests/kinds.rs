//! Kinds that are asked for what they cannot do: each error names the place and says what to do.

use std::fs;

use stillpoint_engine::scenario::{Registry, Scenario};
use tempfile::TempDir;

/// Builds a scenario of these streams and actors in a folder with `quotes.csv`, and compares the error up to where `expected` ends.
fn check(streams: &str, actors: &str, expected: &str) {
    let folder = TempDir::new().expect("a folder for temporary files");
    fs::write(folder.path().join("quotes.csv"), "time,bid,ask\n1,2,3\n").expect("space for a small file");
    let file = folder.path().join("scenario.ron");
    fs::write(&file, format!("(\nname: \"x\",\nstreams: [{streams}],\nactors: [{actors}],\n)\n")).expect("space for a small file");
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    stillpoint_adapters::register(&mut registry);
    let scenario = Scenario::read(&file, &[]).expect("a well-formed scenario");
    let error = scenario.build(&registry).err().expect("an error").to_string();
    let error = error.replace(&folder.path().display().to_string(), "FOLDER");
    assert!(error.contains(expected), "expected: {expected}\nfound:    {error}");
}

const STREAM: &str =
    r#"(name: "quotes", kind: csv_quotes(file: "quotes.csv", instrument: (id: 0, symbol: "X"), time: "time", time_format: "s"))"#;

#[test]
fn streams() {
    let stream = |from: &str, to: &str, expected| check(&STREAM.replace(from, to), "", expected);
    stream("quotes.csv", "quote.csv", "there is no file `FOLDER/quote.csv`");
    stream("time: \"time\"", "time: \"tmie\"", "there is no column `tmie`");
    stream("time: \"time\"", "time: \"tmie\"", "did you mean `time`?");
    stream("csv_quotes", "csv_trades", "there is no column `price`");
    stream("\"s\"", "\"sec\"", "`sec` is no time format; write rfc3339, s, ms, us, ns, or a pattern such as `%Y-%m-%d %H:%M:%S%.f`");
    stream("\"s\")", "\"s\", floor_to: \"0s\")", "`floor_to` must be above zero");
    stream("\"s\")", "\"s\", delimiter: 'é')", "`delimiter` must be an ASCII character");
    stream("symbol: \"X\"", "symbol: \"X\", price_decimals: 19", "19 decimals are too many; 18 is the most that fit 64 bits");
    stream("symbol", "symbl", "did you mean `symbol`?");
}

#[test]
fn strategies() {
    let cross = r#"(name: "cross", kind: ema_cross(instrument: (id: 0, symbol: "X"), quotes: ["quotes"], venue: "venue", fast: 5, slow: 20,
        quantity: "1", limit: "1"))"#;
    let venue = r#"(name: "venue", kind: venue(instruments: [(id: 0, symbol: "X")], quotes: ["quotes"]))"#;
    let actors = |from: &str, to: &str, expected| check(STREAM, &format!("{}, {venue}", cross.replace(from, to)), expected);
    actors("fast: 5", "fast: 20", "`slow` must be above `fast`, which is 20");
    actors("fast: 5", "fast: 0", "expected a whole number of at least 1 for `fast`, found `0`");
    actors("quantity: \"1\"", "quantity: \"a\"", "`quantity` is `a`, which is no finite decimal number");
    actors("limit: \"1\"", "limit: \"-1\"", "the quantity and the limit of a strategy must be above zero");
    actors("slow: 20", "slow: 20, price_of: Trades", "`price_of` is Trades, but neither `trades` nor `events` names a stream");
    actors("\"venue\"", "\"cross\"", "actor `cross` of kind `ema_cross` does not accept `order`");
    actors("[\"quotes\"]", "[\"quots\"]", "did you mean `quotes`?");
    actors("quotes: [", "trades: [", "stream `quotes` carries `quote`, not `trade`");
}
