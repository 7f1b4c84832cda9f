//! Where the boxes and arrows of a drawing stand. Invariant: the same graph gives the same drawing; no box covers another.

use std::collections::{BTreeMap, BTreeSet};

use stillpoint_engine::scenario::{Graph, Node};

/// Width and height of a box.
pub(crate) const BOX: (i64, i64) = (170, 46);
const GAP: (i64, i64) = (190, 34);
const MARGIN: i64 = 30;
/// Room for the title.
const HEAD: i64 = 40;

/// A placed drawing, in pixels.
pub(crate) struct Layout {
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) boxes: Vec<Placed>,
    pub(crate) arrows: Vec<Arrow>,
}

pub(crate) struct Placed {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) is_stream: bool,
}

/// An arrow between two boxes: cubic curves, each from where the one before ends.
pub(crate) struct Arrow {
    pub(crate) curves: Vec<Curve>,
    pub(crate) labels: Vec<String>,
    pub(crate) label_at: (i64, i64),
    pub(crate) is_stream: bool,
}

/// Start, two control points, end.
pub(crate) type Curve = [(i64, i64); 4];

/// What one arrow stands for: the kinds of messages, and the link's properties.
#[derive(Default)]
struct Way {
    messages: BTreeSet<String>,
    link: Option<String>,
    is_stream: bool,
    is_reference: bool,
}

/// What takes room in a column: a box, or an arrow that passes between boxes on its way to a later column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot<'g> {
    Box(&'g str),
    Pass((&'g str, &'g str)),
}

impl Slot<'_> {
    fn height(self) -> i64 {
        match self {
            Self::Box(_) => BOX.1,
            Self::Pass(_) => 0,
        }
    }
}

