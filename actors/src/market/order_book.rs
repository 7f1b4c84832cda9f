//! The book by order (level 3). Invariant: the orders of a level are in the order in which they came, linked through one arena; every level has
//! an order, and every order a quantity above zero.

use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use crate::decimal::{Price, Quantity};
use crate::event::Side;

/// Where an order of an [`OrderBook`] lies. It is valid until the order is removed; then it may name another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderKey(u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Node<T> {
    side: Side,
    price: Price,
    quantity: Quantity,
    value: T,
    before: Option<OrderKey>,
    behind: Option<OrderKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Queue {
    first: OrderKey,
    last: OrderKey,
    quantity: i128,
}

/// Of nobody yet.
impl Default for Queue {
    fn default() -> Self {
        Self { first: OrderKey(u32::MAX), last: OrderKey(u32::MAX), quantity: 0 }
    }
}

/// A book of orders by price and time. Each order carries a value of the caller's.
///
/// ```
/// use stillpoint_actors::{OrderBook, Price, Quantity, Side};
/// let mut book = OrderBook::new();
/// let first = book.add(Side::Buy, Price(99), Quantity(5), "first");
/// book.add(Side::Buy, Price(99), Quantity(3), "second");
/// book.add(Side::Buy, Price(98), Quantity(9), "lower");
/// assert_eq!(book.best(Side::Buy), Some((Price(99), 8)));
/// assert_eq!(book.remove(first), "first");
/// assert_eq!(book.first(Side::Buy, Price(99)).map(|key| *book.value(key)), Some("second"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBook<T> {
    nodes: Vec<Option<Node<T>>>,
    free: Vec<OrderKey>,
    bids: Ladder<Queue>,
    asks: Ladder<Queue>,
}

