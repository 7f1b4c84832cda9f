//! The engine embedded in a program.

#[path = "../examples/embed.rs"]
#[expect(dead_code, reason = "its main")]
mod embed;

use stillpoint_engine::Value::{Integer, Number};

/// Mid prices 101, 91, 121, 61 under averages over 1 and 2 values: below at 91, above at 121 (buys 1 at the ask of 122), below at 61
/// (sells 1 at the bid of 60, and 1 more than there is displayed is not sold).
#[test]
fn the_strategy_buys_high_and_sells_low() {
    let outcome = embed::run().expect("the example runs");
    let report = outcome.report("strategy").expect("the strategy reports");
    let get = |name| report.get(name).cloned();
    assert_eq!((get("orders"), get("fills"), get("position")), (Some(Integer(2)), Some(Integer(2)), Some(Number(0.0))));
    assert_eq!((get("realised"), get("unrealised"), get("last_price")), (Some(Number(-62.0)), Some(Number(0.0)), Some(Number(61.0))));
    // 4 quotes to two actors, 2 starts, 2 orders, 2 fills.
    assert_eq!((outcome.events, outcome.deliveries), (4, 4 * 2 + 2 + 2 + 2));
    assert_eq!(outcome.last, "1970-01-01T00:00:03.0005Z".parse().ok());
}
