//! What an expression is for every row of a batch, by Arrow's kernels. Invariant: whether it can be computed depends on types alone, so that a
//! plan tried on an empty batch holds for all; what has no value in a row (an overflow, a remainder by zero) is null there.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_arith::{boolean, numeric};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};
use arrow_select::take::take;
use arrow_select::zip::zip;
use regex::Regex;

use super::column::{Kind, array_of, canonical, normal};
use super::expr::{Binary, TextTest, Unary};
use super::{Expr, Literal, QueryError};
use crate::error::help;

/// Expressions that are ready to be evaluated: their regular expressions are compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluator {
    patterns: BTreeMap<String, Regex>,
    step: &'static str,
}

/// A value for every row, or one for all of them.
struct Value {
    array: ArrayRef,
    is_scalar: bool,
}

impl Datum for Value {
    fn get(&self) -> (&dyn Array, bool) {
        (&self.array, self.is_scalar)
    }
}

impl Value {
    fn rows(array: impl Array + 'static) -> Self {
        Self { array: Arc::new(array), is_scalar: false }
    }

    fn kind(&self) -> Option<Kind> {
        Kind::of(self.array.data_type())
    }

    fn with(&self, array: ArrayRef) -> Self {
        Self { array, is_scalar: self.is_scalar }
    }

    fn cast(&self, kind: Kind) -> Result<Self, ArrowError> {
        Ok(self.with(arrow_cast::cast(&self.array, &kind.data_type())?))
    }

    /// One value for each row.
    fn expand(self, rows: usize) -> Result<ArrayRef, ArrowError> {
        if self.is_scalar { take(&self.array, &UInt32Array::from(vec![0; rows]), None) } else { Ok(self.array) }
    }

    /// The type as it was written, or its kind.
    fn found(&self) -> String {
        self.kind().map_or_else(|| format!("{}", self.array.data_type()), |kind| kind.name().to_owned())
    }
}

