//! What a scenario file says, checked as far as it can be without knowing any kind. Invariant: every name and every kind keeps its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ron::value::RawValue;
use serde::Deserialize;

use super::error::ScenarioError;
use super::expect::Expectations;
use super::faults::StreamFault;
use super::file::read_text;
use super::raw::{Dialect, call, range_of};
use super::set::{Override, apply};
use super::text::Text;
use crate::host::Host;
use crate::path::{Name, Rank};
use crate::suggest;
use crate::time::{Duration, Instant};

/// A scenario as read: who takes part, how they are joined, what goes wrong and what is expected.
///
/// ```
/// use stillpoint_engine::scenario::Scenario;
/// let text = r#"(
///     name: "hello",
///     streams: [(name: "people", kind: script(steps: [Add(at: "2025-01-01T00:00:00Z", value: "Jane")]))],
///     actors: [(name: "greeter", kind: recorder(streams: ["people"]))],
/// )"#;
/// let scenario = Scenario::parse("hello.ron", text, &[])?;
/// assert_eq!(scenario.name(), "hello");
/// # Ok::<(), stillpoint_engine::scenario::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) text: Text,
    pub(crate) dialect: Dialect,
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) start: Option<Instant>,
    pub(crate) end: Option<Instant>,
    pub(crate) host: Host,
    pub(crate) on_panic: PanicPolicy,
    pub(crate) limits: LimitsEntry,
    pub(crate) streams: Vec<StreamEntry>,
    pub(crate) actors: Vec<ActorEntry>,
    pub(crate) links: Vec<LinkEntry>,
    pub(crate) faults: Vec<FaultEntry>,
    pub(crate) expect: Expectations,
    /// Nothing comes from any stream after its first item that lies after this instant.
    pub(crate) cut: Option<Instant>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Spot<T> {
    pub(crate) value: T,
    pub(crate) at: Range<usize>,
}

