//! Libraries of metadata: what is read, changed and refused, by hand; and against a model that remembers every state there was.

use proptest::prelude::*;
use serde_json::{Value, json};
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::documents::{Pattern, field};
use stillpoint_store::history::{AsOf, Fact, History, HistoryError, HistoryOp, HistoryPlan, SymbolQuery};

fn day(n: i64) -> Instant {
    Instant::EPOCH + Duration::hours(24 * n)
}

/// Commits what was planned on day `at`.
fn commit<T>(state: &mut History, at: i64, plan: impl FnOnce(&History) -> HistoryPlan<T>) -> Result<T, HistoryError> {
    let (op, done) = plan(state)?;
    if let Some(op) = op {
        // As it comes back from a log.
        let op: HistoryOp = serde_json::from_str(&serde_json::to_string(&op).unwrap()).unwrap();
        state.apply(&op, day(at));
    }
    Ok(done)
}

/// Lot 100 from day 1 on, recorded on day 10; 50 from day 15 on, recorded on day 20.
fn two_lots() -> History {
    let mut state = History::default();
    commit(&mut state, 10, |state| state.plan_append("X", json!({"lot": 100}), day(1))).unwrap();
    commit(&mut state, 20, |state| state.plan_append("X", json!({"lot": 50}), day(15))).unwrap();
    state
}

fn lot(state: &History, as_of: AsOf) -> Option<i64> {
    state.read("X", as_of).map(|metadata| metadata["lot"].as_i64().unwrap())
}

#[test]
fn append_is_after_the_last() {
    let mut state = two_lots();
    assert_eq!(lot(&state, AsOf::latest()), Some(50));
    assert_eq!(lot(&state, AsOf::valid(day(15))), Some(50));
    assert_eq!(lot(&state, AsOf::valid(day(15) - Duration::nanos(1))), Some(100));
    assert_eq!(lot(&state, AsOf::valid(day(0))), None);
    assert_eq!(lot(&state, AsOf::seen_at(day(9))), None);
    assert_eq!(lot(&state, AsOf::seen_at(day(10))), Some(100));
    assert_eq!(lot(&state, AsOf::seen_at(day(19))), Some(100));
    assert_eq!(lot(&state, AsOf::seen_at(day(20))), Some(50));
    assert_eq!(lot(&state, AsOf::valid(day(2)).known_at(day(99))), Some(100));
    assert_eq!(lot(&state, AsOf::latest().known_at(day(12))), Some(100));

    let error = state.plan_append("X", json!({"lot": 1}), day(15)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "metadata of `X` from 1970-01-16T00:00:00Z would not follow the last, which starts at 1970-01-16T00:00:00Z; start later, pop the last, or write the whole history"
    );
    // Even of equal metadata.
    assert!(matches!(state.plan_append("X", json!({"lot": 50}), day(3)), Err(HistoryError::NotAfterLast { .. })));
    // Equal metadata later: nothing changes.
    assert_eq!(state.plan_append("X", json!({"lot": 50.0}), day(30)), Ok((None, Some(Fact::new(day(15), json!({"lot": 50}))))));
    // Null ends it.
    let done = commit(&mut state, 40, |state| state.plan_append("X", Value::Null, day(35))).unwrap();
    assert_eq!(done, Some(Fact::new(day(35), Value::Null)));
    assert_eq!((lot(&state, AsOf::latest()), lot(&state, AsOf::valid(day(34)))), (None, Some(50)));
    assert!(state.has_symbol("X", AsOf::latest()));
    assert_eq!(state.plan_append("Y", Value::Null, day(35)), Ok((None, None)));
}

#[test]
fn prepend_is_before_the_first() {
    let mut state = two_lots();
    assert!(
        matches!(state.plan_prepend("X", json!({"lot": 7}), day(1)), Err(HistoryError::NotBeforeFirst { first, .. }) if first == day(1))
    );
    assert_eq!(state.plan_prepend("X", Value::Null, day(9)), Ok((None, Some(Fact::new(day(1), json!({"lot": 100}))))));
    // Equal metadata starts earlier, as is known from day 30 on.
    let moved = commit(&mut state, 30, |state| state.plan_prepend("X", json!({"lot": 100}), day(0))).unwrap();
    assert_eq!(moved, Some(Fact::new(day(0), json!({"lot": 100}))));
    assert_eq!((lot(&state, AsOf::valid(day(0))), lot(&state, AsOf::valid(day(0)).known_at(day(29)))), (Some(100), None));
    commit(&mut state, 31, |state| state.plan_prepend("X", json!({"lot": 7}), Instant::MIN)).unwrap();
    let periods: Vec<_> =
        state.read_history("X", None).into_iter().map(|period| (period.start, period.end, period.metadata["lot"].clone())).collect();
    assert_eq!(periods, [(Instant::MIN, Some(day(0)), json!(7)), (day(0), Some(day(15)), json!(100)), (day(15), None, json!(50))]);
    let before: Vec<_> = state.read_history("X", Some(day(25))).into_iter().map(|period| (period.start, period.recorded)).collect();
    assert_eq!(before, [(day(1), day(10)), (day(15), day(20))]);
    assert_eq!(state.entries("X").len(), 4);
    commit(&mut state, 32, |state| state.plan_prepend("Y", json!(1), day(5))).unwrap();
    assert_eq!(state.read("Y", AsOf::latest()), Some(&json!(1)));
}

