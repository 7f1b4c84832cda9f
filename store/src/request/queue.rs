//! Which request may run when, as values alone. Invariant: a request is due exactly when no earlier unfinished request conflicts with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a request: its place in the order of submission to its queue, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(u64);

impl RequestId {
    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Whether a request changes what it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Only looks; shares its symbols with other readers.
    Read,
    /// Changes something; has its symbols to itself.
    Modify,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Modify => "modify",
        })
    }
}

/// What of a library a request concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole library: overlaps with all its symbols.
    Library,
    /// These symbols. Without one it overlaps with nothing, not even with the whole library.
    Symbols(BTreeSet<String>),
}

impl Scope {
    /// One symbol.
    pub fn symbol(symbol: impl Into<String>) -> Self {
        Self::Symbols(BTreeSet::from([symbol.into()]))
    }

    /// Several symbols.
    pub fn symbols<S: Into<String>>(symbols: impl IntoIterator<Item = S>) -> Self {
        Self::Symbols(symbols.into_iter().map(Into::into).collect())
    }

    /// The symbol, if it is exactly one.
    pub fn only_symbol(&self) -> Option<&str> {
        match self {
            Self::Symbols(symbols) if symbols.len() == 1 => symbols.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether the two have something in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Library, Self::Library) => true,
            (Self::Library, Self::Symbols(symbols)) | (Self::Symbols(symbols), Self::Library) => !symbols.is_empty(),
            (Self::Symbols(a), Self::Symbols(b)) => !a.is_disjoint(b),
        }
    }
}

impl fmt::Display for Scope {
    /// The symbols in backticks, or `all symbols`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library => f.write_str("all symbols"),
            Self::Symbols(symbols) => {
                let symbols: Vec<_> = symbols.iter().map(|symbol| format!("`{symbol}`")).collect();
                f.write_str(&if symbols.is_empty() { "no symbol".to_owned() } else { symbols.join(", ") })
            }
        }
    }
}

/// What a request lays claim to while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The library's name.
    pub library: String,
    /// What of it.
    pub scope: Scope,
    /// Whether it changes it.
    pub kind: Kind,
}

impl Claim {
    /// Whether the two must not run at the same time, and run in the order of their submission: they overlap and at least one modifies.
    pub fn conflicts(&self, other: &Self) -> bool {
        let modifies = self.kind == Kind::Modify || other.kind == Kind::Modify;
        modifies && self.library == other.library && self.scope.overlaps(&other.scope)
    }
}

/// Where an unfinished request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// An earlier request that conflicts with it is not finished.
    Waiting,
    /// It may start.
    Due,
    /// It was started.
    Running,
}

/// A request was said to be finished that is not running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRunning(pub RequestId);

impl fmt::Display for NotRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} is not running in this queue: finish each request once, after `start` has returned it", self.0)
    }
}

impl std::error::Error for NotRunning {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    claim: Claim,
    running: bool,
    waits_for: BTreeSet<RequestId>,
    awaited_by: BTreeSet<RequestId>,
}

/// The unfinished requests behind which a new one may have to queue: the last modifier and the readers after it. All before them is
/// awaited by them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tail {
    modifier: Option<RequestId>,
    readers: BTreeSet<RequestId>,
}

impl Tail {
    fn is_empty(&self) -> bool {
        self.modifier.is_none() && self.readers.is_empty()
    }

    /// What a request of this kind waits for.
    fn before(&self, kind: Kind) -> impl Iterator<Item = RequestId> + '_ {
        let readers = (kind == Kind::Modify).then_some(&self.readers);
        self.modifier.into_iter().chain(readers.into_iter().flatten().copied())
    }

    fn add(&mut self, id: RequestId, kind: Kind) {
        match kind {
            Kind::Read => _ = self.readers.insert(id),
            Kind::Modify => *self = Self { modifier: Some(id), readers: BTreeSet::new() },
        }
    }

    fn remove(&mut self, id: RequestId) {
        self.readers.remove(&id);
        self.modifier = self.modifier.filter(|modifier| *modifier != id);
    }
}

/// A library's tails: of requests for all of it, and of those for symbols since its last whole modifier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Library {
    whole: Tail,
    symbols: BTreeMap<String, Tail>,
}

impl Library {
    /// What a request waits for.
    fn before(&self, claim: &Claim) -> BTreeSet<RequestId> {
        let mut before = BTreeSet::new();
        match &claim.scope {
            Scope::Library => {
                before.extend(self.whole.before(claim.kind));
                before.extend(self.symbols.values().flat_map(|tail| tail.before(claim.kind)));
            }
            Scope::Symbols(symbols) if symbols.is_empty() => {}
            Scope::Symbols(symbols) => {
                before.extend(self.whole.before(claim.kind));
                before.extend(symbols.iter().filter_map(|symbol| self.symbols.get(symbol)).flat_map(|tail| tail.before(claim.kind)));
            }
        }
        before
    }

    fn add(&mut self, id: RequestId, claim: &Claim) {
        match &claim.scope {
            Scope::Library => {
                if claim.kind == Kind::Modify {
                    self.symbols.clear();
                }
                self.whole.add(id, claim.kind);
            }
            Scope::Symbols(symbols) => {
                for symbol in symbols {
                    self.symbols.entry(symbol.clone()).or_default().add(id, claim.kind);
                }
            }
        }
    }

