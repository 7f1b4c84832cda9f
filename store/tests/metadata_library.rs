//! The metadata library as several handles on one place see it, with commits at set instants; what histories do is tested with their state.

mod place;

use place::Place;
use serde_json::json;
use stillpoint_engine::{Duration, Instant, Pool};
use stillpoint_store::documents::{Pattern, field};
use stillpoint_store::history::{AsOf, Fact, SymbolQuery};
use stillpoint_store::{Kind, MetadataLibrary, StoreError};

fn day(n: i64) -> Instant {
    Instant::EPOCH + Duration::hours(24 * n)
}

impl Place {
    fn library(&self) -> MetadataLibrary {
        let store = self.store();
        if !store.exists("lib").expect("a registry that can be read") {
            store.create("lib", Kind::Metadata).expect("made");
        }
        store.metadata("lib").expect("a library")
    }
}

#[test]
fn both_times_can_be_asked_for_from_any_handle() {
    let place = Place::new();
    let (mine, theirs) = (place.library(), place.library());
    place.clock.set(day(10));
    mine.append("X", json!({"lot": 100}), Some(day(1))).expect("appended");
    place.clock.set(day(20));
    theirs.append("X", json!({"lot": 50}), Some(day(15))).expect("appended");
    for library in [&mine, &theirs, &place.library()] {
        let read = |as_of| library.read("X", as_of).expect("read").map(|metadata| metadata["lot"].as_i64().expect("a number"));
        assert_eq!(read(AsOf::latest()), Some(50));
        assert_eq!(read(AsOf::valid(day(14))), Some(100));
        assert_eq!(read(AsOf::valid(day(15))), Some(50));
        assert_eq!(read(AsOf::valid(day(0))), None);
        assert_eq!(read(AsOf::seen_at(day(16))), Some(100), "who asked on day 16 could not know");
        assert_eq!(read(AsOf::seen_at(day(20))), Some(50));
        assert_eq!(read(AsOf::latest().known_at(day(9))), None);
        let entry = library.read_entry("X", AsOf::latest()).expect("read").expect("there is one");
        assert_eq!((entry.start, entry.recorded, entry.retracted), (day(15), day(20), None));
        let periods = library.read_history("X", None).expect("read");
        let spans: Vec<_> = periods.iter().map(|period| (period.start, period.end)).collect();
        assert_eq!(spans, [(day(1), Some(day(15))), (day(15), None)]);
    }
}

#[test]
fn an_append_without_a_start_is_valid_from_its_commit_on() {
    let place = Place::new();
    let library = place.library();
    place.clock.set(day(3));
    assert_eq!(library.append("X", json!(1), None).expect("appended"), Some(Fact::new(day(3), 1)));
    assert_eq!(library.append("X", json!(1), Some(day(4))).expect("nothing new"), Some(Fact::new(day(3), 1)));
    let error = library.append("X", json!(2), None).expect_err("two at one instant");
    assert!(matches!(error, StoreError::History(_)), "{error}");
    place.clock.set(day(2));
    let error = library.append("X", json!(2), None).expect_err("a commit is never earlier than the one before");
    assert!(matches!(error, StoreError::History(_)), "{error}");
}

