//! The plainest matching there is, and that the market does the same: one list of orders, searched from end to end for every fill.

use proptest::prelude::*;

use crate::text::Desk;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Newest,
    Oldest,
    Both,
    Allow,
}

#[derive(Clone, Debug)]
struct Order {
    owner: char,
    id: u64,
    buys: bool,
    limit: i64,
    quantity: i64,
    filled: i64,
    /// What of it is in the queue now, and how much may be at a time.
    shown: i64,
    display: i64,
    post_only: bool,
    place: u64,
}

impl Order {
    fn left(&self) -> i64 {
        self.quantity - self.filled
    }

    fn name(&self) -> String {
        format!("{}{}", self.owner, self.id)
    }
}

/// What may be asked of it: a few of everything that needs no recording and no time.
#[derive(Clone, Debug)]
enum Ask {
    Order { owner: char, buys: bool, quantity: i64, limit: Option<i64>, display: Option<i64>, force: &'static str },
    Modify { which: usize, quantity: i64, limit: Option<i64> },
    Cancel { which: usize },
}

struct Naive {
    mode: Mode,
    orders: Vec<Order>,
    places: u64,
    said: Vec<String>,
}

impl Naive {
    /// The order that one of this side would meet next.
    fn next(&self, buys: bool, limit: Option<i64>) -> Option<usize> {
        let worth = |price: i64| if buys { price } else { -price };
        let mut best: Option<usize> = None;
        for (at, order) in self.orders.iter().enumerate() {
            let fits = order.buys != buys && limit.is_none_or(|limit| worth(order.limit) <= worth(limit));
            let before = |other: &Order| (worth(order.limit), order.place) < (worth(other.limit), other.place);
            if fits && best.is_none_or(|best| before(&self.orders[best])) {
                best = Some(at);
            }
        }
        best
    }

    fn say(&mut self, text: String) {
        self.said.push(text);
    }

    /// Trades until nothing fits; the order's rest, unless it was cancelled.
    fn take(&mut self, mut order: Order, limit: Option<i64>) -> Option<Order> {
        while order.left() > 0 {
            let Some(at) = self.next(order.buys, limit) else { break };
            if self.orders[at].owner == order.owner && self.mode != Mode::Allow {
                if self.mode != Mode::Oldest {
                    self.say(format!("{} cancelled {} self", order.name(), order.left()));
                }
                if self.mode != Mode::Newest {
                    let oldest = self.orders.remove(at);
                    self.say(format!("{} cancelled {} self", oldest.name(), oldest.left()));
                }
                if self.mode != Mode::Oldest {
                    return None;
                }
                continue;
            }
            let quantity = order.left().min(self.orders[at].shown);
            order.filled += quantity;
            let price = self.orders[at].limit;
            self.say(format!("{} filled {quantity}@{price} left {}", order.name(), order.left()));
            self.orders[at].filled += quantity;
            self.orders[at].shown -= quantity;
            let maker = self.orders[at].clone();
            self.say(format!("{} filled {quantity}@{price} left {} maker", maker.name(), maker.left()));
            if maker.left() == 0 {
                self.orders.remove(at);
            } else if maker.shown == 0 {
                self.places += 1;
                self.orders[at].place = self.places;
                self.orders[at].shown = maker.display.min(maker.left());
            }
        }
        Some(order).filter(|order| order.left() > 0)
    }

    fn rest(&mut self, mut order: Order) {
        self.places += 1;
        order.place = self.places;
        order.shown = order.display.min(order.left());
        self.orders.push(order);
    }

    /// Whether a copy of this market would fill the order as a whole.
    fn would_fill(&self, order: &Order, limit: Option<i64>) -> bool {
        let mut copy = Naive { mode: self.mode, orders: self.orders.clone(), places: self.places, said: Vec::new() };
        _ = copy.take(order.clone(), limit);
        copy.said.iter().any(|said| said.starts_with(&format!("{} ", order.name())) && said.ends_with(" left 0"))
    }

    fn order(&mut self, order: Order, limit: Option<i64>, force: &str) {
        let reject = |reason: &str| format!("{} rejected {} {reason}", order.name(), order.quantity);
        let meets = self.next(order.buys, limit).is_some();
        if order.quantity <= 0 {
            return self.say(reject("BadQuantity"));
        }
        if order.display <= 0 || (order.display != i64::MAX && order.display >= order.quantity) {
            return self.say(reject("BadDisplay"));
        }
        if limit.is_none() && !meets {
            return self.say(reject("NothingDisplayed"));
        }
        if force == "gtx" && meets {
            return self.say(reject("WouldTake"));
        }
        if force == "fok" && !self.would_fill(&order, limit) {
            return self.say(reject("NotFillable"));
        }
        self.say(format!("{} accepted", order.name()));
        if let Some(rest) = self.take(order, limit) {
            if limit.is_none() || force == "ioc" || force == "fok" {
                self.say(format!("{} cancelled {}", rest.name(), rest.left()));
            } else {
                self.rest(rest);
            }
        }
    }

