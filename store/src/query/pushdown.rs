//! What a reader may leave out. Invariant: no row is left out that the query would have kept; what cannot be judged is read.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::expr::{Binary, TextTest, Unary};
use super::plan::step_columns;
use super::{Expr, Literal, Query, Statistics, Step, TIME};
use crate::date::DateRange;

/// The part of a query that a reader can do early. The query does it again: leaving out less is never wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pushdown {
    /// No row outside is needed.
    pub range: DateRange,
    /// The columns that are needed; `None` for all. It may be empty: then only the number of rows is needed.
    pub columns: Option<BTreeSet<String>>,
    /// Conditions on the columns as they are stored; no row in which one of them is false or null is needed.
    pub filters: Vec<Expr>,
}

impl Query {
    /// What a reader may leave out.
    pub fn pushdown(&self) -> Pushdown {
        let mut range = DateRange::ALL;
        let mut filters = Vec::new();
        let mut stored = Stored { only: None, changed: BTreeSet::new() };
        for step in self.steps() {
            match step {
                Step::DateRange(other) if stored.has(TIME) => {
                    range = range.intersection(other).unwrap_or(DateRange::NOTHING);
                }
                Step::Filter(condition) => {
                    let judged = |part: &Expr| part.columns().iter().all(|name| stored.has(name));
                    filters.extend(condition.clone().conjuncts().into_iter().filter(judged));
                }
                Step::DateRange(_) => {}
                Step::With(columns) => {
                    let changed = columns.iter().filter(|named| named.expr != Expr::Column(named.name.clone()));
                    stored.changed.extend(changed.map(|named| named.name.clone()));
                }
                Step::Select(columns) => {
                    let kept = columns.iter().map(|named| &named.name);
                    let kept = kept.zip(columns).filter(|(name, named)| named.expr == Expr::Column((*name).clone()) && stored.has(name));
                    stored = Stored { only: Some(kept.map(|(name, _)| name.clone()).collect()), changed: BTreeSet::new() };
                }
                // From here on rows depend on other rows.
                Step::Group { .. } | Step::Resample(_) | Step::Head(_) | Step::Tail(_) | Step::Rows { .. } => break,
            }
        }
        Pushdown { range, columns: self.needed(), filters }
    }

    /// The columns of the input that any step needs, or `None` if the answer has all of them.
    fn needed(&self) -> Option<BTreeSet<String>> {
        let mut needed = None;
        for step in self.steps().iter().rev() {
            needed = match (step, needed) {
                (Step::Select(_) | Step::Group { .. } | Step::Resample(_), _) => Some(step_columns(step)),
                (Step::With(columns), Some(mut after)) => {
                    for named in columns {
                        after.remove(&named.name);
                    }
                    after.extend(step_columns(step));
                    Some(after)
                }
                (_, Some(mut after)) => {
                    after.extend(step_columns(step));
                    Some(after)
                }
                (_, None) => None,
            };
        }
        needed
    }
}

/// Which columns are still those of the input.
struct Stored {
    only: Option<BTreeSet<String>>,
    changed: BTreeSet<String>,
}

impl Stored {
    fn has(&self, name: &str) -> bool {
        !self.changed.contains(name) && self.only.as_ref().is_none_or(|only| only.contains(name))
    }
}

impl Pushdown {
    /// Whether any of the rows that `statistics` tells of may be needed. If not, they need not be read.
    pub fn may_match(&self, statistics: &Statistics) -> bool {
        if statistics.rows == 0 {
            return false;
        }
        let in_range = self.range.ends().is_some_and(|(first, last)| {
            let bounded = (first, last) != (Instant::MIN, Instant::MAX);
            !bounded || domain(&col_between(first, last), statistics).may_be(true)
        });
        in_range && self.filters.iter().all(|filter| domain(filter, statistics).may_be(true))
    }
}

fn col_between(first: Instant, last: Instant) -> Expr {
    super::col(TIME).between(first, last)
}

/// What the values of an expression can be.
#[derive(Clone, Debug)]
enum Domain {
    /// Anything.
    Any,
    /// Values within bounds that are not null, both contained; `None` if there is no value. `null` tells whether there may be nulls.
    Known { bounds: Option<(Literal, Literal)>, null: bool },
}

impl Domain {
    /// A condition that may be true, may be false, may be null.
    fn truth(may_be_true: bool, may_be_false: bool, null: bool) -> Self {
        let bounds = (may_be_true || may_be_false).then_some((Literal::Bool(!may_be_false), Literal::Bool(may_be_true)));
        Self::Known { bounds, null }
    }

    /// Whether a condition may be true, or may be false. What is no condition is refused when it is planned, not here.
    fn may_be(&self, wanted: bool) -> bool {
        match self {
            Self::Any => true,
            Self::Known { bounds: None, .. } => false,
            Self::Known { bounds: Some((min, max)), .. } => match (min, max) {
                (Literal::Bool(min), Literal::Bool(max)) => *min == wanted || *max == wanted,
                _ => true,
            },
        }
    }

    fn may_be_null(&self) -> bool {
        matches!(self, Self::Any | Self::Known { null: true, .. })
    }

