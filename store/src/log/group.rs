//! Group commit: one thread commits for all that wait. Invariant: each who waits gets exactly one answer, also when the committing thread
//! panics or the disk fails.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use stillpoint_engine::Instant;

use super::commit::{Entry, commit_name, encode};
use super::{Log, Stamp, State};
use crate::error::StoreError;

/// So many operations at most go into one commit.
const MOST_IN_GROUP: usize = 1024;
/// So many bytes of rows at most, unless one operation alone has more.
const MOST_BYTES: usize = 64 << 20;

/// What the operations that are planned for one commit leave behind.
pub(crate) struct Group<S: State> {
    tips: BTreeMap<String, S::Tip>,
    /// Something in it concerns more than one key.
    whole: bool,
    /// The instant of the commit.
    pub(crate) at: Instant,
}

impl<S: State> Group<S> {
    /// What was left behind under a key.
    pub(crate) fn tip(&self, key: &str) -> Option<&S::Tip> {
        self.tips.get(key)
    }

    /// All that was left behind, by key.
    pub(crate) fn tips(&self) -> impl Iterator<Item = (&String, &S::Tip)> {
        self.tips.iter()
    }

    /// Whether nothing was planned before.
    pub(crate) fn is_empty(&self) -> bool {
        self.tips.is_empty() && !self.whole
    }

    /// Whether something was planned that concerns more than its key.
    pub(crate) fn has_whole(&self) -> bool {
        self.whole
    }
}

/// What planning gives.
pub(crate) enum Verdict<S: State> {
    /// Operations for the commit, all or none of them, and what they leave behind under keys.
    Commit {
        /// The operations, in order.
        entries: Vec<Entry<S::Op>>,
        /// What they leave behind.
        tips: Vec<(String, S::Tip)>,
        /// They concern more than their keys, so nothing else can be planned for the same commit.
        whole: bool,
    },
    /// It depends on what is planned already: it goes into the commit after this one.
    Later,
    /// There is nothing to do.
    Nothing,
}

type Plan<S> = Box<dyn FnMut(&S, &Group<S>) -> Result<Verdict<S>, StoreError> + Send>;

/// How a wish ended.
enum Answer {
    Done(Result<Option<Stamp>, StoreError>),
    Panicked(Box<dyn Any + Send>),
}

struct Wish<S: State> {
    plan: Plan<S>,
    bytes: usize,
    answer: Arc<Mutex<Option<Answer>>>,
}

/// A wish that goes unanswered was with a thread that has panicked. Who waits for it is told; who has his answer looks no more.
impl<S: State> Drop for Wish<S> {
    fn drop(&mut self) {
        let why = || "the thread that committed for several has panicked".to_owned();
        self.answer.lock().get_or_insert_with(|| Answer::Done(Err(StoreError::Uncertain { file: "a commit".to_owned(), why: why() })));
    }
}

/// The turn of the thread that commits for all. It ends when this is dropped, also by a panic.
struct Turn<'a, S: State> {
    log: &'a Log<S>,
    wishes: VecDeque<Wish<S>>,
}

impl<S: State> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        let mut waiting = self.log.waiting.lock();
        waiting.somebody_commits = false;
        // What is left over depends on what was committed, and is older than what came meanwhile.
        while let Some(wish) = self.wishes.pop_back() {
            waiting.wishes.push_front(wish);
        }
        self.log.turn.notify_all();
    }
}

/// Who waits for a commit.
pub(super) struct Waiting<S: State> {
    wishes: VecDeque<Wish<S>>,
    somebody_commits: bool,
    /// How many there were the last time.
    last_group: usize,
}

impl<S: State> Default for Waiting<S> {
    fn default() -> Self {
        Self { wishes: VecDeque::new(), somebody_commits: false, last_group: 0 }
    }
}

impl<S: State> Log<S> {
    /// Commits what `plan` wants of the state, and returns when that was; `None` if there was nothing to do.
    ///
    /// `plan` is called again whenever the state has changed, with the latest; what it returned before is then forgotten. It may run on the
    /// thread of another caller. `bytes` is about how much its operations carry.
    ///
    /// # Errors
    /// What `plan` gives on the latest state; what the objects give.
    pub(crate) fn commit(
        &self,
        bytes: usize,
        plan: impl FnMut(&S, &Group<S>) -> Result<Verdict<S>, StoreError> + Send + 'static,
    ) -> Result<Option<Stamp>, StoreError> {
        let answer = Arc::new(Mutex::new(None));
        let mut waiting = self.waiting.lock();
        waiting.wishes.push_back(Wish { plan: Box::new(plan), bytes, answer: answer.clone() });
        loop {
            if let Some(answer) = answer.lock().take() {
                return match answer {
                    Answer::Done(result) => result,
                    Answer::Panicked(panic) => {
                        drop(waiting);
                        resume_unwind(panic)
                    }
                };
            }
            if waiting.somebody_commits {
                self.turn.wait(&mut waiting);
                continue;
            }
            waiting.somebody_commits = true;
            if waiting.last_group > 1 {
                // Who had his answer with the others may be about to come back: with him there are fewer commits.
                MutexGuard::unlocked(&mut waiting, std::thread::yield_now);
            }
            let mut turn = Turn { log: self, wishes: take_group(&mut waiting.wishes) };
            waiting.last_group = turn.wishes.len();
            drop(waiting);
            self.commit_group(&mut turn.wishes);
            drop(turn);
            waiting = self.waiting.lock();
        }
    }

