//! Storage inside a simulation: nobody learns of tomorrow, requests take virtual time, and the trace is one on every host.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::types::Float64Type;
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{
    Actor, Answer, AskId, Context, Duration, Handler, Instant, Link, Message, Outcome, Pool, Report, Simulation, Value,
};
use stillpoint_store::query::{How, Label, Query, Resample};
use stillpoint_store::shard::{
    AppendRows, Asked, KNOWN_AT, Latency, ReadRows, Recorded, Rows, RowsAnswer, RunQuery, ShardOptions, Shards, WriteRows, shard_of,
};
use stillpoint_store::{DateRange, Store, StoreError, TIME, Table, WriteOptions};

const DAY: i64 = 86_400;

fn at(second: i64) -> Instant {
    Instant::EPOCH + Duration::secs(second)
}

fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

/// Ten days of hourly prices: hour h costs h. `late` has the same prices, each known two hours after its time; `timeless` has no instants.
fn recorded() -> Result<Recorded, StoreError> {
    let library = Store::memory()?.create_versions("prices")?;
    let hours: Vec<i64> = (0..240).collect();
    let times = || hours.iter().map(|hour| at(hour * 3_600));
    let prices: Vec<f64> = hours.iter().map(|hour| *hour as f64).collect();
    library.write("EURUSD", &Table::at(times()).column("price", prices.clone()).finish()?, &WriteOptions::default())?;
    let known = Table::at(times().map(|time| time + Duration::secs(7_200))).finish()?.whole()?.column(0).clone();
    library.write(
        "late",
        &Table::at(times()).column("price", prices.clone()).column(KNOWN_AT, known).finish()?,
        &WriteOptions::default(),
    )?;
    library.write("timeless", &Table::plain().column("price", prices).finish()?, &WriteOptions::default())?;
    Recorded::of(&library)
}

#[derive(Debug, Hash)]
struct Wake;

impl Message for Wake {
    const KIND: &'static str = "wake";
}

/// Wakes at noon of the third day, hour 60, and asks whatever could tell of a later hour.
struct Cheat {
    shards: Shards,
    asked: BTreeMap<AskId, &'static str>,
    heard: BTreeMap<&'static str, String>,
}

impl Actor for Cheat {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_at(at(60 * 3_600), Wake);
    }

    fn report(&self, report: &mut Report) {
        for (name, heard) in &self.heard {
            report.text(name, heard.clone());
        }
    }
}

impl Handler<Wake> for Cheat {
    fn handle(&mut self, _: &Wake, ctx: &mut Context<'_, Self>) {
        let tomorrow = DateRange::new(at(61 * 3_600)..=at(10 * DAY)).expect("a range");
        for (name, symbol) in [("read tomorrow", "EURUSD"), ("read tomorrow late", "late"), ("read timeless", "timeless")] {
            let read = ReadRows { range: if symbol == "timeless" { DateRange::ALL } else { tomorrow }, ..ReadRows::new(symbol) };
            let id = self.shards.ask(ctx, read, None);
            self.asked.insert(id, name);
        }
        let days = |label| Resample::every(Duration::secs(DAY)).label(label).aggregate(How::Max, "price");
        let all: [&str; 0] = [];
        let tricks: [(&str, &str, Query); 8] = [
            ("tail", "EURUSD", Query::new().tail(1).columns(["price"])),
            ("tail late", "late", Query::new().tail(1).columns(["price"])),
            ("head", "EURUSD", Query::new().date_range(tomorrow).head(1).columns(["price"])),
            ("rows", "EURUSD", Query::new().rows(60..240).columns(["price"])),
            ("max", "EURUSD", Query::new().group(all, [(How::Max, "price"), (How::Count, "price"), (How::Sum, "price")])),
            ("max late", "late", Query::new().group(all, [(How::Max, "price")])),
            ("days", "EURUSD", Query::new().resample(days(Label::Close)).columns(["price_max"])),
            ("days by open", "EURUSD", Query::new().resample(days(Label::Open)).columns(["price_max"])),
        ];
        for (name, symbol, query) in tricks {
            let id = self.shards.ask(ctx, RunQuery::new(symbol, query), None);
            self.asked.insert(id, name);
        }
    }
}

