//! Drawdowns: from a peak of an equity curve down and back.

use serde::{Deserialize, Serialize};

/// One drawdown, by positions in the equity curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drawdown {
    /// How much of the peak was lost at the trough, as a fraction of the peak: above 0, and above 1 where equity fell below zero.
    pub depth: f64,
    /// The last position at the peak.
    pub peak: usize,
    /// The first position of the lowest value.
    pub trough: usize,
    /// The first position that is not below the peak any more; `None` if the curve ends before.
    pub recovery: Option<usize>,
}

impl Drawdown {
    /// For how many periods the curve lay below its peak, or until `last`, the last position of a curve that has not come back.
    pub fn duration(&self, last: usize) -> usize {
        self.recovery.unwrap_or(last) - self.peak
    }
}

/// All drawdowns of an equity curve, in order. A peak that is not above zero starts none, as nothing can be lost from it.
///
/// ```
/// use stillpoint_actors::statistics::{Drawdown, drawdowns};
/// let found = drawdowns(&[10.0, 8.0, 5.0, 10.0, 12.0, 9.0]);
/// assert_eq!(found[0], Drawdown { depth: 0.5, peak: 0, trough: 2, recovery: Some(3) });
/// assert_eq!(found[1], Drawdown { depth: 0.25, peak: 4, trough: 5, recovery: None });
/// assert_eq!(found[1].duration(5), 1);
/// ```
pub fn drawdowns(equity: &[f64]) -> Vec<Drawdown> {
    let (mut all, mut peak, mut open): (Vec<Drawdown>, usize, bool) = (Vec::new(), 0, false);
    for (at, value) in equity.iter().enumerate() {
        let top = equity[peak];
        if *value >= top {
            if let Some(last) = all.last_mut().filter(|_| open) {
                last.recovery = Some(at);
            }
            (peak, open) = (at, false);
        } else if top > 0.0 {
            let depth = (top - value) / top;
            match all.last_mut().filter(|_| open) {
                None => all.push(Drawdown { depth, peak, trough: at, recovery: None }),
                Some(last) if depth > last.depth => (last.depth, last.trough) = (depth, at),
                Some(_) => {}
            }
            open = true;
        }
    }
    all
}

/// The deepest drawdown, the first of equals; `None` of a curve that never falls below a peak.
pub fn max_drawdown(equity: &[f64]) -> Option<Drawdown> {
    drawdowns(equity).into_iter().reduce(|deepest, next| if next.depth > deepest.depth { next } else { deepest })
}
