//! Two observers of one run. Invariant: each is told what it would be told alone.

use std::io;
use std::sync::Arc;

use crate::path::{Path, Rank};
use crate::trace::record::{Observer, TraceHash, TraceRecord, Wording};

/// Tells two observers, each in its own wording.
///
/// ```
/// use stillpoint_engine::trace::{Both, Collect, Observer, TraceHash};
/// let (one, two) = (Collect::new("one"), Collect::new("two"));
/// let mut both = Both::new(Box::new(one.clone()), Box::new(two.clone()));
/// both.end(TraceHash(1))?;
/// assert_eq!((one.hash(), two.hash()), (Some(TraceHash(1)), Some(TraceHash(1))));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Both {
    first: Box<dyn Observer + Send>,
    second: Box<dyn Observer + Send>,
    /// Whether each of them wants texts; if both do, records carry them [joined].
    wants: (bool, bool),
}

impl Both {
    /// An observer that tells these two.
    pub fn new(first: Box<dyn Observer + Send>, second: Box<dyn Observer + Send>) -> Self {
        let wants = (first.wording().is_some(), second.wording().is_some());
        Self { first, second, wants }
    }
}

/// What the one and the other has to hear, in one text: the first one's length, and both. `-` stands for no text.
fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (None, None) => None,
        (Some(first), None) => Some(format!("{}:{first}-", first.len())),
        (first, Some(second)) => {
            let (length, first) = first.map_or(("-".to_owned(), String::new()), |first| (first.len().to_string(), first));
            Some(format!("{length}:{first}+{second}"))
        }
    }
}

/// What [`joined`] has put into one text.
fn parted(text: &str) -> (Option<&str>, Option<&str>) {
    let (length, rest) = text.split_once(':').expect("a text that was joined");
    let (first, rest) = match length.parse() {
        Ok(length) => (Some(&rest[..length]), &rest[length..]),
        Err(_) => (None, rest),
    };
    (first, rest.strip_prefix('+'))
}

impl Observer for Both {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        self.first.name(id, path, rank);
        self.second.name(id, path, rank);
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        let (first, second) = match (record.text, self.wants) {
            (Some(text), (true, true)) => parted(text),
            (text, (first, second)) => (text.filter(|_| first), text.filter(|_| second)),
        };
        self.first.record(&TraceRecord { text: first, ..*record })?;
        self.second.record(&TraceRecord { text: second, ..*record })
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        let first = self.first.end(hash);
        self.second.end(hash).and(first)
    }

    fn still(&mut self) -> io::Result<()> {
        self.first.still()?;
        self.second.still()
    }

    fn wording(&self) -> Option<Wording> {
        match (self.first.wording(), self.second.wording()) {
            (Some(first), Some(second)) => Some(Arc::new(move |message, debug| joined(first(message, debug), second(message, debug)))),
            (first, second) => first.or(second),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_comes_apart_again() {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for first in ["", "a", "-", "3:+b", "é:"] {
            for second in ["", "b", "+", "2:é-"] {
                match joined(text(first), text(second)) {
                    None => assert_eq!((first, second), ("", "")),
                    Some(both) => assert_eq!(parted(&both), (text(first).as_deref(), text(second).as_deref()), "{both}"),
                }
            }
        }
    }
}
