//! What is left when the power goes, at any moment, in recovery and compaction too; a full disk; a flipped byte.

mod disk;

use std::collections::BTreeMap;
use std::sync::Arc;

use disk::{Dice, Disk};
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::{
    AsOf, Cache, ObjectInfo, Objects, ReadOptions, SetClock, Store, StoreError, StoreOptions, Symbols, Table, VersionLibrary, WriteOptions,
    repair,
};

/// A version: its number and its values.
type Version = (u64, Vec<i64>);
/// Symbol to versions.
type Versions = BTreeMap<String, Vec<Version>>;
/// Snapshot to symbol to version.
type Snapshots = BTreeMap<String, BTreeMap<String, Version>>;

/// Symbol to versions, each with its number and its values; and snapshots: what a library should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    symbols: Versions,
    next: BTreeMap<String, u64>,
    snapshots: Snapshots,
}

#[derive(Clone, Debug)]
enum Step {
    Write(String, Vec<i64>),
    Append(String, i64),
    DeleteSymbol(String),
    Snapshot(String),
    DeleteSnapshot(String),
    /// These change nothing that can be read.
    Compact(String),
    Checkpoint,
    Sweep,
    Reopen,
}

fn table(values: &[i64]) -> Table {
    Table::at(values.iter().map(|value| Instant::from_nanos(*value))).column("value", values.to_vec()).finish().expect("in order")
}

impl Model {
    fn latest(&self, symbol: &str) -> Option<&Version> {
        self.symbols.get(symbol)?.last()
    }

    fn push(&mut self, symbol: &str, values: Vec<i64>) {
        let next = self.next.entry(symbol.to_owned()).or_insert(1);
        self.symbols.entry(symbol.to_owned()).or_default().push((*next, values));
        *next += 1;
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Write(symbol, values) => self.push(symbol, values.clone()),
            Step::Append(symbol, count) => {
                let mut values = self.latest(symbol).map(|(_, values)| values.clone()).unwrap_or_default();
                let from = values.last().map_or(0, |last| last + 1);
                values.extend(from..from + count);
                self.push(symbol, values);
            }
            Step::DeleteSymbol(symbol) => _ = self.symbols.remove(symbol),
            Step::Snapshot(name) => {
                let pins = self.symbols.iter().filter_map(|(symbol, versions)| Some((symbol.clone(), versions.last()?.clone())));
                let pins = pins.collect();
                self.snapshots.entry(name.clone()).or_insert(pins);
            }
            Step::DeleteSnapshot(name) => _ = self.snapshots.remove(name),
            Step::Compact(_) | Step::Checkpoint | Step::Sweep | Step::Reopen => {}
        }
    }
}

fn perform(library: &VersionLibrary, model: &Model, step: &Step) -> Result<(), StoreError> {
    let options = WriteOptions::default();
    let done = match step {
        Step::Write(symbol, values) => library.write(symbol, &table(values), &options).map(|_| ()),
        Step::Append(symbol, count) => {
            let from = model.latest(symbol).and_then(|(_, values)| values.last()).map_or(0, |last| last + 1);
            library.upsert(symbol, &table(&(from..from + count).collect::<Vec<_>>()), &options).map(|_| ())
        }
        Step::DeleteSymbol(symbol) => library.delete(symbol),
        Step::Snapshot(name) => library.snapshot(name, &BTreeMap::new(), None).map(|_| ()),
        Step::DeleteSnapshot(name) => library.delete_snapshot(name),
        Step::Compact(symbol) => library.compact(symbol).map(|_| ()),
        Step::Checkpoint => library.checkpoint().map(|_| ()),
        Step::Sweep => library.sweep(Duration::ZERO).map(|_| ()),
        Step::Reopen => Ok(()),
    };
    match done {
        // What is not there cannot be deleted, and what is there not made: the model says so too.
        Err(StoreError::SymbolNotFound { .. } | StoreError::SnapshotNotFound { .. } | StoreError::SnapshotExists(_)) => Ok(()),
        other => other,
    }
}

fn open(disk: &Arc<Disk>, writer: u64) -> Result<VersionLibrary, StoreError> {
    let clock = Arc::new(SetClock::default());
    let options = StoreOptions { clock, cache: Cache::new(0), background: None, writer: Some(writer) };
    let store = Store::open(disk.clone(), options)?;
    if store.exists("lib")? { store.versions("lib") } else { store.create_versions("lib") }
}

