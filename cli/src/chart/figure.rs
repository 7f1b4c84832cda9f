//! A chart as a figure: title, legend, SVG, and its values for the script. Invariant: positions are in percent of the plot, texts in pixels.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use super::axis::{Axis, Scale};
use super::{Chart, MOST_POINTS, Series, Shape, escaped, thinned};

/// Coordinates of lines are in thousandths of the plot.
const UNIT: f64 = 1_000.0;
/// Labels have room for so many letters, so that charts of usual numbers stand in line.
const LABEL: usize = 8;

impl Chart {
    /// The chart with its title and legend, to stand in a [`Page`](super::Page).
    pub(crate) fn figure(&self) -> String {
        let series: Vec<Series> = self.series.iter().map(Series::thinned).collect();
        let stacks = stacks(&series);
        let x = Scale::over(&self.x, series.iter().flat_map(Series::xs), false);
        let y = Scale::over(&self.y, values(&series, &stacks), true);
        let mut legend = String::new();
        for Series { name, shape, colour, .. } in series.iter().filter(|_| series.len() > 1) {
            let class = match shape {
                Shape::Up => " class=\"up\"",
                Shape::Down => " class=\"down\"",
                _ => "",
            };
            let _ = write!(legend, "<span style=\"--c:var(--c{})\"><i{class}></i>{}</span>", colour % 8, escaped(name));
        }
        let captions = [y.caption(), x.caption()].into_iter().filter(|caption| !caption.is_empty()).collect::<Vec<_>>().join(" · ");
        format!(
            "<figure class=\"chart\" data-chart=\"{}\"><figcaption>{}</figcaption><div class=\"caption\"><span>{}</span><span class=\"legend\">{legend}</span></div>{}<div class=\"below\"></div><script type=\"application/json\">{}</script></figure>\n",
            escaped(&self.id),
            escaped(&self.title),
            escaped(&captions),
            self.svg(&series, &stacks, &x, &y),
            data(&series, &x, &y)
        )
    }

    fn svg(&self, series: &[Series], stacks: &[Vec<f64>], x: &Scale<'_>, y: &Scale<'_>) -> String {
        let labels: Vec<String> = y.ticks.iter().map(|tick| y.label(*tick)).collect();
        let left = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(LABEL) * 7 + 12;
        let mut svg = format!(
            "<svg class=\"plot\" role=\"img\" tabindex=\"0\" aria-label=\"{}\" style=\"margin-left:{left}px;width:calc(100% - {}px)\" height=\"{}\">",
            escaped(&self.summary()),
            left + 14,
            self.height
        );
        svg.push_str("<rect class=\"back\" width=\"100%\" height=\"100%\"/>");
        for (tick, label) in y.ticks.iter().zip(&labels) {
            let place = percent(1.0 - y.place(*tick));
            let zero = if *tick == 0.0 { " zero" } else { "" };
            let _ = write!(svg, "<line class=\"grid{zero}\" x1=\"0\" x2=\"100%\" y1=\"{place}\" y2=\"{place}\"/>");
            let _ = write!(svg, "<text x=\"-8\" y=\"{place}\" dy=\"4\" text-anchor=\"end\">{}</text>", escaped(label));
        }
        for (index, tick) in x.ticks.iter().enumerate() {
            let place = percent(x.place(*tick));
            let odd = if index % 2 == 1 && x.ticks.len() > 3 { " class=\"odd\"" } else { "" };
            let _ = write!(svg, "<line class=\"grid\" x1=\"{place}\" x2=\"{place}\" y1=\"0\" y2=\"100%\"/>");
            let label = escaped(&x.label(*tick));
            let _ = write!(svg, "<text{odd} x=\"{place}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", self.height + 18);
        }
        for (series, stack) in series.iter().zip(stacks) {
            series.draw(&mut svg, stack, x, y);
        }
        svg.push_str("</svg>");
        svg
    }

    /// What a screen reader says of it.
    fn summary(&self) -> String {
        let told = self.series.iter().filter_map(|series| {
            let last = series.points.last()?.1;
            let extremes = |pick: fn(f64, f64) -> f64| series.points.iter().map(|point| point.1).fold(last, pick);
            let (low, high) = (extremes(f64::min), extremes(f64::max));
            Some(format!("{}: {} values from {low} to {high}, the last {last}", series.name, series.points.len()))
        });
        format!("{}. {}", self.title, told.collect::<Vec<_>>().join("; "))
    }
}

