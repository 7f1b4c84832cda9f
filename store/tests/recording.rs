//! Recording: everything that is published is in the store when the run is over, or an error says that it is not.

use std::sync::Arc;

use arrow_array::types::Int64Type;
use parking_lot::Mutex;
use stillpoint_engine::{Actor, Context, Duration, Event, Every, Handler, Instant, Message, RunError, Simulation, Value};
use stillpoint_store::{ReadOptions, Record, Recording, Sink, Store, StoreError, Table, TableBuilder, VersionLibrary};

#[derive(Debug, Hash)]
struct Fill(i64);

impl Message for Fill {
    const KIND: &'static str = "fill";
}

impl Record for Fill {
    type Columns = Vec<i64>;

    fn append(&self, _: Event, columns: &mut Vec<i64>) {
        columns.push(self.0);
    }

    fn columns(columns: Vec<i64>, table: TableBuilder) -> TableBuilder {
        table.column("lots", columns)
    }
}

#[derive(Debug, Hash)]
struct Tick;

impl Message for Tick {
    const KIND: &'static str = "tick";
}

/// Publishes two fills every second, a hundred times.
struct Trader(i64);

impl Actor for Trader {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_every(Every::from(Instant::EPOCH, Duration::secs(1)).until(Instant::EPOCH + Duration::secs(99)), Tick);
    }
}

impl Handler<Tick> for Trader {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        for _ in 0..2 {
            self.0 += 1;
            ctx.publish(Fill(self.0));
        }
    }
}

fn build(recording: &Recording) -> Simulation {
    let mut sim = Simulation::new("recorded").start(Instant::EPOCH);
    let trader = sim.actor("trader", Trader(0)).expect("a name");
    let recorder = sim.actor("recorder", recording.recorder::<Fill>()).expect("a name");
    sim.subscribe_to::<Fill, _, _>(recorder, trader);
    sim
}

fn results() -> VersionLibrary {
    Store::memory().and_then(|store| store.create_versions("results")).expect("a library")
}

#[test]
fn nothing_is_lost_at_the_end_of_a_run_whatever_the_size_of_batches() {
    for batch in [1, 2, 7, 200, 1_000_000] {
        let library = results();
        let recording = Recording::to(library.clone(), "fills", batch);
        let outcome = build(&recording).run().expect("a run");
        assert_eq!(recording.finish().expect("all was written"), 200);
        assert_eq!(outcome.report("recorder").and_then(|report| report.get("rows")), Some(&Value::Integer(200)));
        let reading = library.read("fills", &ReadOptions::default()).expect("rows");
        assert_eq!(reading.table.values::<Int64Type>("lots").expect("lots"), (1..=200).collect::<Vec<_>>());
        let seconds: Vec<i64> = reading.table.times().expect("times").iter().map(|at| at.as_nanos() / 1_000_000_000).collect();
        assert_eq!(seconds, (0..200).map(|row| row / 2).collect::<Vec<_>>());
        // A version for every batch: of two rows an instant, a batch of seven is full after eight.
        let versions = [(1, 100), (2, 100), (7, 25), (200, 1), (1_000_000, 1)].into_iter().find(|(size, _)| *size == batch);
        assert_eq!(Some(reading.version.number), versions.map(|(_, versions)| versions));
    }
}

#[test]
fn a_run_that_is_left_half_way_has_its_rows_written() {
    let library = results();
    let recording = Recording::to(library.clone(), "fills", 1_000);
    let mut run = build(&recording).begin().expect("a run");
    run.until(Instant::EPOCH + Duration::secs(9));
    drop(run);
    assert_eq!(recording.finish().expect("all was written"), 20);
}

/// A place that takes some rows and then no more.
struct Narrow {
    room: u64,
    rows: Arc<Mutex<u64>>,
}

impl Sink for Narrow {
    fn add(&self, _: &str, table: &Table) -> Result<(), StoreError> {
        let mut rows = self.rows.lock();
        if *rows + table.rows() > self.room {
            return Err(StoreError::QuotaExceeded { library: "results".to_owned(), quota: self.room, wanted: *rows + table.rows() });
        }
        *rows += table.rows();
        Ok(())
    }
}

#[test]
fn a_batch_that_cannot_be_written_ends_the_run_with_an_error_that_says_so() {
    let recording = Recording::to(Narrow { room: 50, rows: Arc::default() }, "fills", 10);
    let failed = build(&recording).run().expect_err("there is no room");
    match &failed.error {
        RunError::Panic { actor, message, .. } => {
            assert_eq!(actor, "recorder");
            assert!(message.contains("recording to `fills` failed after 50 rows: library `results` may hold 50 bytes"), "{message}");
        }
        other => panic!("{other}"),
    }
    assert!(matches!(recording.finish(), Err(StoreError::QuotaExceeded { .. })));
}

#[test]
fn what_cannot_be_written_after_the_last_delivery_is_told_too() {
    let recording = Recording::to(Narrow { room: 50, rows: Arc::default() }, "fills", 1_000);
    let outcome = build(&recording).run().expect("no batch was full");
    let error = outcome.report("recorder").and_then(|report| report.get("error")).cloned();
    assert!(matches!(error, Some(Value::Text(text)) if text.contains("raise its quota")));
    assert!(recording.finish().is_err());
}
