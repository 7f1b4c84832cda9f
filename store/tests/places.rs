//! Where stores lie: places by URL, and places that answer as networks do.

#[path = "place/odd.rs"]
mod odd;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use odd::Odd;
use stillpoint_engine::Instant;
use stillpoint_store::{Kind, ReadOptions, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions};

fn rows(count: i64) -> Table {
    Table::at((0..count).map(Instant::from_nanos)).column("value", (0..count).collect::<Vec<_>>()).finish().expect("rows in order")
}

#[test]
fn a_store_is_opened_by_the_url_of_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("a b");
    let url = format!("file://{}/a%20b", folder.path().display());
    let library = Store::url(&url, []).and_then(|store| store.create_versions("prices")).expect("made");
    library.write("X", &rows(3), &WriteOptions::default()).expect("written");
    let there = Store::folder(&place).and_then(|store| store.versions("prices")).expect("the same place");
    assert_eq!(there.read("X", &ReadOptions::default()).expect("read").table, rows(3));
    assert!(there.files("X", &Default::default()).expect("listed")[0].starts_with(&place.display().to_string()));

    Store::url("memory:///", []).and_then(|store| store.create("prices", Kind::Tick)).expect("made");
    assert!(Store::url("memory:///", []).expect("another one").list().expect("listed").is_empty());
}

#[test]
fn urls_that_name_no_place_for_a_store_say_what_does() {
    let wrong = [
        ("prices", "it is no URL"),
        ("ftp://host/folder", "s3://BUCKET/PREFIX"),
        ("file://host/folder", "file:///FOLDER"),
        ("http://host/folder", "stores are not kept there"),
        ("gs://bucket/prefix", "stores are not kept there"),
        #[cfg(not(feature = "s3"))]
        ("s3://bucket/prefix", "build it with the feature `s3`"),
    ];
    for (url, part) in wrong {
        let error = Store::url(url, []).expect_err(url);
        assert!(matches!(error, StoreError::Invalid { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&format!("the place `{url}`: ")) && error.to_string().contains(part), "{error}");
    }
}

fn library(answer: impl Fn(&str, bool) -> bool + Send + Sync + 'static) -> (Store, VersionLibrary) {
    let options = StoreOptions { background: None, ..StoreOptions::default() };
    let store = Store::open(Arc::new(Odd::new(answer)), options).expect("opened");
    let library = store.create_versions("lib").expect("made");
    (store, library)
}

/// A client that heard no answer asks again, and hears that the object is there: by its own hand.
#[test]
fn who_is_told_that_his_own_object_was_there_has_written_it() {
    let (_, library) = library(|_, _| false);
    for (version, count) in [(1, 3), (2, 100_000)] {
        assert_eq!(library.write("X", &rows(count), &WriteOptions::default()).expect("written").version, version);
        assert_eq!(library.read("X", &ReadOptions::default()).expect("read").table, rows(count));
    }
    assert_eq!(library.list_versions("X").expect("listed").len(), 2);
}

/// While one thread commits, others wait, and are committed together: the quota is for all of them.
#[test]
fn appends_that_are_committed_together_keep_within_the_quota() {
    const THREADS: usize = 32;
    let started = Arc::new(AtomicUsize::new(0));
    let count = started.clone();
    // The first commit of rows ends when all threads are on their way.
    let (store, library) = library(move |name, created| {
        let is_held = name.starts_with("library/0000/commit") && count.load(Ordering::SeqCst) > 0;
        let mut turns = 0;
        while is_held && (count.load(Ordering::SeqCst) < THREADS || turns < 20_000) {
            turns += 1;
            std::thread::yield_now();
        }
        created
    });
    let append = |thread: usize| library.upsert(&format!("s{}", thread % 5), &rows(1), &WriteOptions::default());
    append(0).expect("appended");
    let each = library.stored_bytes().expect("known");
    store.set_quota("lib", each * 11).expect("set");
    let done: Vec<Result<_, StoreError>> = std::thread::scope(|scope| {
        let run = |thread: usize| {
            started.fetch_add(1, Ordering::SeqCst);
            append(thread)
        };
        let running: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let refused =
        |error: &StoreError| matches!(error, StoreError::QuotaExceeded { quota, wanted, .. } if *quota == each * 11 && *wanted > *quota);
    assert!(done.iter().all(|done| done.as_ref().err().is_none_or(refused)), "{done:?}");
    assert_eq!((done.iter().flatten().count(), library.stored_bytes().expect("known")), (10, each * 11));
}
