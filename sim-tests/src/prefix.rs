//! Digests of the first part of a trace, up to instants that are given: two runs with one digest received the same until then. Memory: one
//! digest an instant and a name an actor, whatever the length of the run.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use stillpoint_engine::trace::{Observer, TraceHash, TraceRecord};
use stillpoint_engine::{Instant, Path, Rank, digest_of};

/// An observer that keeps the digest of all records up to each instant, inclusive. Clones share it.
#[derive(Clone)]
pub(crate) struct Prefixes(Arc<Mutex<State>>);

struct State {
    /// In order.
    until: Vec<Instant>,
    digests: Vec<u64>,
    digest: u64,
    names: Vec<u64>,
}

impl Prefixes {
    pub(crate) fn new(mut until: Vec<Instant>) -> Self {
        until.sort_unstable();
        Self(Arc::new(Mutex::new(State { until, digests: Vec::new(), digest: 0, names: Vec::new() })))
    }

    /// The digests, in the order of their instants, once the run is over.
    pub(crate) fn digests(&self) -> Vec<(Instant, u64)> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = std::iter::repeat_n(state.digest, state.until.len() - state.digests.len());
        state.until.iter().copied().zip(state.digests.iter().copied().chain(rest)).collect()
    }
}

impl Observer for Prefixes {
    fn name(&mut self, id: u32, path: &Path, _: Rank) {
        let names = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).names;
        names.resize(names.len().max(id as usize + 1), 0);
        names[id as usize] = digest_of(&path.to_string());
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while state.digests.len() < state.until.len() && record.at > state.until[state.digests.len()] {
            state.digests.push(state.digest);
        }
        let (receiver, sender) = (state.names[record.receiver as usize], state.names[record.sender as usize]);
        let key = (record.at.as_nanos(), record.round, record.step);
        let rest = (record.count, record.sender_count, record.kind, record.digest);
        state.digest = digest_of(&(state.digest, key, receiver, sender, rest));
        Ok(())
    }

    fn end(&mut self, _: TraceHash) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(times: &[i64], until: &[i64]) -> Vec<u64> {
        let mut prefixes = Prefixes::new(until.iter().map(|at| Instant::from_nanos(*at)).collect());
        for (count, at) in (1..).zip(times) {
            let (round, step, receiver, sender, sender_count, digest) = (0, 0, 0, 0, 0, 7);
            let at = Instant::from_nanos(*at);
            let record = TraceRecord { at, round, step, receiver, count: Some(count), sender, sender_count, kind: "k", digest, text: None };
            if count == 1 {
                prefixes.name(0, &Path::parse("a").expect("a path"), Rank(0));
            }
            prefixes.record(&record).expect("memory takes it");
        }
        prefixes.digests().into_iter().map(|(_, digest)| digest).collect()
    }

    #[test]
    fn equal_beginnings_have_equal_digests() {
        let (one, other) = (digests(&[1, 5, 5, 9], &[0, 5, 8, 20]), digests(&[1, 5, 5, 10, 11], &[0, 5, 8, 20]));
        assert_eq!(one[..3], other[..3]);
        assert_ne!(one[3], other[3]);
        assert_eq!((one[0], one[1] == one[2], one[2] == one[3]), (0, true, false));
    }
}