fn shown(answer: &RowsAnswer) -> String {
    match &answer.0 {
        Err(error) => error.to_string(),
        Ok(read) => {
            let table = read.rows.table();
            let names = table.schema().fields().iter().map(|field| field.name().clone()).filter(|name| name != TIME && name != KNOWN_AT);
            let columns = names.map(|name| match table.values::<Float64Type>(&name) {
                Ok(values) => format!("{values:?}"),
                Err(_) => format!("{:?}", table.whole().expect("one batch").column_by_name(&name)),
            });
            columns.collect::<Vec<_>>().join(" ")
        }
    }
}

impl Cheat {
    fn hear(&mut self, id: AskId, answer: &RowsAnswer) {
        let name = self.asked.remove(&id).expect("it was asked");
        self.heard.insert(name, shown(answer));
    }
}

impl Handler<Answer<Asked<ReadRows>>> for Cheat {
    fn handle(&mut self, answer: &Answer<Asked<ReadRows>>, _: &mut Context<'_, Self>) {
        self.hear(answer.id, answer.result.as_ref().expect("an answer"));
    }
}

impl Handler<Answer<Asked<RunQuery>>> for Cheat {
    fn handle(&mut self, answer: &Answer<Asked<RunQuery>>, _: &mut Context<'_, Self>) {
        self.hear(answer.id, answer.result.as_ref().expect("an answer"));
    }
}

/// At noon of the third day the prices of hours 0 to 60 are known, of `late` those up to hour 58, and two days are over.
#[test]
fn a_strategy_that_asks_for_tomorrow_gets_nothing() {
    // An answer that takes three days is of the instant of the question all the same.
    for fixed in [Duration::ZERO, Duration::secs(3 * DAY)] {
        let options = ShardOptions { latency: Latency { fixed, per_row: Duration::ZERO }, workers: count(20) };
        let mut sim = Simulation::new("cheating");
        let shards = Shards::add(&mut sim, "prices", &recorded().expect("prices"), count(2), options).expect("shards");
        sim.actor("cheat", Cheat { shards, asked: BTreeMap::new(), heard: BTreeMap::new() }).expect("an actor");
        let outcome = sim.run().expect("a run");
        let report = outcome.report("cheat").expect("a report");
        let heard = |name: &str| match report.get(name) {
            Some(Value::Text(text)) => text.clone(),
            other => panic!("{name}: {other:?}"),
        };
        for nothing in ["read tomorrow", "read tomorrow late", "head"] {
            assert_eq!(heard(nothing), "[]", "{nothing}");
        }
        assert!(heard("read timeless").contains("nobody can say when its rows were known"), "{}", heard("read timeless"));
        assert_eq!((heard("tail"), heard("tail late"), heard("rows")), ("[60.0]".into(), "[58.0]".into(), "[60.0]".into()));
        assert!(heard("max").starts_with("[60.0] ") && heard("max").ends_with(" [1830.0]"), "0 + 1 + .. + 60 is 1830: {}", heard("max"));
        assert_eq!(heard("max late"), "[58.0]");
        // The third day has twelve hours to go.
        assert_eq!((heard("days"), heard("days by open")), ("[23.0, 47.0]".into(), "[23.0, 47.0]".into()));
    }
}

/// Writes its own rows and reads them back, together with recorded ones.
struct Writer {
    shards: Shards,
    heard: Vec<String>,
}

fn own(prices: &[f64]) -> Rows {
    let times = (0..prices.len()).map(|second| at(second as i64));
    Table::at(times).column("price", prices.to_vec()).finish().expect("a table").into()
}

