//! What holds of any market, whatever comes: shown by random inputs of every kind, as text that can be read and played again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stillpoint_actors::Side;

use crate::text::Desk;

/// What is known of an order from its ticket and its answers.
#[derive(Clone, Debug)]
struct Known {
    buys: bool,
    /// Unknown for the exits of a bracket, which get what was filled of their entry.
    quantity: Option<i64>,
    /// What a fill may not be worse than.
    limit: Option<i64>,
    asked_limit: Option<i64>,
    filled: i64,
    accepted: bool,
    ended: bool,
}

/// Reads the answers and keeps books.
#[derive(Default)]
struct Auditor {
    orders: BTreeMap<String, Known>,
    /// By owner: quantity, and money without fees.
    held: BTreeMap<char, (i64, i64)>,
}

impl Auditor {
    /// Notes what a request asks for, before its answers.
    fn asked(&mut self, line: &str) {
        let tickets = line.trim_start_matches("oco ").trim_start_matches("bracket ").split('|');
        for (number, ticket) in tickets.enumerate() {
            let words: Vec<&str> = ticket.split_whitespace().collect();
            let limit = words.iter().find_map(|word| word.strip_prefix('@')).and_then(|limit| limit.parse().ok());
            match words[..] {
                ["trade" | "add", ..] => {}
                [name, way @ ("buy" | "sell"), quantity, ..] => {
                    let known = Known {
                        buys: way == "buy",
                        quantity: (number == 0 || !line.starts_with("bracket")).then(|| quantity.parse().expect("a number")),
                        limit,
                        asked_limit: None,
                        filled: 0,
                        accepted: false,
                        ended: false,
                    };
                    self.orders.entry(name.to_owned()).or_insert(known);
                }
                [name, "modify", ..] => {
                    if let Some(known) = self.orders.get_mut(name) {
                        known.asked_limit = limit;
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes an answer. Gives the quantity that it says was filled.
    fn answered(&mut self, answer: &str) -> Result<i64, TestCaseError> {
        let words: Vec<&str> = answer.split_whitespace().collect();
        if let [_, "modify-rejected" | "cancel-rejected", ..] = words[..] {
            return Ok(0);
        }
        let known = self.orders.get_mut(words[0]).ok_or_else(|| TestCaseError::fail(format!("an answer about nothing: {answer}")))?;
        let number = |text: &str| text.parse::<i64>().expect("a number");
        match words[1..] {
            ["accepted"] => {
                prop_assert!(!known.accepted && !known.ended, "{}", answer);
                known.accepted = true;
            }
            ["rejected", ..] => known.ended = true,
            ["triggered", ..] => prop_assert!(known.accepted && !known.ended && known.filled == 0, "{}", answer),
            ["modified", left] => {
                prop_assert!(known.accepted && !known.ended, "{}", answer);
                known.quantity = Some(known.filled + number(left));
                known.limit = known.asked_limit.or(known.limit);
            }
            ["cancelled" | "expired", left, ..] => {
                prop_assert!(known.accepted && !known.ended, "{}", answer);
                prop_assert!(number(left) > 0);
                prop_assert_eq!(known.filled + number(left), known.quantity.unwrap_or(known.filled + number(left)), "{}", answer);
                known.ended = true;
            }
            ["filled", what, "left", left, ..] => {
                prop_assert!(known.accepted && !known.ended, "{}", answer);
                let (quantity, price) = what.split_once('@').expect("quantity@price");
                let (quantity, price) = (number(quantity), number(price));
                known.filled += quantity;
                prop_assert!(quantity > 0 && number(left) >= 0);
                let whole = *known.quantity.get_or_insert(known.filled + number(left));
                prop_assert_eq!(known.filled + number(left), whole, "{}", answer);
                if let Some(limit) = known.limit {
                    prop_assert!(if known.buys { price <= limit } else { price >= limit }, "through the limit {}: {}", limit, answer);
                }
                known.ended = number(left) == 0;
                let sign = if known.buys { 1 } else { -1 };
                let owner = words[0].chars().next().expect("a letter");
                let held = self.held.entry(owner).or_default();
                *held = (held.0 + sign * quantity, held.1 - sign * quantity * price);
                return Ok(quantity);
            }
            _ => return Err(TestCaseError::fail(format!("no answer: {answer}"))),
        }
        Ok(0)
    }

    fn open(&self) -> usize {
        self.orders.values().filter(|known| known.accepted && !known.ended).count()
    }
}

const FORCES: [&str; 6] = ["", "ioc", "fok", "gtx", "gtd 40", "gtd 90"];

/// A random order without its name.
fn ticket() -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        Just("market".to_owned()),
        (96i64..105).prop_map(|limit| format!("@{limit}")),
        (96i64..105).prop_map(|limit| format!("@{limit}")),
        (96i64..105).prop_map(|trigger| format!("stop {trigger}")),
        (96i64..105, 96i64..105).prop_map(|(trigger, limit)| format!("stop {trigger} @{limit}")),
        (1i64..5).prop_map(|by| format!("trail {by}")),
        (96i64..105, 1i64..4).prop_map(|(limit, show)| format!("@{limit} show {show}")),
    ];
    (any::<bool>(), 1i64..9, kind, prop::sample::select(&FORCES[..])).prop_map(|(buys, quantity, kind, force)| {
        format!("{} {quantity} {kind} {force}", if buys { "buy" } else { "sell" }).trim().to_owned()
    })
}

/// A random line; `{}` stands for a number that has not been used.
fn line(recorded: bool) -> impl Strategy<Value = String> {
    let owner = || prop_oneof![Just('a'), Just('b'), Just('c')];
    let own = prop_oneof![
        8 => (owner(), ticket()).prop_map(|(owner, ticket)| format!("{owner}{{}} {ticket}")),
        1 => (owner(), ticket(), ticket()).prop_map(|(owner, a, b)| format!("oco {owner}{{}} {a} | {owner}{{}} {b}")),
        1 => (owner(), ticket(), ticket(), ticket())
            .prop_map(|(owner, a, b, c)| format!("bracket {owner}{{}} {a} | {owner}{{}} {b} | {owner}{{}} {c}")),
        2 => (owner(), 1u64..60, 1i64..9, 96i64..105).prop_map(|(owner, id, quantity, limit)| format!("{owner}{id} modify {quantity} @{limit}")),
        2 => (owner(), 1u64..60).prop_map(|(owner, id)| format!("{owner}{id} cancel")),
        1 => (0i64..100).prop_map(|at| format!("at {at}")),
        1 => owner().prop_map(|owner| format!("{owner} cancel-all")),
    ];
    if !recorded {
        return own.boxed();
    }
    let feed = prop_oneof![
        (96i64..104, 0i64..9, 1i64..4, 0i64..9).prop_map(|(bid, bids, width, asks)| format!("quote {bid}x{bids} {}x{asks}", bid + width)),
        (any::<bool>(), 96i64..105, 0i64..9)
            .prop_map(|(bid, price, quantity)| format!("depth {} {price}x{quantity}", if bid { "bid" } else { "ask" })),
        (any::<bool>(), 1i64..20, 96i64..105)
            .prop_map(|(buys, quantity, price)| format!("trade {} {quantity}@{price}", if buys { "buy" } else { "sell" })),
        (0u8..4, 1u64..9, any::<bool>(), 1i64..9, 96i64..105).prop_map(|(what, id, buys, quantity, price)| match what {
            0 => format!("add {id} {} {quantity}@{price}", if buys { "buy" } else { "sell" }),
            1 => format!("change {id} {quantity}@{price}"),
            2 => format!("remove {id} {quantity}"),
            _ => format!("hit {id} {quantity}"),
        }),
    ];
    prop_oneof![own, feed].boxed()
}

/// Plays lines, and audits every answer and the book after each.
fn audit(settings: &str, lines: Vec<String>, closed_system: bool) -> Result<(), TestCaseError> {
    let mut desk = Desk::new(settings);
    let mut auditor = Auditor::default();
    let (mut next, mut clock) = (1, 0);
    for template in lines {
        let mut line = template;
        while line.contains("{}") {
            line = line.replacen("{}", &next.to_string(), 1);
            next += 1;
        }
        if let Some(at) = line.strip_prefix("at ") {
            clock = clock.max(at.parse::<i64>().expect("a number"));
            line = format!("at {clock}");
        }
        auditor.asked(&line);
        let answers = desk.play(&line);
        let mut filled = 0;
        for answer in answers.split("; ").filter(|answer| *answer != "-") {
            filled += auditor.answered(answer).map_err(|error| TestCaseError::fail(format!("{line} => {answers}: {error}")))?;
        }
        // Without a fill that took, which a stop or an exit may have made, all came from the trade.
        let makers_alone = answers.split("; ").all(|answer| !answer.contains("filled") || answer.contains("maker"));
        if let Some(traded) = line.strip_prefix("trade ").filter(|_| makers_alone) {
            let quantity = traded.split([' ', '@']).nth(1).and_then(|quantity| quantity.parse::<i64>().ok()).expect("a quantity");
            prop_assert!(filled <= quantity, "{} => {}", line, answers);
        }
        prop_assert_eq!(auditor.open(), desk.market.open_orders(), "{} => {}", line, answers);
        let best = |side| desk.market.resting(side).find_map(|(price, whose, ..)| whose.map(|_| price));
        if let (Some(bid), Some(ask)) = (best(Side::Buy), best(Side::Sell)) {
            prop_assert!(bid < ask, "crossed after {}", line);
        }
        if !line.starts_with("depth") && !settings.contains("l3") {
            let quote = desk.market.quote();
            let crossed_by = |own: Option<stillpoint_actors::Price>, buys: bool| match own {
                Some(own) if buys => quote.ask_quantity.0 > 0 && own >= quote.ask,
                Some(own) => quote.bid_quantity.0 > 0 && own <= quote.bid,
                None => false,
            };
            prop_assert!(!crossed_by(best(Side::Buy), true) && !crossed_by(best(Side::Sell), false), "crossed after {}", line);
        }
        if closed_system {
            let (quantity, money) = auditor.held.values().fold((0, 0), |sum, held| (sum.0 + held.0, sum.1 + held.1));
            prop_assert_eq!((quantity, money), (0, 0), "{} => {}", line, answers);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    /// Nothing appears or vanishes between owners.
    #[test]
    fn among_owners(
        own in prop::sample::select(&["newest", "oldest", "both", "allow"][..]),
        trigger in prop::sample::select(&["", ", trigger trades"][..]),
        lines in prop::collection::vec(line(false), 1..60),
    ) {
        audit(&format!("book l3, self {own}{trigger}"), lines, true)?;
    }

    #[test]
    fn against_a_recording(
        book in prop::sample::select(&["l1", "l2", "l3"][..]),
        queue in prop::sample::select(&["risk-averse", "power 1", "power 2", "share 2", "log", "log-of-all"][..]),
        rest in prop::sample::select(&["", ", trigger trades", ", impact ticks 2", ", self oldest"][..]),
        lines in prop::collection::vec(line(true), 1..60),
    ) {
        audit(&format!("book {book}, queue {queue}{rest}"), lines, false)?;
    }
}
