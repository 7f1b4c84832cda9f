//! Queries against a naive model that looks at one row at a time, on random rows with nulls, NaN, both zeros and the ends of 64 bits.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array, UInt64Array,
};
use proptest::prelude::*;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::date::DateRange;
use stillpoint_store::query::{
    Aggregate, AsOf, Binary, Direction, Expr, How, Label, Literal, Query, QueryError, Resample, Statistics, TextTest, Unary, col,
};

const COLUMNS: [&str; 7] = ["time", "i", "u", "b", "f", "s", "t"];

/// A row: a value for each of [`COLUMNS`].
type Row = Vec<Literal>;

fn batch(rows: &[Row]) -> RecordBatch {
    fn of<T>(rows: &[Row], column: usize, value: impl Fn(&Literal) -> Option<T>) -> Vec<Option<T>> {
        rows.iter().map(|row| value(&row[column])).collect()
    }
    let int = |value: &Literal| if let Literal::Int(n) = value { Some(*n) } else { None };
    let columns: [ArrayRef; 7] = [
        Arc::new(
            TimestampNanosecondArray::from(of(rows, 0, |v| if let Literal::Time(at) = v { Some(at.as_nanos()) } else { None }))
                .with_timezone("UTC"),
        ),
        Arc::new(Int64Array::from(of(rows, 1, int))),
        Arc::new(UInt64Array::from(of(rows, 2, |v| if let Literal::UInt(n) = v { Some(*n) } else { None }))),
        Arc::new(UInt8Array::from(of(rows, 3, |v| int(v).map(|n| n as u8)))),
        Arc::new(Float64Array::from(of(rows, 4, |v| if let Literal::Float(x) = v { Some(*x) } else { None }))),
        Arc::new(StringArray::from(of(rows, 5, |v| if let Literal::Text(text) = v { Some(text.clone()) } else { None }))),
        Arc::new(BooleanArray::from(of(rows, 6, |v| if let Literal::Bool(b) = v { Some(*b) } else { None }))),
    ];
    RecordBatch::try_from_iter_with_nullable(COLUMNS.into_iter().zip(columns).map(|(name, column)| (name, column, true))).unwrap()
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| Literal::from_array(column, row).unwrap()).collect()).collect()
}

fn any_int() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -3i64..4, 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => Just((1 << 53) + 1), 1 => any::<i64>()]
}

fn any_uint() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..4, 1 => Just(u64::MAX), 1 => Just(i64::MAX as u64), 1 => Just((1 << 53) + 1), 1 => any::<u64>()]
}

fn any_float() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::MAX, 9_007_199_254_740_992.0];
    prop_oneof![3 => (-3i32..4).prop_map(f64::from), 2 => prop::sample::select(special.to_vec()), 1 => -3.0..4.0f64, 1 => Just(f64::NAN)]
}

fn any_text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "ab", "abc", "b", "ba", "é", "日本", "\u{10ffff}"]).prop_map(str::to_owned)
}

fn maybe<S: Strategy<Value = Literal> + 'static>(value: S) -> BoxedStrategy<Literal> {
    prop_oneof![1 => Just(Literal::Null), 5 => value].boxed()
}

fn any_row() -> impl Strategy<Value = Row> {
    let time = prop_oneof![5 => -20i64..20, 1 => any_int()].prop_map(|n| Literal::Time(Instant::from_nanos(n)));
    (
        maybe(time),
        maybe(any_int().prop_map(Literal::Int)),
        maybe(any_uint().prop_map(Literal::UInt)),
        maybe(any::<u8>().prop_map(|n| Literal::Int(i64::from(n)))),
        maybe(any_float().prop_map(Literal::Float)),
        maybe(any_text().prop_map(Literal::Text)),
        maybe(any::<bool>().prop_map(Literal::Bool)),
    )
        .prop_map(|(time, i, u, b, f, s, t)| vec![time, i, u, b, f, s, t])
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(any_row(), 0..12)
}

fn any_number() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["i", "u", "b", "f"]).prop_map(col),
        any_int().prop_map(Expr::from),
        any_uint().prop_map(Expr::from),
        any_float().prop_map(Expr::from),
        Just(Expr::Literal(Literal::Null)),
    ];
    leaf.prop_recursive(2, 8, 2, |inner| {
        let operators = vec![Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Rem, Binary::Min, Binary::Max];
        let pair = (prop::sample::select(operators), inner.clone(), inner.clone());
        prop_oneof![
            4 => pair.prop_map(|(operator, left, right)| Expr::Binary(operator, Box::new(left), Box::new(right))),
            1 => inner.clone().prop_map(|inner| -inner),
            1 => inner.prop_map(Expr::abs),
        ]
    })
    .boxed()
}

