//! Where a stream stands at a still point, for snapshots (rule R13). Invariant: a stream that goes on from a position delivers what it would have
//! delivered, or says what has changed in its source.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::ahead::{Held, Item, Mark};
use super::{PastStream, StreamCell};
use crate::digest::digest_of;
use crate::kernel::border::Opening;
use crate::message::Message;
use crate::sort;
use crate::source::SourceError;
use crate::stream::LateCounts;
use crate::time::{Duration, Instant};

/// Where a stream stands at a still point. What was read ahead of it is named by its digest, not kept: it is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) opened: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) paused: bool,
    pub(crate) counts: LateCounts,
    skip_from: Instant,
    skip_inclusive: bool,
    /// Items read, and how many of them are over: delivered, dropped, skipped, or held until the end of time.
    pub(crate) read: u64,
    pub(crate) over: u64,
    /// Whether the source was read to its end, and whether that was a failure.
    exhausted: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    greatest: Option<Instant>,
    /// The next item's index in the source and its event time.
    pub(crate) next: Option<(u64, Instant)>,
    /// A digest of all that was read and is not over.
    ahead: u64,
    /// Items that were held back by Reorder.
    pub(crate) held: u64,
}

impl Position {
    /// Since when it is open, if it is.
    pub(crate) fn opening(&self) -> Option<Opening> {
        let opening = if self.skip_inclusive { Opening::At(self.skip_from) } else { Opening::Start };
        self.opened.then_some(opening)
    }
}

/// Why a stream cannot go on where it was.
pub(crate) enum Resume {
    Source(SourceError),
    /// The source is not what it was: what was found, and what was there.
    Changed(String),
}

impl<M: Message> PastStream<M> {
    pub(super) fn stands_at(&self) -> Position {
        if self.ended {
            return Position { opened: self.opened, ended: true, paused: self.paused, counts: self.counts, ..Position::default() };
        }
        let judged = self.ready[self.next..].iter().map(|item| if item.is_real() { 1 } else { item.index }).sum::<u64>();
        let waiting = judged + self.plain.ahead().len() as u64;
        let held = self.held.len() as u64;
        let (next, ahead) = self.ahead();
        Position {
            opened: self.opened,
            ended: self.ended,
            paused: self.paused,
            counts: self.counts,
            skip_from: self.skip_from,
            skip_inclusive: self.skip_inclusive,
            read: self.next_index,
            over: self.next_index - self.counts.never - held - waiting,
            exhausted: self.source.is_none(),
            failed: self.failure.is_some(),
            greatest: self.greatest,
            next,
            ahead,
            held,
        }
    }

    pub(super) fn go_on_from(&mut self, position: &Position) -> Result<(), Resume> {
        if position.opened && !position.ended {
            self.open().map_err(Resume::Source)?;
            self.skip(position.skip_from, position.skip_inclusive);
            // Sources are read in batches whose bounds depend on nothing but the source: reading as often gives what was ready and held then.
            let mut over = self.pass(position.over);
            while self.next_index < position.read || self.source.is_none() != position.exhausted && self.next_index == position.read {
                if !self.read() {
                    break;
                }
                over += self.pass(position.over - over);
            }
            let found = Position { over, opened: true, paused: position.paused, counts: position.counts, ..self.stands_at() };
            if found != *position {
                return Err(Resume::Changed(changed(&found, position, self.failure.as_ref())));
            }
        }
        self.opened = position.opened;
        self.ended = position.ended;
        self.paused = position.paused;
        self.counts = position.counts;
        Ok(())
    }

    /// Lets this many items be over that no one gets: what a merged mark stands for counts each.
    fn pass(&mut self, mut items: u64) -> u64 {
        let before = items;
        while items > 0
            && let Some(item) = self.ready.get_mut(self.next)
        {
            if !item.is_real() && item.index > items {
                item.index -= items;
                items = 0;
                break;
            }
            items -= if item.is_real() { 1 } else { item.index };
            self.real_ready -= usize::from(item.is_real());
            self.passed += u64::from(item.is_real());
            self.next += 1;
        }
        let plain = items.min(self.plain.ahead().len() as u64);
        self.plain.pass(plain as usize);
        self.passed += plain;
        self.forget_spent();
        before - (items - plain)
    }

    /// The next item that is not over, and a digest of all of them.
    fn ahead<'a>(&'a self) -> (Option<(u64, Instant)>, u64) {
        let mut held: Vec<&'a Item<M>> = self.held.iter().map(|Reverse(Held(item))| item).collect();
        sort::by_key(&mut held, |item| (item.at, item.index));
        let (_, first) = self.plain.next();
        let plain = self
            .plain
            .ahead()
            .iter()
            .zip(first..)
            .map(|(item, index)| (item.at, item.at, index, Duration::ZERO, Mark::Good, Some(&item.value)));
        let judged = |item: &'a Item<M>| (item.at, item.event_time, item.index, item.lag, item.mark, item.value.as_ref());
        let ahead = self.ready[self.next..].iter().map(judged).chain(plain).chain(held.into_iter().map(judged));
        let digest = ahead.clone().fold(0u64, |digest, (at, event_time, index, lag, mark, value)| {
            digest_of(&(digest, at, event_time, index, lag, mark as u8, value.map(digest_of)))
        });
        let next = ahead.filter(|(.., mark, _)| mark.is_real()).map(|(_, event_time, index, ..)| (index, event_time)).next();
        (next, digest)
    }
}

/// How a source differs from the one that a snapshot was taken of.
fn changed(found: &Position, saved: &Position, failure: Option<&SourceError>) -> String {
    let item = |next: Option<(u64, Instant)>| next.map_or("no item".to_owned(), |(index, at)| format!("item {index} of {at}"));
    if let Some(failure) = failure.filter(|_| !saved.failed) {
        format!("it fails after {} items: {failure}", found.read)
    } else if found.read != saved.read || found.exhausted != saved.exhausted {
        let end = |position: &Position| if position.exhausted { " to its end" } else { "" };
        format!("it has {} items{} where it had {}{}", found.read, end(found), saved.read, end(saved))
    } else if found.next != saved.next {
        format!("{} comes next where {} did", item(found.next), item(saved.next))
    } else {
        format!("{} or one of those behind it is another than it was", item(saved.next))
    }
}
