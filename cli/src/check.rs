//! The command `check`: a scenario run again in many ways that must not matter. Invariant: what is compared is what the determinism kit
//! compares; here it is asked for and told.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use indicatif::ProgressBar;
use serde_json::{Value as Json, json};
use stillpoint_engine::scenario::{Registry, Scenario};
use stillpoint_engine::trace::{Text, Writer, diff};
use stillpoint_engine::{Outcome, Snapshot};
use stillpoint_sim_tests::{Check, Checked, Difference, Request, Row, Scratch, check_scenario, disturb};

use crate::args::CheckArgs;
use crate::failure::{Done, Failure, print};
use crate::numbers::{counted, grouped};
use crate::summary::facts;
use crate::table::{Side, table};
use crate::{interrupt, progress};

/// Checks a scenario, prints what was found, and tells whether all runs were the same.
pub(crate) fn check(args: &CheckArgs, registry: &Arc<Registry>) -> Result<Done, Failure> {
    let scenario = crate::read::scenario(&args.file, &args.sets)?;
    let flag = interrupt::flag().map_err(|error| Failure::Work(format!("Ctrl-C cannot be handled: {error}")))?;
    let request = Request { cases: args.cases, seed: args.seed, interrupt: flag };
    let bar = if args.json { None } else { progress::bar() };
    let mut tell = |check: Check, done: u32, all: u32| {
        if let Some(bar) = &bar {
            bar.set_length(u64::from(all));
            bar.set_position(u64::from(done));
            bar.set_message(check.name());
        }
    };
    let mut elsewhere = Elsewhere { args, scenario: &scenario, registry };
    let mut fresh = |outcome: &Outcome, snapshot: Option<&Snapshot>| elsewhere.differs(outcome, snapshot);
    let checked = check_scenario(&scenario, registry, &request, &mut fresh, &mut tell)?;
    bar.as_ref().inspect(|bar| ProgressBar::finish_and_clear(bar));
    print(&if args.json { in_json(&scenario, args, &checked) } else { in_text(&scenario, &checked) })?;
    let differing = checked.rows.iter().filter(|row| row.found.is_some()).count();
    if differing > 0 {
        return Err(Failure::Work(format!("the run is not deterministic: {} found a difference", counted(differing, "check"))));
    }
    match &checked.error {
        Some(error) => Err(Failure::of_run(error, None)),
        None if checked.interrupted => Ok(Done::Interrupted),
        None if checked.holds() => Ok(Done::Well),
        None => Err(Failure::Work("not all checks could be made".to_owned())),
    }
}

/// The scenario in a fresh process of this program.
struct Elsewhere<'a> {
    args: &'a CheckArgs,
    scenario: &'a Scenario,
    registry: &'a Registry,
}

impl Elsewhere<'_> {
    /// Where the run differs there, from the beginning or from a snapshot.
    fn differs(&mut self, here: &Outcome, snapshot: Option<&Snapshot>) -> Result<Option<Difference>, String> {
        let told = |error: std::io::Error| format!("no fresh process could be had: {error}");
        let folder = Scratch::new().map_err(told)?;
        let file = self.args.file.canonicalize().map_err(told)?;
        let trace = folder.path().join("there.trace");
        let saved = folder.path().join("saved");
        if let Some(snapshot) = snapshot {
            snapshot.write(&saved).map_err(|error| error.to_string())?;
        }
        let (there, said) = self.run(&file, &trace, snapshot.is_some().then_some(&saved), folder.path()).map_err(told)?;
        let Some(there) = there else { return Err(format!("the fresh process said no JSON, but: {said}")) };
        let here = facts(here);
        let differs = here.iter().find(|(name, value)| there.get(*name) != Some(*value));
        let Some((name, value)) = differs else { return Ok(None) };
        let mine = folder.path().join("here.trace");
        // The trace of a restored run begins with the snapshot: it cannot be laid beside a whole one.
        let text = match self.traced(&mine).filter(|()| snapshot.is_none()).and_then(|()| diff(&mine, &trace).ok()?.difference) {
            Some(difference) => format!("A  in this process\nB  in a fresh process\n{difference}"),
            None => format!("all deliveries are equal, but not `{name}`\nA  {value}\nB  {}", there.get(name).unwrap_or(&Json::Null)),
        };
        Ok(Some(Difference { at: None, actors: Vec::new(), text }))
    }

    /// What `run --json` says there, if it is JSON, and what it says beside.
    fn run(&self, file: &Path, trace: &Path, saved: Option<&PathBuf>, folder: &Path) -> std::io::Result<(Option<Json>, String)> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("run")
            .arg(file)
            .args(["--json", "--host", "inline"])
            .arg("--trace")
            .arg(trace)
            .arg("--trace-text")
            .stdin(Stdio::null());
        if let Some(saved) = saved {
            command.arg("--restore").arg(saved);
        }
        for set in &self.args.sets {
            command.arg("--set").arg(set.to_string());
        }
        let output = disturb(&mut command, folder).output()?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((serde_json::from_slice(&output.stdout).ok(), said))
    }

    /// Writes the trace of a run in this process.
    fn traced(&self, file: &Path) -> Option<()> {
        let writer = Writer::create(file, Text::Keep).ok()?;
        let simulation = self.scenario.build(self.registry).ok()?.simulation;
        let _ = simulation.observe(Box::new(writer)).run();
        Some(())
    }
}