fn values(library: &VersionLibrary, symbol: &str, as_of: AsOf) -> Result<Vec<i64>, StoreError> {
    library.read(symbol, &ReadOptions::as_of(as_of))?.table.values::<arrow_array::types::Int64Type>("value")
}

/// Everything that can be read.
fn seen(library: &VersionLibrary) -> Result<(Versions, Snapshots), StoreError> {
    let mut symbols = BTreeMap::new();
    for symbol in library.list_symbols(&Symbols::default())? {
        let mut versions = Vec::new();
        for info in library.list_versions(&symbol)?.iter().rev() {
            versions.push((info.number, values(library, &symbol, AsOf::Version(info.number))?));
        }
        symbols.insert(symbol, versions);
    }
    let mut snapshots = BTreeMap::new();
    for snapshot in library.list_snapshots()? {
        let mut pins = BTreeMap::new();
        for (symbol, number) in snapshot.versions {
            let read = values(library, &symbol, AsOf::Snapshot(snapshot.name.clone()))?;
            pins.insert(symbol, (number, read));
        }
        snapshots.insert(snapshot.name, pins);
    }
    Ok((symbols, snapshots))
}

fn step(dice: &mut Dice) -> Step {
    let symbol = ["a", "b", "c"][dice.below(3) as usize].to_owned();
    let snapshot = ["x", "y"][dice.below(2) as usize].to_owned();
    match dice.below(16) {
        0..3 => {
            let rows = if dice.below(8) == 0 { 9_000 } else { dice.below(40) as i64 + 1 };
            Step::Write(symbol, (0..rows).collect())
        }
        3..8 => Step::Append(symbol, if dice.below(8) == 0 { 8_000 } else { dice.below(30) as i64 + 1 }),
        8 => Step::DeleteSymbol(symbol),
        9 => Step::Snapshot(snapshot),
        10 => Step::DeleteSnapshot(snapshot),
        11 => Step::Compact(symbol),
        12 => Step::Checkpoint,
        13..15 => Step::Sweep,
        _ => Step::Reopen,
    }
}

