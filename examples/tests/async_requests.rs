//! Asynchronous requests in a program.

#[path = "../examples/async_requests.rs"]
#[expect(dead_code, reason = "its main")]
mod async_requests;

/// AAPL was made with one row, GOOGL with two and so on; then all five got a second version of a hundred rows. A row is an instant and a price.
#[test]
fn every_example_gives_what_the_page_promises() {
    let said = async_requests::run().expect("the examples run");
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
        "LARGE: 200000 rows, 16 bytes a row",
        "LARGER: 300000 rows, 16 bytes a row",
        "3 successes, 1 time-out, 1 error",
    ];
    assert_eq!(said, expected);
}
