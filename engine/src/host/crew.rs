//! One thread's shards, and how they meet the others' between windows. Invariant: a window is run only when everything due in it has landed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::barrier::{Barrier, Broken};
use super::launch::Build;
use super::merge::{Part as Seen, Tap};
use super::plan::Plan;
use crate::error::RunError;
use crate::kernel::border::{Batch, Border, Opening};
use crate::kernel::entry::Entry;
use crate::kernel::ready::ReadyOrder;
use crate::kernel::shard::{Advance, Shard};
use crate::outcome::Part;
use crate::run::{Progress, progress_of};
use crate::snapshot::{self, Changes, Image, Snapshot, SnapshotError};
use crate::time::{Duration, Instant};
use crate::trace::Observer;

/// What a thread tells the others at a meeting.
struct Seat {
    next: AtomicI64,
    state: AtomicU8,
}

/// There is a next instant.
const HAS_NEXT: u8 = 1;
/// A shard has come to an early end, or cannot go on.
const OVER: u8 = 2;

/// Where the threads of one run meet.
pub(super) struct Meeting {
    barrier: Barrier,
    /// Of even and odd meetings: a thread is at most one meeting ahead of those that still read.
    seats: [Vec<Seat>; 2],
}

impl Meeting {
    pub(super) fn new(threads: usize) -> Self {
        let seats = || (0..threads).map(|_| Seat { next: AtomicI64::new(0), state: AtomicU8::new(0) }).collect();
        Self { barrier: Barrier::new(threads), seats: [seats(), seats()] }
    }
}

/// A batch with the shard it is from.
type Parcel = (usize, Batch);

/// How the shards of a run reach each other: a channel for batches and one for empty batches, to each.
#[derive(Clone)]
pub(super) struct Post {
    inboxes: Vec<(Sender<Parcel>, Receiver<Parcel>)>,
    spares: Vec<(Sender<Batch>, Receiver<Batch>)>,
}

impl Post {
    pub(super) fn new(shards: usize) -> Self {
        // No shard is more than a window ahead, so there is always room.
        let room = 2 * shards + 2;
        Self { inboxes: (0..shards).map(|_| bounded(room)).collect(), spares: (0..shards).map(|_| bounded(room)).collect() }
    }
}

/// One thread of a run.
#[derive(Clone)]
pub(super) struct Berth {
    pub(super) thread: usize,
    pub(super) threads: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) opened: Arc<Vec<Option<Opening>>>,
    pub(super) restore: Option<Arc<Snapshot>>,
    pub(super) post: Post,
    pub(super) meeting: Arc<Meeting>,
    pub(super) ready: Option<ReadyOrder>,
    pub(super) records: bool,
    pub(super) texts: bool,
    pub(super) logs: bool,
}

/// How far to go until the next report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stint {
    pub(super) windows: u32,
    /// The longest window; never longer than the lookahead.
    pub(super) longest: Option<Duration>,
    pub(super) bound: Option<Instant>,
}

/// How far a thread has come.
pub(super) struct Progressed {
    /// The next instant of the whole run: every thread says the same.
    pub(super) next: Option<Instant>,
    /// Some shard has come to an early end.
    pub(super) over: bool,
    pub(super) windows: u32,
    pub(super) progress: Progress,
    /// What the shards have observed, with their numbers.
    pub(super) parts: Vec<(usize, Seen)>,
}

/// What a thread's shards came to.
pub(super) struct Finished {
    pub(super) parts: Vec<Part>,
    /// Whether anything was left to do.
    pub(super) has_more: bool,
    /// A shard knows of something that other shards should have known before: the run has to be run on one shard.
    pub(super) conflict: bool,
}

struct Member {
    index: usize,
    shard: Shard,
    roots: Vec<Entry>,
    tap: Tap,
}

/// The shards of one thread.
pub(super) struct Crew {
    berth: Berth,
    members: Vec<Member>,
    declared: Option<Instant>,
    /// When the run begins, until it has.
    begins: Option<Instant>,
    next: Option<Instant>,
    over: bool,
    meetings: usize,
}