fn any_condition() -> BoxedStrategy<Expr> {
    let comparisons = || prop::sample::select(vec![Binary::Eq, Binary::Ne, Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge]);
    let compared = |(operator, left, right)| Expr::Binary(operator, Box::new(left), Box::new(right));
    let text = || prop_oneof![3 => Just(col("s")), 1 => any_text().prop_map(Expr::from)];
    let tests = prop::sample::select(vec![TextTest::StartsWith, TextTest::EndsWith, TextTest::Contains]);
    let time = prop_oneof![
        (-20i64..20).prop_map(|n| Expr::from(Instant::from_nanos(n))),
        Just(col("time")),
        any_int().prop_map(|n| col("time") + n)
    ];
    let numbers = prop::collection::vec(
        prop_oneof![any_int().prop_map(Literal::from), any_float().prop_map(Literal::from), Just(Literal::Null)],
        0..4,
    );
    let leaf = prop_oneof![
        6 => (comparisons(), any_number(), any_number()).prop_map(compared),
        4 => (comparisons(), prop::sample::select(vec!["i", "u", "b", "f"]).prop_map(col), any_int().prop_map(Expr::from)).prop_map(compared),
        2 => (comparisons(), text(), text()).prop_map(compared),
        2 => (comparisons(), Just(col("time")), time).prop_map(compared),
        2 => (tests, text(), any_text()).prop_map(|(test, text, part)| Expr::Text(test, Box::new(text), part)),
        1 => any_number().prop_map(Expr::is_null),
        1 => Just(col("t")),
        2 => (any_number(), numbers).prop_map(|(inner, list)| Expr::In(Box::new(inner), list)),
        1 => prop_oneof![Just(Literal::Null), any::<bool>().prop_map(Literal::Bool)].prop_map(Expr::Literal),
    ];
    leaf.prop_recursive(3, 16, 2, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| left & right),
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| left | right),
            1 => inner.clone().prop_map(|inner| !inner),
            1 => inner.prop_map(Expr::is_null),
        ]
    })
    .boxed()
}

/// The value of an expression in a row, computed with nothing but the documentation.
fn model(expr: &Expr, row: &Row) -> Literal {
    match expr {
        Expr::Column(name) => row[COLUMNS.iter().position(|column| column == name).unwrap()].clone(),
        Expr::Literal(value) => value.clone(),
        Expr::Unary(Unary::IsNull, inner) => Literal::Bool(matches!(model(inner, row), Literal::Null)),
        Expr::Unary(operator, inner) => match (operator, model(inner, row)) {
            (Unary::Not, Literal::Bool(b)) => Literal::Bool(!b),
            (Unary::Neg, Literal::Float(x)) => Literal::Float(-x),
            (Unary::Abs, Literal::Float(x)) => Literal::Float(x.abs()),
            (_, Literal::Null) => Literal::Null,
            (operator, value) => integer(as_i64(&value).map(|n| if *operator == Unary::Neg { -n } else { n.abs() })),
        },
        Expr::Binary(operator, left, right) => binary(*operator, left, right, row),
        Expr::In(inner, values) => {
            let value = model(inner, row);
            let equal: Vec<Option<bool>> = values.iter().map(|other| order(&value, other).map(Ordering::is_eq)).collect();
            match () {
                () if matches!(value, Literal::Null) => Literal::Null,
                () if equal.contains(&Some(true)) => Literal::Bool(true),
                () if equal.contains(&None) => Literal::Null,
                () => Literal::Bool(false),
            }
        }
        Expr::Text(test, inner, part) => match (test, model(inner, row)) {
            (TextTest::StartsWith, Literal::Text(text)) => Literal::Bool(text.starts_with(part.as_str())),
            (TextTest::EndsWith, Literal::Text(text)) => Literal::Bool(text.ends_with(part.as_str())),
            (TextTest::Contains, Literal::Text(text)) => Literal::Bool(text.contains(part.as_str())),
            _ => Literal::Null,
        },
    }
}