#[test]
fn pop_takes_back_what_was_last() {
    let mut state = two_lots();
    assert_eq!(commit(&mut state, 30, |state| state.plan_pop("X")), Ok(Fact::new(day(15), json!({"lot": 50}))));
    assert_eq!(lot(&state, AsOf::valid(day(40))), Some(100));
    assert_eq!(state.read_history("X", None).last().unwrap().end, None);
    // Who looked between day 20 and 30 saw it.
    assert_eq!((lot(&state, AsOf::seen_at(day(29))), lot(&state, AsOf::seen_at(day(30)))), (Some(50), Some(100)));
    // The start is free again.
    commit(&mut state, 31, |state| state.plan_append("X", json!({"lot": 60}), day(15))).unwrap();
    assert_eq!((lot(&state, AsOf::latest()), lot(&state, AsOf::seen_at(day(25)))), (Some(60), Some(50)));
    commit(&mut state, 32, |state| state.plan_pop("X")).unwrap();
    commit(&mut state, 33, |state| state.plan_pop("X")).unwrap();
    let error = state.plan_pop("X").unwrap_err();
    assert_eq!(error.to_string(), "there is no metadata of `X`; append some first, or look at the symbols there are");
}

#[test]
fn delete_keeps_what_was_known_and_purge_does_not() {
    let mut state = two_lots();
    assert_eq!(commit(&mut state, 30, |state| state.plan_delete("X")), Ok(2));
    assert_eq!((lot(&state, AsOf::latest()), lot(&state, AsOf::seen_at(day(29)))), (None, Some(50)));
    assert_eq!(state.list_symbols(&SymbolQuery::default()).unwrap(), [] as [&str; 0]);
    assert_eq!(state.plan_delete("X"), Ok((None, 0)));
    assert_eq!(state.bytes(), r#"{"lot":100}{"lot":50}"#.len() as u64);
    assert_eq!(commit(&mut state, 31, |state| state.plan_purge("X")), Ok(2));
    assert_eq!((lot(&state, AsOf::seen_at(day(29))), state.bytes(), state.entries("X").len()), (None, 0, 0));
    assert_eq!(state.plan_purge("X"), Ok((None, 0)));
}

#[test]
fn a_whole_history_is_corrected() {
    let mut state = two_lots();
    let facts =
        vec![Fact::new(day(1), json!({"lot": 100})), Fact::new(day(14), json!({"lot": 50})), Fact::new(day(16), json!({"lot": 40}))];
    commit(&mut state, 30, |state| state.plan_write_history("X", facts.clone())).unwrap();
    assert_eq!(state.plan_write_history("X", facts), Ok((None, ())));
    assert_eq!((lot(&state, AsOf::valid(day(14))), lot(&state, AsOf::valid(day(14)).known_at(day(29)))), (Some(50), Some(100)));
    // The first was known all along.
    assert_eq!(state.read_entry("X", AsOf::valid(day(2))).unwrap().recorded, day(10));
    let twice = vec![Fact::new(day(1), 1), Fact::new(day(1), 2)];
    assert_eq!(state.plan_write_history("X", twice), Err(HistoryError::Unordered { symbol: "X".into(), start: day(1) }));
}

#[test]
fn symbols_are_listed_by_name_metadata_and_instant() {
    let mut state = two_lots();
    commit(&mut state, 21, |state| state.plan_append("XY", json!({"lot": 50, "venue": {"name": "V"}}), day(18))).unwrap();
    commit(&mut state, 22, |state| state.plan_append("Z", Value::from("text"), day(2))).unwrap();
    let list = |pattern: Option<&str>, filter, as_of| {
        let query = SymbolQuery { pattern: pattern.map(|pattern| Pattern::new(pattern).unwrap()), filter, as_of };
        state.list_symbols(&query).unwrap().join(" ")
    };
    let all = Default::default;
    assert_eq!(list(None, all(), AsOf::latest()), "X XY Z");
    assert_eq!(list(Some("^X"), all(), AsOf::latest()), "X XY");
    assert_eq!(list(None, all(), AsOf::valid(day(17))), "X Z");
    assert_eq!(list(None, all(), AsOf::seen_at(day(21))), "X XY");
    assert_eq!(list(None, field("lot").eq(50), AsOf::latest()), "X XY");
    assert_eq!(list(None, field("lot").eq(50), AsOf::valid(day(14))), "");
    assert_eq!(list(None, field("venue.name").eq("V"), AsOf::latest()), "XY");
    let none = SymbolQuery { filter: field("a..b").eq(1), ..SymbolQuery::default() };
    assert!(state.list_symbols(&none).unwrap_err().to_string().starts_with("the metadata filter: `a..b` is no path"));
}

#[test]
fn what_cannot_be_written() {
    let state = History::default();
    for symbol in ["", "a\tb", &"x".repeat(256)] {
        assert!(matches!(state.plan_append(symbol, json!(1), day(1)), Err(HistoryError::Symbol { .. })));
    }
    let deep = (0..65).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(state.plan_append("X", deep.clone(), day(1)), Err(HistoryError::TooDeep { symbol: "X".into() }));
    assert!(state.plan_append("X", deep[0].clone(), day(1)).is_ok());
}

#[test]
fn knowledge_never_runs_backwards() {
    let mut state = two_lots();
    // The clock was set back; this counts as known on day 20.
    commit(&mut state, 5, |state| state.plan_append("X", json!({"lot": 30}), day(16))).unwrap();
    assert_eq!((lot(&state, AsOf::latest().known_at(day(19))), lot(&state, AsOf::latest().known_at(day(20)))), (Some(100), Some(30)));
}

/// One symbol's facts by start, as they were after each commit.
#[derive(Default)]
struct Remembered(Vec<(i64, Vec<(i64, i64)>)>);

impl Remembered {
    fn now(&self) -> Vec<(i64, i64)> {
        self.0.last().map(|(_, facts)| facts.clone()).unwrap_or_default()
    }

    /// As after the last commit not later than day `known`.
    fn known(&self, known: i64) -> Vec<(i64, i64)> {
        self.0.iter().rev().find(|(at, _)| *at <= known).map(|(_, facts)| facts.clone()).unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(i64, i64),
    Prepend(i64, i64),
    Pop,
    Delete,
    Rewrite(Vec<(i64, i64)>),
}

fn step() -> impl Strategy<Value = Step> {
    let fact = || (0..20_i64, 0..3_i64);
    prop_oneof![
        5 => fact().prop_map(|(start, value)| Step::Append(start, value)),
        3 => fact().prop_map(|(start, value)| Step::Prepend(start, value)),
        2 => Just(Step::Pop),
        1 => Just(Step::Delete),
        1 => prop::collection::btree_map(0..20_i64, 0..3_i64, 0..4).prop_map(|facts| Step::Rewrite(facts.into_iter().collect())),
    ]
}

/// The facts after `step`, if it can be done.
fn after(mut facts: Vec<(i64, i64)>, step: &Step) -> Option<Vec<(i64, i64)>> {
    match step {
        Step::Append(start, value) => match facts.last() {
            Some((last, _)) if start <= last => return None,
            Some((_, last)) if value == last => {}
            _ => facts.push((*start, *value)),
        },
        Step::Prepend(start, value) => match facts.first_mut() {
            Some((first, _)) if start >= first => return None,
            Some((first, old)) if value == old => *first = *start,
            _ => facts.insert(0, (*start, *value)),
        },
        Step::Pop => {
            facts.pop()?;
        }
        Step::Delete => facts.clear(),
        Step::Rewrite(all) => facts.clone_from(all),
    }
    Some(facts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_state_that_was_known_can_be_read(steps in prop::collection::vec((step(), 0..3_i64), 1..25)) {
        let (mut state, mut model, mut ops, mut at) = (History::default(), Remembered::default(), Vec::new(), 0);
        for (step, later) in steps {
            at += later;
            let plan = match &step {
                Step::Append(start, value) => state.plan_append("X", json!(value), day(*start)).map(|(op, _)| op),
                Step::Prepend(start, value) => state.plan_prepend("X", json!(value), day(*start)).map(|(op, _)| op),
                Step::Pop => state.plan_pop("X").map(|(op, _)| op),
                Step::Delete => state.plan_delete("X").map(|(op, _)| op),
                Step::Rewrite(facts) => {
                    state.plan_write_history("X", facts.iter().map(|(start, value)| Fact::new(day(*start), *value)).collect()).map(|(op, ())| op)
                }
            };
            let expected = after(model.now(), &step);
            prop_assert_eq!(plan.is_ok(), expected.is_some(), "{:?} on {:?}", step, model.now());
            if let (Ok(op), Some(facts)) = (plan, expected) {
                prop_assert_eq!(op.is_none(), facts == model.now());
                if let Some(op) = op {
                    state.apply(&op, day(at));
                    ops.push((at, op));
                }
                model.0.push((at, facts));
            }
        }
        for known in -1..=at + 1 {
            let facts = model.known(known);
            let periods: Vec<_> = state.read_history("X", Some(day(known))).into_iter().map(|period| (period.start, period.metadata)).collect();
            let expected: Vec<_> = facts.iter().map(|(start, value)| (day(*start), json!(value))).collect();
            prop_assert_eq!(periods, expected);
            for valid in -1..21 {
                let expected = facts.iter().rev().find(|(start, _)| *start <= valid).map(|(_, value)| json!(value));
                prop_assert_eq!(state.read("X", AsOf::valid(day(valid)).known_at(day(known))), expected.as_ref());
            }
        }
        prop_assert_eq!(state.read("X", AsOf::latest()).cloned(), model.now().last().map(|(_, value)| json!(value)));
        let mut again = History::default();
        ops.iter().for_each(|(at, op)| again.apply(op, day(*at)));
        prop_assert_eq!(&again, &state);
        let read: History = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        prop_assert_eq!(&read, &state);
    }
}
