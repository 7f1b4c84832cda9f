//! Which files a stream of a scenario reads: one, several, or one for each day. Invariant: what comes out of here was there when it was asked
//! for, and is never nothing.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use chrono::format::{Item, StrftimeItems};
use serde::Deserialize;
use stillpoint_engine::scenario::{SceneError, StreamScene};

/// The days of a pattern of file names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Days {
    from: String,
    to: String,
    #[serde(default)]
    skip_missing: bool,
}

/// What `files` of a kind means.
pub(crate) const FILES: &str = "in place of `file`, several of them, read one after another";

/// What `days` of a kind means.
pub(crate) const DAYS: &str = "a file for each of these days: `file` has the day in it as a pattern, such as quotes-%Y-%m-%d.csv";

/// The files that the parameters `file`, `files` and `days` of a kind stand for, in the order in which they are to be read.
pub(crate) fn chosen(
    file: Option<String>,
    files: Vec<String>,
    days: Option<Days>,
    scene: &StreamScene<'_>,
) -> Result<Vec<PathBuf>, SceneError> {
    match (file, files.as_slice(), days) {
        (Some(file), [], None) => Ok(vec![scene.file(&file)?]),
        (Some(file), [], Some(days)) => of_days(&file, &days, scene),
        (None, [_, ..], None) => files.iter().map(|file| scene.file(file)).collect(),
        (None, _, Some(_)) => Err(SceneError::param("days", "goes with `file`, whose name has the day in it")),
        (Some(_), [_, ..], _) => Err(SceneError::param("files", "stands in place of `file`: give one of them")),
        (None, [], None) => Err(SceneError::new("there is no file to read: give `file`, or `files`")),
    }
}

fn of_days(pattern: &str, days: &Days, scene: &StreamScene<'_>) -> Result<Vec<PathBuf>, SceneError> {
    let day = |text: &str| {
        let day = text.parse::<NaiveDate>();
        day.map_err(|_| SceneError::value(text, format!("`{text}` is no day")).with_help("write it as in 2025-03-25"))
    };
    let (from, to) = (day(&days.from)?, day(&days.to)?);
    if to < from {
        return Err(SceneError::param("days", format!("ends on {to}, before it begins on {from}")));
    }
    let mut found = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= to) {
        let name = name_of(pattern, day)?;
        match scene.file(&name) {
            Ok(path) => found.push(path),
            Err(_) if days.skip_missing => {}
            Err(_) => {
                let error = SceneError::param("days", format!("has {day}, but there is no file `{name}`"));
                return Err(error.with_help("fetch the file, or write `skip_missing: true` if that day has none"));
            }
        }
    }
    if found.is_empty() {
        return Err(
            SceneError::param("days", format!("has no day with a file from {from} to {to}")).with_help("check the pattern in `file`")
        );
    }
    Ok(found)
}

/// The name of a day's file.
fn name_of(pattern: &str, day: NaiveDate) -> Result<String, SceneError> {
    let fault = || {
        SceneError::value(pattern, format!("`{pattern}` is no pattern of days")).with_help("write it as in quotes-%Y-%m-%d.csv; %% is a %")
    };
    let items: Vec<Item<'_>> = StrftimeItems::new(pattern).collect();
    if items.iter().all(|item| matches!(item, Item::Literal(_) | Item::Space(_))) {
        let cause = format!("`{pattern}` is the same on every day");
        return Err(SceneError::value(pattern, cause).with_help("put the day into it, as in quotes-%Y-%m-%d.csv"));
    }
    let mut name = String::new();
    // An hour, which a day has not, is an error of formatting.
    write!(name, "{}", day.format_with_items(items.iter())).map_err(|_| fault())?;
    Ok(name)
}