impl Crew {
    /// Builds the simulation anew and keeps this thread's shards of it. Gives the earliest item of its streams, or what comes next after the
    /// snapshot.
    pub(super) fn enlist(berth: Berth, build: &Build) -> Result<(Self, Option<Instant>), RunError> {
        let shards = berth.plan.shards;
        let (mut members, mut declared, mut earliest) = (Vec::new(), None, None::<Instant>);
        for index in (berth.thread..shards).step_by(berth.threads) {
            let mut prepared = build.prepare()?;
            let shard = &mut prepared.shard;
            if shard.core.hot.len() != berth.plan.owners.len() || shard.streams.len() != berth.opened.len() {
                return Err(RunError::Host(
                    "it was built differently a second time; what builds it must not depend on anything outside".to_owned(),
                ));
            }
            declared = prepared.start;
            let (mut owners, mut opened) = (berth.plan.owners.clone(), Vec::clone(&berth.opened));
            if let Some(snapshot) = &berth.restore {
                owners = snapshot.owners(&prepared, owners);
                snapshot::restore(&mut prepared, snapshot.image(), &Changes::default(), &|id| usize::from(owners[id.index()]) == index)
                    .map_err(|error| RunError::Restore(error.to_string()))?;
                opened = snapshot.openings(&prepared);
            }
            let shard = &mut prepared.shard;
            let border = Border::new(index, shards, owners, &opened);
            let tap = Tap::new(berth.texts);
            shard.core.observer = berth.records.then(|| Box::new(tap.clone()) as Box<dyn Observer>);
            shard.core.log = berth.logs.then(|| tap.log());
            let order = berth.ready.unwrap_or(shard.ready);
            shard.ready_order(order);
            let mut roots = prepared.roots;
            roots.retain(|entry| border.owns(entry.to));
            shard.confine(border);
            let first = if berth.restore.is_some() { shard.next_instant() } else { shard.open()? };
            earliest = [earliest, first].into_iter().flatten().min();
            members.push(Member { index, shard: prepared.shard, roots, tap });
        }
        let crew = Self { berth, members, declared, begins: None, next: None, over: false, meetings: 0 };
        Ok((crew, earliest))
    }

    /// Begins the run at an instant, of which nothing is delivered yet.
    pub(super) fn start(&mut self, at: Instant) {
        if self.berth.restore.is_none() {
            for member in &mut self.members {
                member.shard.settle(self.declared);
            }
            self.begins = Some(at);
        }
        self.next = Some(at);
    }

    /// What a snapshot needs of these shards, which are at a still point.
    pub(super) fn save(&mut self, name: &str) -> Result<Vec<Image>, SnapshotError> {
        if self.begins.is_some() {
            return Err(SnapshotError::Unbegun);
        }
        let parts = self.members.iter_mut().map(|member| {
            let border = member.shard.core.border.take().expect("a shard among others");
            let part = snapshot::take(&mut member.shard, name, &|id| border.owns(id));
            member.shard.core.border = Some(border);
            part
        });
        parts.collect()
    }

    /// Runs some windows. Every thread of the run must be told the same.
    pub(super) fn work(&mut self, stint: Stint, spares: Vec<Seen>) -> Result<Progressed, Broken> {
        let mut windows = 0;
        while windows < stint.windows
            && !self.over
            && let Some(from) = self.next
            && stint.bound.is_none_or(|bound| from <= bound)
        {
            self.window(self.end_of_window(from, stint))?;
            windows += 1;
        }
        let (next, over) = (self.next, self.over);
        let progress = self.progress();
        for observer in self.members.iter_mut().filter_map(|member| member.shard.core.observer.as_mut()) {
            // The tap takes everything.
            let _ = observer.still();
        }
        let parts = self.members.iter().zip(spares).map(|(member, spare)| (member.index, member.tap.take(spare))).collect();
        Ok(Progressed { next, over, windows, progress, parts })
    }