fn in_text(scenario: &Scenario, checked: &Checked) -> String {
    let runs: u32 = checked.rows.iter().map(|row| row.runs).sum();
    let verdict = match (checked.holds(), checked.interrupted) {
        (true, _) if checked.rows.iter().any(|row| row.unmade.is_some()) => "the same in every run that could be made",
        (true, _) => "the same in every run",
        (_, true) => "interrupted, this is what was checked so far",
        _ if checked.rows.iter().any(|row| row.found.is_some()) => "not deterministic",
        _ => "no difference, but not all could be checked",
    };
    let mut text = format!(
        "{}: {verdict}\n  {}, {} deliveries each, trace hash {}\n\n",
        scenario.name(),
        counted(runs as usize + 1, "run"),
        grouped(checked.outcome.deliveries),
        checked.outcome.trace_hash
    );
    let rows: Vec<Vec<String>> =
        checked.rows.iter().map(|row| vec![row.check.to_string(), row.runs.to_string(), found(row), about(row.check).to_owned()]).collect();
    let heads = vec![["check", "runs", "found", "what was done"].map(str::to_owned).to_vec()];
    text.push_str(&table(2, &[Side::Left, Side::Right, Side::Left, Side::Left], &[heads, rows].concat()));
    for row in &checked.rows {
        if let Some((how, difference)) = &row.found {
            text.push_str(&format!("\n{}: {}\n{how}:\n{difference}\n", row.check, row.check.means()));
        }
        if let Some(why) = &row.unmade {
            text.push_str(&format!("\n{} was not checked: {why}\n", row.check));
        }
    }
    text
}

fn found(row: &Row) -> String {
    let found = match (&row.found, &row.unmade) {
        (Some(_), _) => "a difference",
        (None, Some(_)) => "not checked",
        (None, None) => "the same",
    };
    found.to_owned()
}

/// What a check does, in a line of the table.
fn about(check: Check) -> &'static str {
    match check {
        Check::Repeat => "run again, among other memory addresses",
        Check::Process => "run in a fresh process: another environment, time zone, language, folder",
        Check::Registration => "streams, actors and links registered in another order",
        Check::Bystander => "an unrelated actor or stream added",
        Check::Pool => "jobs on 1 to 3 threads",
        Check::ReadyOrder => "the actors of a step run in another order",
        Check::Host => "run on 1 to 3 threads, in shards, windows and batches of many sizes",
        Check::Snapshot => "saved, and a restored run goes on",
        Check::Pause => "run by instants, by steps, and paused",
        Check::Cut => "the input cut off: the past is the same",
        _ => "",
    }
}

fn in_json(scenario: &Scenario, args: &CheckArgs, checked: &Checked) -> String {
    let row = |row: &Row| {
        let mut object = json!({ "check": row.check.name(), "runs": row.runs, "same": row.found.is_none() && row.unmade.is_none() });
        if let Some((how, difference)) = &row.found {
            object["how"] = json!(how);
            object["difference"] = json!(difference.text);
        }
        if let Some(why) = &row.unmade {
            object["not_checked"] = json!(why);
        }
        object
    };
    let mut object = json!({
        "scenario": scenario.name(),
        "cases": args.cases,
        "seed": args.seed,
        "holds": checked.holds(),
        "interrupted": checked.interrupted,
        "trace_hash": checked.outcome.trace_hash.to_string(),
        "deliveries": checked.outcome.deliveries,
        "checks": checked.rows.iter().map(row).collect::<Vec<_>>(),
    });
    if let Some(error) = &checked.error {
        object["error"] = json!(error.to_string());
    }
    format!("{object:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    /// A check of an empty scenario, with a difference put into it.
    fn checked() -> (Scenario, Checked) {
        let scenario = Scenario::parse("e.ron", "(name: \"empty\", actors: [(name: \"a\", kind: recorder)])", &[]).expect("a scenario");
        let request = Request { cases: 2, seed: 0, interrupt: Arc::new(AtomicBool::new(false)) };
        let registry = Arc::new(Registry::new());
        let mut checked = check_scenario(&scenario, &registry, &request, &mut |_, _| Ok(None), &mut |_, _, _| {}).expect("known kinds");
        let difference = Difference { at: None, actors: Vec::new(), text: "A  1\nB  2".to_owned() };
        checked.rows[6].found = Some(("on 2 threads".to_owned(), difference));
        checked.rows[8].unmade = Some("`a` cannot be saved".to_owned());
        (scenario, checked)
    }

    #[test]
    fn a_difference_is_told_below_the_table() {
        let (scenario, checked) = checked();
        let text = in_text(&scenario, &checked);
        assert!(text.starts_with("empty: not deterministic\n"), "{text}");
        assert!(text.contains("\n  host             2  a difference  run on"), "{text}");
        assert!(text.contains("\nhost: several threads give another run"), "{text}");
        assert!(
            text.contains("\non 2 threads:\nA  1\nB  2\n") && text.ends_with("snapshot was not checked: `a` cannot be saved\n"),
            "{text}"
        );
    }

    #[test]
    fn json_tells_it_too() {
        let (scenario, checked) = checked();
        let args = CheckArgs { file: "e.ron".into(), cases: 2, seed: 0, json: true, sets: Vec::new() };
        let object: Json = serde_json::from_str(&in_json(&scenario, &args, &checked)).expect("an object");
        assert_eq!((object["holds"].as_bool(), object["checks"][6]["same"].as_bool()), (Some(false), Some(false)));
        assert_eq!(object["checks"][6]["difference"], "A  1\nB  2");
        assert_eq!((&object["checks"][8]["same"], &object["checks"][8]["not_checked"]), (&json!(false), &json!("`a` cannot be saved")));
    }
}
