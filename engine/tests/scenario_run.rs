//! Scenarios run as they say: scripts, faults, overrides, references in any order, expectations.

use stillpoint_engine::scenario::{Override, Registry, Scenario};
use stillpoint_engine::{Outcome, Value};

fn run(text: &str, overrides: &[&str]) -> (Scenario, Outcome) {
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().expect("an override")).collect();
    let scenario = Scenario::parse("test.ron", text, &overrides).unwrap_or_else(|error| panic!("{error}"));
    let built = scenario.build(&Registry::new()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = built.simulation.run().unwrap_or_else(|failed| panic!("{failed}"));
    (scenario, outcome)
}

/// The lines that a recorder kept, without the date.
fn lines(outcome: &Outcome, actor: &str) -> Vec<String> {
    let (_, report) = outcome.reports.iter().find(|(path, _)| path.to_string() == actor).expect("the actor has a report");
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.replace("2025-01-01T00:", "")),
        Value::Number(_) | Value::Integer(_) => None,
    };
    report.entries().iter().filter_map(|(_, value)| text(value)).collect()
}

const PEOPLE: &str = r#"(
    name: "greeter",
    streams: [(name: "people", kind: script(steps: [
        AdvanceTo("2025-01-01T00:00:00Z"), Add(value: "Jane"),
        AdvanceBy("1s"), Add(value: "John"),
        AdvanceBy("1s"), Add(value: "Sarah"),
        AdvanceBy("1s"), AddAll(values: ["Paul", "Jane"]),
        AdvanceToInfinity,
    ]))],
    actors: [(name: "greeter", kind: recorder(streams: ["people"]))],
)"#;

#[test]
fn a_script_is_played_at_its_times() {
    let (_, outcome) = run(PEOPLE, &[]);
    let expected = ["00:00Z 2025-01-01T00:00:00Z Jane", "00:01Z 2025-01-01T00:00:01Z John", "00:02Z 2025-01-01T00:00:02Z Sarah"];
    let expected = expected.iter().copied().chain(["00:03Z 2025-01-01T00:00:03Z Paul", "00:03Z 2025-01-01T00:00:03Z Jane"]);
    let expected: Vec<String> = expected.map(|line| line.replace("2025-01-01T00:", "")).collect();
    assert_eq!(lines(&outcome, "greeter"), expected);
    assert_eq!((outcome.events, outcome.deliveries), (5, 6));
}

#[test]
fn faults_do_what_they_say() {
    let faulty = |faults: &str, late: &str| {
        let text = PEOPLE.replace("actors:", &format!("faults: [{faults}],\n    actors:"));
        let (_, outcome) = run(&text, &[&format!("streams.people.late={late}")]);
        lines(&outcome, "greeter").iter().map(|line| line.rsplit(' ').next().unwrap_or("").to_owned()).collect::<Vec<_>>().join(" ")
    };
    let window = r#"stream: "people", from: "2025-01-01T00:00:01Z", to: "2025-01-01T00:00:03Z""#;
    assert_eq!(faulty("", "Error"), "Jane John Sarah Paul Jane");
    assert_eq!(faulty(&format!("Gap({window})"), "Error"), "Jane Paul Jane");
    assert_eq!(faulty(&format!("Duplicate({window})"), "Error"), "Jane John John Sarah Sarah Paul Jane");
    // John comes behind Paul and is two seconds late; Sarah comes last.
    assert_eq!(faulty(&format!("Late({window}, by: \"2s\")"), "DropAndCount"), "Jane Paul Jane");
    assert_eq!(faulty(&format!("Late({window}, by: \"2s\")"), "DeliverFlagged"), "Jane Paul John Jane Sarah");
    assert_eq!(faulty(&format!("Skew({window}, by: \"1s\")"), "Error"), "Jane John Sarah Paul Jane");
    assert_eq!(faulty(r#"Disconnect(stream: "people", at: "2025-01-01T00:00:02Z")"#, "Error"), "Jane John");
}

#[test]
fn a_link_that_is_down_loses_what_is_sent_meanwhile() {
    let text = r#"(
        name: "down",
        start: "2025-01-01T00:00:00Z",
        actors: [
            (name: "clock", kind: timer(to: "greeter", text: "tick", every: "1s", end: "2025-01-01T00:00:05Z")),
            (name: "greeter", kind: recorder),
        ],
        links: [(from: "clock", to: "greeter", latency: "250us")],
        faults: [Down(link: ("clock", "greeter"), from: "2025-01-01T00:00:02Z", to: "2025-01-01T00:00:04Z")],
    )"#;
    let (_, outcome) = run(text, &[]);
    let expected = ["00:01.000250Z 00:01.000250Z tick", "00:04.000250Z 00:04.000250Z tick", "00:05.000250Z 00:05.000250Z tick"];
    assert_eq!(lines(&outcome, "greeter"), expected);
}

/// Actors that know each other, declared in either order.
#[test]
fn the_order_of_declarations_means_nothing() {
    let one = r#"(name: "ping", kind: relay(to: "pong", delay: "1s"))"#;
    let two = r#"(name: "pong", kind: relay(to: "ping", delay: "1s", streams: ["balls"]))"#;
    let text = |actors: [&str; 2]| {
        format!(
            r#"(name: "match", end: "2025-01-01T00:00:10Z",
                streams: [(name: "balls", kind: script(steps: [Add(at: "2025-01-01T00:00:00Z", value: "ball")]))],
                actors: [{}, {}])"#,
            actors[0], actors[1]
        )
    };
    let ((_, a), (_, b)) = (run(&text([one, two]), &[]), run(&text([two, one]), &[]));
    assert_eq!(a.trace_hash, b.trace_hash);
    // Two starts, the ball, and ten passes.
    assert_eq!((a.deliveries, b.deliveries), (13, 13));
}

