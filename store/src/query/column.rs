//! A column as one of six kinds, whatever its width on disk. Invariant: the kind of a column depends on its Arrow type alone.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, PrimitiveArray, StringArray, TimestampNanosecondArray, UInt64Array,
    new_null_array,
};
use arrow_schema::{DataType, TimeUnit};
use stillpoint_engine::Instant;

use super::Literal;

/// What a type is to expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Always null.
    Null,
    Bool,
    /// Every integer but `u64`.
    Int,
    /// `u64`.
    UInt,
    Float,
    Text,
    Time,
}

impl Kind {
    /// The kind of an Arrow type; `None` if expressions cannot look inside (lists, decimals, dates, binary).
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool,
            DataType::UInt64 => Self::UInt,
            integer if integer.is_integer() => Self::Int,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Float,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Timestamp(_, _) => Self::Time,
            DataType::Dictionary(_, value) => Self::of(value)?,
            _ => return None,
        })
    }

    /// The type in which expressions compute.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::UInt => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::UInt | Self::Float)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int => "an integer",
            Self::UInt => "an unsigned integer",
            Self::Float => "a float",
            Self::Text => "text",
            Self::Time => "an instant",
        }
    }
}

/// The array in the type of its kind. `None` if it has no kind.
pub(super) fn normal(array: &ArrayRef) -> Option<ArrayRef> {
    let kind = Kind::of(array.data_type())?;
    let wanted = kind.data_type();
    if *array.data_type() == wanted {
        return Some(Arc::clone(array));
    }
    let plain = match array.data_type() {
        DataType::Dictionary(_, value) => arrow_cast::cast(array, value).ok()?,
        _ => Arc::clone(array),
    };
    match plain.data_type() {
        // The zone says how a time is shown, not when it is, so it is replaced, not converted.
        DataType::Timestamp(_, zone) => {
            let nanos = arrow_cast::cast(&plain, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone())).ok()?;
            Some(Arc::new(nanos.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC")))
        }
        _ => arrow_cast::cast(&plain, &wanted).ok(),
    }
}

/// Floats with one NaN and one zero, so that Arrow's total order is the order of [`Literal`].
pub(super) fn canonical(array: &Float64Array) -> Float64Array {
    array.unary(|x| if x.is_nan() { f64::NAN } else { x + 0.0 })
}

/// The values of a column, of their kind. A column that is always null counts as booleans.
pub(super) enum Column {
    Bool(BooleanArray),
    Int(Int64Array),
    UInt(UInt64Array),
    Float(Float64Array),
    Text(StringArray),
    Time(TimestampNanosecondArray),
}

impl Column {
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
        let array = normal(array)?;
        Some(match Kind::of(array.data_type())? {
            Kind::Null => Self::Bool(BooleanArray::new_null(array.len())),
            Kind::Bool => Self::Bool(array.as_boolean().clone()),
            Kind::Int => Self::Int(array.as_primitive::<Int64Type>().clone()),
            Kind::UInt => Self::UInt(array.as_primitive::<UInt64Type>().clone()),
            Kind::Float => Self::Float(array.as_primitive::<Float64Type>().clone()),
            Kind::Text => Self::Text(array.as_string::<i32>().clone()),
            Kind::Time => Self::Time(array.as_primitive::<TimestampNanosecondType>().clone()),
        })
    }

    pub(super) fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => array,
            Self::Int(array) => array,
            Self::UInt(array) => array,
            Self::Float(array) => array,
            Self::Text(array) => array,
            Self::Time(array) => array,
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array().is_null(row)
    }

    pub(super) fn literal(&self, row: usize) -> Literal {
        if self.is_null(row) {
            return Literal::Null;
        }
        match self {
            Self::Bool(array) => Literal::Bool(array.value(row)),
            Self::Int(array) => Literal::Int(array.value(row)),
            Self::UInt(array) => Literal::UInt(array.value(row)),
            Self::Float(array) => Literal::Float(array.value(row)),
            Self::Text(array) => Literal::Text(array.value(row).to_owned()),
            Self::Time(array) => Literal::Time(Instant::from_nanos(array.value(row))),
        }
    }

    /// Whether the row holds that value, without making a literal of it.
    pub(super) fn holds(&self, row: usize, value: &Literal) -> bool {
        match (self, value) {
            (Self::Text(array), Literal::Text(text)) => !array.is_null(row) && array.value(row) == text,
            _ => self.literal(row) == *value,
        }
    }
}

/// An array of values of one kind.
pub(super) fn array_of<'a>(kind: Kind, values: impl ExactSizeIterator<Item = &'a Literal>) -> ArrayRef {
    fn primitive<'a, T: arrow_array::ArrowPrimitiveType>(
        values: impl Iterator<Item = &'a Literal>,
        value: impl Fn(&Literal) -> Option<T::Native>,
    ) -> PrimitiveArray<T> {
        values.map(value).collect()
    }
    match kind {
        Kind::Null => new_null_array(&DataType::Null, values.len()),
        Kind::Bool => Arc::new(values.map(|value| if let Literal::Bool(b) = value { Some(*b) } else { None }).collect::<BooleanArray>()),
        Kind::Int => Arc::new(primitive::<Int64Type>(values, |value| if let Literal::Int(n) = value { Some(*n) } else { None })),
        Kind::UInt => Arc::new(primitive::<UInt64Type>(values, |value| if let Literal::UInt(n) = value { Some(*n) } else { None })),
        Kind::Float => Arc::new(primitive::<Float64Type>(values, |value| if let Literal::Float(x) = value { Some(*x) } else { None })),
        Kind::Text => {
            Arc::new(values.map(|value| if let Literal::Text(text) = value { Some(text) } else { None }).collect::<StringArray>())
        }
        Kind::Time => {
            let nanos = |value: &Literal| if let Literal::Time(at) = value { Some(at.as_nanos()) } else { None };
            Arc::new(primitive::<TimestampNanosecondType>(values, nanos).with_timezone("UTC"))
        }
    }
}

impl Literal {
    /// The kind of column that would hold it.
    pub(super) fn column_kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::UInt(_) => Kind::UInt,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::Time(_) => Kind::Time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_floats_have_one_zero_and_one_nan() {
        let floats = canonical(&Float64Array::from(vec![-0.0, 0.0, -f64::NAN, f64::INFINITY]));
        let bits: Vec<u64> = floats.values().iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, [0.0f64, 0.0, f64::NAN, f64::INFINITY].map(f64::to_bits));
    }
}