/// How many histories are tried; more with CRASH_CASES.
fn cases() -> u64 {
    option_env!("CRASH_CASES").and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

#[test]
fn a_synced_store_loses_nothing_that_was_acknowledged_and_shows_nothing_by_half() {
    let (mut crashes, mut happened) = (0, 0);
    for case in 0..cases() {
        let mut dice = Dice(case);
        let disk = Arc::new(Disk::new(true, case ^ 0xabcd));
        let (mut model, mut writer) = (Model::default(), 1);
        let mut library = None;
        disk.fail_after(dice.below(30));
        for _ in 0..25 {
            let step = step(&mut dice);
            let done = match (&step, library.take()) {
                (Step::Reopen, _) | (_, None) => {
                    writer += 1;
                    open(&disk, writer)
                }
                (_, Some(library)) => Ok(library),
            };
            let done = done.and_then(|opened| {
                let done = perform(&opened, &model, &step);
                library = Some(opened);
                done
            });
            if done.is_ok() {
                model.apply(&step);
                continue;
            }
            let error = done.expect_err("it failed");
            assert!(disk.is_off(), "case {case}: {step:?} failed by itself: {error}");
            crashes += 1;
            // In recovery too.
            disk.restart();
            let mut opened = None;
            while opened.is_none() {
                if dice.below(3) == 0 {
                    disk.fail_after(dice.below(3));
                }
                writer += 1;
                opened = open(&disk, writer).ok();
                if disk.is_off() {
                    (opened, _) = (None, disk.restart());
                }
            }
            let opened = opened.expect("just looked");
            let found = seen(&opened).unwrap_or_else(|error| panic!("case {case}, after {step:?}: {error}"));
            let mut with = model.clone();
            with.apply(&step);
            if found != (model.symbols.clone(), model.snapshots.clone()) {
                assert_eq!(found, (with.symbols.clone(), with.snapshots.clone()), "case {case}, after {step:?}");
                model = with;
                happened += 1;
            }
            disk.fail_after(dice.below(40));
            library = Some(opened);
        }
        disk.fail_after(u64::MAX);
        if disk.is_off() {
            disk.restart();
        }
        let opened = open(&disk, writer + 1).unwrap_or_else(|error| panic!("case {case}: {error}"));
        let found = seen(&opened).unwrap_or_else(|error| panic!("case {case}: {error}"));
        assert_eq!(found, (model.symbols, model.snapshots), "case {case}, at the end");
    }
    assert!(crashes > cases() / 2 && happened > cases() / 50, "{crashes} crashes, of which {happened} came after the effect");
}

#[test]
fn an_unsynced_store_comes_back_as_it_once_was() {
    let mut shorter = 0;
    for case in 0..cases() {
        let mut dice = Dice(case ^ 0x5555);
        let disk = Arc::new(Disk::new(false, case));
        let mut history = vec![Model::default()];
        let mut writer = 1;
        let mut library = open(&disk, writer).expect("a disk that is on");
        for _ in 0..4 {
            for _ in 0..dice.below(12) {
                let step = step(&mut dice);
                // Sweeping removes what a lost commit would need; it is for stores that are synced. A symbol that is deleted and lost, or was
                // never there, looks the same, but the numbers of its versions go on differently.
                if matches!(step, Step::Sweep | Step::Reopen | Step::DeleteSymbol(_)) {
                    continue;
                }
                let mut model = history.last().expect("there is one").clone();
                perform(&library, &model, &step).unwrap_or_else(|error| panic!("case {case}, {step:?}: {error}"));
                model.apply(&step);
                history.push(model);
            }
            disk.restart();
            repair(&*disk).expect("a disk that is on");
            writer += 1;
            library = open(&disk, writer).unwrap_or_else(|error| panic!("case {case}: {error}"));
            let found = seen(&library).unwrap_or_else(|error| panic!("case {case}: {error}"));
            let is_it = |model: &Model| (&model.symbols, &model.snapshots) == (&found.0, &found.1);
            let at = history.iter().rposition(is_it).unwrap_or_else(|| panic!("case {case}: it never was as it is now: {found:?}"));
            shorter += u64::from(at + 1 < history.len());
            history.truncate(at + 1);
        }
    }
    assert!(shorter > cases() / 4, "only {shorter} times anything was lost");
}

#[test]
fn a_flipped_byte_anywhere_is_named_and_other_symbols_stay_readable() {
    let disk = Arc::new(Disk::new(true, 1));
    let library = open(&disk, 1).expect("opened");
    library.write("small", &table(&[1, 2, 3]), &WriteOptions::default()).expect("written");
    library.write("large", &table(&(0..9_000).collect::<Vec<_>>()), &WriteOptions::default()).expect("written");
    library.write("other", &table(&(0..9_000).collect::<Vec<_>>()), &WriteOptions::default()).expect("written");
    library.checkpoint().expect("written");
    let (mut tried, mut dice) = (0, Dice(3));
    for (name, len) in disk.names() {
        for _ in 0..40 {
            let byte = dice.below(len as u64) as usize;
            disk.flip(&name, byte);
            tried += 1;
            let read = |symbol: &str| open(&disk, 2).and_then(|library| values(&library, symbol, AsOf::Latest));
            if name.contains("/segment/") {
                let (hurt, fine) = if name.contains("/large/") { ("large", "other") } else { ("other", "large") };
                let is_head = byte < 4;
                match read(hurt) {
                    Ok(_) => assert!(is_head, "byte {byte} of {name} was not noticed"),
                    Err(StoreError::Damaged { file, .. }) => assert_eq!(file, format!("disk/{name}")),
                    Err(other) => panic!("byte {byte} of {name}: {other}"),
                }
                assert_eq!((read(fine).expect("untouched").len(), read("small").expect("untouched")), (9_000, vec![1, 2, 3]));
            } else {
                // A commit that a checkpoint stands for is read for its rows only; a checkpoint can be made again from the commits.
                for symbol in ["small", "large"] {
                    match read(symbol) {
                        Ok(found) => assert_eq!(found.len(), if symbol == "small" { 3 } else { 9_000 }, "byte {byte} of {name}"),
                        Err(StoreError::Damaged { file, .. }) => assert_eq!(file, format!("disk/{name}")),
                        Err(other) => panic!("byte {byte} of {name}: {other}"),
                    }
                }
            }
            let clock = Arc::new(SetClock::default());
            let options = StoreOptions { clock, cache: Cache::new(0), background: None, writer: Some(9) };
            let found = Store::open(disk.clone(), options).and_then(|store| store.fsck(false));
            let named = match found {
                Ok(report) => report.findings.iter().any(|finding| finding.file == format!("disk/{name}")),
                Err(StoreError::Damaged { file, .. }) => file == format!("disk/{name}"),
                Err(other) => panic!("byte {byte} of {name}: {other}"),
            };
            assert!(named, "fsck did not name {name}, whose byte {byte} was flipped");
            disk.flip(&name, byte);
        }
    }
    assert!(tried >= 6 * 40, "{tried}");
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_lost() {
    let disk = Arc::new(Disk::new(true, 1));
    let library = open(&disk, 1).expect("opened");
    library.write("a", &table(&[1, 2, 3]), &WriteOptions::default()).expect("written");
    disk.set_full(true);
    for rows in [10, 9_000] {
        let error = library.write("a", &table(&(0..rows).collect::<Vec<_>>()), &WriteOptions::default()).expect_err("no room");
        assert!(matches!(&error, StoreError::Io { why, .. } if why.contains("No space left")), "{error}");
        assert_eq!(values(&library, "a", AsOf::Latest).expect("read"), [1, 2, 3]);
    }
    assert!(library.checkpoint().is_err());
    disk.set_full(false);
    assert_eq!(library.append("a", &table(&[4]), &WriteOptions::default()).expect("room again").version, 2);
    assert_eq!(values(&open(&disk, 2).expect("opened"), "a", AsOf::Latest).expect("read"), [1, 2, 3, 4]);
}

#[test]
fn a_commit_of_another_history_is_refused_though_it_is_whole() {
    let history = |rows: &[i64]| {
        let disk = Arc::new(Disk::new(true, 1));
        let library = open(&disk, 1).expect("opened");
        library.write("a", &table(rows), &WriteOptions::default()).expect("written");
        library.append("a", &table(&[9]), &WriteOptions::default()).expect("appended");
        disk
    };
    let (mine, theirs) = (history(&[1]), history(&[2]));
    let name = "library/0000/commit/00000000/000000000002";
    let stale = theirs.get(name).expect("read").expect("two commits were made");
    assert_eq!(values(&open(&mine, 2).expect("opened"), "a", AsOf::Latest).expect("read"), [1, 9]);
    mine.bring_back(name, stale);
    let error = open(&mine, 2).and_then(|library| values(&library, "a", AsOf::Latest)).expect_err("it follows another commit");
    assert!(matches!(&error, StoreError::Damaged { file, .. } if file == &format!("disk/{name}")), "{error}");
    assert!(error.to_string().contains("it does not follow the commit before it"), "{error}");
    // Nobody goes on from it either; set aside, it leaves what came before.
    repair(&*mine).expect("a disk that is on");
    assert_eq!(values(&open(&mine, 3).expect("opened"), "a", AsOf::Latest).expect("read"), [1]);
}

/// A place that panics once, when so many objects were created since it was armed; negative if it is not armed.
#[derive(Debug)]
struct Faulty(Disk, std::sync::atomic::AtomicI64);

impl Objects for Faulty {
    fn get(&self, name: &str) -> Result<Option<bytes::Bytes>, StoreError> {
        self.0.get(name)
    }

    fn get_range(&self, name: &str, range: std::ops::Range<u64>) -> Result<Option<bytes::Bytes>, StoreError> {
        self.0.get_range(name, range)
    }

    fn put_new(&self, name: &str, pieces: Vec<bytes::Bytes>) -> Result<bool, StoreError> {
        assert!(self.1.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) != 0, "a fault of the place");
        self.0.put_new(name, pieces)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.0.delete(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.0.list(folder)
    }

    fn place(&self, name: &str) -> String {
        self.0.place(name)
    }
}

#[test]
fn a_panic_while_one_commits_for_several_strands_nobody() {
    for after in 0..6 {
        let objects = Arc::new(Faulty(Disk::new(true, 1), (-1).into()));
        let options = StoreOptions { clock: Arc::new(SetClock::default()), cache: Cache::new(0), background: None, writer: Some(1) };
        let library = Store::open(objects.clone(), options).and_then(|store| store.create_versions("lib")).expect("not armed yet");
        objects.1.store(after, std::sync::atomic::Ordering::SeqCst);
        let ended: Vec<Option<bool>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let library = &library;
                    scope.spawn(move || {
                        let write = || library.write(&format!("s{number}"), &table(&[number]), &WriteOptions::default()).is_ok();
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)).ok()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("panics are caught")).collect()
        });
        // Eight writers may need fewer commits than come before the fault, but never none.
        objects.1.store(-1, std::sync::atomic::Ordering::SeqCst);
        let panicked = ended.iter().filter(|end| end.is_none()).count();
        assert!(panicked <= 1 && (after > 0 || panicked == 1), "one thread panics: {ended:?}");
        let there = library.list_symbols(&Symbols::default()).expect("listed").len();
        assert!(there >= ended.iter().filter(|end| **end == Some(true)).count(), "{there} are there: {ended:?}");
        assert!(library.write("after", &table(&[1]), &WriteOptions::default()).is_ok());
    }
}