impl Evaluator {
    /// Gets `exprs` ready for a step of that name.
    pub(super) fn new<'a>(step: &'static str, exprs: impl IntoIterator<Item = &'a Expr>) -> Result<Self, QueryError> {
        let mut patterns = BTreeMap::new();
        let mut fault = None;
        for expr in exprs {
            expr.visit(&mut |part| {
                if let Expr::Text(TextTest::Matches, _, pattern) = part {
                    match Regex::new(pattern) {
                        Ok(regex) => drop(patterns.insert(pattern.clone(), regex)),
                        Err(error) => fault = Some(QueryError::Pattern { pattern: pattern.clone(), why: error.to_string() }),
                    }
                }
            });
        }
        fault.map_or(Ok(Self { patterns, step }), Err)
    }

    /// The value in every row. A column alone is given as it is, with its own type.
    pub(super) fn array(&self, expr: &Expr, batch: &RecordBatch) -> Result<ArrayRef, QueryError> {
        match expr {
            Expr::Column(name) => Ok(Arc::clone(column(batch, name, self.step)?)),
            _ => Ok(self.value(expr, batch)?.expand(batch.num_rows())?),
        }
    }

    /// The rows in which a condition is true.
    pub(super) fn mask(&self, condition: &Expr, batch: &RecordBatch) -> Result<BooleanArray, QueryError> {
        let value = self.boolean(condition, condition, batch)?;
        Ok(value.expand(batch.num_rows())?.as_boolean().clone())
    }

    fn value(&self, expr: &Expr, batch: &RecordBatch) -> Result<Value, QueryError> {
        match expr {
            Expr::Column(name) => {
                let array = column(batch, name, self.step)?;
                // What has no kind can still be asked whether it is null.
                Ok(Value { array: normal(array).unwrap_or_else(|| Arc::clone(array)), is_scalar: false })
            }
            Expr::Literal(value) => Ok(Value { array: array_of(value.column_kind(), [value].into_iter()), is_scalar: true }),
            Expr::Unary(operator, inner) => self.unary(*operator, expr, inner, batch),
            Expr::Binary(operator @ (Binary::And | Binary::Or), left, right) => {
                let rows = batch.num_rows();
                let left = self.boolean(left, expr, batch)?.expand(rows)?;
                let right = self.boolean(right, expr, batch)?.expand(rows)?;
                let kernel = if *operator == Binary::And { boolean::and_kleene } else { boolean::or_kleene };
                Ok(Value::rows(kernel(left.as_boolean(), right.as_boolean())?))
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, batch)?, self.value(right, batch)?);
                match operator {
                    operator if operator.is_comparison() => compare(expr, *operator, &left, &right, batch.num_rows()),
                    Binary::Min | Binary::Max => extreme(expr, *operator, &left, &right, batch.num_rows()),
                    _ => arithmetic(expr, *operator, &left, &right, batch.num_rows()),
                }
            }
            Expr::In(inner, values) => self.is_in(expr, inner, values, batch),
            Expr::Text(test, inner, text) => self.text(expr, *test, inner, text, batch),
        }
    }

    /// A value that must be true, false or null; `user` is what needs it.
    fn boolean(&self, expr: &Expr, user: &Expr, batch: &RecordBatch) -> Result<Value, QueryError> {
        let value = self.value(expr, batch)?;
        match value.kind() {
            Some(Kind::Bool) => Ok(value),
            Some(Kind::Null) => Ok(value.cast(Kind::Bool)?),
            _ if std::ptr::eq(expr, user) => Err(QueryError::Type {
                expression: self.step.to_owned(),
                expected: "a condition",
                found: format!("`{expr}`, which is {}", value.found()),
            }),
            _ => Err(refused(user, "true or false", &value)),
        }
    }

    fn unary(&self, operator: Unary, expr: &Expr, inner: &Expr, batch: &RecordBatch) -> Result<Value, QueryError> {
        if operator == Unary::Not {
            let value = self.boolean(inner, expr, batch)?;
            return Ok(value.with(Arc::new(boolean::not(value.array.as_boolean())?)));
        }
        let value = self.value(inner, batch)?;
        if operator == Unary::IsNull {
            return Ok(value.with(Arc::new(boolean::is_null(&value.array)?)));
        }
        let array: ArrayRef = match (operator, value.kind()) {
            (_, Some(Kind::Null)) => Arc::clone(&value.array),
            (Unary::Neg, Some(Kind::Float)) => numeric::neg(&value.array)?,
            (_, Some(Kind::Float)) => Arc::new(value.array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::abs)),
            (_, Some(Kind::Int | Kind::UInt)) => {
                let integers = value.cast(Kind::Int)?;
                let operation = if operator == Unary::Neg { i64::checked_neg } else { i64::checked_abs };
                Arc::new(integers.array.as_primitive::<Int64Type>().unary_opt::<_, Int64Type>(operation))
            }
            _ => return Err(refused(expr, "a number", &value)),
        };
        Ok(value.with(array))
    }

    fn is_in(&self, expr: &Expr, inner: &Expr, values: &[Literal], batch: &RecordBatch) -> Result<Value, QueryError> {
        let rows = batch.num_rows();
        let value = self.value(inner, batch)?;
        // In no list a known value is not, and of an unknown one nothing is known.
        let is_null = value.with(Arc::new(boolean::is_null(&value.array)?)).expand(rows)?;
        let nulls = NullBuffer::new(!is_null.as_boolean().values());
        let mut found = BooleanArray::new(arrow_buffer::BooleanBuffer::new_unset(rows), Some(nulls));
        for literal in values {
            let other = Value { array: array_of(literal.column_kind(), [literal].into_iter()), is_scalar: true };
            let equal = compare(expr, Binary::Eq, &value, &other, rows)?.expand(rows)?;
            found = boolean::or_kleene(&found, equal.as_boolean())?;
        }
        Ok(Value::rows(found))
    }

    fn text(&self, expr: &Expr, test: TextTest, inner: &Expr, text: &str, batch: &RecordBatch) -> Result<Value, QueryError> {
        let value = self.value(inner, batch)?;
        let value = match value.kind() {
            Some(Kind::Text) => value,
            Some(Kind::Null) => value.cast(Kind::Text)?,
            _ => return Err(refused(expr, "text", &value)),
        };
        let pattern = self.patterns.get(text);
        let holds = |value: &str| match test {
            TextTest::StartsWith => value.starts_with(text),
            TextTest::EndsWith => value.ends_with(text),
            TextTest::Contains => value.contains(text),
            TextTest::Matches => pattern.is_some_and(|pattern| pattern.is_match(value)),
        };
        let found: BooleanArray = value.array.as_string::<i32>().iter().map(|value| value.map(holds)).collect();
        Ok(value.with(Arc::new(found)))
    }
}

