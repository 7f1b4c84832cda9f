//! Bars out of trades or quotes. Invariant: a bar is given out when it is over, never before, and every trade is in exactly one.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use crate::decimal::{Price, Quantity};
use crate::event::Bar;
use crate::instrument::InstrumentId;

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarSpan {
    /// So long, from a whole multiple of it since the Unix epoch. What comes at the instant at which a bar ends belongs to the next one.
    Time(Duration),
    /// Until so much was traded. A trade that is more than is missing is divided between bars.
    Volume(Quantity),
    /// Until there were so many trades or quotes.
    Count(NonZeroU64),
}

/// A span that makes no bars: a time or a volume that is not above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarSpanError;

impl fmt::Display for BarSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the time or the volume of a bar must be above zero")
    }
}

impl std::error::Error for BarSpanError {}

/// Makes bars of one instrument.
///
/// A bar of time is over when its end has come: either [`BarBuilder::close`] is called then, as by a timer, or the next trade shows that it
/// has. Spans without a trade have no bar.
///
/// ```
/// use stillpoint_actors::{BarBuilder, BarSpan, InstrumentId, Price, Quantity};
/// use stillpoint_engine::{Duration, Instant};
/// let at = |second| Instant::EPOCH + Duration::secs(second);
/// let mut bars = BarBuilder::new(InstrumentId(0), BarSpan::Time(Duration::secs(60)))?;
/// let mut closed = Vec::new();
/// bars.trade(at(10), Price(100), Quantity(1), &mut closed);
/// bars.trade(at(59), Price(103), Quantity(2), &mut closed);
/// assert!(closed.is_empty() && bars.ends() == Some(at(60)));
/// bars.close(at(60), &mut closed);
/// assert_eq!((closed[0].open, closed[0].close, closed[0].volume), (Price(100), Price(103), Quantity(3)));
/// # Ok::<(), stillpoint_actors::BarSpanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarBuilder {
    span: BarSpan,
    instrument: InstrumentId,
    open: Option<Open>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    bar: Bar,
    count: u64,
    ends: Option<Instant>,
}

impl BarBuilder {
    /// A builder that has seen nothing.
    ///
    /// # Errors
    /// [`BarSpanError`] if a time or a volume is not above zero.
    pub fn new(instrument: InstrumentId, span: BarSpan) -> Result<Self, BarSpanError> {
        let good = match span {
            BarSpan::Time(span) => span.is_positive(),
            BarSpan::Volume(volume) => volume.0 > 0,
            BarSpan::Count(_) => true,
        };
        if good { Ok(Self { span, instrument, open: None }) } else { Err(BarSpanError) }
    }

    /// When the bar that is being made is over, for bars of time.
    pub fn ends(&self) -> Option<Instant> {
        self.open.as_ref()?.ends
    }

    /// Takes a trade; or a quote's price with a quantity of 0. Bars that are over are appended to `closed`.
    pub fn trade(&mut self, at: Instant, price: Price, quantity: Quantity, closed: &mut Vec<Bar>) {
        self.close(at, closed);
        let mut left = quantity.0.max(0);
        if let BarSpan::Volume(volume) = self.span {
            while left > 0 && left >= volume.0 - self.open.as_ref().map_or(0, |open| open.bar.volume.0) {
                let part = volume.0 - self.open.as_ref().map_or(0, |open| open.bar.volume.0);
                self.add(at, price, part);
                closed.extend(self.open.take().map(|open| open.bar));
                left -= part;
            }
            if left == 0 && quantity.0 > 0 {
                return;
            }
        }
        let count = self.add(at, price, left);
        if matches!(self.span, BarSpan::Count(most) if count >= most.get()) {
            closed.extend(self.open.take().map(|open| open.bar));
        }
    }

    /// Ends the bar that is being made if its time has come.
    pub fn close(&mut self, now: Instant, closed: &mut Vec<Bar>) {
        if self.ends().is_some_and(|ends| ends <= now) {
            closed.extend(self.open.take().map(|open| open.bar));
        }
    }

    fn add(&mut self, at: Instant, price: Price, quantity: i64) -> u64 {
        let open = self.open.get_or_insert_with(|| {
            let bar = Bar { instrument: self.instrument, open: price, high: price, low: price, close: price, volume: Quantity(0) };
            Open { bar, count: 0, ends: end_of(self.span, at) }
        });
        let bar = &mut open.bar;
        bar.high = bar.high.max(price);
        bar.low = bar.low.min(price);
        bar.close = price;
        bar.volume.0 = bar.volume.0.saturating_add(quantity);
        open.count += 1;
        open.count
    }
}

/// The end of the bar of time that holds this instant; none after the end of time.
fn end_of(span: BarSpan, at: Instant) -> Option<Instant> {
    let BarSpan::Time(span) = span else { return None };
    let begun = at.as_nanos().div_euclid(span.as_nanos());
    begun.checked_add(1)?.checked_mul(span.as_nanos()).map(Instant::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (open, high, low, close, volume) of the bars that are over after trades of (seconds, price, quantity).
    fn bars(span: BarSpan, trades: &[(i64, i64, i64)]) -> Vec<(i64, i64, i64, i64, i64)> {
        let mut builder = BarBuilder::new(InstrumentId(0), span).expect("a span above zero");
        let mut closed = Vec::new();
        for (second, price, quantity) in trades {
            builder.trade(Instant::EPOCH + Duration::secs(*second), Price(*price), Quantity(*quantity), &mut closed);
        }
        closed.iter().map(|bar| (bar.open.0, bar.high.0, bar.low.0, bar.close.0, bar.volume.0)).collect()
    }

    #[test]
    fn bars_of_time_begin_at_whole_multiples_and_end_before_their_end() {
        let minute = BarSpan::Time(Duration::secs(60));
        let trades = [(-30, 10, 1), (-1, 8, 1), (0, 9, 2), (30, 12, 1), (59, 11, 1), (60, 20, 5), (200, 1, 1)];
        assert_eq!(bars(minute, &trades), [(10, 10, 8, 8, 2), (9, 12, 9, 11, 4), (20, 20, 20, 20, 5)]);
    }

    #[test]
    fn bars_of_volume_divide_a_trade() {
        let ten = BarSpan::Volume(Quantity(10));
        assert_eq!(bars(ten, &[(0, 5, 4), (1, 7, 6), (2, 6, 9)]), [(5, 7, 5, 7, 10)]);
        // 4 of 25 end the first bar, 20 make two whole ones, 1 is left for 9 more.
        let expected = [(5, 7, 5, 7, 10), (7, 7, 7, 7, 10), (7, 7, 7, 7, 10), (7, 7, 3, 3, 10)];
        assert_eq!(bars(ten, &[(0, 5, 6), (1, 7, 25), (2, 3, 9)]), expected);
    }

    #[test]
    fn bars_of_a_count() {
        let three = BarSpan::Count(NonZeroU64::new(3).expect("not zero"));
        assert_eq!(bars(three, &[(0, 5, 1), (0, 9, 1), (9, 1, 1), (9, 4, 1), (9, 4, 1)]), [(5, 9, 1, 1, 3)]);
    }

    #[test]
    fn spans_must_be_above_zero() {
        for span in [BarSpan::Time(Duration::ZERO), BarSpan::Volume(Quantity(-1))] {
            assert_eq!(BarBuilder::new(InstrumentId(0), span), Err(BarSpanError));
        }
    }
}
