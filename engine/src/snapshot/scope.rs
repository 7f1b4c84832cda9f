//! What the handles in a state mean while it is written or read: addresses, timers, jobs, tasks and inboxes stand for slots of one run, and
//! serde hands nothing down to them. Invariant: a scope lasts as long as the call that opened it, and outside of one a handle refuses.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{de, ser};

use super::cast::Cast;
use crate::kernel::entry::ActorId;
use crate::kernel::pending::NodeKey;
use crate::task::Inboxes;

/// While a snapshot is taken.
pub(crate) struct Taking {
    pub(crate) cast: Cast,
    /// What is pending, by slot and generation, with its sequence number.
    pub(crate) armed: BTreeMap<(u32, u32), u64>,
    pub(crate) inboxes: Inboxes,
}

/// While one is restored.
#[derive(Default)]
pub(crate) struct Restoring {
    pub(crate) cast: Cast,
    /// Own timers and jobs that are pending, by owner and sequence number.
    pub(crate) timers: BTreeMap<(ActorId, u64), NodeKey>,
    pub(crate) jobs: BTreeMap<(ActorId, u64), (u32, NodeKey)>,
    pub(crate) inboxes: RefCell<Inboxes>,
    /// From an inbox's number in the snapshot to its number here.
    pub(crate) renumbered: RefCell<BTreeMap<(ActorId, u32), u32>>,
}

#[derive(Clone)]
enum Scope {
    Taking(Rc<Taking>),
    Restoring(Rc<Restoring>),
}

/// Puts a scope in place of the one that is in force; gives that.
fn exchange(scope: Option<Scope>) -> Option<Scope> {
    thread_local! {
        static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
    }
    SCOPE.replace(scope)
}

/// The scope in force.
fn current() -> Option<Scope> {
    let scope = exchange(None);
    exchange(scope.clone());
    scope
}

/// Puts back what was there before, also after a panic.
struct Before(Option<Scope>);

impl Drop for Before {
    fn drop(&mut self) {
        exchange(self.0.take());
    }
}

fn within<T>(scope: Scope, f: impl FnOnce() -> T) -> T {
    let _before = Before(exchange(Some(scope)));
    f()
}

pub(crate) fn while_taking<T>(taking: &Rc<Taking>, f: impl FnOnce() -> T) -> T {
    within(Scope::Taking(taking.clone()), f)
}

pub(crate) fn while_restoring<T>(restoring: &Rc<Restoring>, f: impl FnOnce() -> T) -> T {
    within(Scope::Restoring(restoring.clone()), f)
}

/// The snapshot being taken.
pub(crate) fn taking<E: ser::Error>() -> Result<Rc<Taking>, E> {
    match current() {
        Some(Scope::Taking(taking)) => Ok(taking),
        _ => Err(E::custom("a handle of a run (an address, a timer, a job, a task, an inbox) means nothing outside a snapshot")),
    }
}

/// The snapshot being restored.
pub(crate) fn restoring<E: de::Error>() -> Result<Rc<Restoring>, E> {
    match current() {
        Some(Scope::Restoring(restoring)) => Ok(restoring),
        _ => {
            Err(E::custom("a handle of a run (an address, a timer, a job, a task, an inbox) can be read only while a snapshot is restored"))
        }
    }
}

impl Restoring {
    pub(crate) fn find<E: de::Error>(&self, path: &str) -> Result<ActorId, E> {
        self.cast.find(path).ok_or_else(|| E::custom(format!("nobody has the path `{path}`")))
    }
}