/// Places streams in the first column, and each actor after those that refer to it; no arrow forward crosses a box.
pub(crate) fn layout(graph: &Graph) -> Layout {
    let ways = ways(graph);
    let column = columns(graph, &ways);
    let mut stacks: BTreeMap<usize, Vec<Slot<'_>>> = BTreeMap::new();
    let names = graph.streams.iter().chain(&graph.actors).map(|node| node.name.as_str());
    names.for_each(|name| stacks.entry(column[name]).or_default().push(Slot::Box(name)));
    for (from, to) in ways.keys() {
        (column[from] + 1..column[to]).for_each(|passed| stacks.entry(passed).or_default().push(Slot::Pass((from, to))));
    }
    let height_of = |stack: &[Slot<'_>]| stack.iter().map(|slot| slot.height()).sum::<i64>() + (stack.len() as i64 - 1).max(0) * GAP.1;
    let inner_height = stacks.values().map(|stack| height_of(stack)).max().unwrap_or(0);
    let x_of = |column: usize| MARGIN + column as i64 * (BOX.0 + GAP.0);
    // The middle of each box, and of each arrow in the columns that it passes.
    let mut middle: BTreeMap<(usize, Slot<'_>), i64> = BTreeMap::new();
    for (index, stack) in &mut stacks {
        // Near those that lead there, so that few arrows cross; names break ties.
        let before = |from: &str, to: &str| {
            let passing = index
                .checked_sub(1)
                .and_then(|before| middle.iter().find(|((at, slot), _)| *at == before && *slot == Slot::Pass((from, to))));
            passing.map(|(_, y)| *y).or_else(|| middle.iter().find(|((_, slot), _)| *slot == Slot::Box(from)).map(|(_, y)| *y))
        };
        let weight = |slot: &Slot<'_>| match slot {
            Slot::Pass((from, to)) => before(from, to).unwrap_or(0),
            Slot::Box(name) => {
                let from: Vec<i64> = ways.keys().filter(|(_, to)| to == name).filter_map(|(from, to)| before(from, to)).collect();
                if from.is_empty() { 0 } else { from.iter().sum::<i64>() / from.len() as i64 }
            }
        };
        let mut weighted: Vec<(i64, Slot<'_>)> = stack.iter().map(|slot| (weight(slot), *slot)).collect();
        weighted.sort();
        let mut top = HEAD + MARGIN + (inner_height - height_of(stack)) / 2;
        for (_, slot) in weighted {
            middle.insert((*index, slot), top + slot.height() / 2);
            top += slot.height() + GAP.1;
        }
    }
    let corner = |name: &str| {
        let at = column[name];
        let y = middle.iter().find(|((_, slot), _)| *slot == Slot::Box(name)).map_or(0, |(_, y)| *y);
        (x_of(at), y - BOX.1 / 2)
    };
    let boxes = |nodes: &[Node], is_stream| -> Vec<Placed> {
        let placed = nodes.iter().map(|node| {
            let (x, y) = corner(&node.name);
            Placed { x, y, name: node.name.clone(), kind: node.kind.clone(), is_stream }
        });
        placed.collect()
    };
    let mut all = boxes(&graph.streams, true);
    all.extend(boxes(&graph.actors, false));
    let arrows = ways.iter().map(|((from, to), way)| {
        let passed = (column[from] + 1..column[to]).map(|at| (x_of(at), middle[&(at, Slot::Pass((from, to)))]));
        arrow(corner(from), corner(to), &passed.collect::<Vec<_>>(), way)
    });
    let arrows: Vec<Arrow> = arrows.collect();
    // Arrows between boxes of one column bulge to the right of it, arrows back run below.
    let points = || arrows.iter().flat_map(|arrow| arrow.curves.iter().flatten());
    let right = points().map(|(x, _)| x + MARGIN).max().unwrap_or(0);
    let below = points().map(|(_, y)| y + MARGIN).max().unwrap_or(0);
    let columns = stacks.keys().next_back().map_or(0, |last| last + 1);
    let width = (x_of(columns) - GAP.0 + MARGIN).max(right).max(2 * BOX.0);
    Layout { width, height: (HEAD + 2 * MARGIN + inner_height).max(below), boxes: all, arrows }
}

/// One way for each ordered pair that has a reference or a link.
fn ways(graph: &Graph) -> BTreeMap<(&str, &str), Way> {
    let mut ways: BTreeMap<(&str, &str), Way> = BTreeMap::new();
    for edge in &graph.edges {
        let way = ways.entry((&edge.from, &edge.to)).or_default();
        (way.is_stream, way.is_reference) = (edge.is_stream, true);
        if !edge.message.is_empty() {
            way.messages.insert(edge.message.clone());
        }
    }
    for link in &graph.links {
        let jitter = link.jitter.map(|jitter| format!(" + 0..{jitter}")).unwrap_or_default();
        let loss = link.loss.as_ref().map(|loss| format!(", loss {loss}")).unwrap_or_default();
        ways.entry((&link.from, &link.to)).or_default().link = Some(format!("{}{jitter}{loss}", link.latency));
    }
    ways
}

/// The column of each name: streams 0, an actor one after the last of those that refer to it; of a circle of references the one that closes
/// it, going through the names in order, does not count. Links alone place nobody: many of them only lead answers back.
fn columns<'g>(graph: &'g Graph, ways: &BTreeMap<(&'g str, &'g str), Way>) -> BTreeMap<&'g str, usize> {
    let mut column: BTreeMap<&str, usize> = graph.streams.iter().map(|node| (node.name.as_str(), 0)).collect();
    let mut under_way = BTreeSet::new();
    for node in &graph.actors {
        place_after(&node.name, ways, &mut under_way, &mut column);
    }
    column
}

fn place_after<'g>(
    name: &'g str,
    ways: &BTreeMap<(&'g str, &'g str), Way>,
    under_way: &mut BTreeSet<&'g str>,
    column: &mut BTreeMap<&'g str, usize>,
) -> usize {
    if let Some(known) = column.get(name) {
        return *known;
    }
    under_way.insert(name);
    let mut own = 0;
    for ((from, to), way) in ways {
        if *to == name && way.is_reference && !under_way.contains(from) {
            own = own.max(place_after(from, ways, under_way, column) + 1);
        }
    }
    under_way.remove(name);
    column.insert(name, own);
    own
}

