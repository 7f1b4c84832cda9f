//! Any library against a plain list of documents that is scanned for everything.

use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};
use stillpoint_store::documents::{Documents, Done, Find, IndexSpec, OnError, Update, Write};

use crate::{Library, at, filter};

/// A plain list of documents, scanned for everything. Fields are `a` and `b`, values a few scalars and lists of them.
#[derive(Default)]
struct Scanned(Vec<Value>);

fn rank(value: &Value) -> (u8, f64, String, Vec<Value>) {
    match value {
        Value::Null => (0, 0.0, String::new(), vec![]),
        Value::Number(number) => (1, number.as_f64().unwrap(), String::new(), vec![]),
        Value::String(text) => (2, 0.0, text.clone(), vec![]),
        Value::Array(list) => (4, 0.0, String::new(), list.clone()),
        other => panic!("{other} is not in the model"),
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    let (a, b) = (rank(a), rank(b));
    let lists = || {
        let parts = a.3.iter().zip(&b.3).map(|(a, b)| order(a, b)).find(|order| order.is_ne());
        parts.unwrap_or(a.3.len().cmp(&b.3.len()))
    };
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then_with(|| a.2.cmp(&b.2)).then_with(lists)
}

fn passes(document: &Value, form: &Value) -> bool {
    form.as_object().unwrap().iter().all(|(name, operand)| match name.as_str() {
        "$and" => operand.as_array().unwrap().iter().all(|form| passes(document, form)),
        "$or" => operand.as_array().unwrap().iter().any(|form| passes(document, form)),
        "$nor" => !operand.as_array().unwrap().iter().any(|form| passes(document, form)),
        name => {
            let (operator, operand) = operand.as_object().unwrap().iter().next().unwrap();
            let whole = document.get(name);
            let values: Vec<&Value> = match whole {
                None => vec![&Value::Null],
                Some(Value::Array(list)) => list.iter().chain(whole).collect(),
                Some(other) => vec![other],
            };
            let any = |test: &dyn Fn(Ordering) -> bool, same_kind: bool| {
                values.iter().any(|value| (!same_kind || rank(value).0 == rank(operand).0) && test(order(value, operand)))
            };
            match operator.as_str() {
                "$eq" => any(&Ordering::is_eq, false),
                "$ne" => !any(&Ordering::is_eq, false),
                "$gt" => any(&Ordering::is_gt, true),
                "$gte" => any(&Ordering::is_ge, true),
                "$lt" => any(&Ordering::is_lt, true),
                "$lte" => any(&Ordering::is_le, true),
                "$in" => operand.as_array().unwrap().iter().any(|wanted| values.iter().any(|value| order(value, wanted).is_eq())),
                "$exists" => whole.is_some() == operand.as_bool().unwrap(),
                other => panic!("{other} is not in the model"),
            }
        }
    })
}

impl Scanned {
    fn matching(&self, form: &Value) -> Vec<Value> {
        let mut found: Vec<Value> = self.0.iter().filter(|document| passes(document, form)).cloned().collect();
        found.sort_by(|a, b| order(&a["_id"], &b["_id"]));
        found
    }

    /// Whether two documents have a value in common in the unique index over `b`.
    fn is_unique(&self) -> bool {
        let values = |document: &Value| match document.get("b") {
            None => vec![Value::Null],
            Some(Value::Array(list)) => list.iter().cloned().chain([json!(list)]).collect(),
            Some(other) => vec![other.clone()],
        };
        let meet = |x: &Value, y: &Value| values(x).iter().any(|x| values(y).iter().any(|y| order(x, y).is_eq()));
        self.0.iter().enumerate().all(|(i, x)| self.0[..i].iter().all(|y| !meet(x, y)))
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..5_i64).prop_map(Value::from),
        Just(json!(2.0)),
        Just(json!(2.5)),
        Just(json!(null)),
        prop::sample::select(vec!["", "x", "y"]).prop_map(Value::from)
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from)]
}

