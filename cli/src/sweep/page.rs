//! A sweep as a page: what was done, the sets in a table that can be sorted, and a heat map for each pair of parameters.

use super::name_of;
use super::score::Score;
use super::steps::{bare, number};
use super::told::{Told, printed};
use crate::chart::{HeatMap, Page, Section, escaped};

/// A table has at most so many rows; the CSV file has all.
const ROWS: usize = 1_000;

/// More values than that are put into so many classes of equal width.
const CLASSES: usize = 12;

/// Sorts a table by the column whose heading is pressed; numbers as numbers.
const SORT: &str = r#"<script>
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => { const text = row.cells[column].textContent.replaceAll(",", ""); return isNaN(text) || text === "" ? text : +text; };
      const rows = [...body.rows].sort((a, b) => { const [x, y] = [key(a), key(b)];
        return (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true })) * (up ? 1 : -1); });
      body.append(...rows);
    };
    head.tabIndex = 0;
    head.style.cursor = "pointer";
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}
</script>"#;

/// The whole file.
pub(super) fn html(told: &Told<'_>) -> String {
    let mut head = format!("<p>{} of <b>{}</b></p>", printed(told.rows.len() as f64) + " runs", escaped(told.scenario));
    let facts: String = told
        .facts()
        .iter()
        .map(|(what, value)| format!("<tr><th>{what}</th><td class=\"text\" style=\"width:100%\">{}</td></tr>", escaped(value)))
        .collect();
    head.push_str(&format!("<div class=\"scroll\"><table>{facts}</table></div>"));
    head.extend(told.warnings().iter().map(|line| format!("<p>{}.</p>", escaped(line))));
    let mut sections = Vec::new();
    if !told.walked.is_empty() {
        let (train, test, count) = told.stitched();
        let sum = format!("<p>Sum over {count} splits: {} in sample, <b>{} out of sample</b>.</p>", printed(train), printed(test));
        sections.push(Section::new("Walking forward", table(&told.walk_rows()) + &sum));
    }
    let scores = scores(told);
    let maps = maps(told, &scores);
    if !maps.is_empty() {
        let over = if told.walked.is_empty() { "seeds and the other parameters" } else { "splits, seeds and the other parameters" };
        let about = format!(
            "<p>Each cell is the median of {} over {over}, as far as there are several.</p>",
            escaped(&told.judge.objective.label())
        );
        sections.push(Section::new("Heat maps", about + &maps.iter().map(HeatMap::figure).collect::<String>()));
    }
    if !told.ranking.is_empty() {
        let mut rows = vec![told.columns()];
        rows.extend(told.ranking.iter().enumerate().take(ROWS).map(|(at, score)| told.cells(at, score)));
        let by = format!("<p>The {} first; press a heading to sort by it.</p>", escaped(&told.title()));
        sections.push(Section::new("Sets", by + &table(&rows)));
    }
    let errors: String = told
        .failed()
        .take(ROWS)
        .map(|(row, error)| format!("<li>{}: <code>{}</code></li>", escaped(&told.set(row.task.set)), escaped(error)))
        .collect();
    if !errors.is_empty() {
        sections.push(Section::new("Failed runs", format!("<ul>{errors}</ul>")));
    }
    if let Some(last) = sections.last_mut() {
        last.body.push_str(SORT);
    }
    Page { title: name_of(told.file), head, sections }.html()
}

/// The first row holds the headings.
fn table(rows: &[Vec<String>]) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{cells}</tr>")
    };
    let body: String = rows[1..].iter().map(|cells| row(cells, "td")).collect();
    format!("<div class=\"scroll\"><table class=\"sorts\"><thead>{}</thead><tbody>{body}</tbody></table></div>", row(&rows[0], "th"))
}

/// The scores of all sets: those of the whole runs, or of all trainings.
fn scores(told: &Told<'_>) -> Vec<Score> {
    let trains = (0..told.sweep.splits.len()).flat_map(|at| told.judge.ranking(told.rows, super::score::Part::Train(at)));
    told.ranking.iter().cloned().chain(trains).collect()
}

/// A map for each pair of parameters, or one of a single row if there is one parameter.
fn maps(told: &Told<'_>, scores: &[Score]) -> Vec<HeatMap> {
    let axes: Vec<Axis> = (0..told.sweep.parameters.len()).map(|at| Axis::of(told, at)).collect();
    let varied: Vec<&Axis> = axes.iter().filter(|axis| axis.labels.len() > 1).collect();
    let alone = Axis { name: String::new(), parameter: None, labels: vec![String::new()], bounds: None };
    if let [only] = varied[..] {
        return vec![map(told, scores, only, &alone)];
    }
    let pairs = varied.iter().enumerate().flat_map(|(at, x)| varied[at + 1..].iter().map(move |y| (*x, *y)));
    pairs.map(|(x, y)| map(told, scores, x, y)).collect()
}

fn map(told: &Told<'_>, scores: &[Score], x: &Axis, y: &Axis) -> HeatMap {
    let mut cells = vec![vec![Vec::new(); x.labels.len()]; y.labels.len()];
    for score in scores {
        let set = &told.sweep.sets[score.set];
        if let (Some(value), Some(column), Some(row)) = (score.objective, x.index(set), y.index(set)) {
            cells[row][column].push(value);
        }
    }
    let median = |values: &Vec<f64>| super::figure::Aggregate::Median.of(values, told.judge.goal);
    let by = if y.parameter.is_some() {
        format!("{} by {} and {}", told.judge.objective.label(), x.name, y.name)
    } else {
        format!("{} by {}", told.judge.objective.label(), x.name)
    };
    HeatMap {
        title: by,
        x_label: x.name.clone(),
        y_label: y.name.clone(),
        x: x.labels.clone(),
        y: y.labels.clone(),
        values: cells.iter().map(|row| row.iter().map(median).collect()).collect(),
    }
}

/// The values of a parameter in order, or classes of them.
struct Axis {
    name: String,
    /// None: an axis with one place for all.
    parameter: Option<usize>,
    labels: Vec<String>,
    /// The least value and the width of a class.
    bounds: Option<(f64, f64)>,
}

impl Axis {
    fn of(told: &Told<'_>, parameter: usize) -> Self {
        let name = told.sweep.parameters[parameter].name.clone();
        let mut values: Vec<&str> = told.sweep.sets.iter().map(|set| set[parameter].as_str()).collect();
        values.sort_by(|a, b| match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        });
        values.dedup();
        let ends = values.first().and_then(|first| number(first)).zip(values.last().and_then(|last| number(last)));
        if let Some((low, high)) = ends
            && values.len() > 2 * CLASSES
        {
            let width = (high - low) / CLASSES as f64;
            let label = |class: usize| {
                let text = format!("{:.4}", low + width * (class as f64 + 0.5));
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
            let labels = (0..CLASSES).map(label).collect();
            return Self { name, parameter: Some(parameter), labels, bounds: Some((low, width)) };
        }
        Self { name, parameter: Some(parameter), labels: values.iter().map(|value| bare(value).to_owned()).collect(), bounds: None }
    }

    fn index(&self, set: &[String]) -> Option<usize> {
        let Some(parameter) = self.parameter else { return Some(0) };
        match self.bounds {
            Some((low, width)) => number(&set[parameter]).map(|value| (((value - low) / width) as usize).min(CLASSES - 1)),
            None => self.labels.iter().position(|label| label == bare(&set[parameter])),
        }
    }
}
