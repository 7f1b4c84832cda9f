//! Many threads and processes append to one symbol; processes are killed. Nothing that was acknowledged is lost, and no version is there twice.

#[cfg(feature = "s3")]
mod s3;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use stillpoint_engine::Instant;
use stillpoint_store::{AsOf, Bucket, Objects, ReadOptions, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions};

const THREADS: u64 = 8;

/// A row that tells who appended it. All rows have one instant, so any order is an order of time.
fn row(writer: u64, number: u64) -> Table {
    Table::at([Instant::EPOCH]).column("writer", vec![writer]).column("number", vec![number]).finish().expect("a row")
}

fn open(folder: &Path, synced: bool) -> VersionLibrary {
    let objects: Arc<dyn Objects> = Arc::new(Bucket::folder(folder, synced).expect("a folder"));
    library(objects)
}

/// A folder that is not synced, or the URL of a bucket, a space, and the endpoint of its server.
fn open_place(place: &str) -> VersionLibrary {
    #[cfg(feature = "s3")]
    if let Some((url, endpoint)) = place.split_once(' ') {
        return library(s3::bucket(url, endpoint));
    }
    open(Path::new(place), false)
}

fn library(objects: Arc<dyn Objects>) -> VersionLibrary {
    let store = Store::open(objects, StoreOptions::default()).expect("a store");
    match store.create_versions("lib") {
        Ok(library) => library,
        Err(StoreError::LibraryExists(_)) => store.versions("lib").expect("it is there"),
        Err(error) => panic!("{error}"),
    }
}

/// So many threads append so many rows each; gives the versions that were acknowledged.
fn append_from_threads(library: &VersionLibrary, first_writer: u64, threads: u64, each: u64) -> Vec<u64> {
    let run = |writer: u64| {
        let library = library.clone();
        move || {
            let appended =
                (0..each).map(|number| library.upsert("a", &row(writer, number), &WriteOptions::default()).expect("appended").version);
            appended.collect::<Vec<u64>>()
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (first_writer..first_writer + threads).map(|writer| scope.spawn(run(writer))).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// All rows are there, those of each writer in their order, and the versions are 1 to so many.
fn check(library: &VersionLibrary, mut versions: Vec<u64>, writers: u64, each: u64) {
    let total = writers * each;
    versions.sort_unstable();
    assert_eq!(versions, (1..=total).collect::<Vec<_>>(), "each version was acknowledged to one");
    let table = library.read("a", &ReadOptions::default()).expect("read").table;
    let (who, numbers) = (values(&table, "writer"), values(&table, "number"));
    assert_eq!(who.len() as u64, total);
    for writer in 0..writers {
        let of_one: Vec<u64> = who.iter().zip(&numbers).filter(|(who, _)| **who == writer).map(|(_, number)| *number).collect();
        assert_eq!(of_one, (0..each).collect::<Vec<_>>(), "writer {writer}");
    }
    for number in [1, total / 2, total] {
        let info = library.info("a", &AsOf::Version(number)).expect("there");
        assert_eq!(info.rows, number);
    }
}

fn values(table: &Table, column: &str) -> Vec<u64> {
    table.values::<arrow_array::types::UInt64Type>(column).expect("numbers")
}

/// This program again, as another process that runs the test of this name, with a line on its standard input.
fn child(test: &str, line: &str) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("another process");
    writeln!(child.stdin.take().expect("it was asked for"), "{line}").expect("it reads");
    child
}

fn told() -> Vec<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line from the parent");
    line.trim().split('\t').map(str::to_owned).collect()
}

/// The numbers after this word in what a child writes.
fn numbers(child: &mut Child, word: &str) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    let word = word.to_owned();
    lines.map_while(Result::ok).filter_map(move |line| line.rsplit(&word).next().filter(|_| line.contains(&word))?.trim().parse().ok())
}

#[test]
#[ignore = "a part of two_processes_of_eight_threads_lose_nothing"]
fn child_that_appends() {
    let told = told();
    let [place, writer, each] = &told[..] else { panic!("three words") };
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let versions = append_from_threads(&open_place(place), number(writer), THREADS, number(each));
    for version in versions {
        println!("version {version}");
    }
}

#[test]
fn two_processes_of_eight_threads_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    // 2 x 8 x 63 = 1,008 appends.
    const EACH: u64 = 63;
    let mut children: Vec<Child> =
        [0, THREADS].iter().map(|writer| child("child_that_appends", &format!("{}\t{writer}\t{EACH}", folder.path().display()))).collect();
    let mut versions = Vec::new();
    for child in &mut children {
        let acknowledged: Vec<u64> = numbers(child, "version ").collect();
        assert_eq!(acknowledged.len() as u64, THREADS * EACH);
        assert!(child.wait().expect("it ends").success());
        versions.extend(acknowledged);
    }
    check(&open(folder.path(), true), versions, 2 * THREADS, EACH);
}

#[test]
fn sixteen_threads_on_a_bucket_in_memory_lose_nothing() {
    let objects: Arc<dyn Objects> = Arc::new(Bucket::memory());
    // Two stores on one bucket, as two processes would have them.
    let stores = [library(objects.clone()), library(objects.clone())];
    let versions = std::thread::scope(|scope| {
        let halves: Vec<_> = stores
            .iter()
            .zip([0, THREADS])
            .map(|(library, writer)| scope.spawn(move || append_from_threads(library, writer, THREADS, 63)))
            .collect();
        halves.into_iter().flat_map(|half| half.join().expect("no panic")).collect()
    });
    check(&library(objects), versions, 2 * THREADS, 63);
}

#[test]
#[ignore = "a part of a_process_that_is_killed_loses_nothing_it_acknowledged"]
fn child_that_is_killed() {
    let told = told();
    let library = open(Path::new(&told[0]), true);
    for number in 0.. {
        let written = library.upsert("a", &row(0, number), &WriteOptions::default()).expect("appended");
        println!("acknowledged {}", written.version);
        if number % 7 == 6 {
            library.compact("a").expect("compacted");
        }
        if number % 11 == 10 {
            library.checkpoint().expect("written");
        }
    }
}

#[test]
fn a_process_that_is_killed_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut least = 0;
    for round in 0..20u64 {
        let mut child = child("child_that_is_killed", &folder.path().display().to_string());
        let mut acknowledged = numbers(&mut child, "acknowledged ");
        // A different moment each time: after so many lines, while the next ones are on their way.
        for _ in 0..=round % 9 {
            least = acknowledged.next().expect("it appends until it is killed");
        }
        child.kill().expect("it runs");
        least = acknowledged.last().unwrap_or(least);
        child.wait().expect("it is gone");
        let library = open(folder.path(), true);
        let latest = library.info("a", &AsOf::Latest).expect("there").number;
        assert!(latest == least || latest == least + 1, "round {round}: {least} were acknowledged, {latest} are there");
        let table = library.read("a", &ReadOptions::default()).expect("read").table;
        assert_eq!(table.rows(), latest);
        assert_eq!(library.list_versions("a").expect("listed").len() as u64, latest);
    }
    assert!(least >= 60, "{least}");
}
