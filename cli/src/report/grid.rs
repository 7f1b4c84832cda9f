//! Equal steps of virtual time that grow with the run. Invariant: each step of the ladder is a multiple of the one before, so that what was kept
//! by a finer grid can be kept by a coarser one, and the grid of a run depends on its span alone.

use stillpoint_engine::{Duration, Instant};

const SECOND: i64 = 1_000_000_000;
const LADDER: [i64; 33] = [
    1,
    5,
    10,
    50,
    100,
    500,
    1_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    300 * SECOND,
    600 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    10_800 * SECOND,
    21_600 * SECOND,
    43_200 * SECOND,
    86_400 * SECOND,
    604_800 * SECOND,
    6_048_000 * SECOND,
];

/// A grid from an instant on, of at most so many steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) start: Instant,
    rung: usize,
    most: usize,
}

impl Grid {
    pub(super) fn new(start: Instant, most: usize) -> Self {
        Self { start, rung: 0, most }
    }

    /// How long a step is.
    pub(super) fn step(&self) -> Duration {
        Duration::nanos(LADDER[self.rung])
    }

    /// The number of the step in which an instant lies: 0 is from the start, inclusive, to the next step, exclusive.
    pub(super) fn place(&self, at: Instant) -> usize {
        let since = i128::from(at.as_nanos()) - i128::from(self.start.as_nanos());
        usize::try_from(since / i128::from(LADDER[self.rung])).unwrap_or(0)
    }

    /// Makes the steps longer until an instant lies in one of them; returns how many of the old steps are one of the new.
    pub(super) fn fit(&mut self, at: Instant) -> usize {
        let before = LADDER[self.rung];
        while self.place(at) >= self.most && self.rung + 1 < LADDER.len() {
            self.rung += 1;
        }
        (LADDER[self.rung] / before) as usize
    }
}

/// Something for each step of a grid, put together when steps grow.
#[derive(Clone, Debug)]
pub(super) struct Buckets<T> {
    pub(super) grid: Grid,
    pub(super) rows: Vec<T>,
    merge: fn(&mut T, &T),
}

impl<T: Clone + Default> Buckets<T> {
    /// `merge` puts a later row to an earlier one; of the default and a row it makes the row.
    pub(super) fn new(grid: Grid, merge: fn(&mut T, &T)) -> Self {
        Self { grid, rows: Vec::new(), merge }
    }

    /// The row of an instant.
    pub(super) fn at(&mut self, at: Instant) -> &mut T {
        let factor = self.grid.fit(at);
        if factor > 1 {
            let merge = self.merge;
            let together = |rows: &[T]| {
                rows.iter().fold(T::default(), |mut all, row| {
                    merge(&mut all, row);
                    all
                })
            };
            self.rows = self.rows.chunks(factor).map(together).collect();
        }
        let place = self.grid.place(at);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, T::default);
        }
        &mut self.rows[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_a_multiple_of_the_one_before() {
        assert!(LADDER.windows(2).all(|pair| pair[1] % pair[0] == 0 && pair[1] > pair[0]));
    }

    #[test]
    fn rows_are_put_together_when_steps_grow() {
        let mut sums = Buckets::new(Grid::new(Instant::from_nanos(-2), 4), |all: &mut u32, row| *all += row);
        for (at, more) in [(-2, 1), (-1, 2), (1, 4)] {
            *sums.at(Instant::from_nanos(at)) += more;
        }
        assert_eq!(sums.rows, [1, 2, 0, 4]);
        // Six steps of 1 are too many: steps of 5, then of 10.
        *sums.at(Instant::from_nanos(3)) += 8;
        assert_eq!((sums.rows.as_slice(), sums.grid.step().as_nanos()), ([7, 8].as_slice(), 5));
        *sums.at(Instant::from_nanos(37)) += 16;
        assert_eq!((sums.rows.as_slice(), sums.grid.step().as_nanos()), ([15, 0, 0, 16].as_slice(), 10));
    }
}
