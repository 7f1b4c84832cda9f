//! Every run of a sweep as CSV, in the order of splits, sets and seeds.

use super::score::Part;
use super::told::{Told, shown};

/// A line for each run, after a line with the names of the columns.
pub(super) fn text(told: &Told<'_>) -> String {
    let sweep = told.sweep;
    let mut header = vec!["part".to_owned(), "split".to_owned(), "set".to_owned()];
    header.extend(sweep.parameters.iter().map(|parameter| parameter.name.clone()));
    header.extend(["seed".to_owned(), told.judge.objective.label()]);
    header.extend(sweep.keep.iter().map(|(figure, _)| figure.label()));
    header.extend(["ended", "events", "trace_hash", "error"].map(str::to_owned));
    let mut text = line(&header);
    for row in told.rows {
        let (part, split) = match row.part {
            Part::Whole => ("whole", String::new()),
            Part::Train(split) => ("train", (split + 1).to_string()),
            Part::Test(split) => ("test", (split + 1).to_string()),
        };
        let mut cells = vec![part.to_owned(), split, (row.task.set + 1).to_string()];
        cells.extend(shown(&sweep.sets[row.task.set]));
        cells.push(row.task.seed.map(|seed| seed.to_string()).unwrap_or_default());
        let ran = row.came.as_ref().ok();
        let figures = std::iter::once(told.judge.objective).chain(sweep.keep.iter().map(|(figure, _)| figure));
        cells.extend(figures.map(|figure| ran.and_then(|ran| figure.of(ran)).map(|value| value.to_string()).unwrap_or_default()));
        let facts = ran.map(|ran| [ran.end.clone(), ran.events.to_string(), ran.trace_hash.clone()]).unwrap_or_default();
        cells.extend(facts);
        cells.push(row.came.as_ref().err().cloned().unwrap_or_default());
        text.push_str(&line(&cells));
    }
    text
}

/// Cells as RFC 4180 has them: quoted where they hold a comma, a quote or a line's end.
fn line(cells: &[String]) -> String {
    let cell = |text: &String| {
        if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let cells = ["a", "b,c", "say \"x\"", "two\nlines", ""].map(str::to_owned);
        assert_eq!(line(&cells), "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",\n");
    }
}
