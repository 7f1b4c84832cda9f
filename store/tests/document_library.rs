//! The document library as several handles on one place see it; what documents do is tested with their state.

mod place;

use std::sync::Arc;

use place::Place;
use serde_json::json;
use stillpoint_engine::{Duration, Instant, Pool};
use stillpoint_store::documents::{Done, Filter, Find, Group, IndexSpec, OnError, Sort, Update, Write, field};
use stillpoint_store::{DocumentLibrary, Kind, Store, StoreError, StoreOptions};

impl Place {
    fn library(&self) -> DocumentLibrary {
        let store = self.store();
        if !store.exists("lib").expect("a registry that can be read") {
            store.create("lib", Kind::Document).expect("made");
        }
        store.documents("lib").expect("a library")
    }
}

#[test]
fn what_one_handle_commits_the_other_sees() {
    let place = Place::new();
    let (mine, theirs) = (place.library(), place.library());
    assert_eq!(mine.insert("fills", json!({"symbol": "A", "qty": 2})).expect("inserted"), json!(1));
    assert_eq!(
        theirs.insert_many("fills", [json!({"symbol": "B", "qty": 5}), json!({"symbol": "A", "qty": 4})]).expect("inserted"),
        [json!(2), json!(3)]
    );
    for library in [&mine, &theirs, &place.library()] {
        assert_eq!(library.count("fills", &Filter::everything()).expect("counted"), 3);
        assert_eq!(library.distinct("fills", "symbol", &Filter::everything()).expect("found"), [json!("A"), json!("B")]);
        let sums =
            library.group("fills", &Filter::everything(), &Group::by(["symbol"]).sum("qty", "qty").min("least", "qty").max("most", "qty"));
        let expected = [json!({"_id": "A", "qty": 6, "least": 2, "most": 4}), json!({"_id": "B", "qty": 5, "least": 5, "most": 5})];
        assert_eq!(sums.expect("grouped"), expected);
    }
    let updated = theirs.update("fills", &field("symbol").eq("A"), &Update::edit().inc("qty", 10)).expect("updated");
    assert_eq!((updated.matched, updated.modified), (2, 2));
    let dear = Find::matching(field("qty").gt(5)).sort(Sort::by_id().descending("qty"));
    assert_eq!(
        mine.find("fills", &dear).expect("found"),
        [json!({"_id": 3, "symbol": "A", "qty": 14}), json!({"_id": 1, "symbol": "A", "qty": 12})]
    );
    assert_eq!(mine.find_one("fills", &dear).expect("found").expect("one")["_id"], json!(3));
    assert_eq!(mine.delete("fills", &field("symbol").eq("A")).expect("deleted"), 2);
    assert_eq!(theirs.find("fills", &Find::all()).expect("found"), [json!({"_id": 2, "symbol": "B", "qty": 5})]);
    assert!(theirs.delete_one("fills", &Filter::everything()).expect("deleted"));
    assert!(!mine.delete_one("fills", &Filter::everything()).expect("nothing to delete"));
}

#[test]
fn single_writes_upserts_and_exchanges_are_those_of_the_state() {
    let library = Place::new().library();
    let made = library.upsert("limits", &field("desk").eq("fx"), &Update::edit().set("max", 5)).expect("made");
    assert_eq!((made.matched, made.upserted), (0, Some(json!(1))));
    let kept = library.upsert("limits", &field("desk").eq("fx"), &Update::edit().set("max", 6)).expect("updated");
    assert_eq!((kept.matched, kept.modified, kept.upserted), (1, 1, None));
    assert_eq!(library.update_one("limits", &field("desk").eq("none"), &Update::edit().set("max", 1)).expect("looked").matched, 0);
    let exchanged =
        library.find_one_and_update("limits", &Filter::everything(), &Sort::by_id(), &Update::edit().set("max", 7), false).expect("done");
    assert_eq!(exchanged.before.expect("it was there").value()["max"], json!(6));
    assert_eq!(exchanged.after.expect("it is there").value()["max"], json!(7));
    let gone = library.find_one_and_delete("limits", &Filter::everything(), &Sort::by_id()).expect("done");
    assert_eq!(gone.before.expect("it was there").into_value(), json!({"_id": 1, "desk": "fx", "max": 7}));
    assert_eq!(library.insert("limits", json!({})).expect("inserted"), json!(2), "numbers are never drawn twice");
}

#[test]
fn bulks_do_what_they_can_in_one_commit() {
    let place = Place::new();
    let library = place.library();
    let writes = [
        Write::insert_one(json!({"_id": "a", "n": 1})),
        Write::insert_one(json!({"_id": "a", "n": 2})),
        Write::update_many(field("n").eq(1), Update::edit().inc("n", 1)),
    ];
    let results = library.bulk("c", &writes, OnError::Continue).expect("committed");
    assert!(matches!(&results[..], [Ok(Done::Inserted(_)), Err(_), Ok(Done::Updated(_))]), "{results:?}");
    assert_eq!(place.library().find("c", &Find::all()).expect("found"), [json!({"_id": "a", "n": 2})]);
    assert_eq!(library.bulk("c", &writes, OnError::Stop).expect("nothing to commit").len(), 1, "the first one fails now");
}