/// The curves from one box to another: forward from side to side, past the points where other columns leave room; back underneath; within a
/// column around the right.
fn arrow(from: (i64, i64), to: (i64, i64), passed: &[(i64, i64)], way: &Way) -> Arrow {
    let mid = BOX.1 / 2;
    let curves: Vec<Curve> = if to.0 > from.0 {
        let mut curves = Vec::new();
        let mut start = (from.0 + BOX.0, from.1 + mid - 6);
        for (x, y) in passed {
            curves.push(eased(start, (*x, *y)));
            start = (x + BOX.0, *y);
            curves.push([(*x, *y), (*x, *y), start, start]);
        }
        curves.push(eased(start, (to.0, to.1 + mid - 6)));
        curves
    } else if to.0 < from.0 {
        let (start, end) = ((from.0, from.1 + mid + 12), (to.0 + BOX.0, to.1 + mid + 12));
        let reach = (start.0 - end.0) / 2;
        vec![[start, (start.0 - reach, start.1 + 24), (end.0 + reach, end.1 + 24), end]]
    } else {
        let (start, end) = ((from.0 + BOX.0, from.1 + mid + 6), (to.0 + BOX.0, to.1 + mid + if from == to { -12 } else { -6 }));
        let reach = 60 + (end.1 - start.1).abs() / 4;
        vec![[start, (start.0 + reach, start.1), (end.0 + reach, end.1), end]]
    };
    // Nearer to where the arrow comes from: many arrows may end in one box, and two boxes may have arrows both ways.
    let near_start = |pick: fn(&(i64, i64)) -> i64| {
        let [a, b, c, d] = curves[0].each_ref().map(pick);
        (343 * a + 441 * b + 189 * c + 27 * d) / 1000
    };
    let label_at = (near_start(|p| p.0), near_start(|p| p.1));
    let mut labels: Vec<String> = way.messages.iter().cloned().collect();
    labels.extend(way.link.clone());
    Arrow { curves, labels, label_at, is_stream: way.is_stream }
}

/// Leaves and arrives level.
fn eased(start: (i64, i64), end: (i64, i64)) -> Curve {
    let reach = (end.0 - start.0) / 2;
    [start, (start.0 + reach, start.1), (end.0 - reach, end.1), end]
}

#[cfg(test)]
mod tests {
    use stillpoint_engine::scenario::{Registry, Scenario};

    use super::*;

    fn drawn(actors: &str) -> Layout {
        let text = format!(r#"(name: "x", streams: [(name: "s", kind: script(steps: []))], actors: [{actors}])"#);
        let scenario = Scenario::parse("x.ron", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        layout(&scenario.build(&Registry::new()).unwrap_or_else(|error| panic!("{error}")).graph)
    }

    fn x_of(layout: &Layout, name: &str) -> i64 {
        layout.boxes.iter().find(|placed| placed.name == name).map_or(-1, |placed| placed.x)
    }

    #[test]
    fn actors_stand_after_those_that_refer_to_them() {
        let layout = drawn(
            r#"(name: "a", kind: relay(streams: ["s"], to: "b")), (name: "b", kind: relay(streams: ["s"], to: "c")), (name: "c", kind: recorder)"#,
        );
        let x: Vec<i64> = ["s", "a", "b", "c"].iter().map(|name| x_of(&layout, name)).collect();
        assert_eq!(x, [30, 390, 750, 1110]);
    }

    #[test]
    fn a_circle_of_references_is_cut() {
        let layout = drawn(r#"(name: "a", kind: relay(to: "b")), (name: "b", kind: relay(to: "a"))"#);
        assert!(x_of(&layout, "a") > x_of(&layout, "b") && layout.arrows.len() == 2);
    }

    #[test]
    fn no_box_covers_another_and_no_arrow_crosses_one() {
        let layout = drawn(
            r#"(name: "a", kind: relay(streams: ["s"], to: "d")), (name: "b", kind: relay(streams: ["s"], to: "d")),
               (name: "c", kind: relay(streams: ["s"], to: "d")), (name: "d", kind: relay(streams: ["s"], to: "e")), (name: "e", kind: recorder(streams: ["s"]))"#,
        );
        let covers = |placed: &Placed, (x, y): (i64, i64)| placed.x < x && x < placed.x + BOX.0 && placed.y < y && y < placed.y + BOX.1;
        for placed in &layout.boxes {
            for other in layout.boxes.iter().filter(|other| other.name != placed.name) {
                let corners = [(0, 0), (BOX.0, 0), (0, BOX.1), BOX].map(|(w, h)| (other.x + w, other.y + h));
                assert!(!corners.iter().any(|corner| covers(placed, *corner)), "{} covers {}", placed.name, other.name);
            }
            for [a, b, c, d] in layout.arrows.iter().flat_map(|arrow| &arrow.curves) {
                for t in 1..10 {
                    let weights = [(10 - t) * (10 - t) * (10 - t), 3 * t * (10 - t) * (10 - t), 3 * t * t * (10 - t), t * t * t];
                    let mix = |p: [i64; 4]| p.iter().zip(weights).map(|(p, w)| p * w).sum::<i64>() / 1000;
                    let at = (mix([a.0, b.0, c.0, d.0]), mix([a.1, b.1, c.1, d.1]));
                    assert!(!covers(placed, at), "an arrow crosses {}", placed.name);
                }
            }
        }
    }
}