impl Actor for Writer {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let symbol = || "signal".to_owned();
        self.shards.ask(ctx, WriteRows { symbol: symbol(), rows: own(&[1.0]) }, None);
        self.shards.ask(ctx, ReadRows::new("signal"), None);
        self.shards.ask(ctx, WriteRows { symbol: "EURUSD".to_owned(), rows: own(&[1.0]) }, None);
        self.shards.ask(ctx, ReadRows::new("EURUSD"), None);
        let later = Table::at([at(1)]).column("price", [2.0]).finish().expect("a table");
        self.shards.ask(ctx, AppendRows { symbol: symbol(), rows: later.into() }, None);
        self.shards.ask(ctx, ReadRows { version: Some(1), ..ReadRows::new("signal") }, None);
        self.shards.ask(ctx, ReadRows { version: Some(3), ..ReadRows::new("signal") }, None);
        self.shards.ask(ctx, ReadRows { version: Some(9), ..ReadRows::new("EURUSD") }, None);
    }

    fn report(&self, report: &mut Report) {
        report.text("heard", self.heard.join("; "));
    }
}

impl Writer {
    fn hear(&mut self, what: &str, ctx: &Context<'_, Self>) {
        self.heard.push(format!("{}ms {what}", ctx.now().as_nanos() / 1_000_000));
    }
}

impl Handler<Answer<Asked<ReadRows>>> for Writer {
    fn handle(&mut self, answer: &Answer<Asked<ReadRows>>, ctx: &mut Context<'_, Self>) {
        self.hear(&shown(answer.result.as_ref().expect("an answer")), ctx);
    }
}

impl Handler<Answer<Asked<WriteRows>>> for Writer {
    fn handle(&mut self, answer: &Answer<Asked<WriteRows>>, ctx: &mut Context<'_, Self>) {
        let said = match &answer.result.as_ref().expect("an answer").0 {
            Ok(written) => format!("v{} of {} rows at {}ms", written.version, written.rows, written.at.as_nanos() / 1_000_000),
            Err(error) => error.to_string(),
        };
        self.hear(&said, ctx);
    }
}

impl Handler<Answer<Asked<AppendRows>>> for Writer {
    fn handle(&mut self, answer: &Answer<Asked<AppendRows>>, ctx: &mut Context<'_, Self>) {
        let written = answer.result.as_ref().expect("an answer").0.as_ref().expect("it was written");
        self.hear(&format!("v{} of {} rows at {}ms", written.version, written.rows, written.at.as_nanos() / 1_000_000), ctx);
    }
}

fn writing(recorded: &Recorded, threads: usize) -> Result<Simulation, Box<dyn std::error::Error + Send + Sync>> {
    let mut sim = Simulation::new("writing").start(Instant::EPOCH).pool(Arc::new(Pool::new(threads)));
    let options = ShardOptions { workers: count(2), latency: Latency { fixed: Duration::millis(2), per_row: Duration::millis(3) } };
    let shards = Shards::add(&mut sim, "store", recorded, count(3), options)?;
    for name in ["writer", "echo"] {
        // Each has a library of its own to write to, so that they cannot disturb each other.
        let shards = if name == "writer" { shards.clone() } else { Shards::add(&mut sim, "other", recorded, count(1), options)? };
        sim.actor(name, Writer { shards, heard: Vec::new() })?;
    }
    for index in 0..3 {
        sim.link("writer", &format!("store-{index}"), Link::latency(Duration::millis(1)))?;
        sim.link(&format!("store-{index}"), "writer", Link::latency(Duration::millis(1)))?;
    }
    sim.link("echo", "other-0", Link::latency(Duration::millis(1)))?;
    sim.link("other-0", "echo", Link::latency(Duration::millis(1)))?;
    Ok(sim)
}

