//! A log of immutable commits that many threads and processes add to, and the state that they add up to. Invariant: the state is what the
//! commits 1 to n give, in their order, and nobody ever sees a part of a commit.
//!
//! A commit is an object `commit/<n>` that is created if it is absent: of those who race for a number one wins, the others read what
//! it wrote, look again whether what they want still makes sense, and take the next number. Threads of one process do not race: one of them
//! commits for all who wait ([`group`]). A checkpoint is the state after commit n, so that opening need not read what is older.

mod checkpoint;
mod commit;
mod group;
mod head;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stillpoint_engine::Instant;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::object::Objects;

pub(crate) use commit::{BlobRef, Commit, Entry, commit_name, commit_number, digest, header, hex128};
use group::Waiting;
pub(crate) use group::{Group, Verdict};
use head::Head;

/// Which commit an operation came with, and when that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The commit's number, from 1.
    pub(crate) commit: u64,
    /// When it was made, by the clock of who made it; never earlier than the commit before.
    pub(crate) at: Instant,
}

/// What the commits of a log add up to.
pub(crate) trait State: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What changes it. It stands in commits, so what can be read once must be readable for ever.
    type Op: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;
    /// What the operations of a group leave behind under one key, for those that are planned after them in the same group.
    type Tip: Clone + Send + Sync + 'static;

    /// Changes the state. The operation was planned on it, so this cannot fail; it must depend on nothing but its arguments.
    fn apply(&mut self, op: &Self::Op, stamp: Stamp, blob: Option<&BlobRef>);
}

/// When checkpoints are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// At least so many commits after the one before.
    pub(crate) commits: u64,
}

/// One log. It is shared by the threads of a process.
pub(crate) struct Log<S: State> {
    objects: Arc<dyn Objects>,
    folder: String,
    clock: Arc<dyn Clock>,
    writer: u64,
    pace: Pace,
    head: RwLock<Head<S>>,
    waiting: Mutex<Waiting<S>>,
    turn: Condvar,
}

impl<S: State> Debug for Log<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log({})", self.objects.place(&self.folder))
    }
}

impl<S: State> Log<S> {
    /// Opens the log in a folder: its latest checkpoint and the commits after it. A log without any is empty.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a commit is missing, changed, or does not follow the one before; what the objects themselves give.
    pub(crate) fn open(
        objects: Arc<dyn Objects>,
        folder: &str,
        clock: Arc<dyn Clock>,
        writer: u64,
        pace: Pace,
    ) -> Result<Self, StoreError> {
        let head = Head::open(&*objects, folder)?;
        Ok(Self {
            objects,
            folder: folder.to_owned(),
            clock,
            writer,
            pace,
            head: RwLock::new(head),
            waiting: Mutex::new(Waiting::default()),
            turn: Condvar::new(),
        })
    }

    /// Looks at the state as it is known.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.head.read().state)
    }

    /// How many commits are known.
    pub(crate) fn number(&self) -> u64 {
        self.head.read().number
    }

    /// Takes in what others have committed. Returns whether there was anything.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub(crate) fn refresh(&self) -> Result<bool, StoreError> {
        let mut fresh = false;
        loop {
            let number = self.head.read().number + 1;
            let Some(bytes) = self.objects.get(&commit_name(&self.folder, number))? else { return Ok(fresh) };
            self.take_in(number, &bytes)?;
            fresh = true;
        }
    }

    /// Applies a commit that was read, unless another thread did so meanwhile.
    fn take_in(&self, number: u64, bytes: &Bytes) -> Result<(), StoreError> {
        let commit = Commit::decode(bytes, || self.objects.place(&commit_name(&self.folder, number)))?;
        let mut head = self.head.write();
        if head.number + 1 == number {
            head.follow(commit, bytes.len() as u64, || self.objects.place(&commit_name(&self.folder, number)))?;
        }
        Ok(())
    }

    /// Writes a checkpoint of the state, if there are enough commits after the latest one, and removes those that are older than the two latest.
    /// Returns its number.
    ///
    /// # Errors
    /// What the objects give. The log is as good without it.
    pub(crate) fn checkpoint_if_due(&self) -> Result<Option<u64>, StoreError> {
        if self.is_checkpoint_due() { self.checkpoint().map(Some) } else { Ok(None) }
    }

    /// Whether there are enough commits after the latest checkpoint. A large state is written less often.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        let head = self.head.read();
        head.number >= head.checkpoint + self.pace.commits && head.bytes_since >= head.checkpoint_bytes / 2
    }

    /// Writes a checkpoint of the state now. Returns its number.
    ///
    /// # Errors
    /// As [`Log::checkpoint_if_due`].
    pub(crate) fn checkpoint(&self) -> Result<u64, StoreError> {
        let (number, bytes) = {
            let head = self.head.read();
            (head.number, checkpoint::encode(&*head)?)
        };
        let size = bytes.len() as u64;
        self.objects.put_new(&checkpoint::name(&self.folder, number), vec![bytes])?;
        {
            let mut head = self.head.write();
            if head.checkpoint < number {
                head.checkpoint = number;
                head.checkpoint_bytes = size;
                head.bytes_since = 0;
            }
        }
        let listed = self.objects.list(&checkpoint::folder(&self.folder))?;
        for old in listed.iter().rev().skip(2) {
            self.objects.delete(&old.name)?;
        }
        Ok(number)
    }

    /// The commits that are older than the oldest checkpoint that is kept, except those whose inline rows `keep` says are in use.
    /// Whoever removes them must know that no process still believes to be there.
    ///
    /// # Errors
    /// What the objects give.
    pub(crate) fn superseded(&self) -> Result<Vec<crate::object::ObjectInfo>, StoreError> {
        let oldest = self.objects.list(&checkpoint::folder(&self.folder))?.first().and_then(|info| checkpoint::number(&info.name));
        let Some(oldest) = oldest else { return Ok(Vec::new()) };
        let mut commits = self.objects.list(&commit::folder(&self.folder))?;
        commits.retain(|info| commit_number(&info.name).is_some_and(|number| number <= oldest));
        Ok(commits)
    }
}
