//! What the kit found, as a value and as text. Invariant: a verdict holds only if every check that was asked for was made and every declared mark was seen.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::check::Check;
use crate::difference::Difference;
use crate::mark::Mark;
use crate::perturbation::Perturbation;

/// The outcome of all checks of a world.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The seed that cases were generated from.
    pub seed: u64,
    /// How many cases were generated.
    pub cases: u32,
    /// How many came from the corpus.
    pub saved: u32,
    /// How many of all cases ended with an error, such as a late item or a panic of the strategy. Those are compared too.
    pub failed_runs: u32,
    /// How often each check was made. A check that was asked for is here, if only with 0.
    pub checks: BTreeMap<Check, u64>,
    /// In how many cases each declared mark was seen.
    pub marks: BTreeMap<Mark, u64>,
    /// Why a check was never made.
    pub impossible: BTreeMap<Check, String>,
    /// The first difference that was found, made small.
    pub failure: Option<Failure>,
    /// Deliveries of the unperturbed runs, dead letters included.
    pub records: u64,
}

/// A difference that should not be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The check that found it.
    pub check: Check,
    /// How the case was run again.
    pub how: Perturbation,
    /// The first difference, in the smallest case.
    pub difference: Difference,
    /// Of making it small.
    pub shrink: Shrink,
    /// The smallest case, as a scenario in RON.
    pub case: String,
    /// Where it was saved.
    pub saved: Option<PathBuf>,
    /// What to type to run it again.
    pub command: String,
}

/// How a failing case was made small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shrink {
    /// Events of the case that failed first.
    pub found: usize,
    /// Events after proptest's pass.
    pub first: usize,
    /// Events after the kit's own pass.
    pub second: usize,
    /// How many cases were tried in both.
    pub tried: usize,
}

impl Verdict {
    /// Declared marks that no case had.
    pub fn unseen(&self) -> Vec<Mark> {
        self.marks.iter().filter(|(_, count)| **count == 0).map(|(mark, _)| *mark).collect()
    }

    /// Checks that were asked for and never made.
    pub fn unmade(&self) -> Vec<Check> {
        self.checks.iter().filter(|(_, count)| **count == 0).map(|(check, _)| *check).collect()
    }

    /// Whether nothing differs, every check was made and every mark was seen.
    pub fn holds(&self) -> bool {
        self.failure.is_none() && self.unseen().is_empty() && self.unmade().is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Some(failure) => write!(f, "{failure}\n\n")?,
            None if self.holds() => write!(f, "deterministic, as far as was looked: ")?,
            None => write!(f, "no difference, but too little was looked at: ")?,
        }
        let (cases, saved, records) = (self.cases, self.saved, self.records);
        writeln!(
            f,
            "{cases} cases of seed {}, {saved} saved ones, {records} deliveries; {} runs ended with an error",
            self.seed, self.failed_runs
        )?;
        // After a failure no more was looked at: these figures say nothing then.
        if self.failure.is_some() {
            return Ok(());
        }
        listed(f, "runs compared", self.checks.iter().map(|(check, count)| format!("{check} {count}")))?;
        listed(f, "cases that had", self.marks.iter().map(|(mark, count)| format!("{mark} {count}")))?;
        for check in self.unmade() {
            let why = self.impossible.get(&check).map_or("no case was suited", String::as_str);
            writeln!(f, "  the check `{check}` was never made: {why}")?;
        }
        for mark in self.unseen() {
            writeln!(f, "  no case had {mark}: make more or larger cases, or do not declare it")?;
        }
        Ok(())
    }
}

/// A list below its head, in lines of at most about 110 characters.
fn listed(f: &mut fmt::Formatter<'_>, head: &str, items: impl Iterator<Item = String>) -> fmt::Result {
    let mut line = format!("  {head}:");
    let mut first = true;
    for item in items {
        line.push_str(if first { " " } else { ", " });
        first = false;
        if line.len() + item.len() > 110 {
            writeln!(f, "{}", line.trim_end())?;
            line = "    ".to_owned();
        }
        line.push_str(&item);
    }
    if first { Ok(()) } else { writeln!(f, "{line}") }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not deterministic: {}", self.check.means())?;
        writeln!(f, "found by the check `{}`: {}", self.check, self.how)?;
        writeln!(f, "{}", self.difference)?;
        let Shrink { found, first, second, tried } = self.shrink;
        writeln!(f, "shrunk from {found} events to {first} and then {second}, in {tried} tries:")?;
        for line in self.case.lines().filter(|line| !line.starts_with("//")) {
            writeln!(f, "  {line}")?;
        }
        match &self.saved {
            Some(file) => writeln!(f, "saved as {}; it is run first from now on", file.display())?,
            None => writeln!(f, "not saved: name a folder with `.corpus(..)`")?,
        }
        write!(f, "run it again: {}", self.command)
    }
}