fn document() -> impl Strategy<Value = Value> {
    (prop::option::weighted(0.3, 1..30_u64), prop::option::of(value()), prop::option::of(value())).prop_map(|(id, a, b)| {
        let fields = [("_id", id.map(Value::from)), ("a", a), ("b", b)];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<serde_json::Map<_, _>>().into()
    })
}

fn condition() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(vec!["a", "b", "_id"]);
    let compared = (name(), prop::sample::select(vec!["$eq", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), value())
        .prop_map(|(name, operator, value)| json!({ name: { operator: value } }));
    let listed = (name(), prop::collection::vec(value(), 0..3)).prop_map(|(name, values)| json!({ name: { "$in": values } }));
    let existing = (name(), any::<bool>()).prop_map(|(name, wanted)| json!({ name: { "$exists": wanted } }));
    let leaf = prop_oneof![6 => compared, 2 => listed, 1 => existing];
    leaf.prop_recursive(2, 8, 3, |inner| {
        (prop::sample::select(vec!["$and", "$and", "$or", "$nor"]), prop::collection::vec(inner, 1..4))
            .prop_map(|(name, all)| json!({ name: all }))
    })
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<Value>),
    Set(Value, Value, bool),
    Delete(Value, bool),
    Index(usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(document(), 1..4).prop_map(Step::Insert),
        3 => (condition(), value(), any::<bool>()).prop_map(|(filter, value, one)| Step::Set(filter, value, one)),
        1 => (condition(), any::<bool>()).prop_map(|(filter, one)| Step::Delete(filter, one)),
        2 => (0..4_usize).prop_map(Step::Index),
        1 => (0..4_usize).prop_map(Step::Drop),
    ]
}

fn spec(n: usize) -> IndexSpec {
    [IndexSpec::over(["a"]), IndexSpec::over(["b"]).unique(), IndexSpec::over(["a", "b"]), IndexSpec::over(["b", "_id"])][n].clone()
}

fn has_lists(documents: &[Value]) -> bool {
    documents.iter().any(|document| {
        ["a", "b"].iter().all(|name| document.get(*name).is_some_and(|value| value.as_array().is_some_and(|list| !list.is_empty())))
    })
}