impl Series {
    /// Lines with fewer points; of triangles and dots all.
    fn thinned(&self) -> Self {
        match self.shape {
            Shape::Line | Shape::Area | Shape::Step => Self { points: thinned(&self.points, MOST_POINTS), ..self.clone() },
            _ => self.clone(),
        }
    }

    fn xs(&self) -> impl Iterator<Item = f64> {
        let ends: &[f64] = if let Shape::Bars { ends } = &self.shape { ends } else { &[] };
        self.points.iter().map(|point| point.0).chain(ends.iter().copied())
    }

    /// `stack` is where each bar begins.
    fn draw(&self, svg: &mut String, stack: &[f64], x: &Scale<'_>, y: &Scale<'_>) {
        let colour = format!("style=\"--c:var(--c{})\"", self.colour % 8);
        match &self.shape {
            Shape::Line | Shape::Step | Shape::Area => {
                let path = self.path(x, y);
                let _ = write!(
                    svg,
                    "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" overflow=\"visible\" {colour}>"
                );
                if let (Shape::Area, Some(first), Some(last)) = (&self.shape, self.points.first(), self.points.last()) {
                    let base = thousandth(1.0 - y.place(0.0).clamp(0.0, 1.0));
                    let (from, to) = (thousandth(x.place(first.0)), thousandth(x.place(last.0)));
                    let _ = write!(svg, "<path class=\"area\" d=\"{path}L{to} {base}L{from} {base}Z\"/>");
                }
                let _ = write!(svg, "<path class=\"line\" d=\"{path}\"/></svg>");
            }
            Shape::Up | Shape::Down | Shape::Dots => {
                let symbol = match self.shape {
                    Shape::Up => "up",
                    Shape::Down => "down",
                    _ => "dot",
                };
                let _ = write!(svg, "<g {colour}>");
                for (at, value) in &self.points {
                    let _ =
                        write!(svg, "<use href=\"#{symbol}\" x=\"{}\" y=\"{}\"/>", percent(x.place(*at)), percent(1.0 - y.place(*value)));
                }
                svg.push_str("</g>");
            }
            Shape::Bars { ends } => {
                let _ = write!(svg, "<g {colour}>");
                for (((at, value), end), from) in self.points.iter().zip(ends).zip(stack).filter(|(((_, value), _), _)| *value != 0.0) {
                    let (left, right) = (x.place(*at), x.place(*end));
                    let (low, high) = (y.place(*from), y.place(from + value));
                    let top = percent(1.0 - low.max(high));
                    let _ = write!(svg, "<rect class=\"bar\" x=\"{}\" y=\"{top}\"", percent(left));
                    let _ = write!(svg, " width=\"{}\" height=\"{}\"/>", percent((right - left) * 0.94), percent((high - low).abs()));
                }
                svg.push_str("</g>");
            }
        }
    }

    fn path(&self, x: &Scale<'_>, y: &Scale<'_>) -> String {
        let mut path = String::new();
        for (index, (at, value)) in self.points.iter().enumerate() {
            let (across, down) = (thousandth(x.place(*at)), thousandth(1.0 - y.place(*value)));
            let _ = match (index, &self.shape) {
                (0, _) => write!(path, "M{across} {down}"),
                (_, Shape::Step) => write!(path, "H{across}V{down}"),
                _ => write!(path, "L{across} {down}"),
            };
        }
        if self.shape == Shape::Step {
            path.push_str("H1000");
        }
        path
    }
}

/// Where each bar of each series begins: on top of those of the series before it at the same place.
fn stacks(series: &[Series]) -> Vec<Vec<f64>> {
    let mut heights: BTreeMap<u64, f64> = BTreeMap::new();
    let mut of = |series: &Series| {
        let Shape::Bars { .. } = series.shape else { return Vec::new() };
        let stacked = series.points.iter().map(|(at, value)| {
            let height = heights.entry(at.to_bits()).or_default();
            let from = *height;
            *height += value;
            from
        });
        stacked.collect()
    };
    series.iter().map(&mut of).collect()
}

