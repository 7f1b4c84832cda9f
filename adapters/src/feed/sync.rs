//! When changes of a book follow from a whole book that was fetched meanwhile. Invariant: what is told is the exchange's book after some change,
//! with none left out.
//!
//! The rules are those of Binance's documentation ("How to manage a local order book correctly"). A change has the numbers `U` (first) and `u` (last)
//! of what it sums up, a whole book that of the last change in it, `L`.
//!
//! * Spot: changes with `u <= L` are dropped; the first one applied has `U <= L+1 <= u`; each next one has `U` one above the `u` before.
//! * Futures: changes with `u < L` are dropped; the first one applied has `U <= L <= u`; each next one has `pu` equal to the `u` before.

use stillpoint_actors::DepthChange;

/// The numbers of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) first: u64,
    pub(super) last: u64,
    /// The last number of the change before, which futures tell.
    pub(super) before: Option<u64>,
}

/// What came of a change or a whole book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The book is that after this change.
    At(u64),
    /// Nothing is told: the change is in the book already, or there is no whole book yet.
    Held,
}

/// Where the book stands.
#[derive(Debug, Default)]
pub(super) struct Sync {
    /// The last change in the book, if there is a whole one, and whether any came after it.
    book: Option<(u64, bool)>,
    /// What came since the last whole book was lost.
    held: Vec<(Numbers, Vec<DepthChange>)>,
    gaps: u64,
}

impl Sync {
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// A whole book has come. Appends what is to be told.
    pub(super) fn restart(&mut self, id: u64, levels: Vec<DepthChange>, told: &mut Vec<DepthChange>) -> Step {
        if self.book.is_some_and(|(at, _)| id < at) {
            // It is older than what is known.
            return Step::Held;
        }
        told.push(DepthChange::Clear);
        told.extend(levels);
        self.book = Some((id, false));
        let mut step = Step::At(id);
        for (numbers, changes) in std::mem::take(&mut self.held) {
            match self.change(numbers, changes, told) {
                Step::At(update) => step = Step::At(update),
                Step::Held => {}
            }
        }
        if self.book.is_none() { Step::Held } else { step }
    }

    /// A change has come. Appends what is to be told.
    pub(super) fn change(&mut self, numbers: Numbers, changes: Vec<DepthChange>, told: &mut Vec<DepthChange>) -> Step {
        let Some((at, has_moved)) = self.book else {
            self.held.push((numbers, changes));
            return Step::Held;
        };
        let Numbers { first, last, before } = numbers;
        let is_old = if before.is_some() { last < at } else { last <= at };
        if is_old {
            return Step::Held;
        }
        let follows = match (before, has_moved) {
            (Some(_), false) => first <= at,
            (Some(before), true) => before == at,
            (None, false) => first <= at + 1,
            (None, true) => first == at + 1,
        };
        if !follows {
            self.gaps += 1;
            self.book = None;
            self.held.push((numbers, changes));
            told.push(DepthChange::Clear);
            return Step::Held;
        }
        self.book = Some((last, true));
        told.extend(changes);
        Step::At(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_actors::{Price, Quantity, Side};

    fn level(price: i64) -> Vec<DepthChange> {
        vec![DepthChange::Set { side: Side::Buy, price: Price(price), quantity: Quantity(1) }]
    }

    /// Plays changes (first, last, before) around a whole book of number 100, and gives what was told: 0 for a clearing, else the price, which
    /// is the change's last number.
    fn play(early: &[(u64, u64, Option<u64>)], late: &[(u64, u64, Option<u64>)]) -> (Vec<i64>, u64) {
        let (mut sync, mut told) = (Sync::default(), Vec::new());
        let change = |sync: &mut Sync, &(first, last, before): &(u64, u64, Option<u64>), told: &mut Vec<DepthChange>| {
            sync.change(Numbers { first, last, before }, level(last as i64), told)
        };
        early.iter().for_each(|numbers| assert_eq!(change(&mut sync, numbers, &mut told), Step::Held));
        assert_eq!(told, []);
        sync.restart(100, level(-1), &mut told);
        late.iter().for_each(|numbers| _ = change(&mut sync, numbers, &mut told));
        let told = told.into_iter().map(|change| match change {
            DepthChange::Clear => 0,
            DepthChange::Set { price, .. } => price.0,
        });
        (told.collect(), sync.gaps())
    }

    #[test]
    fn spot_begins_with_the_change_that_holds_the_next_number() {
        let (told, gaps) = play(&[(80, 90, None), (91, 100, None), (101, 105, None)], &[(106, 106, None)]);
        assert_eq!((told, gaps), (vec![0, -1, 105, 106], 0));
        let (told, _) = play(&[(95, 103, None)], &[(104, 110, None)]);
        assert_eq!(told, [0, -1, 103, 110]);
        let (told, gaps) = play(&[], &[(102, 103, None), (104, 105, None)]);
        assert_eq!((told, gaps), (vec![0, -1, 0], 1));
    }

    #[test]
    fn futures_begin_with_the_change_that_holds_the_number() {
        let (told, gaps) = play(&[(80, 90, Some(79)), (95, 100, Some(92)), (104, 107, Some(100))], &[(110, 112, Some(107))]);
        assert_eq!((told, gaps), (vec![0, -1, 100, 107, 112], 0));
        let (told, gaps) = play(&[(101, 107, Some(99))], &[]);
        assert_eq!((told, gaps), (vec![0, -1, 0], 1));
        let (told, gaps) = play(&[(99, 107, Some(98))], &[(110, 112, Some(108)), (113, 114, Some(112))]);
        assert_eq!((told, gaps), (vec![0, -1, 107, 0], 1));
    }

    #[test]
    fn a_gap_ends_with_the_next_whole_book() {
        let (mut sync, mut told) = (Sync::default(), Vec::new());
        sync.restart(100, level(1), &mut told);
        for (first, last) in [(101, 101), (105, 106), (107, 108)] {
            sync.change(Numbers { first, last, before: None }, level(last as i64), &mut told);
        }
        assert_eq!(sync.restart(106, level(2), &mut told), Step::At(108));
        assert_eq!(sync.restart(99, level(3), &mut told), Step::Held);
        assert_eq!(told, [vec![DepthChange::Clear], level(1), level(101), vec![DepthChange::Clear; 2], level(2), level(108)].concat());
        assert_eq!(sync.gaps(), 1);
    }
}
