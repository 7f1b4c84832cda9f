//! Libraries as a whole: made, opened, renamed, deleted, listed; their kinds and their quotas.

mod place;

use place::Place;
use stillpoint_engine::{Instant, Pool};
use stillpoint_store::{DateRange, Kind, OwnLibrary, QUOTA_BYTES, ReadOptions, Store, StoreError, Table, VersionLibrary, WriteOptions};

fn rows(count: i64) -> Table {
    Table::at((0..count).map(Instant::from_nanos)).column("value", (0..count).collect::<Vec<_>>()).finish().expect("rows in order")
}

fn names(store: &Store) -> Vec<String> {
    store.list().expect("listed").into_iter().map(|library| library.name).collect()
}

#[test]
fn libraries_are_made_listed_renamed_and_deleted_for_all_handles() {
    let place = Place::new();
    let (mine, theirs) = (place.store(), place.store());
    place.clock.set(Instant::from_nanos(7));
    for (name, kind) in [("v", Kind::Version), ("t", Kind::Tick), ("c", Kind::Chunk), ("d", Kind::Document), ("m", Kind::Metadata)] {
        mine.create(name, kind.clone()).expect("made");
        let info = theirs.info(name).expect("it is there");
        assert_eq!((info.kind, info.quota, info.created), (kind, QUOTA_BYTES, Instant::from_nanos(7)));
    }
    assert_eq!(QUOTA_BYTES, 10 * 1024 * 1024 * 1024);
    assert_eq!(names(&theirs), ["c", "d", "m", "t", "v"]);
    assert!(matches!(theirs.create("v", Kind::Tick), Err(StoreError::LibraryExists(name)) if name == "v"));
    let library = mine.versions("v").expect("opened");
    library.write("a", &rows(3), &WriteOptions::default()).expect("written");
    theirs.rename("v", "versions").expect("renamed");
    assert!(matches!(theirs.rename("c", "versions"), Err(StoreError::LibraryExists(_))));
    assert!(matches!(theirs.rename("nothing", "x"), Err(StoreError::LibraryNotFound { .. })));
    assert!(theirs.rename("c", "").is_err() && theirs.create("", Kind::Tick).is_err());
    assert_eq!(library.read("a", &ReadOptions::default()).expect("who has it open goes on").table, rows(3));
    assert_eq!(mine.versions("versions").expect("opened").read("a", &ReadOptions::default()).expect("read").table, rows(3));
    assert_eq!((mine.exists("v").expect("looked"), mine.exists("versions").expect("looked")), (false, true));
    mine.delete("versions").expect("deleted");
    assert!(matches!(theirs.delete("versions"), Err(StoreError::LibraryNotFound { .. })));
    assert_eq!(names(&place.store()), ["c", "d", "m", "t"]);
    theirs.create("versions", Kind::Version).expect("the name is free");
    assert!(!theirs.versions("versions").expect("opened").has_symbol("a", &Default::default()).expect("looked"), "a new library is empty");
}

#[test]
fn a_deleted_library_leaves_no_file() {
    let place = Place::new();
    let store = place.store();
    for (name, kind) in [("v", Kind::Version), ("d", Kind::Document)] {
        store.create(name, kind).expect("made");
    }
    store.versions("v").expect("opened").write("a", &rows(50_000), &WriteOptions::default()).expect("written");
    store.documents("d").expect("opened").insert("c", serde_json::json!({})).expect("inserted");
    assert!(place.objects.list("library").expect("listed").len() >= 3, "a segment and two commits at least");
    store.delete("v").expect("deleted");
    store.delete("d").expect("deleted");
    assert!(place.objects.list("library").expect("listed").is_empty());
}

#[test]
fn a_library_opens_as_what_it_is() {
    let store = Place::new().store();
    for kind in [Kind::Version, Kind::Tick, Kind::Chunk, Kind::Document, Kind::Metadata] {
        store.create(&kind.to_string(), kind.clone()).expect("made");
    }
    let opens = |name: &str| {
        let results = [
            store.versions(name).map(|_| ()),
            store.ticks(name).map(|_| ()),
            store.chunks(name).map(|_| ()),
            store.documents(name).map(|_| ()),
            store.metadata(name).map(|_| ()),
        ];
        results.map(|result| match result {
            Ok(()) => 'o',
            Err(StoreError::WrongKind { .. }) => 'w',
            Err(StoreError::LibraryNotFound { .. }) => 'n',
            Err(error) => panic!("{error}"),
        })
    };
    let found: Vec<String> =
        ["version", "tick", "chunk", "document", "metadata", "nothing"].map(|name| opens(name).iter().collect()).to_vec();
    assert_eq!(found, ["owwww", "wowww", "wwoww", "wwwow", "wwwwo", "nnnnn"]);
    let error = store.ticks("chunk").expect_err("it is of chunks");
    assert_eq!(error.to_string(), "library `chunk` is of kind `chunk`, not `tick`");
    assert_eq!(
        store.documents("documents").expect_err("not quite").to_string(),
        "there is no library `documents`: did you mean `document`?"
    );
}

/// Keeps the latest close of each symbol.
struct Closes(VersionLibrary);

impl OwnLibrary for Closes {
    const KIND: &'static str = "closes";

    fn open(rows: VersionLibrary) -> Result<Self, StoreError> {
        Ok(Self(rows))
    }
}

