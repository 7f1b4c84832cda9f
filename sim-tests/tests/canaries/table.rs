//! Which check catches which fault: every canary and every good strategy under every check alone, against a golden table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use stillpoint_sim_tests::Check;

use crate::events::World;
use crate::{faulty, good};

const FILE: &str = "tests/canaries/table.txt";

const ABOUT: &str = "\
Which check catches which fault. A cell is `x` where the check, made alone, finds the fault and names itself as the one that did: a run that
does not repeat itself is the matter of `repeat`, whichever check stumbled over it. The strategies below the line are good ones; where they
do not claim to pass a check, nothing stands.
Rewritten by a run of the test with STILLPOINT_UPDATE=1.
";

/// What came of every check alone: nothing where the strategy does not claim to pass it.
type Cells = [Option<bool>; Check::ALL.len()];

fn cells(world: World, checks: &BTreeSet<Check>) -> Cells {
    Check::ALL.map(|check| {
        checks.contains(&check).then(|| {
            let verdict = world().only([check]).only_marks([]).shrinks(false).cases(32).report();
            verdict.failure.is_some_and(|failure| failure.check == check)
        })
    })
}

fn line(name: &str, cells: &Cells) -> String {
    let cells = Check::ALL.iter().zip(cells).map(|(check, cell)| {
        let cell = cell.map_or("", |caught| if caught { "x" } else { "." });
        format!("{cell:^width$}", width = check.name().len())
    });
    format!("{name:<18} {}", cells.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
}

#[test]
fn every_fault_is_caught_by_its_checks_and_no_good_strategy_is() {
    let all = BTreeSet::from(Check::ALL);
    let faulty = faulty::ALL.map(|(name, world)| (name, cells(world, &all)));
    let good = good::ALL.map(|(name, world)| (name, cells(world, &world().checks())));
    let heads = Check::ALL.map(Check::name).join(" ");
    let mut lines = vec![ABOUT.to_owned(), format!("{:<18} {heads}", "")];
    lines.extend(faulty.iter().map(|(name, cells)| line(name, cells)));
    lines.push("-".repeat(19 + heads.len()));
    lines.extend(good.iter().map(|(name, cells)| line(name, cells)));
    let table = lines.join("\n") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if update() {
        fs::write(&file, &table).expect("the table can be written");
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(table == golden, "{FILE} is not what was found:\n{table}");
    let missed: Vec<&str> = faulty.iter().filter(|(_, cells)| !cells.contains(&Some(true))).map(|(name, _)| *name).collect();
    let alarmed: Vec<&str> = good.iter().filter(|(_, cells)| cells.contains(&Some(true))).map(|(name, _)| *name).collect();
    assert!(missed.is_empty() && alarmed.is_empty(), "not caught: {missed:?}; false alarms: {alarmed:?}");
}

/// All checks together, with the claims that a strategy makes and the marks that it declares.
#[test]
fn good_strategies_hold() {
    for (name, world) in good::ALL {
        let verdict = world().report();
        println!("{name}: {verdict}");
        assert!(verdict.holds(), "{name}: {verdict}");
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether the golden is to be rewritten; no simulation sees it")]
fn update() -> bool {
    std::env::var_os("STILLPOINT_UPDATE").is_some()
}
