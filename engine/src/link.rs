//! Links: who may send to whom, one way, and how long it takes (rules R2, R14). Invariant: a link's own randomness and order depend on the
//! link, the sender and the receiver alone (rule R19).

use std::collections::BTreeMap;

use crate::kernel::entry::ActorId;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// What a link does to a message.
///
/// ```
/// use stillpoint_engine::{Duration, Link};
/// let link = Link::latency(Duration::micros(250)).jitter(Duration::micros(50)).loss(0.001);
/// assert_eq!(link.least(), Duration::micros(250));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    latency: Duration,
    jitter: Duration,
    loss: f64,
    down: Vec<(Instant, Instant)>,
}

impl Link {
    /// A link that takes this long. Panics if `latency` is negative.
    pub fn latency(latency: Duration) -> Self {
        assert!(latency >= Duration::ZERO, "a link cannot take {latency}");
        Self { latency, jitter: Duration::ZERO, loss: 0.0, down: Vec::new() }
    }

    /// Adds a uniformly random time in `0..=jitter` to each message; a message never overtakes an earlier one of the same sender and receiver.
    /// Panics if `jitter` is negative.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        assert!(jitter >= Duration::ZERO, "a link's jitter cannot be {jitter}");
        self.jitter = jitter;
        self
    }

    /// Loses each message with this probability. Panics if it is not in `0.0..=1.0`.
    #[must_use]
    pub fn loss(mut self, probability: f64) -> Self {
        assert!((0.0..=1.0).contains(&probability), "a link cannot lose messages with probability {probability}");
        self.loss = probability;
        self
    }

    /// Loses what is sent from `from` to before `to`.
    #[must_use]
    pub fn down(mut self, from: Instant, to: Instant) -> Self {
        self.down.push((from, to));
        self
    }

    /// The least time a message takes: what lookahead is made of.
    pub fn least(&self) -> Duration {
        self.latency
    }
}

/// How a message fares.
pub(crate) enum Travel {
    Arrives(Instant),
    /// After the end of time.
    Never,
    Lost,
    Undeclared,
}

/// The numbers and the last arrival of one link, sender and receiver.
struct Path {
    rng: Rng,
    last: Instant,
}

impl Path {
    fn rng(seed: u64, digests: (u64, u64)) -> Rng {
        Rng::of(seed, "link", &format!("link {:016x} {:016x}", digests.0, digests.1))
    }
}

/// All links of a run, by roots.
#[derive(Default)]
pub(crate) struct Links {
    links: BTreeMap<(ActorId, ActorId), Link>,
    paths: BTreeMap<(ActorId, ActorId), Path>,
}

impl Links {
    pub(crate) fn insert(&mut self, from: ActorId, to: ActorId, link: Link) -> bool {
        self.links.insert((from, to), link).is_none()
    }

    /// What has travelled over links that draw numbers: by sender and receiver, how many words were drawn and the last arrival.
    pub(crate) fn travelled(&self) -> impl Iterator<Item = ((ActorId, ActorId), u64, Instant)> {
        self.paths.iter().map(|(ends, path)| (*ends, path.rng.drawn(), path.last))
    }

    /// Puts a sender and a receiver where a snapshot has left them.
    pub(crate) fn resume(&mut self, seed: u64, ends: (ActorId, ActorId), digests: (u64, u64), drawn: u64, last: Instant) {
        self.paths.insert(ends, Path { rng: Path::rng(seed, digests).after(drawn), last });
    }

    pub(crate) fn has(&self, from: ActorId, to: ActorId) -> bool {
        self.links.contains_key(&(from, to))
    }

    /// Every link's ends, and the least time a message takes over it.
    pub(crate) fn least(&self) -> impl Iterator<Item = ((ActorId, ActorId), Duration)> + '_ {
        self.links.iter().map(|(ends, link)| (*ends, link.least()))
    }

    pub(crate) fn travel(
        &mut self,
        seed: u64,
        roots: (ActorId, ActorId),
        ends: (ActorId, ActorId),
        digests: (u64, u64),
        now: Instant,
        delay: Duration,
    ) -> Travel {
        let Some(link) = self.links.get(&roots) else { return Travel::Undeclared };
        if link.down.iter().any(|(from, to)| *from <= now && now < *to) {
            return Travel::Lost;
        }
        let (latency, jitter) = (i128::from(link.latency.as_nanos()), link.jitter.as_nanos() as u64);
        let soonest = i128::from(now.as_nanos()) + latency + i128::from(delay.as_nanos());
        let arrives = |at: i128| i64::try_from(at).map_or(Travel::Never, |at| Travel::Arrives(Instant::from_nanos(at)));
        if link.jitter == Duration::ZERO && link.loss == 0.0 {
            return arrives(soonest);
        }
        let path = self.paths.entry(ends).or_insert_with(|| Path { rng: Path::rng(seed, digests), last: Instant::MIN });
        // Both numbers are drawn for every message, so that loss does not shift later jitter.
        let (loss, jitter) = (path.rng.uniform(), path.rng.below(jitter + 1));
        if loss < link.loss {
            return Travel::Lost;
        }
        let arrival = arrives((soonest + i128::from(jitter)).max(i128::from(path.last.as_nanos())));
        if let Travel::Arrives(at) = arrival {
            path.last = at;
        }
        arrival
    }
}
