//! Strategies that make programs rich in ties, zero-delay cascades, cancels, stops and questions. Invariant: every program can be built.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::program::{
    Answering, Body, ControlPlan, LatePlan, Op, Program, ROOTS, Role, Root, STREAMS, Step, StreamPlan, Subscription, Wait,
};

const MOST_ROOTS: usize = 6;

/// Random programs. One in three is wild: it may panic, stop the run or send where no link leads.
pub fn programs() -> impl Strategy<Value = Program> {
    prop_oneof![2 => program(false, links(0.3, 0.75, 0..5i64), 80..170), 1 => program(true, links(0.3, 0.75, 0..5i64), 80..170)]
}

/// Random programs of several components, which can be run as several shards. One in five is wild.
pub fn linked_programs() -> impl Strategy<Value = Program> {
    let latencies = || prop_oneof![1 => Just(0i64), 12 => 1..4i64, 12 => 4..40i64];
    prop_oneof![4 => program(false, links(0.99, 0.85, latencies()), 450..900), 1 => program(true, links(0.99, 0.85, latencies()), 450..900)]
}

/// Whether there are links, and which latency each pair has, if any.
fn links(some: f64, each: f64, latency: impl Strategy<Value = i64>) -> impl Strategy<Value = Option<Vec<Option<i64>>>> {
    weighted(some, vec(weighted(each, latency), MOST_ROOTS * MOST_ROOTS))
}

fn program(
    wild: bool,
    links: impl Strategy<Value = Option<Vec<Option<i64>>>>,
    energy: std::ops::Range<u32>,
) -> impl Strategy<Value = Program> {
    let frame = (any::<u64>(), origin(), weighted(0.4, 0..6i64), weighted(0.3, prop_oneof![1 => 0..20i64, 3 => 20..120i64]));
    let limits = (weighted(0.1, 6..30u32), weighted(0.06, 8..24usize), any::<bool>(), energy);
    let actors = (vec(root(), 2..=MOST_ROOTS), vec(role(wild), 2..5), vec(vec(step(wild), 1..7), 0..5));
    let subscriptions = vec((0..MOST_ROOTS, 0..MOST_ROOTS, any::<bool>()), 0..8);
    let streams = vec(stream(), 0..=STREAMS.len());
    (frame, limits, actors, links, subscriptions, streams).prop_map(|(frame, limits, actors, links, subscriptions, streams)| {
        let (seed, origin, start, until) = frame;
        let (max_steps, max_mailbox, poison, energy) = limits;
        let (roots, roles, scripts) = actors;
        let count = roots.len();
        let links = links.map(|latencies: Vec<Option<i64>>| {
            let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to))).filter(|(from, to)| from != to);
            pairs.filter_map(|(from, to)| latencies[from * MOST_ROOTS + to].map(|latency| (from, to, latency))).collect()
        });
        let links = links.filter(|links: &Vec<_>| !links.is_empty());
        let mut program = Program {
            seed,
            origin,
            start,
            until,
            max_steps,
            max_mailbox,
            poison,
            energy,
            roots,
            links,
            subscriptions: Vec::new(),
            streams,
            roles,
            scripts,
        };
        let subscriptions: BTreeSet<_> = subscriptions
            .into_iter()
            .map(|(a, b, flash)| Subscription { subscriber: a % count, publisher: b % count, flash })
            .filter(|one| program.mutual(one.subscriber, one.publisher))
            .collect();
        program.subscriptions = subscriptions.into_iter().collect();
        for stream in &mut program.streams {
            let subscribers: BTreeSet<_> = stream.subscribers.iter().map(|root| root % count).collect();
            stream.subscribers = subscribers.into_iter().collect();
        }
        program
    })
}

fn origin() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => Just(0),
        3 => Just(-50),
        2 => Just(-1_000_000_000_000_000_000),
        2 => Just(1_700_000_000_000_000_000),
        2 => Just(i64::MIN),
        1 => Just(i64::MIN + 3),
        1 => Just(i64::MAX - 40),
        1 => Just(i64::MAX - 200),
    ]
}

fn root() -> impl Strategy<Value = Root> {
    (prop_oneof![5 => Just(0), 2 => -1..2i32, 1 => Just(i32::MIN)], any::<u8>()).prop_map(|(rank, role)| Root { rank, role })
}

fn role(wild: bool) -> impl Strategy<Value = Role> {
    (vec(op(wild), 2..6), vec(vec(op(wild), 1..4), 2..6), vec(answering(), 1..5)).prop_map(|(on_start, table, answers)| Role {
        on_start,
        table,
        answers,
    })
}

fn answering() -> impl Strategy<Value = Answering> {
    prop_oneof![4 => Just(Answering::Now), 2 => Just(Answering::Keep), 1 => Just(Answering::Drop)]
}

fn stream() -> impl Strategy<Value = StreamPlan> {
    let items = vec((prop_oneof![4 => Just(0i64), 6 => 1..4i64, 1 => 4..12i64, 2 => -6..0i64], 1..8u32, any::<u64>()), 0..40);
    let late = prop_oneof![2 => Just(LatePlan::Error), 3 => Just(LatePlan::Drop), 3 => Just(LatePlan::Flag)];
    let ranks = prop_oneof![4 => Just(0i32), 1 => -1..2i32];
    let subscribers = vec(0..ROOTS.len(), 0..4);
    let reorder = weighted(0.3, 0..6i64);
    (items, late, any::<u8>(), reorder, any::<bool>(), any::<bool>(), ranks, subscribers).prop_map(
        |(items, late, care, reorder, one_by_one, controlled, rank, subscribers)| {
            let mut at = 0;
            let mut items: Vec<(i64, Body)> = items
                .into_iter()
                .map(|(delta, fuel, tag)| {
                    at += delta;
                    (at, Body { fuel, tag })
                })
                .collect();
            // Most streams that call a late item an error have none: a run that ends early shows little.
            if late == LatePlan::Error && care > 12 {
                items.sort_by_key(|item| item.0);
            }
            StreamPlan { rank, items, late, reorder, one_by_one, controlled, subscribers }
        },
    )
}

