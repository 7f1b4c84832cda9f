//! Why a snapshot cannot be taken, written, read or restored. Invariant: every text says who or what is in the way and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::{BuildError, RunError, Site};
use crate::source::SourceError;

/// Why no snapshot could be taken. The run is as it was and can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// The run has not begun: nothing has been delivered.
    Unbegun,
    /// The run is in the middle of an instant.
    Moving(Site),
    /// The run has ended at a key of its own, with an error or because it was stopped there.
    Over(Site),
    /// The actor's type does not say how it is saved.
    Unsavable {
        /// The actor.
        actor: String,
        /// Its type.
        of: &'static str,
    },
    /// The actor's state, or something on its way to it, could not be written.
    State {
        /// The actor.
        actor: String,
        /// What was being written.
        what: Pending,
        /// Why that failed.
        cause: String,
    },
    /// Something is on its way to an actor whose type does not declare its kind.
    Undeclared {
        /// The actor.
        actor: String,
        /// What it does not declare.
        what: Pending,
    },
    /// The actor has an async task under way.
    LiveTask {
        /// The actor.
        actor: String,
    },
    /// The actor was asked something and still holds the duty to answer.
    OwedAnswer {
        /// The actor.
        actor: String,
        /// The kind of the question.
        kind: String,
        /// Who waits for the answer.
        asker: String,
    },
}

/// Something of an actor's that a snapshot holds, with its kind: what [`Saving`](crate::Saving) declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// The actor itself.
    State,
    /// A message, be it from an actor, a timer, a stream or a publisher.
    Message(String),
    /// The result of a job.
    Job(String),
    /// A question that it asked.
    Ask(String),
    /// A question that it was asked.
    Answer(String),
    /// A child, by its type.
    Child(String),
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => write!(f, "its state"),
            Self::Message(kind) => write!(f, "the message `{kind}`"),
            Self::Job(kind) => write!(f, "the result `{kind}` of a job"),
            Self::Ask(kind) => write!(f, "the answer to its question `{kind}`"),
            Self::Answer(kind) => write!(f, "the question `{kind}`"),
            Self::Child(of) => write!(f, "the child of type `{of}`"),
        }
    }
}

impl Pending {
    /// The method of [`Saving`](crate::Saving) that declares it.
    fn method(&self) -> &'static str {
        match self {
            Self::State => "new",
            Self::Message(_) => "message",
            Self::Job(_) => "job",
            Self::Ask(_) => "asks",
            Self::Answer(_) => "answers",
            Self::Child(_) => "child",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbegun => write!(f, "nothing has run yet, so there is nothing to save; run to an instant first"),
            Self::Moving(site) => {
                write!(
                    f,
                    "the run is in the middle of an instant ({site}); finish it with `step_instant` or `until`, which end at still points"
                )
            }
            Self::Over(site) => write!(f, "the run has ended at {site}, which is no still point; take the snapshot before that"),
            Self::Unsavable { actor, of } => {
                write!(f, "`{actor}` cannot be saved: its type `{of}` does not say how; give it `Actor::saving`")
            }
            Self::State { actor, what, cause } => write!(f, "`{actor}` cannot be saved: {what} cannot be written: {cause}"),
            Self::Undeclared { actor, what } => write!(
                f,
                "`{actor}` cannot be saved: {what} is of a type that it does not declare; add `.{}::<..>()` to its `Actor::saving`",
                what.method()
            ),
            Self::LiveTask { actor } => write!(
                f,
                "`{actor}` cannot be saved: it has an async task under way; take the snapshot when its tasks have ended, or write the task as \
                 messages to itself"
            ),
            Self::OwedAnswer { actor, kind, asker } => write!(
                f,
                "`{actor}` cannot be saved: it still owes `{asker}` an answer to `{kind}`; take the snapshot when it has answered"
            ),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Why a run could not go on from a snapshot. Nothing has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The simulation is not complete.
    Build(BuildError),
    /// The snapshot is of another simulation.
    Name {
        /// The snapshot's simulation.
        saved: String,
        /// The one at hand.
        built: String,
    },
    /// The simulation has another seed.
    Seed {
        /// The snapshot's seed.
        saved: u64,
        /// The simulation's.
        built: u64,
    },
    /// The simulation has not the actors and streams that the snapshot has.
    Roots {
        /// Those that the snapshot alone has.
        missing: Vec<String>,
        /// Those that the simulation alone has.
        added: Vec<String>,
    },
    /// What bears the name of an actor is of another type, or a stream; or the other way round.
    Type {
        /// The name.
        actor: String,
        /// What it was.
        saved: String,
        /// What it is.
        built: String,
    },
    /// The actor's type does not say how it is saved.
    Unsavable {
        /// The actor.
        actor: String,
    },
    /// An actor's type does not declare something that it declared when the snapshot was taken.
    Undeclared {
        /// The actor.
        actor: String,
        /// What it does not declare.
        what: Pending,
    },
    /// The actor's state, or something on its way to it, could not be read.
    State {
        /// The actor.
        actor: String,
        /// What was being read.
        what: Pending,
        /// Why that failed.
        cause: String,
    },
    /// A stream's source could not be opened.
    Source {
        /// The stream.
        stream: String,
        /// What the source said.
        error: SourceError,
    },
    /// A stream's source does not give what it gave before.
    Changed {
        /// The stream.
        stream: String,
        /// The first difference.
        difference: String,
    },
    /// What is to be taken anew in a fork is no living root actor of the snapshot.
    Anew(String),
    /// The snapshot contradicts itself, which a file that passed its checksum cannot unless it was made by other means.
    Inconsistent(String),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Name { saved, built } => {
                write!(f, "the snapshot is of the simulation `{saved}`, not of `{built}`; restore it into the one it was taken of")
            }
            Self::Seed { saved, built } => {
                write!(f, "the snapshot's run has seed {saved}, the simulation {built}; use the same seed, or a fork with `reseed`")
            }
            Self::Roots { missing, added } => {
                write!(f, "the simulation is not the one that the snapshot was taken of:")?;
                if !missing.is_empty() {
                    write!(f, " it lacks {}", names(missing))?;
                }
                if !added.is_empty() {
                    write!(f, "{} it adds {}", if missing.is_empty() { "" } else { "," }, names(added))?;
                }
                write!(f, "; build it with the same actors and streams")
            }
            Self::Type { actor, saved, built } => {
                write!(f, "`{actor}` was {saved} when the snapshot was taken, and is {built} now; build it as it was")
            }
            Self::Unsavable { actor } => write!(f, "`{actor}` cannot be restored: its type does not say how; give it `Actor::saving`"),
            Self::Undeclared { actor, what } => write!(
                f,
                "`{actor}` cannot be restored: {what} is of a type that it does not declare; add `.{}::<..>()` to its `Actor::saving`",
                what.method()
            ),
            Self::State { actor, what, cause } => {
                write!(
                    f,
                    "`{actor}` cannot be restored: {what} cannot be read ({cause}); has its type changed since the snapshot was taken?"
                )
            }
            Self::Source { stream, error } => write!(f, "stream `{stream}`: {error}"),
            Self::Changed { stream, difference } => write!(
                f,
                "the source of stream `{stream}` has changed since the snapshot was taken: {difference}; restore with the data it was taken with"
            ),
            Self::Anew(actor) => write!(f, "`{actor}` cannot be taken anew: the snapshot has no living root actor of this name"),
            Self::Inconsistent(what) => write!(f, "the snapshot contradicts itself: {what}; take it again"),
        }
    }
}

