//! The command `graph`: a scenario as a drawing. Invariant: the SVG stands alone: no script, no font, no picture from elsewhere.

use std::fmt::Write;
use std::path::Path;

use stillpoint_engine::scenario::{Graph, Registry};

use crate::failure::{Done, Failure, print};
use crate::layout::{Arrow, BOX, Placed, layout};

/// Draws the scenario to a file or to stdout.
pub(crate) fn graph(file: &Path, output: Option<&Path>, registry: &Registry) -> Result<Done, Failure> {
    let built = crate::read::scenario(file, &[])?.build(registry)?;
    let drawing = svg(&built.graph);
    match output {
        None => print(&drawing),
        Some(path) => match std::fs::write(path, drawing) {
            Ok(()) => Ok(Done::Well),
            Err(error) => Err(Failure::Work(format!("cannot write {}: {error}", path.display()))),
        },
    }
}

fn svg(graph: &Graph) -> String {
    let layout = layout(graph);
    let (width, height) = (layout.width, layout.height);
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<title>{name}</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z" fill="#555"/></marker></defs>
<rect width="{width}" height="{height}" fill="#fff"/>
<text x="30" y="34" font-size="16" font-weight="bold" fill="#222">{name}</text>
"##,
        name = escaped(&graph.name)
    );
    layout.arrows.iter().for_each(|arrow| curve(&mut text, arrow));
    layout.boxes.iter().for_each(|placed| boxed(&mut text, placed));
    layout.arrows.iter().for_each(|arrow| label(&mut text, arrow));
    text.push_str("</svg>\n");
    text
}

/// Streams have round ends.
fn boxed(text: &mut String, placed: &Placed) {
    let Placed { x, y, .. } = placed;
    let (fill, stroke, corner) = if placed.is_stream { ("#eaf3ff", "#3b73b9", BOX.1 / 2) } else { ("#fff6e5", "#b97b1a", 6) };
    let middle = x + BOX.0 / 2;
    push(
        text,
        format_args!(
            r##"<rect x="{x}" y="{y}" width="{}" height="{}" rx="{corner}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>
<text x="{middle}" y="{}" text-anchor="middle" font-weight="bold" fill="#222">{}</text>
<text x="{middle}" y="{}" text-anchor="middle" fill="#666">{}</text>
"##,
            BOX.0,
            BOX.1,
            y + 20,
            fitted(&placed.name),
            y + 36,
            fitted(&placed.kind)
        ),
    );
}

fn curve(text: &mut String, arrow: &Arrow) {
    let dashes = if arrow.is_stream { "" } else { r#" stroke-dasharray="6 3""# };
    let mut path = String::new();
    for (index, [a, b, c, d]) in arrow.curves.iter().enumerate() {
        if index == 0 {
            push(&mut path, format_args!("M{} {}", a.0, a.1));
        }
        push(&mut path, format_args!(" C{} {}, {} {}, {} {}", b.0, b.1, c.0, c.1, d.0, d.1));
    }
    push(
        text,
        format_args!(
            r##"<path d="{path}" fill="none" stroke="#555" stroke-width="1.3"{dashes} marker-end="url(#head)"/>
"##
        ),
    );
}

/// The lines of a label, on white, over the middle of the curve.
fn label(text: &mut String, arrow: &Arrow) {
    let (x, y) = arrow.label_at;
    let lines = arrow.labels.len() as i64;
    for (index, line) in arrow.labels.iter().enumerate() {
        let baseline = y + 4 + (index as i64 * 2 - (lines - 1)) * 7;
        let line = escaped(line);
        push(
            text,
            format_args!(
                r##"<text x="{x}" y="{baseline}" text-anchor="middle" fill="#222" stroke="#fff" stroke-width="4" paint-order="stroke">{line}</text>
"##
            ),
        );
    }
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a text takes all that is written to it");
}

/// As much of a name as a box has room for.
fn fitted(name: &str) -> String {
    const ROOM: usize = 24;
    if name.chars().count() <= ROOM { escaped(name) } else { escaped(&name.chars().take(ROOM - 1).chain(['…']).collect::<String>()) }
}

/// A text as the content of an element or an attribute of HTML or SVG.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