/// Takes the name of a kind that is there.
struct Impostor;

impl OwnLibrary for Impostor {
    const KIND: &'static str = "tick";

    fn open(_: VersionLibrary) -> Result<Self, StoreError> {
        Ok(Self)
    }
}

#[test]
fn own_kinds_are_registered_once() {
    let place = Place::new();
    let store = place.store();
    let own = Kind::Own("closes".to_owned());
    let error = store.create("mine", own.clone()).expect_err("nobody registered it");
    assert_eq!(error.to_string(), "there is no kind of libraries `closes`: register it first");
    store.register::<Closes>().expect("registered");
    assert!(matches!(store.register::<Closes>(), Err(StoreError::Kind(_))), "twice");
    assert!(matches!(store.register::<Impostor>(), Err(StoreError::Kind(_))), "a name of ours");
    store.create("mine", own.clone()).expect("made");
    store.own::<Closes>("mine").expect("opened").0.write("a", &rows(2), &WriteOptions::default()).expect("written");
    assert!(matches!(store.versions("mine"), Err(StoreError::WrongKind { .. })));
    let again = place.store();
    assert_eq!(again.info("mine").expect("it is there").kind, own);
    assert_eq!(again.own::<Closes>("mine").expect("opened").0.read("a", &ReadOptions::default()).expect("read").table, rows(2));
}

#[test]
fn of_those_who_race_for_a_name_one_wins() {
    let place = Place::new();
    let stores: Vec<Store> = (0..2).map(|_| place.store()).collect();
    let pool = Pool::new(6);
    for round in 0..20 {
        let tickets: Vec<_> = (0..6)
            .map(|who| {
                let store = stores[who % 2].clone();
                pool.submit(move || store.create(&format!("lib{round:02}"), Kind::Tick))
            })
            .collect();
        let won = tickets.iter().map(|ticket| ticket.wait().expect("no panic")).filter(Result::is_ok).count();
        assert_eq!(won, 1);
    }
    assert_eq!(names(&place.store()).len(), 20);
}

#[test]
fn a_quota_is_told_of_from_ninety_percent_on_and_kept() {
    let place = Place::new();
    let store = place.store();
    store.create("measure", Kind::Version).expect("made");
    let library = store.versions("measure").expect("opened");
    // How much ten appends take, the store itself says: with a quota of one byte it tells what there would be.
    for n in 0..10 {
        library.upsert("a", &tick(n), &WriteOptions::default()).expect("appended");
    }
    store.set_quota("measure", 1).expect("set");
    let Err(StoreError::QuotaExceeded { quota: 1, wanted, .. }) = library.upsert("a", &tick(10), &WriteOptions::default()) else {
        panic!("eleven appends in one byte")
    };
    let each = wanted / 11;
    assert_eq!(each * 11, wanted, "appends of one shape are of one size");

    store.create_with_quota("small", Kind::Version, each * 10).expect("made");
    let library = store.versions("small").expect("opened");
    for n in 0..10 {
        let written = library.upsert("a", &tick(n), &WriteOptions::default()).expect("it fits");
        let expected = (n >= 8).then(|| (each * (n as u64 + 1), each * 10));
        assert_eq!(written.nearly_full, expected, "after {} of 10", n + 1);
    }
    let error = library.upsert("a", &tick(10), &WriteOptions::default()).expect_err("it is full");
    let expected = format!("library `small` may hold {} bytes and would hold {}: raise its quota, or prune versions", each * 10, each * 11);
    assert_eq!(error.to_string(), expected);
    assert_eq!(library.read("a", &ReadOptions::default()).expect("read").table.rows(), 10, "nothing was changed");
    library.delete_range("a", DateRange::ALL, &WriteOptions::default().prune()).expect("deleting needs no room");
    library.upsert("a", &tick(10), &WriteOptions::default()).expect("there is room again");
    store.set_quota("small", 0).expect("set");
    assert_eq!(library.write("b", &rows(50_000), &WriteOptions::default()).expect("no quota").nearly_full, None);
    assert_eq!(place.store().info("small").expect("there").quota, 0);
    assert!(matches!(store.set_quota("nothing", 1), Err(StoreError::LibraryNotFound { .. })));
}

fn tick(n: i64) -> Table {
    Table::at([Instant::from_nanos(n)]).column("value", [n]).finish().expect("a row")
}

#[test]
fn a_quota_that_another_handle_changed_counts_when_the_library_is_opened_again() {
    let place = Place::new();
    let (mine, theirs) = (place.store(), place.store());
    mine.create("lib", Kind::Tick).expect("made");
    let library = mine.ticks("lib").expect("opened");
    library.append("a", &tick(0)).expect("appended");
    theirs.set_quota("lib", 1).expect("set");
    mine.ticks("lib").expect("opened again");
    assert!(matches!(library.append("a", &tick(1)), Err(StoreError::QuotaExceeded { .. })));
}

#[test]
fn kinds_have_the_names_that_are_written_down() {
    let names: Vec<String> = [Kind::Version, Kind::Tick, Kind::Chunk, Kind::Document, Kind::Metadata, Kind::Own("x".to_owned())]
        .iter()
        .map(|kind| serde_json::to_string(kind).expect("text"))
        .collect();
    assert_eq!(names, ["\"version\"", "\"tick\"", "\"chunk\"", "\"document\"", "\"metadata\"", "{\"own\":\"x\"}"]);
}