#[test]
fn the_past_is_mended_and_what_was_known_stays_until_it_is_purged() {
    let place = Place::new();
    let (mine, theirs) = (place.library(), place.library());
    place.clock.set(day(10));
    mine.append("X", json!("b"), Some(day(5))).expect("appended");
    place.clock.set(day(11));
    assert_eq!(theirs.prepend("X", json!("a"), Instant::MIN).expect("prepended"), Some(Fact::new(Instant::MIN, "a")));
    assert!(mine.prepend("X", json!("z"), day(6)).is_err(), "the first starts before");
    place.clock.set(day(12));
    assert_eq!(mine.pop("X").expect("popped"), Fact::new(day(5), "b"));
    assert_eq!(theirs.read("X", AsOf::valid(day(9))).expect("read"), Some(json!("a")));
    assert_eq!(theirs.read("X", AsOf::valid(day(9)).known_at(day(11))).expect("read"), Some(json!("b")));
    place.clock.set(day(13));
    mine.write_history("X", vec![Fact::new(day(1), "c"), Fact::new(day(2), "d")]).expect("written");
    assert_eq!(theirs.read_history("X", None).expect("read").len(), 2);
    assert_eq!(theirs.read_history("X", Some(day(11))).expect("read").len(), 2);
    assert_eq!(theirs.entries("X").expect("read").len(), 4, "a, b, c, d");
    place.clock.set(day(14));
    assert_eq!(theirs.delete("X").expect("deleted"), 2);
    assert!(!mine.has_symbol("X", AsOf::latest()).expect("looked"));
    assert!(mine.has_symbol("X", AsOf::latest().known_at(day(13))).expect("looked"));
    assert!(matches!(mine.pop("X"), Err(StoreError::History(_))));
    // "a" to "d" with their quotes.
    assert_eq!(mine.bytes().expect("looked"), 12);
    assert_eq!(mine.purge("X").expect("purged"), 4);
    assert_eq!(mine.purge("X").expect("nothing there"), 0);
    assert_eq!((theirs.entries("X").expect("read").len(), place.library().bytes().expect("looked")), (0, 0));
}

#[test]
fn symbols_are_listed_by_name_and_by_what_is_said_of_them() {
    let library = Place::new().library();
    for (symbol, venue) in [("fx.eur", "a"), ("fx.usd", "b"), ("eq.x", "b")] {
        library.append(symbol, json!({"venue": venue}), Some(day(1))).expect("appended");
    }
    let list = |query: SymbolQuery| library.list_symbols(&query).expect("listed");
    assert_eq!(list(SymbolQuery::default()), ["eq.x", "fx.eur", "fx.usd"]);
    assert_eq!(list(SymbolQuery { filter: field("venue").eq("b"), ..SymbolQuery::default() }), ["eq.x", "fx.usd"]);
    assert_eq!(
        list(SymbolQuery { pattern: Some(Pattern::new("^fx").expect("a pattern")), ..SymbolQuery::default() }),
        ["fx.eur", "fx.usd"]
    );
    assert!(list(SymbolQuery { as_of: AsOf::valid(day(0)), ..SymbolQuery::default() }).is_empty());
    assert!(library.append("", json!(1), None).is_err());
}

#[test]
fn of_those_who_race_for_one_start_one_wins() {
    let place = Place::new();
    let libraries: Vec<MetadataLibrary> = (0..2).map(|_| place.library()).collect();
    let pool = Pool::new(6);
    for round in 1..=20 {
        let tickets: Vec<_> = (0..6)
            .map(|who| {
                let library = libraries[who % 2].clone();
                pool.submit(move || library.append("X", json!([round, who]), Some(day(round))))
            })
            .collect();
        let won = tickets.iter().map(|ticket| ticket.wait().expect("no panic")).filter(Result::is_ok).count();
        assert_eq!(won, 1);
    }
    let starts: Vec<Instant> = place.library().read_history("X", None).expect("read").iter().map(|period| period.start).collect();
    assert_eq!(starts, (1..=20).map(day).collect::<Vec<_>>());
}

#[test]
fn a_quota_counts_what_was_retracted_and_a_purge_makes_room() {
    let place = Place::new();
    let store = place.store();
    store.create_with_quota("small", Kind::Metadata, 20).expect("made");
    let library = store.metadata("small").expect("opened");
    library.append("X", json!("12345678"), Some(day(1))).expect("10 bytes");
    library.append("X", json!("123456"), Some(day(2))).expect("8 bytes");
    assert_eq!(library.nearly_full().expect("looked"), Some((18, 20)));
    library.pop("X").expect("it is known no longer, and kept");
    let error = library.append("Y", json!("x"), Some(day(1))).expect_err("3 bytes more");
    assert!(matches!(error, StoreError::QuotaExceeded { quota: 20, wanted: 21, .. }), "{error}");
    assert_eq!(library.purge("X").expect("purged"), 2);
    library.append("Y", json!("x"), Some(day(1))).expect("there is room");
    assert_eq!(library.nearly_full().expect("looked"), None);
    library.sweep(Duration::ZERO).expect("swept");
    assert_eq!(place.store().metadata("small").expect("opened").read("Y", AsOf::latest()).expect("read"), Some(json!("x")));
}
