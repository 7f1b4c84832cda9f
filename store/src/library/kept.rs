//! A library that is kept in memory whole: documents, metadata. Invariant: a change is planned on the latest state, and on nothing that a plan
//! before it has not yet made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use stillpoint_engine::{Duration, Instant};

use super::compact::Swept;
use super::core::{Found, Shared};
use crate::error::StoreError;
use crate::log::{Entry, Group, Log, State, Verdict};

/// A state whose size is known.
pub(crate) trait Measured: State<Tip = ()> {
    /// What a quota counts.
    fn bytes(&self) -> u64;

    /// What it would be after an operation.
    fn bytes_after(&self, op: &Self::Op) -> u64;
}

/// A library of this state.
#[derive(Debug)]
pub(crate) struct Kept<S: Measured> {
    pub(crate) name: String,
    pub(crate) quota: AtomicU64,
    shared: Arc<Shared>,
    log: Log<S>,
    /// A checkpoint is being made.
    busy: AtomicBool,
    /// What went wrong in the background, lately.
    trouble: Mutex<Option<StoreError>>,
}

/// What a plan comes to: the operation, none if there is nothing to do, and what is told of it.
pub(crate) type Change<S, T, E> = Result<(Option<<S as State>::Op>, T), E>;

impl<S: Measured> Kept<S> {
    pub(crate) fn new(name: String, quota: u64, shared: Arc<Shared>, log: Log<S>) -> Self {
        Self { name, quota: AtomicU64::new(quota), shared, log, busy: AtomicBool::new(false), trouble: Mutex::default() }
    }

    /// Looks at the latest state.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&S) -> R) -> Result<R, StoreError> {
        self.log.refresh()?;
        Ok(self.log.read(look))
    }

    /// How many commits it has.
    pub(crate) fn committed(&self) -> Result<u64, StoreError> {
        self.log.refresh()?;
        Ok(self.log.number())
    }

    /// Commits what `plan` says of the state at the instant of the commit. It is asked again when the state has changed.
    pub(crate) fn change<T, E>(
        self: &Arc<Self>,
        mut plan: impl FnMut(&S, Instant) -> Change<S, T, E> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        E: Into<StoreError>,
    {
        let found: Found<T> = Found::default();
        let (out, kept) = (found.clone(), self.clone());
        let stamp = self.log.commit(0, move |state: &S, group: &Group<S>| {
            if !group.is_empty() {
                return Ok(Verdict::Later);
            }
            let (op, result) = plan(state, group.at).map_err(Into::into)?;
            *out.lock() = Some(result);
            let Some(op) = op else { return Ok(Verdict::Nothing) };
            kept.check_quota(state, &op)?;
            Ok(Verdict::Commit { entries: vec![Entry { op, blob: None }], tips: Vec::new(), whole: true })
        })?;
        if stamp.is_some() {
            self.after_commit();
        }
        let result = found.lock().take().expect("a plan that succeeded said what it found");
        Ok(result)
    }

    fn check_quota(&self, state: &S, op: &S::Op) -> Result<(), StoreError> {
        let quota = self.quota.load(Ordering::Relaxed);
        if quota == 0 {
            return Ok(());
        }
        let wanted = state.bytes_after(op);
        if wanted > quota && wanted > state.bytes() {
            return Err(StoreError::QuotaExceeded { library: self.name.clone(), quota, wanted });
        }
        Ok(())
    }

    /// What it holds, and its quota, in bytes, from 90 % on.
    pub(crate) fn nearly_full(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let (quota, bytes) = (self.quota.load(Ordering::Relaxed), self.read(S::bytes)?);
        Ok(is_nearly_full(bytes, quota).then_some((bytes, quota)))
    }

    /// A checkpoint in the background, where one is due.
    fn after_commit(self: &Arc<Self>) {
        let Some(pool) = &self.shared.background else { return };
        if self.log.is_checkpoint_due() && !self.busy.swap(true, Ordering::AcqRel) {
            let kept = self.clone();
            // Nobody waits for it: what goes wrong is told as trouble, and tried again.
            drop(pool.submit(move || {
                let done = kept.log.checkpoint_if_due();
                kept.busy.store(false, Ordering::Release);
                if let Err(error) = done {
                    *kept.trouble.lock() = Some(error);
                }
            }));
        }
    }

    /// What went wrong in the background, lately; told once.
    pub(crate) fn trouble(&self) -> Option<StoreError> {
        self.trouble.lock().take()
    }

    /// Makes a checkpoint and removes the commits for which older ones stand, if they are so old.
    pub(crate) fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.log.refresh()?;
        self.log.checkpoint()?;
        let now = self.shared.clock.now();
        let mut swept = Swept::default();
        for info in self.log.superseded()? {
            if info.written <= now && now.since(info.written) >= grace {
                self.shared.objects.delete(&info.name)?;
                swept.commits += 1;
                swept.bytes += info.bytes;
            }
        }
        Ok(swept)
    }
}

/// Whether so many bytes are 90 % of a quota or more; a quota of 0 is never reached.
pub(crate) fn is_nearly_full(bytes: u64, quota: u64) -> bool {
    quota > 0 && u128::from(bytes) * 10 >= u128::from(quota) * 9
}
