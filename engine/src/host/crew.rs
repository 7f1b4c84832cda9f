//! One thread's shards, and how they keep pace with the others'. Invariant: a slice is run only when everything due in it has landed, and when
//! nothing has landed that another cut of the windows would not have landed too.
//!
//! A window, in which no shard can hear of another, is cut into slices: what is sent in one slice is due a whole window later, so a thread
//! may be nearly a window ahead of the others before it must wait for them. After some windows all threads meet, and agree on what is next.

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
use crate::trace::Wording;

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

/// Slices of a window: more make the threads wait less for each other, and exchange more.
const SLICES: i64 = 4;
/// The most windows between two meetings.
const STRIDE: u32 = 64;

/// What one shard has for another one after a slice.
struct Parcel {
    from: usize,
    slice: u64,
    batch: Batch,
}

/// How the shards of a run reach each other: a channel for batches and one for empty batches, to each.
#[derive(Clone)]
pub(super) struct Post {
    inboxes: Vec<(Sender<Parcel>, Receiver<Parcel>)>,
    spares: Vec<(Sender<Batch>, Receiver<Batch>)>,
}

impl Post {
    pub(super) fn new(shards: usize) -> Self {
        // Windows have fewer than twice SLICES slices, no shard is more than a window ahead, and what came is taken before each slice.
        let room = 4 * SLICES as usize * shards;
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
    pub(super) wording: Option<Wording>,
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
    /// What came from threads that are ahead.
    held: Vec<Parcel>,
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
    /// Slices of the run so far.
    slices: u64,
    /// Windows until the next meeting.
    stride: u32,
}

/// How the windows of a stint are cut.
struct Cut {
    /// The length of a slice. `None`: all that is left.
    slice: Option<Duration>,
    /// Slices in a window.
    slack: u64,
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
            let tap = Tap::new(berth.wording.clone());
            if berth.records {
                shard.core.observe_by(Box::new(tap.clone()));
            }
            shard.core.log = berth.logs.then(|| tap.log());
            let order = berth.ready.unwrap_or(shard.ready);
            shard.ready_order(order);
            let mut roots = prepared.roots;
            roots.retain(|entry| border.owns(entry.to));
            shard.confine(border);
            let first = if berth.restore.is_some() { shard.next_instant() } else { shard.open()? };
            earliest = [earliest, first].into_iter().flatten().min();
            members.push(Member { index, shard: prepared.shard, roots, tap, held: Vec::new() });
        }
        let crew = Self { berth, members, declared, begins: None, next: None, over: false, meetings: 0, slices: 0, stride: 1 };
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
        self.berth.meeting.barrier.gather()?;
        while windows < stint.windows
            && !self.over
            && let Some(from) = self.next
            && stint.bound.is_none_or(|bound| from <= bound)
        {
            windows += self.slide(from, stint, self.stride.min(stint.windows - windows))?;
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

    fn cut(&self, stint: Stint) -> Cut {
        match [self.berth.plan.lookahead, stint.longest].into_iter().flatten().min() {
            // Nobody is waited for.
            longest if self.berth.threads == 1 || self.berth.plan.lookahead.is_none() => Cut { slice: longest, slack: 1 },
            None => Cut { slice: None, slack: 1 },
            Some(window) => {
                let slice = (window.as_nanos() / SLICES).max(1);
                Cut { slice: Some(Duration::nanos(slice)), slack: (window.as_nanos() / slice) as u64 }
            }
        }
    }

    /// Runs at most so many windows from an instant on, and meets the other threads. Gives how many it were.
    fn slide(&mut self, from: Instant, stint: Stint, windows: u32) -> Result<u32, Broken> {
        let Cut { slice, slack } = self.cut(stint);
        let bound = stint.bound.unwrap_or(Instant::MAX);
        let mut count = u64::from(windows) * slack;
        if let Some(slice) = slice {
            let span = i128::from(bound.as_nanos()) - i128::from(from.as_nanos());
            count = count.min(u64::try_from(span / i128::from(slice.as_nanos()) + 1).unwrap_or(u64::MAX));
        } else {
            count = 1;
        }
        let (mut begin, mut earliest) = (from, None::<Instant>);
        for index in 0..count {
            let next = slice.and_then(|slice| begin.checked_add(slice));
            let end = next.map_or(bound, |next| bound.min(next - Duration::nanos(1)));
            if index >= slack {
                self.catch_up(self.slices + 1 - slack)?;
            }
            let sent = self.run(end);
            // What was sent earlier has landed where it belongs.
            if index + slack >= count {
                earliest = [earliest, sent].into_iter().flatten().min();
            }
            self.slices += 1;
            self.berth.meeting.barrier.pass(self.berth.thread, self.slices);
            begin = next.unwrap_or(bound);
        }
        self.meet(earliest)?;
        let is_dense = self.next.is_some_and(|next| {
            slice.is_none_or(|slice| i128::from(next.as_nanos()) - i128::from(begin.as_nanos()) < i128::from(slice.as_nanos()))
        });
        self.stride = if is_dense { (self.stride * 2).min(STRIDE) } else { 1 };
        Ok(u32::try_from(count.div_ceil(slack)).expect("as many windows as wanted, or fewer"))
    }

    /// Runs all shards up to `end`, inclusive, and sends what crosses. Gives when the first of that is due.
    fn run(&mut self, end: Instant) -> Option<Instant> {
        if let Some(at) = self.begins.take() {
            for member in &mut self.members {
                member.shard.start(at, std::mem::take(&mut member.roots));
            }
        }
        let mut earliest: Option<Instant> = None;
        for member in &mut self.members {
            // After an early end the run is repeated on one shard: the others must not wait, and what is sent is of no use.
            if !self.over {
                self.over = member.shard.run(Some(end), None) == Some(Advance::Over);
                earliest = [earliest, Self::send(&self.berth.post, member, self.slices)].into_iter().flatten().min();
            }
        }
        earliest
    }

    /// Waits until all threads have so many slices behind them, and takes in what was sent in these.
    fn catch_up(&mut self, slices: u64) -> Result<(), Broken> {
        self.berth.meeting.barrier.wait_for(slices)?;
        self.members.iter_mut().for_each(|member| Self::receive(&self.berth.post, member, slices));
        Ok(())
    }

    /// Meets the other threads, to agree on what is next. `earliest`: when the first of what is under way from here is due.
    fn meet(&mut self, earliest: Option<Instant>) -> Result<(), Broken> {
        let next = self.members.iter_mut().filter_map(|member| member.shard.next_instant()).chain(earliest).min();
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
            Self::receive(&self.berth.post, member, self.slices);
            // Every shard hears of it after the same meeting, so no thread waits for another at one that does not take place.
            self.over |= member.shard.core.border.as_ref().is_some_and(|border| border.conflict);
        }
        Ok(())
    }

    /// Sends what crosses from a shard in a slice; gives when the first of it is due.
    fn send(post: &Post, member: &mut Member, slice: u64) -> Option<Instant> {
        let border = member.shard.core.border.as_mut()?;
        let mut earliest: Option<Instant> = None;
        for (to, (sender, _)) in post.inboxes.iter().enumerate() {
            if to != member.index && border.has_for(to) {
                let spare = post.spares[member.index].1.try_recv().unwrap_or_default();
                let batch = border.take(to, spare);
                earliest = [earliest, batch.earliest].into_iter().flatten().min();
                sender.send(Parcel { from: member.index, slice, batch }).expect("the receiving end lives in the post");
            }
        }
        earliest
    }

    /// Takes in what was sent in the first so many slices. News of streams must not land before its time: who opens a stream in this slice
    /// has not heard of who opens it in the next.
    fn receive(post: &Post, member: &mut Member, slices: u64) {
        member.held.extend(post.inboxes[member.index].1.try_iter());
        for Parcel { from, mut batch, .. } in member.held.extract_if(.., |parcel| parcel.slice < slices) {
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