fn binary(operator: Binary, left: &Expr, right: &Expr, row: &Row) -> Literal {
    let (l, r) = (model(left, row), model(right, row));
    let truth = |value: &Literal| if let Literal::Bool(b) = value { Some(*b) } else { None };
    match operator {
        Binary::And => match (truth(&l), truth(&r)) {
            (Some(false), _) | (_, Some(false)) => Literal::Bool(false),
            (Some(true), Some(true)) => Literal::Bool(true),
            _ => Literal::Null,
        },
        Binary::Or => match (truth(&l), truth(&r)) {
            (Some(true), _) | (_, Some(true)) => Literal::Bool(true),
            (Some(false), Some(false)) => Literal::Bool(false),
            _ => Literal::Null,
        },
        Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => order(&l, &r).map_or(Literal::Null, |order| {
            Literal::Bool(match operator {
                Binary::Eq => order.is_eq(),
                Binary::Ne => order.is_ne(),
                Binary::Lt => order.is_lt(),
                Binary::Le => order.is_le(),
                Binary::Gt => order.is_gt(),
                _ => order.is_ge(),
            })
        }),
        _ => number(operator, &l, &r, is_float(left) || is_float(right), is_unsigned(left) && is_unsigned(right)),
    }
}

fn number(operator: Binary, l: &Literal, r: &Literal, in_floats: bool, in_unsigned: bool) -> Literal {
    if let (Literal::Time(at), Some(n)) = (l, as_i64(r)) {
        return integer(Some(i128::from(at.as_nanos()) + n)).into_time();
    }
    if matches!(l, Literal::Null) || matches!(r, Literal::Null) {
        return Literal::Null;
    }
    let lesser = if order(l, r).unwrap().is_le() { (l, r) } else { (r, l) };
    if in_unsigned && operator == Binary::Min {
        return lesser.0.clone();
    }
    if in_unsigned && operator == Binary::Max {
        return lesser.1.clone();
    }
    if in_floats || operator == Binary::Div {
        let (x, y) = (as_f64(l), as_f64(r));
        return Literal::Float(match operator {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / y,
            Binary::Rem => x % y,
            // Either zero comes out as the positive one.
            Binary::Min => as_f64(lesser.0) + 0.0,
            _ => as_f64(lesser.1) + 0.0,
        });
    }
    let (Some(x), Some(y)) = (as_i64(l), as_i64(r)) else { return Literal::Null };
    integer(match operator {
        Binary::Add => Some(x + y),
        Binary::Sub => Some(x - y),
        Binary::Mul => Some(x * y),
        Binary::Rem => (y != 0).then(|| x % y),
        Binary::Min => Some(x.min(y)),
        _ => Some(x.max(y)),
    })
}

trait IntoTime {
    fn into_time(self) -> Literal;
}

impl IntoTime for Literal {
    fn into_time(self) -> Literal {
        if let Literal::Int(nanos) = self { Literal::Time(Instant::from_nanos(nanos)) } else { Literal::Null }
    }
}

/// Whether an expression is of floats, whatever its value in a row.
fn is_float(expr: &Expr) -> bool {
    match expr {
        Expr::Column(name) => name == "f",
        Expr::Literal(value) => matches!(value, Literal::Float(_)),
        Expr::Unary(_, inner) => is_float(inner),
        Expr::Binary(operator, left, right) => {
            *operator == Binary::Div && !(is_nothing(left) && is_nothing(right)) || is_float(left) || is_float(right)
        }
        _ => false,
    }
}

/// Whether an expression is the null literal, or made of it alone.
fn is_nothing(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Literal::Null)) || matches!(expr, Expr::Unary(_, inner) if is_nothing(inner))
}

fn is_unsigned(expr: &Expr) -> bool {
    match expr {
        Expr::Column(name) => name == "u",
        Expr::Literal(value) => matches!(value, Literal::UInt(_) | Literal::Null),
        Expr::Binary(Binary::Min | Binary::Max, left, right) => is_unsigned(left) && is_unsigned(right),
        _ => false,
    }
}

fn as_f64(value: &Literal) -> f64 {
    match value {
        Literal::Int(n) => *n as f64,
        Literal::UInt(n) => *n as f64,
        Literal::Float(x) => *x,
        other => panic!("{other} is no number"),
    }
}

