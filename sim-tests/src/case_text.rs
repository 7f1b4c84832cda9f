//! A case as the text of a scenario, and back. Invariant: what is written is read as an equal case, and every file is a scenario in form: its
//! streams, links and faults are those of the engine's own scenarios, its actors are of the kind `world`, which stands for the test's code.

use std::fmt::{self, Write};
use std::marker::PhantomData;

use ron::Options;
use ron::extensions::Extensions;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, VariantAccess, Visitor};
use stillpoint_engine::scenario::{Script, Step, StreamFault};
use stillpoint_engine::{Duration, Instant, Late, Rank, Timed};

use crate::case::{Case, Feed, Weather};
use crate::sample::Sample;

/// A link of a world: from, to, latency.
pub(crate) type LinkOf = (String, String, Duration);

fn options() -> Options {
    Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES)
}

/// The text of a case in a world of these actors and links, after lines of comment.
pub(crate) fn write<M: Sample>(case: &Case<M>, name: &str, about: &str, actors: &[String], links: &[LinkOf]) -> String {
    let mut text: String = about.lines().map(|line| format!("// {line}").trim_end().to_owned() + "\n").collect();
    let mut put = |line: String| text.write_str(&(line + "\n")).expect("memory takes every line");
    put("(".to_owned());
    put(format!("    name: {name:?},"));
    put(format!("    seed: {},", case.seed));
    put("    streams: [".to_owned());
    for feed in &case.streams {
        let mut settings = Vec::new();
        settings.extend((feed.late != Late::Error).then(|| format!("late: {:?}", feed.late)));
        settings.extend(feed.reorder.map(|delay| format!("reorder: \"{delay}\"")));
        settings.extend(feed.one_by_one.then(|| "ties: OneByOne".to_owned()));
        settings.extend((feed.rank.0 != 0).then(|| format!("rank: {}", feed.rank.0)));
        let settings: String = settings.into_iter().map(|setting| format!(", {setting}")).collect();
        put(format!("        (name: {:?}{settings}, kind: {}(steps: [", feed.name, M::SCRIPT));
        for item in &feed.items {
            let value = options().to_string(&item.value).expect("an event can be written");
            put(format!("            Add(at: \"{}\", value: {value}),", item.at));
        }
        put("        ])),".to_owned());
    }
    put("    ],".to_owned());
    put("    actors: [".to_owned());
    actors.iter().for_each(|actor| put(format!("        (name: {actor:?}, kind: world),")));
    put("    ],".to_owned());
    if !links.is_empty() {
        put("    links: [".to_owned());
        for (from, to, latency) in links {
            let weather = case.weather(from, to);
            let jitter = weather.filter(|weather| weather.jitter.is_positive()).map(|weather| format!(", jitter: \"{}\"", weather.jitter));
            let loss = weather.filter(|weather| weather.loss > 0.0).map(|weather| format!(", loss: {:?}", weather.loss));
            let (jitter, loss) = (jitter.unwrap_or_default(), loss.unwrap_or_default());
            put(format!("        (from: {from:?}, to: {to:?}, latency: \"{latency}\"{jitter}{loss}),"));
        }
        put("    ],".to_owned());
    }
    let faults: Vec<String> = case.faults.iter().map(|(stream, fault)| fault_text(&case.streams[*stream].name, fault)).collect();
    let down = case.weather.iter().filter_map(|weather| {
        let (from, to) = weather.down?;
        Some(format!("Down(link: ({:?}, {:?}), from: \"{from}\", to: \"{to}\")", weather.from, weather.to))
    });
    let faults: Vec<String> = faults.into_iter().chain(down).collect();
    if !faults.is_empty() {
        put("    faults: [".to_owned());
        faults.into_iter().for_each(|fault| put(format!("        {fault},")));
        put("    ],".to_owned());
    }
    put(")".to_owned());
    text
}

