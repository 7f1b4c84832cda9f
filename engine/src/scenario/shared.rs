//! Streams that are decoded once and read by all runs of a process. Invariant: a run cannot tell whether its streams were shared: the items are
//! those that its own source would give.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::message::Message;
use crate::source::{Source, SourceError, Timed};
use crate::stream::Stream;

/// How many items are decoded between two looks at the limit.
const BATCH: usize = 1 << 12;

/// What tells one state of a file from another one, such as its length and time of change; `None` if it cannot be told.
type Version = Box<dyn Fn(&Path) -> Option<u64> + Send + Sync>;

/// The decoded items of streams, kept in memory up to a limit for all runs whose [`Registry`](super::Registry) was given them.
///
/// Shared is what has the same kind, the same parameters and the same versions of its files, of messages that own no memory outside
/// themselves, such as quotes and trades. What is beyond the limit, what cannot be decoded to its end, and all else is read by each run anew,
/// in constant memory.
///
/// ```
/// use std::sync::Arc;
/// use stillpoint_engine::scenario::{Registry, Scenario, Shared};
///
/// let shared = Arc::new(Shared::new(1 << 30, |_| None));
/// let mut registry = Registry::new();
/// registry.share(&shared);
/// let text = r#"(
///     name: "twice",
///     streams: [(name: "ones", kind: script_numbers(steps: [AddAll(at: "2025-01-01T00:00:00Z", values: [1, 1])]))],
/// )"#;
/// for _ in 0..2 {
///     Scenario::parse("twice.ron", text, &[])?.build(&registry)?.simulation.run()?;
/// }
/// assert_eq!((shared.figures().streams, shared.figures().items), (0, 0), "nobody subscribed, so nothing was decoded");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Shared {
    limit: u64,
    version: Version,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    slots: BTreeMap<Key, Arc<Mutex<Slot>>>,
    bytes: u64,
    figures: SharedFigures,
}

/// What is shared, and what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedFigures {
    /// Streams that were decoded and are kept.
    pub streams: u64,
    /// Their items.
    pub items: u64,
    /// The bytes of their items.
    pub bytes: u64,
    /// How often a run was given them.
    pub opened: u64,
    /// Streams that are not kept: beyond the limit, or with an error in them.
    pub streamed: u64,
}

/// What two streams must have in common to be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) message: TypeId,
    pub(crate) kind: String,
    pub(crate) params: String,
    /// What else the maker asked the scene for.
    pub(crate) asked: String,
    pub(crate) folder: PathBuf,
    pub(crate) files: Vec<(PathBuf, u64)>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Unread,
    /// An `Arc<[Timed<M>]>`.
    Items(Box<dyn Any + Send>),
    Streamed,
}

impl Shared {
    /// Keeps up to `limit` bytes of items. `version` tells whether a file is still the one that was read.
    pub fn new(limit: u64, version: impl Fn(&Path) -> Option<u64> + Send + Sync + 'static) -> Self {
        Self { limit, version: Box::new(version), kept: Mutex::default() }
    }

    /// What has been shared so far.
    pub fn figures(&self) -> SharedFigures {
        self.kept.lock().figures
    }

    /// The files with their versions; `None` if one has none.
    pub(crate) fn versions(&self, files: impl IntoIterator<Item = PathBuf>) -> Option<Vec<(PathBuf, u64)>> {
        files.into_iter().map(|file| (self.version)(&file).map(|version| (file, version))).collect()
    }

    /// The stream with sources that give the shared items, if there can be such.
    pub(crate) fn over<M: Message + Clone>(self: &Arc<Self>, key: Key, mut stream: Stream<M>) -> Stream<M> {
        if std::mem::needs_drop::<M>() {
            return stream;
        }
        let (shared, open) = (self.clone(), stream.open);
        stream.open = Box::new(move || match shared.items::<M>(&key, &*open) {
            Some(items) => Ok(Box::new(crate::stream::SharedSource { items, next: 0 }) as Box<dyn Source<Item = M>>),
            None => open(),
        });
        stream
    }

    /// The items under a key, decoded by whoever asks first; `None` if they are not kept.
    fn items<M: Message + Clone>(&self, key: &Key, open: &Opener<M>) -> Option<Arc<[Timed<M>]>> {
        let slot = self.kept.lock().slots.entry(key.clone()).or_default().clone();
        // Whoever comes meanwhile waits here for the items.
        let mut slot = slot.lock();
        if matches!(*slot, Slot::Unread) {
            *slot = self.decode(open).map_or(Slot::Streamed, |items| Slot::Items(Box::new(items)));
        }
        let figures = &mut self.kept.lock().figures;
        match &*slot {
            Slot::Items(items) => {
                figures.opened += 1;
                items.downcast_ref::<Arc<[Timed<M>]>>().cloned()
            }
            Slot::Unread | Slot::Streamed => None,
        }
    }

    /// Reads a source to its end; `None` if that is too much to keep, or fails: then each run finds out by itself, as far as it comes.
    fn decode<M: Message + Clone>(&self, open: &Opener<M>) -> Option<Arc<[Timed<M>]>> {
        let (mut items, mut claimed) = (Vec::new(), 0);
        let decoded = open().and_then(|mut source| {
            loop {
                let goes_on = source.read(BATCH, &mut items)?;
                let more = bytes_of::<M>(items.len()) - claimed;
                claimed += more;
                if !self.claim(more) {
                    return Ok(false);
                }
                if !goes_on {
                    return Ok(true);
                }
            }
        });
        let mut kept = self.kept.lock();
        if matches!(decoded, Ok(true)) {
            kept.figures.streams += 1;
            kept.figures.items += items.len() as u64;
            kept.figures.bytes += claimed;
            return Some(items.into());
        }
        kept.figures.streamed += 1;
        kept.bytes -= claimed;
        None
    }

    /// Takes room for so many more bytes, to be given back even if there was none.
    fn claim(&self, bytes: u64) -> bool {
        let mut kept = self.kept.lock();
        kept.bytes += bytes;
        kept.bytes <= self.limit
    }
}

type Opener<M> = dyn Fn() -> Result<Box<dyn Source<Item = M>>, SourceError> + Send;

fn bytes_of<M>(items: usize) -> u64 {
    (items * size_of::<Timed<M>>()) as u64
}