impl<T> Default for OrderBook<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OrderBook<T> {
    /// An empty book.
    pub const fn new() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), bids: Ladder::new(Side::Buy), asks: Ladder::new(Side::Sell) }
    }

    fn ladder(&self, side: Side) -> &Ladder<Queue> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn node(&self, key: OrderKey) -> &Node<T> {
        self.nodes[key.0 as usize].as_ref().expect("an order of this book")
    }

    fn node_mut(&mut self, key: OrderKey) -> &mut Node<T> {
        self.nodes[key.0 as usize].as_mut().expect("an order of this book")
    }

    fn queue_mut(&mut self, side: Side, price: Price) -> &mut Queue {
        let ladder = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        ladder.get_mut(price).expect("the level of an order of this book")
    }

    /// Adds an order at the end of its level. Panics if the quantity is not above zero, or at 2^32 orders.
    pub fn add(&mut self, side: Side, price: Price, quantity: Quantity, value: T) -> OrderKey {
        assert!(quantity.0 > 0, "an order of {} units in a book: it has a positive quantity", quantity.0);
        let key = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            OrderKey(u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 orders in a book"))
        });
        let ladder = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let mut before = None;
        let queue = ladder.or_default(price);
        if queue.quantity == 0 {
            queue.first = key;
        } else {
            before = Some(queue.last);
        }
        queue.last = key;
        queue.quantity += i128::from(quantity.0);
        if let Some(before) = before {
            self.node_mut(before).behind = Some(key);
        }
        self.nodes[key.0 as usize] = Some(Node { side, price, quantity, value, before, behind: None });
        key
    }

    /// Removes an order. Panics if there is none.
    pub fn remove(&mut self, key: OrderKey) -> T {
        let node = self.nodes[key.0 as usize].take().expect("an order of this book");
        self.free.push(key);
        if let Some(before) = node.before {
            self.node_mut(before).behind = node.behind;
        }
        if let Some(behind) = node.behind {
            self.node_mut(behind).before = node.before;
        }
        match (node.before, node.behind) {
            (None, None) => {
                match node.side {
                    Side::Buy => self.bids.remove(node.price),
                    Side::Sell => self.asks.remove(node.price),
                };
            }
            (before, behind) => {
                let queue = self.queue_mut(node.side, node.price);
                queue.quantity -= i128::from(node.quantity.0);
                if before.is_none() {
                    queue.first = behind.unwrap_or(queue.first);
                }
                if behind.is_none() {
                    queue.last = before.unwrap_or(queue.last);
                }
            }
        }
        node.value
    }

    /// Takes a part of an order away; it keeps its place. Panics unless something of it is left.
    pub fn reduce(&mut self, key: OrderKey, by: Quantity) {
        let node = self.node_mut(key);
        assert!(by.0 >= 0 && by.0 < node.quantity.0, "{} taken from an order of {}: something must be left", by.0, node.quantity.0);
        node.quantity.0 -= by.0;
        let (side, price) = (node.side, node.price);
        self.queue_mut(side, price).quantity -= i128::from(by.0);
    }

    /// The best price of a side, and all that is there.
    pub fn best(&self, side: Side) -> Option<(Price, i128)> {
        self.ladder(side).best().map(|(price, queue)| (price, queue.quantity))
    }

    /// The levels of a side with all that is there, the best one first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, i128)> {
        self.ladder(side).iter().map(|(price, queue)| (price, queue.quantity))
    }

    /// The order that was first at a price.
    pub fn first(&self, side: Side, price: Price) -> Option<OrderKey> {
        self.ladder(side).get(price).map(|queue| queue.first)
    }

    /// The order behind another one at the same price.
    pub fn behind(&self, key: OrderKey) -> Option<OrderKey> {
        self.node(key).behind
    }

    /// The orders at a price, the first one first.
    pub fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = OrderKey> + '_ {
        std::iter::successors(self.first(side, price), |key| self.behind(*key))
    }

    /// An order's side.
    pub fn side(&self, key: OrderKey) -> Side {
        self.node(key).side
    }

    /// An order's price.
    pub fn price(&self, key: OrderKey) -> Price {
        self.node(key).price
    }

    /// What is left of an order.
    pub fn quantity(&self, key: OrderKey) -> Quantity {
        self.node(key).quantity
    }

    /// What an order carries.
    pub fn value(&self, key: OrderKey) -> &T {
        &self.node(key).value
    }

    /// What an order carries, to be changed.
    pub fn value_mut(&mut self, key: OrderKey) -> &mut T {
        &mut self.node_mut(key).value
    }

    /// How many orders there are.
    pub fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(book: &OrderBook<usize>, side: Side) -> Vec<(i64, i64, usize)> {
        let keys = book.levels(side).flat_map(|(price, _)| book.queue(side, price).map(move |key| (price, key)));
        keys.map(|(price, key)| (price.0, book.quantity(key).0, *book.value(key))).collect()
    }

    proptest! {
        /// Orders in a plain list, sorted by price and kept in the order in which they came.
        #[test]
        fn a_book_is_a_list_sorted_by_price_and_time(steps in prop::collection::vec((0usize..4, any::<bool>(), 1i64..6, 1i64..9), 1..200)) {
            let mut book = OrderBook::new();
            let mut list: Vec<(OrderKey, Side, i64, i64, usize)> = Vec::new();
            for (number, (what, buy, price, quantity)) in steps.into_iter().enumerate() {
                let side = if buy { Side::Buy } else { Side::Sell };
                let chosen = (number * 7) % list.len().max(1);
                match (what, list.len()) {
                    (0 | 1, _) | (_, 0) => {
                        let key = book.add(side, Price(price), Quantity(quantity), number);
                        list.push((key, side, price, quantity, number));
                    }
                    (2, _) => {
                        let (key, .., value) = list.remove(chosen);
                        prop_assert_eq!(book.remove(key), value);
                    }
                    _ => {
                        let by = (quantity - 1).min(list[chosen].3 - 1);
                        book.reduce(list[chosen].0, Quantity(by));
                        list[chosen].3 -= by;
                    }
                }
                for side in [Side::Buy, Side::Sell] {
                    let mut expected: Vec<_> = list.iter().filter(|order| order.1 == side).map(|order| (order.2, order.3, order.4)).collect();
                    expected.sort_by_key(|order| -side.sign() * order.0);
                    prop_assert_eq!(shown(&book, side), expected);
                    for (price, quantity) in book.levels(side) {
                        let sum: i128 = book.queue(side, price).map(|key| i128::from(book.quantity(key).0)).sum();
                        prop_assert_eq!(quantity, sum);
                    }
                }
                prop_assert_eq!(book.len(), list.len());
            }
        }
    }
}