    fn remove(&mut self, id: RequestId, claim: &Claim) {
        let Scope::Symbols(symbols) = &claim.scope else { return self.whole.remove(id) };
        for symbol in symbols {
            let Some(tail) = self.symbols.get_mut(symbol) else { continue };
            tail.remove(id);
            if tail.is_empty() {
                self.symbols.remove(symbol);
            }
        }
    }
}

/// The unfinished requests of a pool, on threads or in virtual time. It knows neither time nor threads: whoever owns it says what happened.
///
/// ```
/// use stillpoint_store::request::{Claim, Kind, Queue, Scope, Stage};
/// let claim = |kind| Claim { library: "prices".to_owned(), scope: Scope::symbol("AAPL"), kind };
/// let mut queue = Queue::new();
/// let read = queue.submit(claim(Kind::Read));
/// let write = queue.submit(claim(Kind::Modify));
/// let late = queue.submit(claim(Kind::Read));
///
/// assert_eq!((queue.start(), queue.start()), (Some(read), None));
/// assert_eq!(queue.finish(read), Ok(vec![write]));
/// // The late reader does not overtake the modifier.
/// assert_eq!((queue.start(), queue.stage(late)), (Some(write), Some(Stage::Waiting)));
/// assert_eq!(queue.finish(write), Ok(vec![late]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    submitted: u64,
    entries: BTreeMap<RequestId, Entry>,
    due: BTreeSet<RequestId>,
    libraries: BTreeMap<String, Library>,
}

impl Queue {
    /// A queue without requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a request behind all others.
    pub fn submit(&mut self, claim: Claim) -> RequestId {
        self.submitted += 1;
        let id = RequestId(self.submitted);
        let library = self.libraries.entry(claim.library.clone()).or_default();
        let waits_for = library.before(&claim);
        library.add(id, &claim);
        if waits_for.is_empty() {
            self.due.insert(id);
        }
        for earlier in &waits_for {
            self.entries.get_mut(earlier).expect("tails hold unfinished requests").awaited_by.insert(id);
        }
        self.entries.insert(id, Entry { claim, running: false, waits_for, awaited_by: BTreeSet::new() });
        id
    }

    /// Starts the earliest request that is due. Whoever calls runs it, and then calls [`Queue::finish`], come what may.
    pub fn start(&mut self) -> Option<RequestId> {
        self.due().inspect(|id| self.begin(*id))
    }

    /// Starts the earliest of these that is due.
    pub fn start_among(&mut self, ids: &BTreeSet<RequestId>) -> Option<RequestId> {
        self.due_among(ids).inspect(|id| self.begin(*id))
    }

    /// The earliest request that is due.
    pub fn due(&self) -> Option<RequestId> {
        self.due.first().copied()
    }

    /// The earliest of these that is due.
    pub fn due_among(&self, ids: &BTreeSet<RequestId>) -> Option<RequestId> {
        self.due.intersection(ids).next().copied()
    }

    /// Those of `wanted` that are not finished, and all that must be finished before they can start. Nothing is added to it later.
    pub fn needed_for(&self, wanted: impl IntoIterator<Item = RequestId>) -> BTreeSet<RequestId> {
        let (mut needed, mut open) = (BTreeSet::new(), Vec::from_iter(wanted));
        while let Some(id) = open.pop() {
            if let Some(entry) = self.entries.get(&id).filter(|_| needed.insert(id)) {
                open.extend(&entry.waits_for);
            }
        }
        needed
    }

    /// Ends a request that was started; returns those that are due now and were not, in order.
    ///
    /// # Errors
    /// [`NotRunning`] if the request was not started or is finished; nothing changes.
    pub fn finish(&mut self, id: RequestId) -> Result<Vec<RequestId>, NotRunning> {
        if self.stage(id) != Some(Stage::Running) {
            return Err(NotRunning(id));
        }
        let entry = self.entries.remove(&id).ok_or(NotRunning(id))?;
        if let Some(library) = self.libraries.get_mut(&entry.claim.library) {
            library.remove(id, &entry.claim);
            if library.whole.is_empty() && library.symbols.is_empty() {
                self.libraries.remove(&entry.claim.library);
            }
        }
        let mut due = Vec::new();
        for later in entry.awaited_by {
            let waits_for = &mut self.entries.get_mut(&later).expect("who waits is not finished").waits_for;
            waits_for.remove(&id);
            if waits_for.is_empty() {
                due.push(later);
            }
        }
        self.due.extend(&due);
        Ok(due)
    }

    /// Where a request stands; `None` if it is finished or of another queue.
    pub fn stage(&self, id: RequestId) -> Option<Stage> {
        let entry = self.entries.get(&id)?;
        Some(match entry {
            Entry { running: true, .. } => Stage::Running,
            _ if entry.waits_for.is_empty() => Stage::Due,
            _ => Stage::Waiting,
        })
    }

    /// What an unfinished request claims.
    pub fn claim(&self, id: RequestId) -> Option<&Claim> {
        self.entries.get(&id).map(|entry| &entry.claim)
    }

    /// The number of unfinished requests.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether every request is finished.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of requests that were ever submitted.
    pub fn submitted(&self) -> u64 {
        self.submitted
    }

    fn begin(&mut self, id: RequestId) {
        self.due.remove(&id);
        self.entries.get_mut(&id).expect("what is due is not finished").running = true;
    }
}
