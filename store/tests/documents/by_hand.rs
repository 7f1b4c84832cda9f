//! What is found, changed and refused, worked out by hand.

use serde_json::{Value, json};
use stillpoint_store::documents::{
    DocumentError, Documents, Done, Filter, Find, Group, IndexSpec, OnError, Projection, Sort, Update, Updated, Write, field,
};

use crate::{Library, at, filter, update};

#[test]
fn ids_are_drawn_and_never_again() {
    let mut library = Library::default();
    assert_eq!(library.write(Write::insert_one(json!({"x": 1}))), Ok(Done::Inserted(vec![json!(1)])));
    assert_eq!(library.write(Write::insert_one(json!({"_id": "bond"}))), Ok(Done::Inserted(vec![json!("bond")])));
    assert_eq!(library.write(Write::insert_one(json!({"_id": 41.5}))), Ok(Done::Inserted(vec![json!(41.5)])));
    assert_eq!(library.write(Write::insert_one(json!({"_id": -7}))), Ok(Done::Inserted(vec![json!(-7)])));
    assert_eq!(library.write(Write::insert_one(json!({}))), Ok(Done::Inserted(vec![json!(42)])));
    assert_eq!(library.write(Write::delete_many(Filter::everything())), Ok(Done::Deleted(5)));
    let (op, dropped) = library.state.plan_drop_collection("c").unwrap();
    library.commit(op);
    assert!(dropped);
    assert_eq!(library.write(Write::insert_many([json!({}), json!({})])), Ok(Done::Inserted(vec![json!(43), json!(44)])));

    // Within one bulk too, where the document was deleted again.
    let writes = [Write::insert_one(json!({"_id": 100})), Write::delete_one(field("_id").eq(100)), Write::insert_one(json!({}))];
    let (op, done) = library.state.plan_bulk("c", &writes, OnError::Stop).unwrap();
    assert_eq!(done[2], Ok(Done::Inserted(vec![json!(101)])));
    library.commit(op);
    assert_eq!(library.write(Write::insert_one(json!({}))), Ok(Done::Inserted(vec![json!(102)])));
}

#[test]
fn great_ids_are_not_counted_until_none_is_left() {
    let mut library = Library::with([json!({"_id": u64::MAX}), json!({"_id": 1e300}), json!({"_id": 9_007_199_254_740_992_u64})]);
    assert_eq!(library.write(Write::insert_one(json!({}))), Ok(Done::Inserted(vec![json!(1)])));
    library.write(Write::insert_one(json!({"_id": 9_007_199_254_740_991_u64}))).unwrap();
    assert_eq!(library.write(Write::insert_one(json!({}))), Err(DocumentError::IdsExhausted));
    assert!(library.write(Write::insert_one(json!({"_id": "a"}))).is_ok());
}

#[test]
fn documents_that_are_refused() {
    let mut library = Library::with([json!({"_id": 1})]);
    let mut why = |document: Value| library.write(Write::insert_many([json!({"fine": true}), document])).unwrap_err().to_string();
    assert_eq!(why(json!([1])), "a document is a JSON object, not a list; put the value into a field");
    assert_eq!(why(json!({"_id": null})), "`_id` null is neither a string nor a number; leave it out to have a number drawn");
    assert!(why(json!({"_id": 1.0})).starts_with("collection `c` has a document with `_id` 1.0 already"));
    assert!(why(json!({"a": {"b.c": 1}})).starts_with("no path could reach the field `b.c`"));
    assert!(why(json!({"a": [{"$b": 1}]})).starts_with("no path could reach the field `$b`"));
    assert!(why(json!({"": 1})).starts_with("no path could reach the field ``"));
    let deep = (0..64).fold(json!(1), |inner, _| json!([inner]));
    assert!(why(json!({ "a": deep })).starts_with("the document is nested deeper than 64 levels"));
    assert_eq!(library.all(), [json!({"_id": 1})]);
    let just_fits = (0..63).fold(json!(1), |inner, _| json!([inner]));
    assert!(library.write(Write::insert_one(json!({ "a": just_fits }))).is_ok());
    for name in ["", "a\nb", &"x".repeat(256)] {
        let error = library.state.plan_write(name, &Write::insert_one(json!({}))).unwrap_err();
        assert!(error.to_string().contains("cannot name a collection"), "{error}");
    }
}

