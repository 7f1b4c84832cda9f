//! What of a symbol is known at an instant. Invariant: rows that are not known are out before a query sees any.

use std::ops::Bound;

use arrow_schema::Schema;
use stillpoint_engine::Instant;

use crate::date::DateRange;
use crate::error::StoreError;
use crate::query::{Query, Resample, Step, col, lit};
use crate::table::TIME;

/// The column that says when a row became known, of data that tells it.
pub const KNOWN_AT: &str = "known_at";

/// The query as it may be asked at `asked`: of known rows alone, and with finished bars alone. Rows without any instant pass only if they are
/// the run's own: those were known when they were written.
pub(super) fn capped(query: &Query, schema: &Schema, symbol: &str, asked: Instant, own: bool) -> Result<Query, StoreError> {
    let has = |column| schema.index_of(column).is_ok();
    let mut capped = if has(KNOWN_AT) {
        Query::new().filter(col(KNOWN_AT).le(lit(asked)))
    } else if has(TIME) {
        Query::new().date_range(DateRange::new(..=asked)?)
    } else if own {
        Query::new()
    } else {
        let what = format!(
            "there is neither `{KNOWN_AT}` nor `{TIME}`, so that nobody can say when its rows were known: write it with one of them"
        );
        return Err(StoreError::Schema { symbol: symbol.to_owned(), what });
    };
    for step in query.steps() {
        if let Step::Resample(bars) = step
            && let Some(open) = open_bar(bars, asked)
        {
            capped = capped.date_range(DateRange::new((Bound::Unbounded, Bound::Excluded(open)))?);
        }
        capped = capped.step(step.clone());
    }
    Ok(capped)
}

/// Where the bar begins that is not finished at `asked`. `None` if bars have no length; the query says so itself.
fn open_bar(bars: &Resample, asked: Instant) -> Option<Instant> {
    let length = i128::from(bars.every.as_nanos());
    if length <= 0 {
        return None;
    }
    let origin = i128::from(bars.origin.as_nanos());
    let start = origin + (i128::from(asked.as_nanos()) - origin).div_euclid(length) * length;
    Some(i64::try_from(start).map_or(Instant::MIN, Instant::from_nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_engine::Duration;

    /// Minutes from half past: at 10 s before the epoch, the bar from -30 s is open; at 30 s exactly, a new one has begun.
    #[test]
    fn a_bar_is_open_from_its_begin_to_its_close() {
        let bars = Resample::every(Duration::secs(60)).origin(Instant::EPOCH + Duration::secs(30));
        let open = |second: i64| open_bar(&bars, Instant::EPOCH + Duration::secs(second)).map(|at| at.as_nanos() / 1_000_000_000);
        assert_eq!((open(-10), open(29), open(30), open(89)), (Some(-30), Some(-30), Some(30), Some(30)));
        assert_eq!(open_bar(&Resample::every(Duration::ZERO), Instant::EPOCH), None);
    }
}
