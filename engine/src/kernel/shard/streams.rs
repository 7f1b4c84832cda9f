//! A shard's streams: opening them, taking what is due, the short way of a lone one, and what actors ask of them (rules R7, R10, R11, R14, R15).
//! Invariant: the merge knows the head of every open stream between two instants.

use super::{DRAIN, Phase, Shard};
use crate::context::Control;
use crate::error::RunError;
use crate::kernel::border::Opening;
use crate::kernel::entry::ActorId;
use crate::kernel::stream::{Drain, Drained, Emitted, LateItem, NO_HEAD, StreamCall, StreamCell, instant, key};
use crate::snapshot::RestoreError;
use crate::time::Instant;

impl Shard {
    /// Opens the streams that are subscribed to; gives the earliest of their first items, where a run without a declared start begins (rule R11).
    pub(crate) fn open(&mut self) -> Result<Option<Instant>, RunError> {
        self.merge.resize(self.streams.len());
        let mut earliest: Option<Instant> = None;
        for number in 0..self.streams.len() {
            if self.streams[number].has_subscribers() {
                let first = self.streams[number].open().map_err(|error| self.source_error(number, error))?;
                earliest = [earliest, first].into_iter().flatten().min();
            }
        }
        Ok(earliest)
    }

    /// Lets the opened streams read up to what they deliver first. With a declared start, what lies before it is skipped.
    pub(crate) fn settle(&mut self, declared: Option<Instant>) {
        self.declared = declared;
        for number in 0..self.streams.len() {
            if self.streams[number].is_open() {
                if let Some(declared) = declared {
                    self.streams[number].skip(declared, false);
                }
                self.streams[number].settle();
                self.look_at(number);
            }
        }
    }

    /// Puts the streams where a snapshot has left them; those it does not name were not open.
    pub(crate) fn resume_streams(
        &mut self,
        declared: Option<Instant>,
        mut resume: impl FnMut(&mut dyn StreamCell) -> Result<(), RestoreError>,
    ) -> Result<(), RestoreError> {
        self.declared = declared;
        self.merge.resize(self.streams.len());
        for number in 0..self.streams.len() {
            resume(&mut self.streams[number])?;
            self.look_at(number);
        }
        Ok(())
    }

    pub(super) fn source_error(&self, number: usize, error: crate::source::SourceError) -> RunError {
        RunError::Source { stream: self.core.path(self.streams[number].id()).to_string(), error }
    }

    /// A stream has moved: the merge and the time-keeper learn its head, the run its failure.
    #[inline]
    pub(super) fn look_at(&mut self, number: usize) {
        let stream = &self.streams[number];
        self.merge.set(number, stream.head());
        if stream.failure().is_some() {
            self.fail_source(number);
        }
    }

    #[cold]
    pub(super) fn fail_source(&mut self, number: usize) {
        if self.error.is_none()
            && let Some(error) = self.streams[number].failure()
        {
            self.error = Some(self.source_error(number, error.clone()));
        }
    }

    /// The stream that is next, and when.
    #[inline]
    pub(super) fn least_head(&self) -> Option<(usize, Instant)> {
        let (number, head) = self.merge.least();
        if head < NO_HEAD {
            return Some((number, instant(head)));
        }
        // The last instant there is, or no head at all.
        let last = self.streams.iter().position(|stream| stream.head() == Some(Instant::MAX));
        last.map(|number| (number, Instant::MAX))
    }

    #[inline]
    pub(super) fn take_streams(&mut self, at: Instant) {
        let before = self.step.len();
        while let Some((number, head)) = self.least_head()
            && head <= at
        {
            let taken = self.streams[number].take(at, &self.core, &mut self.step);
            self.merge.set(number, taken.head);
            if taken.failed {
                self.fail_source(number);
            }
            self.items += taken.emitted;
            if let Some(late) = taken.late {
                self.refuse_late(number, &late);
            }
            if taken.items > 0 {
                self.rounds |= taken.items > 1 && self.streams[number].one_by_one();
                self.active.push((number as u32, taken.items));
            }
        }
        if let [(_, items)] = self.active[..] {
            // One item for its subscribers, who are kept in order, is in order.
            self.emitted_in_order = before == 0 && items == 1;
        } else if !self.active.is_empty() {
            self.emitted_in_order = false;
        }
    }

    /// The step of a late item that is an error is the last one, even if nothing is delivered in it.
    #[cold]
    pub(super) fn refuse_late(&mut self, number: usize, late: &LateItem) {
        self.forced = true;
        let stream = self.streams[number].id();
        let error = RunError::Late {
            site: self.core.site(),
            stream: self.core.path(stream).to_string(),
            index: late.index,
            event_time: late.event_time,
            lag: late.lag,
        };
        self.core.fault(stream, error);
    }