    fn modify(&mut self, at: usize, quantity: i64, limit: Option<i64>) {
        let old = self.orders[at].clone();
        let reject = |reason: &str| format!("{} modify-rejected {reason}", old.name());
        let limit = limit.unwrap_or(old.limit);
        let mut order = Order { quantity, limit, ..old.clone() };
        if quantity <= 0 {
            return self.say(reject("BadQuantity"));
        }
        if quantity <= old.filled {
            return self.say(reject("BelowFilled"));
        }
        if old.post_only && self.next(old.buys, Some(limit)).is_some() {
            return self.say(reject("WouldTake"));
        }
        self.say(format!("{} modified {}", order.name(), order.left()));
        if limit == old.limit && quantity <= old.quantity {
            order.shown = old.shown.min(order.left());
            self.orders[at] = order;
            return;
        }
        self.orders.remove(at);
        if let Some(rest) = self.take(order, Some(limit)) {
            self.rest(rest);
        }
    }
}

/// Prices near 100, quantities near 5; an owner is one of three.
fn ask() -> impl Strategy<Value = Ask> {
    let owner = prop_oneof![Just('a'), Just('b'), Just('c')];
    let force = prop_oneof![4 => Just(""), 1 => Just("ioc"), 1 => Just("fok"), 1 => Just("gtx")];
    let order = (owner, any::<bool>(), 0i64..12, prop::option::weighted(0.85, 97i64..104), prop::option::weighted(0.2, 0i64..5), force);
    prop_oneof![
        6 => order.prop_map(|(owner, buys, quantity, limit, display, force)| {
            // What makes no sense together is looked at elsewhere.
            let display = display.filter(|_| limit.is_some());
            let force = if (limit.is_none() && force == "gtx") || (display.is_some() && matches!(force, "ioc" | "fok")) { "" } else { force };
            Ask::Order { owner, buys, quantity, limit, display, force }
        }),
        1 => (any::<usize>(), 0i64..12, prop::option::of(97i64..104)).prop_map(|(which, quantity, limit)| Ask::Modify { which, quantity, limit }),
        1 => any::<usize>().prop_map(|which| Ask::Cancel { which }),
    ]
}

/// Asks the market and the model alike.
fn compare(mode: Mode, asks: Vec<Ask>) -> Result<(), TestCaseError> {
    let setting = match mode {
        Mode::Newest => "newest",
        Mode::Oldest => "oldest",
        Mode::Both => "both",
        Mode::Allow => "allow",
    };
    let mut desk = Desk::new(&format!("book l3, self {setting}"));
    let mut naive = Naive { mode, orders: Vec::new(), places: 0, said: Vec::new() };
    for (id, ask) in (1..).zip(asks) {
        let line = match ask {
            Ask::Order { owner, buys, quantity, limit, display, force } => {
                let kind = limit.map_or("market".to_owned(), |limit| format!("@{limit}"));
                let show = display.map_or(String::new(), |display| format!(" show {display}"));
                let post_only = force == "gtx";
                let display = display.unwrap_or(i64::MAX);
                let (filled, shown, place) = (0, 0, 0);
                let order = Order { owner, id, buys, limit: limit.unwrap_or(0), quantity, filled, shown, display, post_only, place };
                naive.order(order, limit, force);
                format!("{owner}{id} {} {quantity} {kind}{show} {force}", if buys { "buy" } else { "sell" })
            }
            Ask::Modify { which, quantity, limit } if !naive.orders.is_empty() => {
                let at = which % naive.orders.len();
                let name = naive.orders[at].name();
                naive.modify(at, quantity, limit);
                format!("{name} modify {quantity} {}", limit.map_or(String::new(), |limit| format!("@{limit}")))
            }
            Ask::Cancel { which } if !naive.orders.is_empty() => {
                let order = naive.orders.remove(which % naive.orders.len());
                naive.say(format!("{} cancelled {} requested", order.name(), order.left()));
                format!("{} cancel", order.name())
            }
            Ask::Modify { .. } | Ask::Cancel { .. } => continue,
        };
        let expected = std::mem::take(&mut naive.said).join("; ");
        let found = desk.play(line.trim());
        prop_assert_eq!(found, expected, "{}", line);
        prop_assert_eq!(desk.market.open_orders(), naive.orders.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn a_market_by_order_is_a_list_that_is_searched(
        mode in prop_oneof![Just(Mode::Newest), Just(Mode::Oldest), Just(Mode::Both), Just(Mode::Allow)],
        asks in prop::collection::vec(ask(), 1..80),
    ) {
        compare(mode, asks)?;
    }
}
