//! Where the boxes and arrows of a drawing stand. Invariant: the same graph gives the same drawing; no box covers another.

use std::collections::{BTreeMap, BTreeSet};

use stillpoint_engine::scenario::Graph;

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

/// An arrow between two boxes, as a cubic curve.
pub(crate) struct Arrow {
    pub(crate) points: [(i64, i64); 4],
    pub(crate) labels: Vec<String>,
    pub(crate) label_at: (i64, i64),
    pub(crate) is_stream: bool,
}

/// What one arrow stands for: the kinds of messages, and the link's properties.
#[derive(Default)]
struct Way {
    messages: BTreeSet<String>,
    link: Option<String>,
    is_stream: bool,
}

/// Places streams in the first column, and each actor one column after the last of those that lead to it, as far as there is no circle.
pub(crate) fn layout(graph: &Graph) -> Layout {
    let ways = ways(graph);
    let column = columns(graph, &ways);
    let mut stacks: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let names = graph.streams.iter().chain(&graph.actors).map(|node| node.name.as_str());
    names.for_each(|name| stacks.entry(column[name]).or_default().push(name));
    let tallest = stacks.values().map(Vec::len).max().unwrap_or(0) as i64;
    let inner_height = tallest * BOX.1 + (tallest - 1).max(0) * GAP.1;
    let mut place: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut columns_used = 0;
    for stack in stacks.values_mut() {
        // Near those that lead there, so that few arrows cross; names break ties.
        let weight = |name: &str| {
            let from: Vec<i64> = ways.keys().filter(|(_, to)| *to == name).filter_map(|(from, _)| place.get(from)).map(|at| at.1).collect();
            if from.is_empty() { 0 } else { from.iter().sum::<i64>() / from.len() as i64 }
        };
        stack.sort_by_key(|name| (weight(name), *name));
        let count = stack.len() as i64;
        let top = HEAD + MARGIN + (inner_height - count * BOX.1 - (count - 1) * GAP.1) / 2;
        for (row, name) in stack.iter().enumerate() {
            place.insert(name, (MARGIN + columns_used * (BOX.0 + GAP.0), top + row as i64 * (BOX.1 + GAP.1)));
        }
        columns_used += 1;
    }
    let boxes = |nodes: &[stillpoint_engine::scenario::Node], is_stream| -> Vec<Placed> {
        let placed = nodes.iter().map(|node| {
            let (x, y) = place[node.name.as_str()];
            Placed { x, y, name: node.name.clone(), kind: node.kind.clone(), is_stream }
        });
        placed.collect()
    };
    let mut all = boxes(&graph.streams, true);
    all.extend(boxes(&graph.actors, false));
    let arrows: Vec<Arrow> = ways.iter().map(|((from, to), way)| arrow(place[from], place[to], way)).collect();
    // Arrows between boxes of one column bulge to the right of it, arrows back run below.
    let right = arrows.iter().flat_map(|arrow| arrow.points).map(|(x, _)| x).max().unwrap_or(0) + GAP.0 / 2;
    let below = arrows.iter().flat_map(|arrow| arrow.points).map(|(_, y)| y).max().unwrap_or(0);
    let width = (2 * MARGIN + columns_used * BOX.0 + (columns_used - 1).max(0) * GAP.0).max(right);
    Layout { width, height: (HEAD + 2 * MARGIN + inner_height).max(below + MARGIN), boxes: all, arrows }
}

/// One way for each ordered pair that has a reference or a link.
fn ways(graph: &Graph) -> BTreeMap<(&str, &str), Way> {
    let mut ways: BTreeMap<(&str, &str), Way> = BTreeMap::new();
    for edge in &graph.edges {
        let way = ways.entry((&edge.from, &edge.to)).or_default();
        way.is_stream = edge.is_stream;
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

/// The column of each name: streams 0; actors by breadth first from the streams, then from the first actor not yet reached.
fn columns<'g>(graph: &'g Graph, ways: &BTreeMap<(&'g str, &'g str), Way>) -> BTreeMap<&'g str, usize> {
    let mut column: BTreeMap<&str, usize> = graph.streams.iter().map(|node| (node.name.as_str(), 0)).collect();
    let first = usize::from(!graph.streams.is_empty());
    let mut frontier: Vec<&str> = column.keys().copied().collect();
    loop {
        let mut depth = 0;
        while !frontier.is_empty() {
            let mut next = BTreeSet::new();
            for (from, to) in ways.keys().filter(|(from, _)| frontier.contains(from)) {
                if !column.contains_key(to) {
                    depth = column[from] + 1;
                    next.insert(*to);
                }
            }
            next.iter().for_each(|name| {
                column.insert(name, depth);
            });
            frontier = next.into_iter().collect();
        }
        match graph.actors.iter().map(|node| node.name.as_str()).find(|name| !column.contains_key(name)) {
            Some(name) => {
                column.insert(name, first);
                frontier = vec![name];
            }
            None => return column,
        }
    }
}

/// The curve from one box to another: forward from side to side; back underneath; within a column around the right.
fn arrow(from: (i64, i64), to: (i64, i64), way: &Way) -> Arrow {
    let mid = BOX.1 / 2;
    let points = if to.0 > from.0 {
        let (start, end) = ((from.0 + BOX.0, from.1 + mid - 6), (to.0, to.1 + mid - 6));
        let reach = (end.0 - start.0) / 2;
        [start, (start.0 + reach, start.1), (end.0 - reach, end.1), end]
    } else if to.0 < from.0 {
        let (start, end) = ((from.0, from.1 + mid + 12), (to.0 + BOX.0, to.1 + mid + 12));
        let reach = (start.0 - end.0) / 2;
        [start, (start.0 - reach, start.1 + 24), (end.0 + reach, end.1 + 24), end]
    } else {
        let (start, end) = ((from.0 + BOX.0, from.1 + mid + 6), (to.0 + BOX.0, to.1 + mid + if from == to { -12 } else { -6 }));
        let reach = 60 + (end.1 - start.1).abs() / 4;
        [start, (start.0 + reach, start.1), (end.0 + reach, end.1), end]
    };
    let middle = |pick: fn(&(i64, i64)) -> i64| {
        let [a, b, c, d] = [pick(&points[0]), pick(&points[1]), pick(&points[2]), pick(&points[3])];
        (a + 3 * b + 3 * c + d) / 8
    };
    let mut labels: Vec<String> = way.messages.iter().cloned().collect();
    labels.extend(way.link.clone());
    Arrow { points, labels, label_at: (middle(|p| p.0), middle(|p| p.1)), is_stream: way.is_stream }
}
