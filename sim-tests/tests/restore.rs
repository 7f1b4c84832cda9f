//! R13: random programs, interrupted at every still point at which they can be saved, come to what they come to when they are not interrupted:
//! records, outcome, counts, memories and hash. What the snapshots held is counted, so that agreement shows something.
//!
//! `RESTORE_CASES` and `CHAOS_SEED` choose how many programs and which.

mod cases;

use cases::{check_all, number};
use stillpoint_sim_tests::chaos::engine::{Held, interrupt};
use stillpoint_sim_tests::chaos::strategy::{linked_programs, programs};

/// What snapshots must have held at least this often in the programs of the fixed seed, for every 1,000 of them.
const OFTEN: [(&str, u64); 27] = [
    ("a child", 4_000),
    ("a delayed message", 4_000),
    ("a facet", 1_000),
    ("a half-read stream", 2_000),
    ("a job's result", 1_000),
    ("a live task", 1_000),
    ("a paused stream", 600),
    ("a publication on its way", 700),
    ("a question on its way", 1_000),
    ("a restored run at its end", 2_000),
    ("a restored run at its next still point", 4_000),
    ("a snapshot", 5_000),
    ("a still point", 10_000),
    ("a stop on its way", 600),
    ("a stopped actor", 3_000),
    ("a subscriber of a stream", 4_000),
    ("a subscriber of an actor", 5_000),
    ("a subscription on its way", 1_000),
    ("a timeout", 600),
    ("a timer", 2_000),
    ("an answer on its way", 900),
    ("an ended stream", 300),
    ("an interval", 1_000),
    ("an item held back", 400),
    ("an owed answer", 5_000),
    ("no answer on its way", 600),
    ("two items held back", 200),
];

#[test]
fn r13_random_programs_restored_at_every_still_point() {
    let cases = number("RESTORE_CASES", 400);
    let mut held = Held::new();
    let first = number("RESTORE_FIRST", 500_000);
    check_all(programs(), first, cases / 2, |program| interrupt(program, &mut held));
    check_all(linked_programs(), first + 100_000, cases - cases / 2, |program| interrupt(program, &mut held));
    println!("{cases} cases: {held:#?}");
    for (what, least) in OFTEN {
        let count = held.get(what).copied().unwrap_or(0);
        assert!(count * 1_000 >= least * cases, "snapshots held {what} {count} times in {cases} cases");
    }
}
