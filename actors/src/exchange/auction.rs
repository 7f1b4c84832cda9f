//! The call auction: orders that gathered without being matched meet at one price. Invariant: nobody trades beyond a limit, and no two orders
//! that could trade at the price are left.

use super::core::{Market, Outbox, Who};
use crate::decimal::Price;
use crate::event::Side;
use crate::market::OrderKey;
use crate::order::Liquidity;

/// What a price would do in an auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    price: Price,
    bought: i128,
    sold: i128,
}

impl Candidate {
    fn volume(&self) -> i128 {
        self.bought.min(self.sold)
    }

    fn surplus(&self) -> i128 {
        (self.bought - self.sold).abs()
    }
}

/// The price at which most is traded; of several, one that leaves the least surplus; of these the highest if buyers are left over at all of
/// them, the lowest if sellers are, else the one next to the last trade, and the lowest without one or of two equally near.
fn clearing(candidates: &[Candidate], last: Option<Price>) -> Option<Price> {
    let most = candidates.iter().map(Candidate::volume).max().filter(|most| *most > 0)?;
    let least = candidates.iter().filter(|each| each.volume() == most).map(Candidate::surplus).min()?;
    let tied: Vec<_> = candidates.iter().filter(|each| each.volume() == most && each.surplus() == least).collect();
    let prices = tied.iter().map(|each| each.price);
    if tied.iter().all(|each| each.bought > each.sold) {
        return prices.max();
    }
    match last {
        Some(last) if !tied.iter().all(|each| each.bought < each.sold) => prices.min_by_key(|price| (price.0.abs_diff(last.0), *price)),
        _ => prices.min(),
    }
}

impl Market {
    /// Trades at one price what crosses, by price and time on both sides. Orders of one owner trade with each other here.
    pub(super) fn uncross(&mut self, out: &mut Outbox) {
        let crossed = match (self.book.best(Side::Buy), self.book.best(Side::Sell)) {
            (Some((bid, _)), Some((ask, _))) => bid >= ask,
            _ => false,
        };
        let Some(price) = crossed.then(|| clearing(&self.candidates(), self.last)).flatten() else { return };
        while let (Some((bid, _)), Some((ask, _))) = (self.book.best(Side::Buy), self.book.best(Side::Sell)) {
            if bid < price || ask > price {
                return;
            }
            self.match_fronts(bid, ask, price, out);
        }
    }

    fn match_fronts(&mut self, bid: Price, ask: Price, price: Price, out: &mut Outbox) {
        let front = |side, at| self.book.first(side, at).expect("an order at the best price");
        let (buy, sell) = (front(Side::Buy, bid), front(Side::Sell, ask));
        let quantity = self.book.quantity(buy).0.min(self.book.quantity(sell).0);
        self.print(price, quantity, None, out);
        match (self.book.value(buy).who, self.book.value(sell).who) {
            (Who::Owner(a), Who::Owner(b)) => self.trade(a, Liquidity::Auction, b, Liquidity::Auction, quantity, price, out),
            (a, b) => {
                self.auction_fill(buy, a, quantity, price, out);
                self.auction_fill(sell, b, quantity, price, out);
            }
        }
    }

    fn auction_fill(&mut self, key: OrderKey, who: Who, quantity: i64, price: Price, out: &mut Outbox) {
        match who {
            Who::Owner(slot) => self.fill(slot, quantity, price, Liquidity::Auction, out),
            Who::Other(id) => self.take_from_other(id, key, quantity),
        }
    }

    /// What would be bought and sold at each limit.
    fn candidates(&self) -> Vec<Candidate> {
        let mut prices: Vec<_> = [Side::Buy, Side::Sell].iter().flat_map(|side| self.book.levels(*side).map(|(price, _)| price)).collect();
        prices.sort_unstable();
        prices.dedup();
        let at = |side: Side, price| -> i128 {
            let levels = self.book.levels(side).take_while(|(limit, _)| side.accepts(*limit, price));
            levels.flat_map(|(limit, _)| self.book.queue(side, limit)).map(|key| self.whole(key)).sum()
        };
        prices.into_iter().map(|price| Candidate { price, bought: at(Side::Buy, price), sold: at(Side::Sell, price) }).collect()
    }

    /// All of a resting order, hidden parts included.
    fn whole(&self, key: OrderKey) -> i128 {
        match self.book.value(key).who {
            Who::Owner(slot) => i128::from(self.order(slot).left()),
            Who::Other(_) => i128::from(self.book.quantity(key).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (price, bought, sold) at each limit, the last trade, and the price.
    #[test]
    fn prices_worked_out_by_hand() {
        for (table, last, price) in [
            (&[(99, 30, 0), (100, 20, 10), (101, 15, 15), (102, 5, 20)][..], None, Some(101)), // most is traded at 101
            (&[(100, 20, 10), (101, 12, 10)], None, Some(101)),                                // less is left over
            (&[(100, 20, 10), (101, 20, 10)], Some(99), Some(101)),                            // buyers are left over
            (&[(100, 10, 20), (101, 10, 20)], Some(105), Some(100)),                           // sellers are left over
            (&[(100, 10, 10), (101, 10, 10), (104, 10, 10)], Some(102), Some(101)),            // next to the last trade
            (&[(100, 10, 10), (104, 10, 10)], Some(102), Some(100)),                           // equally near
            (&[(100, 10, 10), (104, 10, 10)], None, Some(100)),
            (&[(100, 12, 10), (101, 10, 12)], Some(101), Some(101)), // a surplus on either side
            (&[(100, 12, 10), (101, 10, 14)], Some(101), Some(100)), // less is left over, whatever traded last
            (&[(100, 0, 10), (101, 0, 12)], Some(101), None),
        ] {
            let candidates: Vec<_> = table.iter().map(|&(price, bought, sold)| Candidate { price: Price(price), bought, sold }).collect();
            assert_eq!(clearing(&candidates, last.map(Price)), price.map(Price), "{table:?}");
        }
    }
}