    /// Runs instants in which nothing happens but the ordinary items of one stream: the way of a plain replay, kept short. `false`: the next one is
    /// not of this kind.
    pub(super) fn drain(&mut self, bound: Instant) -> bool {
        if self.limits.max_steps == 0 {
            return false;
        }
        self.delivered_before = self.core.counters.deliveries;
        (self.core.round, self.core.step, self.core.event) = (0, 0, None);
        let mut drain =
            Drain { merge: &mut self.merge, core: &mut self.core, cells: &self.cells, bound: key(bound).min(NO_HEAD - 1), left: DRAIN };
        let drained = self.streams.drain(&mut drain);
        let any = drain.left < DRAIN;
        if let Drained::Open(number) = drained {
            self.drained_into(number);
            if self.core.tasks.any_due() {
                self.poll(self.core.me);
            }
        }
        any
    }

    /// Goes on with the instant in which a drain has stopped.
    pub(super) fn drained_into(&mut self, number: usize) {
        self.merge.set(number, self.streams[number].head());
        self.phase = Phase::Running;
        self.pos = 0;
        self.step.clear();
        // Whatever is counted for this instant is counted at its still point.
        self.delivered_before = self.core.counters.deliveries - 1;
        self.steps_before = self.core.counters.steps - 1;
        self.streams[number].rest(&self.core, &mut self.step);
    }

    /// Begins the next round if a stream has an item for it (rule R15).
    pub(super) fn next_round(&mut self) -> bool {
        let round = self.core.round + 1;
        let mut any = false;
        for at in 0..self.active.len() {
            let (number, items) = self.active[at];
            if self.streams[number as usize].one_by_one() && items > round as usize {
                if !any {
                    any = true;
                    self.core.round = round;
                    self.core.step = 0;
                }
                match self.streams[number as usize].emit(round as usize, &self.core, &mut self.step) {
                    Emitted::Nothing => {}
                    Emitted::Item => self.items += 1,
                    Emitted::Late(late) => self.refuse_late(number as usize, &late),
                }
            }
        }
        self.emitted_in_order = self.step.len() <= 1;
        any
    }

    /// Subscriptions to streams and their control act from the first event after this instant.
    pub(super) fn call_streams(&mut self) {
        for call in std::mem::take(&mut self.core.stream_calls) {
            let id = match &call {
                StreamCall::Subscribe { stream, .. } | StreamCall::Unsubscribe { stream, .. } | StreamCall::Control { stream, .. } => {
                    *stream
                }
            };
            let number = self.core.cold[id.index()].stream.expect("a stream has a number") as usize;
            match call {
                StreamCall::Subscribe { who, subscriber, .. } => {
                    self.open_late(number);
                    if self.core.is_living(who) {
                        self.streams[number].subscribe(subscriber, &mut self.core);
                    }
                }
                StreamCall::Unsubscribe { who, .. } => self.streams[number].unsubscribe(who),
                StreamCall::Control { what, .. } => self.streams[number].control(what),
            }
            self.look_at(number);
        }
    }

    /// A stream that is first subscribed to now is opened as if it were spawned now; one that was opened in another shard, as it was there.
    pub(super) fn open_late(&mut self, number: usize) {
        if self.streams[number].is_open() {
            return;
        }
        if let Err(error) = self.streams[number].open() {
            let error = self.source_error(number, error);
            self.error.get_or_insert(error);
            return;
        }
        let now = self.core.now;
        let opening = match &mut self.core.border {
            Some(border) => border.opening(number, now),
            None => Opening::At(now),
        };
        match (opening, self.declared) {
            (Opening::At(at), _) => self.streams[number].skip(at, true),
            (Opening::Start, Some(declared)) => self.streams[number].skip(declared, false),
            (Opening::Start, None) => {}
        }
        self.streams[number].settle();
        if opening != Opening::At(now) {
            self.streams[number].catch_up(now, &self.core);
        }
    }

    /// When a stream's next event comes to a subscriber, as this instant's calls have left it.
    pub(super) fn next_event(&mut self, number: usize, who: ActorId) -> Option<Instant> {
        let id = self.streams[number].id();
        let mut subscribed = self.streams[number].subscribers().contains(&who);
        let left = self.active.iter().any(|(active, items)| *active as usize == number && *items > self.core.round as usize + 1);
        if subscribed && left && self.streams[number].one_by_one() {
            return Some(self.core.now);
        }
        let (mut paused, mut ended) = (self.streams[number].is_paused(), false);
        for call in &self.core.stream_calls {
            match call {
                StreamCall::Subscribe { stream, who: caller, .. } if (*stream, *caller) == (id, who) => subscribed = true,
                StreamCall::Unsubscribe { stream, who: caller } if (*stream, *caller) == (id, who) => subscribed = false,
                StreamCall::Control { stream, what: Control::End } if *stream == id => ended = true,
                StreamCall::Control { stream, what } if *stream == id => paused = *what == Control::Pause,
                _ => {}
            }
        }
        if !subscribed || paused || ended {
            return None;
        }
        self.open_late(number);
        self.streams[number].real_head()
    }
}