#[test]
fn indexes_are_kept_and_used_and_dropped() {
    let place = Place::new();
    let library = place.library();
    let index = IndexSpec::over(["isin"]).unique().named("by isin");
    library.create_index("bonds", &index).expect("made");
    library.create_index("bonds", &index).expect("there already");
    library.insert("bonds", json!({"isin": "X"})).expect("inserted");
    let again = place.library();
    assert_eq!(again.indexes("bonds").expect("listed"), [index]);
    assert_eq!(again.explain("bonds", &field("isin").eq("X")).expect("looked"), Some("by isin".to_owned()));
    let error = again.insert("bonds", json!({"isin": "X"})).expect_err("the key is taken");
    assert!(matches!(error, StoreError::Document(_)), "{error}");
    again.drop_index("bonds", "by isin").expect("dropped");
    library.insert("bonds", json!({"isin": "X"})).expect("no index is in the way");
    assert!(library.drop_index("bonds", "by isin").is_err());
    assert_eq!(library.stats("bonds").expect("looked").expect("it is there").documents, 2);
    assert_eq!(library.collections().expect("listed"), ["bonds"]);
    assert!(library.drop_collection("bonds").expect("dropped"));
    assert!(!again.drop_collection("bonds").expect("it was dropped"));
    assert_eq!((again.collections().expect("listed"), again.bytes().expect("looked")), (vec![], 0));
}

#[test]
fn of_those_who_race_for_a_unique_key_one_wins() {
    let place = Place::new();
    let libraries: Vec<DocumentLibrary> = (0..2).map(|_| place.library()).collect();
    libraries[0].create_index("c", &IndexSpec::over(["key"]).unique()).expect("made");
    let pool = Pool::new(8);
    let race = |round: i64| {
        let tickets: Vec<_> = (0..8)
            .map(|who| {
                let library = libraries[who % 2].clone();
                pool.submit(move || library.insert("c", json!({"key": round, "who": who})))
            })
            .collect();
        tickets.iter().map(|ticket| ticket.wait().expect("no panic")).collect::<Vec<_>>()
    };
    for round in 0..30 {
        let results = race(round);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(StoreError::Document(_)))), "{results:?}");
    }
    let ids: Vec<_> = place.library().find("c", &Find::all()).expect("found").into_iter().map(|document| document["_id"].clone()).collect();
    assert_eq!(ids, (1..=30).map(|id| json!(id)).collect::<Vec<_>>(), "who loses draws no number");
}

#[test]
fn no_increment_is_lost_between_threads_and_handles() {
    let place = Place::new();
    let libraries: Vec<DocumentLibrary> = (0..2).map(|_| place.library()).collect();
    libraries[0].insert("c", json!({"_id": "n", "n": 0})).expect("inserted");
    let pool = Pool::new(6);
    let tickets: Vec<_> = (0..6)
        .map(|who| {
            let library = libraries[who % 2].clone();
            let add = move || (0..25).try_for_each(|_| library.update("c", &Filter::everything(), &Update::edit().inc("n", 1)).map(|_| ()));
            pool.submit(add)
        })
        .collect();
    tickets.iter().for_each(|ticket| ticket.wait().expect("no panic").expect("updated"));
    for library in &libraries {
        assert_eq!(library.find("c", &Find::all()).expect("found"), [json!({"_id": "n", "n": 150})]);
    }
}

#[test]
fn a_quota_keeps_out_what_is_too_much_and_lets_it_shrink() {
    let place = Place::new();
    let store = place.store();
    // {"_id":1,"t":"..."} takes 16 bytes and its text.
    store.create_with_quota("small", Kind::Document, 100).expect("made");
    let library = store.documents("small").expect("opened");
    library.insert("c", json!({"t": "x".repeat(73)})).expect("89 bytes");
    assert_eq!((library.bytes().expect("looked"), library.nearly_full().expect("looked")), (89, None));
    library.update("c", &Filter::everything(), &Update::edit().set("t", "x".repeat(74))).expect("90 bytes");
    assert_eq!(library.nearly_full().expect("looked"), Some((90, 100)));
    assert_eq!(library.insert("c", json!({"_id": 2})).expect("9 bytes more"), json!(2));
    let error = library.insert("c", json!({"_id": 3})).expect_err("and 9 more are too many");
    assert_eq!(error.to_string(), "library `small` may hold 100 bytes and would hold 108: raise its quota, or prune versions");
    library.update("c", &field("_id").eq(1), &Update::edit().set("t", "short")).expect("it shrinks");
    assert_eq!(library.bytes().expect("looked"), 21 + 9);
    store.set_quota("small", 20).expect("set");
    assert!(matches!(library.insert("c", json!({})), Err(StoreError::QuotaExceeded { quota: 20, .. })));
    library.delete_one("c", &Filter::everything()).expect("shrinks, though it is too large still or not");
    store.set_quota("small", 0).expect("set");
    library.insert("c", json!({"t": "x".repeat(500)})).expect("no quota");
}

#[test]
fn checkpoints_and_sweeps_change_nothing() {
    let place = Place::new();
    let store =
        Store::open(place.objects.clone(), StoreOptions { background: Some(Arc::new(Pool::new(1))), ..place.options() }).expect("opened");
    store.create("lib", Kind::Document).expect("made");
    let library = store.documents("lib").expect("opened");
    library.create_index("c", &IndexSpec::over(["n"]).unique()).expect("made");
    for n in 0..600 {
        library.insert("c", json!({"n": n})).expect("inserted");
    }
    place.clock.set(Instant::MAX);
    library.sweep(Duration::ZERO).expect("swept");
    assert!(library.sweep(Duration::ZERO).is_ok());
    let again = place.library();
    assert_eq!(again.find("c", &Find::all()).expect("found"), library.find("c", &Find::all()).expect("found"));
    assert!(again.insert("c", json!({"n": 5})).is_err(), "the index is there");
    assert_eq!(again.insert("c", json!({"n": 600})).expect("inserted"), json!(601));
    assert_eq!(library.count("c", &Filter::everything()).expect("counted"), 601);
    assert!(store.trouble().is_empty());
}
