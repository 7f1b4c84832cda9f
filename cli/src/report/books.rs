//! The mids of books that are told change by change. Invariant: a book takes each change of its stream once, though several actors hear of it.

use std::collections::BTreeMap;

use stillpoint_actors::{BookChange, BookOrderId, DepthChange, InstrumentId, Price, PriceBook, Quantity, Side};

/// One change of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// By price; whether the book is whole after it.
    Depth(DepthChange, bool),
    /// By order.
    Order(BookChange),
}

/// A book of one stream and instrument.
#[derive(Debug, Default)]
struct Book {
    /// The number of the last item that it took.
    item: Option<u64>,
    levels: PriceBook,
    /// What rests, where orders are told one by one.
    orders: BTreeMap<BookOrderId, (Side, Price, i64)>,
}

/// All books, by the number of their stream and by instrument.
#[derive(Debug, Default)]
pub(super) struct Books(BTreeMap<(u32, InstrumentId), Book>);

impl Books {
    /// Takes a change, and tells twice the mid if the book has one.
    pub(super) fn take(&mut self, sender: u32, item: u64, instrument: InstrumentId, change: Change) -> Option<i128> {
        let book = self.0.entry((sender, instrument)).or_default();
        if book.item.is_some_and(|last| item <= last) {
            return None;
        }
        book.item = Some(item);
        let is_whole = match change {
            Change::Depth(change, last) => {
                book.levels.apply(change);
                last
            }
            Change::Order(change) => {
                book.apply(change);
                true
            }
        };
        let quote = book.levels.quote(instrument);
        let has_mid = is_whole && quote.bid_quantity.0 > 0 && quote.ask_quantity.0 > 0;
        has_mid.then(|| i128::from(quote.bid.0) + i128::from(quote.ask.0))
    }
}

impl Book {
    fn apply(&mut self, change: BookChange) {
        match change {
            BookChange::Clear => {
                self.orders.clear();
                self.levels.apply(DepthChange::Clear);
            }
            BookChange::Add { id, side, price, quantity } => {
                self.remove(id);
                self.add(id, side, price, quantity.0);
            }
            BookChange::Modify { id, price, quantity } => {
                if let Some((side, ..)) = self.remove(id) {
                    self.add(id, side, price, quantity.0);
                }
            }
            BookChange::Cancel { id, quantity } | BookChange::Fill { id, quantity } => {
                if let Some((side, price, rest)) = self.remove(id) {
                    self.add(id, side, price, rest.saturating_sub(quantity.0));
                }
            }
        }
    }

    fn add(&mut self, id: BookOrderId, side: Side, price: Price, quantity: i64) {
        if quantity > 0 {
            self.orders.insert(id, (side, price, quantity));
            self.shift(side, price, quantity);
        }
    }

    fn remove(&mut self, id: BookOrderId) -> Option<(Side, Price, i64)> {
        let (side, price, quantity) = self.orders.remove(&id)?;
        self.shift(side, price, -quantity);
        Some((side, price, quantity))
    }

    fn shift(&mut self, side: Side, price: Price, by: i64) {
        let before = self.levels.level(side, price).map_or(0, |level| level.quantity.0);
        self.levels.set(side, price, Quantity(before.saturating_add(by)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_make_levels_and_each_item_counts_once() {
        let (mut books, instrument) = (Books::default(), InstrumentId(1));
        let add =
            |id, side, price, quantity| BookChange::Add { id: BookOrderId(id), side, price: Price(price), quantity: Quantity(quantity) };
        let less = |id, quantity| BookChange::Fill { id: BookOrderId(id), quantity: Quantity(quantity) };
        let mut take = |item, change| books.take(3, item, instrument, Change::Order(change));
        assert_eq!(take(0, add(1, Side::Buy, 98, 5)), None);
        assert_eq!(take(1, add(2, Side::Sell, 103, 5)), Some(201));
        assert_eq!(take(2, add(3, Side::Buy, 99, 2)), Some(202));
        assert_eq!(take(2, less(3, 2)), None, "the same item again");
        assert_eq!(take(3, less(3, 1)), Some(202));
        assert_eq!(take(4, less(3, 1)), Some(201));
        assert_eq!(take(5, BookChange::Modify { id: BookOrderId(2), price: Price(100), quantity: Quantity(1) }), Some(198));
        assert_eq!(take(6, BookChange::Clear), None);
    }

    #[test]
    fn a_book_by_price_is_looked_at_when_it_is_whole() {
        let (mut books, instrument) = (Books::default(), InstrumentId(1));
        let set = |side, price, last| Change::Depth(DepthChange::Set { side, price: Price(price), quantity: Quantity(1) }, last);
        assert_eq!(books.take(3, 0, instrument, set(Side::Buy, 10, false)), None);
        assert_eq!(books.take(3, 1, instrument, set(Side::Sell, 13, false)), None);
        assert_eq!(books.take(3, 2, instrument, set(Side::Sell, 12, true)), Some(22));
    }
}
