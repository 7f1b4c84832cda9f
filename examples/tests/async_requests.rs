//! Asynchronous requests in a program.

#[path = "../examples/async_requests.rs"]
#[expect(dead_code, reason = "its main")]
mod async_requests;

/// AAPL was made with one row, GOOGL with two and so on; then all five got a second version of a hundred rows. A row is an instant and a price
/// of eight bytes each; what holds them may have room to spare.
#[test]
fn every_example_gives_what_the_page_promises() {
    let mut said = async_requests::run().expect("the examples run");
    for (place, symbol, rows) in [(12, "LARGER", 300_000u64), (11, "LARGE", 200_000)] {
        let line = said.remove(place);
        let bytes = line.strip_prefix(&format!("{symbol}: {rows} rows, ")).and_then(|rest| rest.strip_suffix(" bytes"));
        let bytes: u64 = bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        assert!((rows * 16..rows * 32).contains(&bytes), "{line}");
    }
    let expected = [
        "AAPL has 1 rows",
        "GOOGL has 2 rows",
        "MSFT has 3 rows",
        "AMZN has 4 rows",
        "TSLA has 5 rows",
        "MSFT is at version 1",
        "wrote versions [2, 2, 2, 2, 2]",
        "10 rows in range; \"about GOOGL\"; AAPL, AMZN, GOOGL, MSFT, TSLA",
        "50 of 50 found; pending: 0; closed: true",
        "100 rows; no such symbol; timed out; then 100 rows",
        "5 of 100 found in batches",
        "3 successes, 1 time-out, 1 error",
    ];
    assert_eq!(said, expected);
}
