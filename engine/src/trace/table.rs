//! The names and kinds of one trace as small numbers. Invariant: a number is never given twice, and its digest depends on the text alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::digest_of_text;
use crate::path::{Path, Rank};

/// Who appears in a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    entries: Vec<(Path, Rank)>,
    digests: Vec<u64>,
}

impl Names {
    pub(super) fn add(&mut self, path: Path, rank: Rank) -> u32 {
        self.digests.push(digest_of_text(&path.to_string()));
        self.entries.push((path, rank));
        u32::try_from(self.entries.len() - 1).expect("at most 2^32 names in a trace")
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn path(&self, id: u32) -> &Path {
        &self.entries[id as usize].0
    }

    pub(super) fn rank(&self, id: u32) -> Rank {
        self.entries[id as usize].1
    }

    #[inline]
    pub(super) fn digest(&self, id: u32) -> u64 {
        self.digests[id as usize]
    }
}

/// The kinds of messages that appear in a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    texts: Vec<Arc<str>>,
    digests: Vec<u64>,
    numbers: BTreeMap<Arc<str>, u32>,
}

impl Kinds {
    /// The number of a kind; `guess` is tried first. The flag says whether the kind is new.
    #[inline]
    pub(crate) fn intern(&mut self, kind: &str, guess: u32) -> (u32, bool) {
        if self.texts.get(guess as usize).is_some_and(|known| **known == *kind) {
            return (guess, false);
        }
        match self.numbers.get(kind) {
            Some(number) => (*number, false),
            None => (self.add(kind), true),
        }
    }

    pub(crate) fn add(&mut self, kind: &str) -> u32 {
        let number = self.texts.len() as u32;
        let text: Arc<str> = kind.into();
        self.texts.push(text.clone());
        self.digests.push(digest_of_text(kind));
        self.numbers.insert(text, number);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, number: u32) -> &Arc<str> {
        &self.texts[number as usize]
    }

    #[inline]
    pub(crate) fn digest(&self, number: u32) -> u64 {
        self.digests[number as usize]
    }
}
