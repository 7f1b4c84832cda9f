//! What is wrong with the logs of a store is found and named, whether libraries are open or not.

mod place;

use place::Place;
use serde_json::json;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::{Finding, FsckReport, Kind, Store, Table, WriteOptions};

const KINDS: [Kind; 5] = [Kind::Version, Kind::Tick, Kind::Chunk, Kind::Document, Kind::Metadata];

/// Makes the n-th change of a library, which is one commit.
fn change(store: &Store, kind: &Kind, n: i64) {
    let rows = || Table::at([Instant::from_nanos(n)]).column("value", [n]).finish().expect("a row");
    let options = WriteOptions::default();
    let changed = match kind {
        Kind::Tick => store.ticks("lib").and_then(|library| library.append("a", &rows())).map(drop),
        Kind::Chunk => store.chunks("lib").and_then(|library| library.write("a", &rows(), "day", &options)).map(drop),
        Kind::Document => store.documents("lib").and_then(|library| library.insert("a", json!({ "n": n }))).map(drop),
        Kind::Metadata => store.metadata("lib").and_then(|library| library.append("a", json!(n), Some(Instant::from_nanos(n)))).map(drop),
        _ => store.versions("lib").and_then(|library| library.upsert("a", &rows(), &options)).map(drop),
    };
    changed.expect("changed");
}

fn checked(store: &Store) -> FsckReport {
    store.fsck(false).expect("looked at")
}

/// Takes an object away and gives a function that brings it back.
fn take<'a>(place: &'a Place, name: &'a str) -> impl Fn() + use<'a> {
    let bytes = place.objects.get(name).expect("read").expect("it is there");
    place.objects.delete(name).expect("deleted");
    move || assert!(place.objects.put_new(name, vec![bytes.clone()]).expect("written"))
}

fn commits(place: &Place, log: &str) -> Vec<String> {
    place.objects.list(&format!("{log}/commit")).expect("listed").into_iter().map(|info| info.name).collect()
}

#[test]
fn every_commit_that_is_missing_is_named_while_the_library_is_open() {
    for kind in KINDS {
        let place = Place::new();
        let store = place.store();
        store.create("lib", kind.clone()).expect("made");
        store.create("more", Kind::Tick).expect("made");
        (1..=4).for_each(|n| change(&store, &kind, n));
        assert_eq!(checked(&store).findings, [], "{kind}");
        let (of_library, of_store) = (commits(&place, "library/0000"), commits(&place, "store"));
        assert_eq!((of_library.len(), of_store.len()), (4, 2));
        for name in of_library.iter().chain(&of_store) {
            let bring_back = take(&place, name);
            let findings = checked(&store).findings;
            let files: Vec<&str> = findings.iter().map(|finding| finding.file.as_str()).collect();
            assert_eq!(files, [place.objects.place(name)], "{kind}");
            assert!(findings[0].what.starts_with("it is missing") && !findings[0].repaired, "{}", findings[0]);
            bring_back();
            assert_eq!(checked(&store).findings, [], "{kind}");
        }
        // Who opens it now cannot know of the last one, but knows that others are missing.
        let bring_back = take(&place, &of_library[1]);
        let findings = checked(&place.store()).findings;
        assert!(findings.iter().any(|finding| finding.file == place.objects.place(&of_library[1])), "{kind}: {findings:?}");
        assert!(findings.iter().any(|finding| finding.what.contains("cannot be opened")), "{kind}: {findings:?}");
        bring_back();
    }
}

#[test]
fn a_commit_of_another_history_is_named_though_it_is_whole() {
    let (mine, theirs) = (Place::new(), Place::new());
    let stores = [mine.store(), theirs.store()];
    for (store, from) in stores.iter().zip([1, 10]) {
        store.create("lib", Kind::Document).expect("made");
        (from..from + 4).for_each(|n| change(store, &Kind::Document, n));
    }
    let name = &commits(&mine, "library/0000")[1];
    let other = theirs.objects.get(name).expect("read").expect("it is there");
    mine.objects.delete(name).expect("deleted");
    mine.objects.put_new(name, vec![other]).expect("written");
    let findings = checked(&stores[0]).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].file == mine.objects.place(name) && findings[0].what.contains("does not follow"), "{findings:?}");
}