#[test]
fn filters_by_hand() {
    let library = Library::with([
        json!({"_id": 1, "p": 5, "tags": ["a", "b"], "v": {"name": "X"}}),
        json!({"_id": 2, "p": 5.0, "tags": [], "legs": [{"q": 1}, {"q": 7}]}),
        json!({"_id": 3, "p": "5", "tags": "a", "v": null}),
        json!({"_id": 4, "p": [1, 9]}),
    ]);
    assert_eq!(library.ids(json!({})), [1, 2, 3, 4]);
    assert_eq!(library.ids(json!({"p": 5})), [1, 2]);
    assert_eq!(library.ids(json!({"p": {"$ne": 5}})), [3, 4]);
    assert_eq!(library.ids(json!({"p": {"$gt": 4}})), [1, 2, 4]);
    assert_eq!(library.ids(json!({"p": {"$gt": 8, "$lt": 2}})), [4]);
    assert_eq!(library.ids(json!({"p": {"$gte": 5, "$lte": 5}})), [1, 2, 4]);
    assert_eq!(library.ids(json!({"p": {"$gte": ""}})), [3]);
    assert_eq!(library.ids(json!({"p": [1, 9]})), [4]);
    assert_eq!(library.ids(json!({"p": {"$in": ["5", 9]}})), [3, 4]);
    assert_eq!(library.ids(json!({"p": {"$nin": ["5", 9]}})), [1, 2]);
    assert_eq!(library.ids(json!({"tags": "a"})), [1, 3]);
    assert_eq!(library.ids(json!({"tags": []})), [2]);
    assert_eq!(library.ids(json!({"tags": {"$regex": "^[bc]"}})), [1]);
    assert_eq!(library.ids(json!({"tags": null})), [4]);
    assert_eq!(library.ids(json!({"v": null})), [2, 3, 4]);
    assert_eq!(library.ids(json!({"v": {"$exists": true}})), [1, 3]);
    assert_eq!(library.ids(json!({"v": {"$exists": false}})), [2, 4]);
    assert_eq!(library.ids(json!({"v": {"name": "X"}})), [1]);
    assert_eq!(library.ids(json!({"v.name": "X"})), [1]);
    assert_eq!(library.ids(json!({"legs.q": {"$gt": 6}})), [2]);
    assert_eq!(library.ids(json!({"legs.1.q": 7, "legs.0.q": 1})), [2]);
    assert_eq!(library.ids(json!({"legs.0.q": 7})), [0; 0]);
    assert_eq!(library.ids(json!({"$or": [{"p": "5"}, {"legs.q": 1}]})), [2, 3]);
    assert_eq!(library.ids(json!({"$nor": [{"p": "5"}, {"legs.q": 1}]})), [1, 4]);
    assert_eq!(library.ids(json!({"p": {"$not": {"$gt": 4}}})), [3]);
    assert_eq!(library.ids(json!({"_id": {"$in": [3, 1, 9, 1.0]}})), [1, 3]);
}

#[test]
fn filters_are_built_written_and_read() {
    let pairs = [
        (field("p").gt(5), json!({"p": {"$gt": 5}})),
        (!field("p").gt(5), json!({"p": {"$not": {"$gt": 5}}})),
        (field("p").ne("x"), json!({"p": {"$ne": "x"}})),
        (field("p").none_of([1, 2]), json!({"p": {"$nin": [1, 2]}})),
        (field("p").eq(json!({"$gt": 5})), json!({"p": {"$eq": {"$gt": 5}}})),
        (field("p").eq(json!({})), json!({"p": {"$eq": {}}})),
        (
            field("a").eq(1) & field("b").lte(2) & field("c").exists(true),
            json!({"$and": [{"a": 1}, {"b": {"$lte": 2}}, {"c": {"$exists": true}}]}),
        ),
        (field("a").eq(1) | field("b").gte(2), json!({"$or": [{"a": 1}, {"b": {"$gte": 2}}]})),
        (!(field("a").eq(1) | field("b").lt(2)), json!({"$nor": [{"a": 1}, {"b": {"$lt": 2}}]})),
        (!!field("a").eq(1), json!({"$nor": [{"a": {"$ne": 1}}]})),
        (field("s").regex("^A|B").unwrap(), json!({"s": {"$regex": "^A|B"}})),
        (Filter::everything() & Filter::everything(), json!({})),
    ];
    for (built, written) in pairs {
        assert_eq!(serde_json::to_value(&built).unwrap(), written);
        assert_eq!(filter(written), built);
    }
    assert_eq!(
        filter(json!({"a": 1, "b": {"$gt": 2, "$lt": 3}})),
        filter(json!({"$and": [{"a": 1}, {"$and": [{"b": {"$gt": 2}}, {"b": {"$lt": 3}}]}]}))
    );
}

