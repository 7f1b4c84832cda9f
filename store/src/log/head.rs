//! The end of a log as this process knows it. Invariant: `state` is what commits 1 to `number` give, and `digest` is that of the last of them.

use stillpoint_engine::Instant;

use super::checkpoint;
use super::commit::{self, Commit, commit_name, commit_number};
use super::{Stamp, State};
use crate::error::StoreError;
use crate::object::Objects;

pub(super) struct Head<S> {
    pub(super) state: S,
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) digest: u128,
    /// The latest checkpoint that is known, and its size.
    pub(super) checkpoint: u64,
    pub(super) checkpoint_bytes: u64,
    /// The bytes of the commits after it.
    pub(super) bytes_since: u64,
}

impl<S: State> Head<S> {
    fn empty() -> Self {
        Self { state: S::default(), number: 0, at: Instant::MIN, digest: 0, checkpoint: 0, checkpoint_bytes: 0, bytes_since: 0 }
    }

    pub(super) fn open(objects: &dyn Objects, folder: &str) -> Result<Self, StoreError> {
        let mut head = Self::latest_checkpoint(objects, folder)?;
        let later = objects.list_after(&commit::folder(folder), &commit_name(folder, head.number))?;
        for number in later.iter().filter_map(|info| commit_number(&info.name)) {
            // The list need not show a moment: what is newer may be listed where what is older is not yet. Each is there when it is read.
            while head.number < number {
                let next = commit_name(folder, head.number + 1);
                let Some(bytes) = objects.get(&next)? else {
                    let later = objects.place(&commit_name(folder, number));
                    return Err(StoreError::damaged(objects.place(&next), format!("it is missing, and {later} is there")));
                };
                let commit = Commit::decode(&bytes, || objects.place(&next))?;
                head.follow(commit, bytes.len() as u64, || objects.place(&next))?;
            }
        }
        Ok(head)
    }

    /// The latest checkpoint. One that is removed or damaged leaves those before it; a log whose first commit is there needs none.
    fn latest_checkpoint(objects: &dyn Objects, folder: &str) -> Result<Self, StoreError> {
        let mut first_error = None;
        for info in objects.list(&checkpoint::folder(folder))?.iter().rev() {
            let read = objects.get(&info.name)?.map(|bytes| checkpoint::decode(&bytes, || objects.place(&info.name)));
            match read {
                Some(Ok(head)) => return Ok(head),
                Some(Err(error)) => first_error = first_error.or(Some(error)),
                None => {}
            }
        }
        match first_error {
            Some(error) if objects.get(&commit_name(folder, 1))?.is_none() => Err(error),
            _ => Ok(Self::empty()),
        }
    }

    /// Applies the next commit.
    pub(super) fn follow(&mut self, commit: Commit<S::Op>, bytes: u64, place: impl Fn() -> String) -> Result<(), StoreError> {
        if commit.number != self.number + 1 {
            return Err(StoreError::damaged(place(), format!("it says that it is commit {}", commit.number)));
        }
        if commit.before != self.digest {
            return Err(StoreError::damaged(place(), "it does not follow the commit before it, which is another than when it was written"));
        }
        let stamp = Stamp { commit: commit.number, at: commit.at };
        for (op, blob) in &commit.ops {
            self.state.apply(op, stamp, blob.as_ref());
        }
        self.number = commit.number;
        self.at = commit.at;
        self.digest = commit.digest;
        self.bytes_since += bytes;
        Ok(())
    }
}
