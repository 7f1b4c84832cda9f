//! The examples that stand for async stream processing: every line that they print, with exact times.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;

#[path = "../examples/greet_later.rs"]
#[expect(dead_code, reason = "its main")]
mod greet_later;
#[path = "../examples/greeter.rs"]
#[expect(dead_code, reason = "its main")]
mod greeter;
#[path = "../examples/slow_greeter.rs"]
#[expect(dead_code, reason = "its main")]
mod slow_greeter;
#[path = "../examples/timer.rs"]
#[expect(dead_code, reason = "its main")]
mod timer;

type Print = Box<dyn FnMut(String)>;

fn lines(run: impl FnOnce(Print) -> Result<(), Box<dyn Error>>) -> Vec<String> {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let sink = lines.clone();
    run(Box::new(move |line| sink.borrow_mut().push(line))).expect("the example runs");
    lines.take()
}

#[test]
fn each_guest_is_greeted_at_its_own_time() {
    let expected = [
        "2025-01-01T00:00:00Z  2025-01-01T00:00:00Z  Good morning, Jane!",
        "2025-01-01T00:00:01Z  2025-01-01T00:00:01Z  Good morning, John!",
        "2025-01-01T00:00:02Z  2025-01-01T00:00:02Z  Good morning, Sarah!",
        "2025-01-01T00:00:03Z  2025-01-01T00:00:03Z  Good morning, Paul!",
        "2025-01-01T00:00:04Z  2025-01-01T00:00:04Z  Good morning, Jane!",
    ];
    assert_eq!(lines(greeter::run), expected);
}

#[test]
fn a_call_later_is_told_its_due_time() {
    let expected = [
        "2025-01-01T00:00:01Z  2025-01-01T00:00:01Z  Good morning, Jane!",
        "2025-01-01T00:00:02Z  2025-01-01T00:00:02Z  Good morning, John!",
        "2025-01-01T00:00:03Z  2025-01-01T00:00:03Z  Good morning, Sarah!",
        "2025-01-01T00:00:04Z  2025-01-01T00:00:04Z  Good morning, Paul!",
        "2025-01-01T00:00:05Z  2025-01-01T00:00:05Z  Good morning, Jane!",
    ];
    assert_eq!(lines(greet_later::run), expected);
}

#[test]
fn a_sleeping_callback_delays_the_next_one_and_not_the_stream() {
    let expected = [
        "2025-01-01T00:00:05Z  2025-01-01T00:00:00Z  Good morning, Jane!",
        "2025-01-01T00:00:10Z  2025-01-01T00:00:01Z  Good morning, John!",
        "2025-01-01T00:00:15Z  2025-01-01T00:00:02Z  Good morning, Sarah!",
        "2025-01-01T00:00:20Z  2025-01-01T00:00:03Z  Good morning, Paul!",
    ];
    assert_eq!(lines(slow_greeter::run), expected);
}

#[test]
fn a_timer_every_second_does_not_drift() {
    let mut expected = Vec::new();
    // The past: 00:00:00 to 00:00:59, and the start itself, all at 00:01:00.
    expected.extend((0..60).map(|second| format!("2025-01-01T00:01:00Z  2025-01-01T00:00:{second:02}Z  tick")));
    expected.extend((0..=5).map(|second| format!("2025-01-01T00:01:{second:02}Z  2025-01-01T00:01:{second:02}Z  tick")));
    assert_eq!(lines(timer::run), expected);
}
