//! R13: random programs, interrupted at every still point at which they can be saved, come to what they come to when they are not interrupted:
//! records, outcome, counts, memories and hash. What the snapshots held is counted, so that agreement shows something.
//!
//! `RESTORE_CASES` and `CHAOS_SEED` choose how many programs and which.

mod cases;

use cases::{check_all, number};
use stillpoint_sim_tests::chaos::engine::{Held, interrupt};
use stillpoint_sim_tests::chaos::strategy::{linked_programs, programs};

/// What snapshots must have held at least this often in the programs of the fixed seed, for every 1,000 of them.
const OFTEN: [(&str, u64); 1] = [("a snapshot", 1)];

#[test]
fn r13_random_programs_restored_at_every_still_point() {
    let cases = number("RESTORE_CASES", 400);
    let mut held = Held::new();
    check_all(programs(), number("RESTORE_FIRST", 500_000), cases / 2, |program| interrupt(program, &mut held));
    check_all(linked_programs(), number("RESTORE_FIRST", 600_000), cases / 2, |program| interrupt(program, &mut held));
    println!("{cases} cases: {held:#?}");
    for (what, least) in OFTEN {
        let count = held.get(what).copied().unwrap_or(0);
        assert!(count * 1_000 >= least * cases, "snapshots held {what} {count} times in {cases} cases");
    }
}
