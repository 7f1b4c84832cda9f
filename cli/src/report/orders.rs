//! What came of each order. Invariant: an order's terms are the last that its venue agreed to, so that no more is filled than it is for.

use std::collections::VecDeque;

use stillpoint_actors::{OrderId, Price, Quantity, Side};
use stillpoint_engine::Instant;

use super::words::{Change, Sent, What};

/// An order, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct OrderRow {
    pub(super) account: usize,
    pub(super) id: OrderId,
    pub(super) side: Side,
    /// As it was sent, with what was changed since; `None` of an order that was sent before the run at hand.
    pub(super) terms: Option<Sent>,
    /// Changes that were asked for and not answered yet, the oldest first.
    asked: VecDeque<Change>,
    /// How many changes were made.
    pub(super) changes: u64,
    pub(super) sent: Option<Instant>,
    pub(super) arrived: Option<Instant>,
    pub(super) answered: Option<Instant>,
    pub(super) first_fill: Option<Instant>,
    pub(super) ended: Option<Instant>,
    pub(super) filled: i128,
    /// The sum of price times quantity of its fills.
    pub(super) value: i128,
    pub(super) fee: i128,
    /// How it ended, and why.
    pub(super) end: &'static str,
    pub(super) why: String,
}

impl OrderRow {
    pub(super) fn new(account: usize, id: OrderId, side: Side) -> Self {
        Self {
            account,
            id,
            side,
            terms: None,
            asked: VecDeque::new(),
            changes: 0,
            sent: None,
            arrived: None,
            answered: None,
            first_fill: None,
            ended: None,
            filled: 0,
            value: 0,
            fee: 0,
            end: "open",
            why: String::new(),
        }
    }

    /// A change was asked for.
    pub(super) fn ask(&mut self, change: Change) {
        self.asked.push_back(change);
    }

    /// Takes an answer about it. Venues answer changes in the order in which they were asked for.
    pub(super) fn answer(&mut self, at: Instant, what: &What) {
        self.answered.get_or_insert(at);
        match what {
            What::Alive => {}
            What::Unchanged => _ = self.asked.pop_front(),
            What::Changed { left } => {
                self.changes += 1;
                let asked = self.asked.pop_front();
                if let Some(terms) = &mut self.terms {
                    // Of what was asked for before the run at hand nothing is known but what is left.
                    let whole = i64::try_from(self.filled + i128::from(left.0)).unwrap_or(i64::MAX);
                    terms.quantity = asked.map_or(Quantity(whole), |change| change.quantity);
                    let change = |term: &mut Option<Price>, to: Option<Price>| *term = to.or(*term);
                    change(&mut terms.limit, asked.and_then(|change| change.limit));
                    change(&mut terms.trigger, asked.and_then(|change| change.trigger));
                }
            }
            What::Ended { how, why } => {
                self.ended.get_or_insert(at);
                if self.end == "open" {
                    (self.end, self.why) = (how, why.clone());
                }
            }
            What::Filled { quantity, price, left, fee, .. } => {
                self.first_fill.get_or_insert(at);
                self.filled += i128::from(quantity.0);
                self.value += i128::from(price.0) * i128::from(quantity.0);
                self.fee += fee;
                if left.0 == 0 {
                    self.ended.get_or_insert(at);
                    self.end = "filled";
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(quantity: i64, left: i64) -> What {
        What::Filled { quantity: Quantity(quantity), price: Price(10), left: Quantity(left), liquidity: "maker", fee: 1 }
    }

    fn row() -> OrderRow {
        let terms = Sent {
            id: OrderId(1),
            side: Side::Buy,
            quantity: Quantity(4),
            kind: "limit".to_owned(),
            limit: Some(Price(10)),
            trigger: None,
            time_in_force: "GTC".to_owned(),
        };
        OrderRow { terms: Some(terms), ..OrderRow::new(0, OrderId(1), Side::Buy) }
    }

    fn shown(row: &OrderRow) -> (i64, Option<Price>, i128, u64, &'static str) {
        let terms = row.terms.as_ref().expect("it was sent");
        (terms.quantity.0, terms.limit, row.filled, row.changes, row.end)
    }

    /// 4 at 10, of which 3 are filled; then 9 at 11, of which 6 are left and filled. A change to 2 comes too late.
    #[test]
    fn what_an_order_is_for_is_what_was_last_agreed_to() {
        let (mut row, at) = (row(), Instant::from_nanos);
        row.answer(at(1), &filled(3, 1));
        row.ask(Change { quantity: Quantity(9), limit: Some(Price(11)), trigger: None });
        assert_eq!(shown(&row), (4, Some(Price(10)), 3, 0, "open"));
        row.answer(at(2), &What::Changed { left: Quantity(6) });
        assert_eq!(shown(&row), (9, Some(Price(11)), 3, 1, "open"));
        row.ask(Change { quantity: Quantity(2), limit: None, trigger: None });
        row.answer(at(3), &filled(6, 0));
        row.answer(at(3), &What::Unchanged);
        assert_eq!(shown(&row), (9, Some(Price(11)), 9, 1, "filled"));
        assert_eq!((row.value, row.fee, row.first_fill, row.ended), (90, 2, Some(at(1)), Some(at(3))));
    }

    #[test]
    fn a_change_of_the_quantity_alone_leaves_the_limit() {
        let mut row = row();
        row.ask(Change { quantity: Quantity(3), limit: None, trigger: None });
        row.answer(Instant::EPOCH, &What::Changed { left: Quantity(3) });
        assert_eq!(shown(&row), (3, Some(Price(10)), 0, 1, "open"));
        // Asked for before the run at hand.
        row.answer(Instant::EPOCH, &filled(1, 2));
        row.answer(Instant::EPOCH, &What::Changed { left: Quantity(7) });
        assert_eq!(shown(&row), (8, Some(Price(10)), 1, 2, "open"));
    }
}
