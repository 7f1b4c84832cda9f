//! Many random programs, checked one by one: each has a seed of its own, and one that fails is shrunk.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Tries to make a failing program smaller at most this often.
const SHRINKS: usize = 3_000;

#[allow(clippy::disallowed_methods, reason = "how many programs to run, and which, is for whoever runs the tests; no simulation sees it")]
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// The runner of one case: every case has its own seed, so that it can be run alone.
fn runner(seed: u64, case: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&case.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Checks many programs. A failing one is shrunk, then shown with what is wrong.
pub(crate) fn check_all<P: Debug>(
    programs: impl Strategy<Value = P>,
    first: u64,
    cases: u64,
    mut check: impl FnMut(&P) -> Result<(), String>,
) {
    let seed = number("CHAOS_SEED", 2);
    for case in first..first + cases {
        let mut tree = programs.new_tree(&mut runner(seed, case)).expect("programs can always be made");
        let mut checked = |program: &P| {
            catch_unwind(AssertUnwindSafe(|| check(program))).unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                Err(format!("it panics: {}", text.unwrap_or_default()))
            })
        };
        let Err(mut fault) = checked(&tree.current()) else { continue };
        // The panics of programs that are tried while shrinking are no news.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let mut smallest = tree.current();
        let mut going = tree.simplify();
        for _ in 0..SHRINKS {
            if !going {
                break;
            }
            let program = tree.current();
            going = match checked(&program) {
                Err(smaller) => {
                    (smallest, fault) = (program, smaller);
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        std::panic::set_hook(hook);
        panic!("CHAOS_SEED={seed} case {case}: {fault}\n{smallest:?}");
    }
}
