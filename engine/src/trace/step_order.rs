//! Puts the records of each step into file order, for runs whose actors take their turns in another order.

use std::io;

use crate::path::{Path, Rank};
use crate::sort;
use crate::trace::record::{Observer, TraceHash, TraceRecord, Wording};

/// A record that waits for the end of its step.
struct Waiting {
    stands: (Rank, Path),
    record: TraceRecord<'static>,
    text: Option<String>,
    kind: String,
}

/// Between a run whose actors do not take their turns by rank and path and an observer that wants file order.
pub(crate) struct StepOrder {
    inner: Box<dyn Observer>,
    /// By the run's numbers: who it is, and the number that the inner observer knows, which goes by first appearance in file order.
    names: Vec<Option<(Rank, Path)>>,
    numbers: Vec<Option<u32>>,
    announced: u32,
    step: Vec<Waiting>,
}

impl StepOrder {
    pub(crate) fn new(inner: Box<dyn Observer>) -> Self {
        Self { inner, names: Vec::new(), numbers: Vec::new(), announced: 0, step: Vec::new() }
    }

    fn flush(&mut self) -> io::Result<()> {
        // Stable: what one receiver got is in order already.
        sort::by(&mut self.step, |a, b| a.stands.cmp(&b.stands));
        for waiting in std::mem::take(&mut self.step) {
            let sender = self.number(waiting.record.sender);
            let receiver = self.number(waiting.record.receiver);
            self.inner.record(&TraceRecord { sender, receiver, kind: &waiting.kind, text: waiting.text.as_deref(), ..waiting.record })?;
        }
        Ok(())
    }

    fn number(&mut self, id: u32) -> u32 {
        let index = id as usize;
        if let Some(number) = self.numbers[index] {
            return number;
        }
        let number = self.announced;
        self.announced += 1;
        self.numbers[index] = Some(number);
        let (rank, path) = self.names[index].as_ref().expect("somebody who was named");
        self.inner.name(number, path, *rank);
        number
    }
}

impl Observer for StepOrder {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        let index = id as usize;
        if self.names.len() <= index {
            self.names.resize(index + 1, None);
            self.numbers.resize(index + 1, None);
        }
        self.names[index] = Some((rank, path.clone()));
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        let key = |record: &TraceRecord<'_>| (record.at, record.round, record.step);
        if self.step.first().is_some_and(|first| key(&first.record) != key(record)) {
            self.flush()?;
        }
        self.step.push(Waiting {
            stands: self.names[record.receiver as usize].clone().expect("a receiver that was named"),
            record: TraceRecord { kind: "", text: None, ..*record },
            text: record.text.map(str::to_owned),
            kind: record.kind.to_owned(),
        });
        Ok(())
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.flush()?;
        self.inner.end(hash)
    }

    fn still(&mut self) -> io::Result<()> {
        self.flush()?;
        self.inner.still()
    }

    fn wording(&self) -> Option<Wording> {
        self.inner.wording()
    }
}