/// All that the vertical axis must cover.
fn values<'s>(series: &'s [Series], stacks: &'s [Vec<f64>]) -> impl Iterator<Item = f64> + 's {
    series.iter().zip(stacks).flat_map(|(series, stack)| {
        let from = stack.iter().copied().chain(std::iter::repeat(0.0));
        series.points.iter().zip(from).map(|(point, from)| point.1 + from)
    })
}

/// What the script needs to show values.
fn data(series: &[Series], x: &Scale<'_>, y: &Scale<'_>) -> String {
    let (axis, origin) = match x.axis {
        Axis::Number { .. } => ("number", String::new()),
        Axis::Time { origin } => ("time", origin.as_nanos().to_string()),
        Axis::Span => ("span", String::new()),
    };
    let series = series.iter().map(|series| {
        let mut of = json!({
            "n": escaped(&series.name),
            "c": series.colour % 8,
            "x": series.points.iter().map(|point| point.0).collect::<Vec<_>>(),
            "y": series.points.iter().map(|point| rounded(point.1)).collect::<Vec<_>>(),
        });
        match &series.shape {
            Shape::Step => of["hold"] = json!(true),
            Shape::Up | Shape::Down | Shape::Dots => of["mark"] = json!(true),
            Shape::Bars { ends } => (of["hold"], of["ends"]) = (json!(true), json!(ends)),
            Shape::Line | Shape::Area => {}
        }
        of
    });
    let series: Vec<_> = series.collect();
    json!({ "axis": axis, "origin": origin, "ends": x.ends(), "xd": x.decimals(), "yd": y.decimals(), "series": series }).to_string()
}

/// Ten digits: more than can be told apart on a screen.
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

fn percent(part: f64) -> String {
    format!("{}%", trimmed(format!("{:.3}", part * 100.0)))
}

fn thousandth(part: f64) -> String {
    trimmed(format!("{:.1}", part * UNIT))
}

/// Without the zeros at the end of its decimals.
fn trimmed(text: String) -> String {
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, points: &[(f64, f64)]) -> Chart {
        let axis = |from_zero| Axis::Number { unit: String::new(), from_zero };
        let series = Series { name: "a&b".to_owned(), shape, colour: 0, points: points.to_vec() };
        Chart { title: "t".to_owned(), id: "i".to_owned(), x: axis(false), y: axis(true), height: 100, series: vec![series] }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        // 0 to 10, and a twentieth above.
        let html = chart(Shape::Line, &[(0.0, 0.0), (1.0, 10.0), (2.0, 10.5)]).figure();
        assert!(html.contains("d=\"M0 1000L500 93L1000 47.6\""), "{html}");
        assert!(html.contains("aria-label=\"t. a&amp;b: 3 values from 0 to 10.5, the last 10.5\""), "{html}");
    }

    #[test]
    fn a_step_holds_its_value() {
        let html = chart(Shape::Step, &[(0.0, 0.0), (1.0, 10.0), (2.0, 0.0)]).figure();
        assert!(html.contains("d=\"M0 1000H500V47.6H1000V1000H1000\""), "{html}");
    }

    #[test]
    fn bars_at_one_place_are_stacked() {
        let mut bars = chart(Shape::Bars { ends: vec![1.0, 2.0] }, &[(0.0, 4.0), (1.0, 2.0)]);
        bars.series.push(Series { points: vec![(0.0, 6.0), (1.0, 0.0)], ..bars.series[0].clone() });
        let html = bars.figure();
        // Of 10.5 in all: 4 from the bottom, 6 on top of it; what is zero is not drawn.
        assert!(html.contains("<rect class=\"bar\" x=\"0%\" y=\"61.905%\" width=\"47%\" height=\"38.095%\"/>"), "{html}");
        assert!(html.contains("<rect class=\"bar\" x=\"0%\" y=\"4.762%\" width=\"47%\" height=\"57.143%\"/>"), "{html}");
        assert_eq!(html.matches("<rect class=\"bar\"").count(), 3);
    }

    #[test]
    fn nothing_is_no_fault() {
        assert!(chart(Shape::Line, &[]).figure().contains("<svg"));
    }
}
