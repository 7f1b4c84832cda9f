//! What of a run must be equal in every other run of the same. Invariant: nothing here depends on where a run was made or what it cost.

use stillpoint_engine::{Outcome, Path, RunError};

/// What must be equal, as pairs of what it is and its value.
pub(crate) type Facts = Vec<(String, String)>;

/// Everything that must be equal in a run that did the same.
pub(crate) fn facts(outcome: &Outcome, error: Option<&RunError>) -> Facts {
    let mut facts = vec![("the trace hash".to_owned(), outcome.trace_hash.to_string()), ("the end".to_owned(), end(outcome, error))];
    let counts = [("lost on links", outcome.lost), ("never due", outcome.never), ("dead letters", outcome.dead_letters)];
    facts.extend(counts.map(|(what, count)| (what.to_owned(), count.to_string())));
    facts.extend(outcome.streams.iter().map(|(path, counts)| (format!("the counts of stream {path}"), format!("{counts:?}"))));
    facts.extend(who(outcome, |_| true));
    facts
}

/// What must be equal though others are there too, who are known by the names of their roots.
pub(crate) fn facts_without(outcome: &Outcome, error: Option<&RunError>, strangers: &[&str]) -> Facts {
    let mut facts = vec![("the end".to_owned(), end(outcome, error))];
    facts.extend(who(outcome, |path| !is_of(path, strangers)));
    facts
}

/// Whether a path is that of one of these roots, below one of them, or of the time-keeper's facet for one of those.
pub(crate) fn is_of(path: &Path, roots: &[&str]) -> bool {
    let path = path.to_string();
    let root = path.split('/').next().unwrap_or_default();
    roots.contains(&root.strip_prefix("time-keeper@").unwrap_or(root))
}

/// How a run ended, with the whole error.
fn end(outcome: &Outcome, error: Option<&RunError>) -> String {
    error.map_or_else(|| outcome.end.to_string(), |error| format!("failed: {error}"))
}

/// Everybody's chain and count, and what they reported, floats to the last bit.
fn who(outcome: &Outcome, is_meant: impl Fn(&Path) -> bool) -> Facts {
    let chains = outcome.chains.iter().filter(|(path, ..)| is_meant(path));
    let chains = chains.map(|(path, chain, count)| (format!("the deliveries of {path}"), format!("{count}, {chain:016x}")));
    let reports = outcome.reports.iter().filter(|(path, _)| is_meant(path));
    let entries = reports.flat_map(|(path, report)| report.entries().iter().map(move |entry| (path, entry)));
    let results = entries.map(|(path, (name, value))| (format!("the result `{name}` of {path}"), format!("{value:?}")));
    chains.chain(results).collect()
}