/// A kind with its parameters, still unparsed: `params` is the place of `(...)`, empty when there is none.
#[derive(Clone, Debug)]
pub(crate) struct KindCall {
    pub(crate) name: Spot<String>,
    pub(crate) params: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct StreamEntry {
    pub(crate) name: Spot<String>,
    pub(crate) kind: KindCall,
    pub(crate) late: LatePolicy,
    pub(crate) reorder: Option<Duration>,
    pub(crate) ties: Ties,
    pub(crate) controlled: bool,
    pub(crate) rank: Rank,
}

#[derive(Clone, Debug)]
pub(crate) struct ActorEntry {
    pub(crate) name: Spot<String>,
    pub(crate) kind: KindCall,
    pub(crate) rank: Rank,
}

#[derive(Clone, Debug)]
pub(crate) struct LinkEntry {
    pub(crate) from: Spot<String>,
    pub(crate) to: Spot<String>,
    pub(crate) latency: Duration,
    pub(crate) jitter: Option<Duration>,
    pub(crate) loss: Option<f64>,
}

/// A fault: on a stream the first name is the stream's; on a link both ends.
#[derive(Clone, Debug)]
pub(crate) enum FaultEntry {
    Stream { stream: Spot<String>, fault: StreamFault },
    Down { from: Spot<String>, to: Spot<String>, since: Instant, until: Instant },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum LatePolicy {
    #[default]
    Error,
    DropAndCount,
    DeliverFlagged,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Ties {
    #[default]
    Together,
    OneByOne,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum PanicPolicy {
    #[default]
    Stop,
    Poison,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename = "Limits")]
pub(crate) struct LimitsEntry {
    pub(crate) max_steps: Option<u32>,
    pub(crate) max_mailbox: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Scenario")]
struct FileScenario<'t> {
    name: String,
    #[serde(default)]
    seed: u64,
    start: Option<Instant>,
    end: Option<Instant>,
    #[serde(default)]
    host: Host,
    #[serde(default)]
    on_panic: PanicPolicy,
    #[serde(default)]
    limits: LimitsEntry,
    #[serde(borrow, default)]
    streams: Vec<FileStream<'t>>,
    #[serde(borrow, default)]
    actors: Vec<FileActor<'t>>,
    #[serde(borrow, default)]
    links: Vec<FileLink<'t>>,
    #[serde(borrow, default)]
    faults: Vec<FileFault<'t>>,
    #[serde(default)]
    expect: Expectations,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Stream")]
struct FileStream<'t> {
    #[serde(borrow)]
    name: &'t RawValue,
    #[serde(borrow)]
    kind: &'t RawValue,
    #[serde(default)]
    late: LatePolicy,
    reorder: Option<Duration>,
    #[serde(default)]
    ties: Ties,
    #[serde(default)]
    controlled: bool,
    #[serde(default)]
    rank: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Actor")]
struct FileActor<'t> {
    #[serde(borrow)]
    name: &'t RawValue,
    #[serde(borrow)]
    kind: &'t RawValue,
    #[serde(default)]
    rank: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Link")]
struct FileLink<'t> {
    #[serde(borrow)]
    from: &'t RawValue,
    #[serde(borrow)]
    to: &'t RawValue,
    #[serde(default)]
    latency: Duration,
    jitter: Option<Duration>,
    loss: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Fault")]
enum FileFault<'t> {
    Gap {
        #[serde(borrow)]
        stream: &'t RawValue,
        from: Instant,
        to: Instant,
    },
    Duplicate {
        #[serde(borrow)]
        stream: &'t RawValue,
        from: Instant,
        to: Instant,
    },
    Late {
        #[serde(borrow)]
        stream: &'t RawValue,
        from: Instant,
        to: Instant,
        by: Duration,
    },
    Skew {
        #[serde(borrow)]
        stream: &'t RawValue,
        from: Instant,
        to: Instant,
        by: Duration,
    },
    Disconnect {
        #[serde(borrow)]
        stream: &'t RawValue,
        at: Instant,
    },
    Fail {
        #[serde(borrow)]
        stream: &'t RawValue,
        at: Instant,
    },
    Down {
        #[serde(borrow)]
        link: (&'t RawValue, &'t RawValue),
        from: Instant,
        to: Instant,
    },
}

impl Scenario {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ScenarioError`] if the file cannot be read, is no RON, or says something that no scenario can mean.
    pub fn read(file: &Path, overrides: &[Override]) -> Result<Self, ScenarioError> {
        let text = read_text(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&file.display().to_string(), &text, overrides).map(|scenario| scenario.in_folder(folder))
    }

    /// Reads a text as if it were the file `name` in the working directory.
    ///
    /// # Errors
    /// As [`Scenario::read`].
    pub fn parse(name: &str, text: &str, overrides: &[Override]) -> Result<Self, ScenarioError> {
        let mut text = Text::new(name, text);
        let dialect = Dialect::of(&text)?;
        for given in overrides {
            apply(&mut text, &dialect, given)?;
        }
        let scenario = checked(&text, &dialect)?;
        Ok(Self { text, dialect, ..scenario })
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The seed of everything random in it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the run is declared to start. `None`: with the first event.
    pub fn start(&self) -> Option<Instant> {
        self.start
    }

    /// Where the run is declared to end, inclusive. `None`: when nothing is left to do.
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    /// The host that it asks for; whoever runs it may choose another one.
    pub fn host(&self) -> Host {
        self.host
    }

    /// The same scenario with its input cut off: every stream ends before its first item whose event time, faults included, lies after `at`. What
    /// is received up to `at` must be the same, or something knows what is to come.
    #[must_use]
    pub fn cut(mut self, at: Instant) -> Self {
        self.cut = Some(at);
        self
    }

    /// The same scenario with its paths relative to another folder.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = folder.to_owned();
        self
    }

    /// Its text with all overrides written into it.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The folder that paths in it are relative to.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Turns the file's pieces into entries and checks what concerns them alone.
fn checked(text: &Text, dialect: &Dialect) -> Result<Scenario, ScenarioError> {
    let whole = 0..text.as_str().len();
    let file: FileScenario<'_> = dialect.parse(text, &whole)?;
    let spot = |raw: &RawValue| -> Result<Spot<String>, ScenarioError> {
        let at = range_of(text, raw);
        Ok(Spot { value: dialect.parse(text, &at)?, at })
    };
    let mut names = Names { text, taken: BTreeMap::new() };
    let mut streams = Vec::with_capacity(file.streams.len());
    for entry in &file.streams {
        if let Some(delay) = entry.reorder.filter(|delay| *delay < Duration::ZERO) {
            return Err(text.error(range_of(text, entry.name), format!("the stream cannot be reordered by {delay}")));
        }
        streams.push(StreamEntry {
            name: names.take(spot(entry.name)?, "stream")?,
            kind: kind_call(text, entry.kind)?,
            late: entry.late,
            reorder: entry.reorder,
            ties: entry.ties,
            controlled: entry.controlled,
            rank: Rank(entry.rank),
        });
    }
    let mut actors = Vec::with_capacity(file.actors.len());
    for entry in &file.actors {
        let name = names.take(spot(entry.name)?, "actor")?;
        actors.push(ActorEntry { name, kind: kind_call(text, entry.kind)?, rank: Rank(entry.rank) });
    }
    let actor_names: Vec<&str> = actors.iter().map(|entry| entry.name.value.as_str()).collect();
    let stream_names: Vec<&str> = streams.iter().map(|entry| entry.name.value.as_str()).collect();
    let among = |name: Spot<String>, known: &[&str], what: &str| {
        if known.contains(&name.value.as_str()) {
            return Ok(name);
        }
        let error = text.error(name.at, format!("there is no {what} `{}`", name.value));
        Err(error.with_help(suggest::help(&name.value, known.iter().copied())))
    };
    let mut links = Vec::with_capacity(file.links.len());
    for entry in &file.links {
        let (from, to) = (among(spot(entry.from)?, &actor_names, "actor")?, among(spot(entry.to)?, &actor_names, "actor")?);
        if entry.latency < Duration::ZERO || entry.jitter.is_some_and(|jitter| jitter < Duration::ZERO) {
            let cause = format!("the link from `{}` to `{}` has a negative latency or jitter", from.value, to.value);
            return Err(text.error(from.at, cause).with_help(Some("a message cannot arrive before it is sent".to_owned())));
        }
        if let Some(loss) = entry.loss.filter(|loss| !(0.0..=1.0).contains(loss)) {
            let cause = format!("the link from `{}` to `{}` has a loss of {loss}", from.value, to.value);
            return Err(text.error(from.at, cause).with_help(Some("a loss is a probability from 0 to 1".to_owned())));
        }
        links.push(LinkEntry { from, to, latency: entry.latency, jitter: entry.jitter, loss: entry.loss });
    }
    let mut faults = Vec::with_capacity(file.faults.len());
    for entry in &file.faults {
        faults.push(match fault_entry(text, entry, &spot)? {
            FaultEntry::Stream { stream, fault } => FaultEntry::Stream { stream: among(stream, &stream_names, "stream")?, fault },
            FaultEntry::Down { from, to, since, until } => {
                if !links.iter().any(|link| link.from.value == from.value && link.to.value == to.value) {
                    let error = text.error(from.at, format!("there is no link from `{}` to `{}`", from.value, to.value));
                    return Err(error.with_help(Some("declare it under `links`".to_owned())));
                }
                FaultEntry::Down { from, to, since, until }
            }
        });
    }
    Ok(Scenario {
        text: text.clone(),
        dialect: dialect.clone(),
        folder: PathBuf::new(),
        name: file.name,
        seed: file.seed,
        start: file.start,
        end: file.end,
        host: file.host,
        on_panic: file.on_panic,
        limits: file.limits,
        streams,
        actors,
        links,
        faults,
        expect: file.expect,
        cut: None,
    })
}

/// The names given so far: one namespace for streams and actors.
struct Names<'t> {
    text: &'t Text,
    taken: BTreeMap<String, &'static str>,
}

impl Names<'_> {
    fn take(&mut self, name: Spot<String>, what: &'static str) -> Result<Spot<String>, ScenarioError> {
        if let Err(error) = Name::new(&name.value) {
            return Err(self.text.error(name.at, error.to_string()));
        }
        match self.taken.insert(name.value.clone(), what) {
            None => Ok(name),
            Some(before) => {
                let cause = format!("duplicate name `{}`: there is {} of that name already", name.value, article(before));
                let help = Some("streams and actors share one set of names; choose another".to_owned());
                Err(self.text.error(name.at, cause).with_help(help))
            }
        }
    }
}

fn article(what: &str) -> String {
    if what.starts_with('a') { format!("an {what}") } else { format!("a {what}") }
}

fn kind_call(text: &Text, raw: &RawValue) -> Result<KindCall, ScenarioError> {
    let piece = range_of(text, raw);
    match call(text, &piece) {
        Some((name, params)) => Ok(KindCall { name: Spot { value: text.as_str()[name.clone()].to_owned(), at: name }, params }),
        None => {
            let help = "write the kind's name and its parameters, such as `script(steps: [])`".to_owned();
            Err(text.error(piece, "this is no kind").with_help(Some(help)))
        }
    }
}

fn fault_entry(
    text: &Text,
    fault: &FileFault<'_>,
    spot: &dyn Fn(&RawValue) -> Result<Spot<String>, ScenarioError>,
) -> Result<FaultEntry, ScenarioError> {
    let (stream, fault, window) = match *fault {
        FileFault::Gap { stream, from, to } => (stream, StreamFault::Gap { from, to }, Some((from, to))),
        FileFault::Duplicate { stream, from, to } => (stream, StreamFault::Duplicate { from, to }, Some((from, to))),
        FileFault::Late { stream, from, to, by } => (stream, StreamFault::Late { from, to, by }, Some((from, to))),
        FileFault::Skew { stream, from, to, by } => (stream, StreamFault::Skew { from, to, by }, Some((from, to))),
        FileFault::Disconnect { stream, at } => (stream, StreamFault::Disconnect { at }, None),
        FileFault::Fail { stream, at } => (stream, StreamFault::Fail { at }, None),
        FileFault::Down { link: (from, to), from: since, to: until } => {
            let from = spot(from)?;
            in_order(text, &from.at, since, until)?;
            return Ok(FaultEntry::Down { from, to: spot(to)?, since, until });
        }
    };
    let stream = spot(stream)?;
    if let Some((from, to)) = window {
        in_order(text, &stream.at, from, to)?;
    }
    if let StreamFault::Late { by, .. } = fault
        && !by.is_positive()
    {
        return Err(text.error(stream.at, format!("events cannot be late by {by}")).with_help(Some("give more than \"0s\"".to_owned())));
    }
    Ok(FaultEntry::Stream { stream, fault })
}

fn in_order(text: &Text, at: &Range<usize>, from: Instant, to: Instant) -> Result<(), ScenarioError> {
    if from < to {
        return Ok(());
    }
    Err(text.error(at.clone(), format!("the fault ends at {to}, not after its start at {from}")))
}