fn fault_text(stream: &str, fault: &StreamFault) -> String {
    match fault {
        StreamFault::Gap { from, to } => format!("Gap(stream: {stream:?}, from: \"{from}\", to: \"{to}\")"),
        StreamFault::Duplicate { from, to } => format!("Duplicate(stream: {stream:?}, from: \"{from}\", to: \"{to}\")"),
        StreamFault::Late { from, to, by } => format!("Late(stream: {stream:?}, from: \"{from}\", to: \"{to}\", by: \"{by}\")"),
        StreamFault::Skew { from, to, by } => format!("Skew(stream: {stream:?}, from: \"{from}\", to: \"{to}\", by: \"{by}\")"),
        StreamFault::Disconnect { at } => format!("Disconnect(stream: {stream:?}, at: \"{at}\")"),
        StreamFault::Fail { at } => format!("Fail(stream: {stream:?}, at: \"{at}\")"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Scenario", bound = "M: Sample")]
struct FileCase<M> {
    #[serde(rename = "name")]
    _name: IgnoredAny,
    #[serde(default)]
    seed: u64,
    #[serde(default = "Vec::new")]
    streams: Vec<FileStream<M>>,
    #[serde(default, rename = "actors")]
    _actors: Vec<FileActor>,
    #[serde(default)]
    links: Vec<FileLink>,
    #[serde(default)]
    faults: Vec<FileFault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Stream", bound = "M: Sample")]
struct FileStream<M> {
    name: String,
    kind: Kind<M>,
    #[serde(default)]
    late: FileLate,
    reorder: Option<Duration>,
    #[serde(default)]
    ties: Ties,
    #[serde(default)]
    rank: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Actor")]
struct FileActor {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "kind")]
    _kind: World,
}

#[derive(Deserialize)]
enum World {
    #[serde(rename = "world")]
    World,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Link")]
struct FileLink {
    from: String,
    to: String,
    #[serde(default, rename = "latency")]
    _latency: Duration,
    #[serde(default)]
    jitter: Duration,
    #[serde(default)]
    loss: f64,
}

#[derive(Default, Deserialize)]
enum FileLate {
    #[default]
    Error,
    DropAndCount,
    DeliverFlagged,
}

#[derive(Default, Deserialize, PartialEq)]
enum Ties {
    #[default]
    Together,
    OneByOne,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Fault")]
enum FileFault {
    Gap { stream: String, from: Instant, to: Instant },
    Duplicate { stream: String, from: Instant, to: Instant },
    Late { stream: String, from: Instant, to: Instant, by: Duration },
    Skew { stream: String, from: Instant, to: Instant, by: Duration },
    Disconnect { stream: String, at: Instant },
    Fail { stream: String, at: Instant },
    Down { link: (String, String), from: Instant, to: Instant },
}

/// `script_numbers(steps: [..])`: a kind whose name the type of the events knows.
struct Kind<M>(Script<M>);

impl<'de, M: Sample> Deserialize<'de> for Kind<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Kind", &[], KindVisitor(PhantomData))
    }
}

struct KindVisitor<M>(PhantomData<M>);

impl<'de, M: Sample> Visitor<'de> for KindVisitor<M> {
    type Value = Kind<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}(steps: [..])`, the kind of this test's events", M::SCRIPT)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Kind<M>, A::Error> {
        let ((), variant) = access.variant_seed(Named(M::SCRIPT))?;
        variant.struct_variant(&["steps"], StepsVisitor(PhantomData)).map(|steps| Kind(Script { steps }))
    }
}

/// An identifier that must be this one.
struct Named(&'static str);

impl<'de> DeserializeSeed<'de> for Named {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Named {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kind `{}`", self.0)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        if name == self.0 { Ok(()) } else { Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)) }
    }
}

struct StepsVisitor<M>(PhantomData<M>);

impl<'de, M: Sample> Visitor<'de> for StepsVisitor<M> {
    type Value = Vec<Step<M>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`steps`")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Vec<Step<M>>, A::Error> {
        let mut steps = None;
        while let Some(()) = map.next_key_seed(Named("steps"))? {
            steps = Some(map.next_value()?);
        }
        steps.ok_or_else(|| serde::de::Error::missing_field("steps"))
    }
}

/// Reads what [`write`] wrote, perhaps changed by hand; `file` is named by errors.
pub(crate) fn read<M: Sample>(file: &str, text: &str) -> Result<Case<M>, String> {
    let read: FileCase<M> = options().from_str(text).map_err(|error| format!("{file}:{}: {}", error.span.start, error.code))?;
    let mut streams = Vec::new();
    for stream in read.streams {
        let mut items = Vec::new();
        for step in stream.kind.0.steps {
            match step {
                Step::Add { at: Some(at), value } => items.push(Timed { at, value }),
                Step::AddAll { at: Some(at), values } => items.extend(values.into_iter().map(|value| Timed { at, value })),
                _ => return Err(format!("{file}: a step of stream `{}` is no Add with an instant; a case has no others", stream.name)),
            }
        }
        let late = match stream.late {
            FileLate::Error => Late::Error,
            FileLate::DropAndCount => Late::DropAndCount,
            FileLate::DeliverFlagged => Late::DeliverFlagged,
        };
        let (reorder, one_by_one) = (stream.reorder, stream.ties == Ties::OneByOne);
        streams.push(Feed { name: stream.name, rank: Rank(stream.rank), late, reorder, one_by_one, items });
    }
    let mut weather: Vec<Weather> = Vec::new();
    for link in read.links {
        weather.push(Weather { from: link.from, to: link.to, jitter: link.jitter, loss: link.loss, down: None });
    }
    let mut faults = Vec::new();
    for fault in read.faults {
        let (stream, fault) = match fault {
            FileFault::Gap { stream, from, to } => (stream, StreamFault::Gap { from, to }),
            FileFault::Duplicate { stream, from, to } => (stream, StreamFault::Duplicate { from, to }),
            FileFault::Late { stream, from, to, by } => (stream, StreamFault::Late { from, to, by }),
            FileFault::Skew { stream, from, to, by } => (stream, StreamFault::Skew { from, to, by }),
            FileFault::Disconnect { stream, at } => (stream, StreamFault::Disconnect { at }),
            FileFault::Fail { stream, at } => (stream, StreamFault::Fail { at }),
            FileFault::Down { link: (sender, receiver), from, to } => {
                let link = weather.iter_mut().find(|weather| weather.from == sender && weather.to == receiver);
                link.ok_or_else(|| format!("{file}: there is no link from `{sender}` to `{receiver}`"))?.down = Some((from, to));
                continue;
            }
        };
        let index = streams.iter().position(|feed| feed.name == stream).ok_or_else(|| format!("{file}: there is no stream `{stream}`"))?;
        faults.push((index, fault));
    }
    weather.retain(|weather| weather.jitter.is_positive() || weather.loss > 0.0 || weather.down.is_some());
    Ok(Case { seed: read.seed, streams, faults, weather })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn full() -> Case<i64> {
        let (from, to, by) = (at(5), at(1_000_000_007), Duration::millis(-3));
        let items = vec![Timed { at: at(-7), value: -1 }, Timed { at: at(3_000_000_000), value: 104 }];
        let plain = Feed { name: "s0".to_owned(), rank: Rank(0), late: Late::Error, reorder: None, one_by_one: false, items };
        let late = Late::DeliverFlagged;
        let other =
            Feed { name: "s1".to_owned(), rank: Rank(-1), late, reorder: Some(Duration::micros(7)), one_by_one: true, items: vec![] };
        let faults = vec![
            (0, StreamFault::Gap { from, to }),
            (1, StreamFault::Duplicate { from, to }),
            (1, StreamFault::Late { from, to, by: Duration::secs(1) }),
            (0, StreamFault::Skew { from, to, by }),
            (0, StreamFault::Disconnect { at: to }),
            (1, StreamFault::Fail { at: to }),
        ];
        let link =
            |from: &str, to: &str| Weather { from: from.to_owned(), to: to.to_owned(), jitter: Duration::ZERO, loss: 0.0, down: None };
        let weather = vec![
            Weather { jitter: Duration::nanos(5), loss: 0.125, ..link("a", "b") },
            Weather { down: Some((from, to)), ..link("b", "a") },
        ];
        Case { seed: 7, streams: vec![plain, other], faults, weather }
    }

    #[test]
    fn a_case_is_read_as_it_was_written() {
        let links = [("a", "b"), ("b", "a"), ("b", "b")].map(|(from, to)| (from.to_owned(), to.to_owned(), Duration::micros(250)));
        let text = write(&full(), "all", "Two\n\nlines.", &["a".to_owned(), "b".to_owned()], &links);
        assert!(text.starts_with("// Two\n//\n// lines.\n(\n    name: \"all\",\n    seed: 7,\n"), "{text}");
        assert!(
            text.contains(
                "(name: \"s0\", kind: script_numbers(steps: [\n            Add(at: \"1969-12-31T23:59:59.999999993Z\", value: -1),\n"
            ),
            "{text}"
        );
        assert!(text.contains("        (from: \"a\", to: \"b\", latency: \"250us\", jitter: \"5ns\", loss: 0.125),\n"), "{text}");
        assert_eq!(read::<i64>("all.ron", &text), Ok(full()));
    }

    #[test]
    fn texts_are_quoted() {
        let items = vec![Timed { at: at(0), value: "a \"b\"\n".to_owned() }];
        let feed = Feed { name: "s\"".to_owned(), rank: Rank(0), late: Late::Error, reorder: None, one_by_one: false, items };
        let case = Case { seed: 0, streams: vec![feed], faults: vec![], weather: vec![] };
        assert_eq!(read::<String>("q.ron", &write(&case, "q", "", &[], &[])), Ok(case));
    }

    /// What is written is a scenario in form: the engine reads it, and misses only the kind `world`.
    #[test]
    fn the_engine_reads_it_too() {
        let links = [("a".to_owned(), "b".to_owned(), Duration::micros(1)), ("b".to_owned(), "a".to_owned(), Duration::ZERO)];
        let text = write(&full(), "all", "", &["a".to_owned(), "b".to_owned()], &links);
        let scenario = stillpoint_engine::scenario::Scenario::parse("all.ron", &text, &[]).expect("a scenario");
        let missing = scenario.build(&stillpoint_engine::scenario::Registry::new()).map(|_| ()).expect_err("`world` is the test's code");
        assert!(missing.to_string().contains("unknown kind of actor `world`"), "{missing}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, cause) in [
            ("(name: \"x\", streams: [(name: \"s\", kind: script(steps: []))])", "the kind `script_numbers`"),
            ("(name: \"x\", streams: [(name: \"s\", kind: script_numbers(steps: [AdvanceToInfinity]))])", "x.ron: a step of stream `s`"),
            ("(name: \"x\", faults: [Fail(stream: \"s\", at: \"2025-01-01T00:00:00Z\")])", "x.ron: there is no stream `s`"),
            ("(name: \"x\", sede: 7)", "x.ron:1:"),
        ] {
            let error = read::<i64>("x.ron", text).expect_err(text);
            assert!(error.contains(cause), "{error}");
        }
    }
}