/// Delays with many ties, some for now or the past, a few beyond the last instant.
fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0i64), 12 => 1..5i64, 2 => -4..0i64, 3 => 5..40i64, 1 => prop_oneof![Just(i64::MAX), Just(i64::MIN), Just(i64::MAX / 2)]]
}

fn timeout() -> impl Strategy<Value = Option<i64>> {
    weighted(0.6, prop_oneof![1 => Just(0i64), 6 => 1..6i64, 1 => delay()])
}

fn control() -> impl Strategy<Value = ControlPlan> {
    prop_oneof![4 => Just(ControlPlan::Pause), 4 => Just(ControlPlan::Resume), 1 => Just(ControlPlan::End)]
}

fn op(wild: bool) -> impl Strategy<Value = Op> {
    let b = any::<u8>;
    let talking = prop_oneof![
        12 => b().prop_map(|to| Op::Send { to }),
        6 => (b(), delay()).prop_map(|(to, delay)| Op::SendAfter { to, delay }),
        2 => (b(), b()).prop_map(|(to, about)| Op::Mention { to, about }),
        2 => b().prop_map(|to| Op::Draw { to }),
        10 => any::<bool>().prop_map(|flash| Op::Publish { flash }),
        6 => (b(), any::<bool>()).prop_map(|(to, flash)| Op::Subscribe { to, flash }),
        3 => (b(), any::<bool>()).prop_map(|(to, flash)| Op::Unsubscribe { to, flash }),
    ];
    let timing = prop_oneof![
        2 => Just(Op::Soon),
        6 => delay().prop_map(|delay| Op::After { delay }),
        2 => delay().prop_map(|offset| Op::At { offset }),
        3 => (delay(), 1..5i64, prop_oneof![1 => Just(-1), 12 => 0..6i8]).prop_map(|(first, period, ticks)| Op::Every { first, period, ticks }),
        6 => b().prop_map(|which| Op::CancelTimer { which }),
    ];
    let asking = prop_oneof![
        6 => (b(), timeout()).prop_map(|(to, timeout)| Op::Ask { to, timeout }),
        3 => b().prop_map(|which| Op::AnswerKept { which }),
        1 => b().prop_map(|which| Op::DropKept { which }),
        1 => timeout().prop_map(|timeout| Op::NextInstant { timeout }),
    ];
    let working = prop_oneof![
        5 => b().prop_map(|script| Op::Task { script }),
        2 => b().prop_map(|which| Op::CancelTask { which }),
        4 => b().prop_map(|which| Op::Push { which }),
        3 => (delay(), prop::bool::weighted(0.2)).prop_map(|(latency, panics)| Op::Submit { latency, panics }),
        2 => b().prop_map(|which| Op::CancelJob { which }),
    ];
    let living = prop_oneof![
        8 => (b(), weighted(0.3, -1..2i32)).prop_map(|(role, rank)| Op::Spawn { role, rank }),
        1 => Just(Op::StopSelf),
        2 => b().prop_map(|to| Op::StopOther { to }),
    ];
    let streaming = prop_oneof![
        3 => b().prop_map(|stream| Op::SubscribeStream { stream }),
        1 => b().prop_map(|stream| Op::UnsubscribeStream { stream }),
        3 => (b(), control()).prop_map(|(stream, what)| Op::Control { stream, what }),
    ];
    let wildness = prop_oneof![
        6 => Just(Op::Panic),
        1 => Just(Op::StopRun),
        5 => b().prop_map(|root| Op::SendAstray { root }),
        3 => b().prop_map(|root| Op::AskAstray { root }),
    ];
    prop_oneof![
        40 => talking,
        16 => timing,
        12 => asking,
        15 => working,
        8 => living,
        6 => streaming,
        u32::from(wild) + 1 => if wild { wildness.boxed() } else { b().prop_map(|to| Op::Send { to }).boxed() },
    ]
}

fn wait() -> impl Strategy<Value = Wait> {
    let b = any::<u8>;
    prop_oneof![
        5 => delay().prop_map(|delay| Wait::Sleep { delay }),
        1 => delay().prop_map(|offset| Wait::SleepUntil { offset }),
        3 => Just(Wait::Yield),
        4 => Just(Wait::Recv),
        4 => (b(), timeout()).prop_map(|(to, timeout)| Wait::Ask { to, timeout }),
        3 => b().prop_map(|which| Wait::Join { which }),
        2 => (delay(), prop::bool::weighted(0.2)).prop_map(|(latency, panics)| Wait::Submit { latency, panics }),
    ]
}

fn step(wild: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => op(wild).prop_map(Step::Do),
        8 => wait().prop_map(Step::Await),
        4 => (wait(), wait()).prop_map(|(a, b)| Step::Select(a, b)),
        3 => any::<u8>().prop_map(|script| Step::Spawn { script }),
        1 => any::<u8>().prop_map(|which| Step::CancelChild { which }),
    ]
}