#[test]
fn filters_that_are_none() {
    let why = |form: Value| Filter::parse(&form).unwrap_err().to_string();
    assert_eq!(why(json!(5)), r#"the filter is none: it is a number, and should be an object such as {"price": {"$gt": 5}}"#);
    assert_eq!(why(json!({"$xor": []})), "the filter is none at `$xor`: there is no such operator beside paths; there are $and, $or, $nor");
    assert!(
        why(json!({"p": {"$above": 5}}))
            .starts_with("the filter is none at `p.$above`: there is no such operator below a path; there are $eq, $ne")
    );
    assert_eq!(why(json!({"p": {"$in": 5}})), "the filter is none at `p.$in`: it takes a list, not a number");
    assert_eq!(why(json!({"p": {"$exists": 1}})), "the filter is none at `p.$exists`: it takes true or false, not a number");
    assert!(why(json!({"p": {"$gt": 5, "x": 1}})).contains("mixes operators with fields"));
    assert!(why(json!({"p": {"$not": 5}})).contains("it takes operators"));
    assert!(why(json!({"p": {"$regex": "("}})).starts_with("`(` is no regular expression"));
    assert!(why(json!({"a..b": 1})).contains("a name in it is empty"));
    let error = Documents::default().count("c", &field("a.").eq(1)).unwrap_err();
    assert!(error.to_string().contains("`a.` is no path"), "{error}");
}

#[test]
fn updates_by_hand() {
    let mut library = Library::with([json!({"_id": 1, "n": 1, "a": {"b": [1, {"c": 2}]}}), json!({"_id": 2, "n": 2.5})]);
    let edits =
        update(json!({"$set": {"a.b.1.c": 3, "new.deep": true}, "$inc": {"n": 2, "m": -1}, "$push": {"tags": "x"}, "$unset": {"gone": 1}}));
    let done = library.write(Write::update_many(Filter::everything(), edits));
    assert_eq!(done, Ok(Done::Updated(Updated { matched: 2, modified: 2, upserted: None })));
    // Where there is no list on the way, objects are made.
    assert_eq!(
        library.all(),
        [
            json!({"_id": 1, "n": 3, "m": -1, "a": {"b": [1, {"c": 3}]}, "new": {"deep": true}, "tags": ["x"]}),
            json!({"_id": 2, "n": 4.5, "m": -1, "a": {"b": {"1": {"c": 3}}}, "new": {"deep": true}, "tags": ["x"]}),
        ]
    );
    let done =
        library.write(Write::update_one(field("n").gt(1), update(json!({"$unset": {"a.b.0": 1, "new": 1}, "$push": {"tags": ["y"]}}))));
    assert_eq!(done, Ok(Done::Updated(Updated { matched: 1, modified: 1, upserted: None })));
    assert_eq!(library.all()[0], json!({"_id": 1, "n": 3, "m": -1, "a": {"b": [null, {"c": 3}]}, "tags": ["x", ["y"]]}));
    // What makes no difference is no commit.
    let (op, done) = library.state.plan_write("c", &Write::update_many(Filter::everything(), Update::edit().set("m", -1))).unwrap();
    assert_eq!((op, done), (None, Done::Updated(Updated { matched: 2, modified: 0, upserted: None })));
    // Replaced, but for the `_id`.
    library.write(Write::update_one(field("_id").eq(2), update(json!({"z": 1})))).unwrap();
    assert_eq!(library.all()[1], json!({"_id": 2, "z": 1}));
}

#[test]
fn updates_that_are_refused_change_nothing() {
    let mut library = Library::with([json!({"_id": 1, "n": 1, "s": "x", "l": [1]}), json!({"_id": 2, "n": i64::MAX, "u": u64::MAX})]);
    let before = library.all();
    let mut why = |form: Value| library.write(Write::update_one(field("_id").eq(1), update(form))).unwrap_err().to_string();
    assert_eq!(
        why(json!({"$inc": {"s": 1}})),
        "field `s` of document 1 cannot be changed so: it holds a string, and only numbers grow; set it instead"
    );
    assert!(why(json!({"$push": {"s": 1}})).contains("it holds a string, and only a list takes elements"));
    assert!(why(json!({"$set": {"s.t": 1}})).contains("the way to it leads through a string at `t`"));
    assert!(why(json!({"$set": {"l.1": 1}})).contains("`1` is no position in a list of 1"));
    assert!(why(json!({"$set": {"_id": 2}})).starts_with("the update would change `_id` 1"));
    assert!(why(json!({"$unset": {"_id": 1}})).starts_with("the update would change `_id` 1"));
    assert!(why(json!({"_id": "other"})).starts_with("the update would change `_id` 1"));
    assert!(why(json!({"$set": {"n": {"$x": 1}}})).starts_with("no path could reach the field `$x`"));
    let overflow = library.write(Write::update_many(Filter::everything(), Update::edit().inc("u", 1))).unwrap_err();
    assert!(overflow.to_string().contains("18446744073709551615 and 1 add up to more than a number can hold"), "{overflow}");
    let replaces = library.write(Write::update_many(Filter::everything(), update(json!({"a": 1})))).unwrap_err();
    assert!(replaces.to_string().contains("a document replaces one document"), "{replaces}");
    assert_eq!(library.all(), before);
    // Beyond i64 a whole number stays whole.
    library.write(Write::update_one(field("_id").eq(2), Update::edit().inc("n", 1))).unwrap();
    assert_eq!(library.all()[1]["n"], json!(9_223_372_036_854_775_808_u64));

    let none = |form: Value| Update::parse(&form).unwrap_err().to_string();
    assert!(none(json!({"$mul": {"a": 1}})).contains("there is no operator `$mul`; there are $set, $unset, $inc, $push"));
    assert!(none(json!({"$set": {"a": 1}, "b": 1})).contains("mixes operators with fields"));
    assert!(none(json!({"$set": 1})).contains("$set takes an object of paths, not a number"));
    assert!(none(json!({"$inc": {"a": "1"}})).contains("$inc of `a` takes a number, not a string"));
    assert!(none(json!({"$inc": {"a.b": 1}, "$set": {"a": {}}})).starts_with("the update changes `a.b` and `a`, which meet in one field"));
    for form in [json!({"$set": {"a": 1}, "$push": {"b": [1]}}), json!({"$set": {}}), json!({}), json!({"a": {"b": 1}})] {
        assert_eq!(serde_json::to_value(update(form.clone())).unwrap(), form);
    }
}

#[test]
fn upserts() {
    let mut library = Library::default();
    let write =
        Write::update_one(filter(json!({"symbol": "A", "v.x": {"$eq": 1}, "n": {"$gt": 3}})), Update::edit().inc("hits", 1)).or_insert();
    assert_eq!(library.write(write.clone()), Ok(Done::Updated(Updated { matched: 0, modified: 0, upserted: Some(json!(1)) })));
    assert_eq!(library.all(), [json!({"_id": 1, "symbol": "A", "v": {"x": 1}, "hits": 1})]);
    let replace = Write::update_one(field("_id").eq("k") & field("a").eq(1), update(json!({"b": 2}))).or_insert();
    assert_eq!(library.write(replace.clone()), Ok(Done::Updated(Updated { matched: 0, modified: 0, upserted: Some(json!("k")) })));
    assert_eq!(library.all()[1], json!({"_id": "k", "b": 2}));
    // There is a `k` that does not pass.
    assert!(matches!(library.write(replace), Err(DocumentError::DuplicateId { .. })));
    let unmet = Write::update_many(field("b").eq(3) & field("b.c").eq(4), Update::edit().set("z", 1)).or_insert();
    assert!(matches!(library.write(unmet), Err(DocumentError::Conflict { .. })));
}

#[test]
fn find_one_and_change() {
    let mut library = Library::with([json!({"_id": 1, "p": 2}), json!({"_id": 2, "p": 1}), json!({"_id": 3, "p": 1})]);
    let cheapest = Sort::by_id().ascending("p");
    let (op, exchanged) =
        library.state.plan_find_one_and_update("c", &Filter::everything(), &cheapest, &Update::edit().inc("p", 5), false).unwrap();
    library.commit(op);
    assert_eq!(exchanged.before.unwrap().into_value(), json!({"_id": 2, "p": 1}));
    assert_eq!(exchanged.after.unwrap().value(), &json!({"_id": 2, "p": 6}));
    let (op, exchanged) = library.state.plan_find_one_and_delete("c", &Filter::everything(), &cheapest.clone().descending("_id")).unwrap();
    library.commit(op);
    assert_eq!((exchanged.before.unwrap().id(), exchanged.after), (&json!(3), None));
    let (op, exchanged) = library.state.plan_find_one_and_delete("c", &field("p").eq(99), &cheapest).unwrap();
    assert_eq!((op, exchanged), (None, Default::default()));
    let (op, exchanged) =
        library.state.plan_find_one_and_update("c", &field("p").eq(99), &cheapest, &Update::edit().set("new", true), true).unwrap();
    library.commit(op);
    assert_eq!((exchanged.before, exchanged.after.unwrap().into_value()), (None, json!({"_id": 4, "p": 99, "new": true})));
    assert_eq!(library.ids(json!({})), [1, 2, 4]);
}

#[test]
fn a_bulk_is_one_operation_with_a_result_for_each_item() {
    let mut library = Library::with([json!({"_id": 1, "n": 0})]);
    library.index(IndexSpec::over(["n"]).unique()).unwrap();
    let writes = [
        Write::insert_one(json!({"_id": 2, "n": 1})),
        Write::insert_many([json!({"_id": 3, "n": 2}), json!({"_id": 4, "n": 1})]),
        Write::update_one(field("_id").eq(2), Update::edit().inc("n", 1)),
        Write::insert_one(json!({"_id": 4, "n": 1})),
        Write::delete_one(field("n").eq(0)),
    ];
    let (op, results) = library.state.plan_bulk("c", &writes, OnError::Continue).unwrap();
    assert_eq!(results[0], Ok(Done::Inserted(vec![json!(2)])));
    assert_eq!(
        results[1].as_ref().unwrap_err().to_string(),
        "document 2 of collection `c` has [1] in the unique index `n` already; change one of them, or drop the index"
    );
    assert_eq!(results[2], Ok(Done::Updated(Updated { matched: 1, modified: 1, upserted: None })));
    assert_eq!(results[3], Ok(Done::Inserted(vec![json!(4)])));
    assert_eq!(results[4], Ok(Done::Deleted(1)));
    let (stopped, results) = library.state.plan_bulk("c", &writes, OnError::Stop).unwrap();
    assert_eq!((results.len(), results[1].is_err()), (2, true));
    let mut other = library.state.clone();
    other.apply(&stopped.unwrap(), at(1));
    assert_eq!(other.find("c", &Find::all()).unwrap(), [json!({"_id": 1, "n": 0}), json!({"_id": 2, "n": 1})]);
    library.commit(op);
    assert_eq!(library.all(), [json!({"_id": 2, "n": 2}), json!({"_id": 4, "n": 1})]);
}

#[test]
fn unique_keys_may_wander_within_one_write() {
    let mut library = Library::with([json!({"_id": 1, "n": 1}), json!({"_id": 2, "n": 2}), json!({"_id": 3, "n": 3})]);
    library.index(IndexSpec::over(["n"]).unique()).unwrap();
    library.write(Write::update_many(Filter::everything(), Update::edit().inc("n", 1))).unwrap();
    assert_eq!(library.state.distinct("c", "n", &Filter::everything()).unwrap(), [2, 3, 4]);
    assert!(matches!(
        library.write(Write::update_many(Filter::everything(), Update::edit().set("n", 9))),
        Err(DocumentError::DuplicateKey { .. })
    ));
    assert!(matches!(
        library.write(Write::update_one(field("_id").eq(1), Update::edit().inc("n", 1.0))),
        Err(DocumentError::DuplicateKey { .. })
    ));
    // A missing field counts as null, so one document may lack it.
    assert!(library.write(Write::insert_one(json!({}))).is_ok());
    assert!(matches!(library.write(Write::insert_one(json!({"n": null}))), Err(DocumentError::DuplicateKey { .. })));
}

#[test]
fn indexes_are_made_used_and_dropped() {
    let mut library = Library::with([json!({"s": "A", "t": 1}), json!({"s": "A", "t": 1}), json!({"s": "B", "t": [1, 2]})]);
    let index = |spec: IndexSpec, library: &Library| library.state.plan_create_index("c", &spec).map(|(op, ())| op);
    assert!(
        matches!(index(IndexSpec::over(["s", "t"]).unique(), &library), Err(DocumentError::DuplicateKey { key, .. }) if key == json!(["A", 1]))
    );
    library.index(IndexSpec::over(["s", "t"])).unwrap();
    library.index(IndexSpec::over(["t"]).named("by time")).unwrap();
    assert_eq!(index(IndexSpec::over(["s", "t"]), &library), Ok(None));
    assert!(matches!(index(IndexSpec::over(["s"]).named("s,t"), &library), Err(DocumentError::IndexExists { .. })));
    assert!(matches!(index(IndexSpec::over(["s", "s"]), &library), Err(DocumentError::IndexPaths { .. })));
    assert!(matches!(index(IndexSpec::over::<&str>([]), &library), Err(DocumentError::IndexPaths { .. })));
    let parallel = library.write(Write::insert_one(json!({"s": [1, 2], "t": [1, 2]}))).unwrap_err();
    assert!(parallel.to_string().contains("make an index of each path instead"), "{parallel}");

    let used = |form: Value, library: &Library| library.state.explain("c", &filter(form)).map(str::to_owned);
    assert_eq!(used(json!({"s": "A"}), &library).as_deref(), Some("s,t"));
    assert_eq!(used(json!({"s": "A", "t": {"$gt": 0}}), &library).as_deref(), Some("s,t"));
    assert_eq!(used(json!({"t": {"$lt": 2}}), &library).as_deref(), Some("by time"));
    assert_eq!(used(json!({"t": {"$in": [2]}, "x": 1}), &library).as_deref(), Some("by time"));
    assert_eq!(used(json!({"t": {"$ne": 2}}), &library), None);
    assert_eq!(used(json!({"$or": [{"t": 2}, {"s": "A"}]}), &library), None);

    let (op, ()) = library.state.plan_drop_index("c", "by time").unwrap();
    library.commit(op);
    assert_eq!(used(json!({"t": 1}), &library), None);
    assert_eq!(library.state.indexes("c"), [IndexSpec::over(["s", "t"])]);
    let error = library.state.plan_drop_index("c", "by time").unwrap_err();
    assert_eq!(error.to_string(), "collection `c` has no index `by time`; it has: s,t");
}

#[test]
fn sorted_skipped_limited_and_projected() {
    let library = Library::with([
        json!({"_id": 1, "p": 3, "v": {"a": 1, "b": 2}, "legs": [{"q": 1, "r": 2}, 5]}),
        json!({"_id": 2, "p": "x"}),
        json!({"_id": 3}),
        json!({"_id": 4, "p": 3.0}),
        json!({"_id": 5, "p": 1}),
    ]);
    let ids = |find: Find| library.state.find("c", &find).unwrap().into_iter().map(|document| document["_id"].clone()).collect::<Vec<_>>();
    let up = Sort::by_id().ascending("p");
    assert_eq!(ids(Find::all().sort(up.clone())), [3, 5, 1, 4, 2]);
    assert_eq!(ids(Find::all().sort(Sort::by_id().descending("p"))), [2, 1, 4, 5, 3]);
    assert_eq!(ids(Find::all().sort(up.clone().descending("_id"))), [3, 5, 4, 1, 2]);
    assert_eq!(ids(Find::all().sort(up.clone()).skip(1).limit(2)), [5, 1]);
    assert_eq!(ids(Find::all().skip(4).limit(9)), [5]);
    assert_eq!(ids(Find::all().limit(0)), [0; 0]);
    assert_eq!(library.state.find_one("c", &Find::all().sort(up).skip(1)).unwrap(), Some(json!({"_id": 5, "p": 1})));
    assert_eq!(library.state.find("none", &Find::all()).unwrap(), [] as [Value; 0]);

    let given = |form: Value| {
        let projection: Projection = serde_json::from_value(form).unwrap();
        let again: Projection = serde_json::from_value(serde_json::to_value(&projection).unwrap()).unwrap();
        assert_eq!(again, projection);
        library.state.find_one("c", &Find::all().project(projection)).unwrap().unwrap()
    };
    assert_eq!(given(json!({"p": 1, "v.a": true, "x": 1})), json!({"_id": 1, "p": 3, "v": {"a": 1}}));
    assert_eq!(given(json!({"legs.q": 1, "_id": 0})), json!({"legs": [{"q": 1}]}));
    assert_eq!(given(json!({"legs.r": 0, "v.b": 0, "p": 0})), json!({"_id": 1, "v": {"a": 1}, "legs": [{"q": 1}, 5]}));
    assert_eq!(given(json!({"_id": 1})), json!({"_id": 1}));
    assert_eq!(given(json!({"v": 0, "legs": 0, "_id": 0})), json!({"p": 3}));
    assert_eq!(given(json!({}))["p"], json!(3));
    let mixed = serde_json::from_value::<Projection>(json!({"a": 1, "b": 0})).unwrap_err().to_string();
    assert!(mixed.contains("it gives `a` and leaves out `b`"), "{mixed}");
}

#[test]
fn distinct_values_and_groups() {
    let library = Library::with([
        json!({"s": "B", "q": 1, "tags": ["x", "y"]}),
        json!({"s": "A", "q": 2.5, "tags": "x"}),
        json!({"s": "A", "q": "many"}),
        json!({"q": i64::MAX, "tags": null}),
        json!({"s": "B", "q": 3}),
        json!({"s": null, "q": i64::MAX}),
    ]);
    let all = Filter::everything();
    assert_eq!(library.state.distinct("c", "tags", &all).unwrap(), [json!(null), json!("x"), json!("y")]);
    assert_eq!(library.state.distinct("c", "s", &field("q").gt(0)).unwrap(), [json!(null), json!("A"), json!("B")]);
    assert_eq!(library.state.count("c", &field("s").eq("A")), Ok(2));

    let group = Group::by(["s"]).count("n").sum("sum", "q").min("min", "q").max("max", "q").avg("avg", "q");
    assert_eq!(
        library.state.group("c", &all, &group).unwrap(),
        [
            json!({"_id": null, "n": 2, "sum": 18_446_744_073_709_551_614_u64, "min": i64::MAX, "max": i64::MAX, "avg": 9_223_372_036_854_775_807.0}),
            json!({"_id": "A", "n": 2, "sum": 2.5, "min": 2.5, "max": "many", "avg": 2.5}),
            json!({"_id": "B", "n": 2, "sum": 4, "min": 1, "max": 3, "avg": 2.0}),
        ]
    );
    let two = Group::by(["s", "q"]).count("n");
    assert_eq!(library.state.group("c", &field("s").eq("B"), &two).unwrap()[0], json!({"_id": {"s": "B", "q": 1}, "n": 1}));
    let none = Group::all().sum("sum", "x").avg("avg", "x").max("max", "x");
    assert_eq!(library.state.group("c", &all, &none).unwrap(), [json!({"_id": null, "sum": 0, "avg": null, "max": null})]);
    assert_eq!(library.state.group("c", &field("s").eq("none"), &none).unwrap(), [] as [Value; 0]);

    let large = Library::with([json!({"q": u64::MAX}), json!({"q": 1})]);
    let overflow = large.state.group("c", &all, &Group::all().sum("total", "q")).unwrap_err();
    assert_eq!(overflow.to_string(), "`total` of group null is beyond the greatest number; scale the values, or filter them");
}

#[test]
fn sizes_are_counted() {
    let mut library = Library::with([json!({"_id": 1, "a": "é"}), json!({"_id": 2})]);
    let first = r#"{"_id":1,"a":"é"}"#.len() as u64;
    let stats = library.state.stats("c").unwrap();
    assert_eq!((stats.documents, stats.bytes, stats.indexes, stats.changed), (2, first + 9, 0, Some(at(0))));
    library.write(Write::delete_one(field("_id").eq(2))).unwrap();
    assert_eq!((library.state.bytes(), library.state.stats("c").unwrap().changed), (first, Some(at(1))));
    assert_eq!(library.state.collections().collect::<Vec<_>>(), ["c"]);
    assert_eq!(library.state.stats("d"), None);
}

#[test]
fn floats_come_back_to_the_last_bit() {
    // Parsed the quick way, this one loses its last bit.
    let library = Library::with([json!({"x": 51.248_178_376_140_62}), json!({"x": 1.0e-308 / 3.0})]);
    let again: Documents = serde_json::from_str(&serde_json::to_string(&library.state).unwrap()).unwrap();
    assert_eq!(again, library.state);
    assert_eq!(library.all()[0]["x"].as_f64().map(f64::to_bits), Some(51.248_178_376_140_62_f64.to_bits()));
}
