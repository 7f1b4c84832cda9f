//! An actor kind of one's own in a scenario.

#[path = "../examples/own_kind.rs"]
#[expect(dead_code, reason = "its main")]
mod own_kind;

use stillpoint_engine::Value::Integer;

/// Python's json and decimal modules count 6,770 trades of instrument 0, 193 of them of at least 0.1.
#[test]
fn large_trades_are_counted() {
    let outcome = own_kind::run().expect("the example runs");
    assert_eq!(outcome.events, 6_770);
    assert_eq!(outcome.report("large").and_then(|report| report.get("seen")), Some(&Integer(193)));
}