    fn may_be_value(&self) -> bool {
        !matches!(self, Self::Known { bounds: None, .. })
    }
}

fn domain(expr: &Expr, statistics: &Statistics) -> Domain {
    match expr {
        Expr::Column(name) => column(name, statistics),
        Expr::Literal(Literal::Null) => Domain::Known { bounds: None, null: true },
        Expr::Literal(value) => Domain::Known { bounds: Some((value.clone(), value.clone())), null: false },
        Expr::Unary(Unary::Not, inner) => {
            let inner = domain(inner, statistics);
            Domain::truth(inner.may_be(false), inner.may_be(true), inner.may_be_null())
        }
        Expr::Unary(Unary::IsNull, inner) => {
            let inner = domain(inner, statistics);
            Domain::truth(inner.may_be_null(), inner.may_be_value(), false)
        }
        Expr::Binary(operator, left, right) => binary(*operator, &domain(left, statistics), &domain(right, statistics)),
        Expr::In(inner, values) => {
            let inner = domain(inner, statistics);
            let none = Domain::truth(false, inner.may_be_value(), inner.may_be_null());
            let equal = |value: &Literal| binary(Binary::Eq, &inner, &domain(&Expr::Literal(value.clone()), statistics));
            values.iter().map(equal).fold(none, |found, equal| binary(Binary::Or, &found, &equal))
        }
        Expr::Text(test, inner, text) => text_test(*test, &domain(inner, statistics), text),
        Expr::Unary(Unary::Neg | Unary::Abs, _) => Domain::Any,
    }
}

fn column(name: &str, statistics: &Statistics) -> Domain {
    let Some(known) = statistics.columns.get(name) else { return Domain::Any };
    if known.nulls.is_some_and(|nulls| nulls >= statistics.rows) {
        return Domain::Known { bounds: None, null: true };
    }
    let (Some(min), Some(max)) = (&known.min, &known.max) else { return Domain::Any };
    if min.compare(max).is_none_or(Ordering::is_gt) || min.is_nan() || max.is_nan() {
        return Domain::Any;
    }
    let may_be_nan = matches!(max, Literal::Float(_)) && known.nans != Some(0);
    let max = if may_be_nan { Literal::Float(f64::NAN) } else { max.clone() };
    Domain::Known { bounds: Some((min.clone(), max)), null: known.nulls != Some(0) }
}

fn binary(operator: Binary, left: &Domain, right: &Domain) -> Domain {
    let null = left.may_be_null() || right.may_be_null();
    match operator {
        Binary::And => Domain::truth(left.may_be(true) && right.may_be(true), left.may_be(false) || right.may_be(false), null),
        Binary::Or => Domain::truth(left.may_be(true) || right.may_be(true), left.may_be(false) && right.may_be(false), null),
        operator if operator.is_comparison() => comparison(operator, left, right, null),
        _ => Domain::Any,
    }
}

/// A comparison may come out so if it does for some pair of values within the bounds.
fn comparison(operator: Binary, left: &Domain, right: &Domain, null: bool) -> Domain {
    let (Domain::Known { bounds: l, .. }, Domain::Known { bounds: r, .. }) = (left, right) else { return Domain::Any };
    let (Some((l_min, l_max)), Some((r_min, r_max))) = (l, r) else { return Domain::Known { bounds: None, null } };
    let (Some(least_left), Some(greatest_left)) = (l_min.compare(r_max), l_max.compare(r_min)) else { return Domain::Any };
    // The least left value against the greatest right one, and the other way round, are the outermost pairs.
    let (may_be_less, may_be_greater) = (least_left.is_lt(), greatest_left.is_gt());
    let may_be_equal = least_left.is_le() && greatest_left.is_ge();
    let truth = |may_be_true, may_be_false| Domain::truth(may_be_true, may_be_false, null);
    match operator {
        Binary::Lt => truth(may_be_less, may_be_greater || may_be_equal),
        Binary::Le => truth(may_be_less || may_be_equal, may_be_greater),
        Binary::Gt => truth(may_be_greater, may_be_less || may_be_equal),
        Binary::Ge => truth(may_be_greater || may_be_equal, may_be_less),
        Binary::Eq => truth(may_be_equal, may_be_less || may_be_greater),
        _ => truth(may_be_less || may_be_greater, may_be_equal),
    }
}

/// Texts with a common beginning are neighbours, so bounds tell of it; of all else they tell nothing.
fn text_test(test: TextTest, inner: &Domain, text: &str) -> Domain {
    let Domain::Known { bounds, null } = inner else { return Domain::Any };
    match (test, bounds) {
        (_, None) => Domain::Known { bounds: None, null: *null },
        (TextTest::StartsWith, Some((Literal::Text(min), Literal::Text(max)))) => {
            let (min_has, max_has) = (min.starts_with(text), max.starts_with(text));
            let apart = (max.as_str() < text) || (min.as_str() > text && !min_has);
            Domain::truth(!apart, !(min_has && max_has), *null)
        }
        _ => Domain::truth(true, true, *null),
    }
}
