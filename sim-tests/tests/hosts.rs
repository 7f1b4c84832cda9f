//! Random programs give the trace of the inline host on any number of threads and shards, with any batch, window and ready order.
//!
//! `HOSTS_CASES` and `CHAOS_SEED` choose how many programs and which.

mod cases;

use cases::{check_all, number};
use stillpoint_engine::{Duration, ReadyOrder};
use stillpoint_sim_tests::chaos::account::{Account, Ending};
use stillpoint_sim_tests::chaos::engine::{self, Play, Setup, Spread};
use stillpoint_sim_tests::chaos::strategy::linked_programs;

const THREADS: [usize; 5] = [1, 2, 3, 4, 8];
const BATCHES: [u32; 3] = [1, 7, 64];
const SHARDS: [usize; 5] = [1, 2, 3, 5, 16];

/// A cheap number from a number.
fn mixed(number: u64) -> u64 {
    stillpoint_engine::digest_of(&number)
}

/// The way in which a case is spread: every combination of threads, batch and ready order comes up in turn.
fn setup_of(case: usize) -> Setup {
    let random = mixed(case as u64);
    let ready = match case / 15 % 3 {
        0 => ReadyOrder::Sorted,
        1 => ReadyOrder::Reversed,
        _ => ReadyOrder::Shuffled(random),
    };
    let spread = Spread {
        threads: THREADS[case % 5],
        shards: SHARDS[(random % 5) as usize],
        batch: BATCHES[case / 5 % 3],
        window: (random >> 8).is_multiple_of(4).then(|| Duration::nanos((random >> 16) as i64 % 5 + 1)),
        deal: (!(random >> 32).is_multiple_of(10)).then_some(random),
    };
    Setup { ready, spread: Some(spread), backwards: random >> 60 == 0, ..Setup::default() }
}

/// What the actors remember is left out: those of a run that ended early have run on before they were run again.
fn account(play: &Play) -> Account {
    Account { memories: Default::default(), ..play.account.clone() }
}

fn root(path: &str) -> &str {
    let path = path.split_once('@').map_or(path, |(_, path)| path);
    path.split('/').next().unwrap_or(path)
}

#[test]
fn every_host_gives_the_trace_of_the_inline_one() {
    let cases = number("HOSTS_CASES", 2_000);
    let (mut case, mut sizes, mut crossings, mut early) = (0, Vec::new(), 0, 0);
    let mut configurations = std::collections::BTreeMap::<_, u32>::new();
    check_all(linked_programs(), number("HOSTS_FIRST", 0), cases, |program| {
        let setup = setup_of(case);
        case += 1;
        let inline = engine::run(program, &Setup::default());
        let spread = engine::run(program, &setup);
        let expected = account(&inline);
        if let Some(difference) = expected.first_difference(&account(&spread)) {
            return Err(format!("{setup:?}: {difference}"));
        }
        if inline.hash != spread.hash || inline.chains != spread.chains {
            return Err(format!("{setup:?}: all records are equal, but not the hash or a chain"));
        }
        sizes.push(expected.deliveries);
        let actors = |path: &str| !path.starts_with("time-keeper") && program.is_root(root(path));
        crossings += expected
            .records
            .iter()
            .filter(|record| {
                actors(&record.sender) && actors(&record.receiver) && !program.are_joined(root(&record.sender), root(&record.receiver))
            })
            .count() as u64;
        early += u64::from(!matches!(expected.ending, Ending::Done | Ending::Until));
        let used = setup.spread.expect("a spread run");
        *configurations.entry((used.threads, used.batch)).or_default() += 1;
        Ok(())
    });
    sizes.sort_unstable();
    let (median, all) = (sizes[sizes.len() / 2], sizes.iter().sum::<u64>());
    println!(
        "{cases} cases: median {median} deliveries, {} % between components, {early} early ends, {configurations:?}",
        crossings * 100 / all
    );
    if cases >= 2_000 {
        assert!(median >= 500, "the programs are too small: {median} deliveries");
        assert!(crossings * 5 >= all, "{crossings} of {all} deliveries are between components");
        assert!(configurations.len() == THREADS.len() * BATCHES.len() && configurations.values().all(|count| *count >= 50));
        assert!(early >= cases / 20 && early <= cases / 2, "{early} early ends");
    }
}
