//! A fresh process that runs cases and tells what came of them. Invariant: the process finds the world by the test's name, the place in its
//! source and a count, and nothing else is passed but the cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use stillpoint_engine::trace::{Observer, Reader, Record, Text, Writer};
use stillpoint_engine::{Rank, Simulation, Snapshot};

use crate::case::Case;
use crate::case_text;
use crate::compare;
use crate::difference::Difference;
use crate::drive::Drive;
use crate::facts::Facts;
use crate::ran::{Ran, play, restored};
use crate::rim::{Scratch, asked};
use crate::sample::Sample;

/// Which of a program's worlds is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The name of the test, where it has a thread of its own.
    test: Option<String>,
    place: String,
    count: u32,
}

impl Key {
    /// The key of a world that is checked at this place of the source.
    pub(crate) fn at(place: &std::panic::Location<'_>) -> Self {
        static COUNTS: Mutex<BTreeMap<(Option<String>, String), u32>> = Mutex::new(BTreeMap::new());
        let (test, place) = (asked::test_name(), place.to_string());
        let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((test.clone(), place.clone())).or_default();
        *count += 1;
        Self { test, place, count: *count }
    }

    fn text(&self) -> String {
        format!("{} {} {}", self.test.as_deref().unwrap_or("-"), self.place, self.count)
    }

    /// The name of the test.
    pub(crate) fn test(&self) -> Option<&str> {
        self.test.as_deref()
    }
}

/// What a fresh process told of one case.
pub(crate) struct Answer {
    facts: Facts,
    folder: Arc<Scratch>,
    number: usize,
}

impl Answer {
    /// Where it differs from a run in this process. What a restored run received before is given.
    pub(crate) fn differs(&self, base: &Ran, before: Vec<Record>) -> Option<Difference> {
        if self.facts == base.facts() {
            return None;
        }
        let file = self.folder.path().join(format!("{}.trace", self.number));
        let after: Vec<Record> = Reader::open(file).and_then(|mut reader| reader.records().collect()).unwrap_or_default();
        let records = [before, after].concat();
        Some(compare::of_records(&base.trace, "in a fresh process", records, &base.facts(), &self.facts))
    }
}

/// Runs cases in one fresh process, each from the beginning or from the text of a snapshot. What cannot be had is told in words.
pub(crate) fn run<M: Sample>(key: &Key, cases: &[(&Arc<Case<M>>, Option<String>)]) -> Result<Vec<Answer>, String> {
    let told = |error: std::io::Error| format!("no fresh process could be had: {error}");
    let scratch = Arc::new(Scratch::new().map_err(told)?);
    let folder = scratch.path();
    fs::write(folder.join("key"), key.text()).map_err(told)?;
    for (number, (case, snapshot)) in cases.iter().enumerate() {
        if let Some(snapshot) = snapshot {
            fs::write(folder.join(format!("{number}.snapshot")), snapshot).map_err(told)?;
        }
        fs::write(folder.join(format!("{number}.ron")), case_text::write(case, "case", "", &[], &links(case))).map_err(told)?;
    }
    let output = asked::run_again(key.test(), folder).map_err(told)?;
    let answer = |number: usize| {
        let text = fs::read_to_string(folder.join(format!("{number}.facts"))).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            let said: Vec<&str> = said.lines().rev().take(12).collect();
            format!(
                "the fresh process gave no answer ({}); it must come to the same check by the same way. It said:\n{}",
                output.status,
                said.into_iter().rev().collect::<Vec<_>>().join("\n")
            )
        })?;
        let fact = |line: &str| line.split_once('\t').map(|(what, value)| (unescape(what), unescape(value)));
        Ok(Answer { facts: text.lines().filter_map(fact).collect(), folder: scratch.clone(), number })
    };
    (0..cases.len()).map(answer).collect()
}

/// The links that the weather of a case speaks of: a file of a case needs them.
fn links<M>(case: &Case<M>) -> Vec<case_text::LinkOf> {
    case.weather.iter().map(|weather| (weather.from.clone(), weather.to.clone(), stillpoint_engine::Duration::ZERO)).collect()
}

/// The folder of the process that waits for this one, if there is one.
pub(crate) fn parent() -> Option<PathBuf> {
    asked::path(asked::CHILD)
}

/// If the parent means this world: answers, and ends the process. Cases are run from the last to the first, so that what one leaves
/// behind is found by others than in the parent.
pub(crate) fn answer<M: Sample>(folder: &Path, key: &Key, build: impl Fn(&Arc<Case<M>>) -> Simulation) {
    if fs::read_to_string(folder.join("key")).ok() != Some(key.text()) {
        return;
    }
    let count = (0..).find(|number: &usize| !folder.join(format!("{number}.ron")).exists()).unwrap_or(0);
    for number in (0..count).rev() {
        let name = format!("{number}.ron");
        let text = fs::read_to_string(folder.join(&name)).expect("the parent's case can be read");
        let case = case_text::read(&name, &text).expect("the parent's case makes sense");
        let simulation = build(&Arc::new(case));
        let ran = match Snapshot::read(&folder.join(format!("{number}.snapshot"))) {
            Ok(snapshot) => restored(simulation, &snapshot, "in a fresh process").expect("the parent's snapshot can be restored"),
            Err(_) => play(simulation, "in a fresh process", &Drive::Whole),
        };
        write_trace(&folder.join(format!("{number}.trace")), &ran);
        let facts: String = ran.facts().iter().map(|(what, value)| format!("{}\t{}\n", escape(what), escape(value))).collect();
        fs::write(folder.join(format!("{number}.facts")), facts).expect("an answer can be written");
    }
    std::process::exit(0);
}

fn write_trace(file: &Path, ran: &Ran) {
    let mut writer = Writer::create(file, Text::Keep).expect("a trace can be written");
    let mut ids = BTreeMap::new();
    for record in ran.trace.records() {
        let mut id = |path: &stillpoint_engine::Path| {
            let next = ids.len() as u32;
            *ids.entry(path.clone()).or_insert_with(|| {
                writer.name(next, path, Rank::default());
                next
            })
        };
        let (receiver, sender) = (id(&record.receiver), id(&record.sender));
        let kept = writer.record(&compare::borrowed(&record, receiver, sender));
        kept.expect("a trace can be written");
    }
    writer.end(ran.outcome.trace_hash).expect("a trace can be written");
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some(other)) => plain.push(other),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_a_line() {
        for text in ["", "plain", "two\nlines\tand a tab", "back\\slash \\n"] {
            assert_eq!(unescape(&escape(text)), text);
            assert!(!escape(text).contains(['\n', '\t']));
        }
    }
}
