//! The queue against a naive model: a list of all requests, in which one may start when no earlier unfinished one conflicts with it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stillpoint_store::request::{Claim, Kind, Queue, RequestId, Scope, Stage};

use crate::kit::claim;

/// Any scope over the symbols `a` to `c`; also the empty one.
pub(crate) fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::Library),
        4 => "[abc]".prop_map(Scope::symbol),
        2 => prop::collection::btree_set("[abc]", 0..4).prop_map(Scope::Symbols),
    ]
}

pub(crate) fn any_claim() -> impl Strategy<Value = Claim> {
    let kind = prop_oneof![Just(Kind::Read), Just(Kind::Modify)];
    (prop_oneof![4 => Just("one"), 1 => Just("two")], scope(), kind).prop_map(|(library, scope, kind)| claim(library, scope, kind))
}

/// Whether two claims conflict, symbol by symbol.
pub(crate) fn conflict(one: &Claim, two: &Claim) -> bool {
    let has = |claim: &Claim, symbol: &str| match &claim.scope {
        Scope::Library => true,
        Scope::Symbols(symbols) => symbols.contains(symbol),
    };
    let both_whole = one.scope == Scope::Library && two.scope == Scope::Library;
    let common = both_whole || ["a", "b", "c"].iter().any(|symbol| has(one, symbol) && has(two, symbol));
    one.library == two.library && common && (one.kind, two.kind) != (Kind::Read, Kind::Read)
}

/// The model: every request that was ever submitted.
#[derive(Default)]
pub(crate) struct Naive(Vec<(RequestId, Claim, Option<Stage>)>);

impl Naive {
    pub(crate) fn submit(&mut self, id: RequestId, claim: Claim) {
        self.0.push((id, claim, Some(Stage::Waiting)));
        self.judge();
    }

    pub(crate) fn set(&mut self, id: RequestId, stage: Option<Stage>) {
        let entry = self.0.iter_mut().find(|(other, ..)| *other == id).expect("a request that was submitted");
        entry.2 = stage;
        self.judge();
    }

    /// What an unfinished request waits for.
    fn before(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        (0..place).filter(move |earlier| self.0[*earlier].2.is_some() && conflict(&self.0[*earlier].1, &self.0[place].1))
    }

    fn judge(&mut self) {
        for place in 0..self.0.len() {
            if self.0[place].2 == Some(Stage::Waiting) && self.before(place).next().is_none() {
                self.0[place].2 = Some(Stage::Due);
            }
        }
    }

    pub(crate) fn in_stage(&self, stage: Stage) -> Vec<RequestId> {
        self.0.iter().filter(|(.., is)| *is == Some(stage)).map(|(id, ..)| *id).collect()
    }

    fn needed_for(&self, wanted: &[RequestId]) -> BTreeSet<RequestId> {
        let unfinished = |place: &usize| wanted.contains(&self.0[*place].0) && self.0[*place].2.is_some();
        let mut needed: BTreeSet<usize> = (0..self.0.len()).filter(unfinished).collect();
        // From the last to the first: what waits comes after what it waits for.
        for place in (0..self.0.len()).rev() {
            if needed.contains(&place) {
                needed.extend(self.before(place));
            }
        }
        needed.into_iter().map(|place| self.0[place].0).collect()
    }

    fn due_for(&self, wanted: &[RequestId]) -> Option<RequestId> {
        let needed = self.needed_for(wanted);
        self.in_stage(Stage::Due).into_iter().find(|id| needed.contains(id))
    }
}

#[derive(Clone, Debug)]
enum Act {
    Submit(Claim),
    Start,
    /// Starts for some of all requests, wherever they stand.
    StartFor(prop::sample::Index, prop::sample::Index),
    /// Finishes one of those that run.
    Finish(prop::sample::Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => any_claim().prop_map(Act::Submit),
        2 => Just(Act::Start),
        2 => any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(one, two)| Act::StartFor(one, two)),
        3 => any::<prop::sample::Index>().prop_map(Act::Finish),
    ];
    prop::collection::vec(act, 1..60)
}

