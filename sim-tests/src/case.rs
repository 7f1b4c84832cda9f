//! A case: what streams bring, what goes wrong with them and with links, as data. Invariant: a case has no reference to code; it can be
//! saved, changed and run again.

use std::collections::BTreeSet;

use stillpoint_engine::scenario::{StreamFault, spoil};
use stillpoint_engine::{Duration, Instant, Late, Rank, Stream, Timed};

use crate::sample::Sample;

/// A generated input, or one from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<M> {
    /// The seed of the run.
    pub seed: u64,
    /// The streams, in the order of their names.
    pub streams: Vec<Feed<M>>,
    /// What goes wrong with streams: the stream's index, and what.
    pub faults: Vec<(usize, StreamFault)>,
    /// What goes wrong with the links that the world declares.
    pub weather: Vec<Weather>,
}

/// One stream of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed<M> {
    /// Its name.
    pub name: String,
    /// Where it stands among the streams.
    pub rank: Rank,
    /// What becomes of late items.
    pub late: Late,
    /// How long items are held back to be sorted.
    pub reorder: Option<Duration>,
    /// Whether items of one instant have a round each.
    pub one_by_one: bool,
    /// The items in the order of their source.
    pub items: Vec<Timed<M>>,
}

/// What goes wrong with one link.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// The sender's root.
    pub from: String,
    /// The receiver's root.
    pub to: String,
    /// Jitter.
    pub jitter: Duration,
    /// Probability of loss.
    pub loss: f64,
    /// When what is sent is lost: from, and to before.
    pub down: Option<(Instant, Instant)>,
}

impl<M: Sample> Case<M> {
    /// How many items its streams have.
    pub fn events(&self) -> usize {
        self.streams.iter().map(|feed| feed.items.len()).sum()
    }

    /// The event times of all items, sorted, each once.
    pub fn instants(&self) -> Vec<Instant> {
        let all: BTreeSet<Instant> = self.streams.iter().flat_map(|feed| &feed.items).map(|item| item.at).collect();
        all.into_iter().collect()
    }

    /// The stream with this index, whose items come from `plain`, as the engine takes it, faults included.
    pub(crate) fn stream(&self, index: usize, plain: Stream<M>) -> Stream<M> {
        let feed = &self.streams[index];
        let mut stream = plain.rank(feed.rank).late(feed.late);
        let faults: Vec<StreamFault> = self.faults.iter().filter(|(of, _)| *of == index).map(|(_, fault)| *fault).collect();
        if !faults.is_empty() {
            stream = stream.wrap(move |source| spoil(source, faults.clone()));
        }
        if let Some(delay) = feed.reorder {
            stream = stream.reorder(delay);
        }
        if feed.one_by_one { stream.one_by_one() } else { stream }
    }

    /// What goes wrong with the link from one root to another.
    pub(crate) fn weather(&self, from: &str, to: &str) -> Option<&Weather> {
        self.weather.iter().find(|weather| weather.from == from && weather.to == to)
    }
}
