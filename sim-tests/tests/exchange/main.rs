//! Random worlds around an exchange have the same trace and the same fills on every host, and nothing appears in them or vanishes.
//!
//! `EXCHANGE_CASES` and `CHAOS_SEED` choose how many worlds and which.

#[path = "../cases/mod.rs"]
mod cases;
mod trader;
mod world;

use std::collections::BTreeMap;

use cases::{check_all, number};
use stillpoint_actors::{OrderAction, OrderKind, TimeInForce};
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{Instant, Outcome, ReadyOrder, Value, digest_of};
use world::{CASH, NAMES, World, build, worlds};

fn text<'o>(outcome: &'o Outcome, actor: &str, name: &str) -> &'o str {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Text(text)) => text,
        other => panic!("{actor} reports {other:?} as {name}"),
    }
}

/// The last decimal of the account's amounts.
const PARTS: i64 = 10_000;

/// A number of a report in units of the account's last decimal.
fn parts(outcome: &Outcome, actor: &str, name: &str) -> i64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Integer(number)) => number * PARTS,
        Some(Value::Number(number)) => (number * PARTS as f64).round() as i64,
        other => panic!("{actor} reports {other:?} as {name}"),
    }
}

/// What one has from its fills: quantity, money without fees, fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flow {
    quantity: i64,
    money: i64,
    fees: i64,
}

impl std::iter::Sum for Flow {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self { quantity: a.quantity + b.quantity, money: a.money + b.money, fees: a.fees + b.fees })
    }
}

/// A fill as its trader has written it down: the order, the signed quantity, the price, the fee.
fn fills(outcome: &Outcome, trader: &str) -> Vec<(u64, Flow)> {
    let read = |line: &str| {
        let words: Vec<i64> = line.split(' ').map(|word| word.parse().expect("a number")).collect();
        let [_, order, quantity, price, fee] = words[..] else { panic!("no fill: {line}") };
        (order as u64, Flow { quantity, money: -quantity * price, fees: fee })
    };
    text(outcome, trader, "fills").lines().map(read).collect()
}

/// Everything that is compared between hosts.
fn account(outcome: &Outcome, world: &World) -> Vec<(String, String)> {
    let mut told = vec![
        ("trace".to_owned(), format!("{} of {} deliveries", outcome.trace_hash, outcome.deliveries)),
        ("chains".to_owned(), format!("{:?}", outcome.chains)),
    ];
    told.extend(NAMES.iter().take(world.plans.len()).map(|name| (format!("the fills of {name}"), text(outcome, name, "fills").to_owned())));
    told.extend(["exchange", "account"].map(|name| (name.to_owned(), format!("{:?}", outcome.report(name)))));
    told
}

/// Runs a world on as many threads; 0 are the inline host.
fn run(world: &World, threads: usize) -> Outcome {
    let again = world.clone();
    let launch = Launch::new(move || build(&again, None));
    let launch = if threads == 0 {
        launch
    } else {
        let random = digest_of(&(format!("{world:?}"), threads));
        let launch = launch.host(Host::Actix { threads }).shards([1, 2, 3, 7][(random % 4) as usize]);
        launch.batch([1, 7, 64][(random >> 8) as usize % 3]).deal(random).ready_order(ReadyOrder::Shuffled(random))
    };
    launch.run().unwrap_or_else(|failed| panic!("{}", failed.error))
}

/// Whether quantities and money are all there. `ended` says that no answer is on its way any more.
fn check_sums(world: &World, outcome: &Outcome, ended: bool) -> Result<(), String> {
    let equal = |what: &str, found: (i64, i64), expected: (i64, i64)| {
        if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
    };
    let behind = |index: usize| world.account.is_some() && world.plans[index].through_portfolio;
    let of = |through: bool| -> (Vec<Flow>, Flow) {
        let chosen = (0..world.plans.len()).filter(|index| behind(*index) == through);
        let all: Vec<_> = chosen.flat_map(|index| fills(outcome, NAMES[index])).collect();
        // What was liquidated was not traded at the exchange.
        let traded = all.iter().filter(|(order, _)| *order > 0).map(|(_, flow)| *flow).collect();
        (traded, all.into_iter().map(|(_, flow)| flow).sum())
    };
    let ((own, _), (through, whole)) = (of(false), of(true));
    if world.account.is_some() {
        let [position, cash, fees, covered] =
            ["X position", "USD cash", "USD fees", "USD covered"].map(|name| parts(outcome, "account", name));
        equal("the account's position", (position, 0), (whole.quantity * PARTS, 0))?;
        let expected = (CASH + whole.money - whole.fees) * PARTS + covered;
        equal("the account's cash and fees", (cash, fees), (expected, whole.fees * PARTS))?;
    }
    if ended {
        let count = (own.len() + through.len()) as i64;
        let all: Flow = own.into_iter().chain(through).sum();
        let at_exchange = ["fills", "X fees"].map(|name| parts(outcome, "exchange", name));
        equal("fills and fees", (count * PARTS, all.fees * PARTS), at_exchange.into())?;
        if world.feed.is_empty() {
            equal("quantities and money of all", (all.quantity, all.money), (0, 0))?;
        }
    }
    Ok(())
}