#[test]
fn overrides_are_like_edits() {
    let (_, edited) = run(&PEOPLE.replace("[\"people\"]", "[\"people\"], keep: 2"), &[]);
    let (_, overridden) = run(PEOPLE, &["actors.greeter.keep=2"]);
    assert_eq!(lines(&edited, "greeter").len(), 2);
    assert_eq!(lines(&edited, "greeter"), lines(&overridden, "greeter"));
    let (_, ended) = run(PEOPLE, &["end=2025-01-01T00:00:01Z"]);
    assert_eq!(lines(&ended, "greeter").len(), 2);
    let (scenario, _) = run(PEOPLE, &["seed=7", "seed=8", "name=other", "limits.max_steps=5"]);
    assert_eq!((scenario.seed(), scenario.name()), (8, "other"));
}

#[test]
fn expectations_are_checked() {
    let expecting = |expect: &str| {
        let (scenario, outcome) = run(&PEOPLE.replace("actors:", &format!("expect: ({expect}),\n    actors:")), &[]);
        scenario.unmet(&outcome).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(expecting("events: 5, deliveries: 6, late_events: 0, dead_letters: 0"), "");
    assert_eq!(expecting("events: 6"), "events: expected 6, found 5");
    assert_eq!(expecting(r#"results: [(actor: "greeter", name: "received", min: 5, max: 5)]"#), "");
    let wrong = r#"results: [(actor: "greeter", name: "received", min: 6), (actor: "nobody", name: "x")]"#;
    assert_eq!(expecting(wrong), "greeter.received: expected at least 6, found 5; nobody.x: expected a result, found no such result");
    let (_, outcome) = run(PEOPLE, &[]);
    assert_eq!(expecting(&format!("trace_hash: \"{}\"", outcome.trace_hash)), "");
    let zeros = "0".repeat(32);
    assert_eq!(expecting(&format!("trace_hash: \"{zeros}\"")), format!("trace_hash: expected {zeros}, found {}", outcome.trace_hash));
}

#[test]
fn the_graph_knows_who_is_joined_to_whom() {
    let text = r#"(
        name: "graph",
        streams: [(name: "people", kind: script(steps: []))],
        actors: [
            (name: "porter", kind: relay(streams: ["people"], to: "greeter")),
            (name: "greeter", kind: recorder),
        ],
        links: [(from: "porter", to: "greeter", latency: "250us")],
    )"#;
    let scenario = Scenario::parse("graph.ron", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let graph = scenario.build(&Registry::new()).unwrap_or_else(|error| panic!("{error}")).graph;
    let edges: Vec<(&str, &str, &str, bool)> =
        graph.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.message.as_str(), edge.is_stream)).collect();
    assert_eq!(edges, [("people", "porter", "text", true), ("porter", "greeter", "text", false)]);
    let links: Vec<(&str, &str, String)> =
        graph.links.iter().map(|link| (link.from.as_str(), link.to.as_str(), link.latency.to_string())).collect();
    assert_eq!(links, [("porter", "greeter", "250us".to_owned())]);
    assert_eq!(graph.actors.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["greeter", "porter"]);
}