    fn end_of_window(&self, from: Instant, stint: Stint) -> Instant {
        let longest = [self.berth.plan.lookahead, stint.longest].into_iter().flatten().min();
        let end = longest.and_then(|longest| from.checked_add(longest - Duration::nanos(1))).unwrap_or(Instant::MAX);
        stint.bound.map_or(end, |bound| bound.min(end))
    }

    /// Runs one window up to `end`, inclusive, and meets the other threads.
    fn window(&mut self, end: Instant) -> Result<(), Broken> {
        if let Some(at) = self.begins.take() {
            for member in &mut self.members {
                member.shard.start(at, std::mem::take(&mut member.roots));
            }
        }
        let mut next: Option<Instant> = None;
        for member in &mut self.members {
            self.over |= member.shard.run(Some(end), None) == Some(Advance::Over);
            next = [next, member.shard.next_instant(), Self::send(&self.berth.post, member)].into_iter().flatten().min();
        }
        let seats = &self.berth.meeting.seats[self.meetings % 2];
        self.meetings += 1;
        let seat = &seats[self.berth.thread];
        seat.next.store(next.map_or(0, Instant::as_nanos), Ordering::Relaxed);
        seat.state.store((u8::from(next.is_some()) * HAS_NEXT) | (u8::from(self.over) * OVER), Ordering::Relaxed);
        self.berth.meeting.barrier.wait()?;
        self.next = None;
        for seat in seats {
            let state = seat.state.load(Ordering::Relaxed);
            self.over |= state & OVER > 0;
            if state & HAS_NEXT > 0 {
                let next = Instant::from_nanos(seat.next.load(Ordering::Relaxed));
                self.next = Some(self.next.map_or(next, |least| least.min(next)));
            }
        }
        for member in &mut self.members {
            Self::receive(&self.berth.post, member);
            // Every shard hears of it after the same window, so no thread waits for another at a meeting that does not take place.
            self.over |= member.shard.core.border.as_ref().is_some_and(|border| border.conflict);
        }
        Ok(())
    }

    /// Sends what crosses from a shard; gives when the first of it is due.
    fn send(post: &Post, member: &mut Member) -> Option<Instant> {
        let border = member.shard.core.border.as_mut()?;
        let mut earliest: Option<Instant> = None;
        for (to, (sender, _)) in post.inboxes.iter().enumerate() {
            if to != member.index && border.has_for(to) {
                let spare = post.spares[member.index].1.try_recv().unwrap_or_default();
                let batch = border.take(to, spare);
                earliest = [earliest, batch.earliest].into_iter().flatten().min();
                sender.send((member.index, batch)).expect("the receiving end lives in the post");
            }
        }
        earliest
    }

    fn receive(post: &Post, member: &mut Member) {
        while let Ok((from, mut batch)) = post.inboxes[member.index].1.try_recv() {
            member.shard.core.land(from, &mut batch);
            // One that finds no room is dropped.
            let _ = post.spares[from].0.try_send(batch);
        }
    }

    fn progress(&self) -> Progress {
        let none = Progress { at: Instant::MIN, until: None, events: 0, deliveries: 0, read: (0, 0) };
        self.members.iter().fold(none, |sum, member| sum.and(&progress_of(&member.shard, None)))
    }

    /// This thread will not come to the next meeting.
    pub(super) fn give_up(&self) {
        self.berth.meeting.barrier.give_up();
    }

    /// What the run came to here.
    pub(super) fn finish(&mut self) -> Finished {
        let mut finished = Finished { parts: Vec::new(), has_more: false, conflict: false };
        for member in &mut self.members {
            finished.has_more |= self.begins.is_some() || member.shard.has_more();
            finished.conflict |= member.shard.core.border.as_ref().is_some_and(|border| border.conflict);
            finished.parts.push(member.shard.part());
        }
        finished
    }
}