/// A column of a batch.
pub(super) fn column<'a>(batch: &'a RecordBatch, name: &str, step: &str) -> Result<&'a ArrayRef, QueryError> {
    batch.column_by_name(name).ok_or_else(|| {
        let schema = batch.schema();
        let help = help(name, schema.fields().iter().map(|field| field.name().as_str()));
        QueryError::UnknownColumn { name: name.to_owned(), step: step.to_owned(), help }
    })
}

fn refused(expr: &Expr, expected: &'static str, found: &Value) -> QueryError {
    QueryError::Type { expression: expr.to_string(), expected, found: found.found() }
}

fn refused_pair(expr: &Expr, expected: &'static str, left: &Value, right: &Value) -> QueryError {
    QueryError::Type { expression: expr.to_string(), expected, found: format!("{} and {}", left.found(), right.found()) }
}

/// Both in one type in which comparing them is comparing what they mean. `None` if there is none.
fn comparable(left: &Value, right: &Value) -> Result<Option<(Value, Value)>, ArrowError> {
    let (Some(l), Some(r)) = (left.kind(), right.kind()) else { return Ok(None) };
    // 20 digits hold every i64 and every u64.
    let wide = |value: &Value| Ok::<_, ArrowError>(value.with(arrow_cast::cast(&value.array, &DataType::Decimal128(20, 0))?));
    Ok(match (l, r) {
        (Kind::Float, r) | (r, Kind::Float) if r.is_number() => Some((canonical_floats(left)?, canonical_floats(right)?)),
        (Kind::Int, Kind::UInt) | (Kind::UInt, Kind::Int) => Some((wide(left)?, wide(right)?)),
        (l, r) if l == r && l != Kind::Null => Some((left.cast(l)?, right.cast(r)?)),
        _ => None,
    })
}

fn canonical_floats(value: &Value) -> Result<Value, ArrowError> {
    let floats = value.cast(Kind::Float)?;
    Ok(floats.with(Arc::new(canonical(floats.array.as_primitive::<Float64Type>()))))
}

fn is_null_operand(left: &Value, right: &Value) -> bool {
    left.kind() == Some(Kind::Null) && right.kind().is_some() || right.kind() == Some(Kind::Null) && left.kind().is_some()
}

fn compare(expr: &Expr, operator: Binary, left: &Value, right: &Value, rows: usize) -> Result<Value, QueryError> {
    if is_null_operand(left, right) {
        return Ok(Value::rows(BooleanArray::new_null(rows)));
    }
    let Some((l, r)) = comparable(left, right)? else {
        return Err(refused_pair(expr, "two numbers, texts, instants or truths", left, right));
    };
    let kernel = match operator {
        Binary::Eq => cmp::eq,
        Binary::Ne => cmp::neq,
        Binary::Lt => cmp::lt,
        Binary::Le => cmp::lt_eq,
        Binary::Gt => cmp::gt,
        _ => cmp::gt_eq,
    };
    Ok(Value { array: Arc::new(kernel(&l, &r)?), is_scalar: l.is_scalar && r.is_scalar })
}

/// The lesser or the greater of two, null where one of them is.
fn extreme(expr: &Expr, operator: Binary, left: &Value, right: &Value, rows: usize) -> Result<Value, QueryError> {
    let expected = "two numbers or two instants";
    let (l, r) = match (left.kind(), right.kind()) {
        (Some(Kind::Null), _) => return Ok(right.with(new_null_array(right.array.data_type(), right.array.len()))),
        (_, Some(Kind::Null)) => return Ok(left.with(new_null_array(left.array.data_type(), left.array.len()))),
        (Some(Kind::Float), Some(r)) if r.is_number() => (canonical_floats(left)?, canonical_floats(right)?),
        (Some(l), Some(Kind::Float)) if l.is_number() => (canonical_floats(left)?, canonical_floats(right)?),
        (Some(l), Some(r)) if l.is_number() && r.is_number() && l != r => (left.cast(Kind::Int)?, right.cast(Kind::Int)?),
        (Some(l), Some(r)) if l == r && (l.is_number() || l == Kind::Time) => (left.cast(l)?, right.cast(r)?),
        _ => return Err(refused_pair(expr, expected, left, right)),
    };
    let (l, r) = (l.expand(rows)?, r.expand(rows)?);
    let takes_left = if operator == Binary::Min { cmp::lt_eq(&l, &r)? } else { cmp::gt_eq(&l, &r)? };
    let chosen = zip(&takes_left, &l, &r)?;
    // Where one is null, so is the comparison.
    let unknown = boolean::is_null(&takes_left)?;
    Ok(Value { array: arrow_select::nullif::nullif(&chosen, &unknown)?, is_scalar: false })
}

