//! A table of numbers as colours.

use super::axis::number;
use super::escaped;

/// A heat map: a cell for each pair of an x and a y, coloured by its value.
///
/// Where values lie on both sides of zero, zero has the colour of the page and the two sides have a colour each; else the colour goes from the
/// least to the greatest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeatMap {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    /// What the columns are.
    pub(crate) x: Vec<String>,
    /// What the rows are, the first at the top.
    pub(crate) y: Vec<String>,
    /// A row for each y with a cell for each x; `None` where there is no value.
    pub(crate) values: Vec<Vec<Option<f64>>>,
}

/// The height of a cell in pixels.
const CELL: usize = 34;
/// The width of a letter in pixels, and what texts keep free beside them.
const LETTER: usize = 7;
const ROOM: usize = 6;

impl HeatMap {
    /// The cells with their axes, as wide as their place, but not narrower than their texts. Every cell says what it is under the pointer, and to a screen reader.
    pub(crate) fn svg(&self) -> String {
        let (columns, rows) = (self.x.len().max(1), self.y.len());
        let left = widest(self.y.iter()) + 2 * ROOM;
        let (width, height) = (100.0 / columns as f64, rows * CELL);
        let numbered = columns <= 12;
        let every = columns.div_ceil(10);
        let numbers = self.values.iter().flatten().flatten().filter(|_| numbered).map(|value| significant(*value));
        let least = columns * widest(numbers).max(widest(self.x.iter().step_by(every)).div_ceil(every));
        let mut svg = format!(
            r#"<svg class="plot heat" role="img" aria-label="{}" style="margin-left:{left}px;width:calc(100% - {}px);min-width:{least}px" height="{height}">"#,
            escaped(&self.summary()),
            left + 12
        );
        let (low, high) = self.range();
        for (row, (y, values)) in self.y.iter().zip(&self.values).enumerate() {
            let top = row * CELL;
            svg.push_str(&format!(r#"<text class="tick" x="-8" y="{}" text-anchor="end">{}</text>"#, top + CELL / 2 + 4, escaped(y)));
            for (column, (x, value)) in self.x.iter().zip(values).enumerate() {
                let at = column as f64 * width;
                let told = value.map_or_else(|| "no value".to_owned(), significant);
                let fill = value.map_or_else(|| "var(--none)".to_owned(), |value| colour(value, low, high));
                svg.push_str(&format!(
                    r#"<g class="cell"><title>{}</title><rect x="{at:.3}%" y="{top}" width="{width:.3}%" height="{CELL}" style="fill:{fill}"/>"#,
                    escaped(&format!("{} {x}, {} {y}: {told}", self.x_label, self.y_label))
                ));
                if numbered && value.is_some() {
                    let (middle, base) = (at + width / 2.0, top + CELL / 2 + 4);
                    svg.push_str(&format!(r#"<text x="{middle:.3}%" y="{base}" text-anchor="middle">{told}</text>"#));
                }
                svg.push_str("</g>");
            }
        }
        for (column, x) in self.x.iter().enumerate().filter(|(column, _)| column % every == 0) {
            let middle = (column as f64 + 0.5) * width;
            let below = height + 17;
            svg.push_str(&format!(r#"<text class="tick" x="{middle:.3}%" y="{below}" text-anchor="middle">{}</text>"#, escaped(x)));
        }
        svg.push_str("</svg>");
        svg
    }

    /// The map with its title and the names of its axes.
    pub(crate) fn figure(&self) -> String {
        format!(
            r#"<figure class="chart"><figcaption>{}</figcaption><div class="caption">{} ↓ &#160; {} →</div><div class="wide">{}<div class="below"></div></div></figure>"#,
            escaped(&self.title),
            escaped(&self.y_label),
            escaped(&self.x_label),
            self.svg()
        )
    }

    fn range(&self) -> (f64, f64) {
        let values = self.values.iter().flatten().flatten();
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
    }

    fn summary(&self) -> String {
        let (low, high) = self.range();
        let range = if low <= high { format!("values from {} to {}", significant(low), significant(high)) } else { "no values".to_owned() };
        format!("{}: {} by {}, {range}", self.title, self.y_label, self.x_label)
    }
}

/// How much room the longest of some texts needs, in pixels.
fn widest(texts: impl Iterator<Item = impl AsRef<str>>) -> usize {
    texts.map(|text| text.as_ref().chars().count()).max().unwrap_or(0) * LETTER + ROOM
}

/// Four digits or so.
fn significant(value: f64) -> String {
    let size = value.abs();
    number(
        value,
        if size >= 1_000.0 || size == 0.0 {
            0
        } else if size >= 100.0 {
            1
        } else if size >= 1.0 {
            2
        } else {
            4
        },
    )
}

fn colour(value: f64, low: f64, high: f64) -> String {
    let diverges = low < 0.0 && high > 0.0;
    let (name, part) = match (diverges, value < 0.0) {
        (true, true) => ("--heat-low", -value / low.abs().max(high)),
        (true, false) => ("--heat-high", value / low.abs().max(high)),
        (false, _) if high > low => ("--heat-high", (value - low) / (high - low)),
        (false, _) => ("--heat-high", 0.5),
    };
    format!("color-mix(in oklab, var({name}) {:.1}%, var(--heat-none))", part.clamp(0.0, 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: [Option<f64>; 4]) -> HeatMap {
        let [a, b, c, d] = values;
        HeatMap {
            title: "Sharpe <ratio>".to_owned(),
            x_label: "fast".to_owned(),
            y_label: "slow".to_owned(),
            x: vec!["10".to_owned(), "20".to_owned()],
            y: vec!["50".to_owned(), "100".to_owned()],
            values: vec![vec![a, b], vec![c, d]],
        }
    }

    #[test]
    fn cells_say_what_they_are() {
        let svg = map([Some(1.5), Some(-3.0), None, Some(0.0)]).svg();
        assert!(svg.contains("<title>fast 10, slow 50: 1.50</title>"), "{svg}");
        assert!(svg.contains("<title>fast 10, slow 100: no value</title>"), "{svg}");
        assert!(svg.contains("Sharpe &lt;ratio&gt;: slow by fast, values from -3.00 to 1.50"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 4);
    }

    /// Two columns with room for 5 letters of 7 pixels and 6 more each, then for 11; of 30 columns every third has a label, and none a number.
    #[test]
    fn a_map_is_not_narrower_than_its_texts() {
        let mut narrow = map([Some(1.5), Some(-3.0), None, Some(0.0)]);
        assert!(narrow.svg().contains("min-width:82px"), "-3.00 is the longest: {}", narrow.svg());
        narrow.x = vec!["2025-01".to_owned(), "2025-01-02 ".to_owned()];
        assert!(narrow.svg().contains("min-width:166px"), "{}", narrow.svg());
        narrow.x = (0..30).map(|column| format!("{column:06}")).collect();
        narrow.values = vec![vec![Some(1234.5); 30]; 2];
        assert!(narrow.svg().contains("min-width:480px"), "a third of 48 each: {}", narrow.svg());
    }

    #[test]
    fn zero_parts_two_colours() {
        let svg = map([Some(1.5), Some(-3.0), None, Some(0.0)]).svg();
        assert!(svg.contains("var(--heat-high) 50.0%") && svg.contains("var(--heat-low) 100.0%") && svg.contains("var(--heat-high) 0.0%"));
        let svg = map([Some(1.0), Some(3.0), Some(2.0), Some(1.5)]).svg();
        assert!(svg.contains("var(--heat-high) 25.0%") && !svg.contains("--heat-low"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let svg = HeatMap { x: vec![], y: vec![], values: vec![], ..map([None; 4]) }.svg();
        assert!(svg.contains("no values") && !svg.contains("<rect"));
    }
}
