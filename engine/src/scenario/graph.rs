//! Who is joined to whom in a scenario, for drawing. Invariant: nodes and edges come in the order of names.

use std::collections::BTreeSet;

use super::schema::Scenario;
use crate::sort;
use crate::time::Duration;

/// The streams, actors and links of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The scenario's name.
    pub name: String,
    /// The streams.
    pub streams: Vec<Node>,
    /// The actors.
    pub actors: Vec<Node>,
    /// What was referred to by name while the actors were made: by whom, and for which messages.
    pub edges: Vec<Edge>,
    /// The declared links.
    pub links: Vec<LinkEdge>,
}

/// A stream or an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
}

/// A reference from one entry to another: the way messages may go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Whose messages: a stream or an actor.
    pub from: String,
    /// Who gets them.
    pub to: String,
    /// Their kind. Empty if the reference does not tell.
    pub message: String,
    /// Whether `from` is a stream.
    pub is_stream: bool,
}

/// A declared link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkEdge {
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// The least time a message takes.
    pub latency: Duration,
    /// What may be added to it.
    pub jitter: Option<Duration>,
    /// The share of messages that are lost, as text.
    pub loss: Option<String>,
}

impl Edge {
    pub(crate) fn stream(stream: &str, to: &str, message: &str) -> Self {
        Self { from: stream.to_owned(), to: to.to_owned(), message: message.to_owned(), is_stream: true }
    }

    pub(crate) fn message(from: &str, to: &str, message: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned(), message: message.to_owned(), is_stream: false }
    }
}

impl Graph {
    pub(crate) fn of(scenario: &Scenario, edges: BTreeSet<Edge>) -> Self {
        let node = |name: &str, kind: &str| Node { name: name.to_owned(), kind: kind.to_owned() };
        let mut streams: Vec<Node> = scenario.streams.iter().map(|entry| node(&entry.name.value, &entry.kind.name.value)).collect();
        let mut actors: Vec<Node> = scenario.actors.iter().map(|entry| node(&entry.name.value, &entry.kind.name.value)).collect();
        sort::by(&mut streams, |a, b| a.name.cmp(&b.name));
        sort::by(&mut actors, |a, b| a.name.cmp(&b.name));
        let links = scenario.links.iter().map(|link| LinkEdge {
            from: link.from.value.clone(),
            to: link.to.value.clone(),
            latency: link.latency,
            jitter: link.jitter,
            loss: link.loss.map(|loss| loss.to_string()),
        });
        let mut links: Vec<LinkEdge> = links.collect();
        sort::by(&mut links, Ord::cmp);
        links.dedup();
        Self { name: scenario.name.clone(), streams, actors, edges: edges.into_iter().collect(), links }
    }
}