/// An integer that fits 64 bits with sign.
fn as_i64(value: &Literal) -> Option<i128> {
    match value {
        Literal::Int(n) => Some(i128::from(*n)),
        Literal::UInt(n) => i64::try_from(*n).ok().map(i128::from),
        _ => None,
    }
}

fn integer(value: Option<i128>) -> Literal {
    value.and_then(|n| i64::try_from(n).ok()).map_or(Literal::Null, Literal::Int)
}

fn order(l: &Literal, r: &Literal) -> Option<Ordering> {
    Some(match (l, r) {
        (Literal::Null, _) | (_, Literal::Null) => return None,
        (Literal::Bool(l), Literal::Bool(r)) => l.cmp(r),
        (Literal::Text(l), Literal::Text(r)) => l.as_bytes().cmp(r.as_bytes()),
        (Literal::Time(l), Literal::Time(r)) => l.cmp(r),
        (Literal::Float(_), _) | (_, Literal::Float(_)) => {
            let (l, r) = (as_f64(l), as_f64(r));
            if l.is_nan() || r.is_nan() {
                return Some(l.is_nan().cmp(&r.is_nan()));
            }
            if l < r {
                Ordering::Less
            } else if l > r {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        }
        (l, r) => {
            let wide = |value: &Literal| if let Literal::UInt(n) = value { i128::from(*n) } else { as_i64(value).unwrap() };
            wide(l).cmp(&wide(r))
        }
    })
}

fn run(query: &Query, batches: Vec<RecordBatch>) -> Result<Vec<Row>, QueryError> {
    let plan = query.plan(&batch(&[]).schema())?;
    let batches: Vec<RecordBatch> = plan.run(batches.into_iter().map(Ok::<_, QueryError>)).collect::<Result<_, _>>()?;
    Ok(batches.iter().flat_map(rows_of).collect())
}

/// The same rows in batches of these sizes.
fn pieces(rows: &[Row], sizes: &[usize]) -> Vec<RecordBatch> {
    let (mut at, mut pieces) = (0, Vec::new());
    for size in sizes.iter().chain([&rows.len()]) {
        let next = (at + size).min(rows.len());
        pieces.push(batch(&rows[at..next]));
        at = next;
    }
    pieces
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.retain(|row| row[0] != Literal::Null);
    rows.sort_by(|a, b| a[0].cmp(&b[0]));
    rows
}

fn any_aggregates() -> impl Strategy<Value = Vec<Aggregate>> {
    let numeric = prop::sample::select(vec!["u", "b", "f", "t"]);
    let summed = (prop::sample::select(vec![How::Mean, How::Std]), numeric).prop_map(|(how, name)| Aggregate::new(how, name));
    let sum = prop::sample::select(vec!["b", "f", "t"]).prop_map(|name| Aggregate::new(How::Sum, name));
    let others =
        (prop::sample::select(vec![How::Min, How::Max, How::Count, How::First, How::Last]), prop::sample::select(COLUMNS.to_vec()));
    let others = others.prop_map(|(how, name)| Aggregate::new(how, name));
    let numbered = |(at, aggregate): (usize, Aggregate)| aggregate.named(format!("a{at}"));
    prop::collection::vec(prop_oneof![1 => summed, 1 => sum, 3 => others], 1..4)
        .prop_map(move |list| list.into_iter().enumerate().map(numbered).collect())
}

/// An aggregate of rows; the deviation in two passes.
fn aggregate(aggregate: &Aggregate, rows: &[&Row]) -> Literal {
    let column = COLUMNS.iter().position(|name| *name == aggregate.column).unwrap();
    let values: Vec<&Literal> = rows.iter().map(|row| &row[column]).filter(|value| **value != Literal::Null).collect();
    let number = |value: &Literal| if let Literal::Bool(b) = value { f64::from(u8::from(*b)) } else { as_f64(value) };
    let count = values.len() as f64;
    let whole = || {
        values.iter().map(|v| {
            if let Literal::UInt(n) = v {
                i128::from(*n)
            } else if let Literal::Bool(b) = v {
                i128::from(*b)
            } else {
                as_i64(v).unwrap()
            }
        })
    };
    let is_float = aggregate.column == "f";
    let sum = || if is_float { values.iter().map(|value| number(value)).fold(0.0, |sum, x| sum + x) } else { whole().sum::<i128>() as f64 };
    match aggregate.how {
        How::Count => Literal::Int(values.len() as i64),
        _ if values.is_empty() => Literal::Null,
        How::Sum if is_float => Literal::Float(sum()),
        How::Sum => Literal::Int(whole().sum::<i128>() as i64),
        How::Mean => Literal::Float(sum() / count),
        How::Std if values.len() < 2 => Literal::Null,
        How::Std => {
            let mean = values.iter().map(|value| number(value)).sum::<f64>() / count;
            Literal::Float((values.iter().map(|value| number(value) - mean).map(|d| d * d).sum::<f64>() / (count - 1.0)).sqrt())
        }
        How::First => values[0].clone(),
        How::Last => values[values.len() - 1].clone(),
        How::Min => values.iter().fold(values[0], |best, value| if order(value, best).unwrap().is_lt() { value } else { best }).clone(),
        How::Max => values.iter().fold(values[0], |best, value| if order(value, best).unwrap().is_gt() { value } else { best }).clone(),
    }
}

/// Equal, or floats that differ by rounding; where squares overflow, two ways to a deviation may part.
fn is_close(a: &Literal, b: &Literal, how: How) -> bool {
    match (a, b) {
        (Literal::Float(x), Literal::Float(y)) if how == How::Std => {
            !x.is_finite() || !y.is_finite() || (x - y).abs() <= 1e-6 * x.abs().max(y.abs()).max(1.0)
        }
        _ => a == b,
    }
}

fn check_groups(found: &[Row], keys: usize, expected: &[(Row, Vec<&Row>)], aggregates: &[Aggregate]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (row, (key, members)) in found.iter().zip(expected) {
        prop_assert_eq!(&row[..keys], &key[..]);
        for (value, spec) in row[keys..].iter().zip(aggregates) {
            let wanted = aggregate(spec, members);
            prop_assert!(is_close(value, &wanted, spec.how), "{}: {} is not {}", spec, value, wanted);
        }
    }
    Ok(())
}

/// Rows by key, in the order of keys.
fn grouped<'a>(rows: impl IntoIterator<Item = &'a Row>, key: impl Fn(&Row) -> Row) -> Vec<(Row, Vec<&'a Row>)> {
    let mut groups: Vec<(Row, Vec<&Row>)> = Vec::new();
    for row in rows {
        let key = key(row);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn expressions_are_what_the_model_says(rows in any_rows(), condition in any_condition(), number in any_number()) {
        let query = Query::new().select([("truth", condition.clone()), ("number", number.clone())]);
        let found = run(&query, vec![batch(&rows)]).unwrap();
        for (row, found) in rows.iter().zip(&found) {
            prop_assert_eq!(&found[0], &model(&condition, row), "{} in {:?}", condition, row);
            let expected = model(&number, row);
            let is_same = found[1] == expected || order(&found[1], &expected) == Some(Ordering::Equal);
            prop_assert!(is_same, "{} is {} and not {} in {:?}", number, found[1], expected, row);
        }
        let kept: Vec<Row> = rows.iter().filter(|row| model(&condition, row) == Literal::Bool(true)).cloned().collect();
        prop_assert_eq!(run(&Query::new().filter(condition), vec![batch(&rows)]).unwrap(), kept);
    }

    #[test]
    fn no_row_that_matches_is_skipped(rows in any_rows(), one in any_condition(), other in any_condition(), from in -25i64..25, length in 0i64..50,
                                      forgotten in prop::collection::vec(any::<bool>(), 7), loosened in any::<bool>(), is_ranged in any::<bool>()) {
        let range = DateRange::closed(Instant::from_nanos(from), Instant::from_nanos(from + length)).unwrap();
        let query = if is_ranged { Query::new().date_range(range) } else { Query::new() };
        let query = query.filter(one).filter(other);
        let kept = run(&query, vec![batch(&rows)]).unwrap();
        let exact = Statistics::of(&batch(&rows));
        let pushdown = query.pushdown();
        prop_assert!(kept.is_empty() || pushdown.may_match(&exact));
        // Knowing less must never skip more.
        let mut less = exact.clone();
        for (name, _) in COLUMNS.iter().zip(&forgotten).filter(|(_, forgotten)| **forgotten) {
            less.columns.remove(*name);
        }
        for column in less.columns.values_mut().filter(|_| loosened) {
            (column.nulls, column.nans) = (None, None);
            if let Some(Literal::Text(text)) = &mut column.min {
                text.pop();
            }
        }
        prop_assert!(!pushdown.may_match(&exact) || pushdown.may_match(&less));
        prop_assert!(kept.is_empty() || pushdown.may_match(&less));
        // A reader that has only the columns asked for gives the same.
        let projected = Query::new().filter(col("f").gt(0)).columns(["s"]);
        let wanted = projected.pushdown().columns.unwrap();
        prop_assert_eq!(wanted.into_iter().collect::<Vec<_>>(), ["f", "s"]);
        let narrow = batch(&rows).project(&[4, 5]).unwrap();
        prop_assert_eq!(run(&projected, vec![narrow]), run(&projected, vec![batch(&rows)]));
    }

    /// Few rows and one comparison, so that bounds decide.
    #[test]
    fn no_row_that_matches_a_comparison_is_skipped(rows in prop::collection::vec(any_row(), 1..4), at in prop::sample::select(vec![1usize, 2, 3, 4, 4, 4, 5, 6]), is_negated in any::<bool>(),
                                                   value in any_row(), int in any_int(), float in any_float(), kind in 0..3,
                                                   operator in prop::sample::select(vec![Binary::Eq, Binary::Ne, Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge])) {
        let value = match kind {
            1 if at < 5 => Literal::Int(int),
            2 if at < 5 => Literal::Float(float),
            _ => value[at].clone(),
        };
        let compared = Expr::Binary(operator, Box::new(col(COLUMNS[at])), Box::new(Expr::Literal(value)));
        let query = Query::new().filter(if is_negated { !compared } else { compared });
        let kept = run(&query, vec![batch(&rows)]).unwrap();
        prop_assert!(kept.is_empty() || query.pushdown().may_match(&Statistics::of(&batch(&rows))));
        // Of one row that has a value the bounds know all, so what does not match is skipped; of a single NaN they know only that it is one.
        let is_known = rows.len() == 1 && rows[0][at] != Literal::Null && rows[0][at] != Literal::Float(f64::NAN);
        prop_assert!(!is_known || !kept.is_empty() || !query.pushdown().may_match(&Statistics::of(&batch(&rows))));
    }

    #[test]
    fn groups_are_what_the_model_says(rows in any_rows(), aggregates in any_aggregates(), by in prop::sample::subsequence(COLUMNS.to_vec(), 0..3),
                                      sizes in prop::collection::vec(0usize..4, 0..6)) {
        let query = Query::new().group(by.clone(), aggregates.clone());
        let found = run(&query, pieces(&rows, &sizes)).unwrap();
        let keys: Vec<usize> = by.iter().map(|name| COLUMNS.iter().position(|column| column == name).unwrap()).collect();
        let mut expected = grouped(&rows, |row| keys.iter().map(|at| row[*at].clone()).collect());
        if by.is_empty() && expected.is_empty() {
            expected.push((Vec::new(), Vec::new()));
        }
        check_groups(&found, by.len(), &expected, &aggregates)?;
        prop_assert_eq!(format!("{found:?}"), format!("{:?}", run(&query, vec![batch(&rows)]).unwrap()));
    }

    #[test]
    fn bars_are_what_the_model_says(rows in any_rows(), aggregates in any_aggregates(), sizes in prop::collection::vec(0usize..4, 0..6),
                                    every in 1i64..15, origin in -20i64..20, by_text in any::<bool>(), is_open in any::<bool>()) {
        let mut rows = sorted(rows);
        rows.retain(|row| matches!(row[0], Literal::Time(at) if at.as_nanos().unsigned_abs() < 1000));
        let label = if is_open { Label::Open } else { Label::Close };
        let mut bars = Resample::every(Duration::nanos(every)).origin(Instant::from_nanos(origin)).label(label).aggregates(aggregates.clone());
        if by_text {
            bars = bars.by(["s"]);
        }
        let query = Query::new().resample(bars);
        let found = run(&query, pieces(&rows, &sizes)).unwrap();
        let expected = grouped(&rows, |row| {
            let Literal::Time(at) = row[0] else { panic!() };
            // Stepping from the origin instead of dividing.
            let mut start = origin;
            while start > at.as_nanos() {
                start -= every;
            }
            while start + every <= at.as_nanos() {
                start += every;
            }
            let time = Literal::Time(Instant::from_nanos(if is_open { start } else { start + every }));
            if by_text { vec![time, row[5].clone()] } else { vec![time] }
        });
        check_groups(&found, if by_text { 2 } else { 1 }, &expected, &aggregates)?;
        prop_assert_eq!(format!("{found:?}"), format!("{:?}", run(&query, vec![batch(&rows)]).unwrap()));
    }

    #[test]
    fn rows_are_counted_across_batches(rows in any_rows(), sizes in prop::collection::vec(0usize..4, 0..6), from in 0u64..14, to in 0u64..14) {
        let all = pieces(&rows, &sizes);
        let clamp = |n: u64| (n as usize).min(rows.len());
        prop_assert_eq!(&run(&Query::new().head(to), all.clone()).unwrap()[..], &rows[..clamp(to)]);
        prop_assert_eq!(&run(&Query::new().tail(to), all.clone()).unwrap()[..], &rows[rows.len() - clamp(to)..]);
        prop_assert_eq!(&run(&Query::new().rows(from..to), all.clone()).unwrap()[..], &rows[clamp(from).min(clamp(to))..clamp(to)]);
        let both = run(&Query::new().tail(from).head(to), all).unwrap();
        let last = &rows[rows.len() - clamp(from)..];
        prop_assert_eq!(&both[..], &last[..last.len().min(to as usize)]);
    }

    #[test]
    fn ranges_keep_what_they_contain(rows in any_rows(), from in any_int(), to in any_int()) {
        let range = DateRange::new(Instant::from_nanos(from.min(to))..Instant::from_nanos(from.max(to))).unwrap();
        let kept: Vec<Row> = rows.iter().filter(|row| matches!(row[0], Literal::Time(at) if range.contains(at))).cloned().collect();
        prop_assert_eq!(run(&Query::new().date_range(range), vec![batch(&rows)]).unwrap(), kept);
    }

    #[test]
    fn as_of_joins_are_what_the_model_says(left in any_rows(), right in any_rows(), by_text in any::<bool>(), exact in any::<bool>(),
                                           tolerance in prop::option::of(0i64..10), sizes in prop::collection::vec(0usize..4, 0..6),
                                           direction in prop::sample::select(vec![Direction::Backward, Direction::Forward, Direction::Nearest])) {
        let right = sorted(right);
        let mut join = AsOf { direction, exact, ..AsOf::backward() };
        join.tolerance = tolerance.map(Duration::nanos);
        if by_text {
            join = join.by(["s"]);
        }
        let schema = batch(&[]).schema();
        let inputs = |rows: &[Row]| pieces(rows, &sizes).into_iter().map(Ok::<_, QueryError>).collect::<Vec<_>>();
        let joined: Vec<RecordBatch> = join.join(&schema, inputs(&left), &schema, inputs(&right)).unwrap().collect::<Result<_, _>>().unwrap();
        let found: Vec<Row> = joined.iter().flat_map(rows_of).collect();
        prop_assert_eq!(found.len(), left.len());
        for (row, found) in left.iter().zip(&found) {
            prop_assert_eq!(&found[..7], &row[..]);
            let distance = |other: &Row| match (&row[0], &other[0]) {
                (Literal::Time(at), Literal::Time(other)) => Some(i128::from(other.as_nanos()) - i128::from(at.as_nanos())),
                _ => None,
            };
            // The best by looking at all of them, sorted by what is wanted.
            let candidates = right.iter().enumerate().filter(|(_, other)| !by_text || (row[5] != Literal::Null && row[5] == other[5]));
            let candidates = candidates.filter_map(|(at, other)| Some((at, other, distance(other)?)));
            let candidates = candidates.filter(|(_, _, d)| (exact || *d != 0) && tolerance.is_none_or(|reach| d.abs() <= i128::from(reach)));
            let candidates = candidates.filter(|(_, _, d)| match direction {
                Direction::Backward => *d <= 0,
                Direction::Forward => *d >= 0,
                Direction::Nearest => true,
            });
            let best = candidates.min_by_key(|(at, _, d)| {
                let takes_last = *d < 0 || (*d == 0 && direction != Direction::Forward);
                (d.abs(), *d > 0, if takes_last { -(*at as i64) } else { *at as i64 })
            });
            let kept: Vec<usize> = if by_text { vec![0, 1, 2, 3, 4, 6] } else { (0..7).collect() };
            let expected: Row = kept.iter().map(|column| best.map_or(Literal::Null, |(_, other, _)| other[*column].clone())).collect();
            prop_assert_eq!(&found[7..], &expected[..]);
        }
    }
}