/// What a world shows: how often each kind of order was filled, and what else came of orders.
fn seen(world: &World, outcome: &Outcome, seen: &mut BTreeMap<String, u64>) -> u64 {
    let mut filled = 0;
    for (name, plan) in NAMES.into_iter().zip(&world.plans) {
        let mut kinds = BTreeMap::new();
        for (_, action) in &plan.steps {
            let (what, tickets) = match action {
                OrderAction::Submit(ticket) => ("alone", vec![*ticket]),
                OrderAction::Oco(pair) => ("pair", pair.to_vec()),
                OrderAction::Bracket { entry, exits: [a, b] } => ("bracket", vec![*entry, *a, *b]),
                OrderAction::Modify(_) | OrderAction::Cancel { .. } | OrderAction::CancelAll => continue,
            };
            for ticket in tickets {
                let kind = match ticket.kind {
                    OrderKind::TrailingStop(by) => format!("trailing stop by {by:?}"),
                    kind => format!("{kind:?}"),
                };
                let force = match ticket.time_in_force {
                    TimeInForce::Gtd(_) => "Gtd".to_owned(),
                    force => format!("{force:?}"),
                };
                let word = |text: &str| text.split(['(', ' ', '{']).take(4).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
                let kind =
                    if kind.starts_with("trailing") { word(&kind) } else { kind.split(['(', ' ']).next().unwrap_or_default().to_owned() };
                kinds.insert(ticket.id.0, [what.to_owned(), kind, force]);
            }
        }
        for (order, _) in fills(outcome, name) {
            filled += 1;
            let words =
                kinds.get(&order).cloned().unwrap_or_else(|| [if order == 0 { "liquidation" } else { "answer" }; 3].map(str::to_owned));
            words.into_iter().for_each(|word| *seen.entry(format!("filled {word}")).or_default() += 1);
        }
        for event in text(outcome, name, "events").lines() {
            let words: Vec<&str> = event.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).skip(1).collect();
            let why = words.iter().position(|word| matches!(*word, "reason" | "cause")).and_then(|place| words.get(place + 1));
            *seen.entry(format!("{} {}", words[0], why.copied().unwrap_or_default()).trim().to_owned()).or_default() += 1;
        }
    }
    filled
}

/// What must have come of orders often enough.
const MUST: [&str; 26] = [
    "filled alone",
    "filled pair",
    "filled bracket",
    "filled answer",
    "filled liquidation",
    "filled Market",
    "filled Limit",
    "filled Stop",
    "filled StopLimit",
    "filled trailing stop by Price",
    "filled trailing stop by BasisPoints",
    "filled Iceberg",
    "filled Gtc",
    "filled Ioc",
    "filled Fok",
    "filled Gtx",
    "filled Gtd",
    "Modified",
    "Expired",
    "Triggered",
    "Cancelled Requested",
    "Cancelled OneCancelsOther",
    "Cancelled SelfTrade",
    "Rejected InsufficientMargin",
    "ModifyRejected InsufficientMargin",
    "CancelRejected NotOpen",
];

#[test]
fn same_fills_under_every_host() {
    let cases = number("EXCHANGE_CASES", 160);
    let (mut counts, mut all) = (Vec::new(), BTreeMap::new());
    check_all(worlds(), 0, cases, |world| {
        let inline = run(world, 0);
        let expected = account(&inline, world);
        for threads in [1, 2, 4] {
            for (found, expected) in account(&run(world, threads), world).into_iter().zip(&expected) {
                if found != *expected {
                    return Err(format!("on {threads} threads {} is\n{}\nand not\n{}", found.0, found.1, expected.1));
                }
            }
        }
        check_sums(world, &inline, true)?;
        // At still points in between too, where no answer is on its way from the portfolio to its strategies.
        if world.account.is_some_and(|account| account.distance == 0) {
            for nanos in [50, 133, 200, 300] {
                let part = build(world, Some(Instant::from_nanos(nanos))).map_err(|error| error.to_string())?;
                let part = part.run().map_err(|failed| failed.error.to_string())?;
                check_sums(world, &part, false).map_err(|fault| format!("after {nanos} ns {fault}"))?;
            }
        }
        counts.push(seen(world, &inline, &mut all));
        Ok(())
    });
    counts.sort_unstable();
    let median = counts[counts.len() / 2];
    println!("{cases} worlds, median {median} fills; {all:?}");
    if cases >= 100 {
        assert!(median >= 20, "the worlds are too quiet: a median of {median} fills");
        let rare: Vec<_> = MUST.iter().filter(|what| all.get(**what).is_none_or(|count| *count < 5)).collect();
        assert!(rare.is_empty(), "hardly ever seen: {rare:?} in {all:?}");
    }
}