#[test]
fn the_same_requests_give_one_trace_on_every_host_and_pool() {
    let recorded = recorded().expect("prices");
    let run = |host, threads: usize| -> Outcome {
        let recorded = recorded.clone();
        Launch::new(move || writing(&recorded, threads)).host(host).run().expect("a run")
    };
    let inline = run(Host::Inline, 0);
    let heard = match inline.report("writer").and_then(|report| report.get("heard")) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    // Asked at 0, there at 1 ms. The write of one row takes 2 + 3 ms, the read behind it 2 ms and its row 3 ms to travel. Of what was
    // recorded only the row of the epoch is known; what will be appended at 8 ms is of a second later, and not known to any read here.
    for said in [
        "7ms v1 of 1 rows at 6ms",
        "12ms [1.0]",
        "writing to `EURUSD` of library `prices`: it was recorded before the run",
        "v2 of 2 rows at ",
        "`signal` has no version 3; it has versions 1 to 2",
        "`EURUSD` has no version 9; it has versions up to 1 from before the run",
    ] {
        assert!(heard.contains(said), "`{said}` is missing: {heard}");
    }
    for threads in [0, 1, 2] {
        assert_eq!(run(Host::Inline, threads).trace_hash, inline.trace_hash);
    }
    for threads in [1, 2, 4] {
        assert_eq!(run(Host::Actix { threads }, threads % 3).trace_hash, inline.trace_hash, "{threads} threads");
    }
}

/// Reads all of `EURUSD` ten days after the epoch.
struct Reader {
    shards: Shards,
    heard: String,
}

impl Actor for Reader {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.shards.ask(ctx, RunQuery::new("EURUSD", Query::new().tail(1).columns(["price"])), None);
    }

    fn report(&self, report: &mut Report) {
        report.text("heard", self.heard.clone());
    }
}

impl Handler<Answer<Asked<RunQuery>>> for Reader {
    fn handle(&mut self, answer: &Answer<Asked<RunQuery>>, _: &mut Context<'_, Self>) {
        self.heard = shown(answer.result.as_ref().expect("an answer"));
    }
}

/// Without the snapshot, the version that a run began with is gone with the first prune.
#[test]
fn what_a_snapshot_shows_is_there_for_runs_whatever_is_pruned() {
    let library = Store::memory().and_then(|store| store.create_versions("prices")).expect("made");
    let write = |price: f64| {
        let table = Table::at([at(0)]).column("price", [price]).finish().expect("a row");
        library.write("EURUSD", &table, &WriteOptions::default().prune()).expect("written");
    };
    let heard = |recorded: &Recorded| {
        let mut sim = Simulation::new("reading").start(at(10 * DAY));
        let shards = Shards::add(&mut sim, "prices", recorded, count(1), ShardOptions::default()).expect("shards");
        sim.actor("reader", Reader { shards, heard: String::new() }).expect("an actor");
        match sim.run().expect("a run").report("reader").and_then(|report| report.get("heard")) {
            Some(Value::Text(text)) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    write(1.0);
    library.snapshot("monday", &BTreeMap::new(), None).expect("made");
    let (of_latest, of_snapshot) = (Recorded::of(&library).expect("made"), Recorded::of_snapshot(&library, "monday").expect("made"));
    write(2.0);
    assert_eq!(heard(&of_snapshot), "[1.0]");
    assert_eq!(heard(&of_latest), "`EURUSD` has no version 1; it has version 2");
    assert_eq!(heard(&Recorded::of(&library).expect("made")), "[2.0]");
    assert!(matches!(Recorded::of_snapshot(&library, "tuesday"), Err(StoreError::SnapshotNotFound { .. })));
}

#[test]
fn symbols_are_spread_over_shards_and_stay_there() {
    let mut counts = [0; 4];
    for number in 0..400 {
        counts[shard_of("prices", &format!("SYM{number}"), count(4))] += 1;
    }
    assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
    assert_eq!(shard_of("prices", "EURUSD", count(1)), 0);
    // A name may be in another shard in another library.
    assert!((0..50).any(|number| shard_of("a", &format!("S{number}"), count(4)) != shard_of("b", &format!("S{number}"), count(4))));
}