    /// Commits the wishes that go into one commit, and answers them; what goes into a later one is left.
    fn commit_group(&self, wishes: &mut VecDeque<Wish<S>>) {
        loop {
            let (number, before, planned, entries) = self.plan_group(wishes);
            if planned.is_empty() {
                return;
            }
            match self.put(number, before.1, before.0, &entries) {
                Ok(true) => {
                    let stamp = Stamp { commit: number, at: before.0 };
                    for wish in planned {
                        *wish.answer.lock() = Some(Answer::Done(Ok(Some(stamp))));
                    }
                    return;
                }
                // Somebody else was first: look again, on what is there now.
                Ok(false) => {
                    for wish in planned.into_iter().rev() {
                        wishes.push_front(wish);
                    }
                    if let Err(error) = self.refresh() {
                        return fail(wishes, &error);
                    }
                }
                Err(error) => return fail(&mut planned.into(), &error),
            }
        }
    }

    /// Plans wishes on the state as it is known, up to the first that must go into a later commit. A wish that cannot be is answered.
    #[expect(clippy::type_complexity, reason = "one caller, which takes it apart at once")]
    fn plan_group(&self, wishes: &mut VecDeque<Wish<S>>) -> (u64, (Instant, u128), Vec<Wish<S>>, Vec<Entry<S::Op>>) {
        'again: loop {
            let now = self.clock.now();
            let head = self.head.read();
            let mut group = Group { tips: BTreeMap::new(), whole: false, at: now.max(head.at) };
            let (mut planned, mut all) = (Vec::new(), Vec::new());
            while let Some(mut wish) = wishes.pop_front() {
                let verdict = catch_unwind(AssertUnwindSafe(|| (wish.plan)(&head.state, &group)));
                match verdict {
                    Ok(Ok(Verdict::Commit { entries, tips, whole })) => {
                        all.extend(entries);
                        group.tips.extend(tips);
                        group.whole |= whole;
                        planned.push(wish);
                    }
                    Ok(Ok(Verdict::Later)) => {
                        assert!(!planned.is_empty(), "a wish for a later commit, and nothing before it");
                        wishes.push_front(wish);
                        break;
                    }
                    // What is not possible may have become so by what others did.
                    Ok(Ok(Verdict::Nothing) | Err(_)) if planned.is_empty() && self.has_next(head.number) => {
                        wishes.push_front(wish);
                        drop(head);
                        if let Err(error) = self.refresh() {
                            fail(wishes, &error);
                        }
                        continue 'again;
                    }
                    Ok(Err(_)) if !planned.is_empty() && self.has_next(head.number) => {
                        wishes.push_front(wish);
                        break;
                    }
                    Ok(Ok(Verdict::Nothing)) => *wish.answer.lock() = Some(Answer::Done(Ok(None))),
                    Ok(Err(error)) => *wish.answer.lock() = Some(Answer::Done(Err(error))),
                    Err(panic) => *wish.answer.lock() = Some(Answer::Panicked(panic)),
                }
            }
            return (head.number + 1, (group.at, head.digest), planned, all);
        }
    }

    /// Whether somebody has committed more than is known here. If that cannot be found out now, it will be when something is written.
    fn has_next(&self, number: u64) -> bool {
        matches!(self.objects.get_range(&commit_name(&self.folder, number + 1), 0..1), Ok(Some(_)))
    }

    /// Creates commit `number` and applies it. `false`: there is another one of this number.
    fn put(&self, number: u64, before: u128, at: Instant, entries: &[Entry<S::Op>]) -> Result<bool, StoreError> {
        let encoded = encode(number, at, before, self.writer, entries)?;
        let name = commit_name(&self.folder, number);
        let created = match self.objects.put_new(&name, encoded.pieces.clone()) {
            Ok(true) => true,
            // A bucket may say so after it was asked twice for one thing. Nobody else writes these bytes.
            Ok(false) => self.is_ours(&name, &encoded.pieces)?,
            Err(error) => {
                return Err(match self.is_ours(&name, &encoded.pieces) {
                    Ok(false) => error,
                    Ok(true) | Err(_) => StoreError::Uncertain { file: self.objects.place(&name), why: error.to_string() },
                });
            }
        };
        if !created {
            return Ok(false);
        }
        let mut head = self.head.write();
        if head.number + 1 == number {
            let stamp = Stamp { commit: number, at };
            for (entry, blob) in entries.iter().zip(&encoded.blobs) {
                head.state.apply(&entry.op, stamp, blob.as_ref());
            }
            head.number = number;
            head.at = at;
            head.digest = encoded.digest;
            head.bytes_since += encoded.bytes;
        }
        Ok(true)
    }

    fn is_ours(&self, name: &str, pieces: &[bytes::Bytes]) -> Result<bool, StoreError> {
        let Some(found) = self.objects.get(name)? else { return Ok(false) };
        let ours: usize = pieces.iter().map(bytes::Bytes::len).sum();
        if found.len() != ours {
            return Ok(false);
        }
        let mut rest = &found[..];
        Ok(pieces.iter().all(|piece| {
            let (start, after) = rest.split_at(piece.len());
            rest = after;
            start == &piece[..]
        }))
    }
}

fn take_group<S: State>(wishes: &mut VecDeque<Wish<S>>) -> VecDeque<Wish<S>> {
    let mut bytes = 0;
    let count = wishes
        .iter()
        .take(MOST_IN_GROUP)
        .enumerate()
        .take_while(|(index, wish)| {
            bytes += wish.bytes;
            *index == 0 || bytes <= MOST_BYTES
        })
        .count();
    wishes.drain(..count).collect()
}

fn fail<S: State>(wishes: &mut VecDeque<Wish<S>>, error: &StoreError) {
    for wish in wishes.drain(..) {
        *wish.answer.lock() = Some(Answer::Done(Err(error.clone())));
    }
}