fn finish(queue: &mut Queue, naive: &mut Naive, id: RequestId) {
    let before = naive.in_stage(Stage::Due);
    naive.set(id, None);
    let now_due: Vec<_> = naive.in_stage(Stage::Due).into_iter().filter(|id| !before.contains(id)).collect();
    assert_eq!(queue.finish(id), Ok(now_due));
}

fn assert_same(queue: &Queue, naive: &Naive) {
    for (id, claim, stage) in &naive.0 {
        assert_eq!((queue.stage(*id), queue.claim(*id)), (*stage, stage.map(|_| claim)), "{id}");
        assert_eq!(queue.needed_for([*id]), naive.needed_for(&[*id]), "{id}");
    }
    let unfinished = naive.0.iter().filter(|(.., stage)| stage.is_some()).count();
    assert_eq!(
        (queue.submitted(), queue.len(), queue.due()),
        (naive.0.len() as u64, unfinished, naive.in_stage(Stage::Due).first().copied())
    );
}

fn play(acts: Vec<Act>) {
    let (mut queue, mut naive) = (Queue::new(), Naive::default());
    for act in acts {
        match act {
            Act::Submit(claim) => {
                let id = queue.submit(claim.clone());
                assert_eq!(id.number(), naive.0.len() as u64 + 1);
                naive.submit(id, claim);
            }
            Act::Start => {
                let started = queue.start();
                assert_eq!(started, naive.in_stage(Stage::Due).first().copied());
                started.into_iter().for_each(|id| naive.set(id, Some(Stage::Running)));
            }
            Act::StartFor(one, two) if !naive.0.is_empty() => {
                let wanted = [one.get(&naive.0).0, two.get(&naive.0).0];
                let needed = queue.needed_for(wanted);
                assert_eq!(needed, naive.needed_for(&wanted));
                let started = queue.start_among(&needed);
                assert_eq!(started, naive.due_for(&wanted));
                started.into_iter().for_each(|id| naive.set(id, Some(Stage::Running)));
            }
            Act::Finish(which) => {
                let running = naive.in_stage(Stage::Running);
                if !running.is_empty() {
                    finish(&mut queue, &mut naive, *which.get(&running));
                }
            }
            Act::StartFor(..) => {}
        }
        assert_same(&queue, &naive);
    }
    // Whatever is left comes to its end, and nothing of it stays.
    while !queue.is_empty() {
        while let Some(id) = queue.start() {
            naive.set(id, Some(Stage::Running));
        }
        let running = naive.in_stage(Stage::Running);
        finish(&mut queue, &mut naive, *running.last().expect("what is unfinished runs, or waits for what runs"));
    }
    let left = serde_json::to_value(&queue).expect("a queue can be written");
    let empty = serde_json::json!({ "submitted": naive.0.len(), "entries": {}, "due": [], "libraries": {} });
    assert_eq!(left, empty);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_naive_model_does(acts in acts()) {
        play(acts);
    }

    #[test]
    fn claims_conflict_as_symbol_by_symbol(one in any_claim(), two in any_claim()) {
        prop_assert_eq!(one.conflicts(&two), conflict(&one, &two));
        prop_assert_eq!(one.conflicts(&two), two.conflicts(&one));
    }
}

#[test]
fn a_queue_that_was_written_and_read_goes_on_the_same() {
    let mut queue = Queue::new();
    let ids: Vec<_> = [Kind::Read, Kind::Modify, Kind::Read].map(|kind| queue.submit(claim("one", Scope::symbol("a"), kind))).into();
    queue.start();
    let text = serde_json::to_string(&queue).expect("a queue can be written");
    let mut restored: Queue = serde_json::from_str(&text).expect("and read");
    assert_eq!(restored, queue);
    assert_eq!(restored.finish(ids[0]), Ok(vec![ids[1]]));
    assert_eq!((restored.start(), restored.finish(ids[1])), (Some(ids[1]), Ok(vec![ids[2]])));
}