impl std::error::Error for RestoreError {}

impl From<BuildError> for RestoreError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<RunError> for RestoreError {
    /// Before a run begins only its building can fail.
    fn from(error: RunError) -> Self {
        match error {
            RunError::Build(error) => Self::Build(error),
            other => Self::Inconsistent(other.to_string()),
        }
    }
}

/// Why a file or a text is no snapshot that can be used.
#[derive(Debug)]
pub enum ReadError {
    /// The file cannot be read.
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It does not begin as a snapshot does.
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// It was written by a later version of Stillpoint.
    Newer {
        /// The file.
        file: PathBuf,
        /// The file's version.
        version: u32,
    },
    /// It was written by an earlier version of Stillpoint, whose snapshots cannot be read any more.
    Older {
        /// The file.
        file: PathBuf,
        /// The file's version.
        version: u32,
    },
    /// It is cut short.
    Truncated {
        /// The file.
        file: PathBuf,
        /// How many bytes there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// Its checksum does not match.
    Damaged {
        /// The file.
        file: PathBuf,
    },
    /// Its checksum matches, yet it cannot be understood.
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where and why.
        cause: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |file: &PathBuf| file.display().to_string();
        match self {
            Self::Io { file, cause } => write!(f, "the snapshot `{}` cannot be read: {cause}", shown(file)),
            Self::Foreign { file } => {
                write!(
                    f,
                    "`{}` is no snapshot: it does not begin with `stillpoint-snapshot` and a version; name a file that `--snapshot-at` wrote",
                    shown(file)
                )
            }
            Self::Newer { file, version } => write!(
                f,
                "the snapshot `{}` is of version {version}, newer than {}, which this program reads; use a newer Stillpoint",
                shown(file),
                super::file::VERSION
            ),
            Self::Older { file, version } => write!(
                f,
                "the snapshot `{}` is of version {version}, older than {}, which this program reads; take it again",
                shown(file),
                super::file::VERSION
            ),
            Self::Truncated { file, expected, found } => {
                write!(
                    f,
                    "the snapshot `{}` is cut short: it has {found} bytes where there should be {expected}; take it again",
                    shown(file)
                )
            }
            Self::Damaged { file } => write!(f, "the snapshot `{}` is damaged: its checksum does not match; take it again", shown(file)),
            Self::Malformed { file, cause } => write!(f, "the snapshot `{}` makes no sense: {cause}; take it again", shown(file)),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// A snapshot that could not be written. A file that was there before is as it was.
#[derive(Debug)]
pub struct WriteError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the snapshot `{}` cannot be written: {}; free some space or write it elsewhere", self.file.display(), self.cause)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