/// What a checkpoint stands for may go, and what came after it may not.
#[test]
fn swept_logs_are_whole() {
    for kind in KINDS {
        let place = Place::new();
        let store = place.store();
        store.create("lib", kind.clone()).expect("made");
        for round in 0..3 {
            (1..=3).for_each(|n| change(&store, &kind, round * 3 + n));
            let swept = match &kind {
                Kind::Document => store.documents("lib").expect("opened").sweep(Duration::ZERO),
                Kind::Metadata => store.metadata("lib").expect("opened").sweep(Duration::ZERO),
                _ => {
                    let rows = store.rows("lib").expect("opened");
                    rows.compact("a").expect("compacted");
                    rows.checkpoint().expect("written");
                    rows.sweep(Duration::ZERO)
                }
            };
            swept.expect("swept");
            for store in [&store, &place.store()] {
                assert_eq!(checked(store).findings, [], "{kind}, round {round}");
            }
        }
        let left = commits(&place, "library/0000");
        let last = left.last().expect("the latest stay");
        let _bring_back = take(&place, last);
        let findings = checked(&store).findings;
        let checkpoint = place.objects.list("library/0000/checkpoint").expect("listed");
        let oldest = checkpoint[0].name.rsplit('/').next().expect("a name").to_owned();
        let is_needed = last.rsplit('/').next() > Some(oldest.as_str());
        assert_eq!(findings.iter().any(|finding| finding.file == place.objects.place(last)), is_needed, "{kind}: {findings:?}");
    }
}

/// Who still has a deleted library open may write to it, and leaves files that no library shows.
#[test]
fn files_of_deleted_libraries_are_found_and_removed() {
    let place = Place::new();
    let (mine, theirs) = (place.store(), place.store());
    mine.create("lib", Kind::Tick).expect("made");
    change(&mine, &Kind::Tick, 1);
    let library = mine.ticks("lib").expect("opened");
    theirs.delete("lib").expect("deleted");
    assert_eq!(checked(&theirs).findings, []);
    library.append("a", &Table::at([Instant::from_nanos(2)]).column("value", [2i64]).finish().expect("a row")).expect("it does not know");
    mine.create("lib", Kind::Tick).expect("made");
    change(&mine, &Kind::Tick, 3);
    let found = |store: &Store, repair| store.fsck(repair).expect("looked at").findings;
    let files = |repaired| {
        vec![Finding { file: place.objects.place("library/0000"), what: "files of a library that was deleted".to_owned(), repaired }]
    };
    assert_eq!((found(&theirs, false), found(&theirs, true), found(&mine, false)), (files(false), files(true), Vec::new()));
    assert!(place.objects.list("library/0000").expect("listed").is_empty());
    assert_eq!(mine.ticks("lib").and_then(|library| library.stats("a")).expect("the new one is whole").rows, 1);
}

#[test]
fn a_commit_of_a_newer_program_is_not_called_damaged() {
    let place = Place::new();
    let store = place.store();
    store.create("lib", Kind::Metadata).expect("made");
    (1..=2).for_each(|n| change(&store, &Kind::Metadata, n));
    let name = &commits(&place, "library/0000")[1];
    let mut bytes = place.objects.get(name).expect("read").expect("it is there").to_vec();
    // The format stands behind eight bytes that say what it is; the checksum is the last sixteen.
    bytes[8] = 2;
    let middle = bytes.len() - 16;
    let checksum = twox_hash::XxHash3_128::oneshot(&bytes[..middle]);
    bytes[middle..].copy_from_slice(&checksum.to_le_bytes());
    place.objects.delete(name).expect("deleted");
    place.objects.put_new(name, vec![bytes.into()]).expect("written");
    for store in [store, place.store()] {
        let findings = checked(&store).findings;
        let of_commit = findings.iter().find(|finding| finding.file == place.objects.place(name)).expect("it is named");
        assert!(of_commit.what.contains("use a newer program") && !of_commit.what.contains("damaged"), "{of_commit}");
    }
}