fn arithmetic(expr: &Expr, operator: Binary, left: &Value, right: &Value, rows: usize) -> Result<Value, QueryError> {
    let expected = match operator {
        Binary::Add => "two numbers, or an instant and nanoseconds",
        Binary::Sub => "two numbers, two instants, or an instant and nanoseconds",
        _ => "two numbers",
    };
    let (l, r) = (left.kind(), right.kind());
    // A null takes the other's type.
    let (l, r) = (if l == Some(Kind::Null) { r } else { l }, if r == Some(Kind::Null) { l } else { r });
    let as_time = |value: Value| -> Value {
        let nanos = value.array.as_primitive::<Int64Type>().reinterpret_cast::<TimestampNanosecondType>();
        value.with(Arc::new(nanos.with_timezone("UTC")))
    };
    match (l, operator, r) {
        (Some(Kind::Null), _, Some(Kind::Null)) => Ok(Value::rows(Int64Array::new_null(rows))),
        (Some(l), _, Some(r)) if l.is_number() && r.is_number() => {
            if l == Kind::Float || r == Kind::Float || operator == Binary::Div {
                floats(operator, left, right)
            } else {
                integers(operator, &left.cast(Kind::Int)?, &right.cast(Kind::Int)?, rows)
            }
        }
        (Some(Kind::Time), Binary::Sub, Some(Kind::Time)) => integers(operator, &nanos(left)?, &nanos(right)?, rows),
        (Some(Kind::Time), Binary::Add | Binary::Sub, Some(Kind::Int)) | (Some(Kind::Int), Binary::Add, Some(Kind::Time)) => {
            integers(operator, &nanos(left)?, &nanos(right)?, rows).map(as_time)
        }
        _ => Err(refused_pair(expr, expected, left, right)),
    }
}

/// Instants as nanoseconds.
fn nanos(value: &Value) -> Result<Value, ArrowError> {
    match value.kind() {
        Some(Kind::Time) => Ok(value.with(Arc::new(value.array.as_primitive::<TimestampNanosecondType>().reinterpret_cast::<Int64Type>()))),
        _ => value.cast(Kind::Int),
    }
}

fn floats(operator: Binary, left: &Value, right: &Value) -> Result<Value, QueryError> {
    let (left, right) = (left.cast(Kind::Float)?, right.cast(Kind::Float)?);
    let array = match operator {
        Binary::Add => numeric::add(&left, &right)?,
        Binary::Sub => numeric::sub(&left, &right)?,
        Binary::Mul => numeric::mul(&left, &right)?,
        Binary::Div => numeric::div(&left, &right)?,
        _ => numeric::rem(&left, &right)?,
    };
    Ok(Value { array, is_scalar: left.is_scalar && right.is_scalar })
}

fn integers(operator: Binary, left: &Value, right: &Value, rows: usize) -> Result<Value, QueryError> {
    let checked = match operator {
        Binary::Add => numeric::add(left, right),
        Binary::Sub => numeric::sub(left, right),
        Binary::Mul => numeric::mul(left, right),
        _ => numeric::rem(left, right),
    };
    if let Ok(array) = checked {
        return Ok(Value { array, is_scalar: left.is_scalar && right.is_scalar });
    }
    // Some row has no result, and the kernels give up the whole array for it.
    let operation = |a: i64, b: i64| match operator {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        _ => (b != 0).then(|| a.wrapping_rem(b)),
    };
    let (left, right) = (left.with(Arc::clone(&left.array)).expand(rows)?, right.with(Arc::clone(&right.array)).expand(rows)?);
    let pairs = left.as_primitive::<Int64Type>().iter().zip(right.as_primitive::<Int64Type>());
    Ok(Value::rows(pairs.map(|(a, b)| operation(a?, b?)).collect::<Int64Array>()))
}
