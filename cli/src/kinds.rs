//! The commands `kinds` and `schema`: what a scenario may say.

use stillpoint_engine::scenario::{FieldDoc, KindDoc, ParamDoc, Registry};
use stillpoint_engine::suggest;

use crate::failure::{Done, Failure, print};
use crate::table::{Side, table};

/// All kinds, a line each.
pub(crate) fn list(registry: &Registry) -> String {
    let lines = |kinds: &mut dyn Iterator<Item = &KindDoc>| {
        let rows: Vec<Vec<String>> = kinds.map(|kind| vec![kind.name.to_owned(), kind.doc.to_owned()]).collect();
        table(2, &[Side::Left, Side::Left], &rows)
    };
    let (streams, actors) = (lines(&mut registry.stream_kinds()), lines(&mut registry.actor_kinds()));
    format!("Streams\n{streams}\nActors\n{actors}\n`stillpoint schema KIND` shows the parameters of one.\n")
}

/// One kind with its parameters, or the scenario file as a whole.
pub(crate) fn schema(registry: &Registry, kind: Option<&str>) -> Result<Done, Failure> {
    let Some(name) = kind else { return print(SCENARIO) };
    let streams = registry.stream_kinds().filter(|kind| kind.name == name).map(|kind| describe(registry, kind, "stream", "carries"));
    let actors = registry.actor_kinds().filter(|kind| kind.name == name).map(|kind| describe(registry, kind, "actor", "accepts"));
    let found: Vec<String> = streams.chain(actors).collect();
    if found.is_empty() {
        let known = registry.stream_kinds().chain(registry.actor_kinds()).map(|kind| kind.name);
        let near = suggest::nearest(name, known).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        return Err(Failure::Input(format!("there is no kind `{name}`\nhelp: {near}`stillpoint kinds` lists them")));
    }
    print(&found.join("\n"))
}

fn describe(registry: &Registry, kind: &KindDoc, what: &str, verb: &str) -> String {
    let parts = registry.parts_of(kind);
    // A type by the names of the structs in it, which are described below.
    let named = |of: &str| parts.iter().fold(of.to_owned(), |of, part| part.named_in(&of));
    let mut text = format!("{} ({what})\n  {}\n", kind.name, kind.doc);
    if !kind.messages.is_empty() {
        text.push_str(&format!("  {verb} {}\n", kind.messages.join(", ")));
    }
    if !kind.params.is_empty() {
        let row = |param: &ParamDoc| {
            let need = match param.required {
                Some(true) => "required",
                Some(false) => "optional",
                None => "",
            };
            vec![param.name.to_owned(), named(&param.of), need.to_owned(), param.doc.to_owned()]
        };
        let rows: Vec<Vec<String>> = kind.params.iter().map(row).collect();
        text.push('\n');
        text.push_str(&table(2, &[Side::Left; 4], &rows));
    }
    for part in &parts {
        let row = |field: &FieldDoc| {
            let need = field.default.map_or_else(|| "required".to_owned(), |default| format!("default: {default}"));
            vec![field.name.to_owned(), named(&field.of), need, field.doc.to_owned()]
        };
        let rows: Vec<Vec<String>> = part.fields.iter().map(row).collect();
        text.push_str(&format!("\n  {}: {}\n{}", part.name, part.doc, table(4, &[Side::Left; 4], &rows)));
    }
    if let Some(example) = kind.example {
        text.push_str(&format!("\n  kind: {}{example}\n", kind.name));
    }
    text
}

const SCENARIO: &str = r#"A scenario is one RON struct; all but `name` may be left out. Times are RFC 3339, durations have units (ns, us, ms, s, m, h, d),
paths are relative to the file.

(
    name: "my scenario",
    seed: 7,                                   // of everything random; default 0
    start: "2025-03-25T23:07:00Z",             // default: the first event
    end: "2025-03-25T23:10:00Z",               // inclusive; default: when nothing is left to do
    host: Inline,
    on_panic: Stop,                            // Stop | Poison
    limits: (max_steps: 1000000, max_mailbox: 1000),
    streams: [
        (
            name: "prices",
            kind: script(steps: []),           // a kind of stream and its parameters
            late: Error,                       // Error | DropAndCount | DeliverFlagged
            reorder: "250us",                  // default: none
            ties: Together,                    // Together | OneByOne
            controlled: false,
            rank: 0,
        ),
    ],
    actors: [
        (name: "porter", kind: relay(streams: ["prices"], to: "clerk"), rank: 0),
        (name: "clerk", kind: recorder),
    ],
    links: [(from: "porter", to: "clerk", latency: "250us", jitter: "50us", loss: 0.01)],
    faults: [
        Gap(stream: "prices", from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z"),
        Duplicate(stream: "prices", from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z"),
        Late(stream: "prices", from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z", by: "1s"),
        Skew(stream: "prices", from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z", by: "-5ms"),
        Disconnect(stream: "prices", at: "2025-03-25T23:09:00Z"),
        Fail(stream: "prices", at: "2025-03-25T23:09:00Z"),
        Down(link: ("porter", "clerk"), from: "2025-03-25T23:08:00Z", to: "2025-03-25T23:08:01Z"),
    ],
    expect: (
        trace_hash: "00000000000000000000000000000000",
        events: 2, deliveries: 4, late_events: 0, dead_letters: 0,
        results: [(actor: "clerk", name: "received", min: 2, max: 2)],    // or text: "..."
    ),
)

`stillpoint kinds` lists the kinds, `stillpoint schema KIND` shows the parameters of one.
"#;