/// Does `step` in the library and in the model, which must agree on whether it can be done.
fn both(step: &Step, library: &mut Library, model: &mut Scanned, next: &mut u64) {
    let indexed = |library: &Library, n: usize| library.state.indexes("c").contains(&spec(n));
    let mut after = Scanned(model.0.clone());
    let mut drawn = *next;
    let done = match step {
        Step::Insert(documents) => {
            let mut taken = false;
            for document in documents {
                let mut document = document.clone();
                if document.get("_id").is_none() {
                    document["_id"] = json!(drawn);
                }
                drawn = drawn.max(document["_id"].as_u64().unwrap() + 1);
                taken |= after.0.iter().any(|other| other["_id"] == document["_id"]);
                after.0.push(document);
            }
            library.write(Write::insert_many(documents.clone())).map_err(|_| taken)
        }
        Step::Set(form, value, one) => {
            let found: Vec<Value> = model.matching(form).into_iter().take(if *one { 1 } else { usize::MAX }).collect();
            after
                .0
                .iter_mut()
                .filter(|document| found.iter().any(|found| found["_id"] == document["_id"]))
                .for_each(|document| document["b"] = value.clone());
            let update = Update::edit().set("b", value.clone());
            let write =
                if *one { Write::update_one(filter(form.clone()), update) } else { Write::update_many(filter(form.clone()), update) };
            library.write(write).map_err(|_| false)
        }
        Step::Delete(form, one) => {
            let found: Vec<Value> = model.matching(form).into_iter().take(if *one { 1 } else { usize::MAX }).collect();
            after.0.retain(|document| found.iter().all(|found| found["_id"] != document["_id"]));
            let write = if *one { Write::delete_one(filter(form.clone())) } else { Write::delete_many(filter(form.clone())) };
            assert_eq!(library.write(write), Ok(Done::Deleted(found.len() as u64)));
            Ok(Done::Deleted(0))
        }
        Step::Index(n) => {
            let refused = (*n == 1 && !model.is_unique()) || (*n == 2 && has_lists(&model.0));
            assert_eq!(library.index(spec(*n)).is_err(), refused, "{step:?}");
            return;
        }
        Step::Drop(n) => {
            let there = indexed(library, *n);
            let plan = library.state.plan_drop_index("c", &spec(*n).name);
            assert_eq!(plan.is_ok(), there);
            library.commit(plan.ok().and_then(|(op, ())| op));
            return;
        }
    };
    let broken = (indexed(library, 1) && !after.is_unique()) || (indexed(library, 2) && has_lists(&after.0));
    match done {
        Ok(_) => {
            assert!(!broken, "{step:?} breaks an index");
            (*model, *next) = (after, drawn);
        }
        Err(taken) => assert!(taken || broken, "{step:?} could be done"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_library_is_a_list_of_documents_that_is_scanned(
        steps in prop::collection::vec(step(), 1..14),
        searches in prop::collection::vec(condition(), 8),
    ) {
        let (mut library, mut model, mut next) = (Library::default(), Scanned::default(), 1);
        for step in &steps {
            both(step, &mut library, &mut model, &mut next);
            prop_assert_eq!(library.all(), model.matching(&json!({})));
        }
        for n in [0, 2, 3, 1] {
            for form in &searches {
                let found = library.state.find("c", &Find::matching(filter(form.clone()))).unwrap();
                prop_assert_eq!(&found, &model.matching(form), "{} with {:?}", form, library.state.indexes("c"));
                prop_assert_eq!(library.state.count("c", &filter(form.clone())).unwrap(), found.len() as u64);
            }
            let _ = library.index(spec(n));
        }
        let mut again = Documents::default();
        library.ops.iter().enumerate().for_each(|(n, op)| again.apply(op, at(n)));
        prop_assert_eq!(&again, &library.state);
        let read: Documents = serde_json::from_str(&serde_json::to_string(&library.state).unwrap()).unwrap();
        prop_assert_eq!(&read, &library.state);
    }

    #[test]
    fn a_bulk_does_what_its_writes_do_one_by_one(
        first in prop::collection::vec(document(), 0..6),
        unique in any::<bool>(),
        steps in prop::collection::vec(step(), 1..8),
    ) {
        let mut library = Library::default();
        first.into_iter().for_each(|document| {
            let _ = library.write(Write::insert_one(document));
        });
        let _ = unique.then(|| library.index(spec(1)));
        let writes: Vec<Write> = steps.into_iter().filter_map(|step| match step {
            Step::Insert(documents) => Some(Write::insert_many(documents)),
            Step::Set(form, value, true) => Some(Write::update_one(filter(form), Update::edit().set("b", value)).or_insert()),
            Step::Set(form, value, false) => Some(Write::update_many(filter(form), Update::edit().push("b", value))),
            Step::Delete(form, true) => Some(Write::delete_one(filter(form))),
            Step::Delete(form, false) => Some(Write::delete_many(filter(form))),
            Step::Index(_) | Step::Drop(_) => None,
        }).collect();
        let (op, results) = library.state.plan_bulk("c", &writes, OnError::Continue).unwrap();
        let mut at_once = library.state.clone();
        op.iter().for_each(|op| at_once.apply(op, at(99)));
        let one_by_one: Vec<_> = writes.into_iter().map(|write| library.write(write)).collect();
        prop_assert_eq!(results, one_by_one);
        prop_assert_eq!(at_once.find("c", &Find::all()).unwrap(), library.all());
    }

    #[test]
    fn filters_are_read_as_they_were_written(form in condition()) {
        let read = filter(form);
        prop_assert_eq!(filter(serde_json::to_value(&read).unwrap()), read);
    }
}
