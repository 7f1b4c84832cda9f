//! Single values. Invariant: equality, order and hash agree: NaN equals NaN and is the greatest number, and -0.0 equals 0.0.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use arrow_array::Array;
use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, canonical_bits};

use super::column::Column;

/// A value in an expression, a bound in statistics, or a key of a group.
///
/// Its order puts null first, then goes by kind; [`Literal::compare`] compares numbers of different kinds by their value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Literal {
    /// Unknown.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number of a column of unsigned 64 bits.
    UInt(u64),
    /// A number with a fraction. JSON has no text for NaN and the infinities; RON has.
    Float(f64),
    /// Text in UTF-8.
    Text(String),
    /// An instant.
    Time(Instant),
}

impl Literal {
    /// The value of an array at a row; `None` if the array's type is none that expressions know, or there is no such row.
    pub fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        let array = (row < array.len()).then(|| array.slice(row, 1))?;
        Column::of(&array).map(|column| column.literal(0))
    }

    /// Compares as the operators `<`, `==` and so on do: `None` if a value is null or the kinds cannot be compared.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Float(_), _) | (_, Self::Float(_)) => total(self.as_f64()?, other.as_f64()?),
            _ => self.as_i128()?.cmp(&other.as_i128()?),
        })
    }

    /// Whether it is the float that is no number.
    pub(super) fn is_nan(&self) -> bool {
        matches!(self, Self::Float(x) if x.is_nan())
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::UInt(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    fn as_i128(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(i128::from(*n)),
            Self::UInt(n) => Some(i128::from(*n)),
            _ => None,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::UInt(_) => 3,
            Self::Float(_) => 4,
            Self::Text(_) => 5,
            Self::Time(_) => 6,
        }
    }
}

/// The order of floats: by value, NaN last.
pub(super) fn total(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

impl Ord for Literal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.kind().cmp(&other.kind()).then_with(|| self.compare(other).unwrap_or(Ordering::Equal))
    }
}

impl PartialOrd for Literal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Literal {}

impl Hash for Literal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(b) => b.hash(state),
            Self::Int(n) => n.hash(state),
            Self::UInt(n) => n.hash(state),
            Self::Float(x) => canonical_bits(*x).hash(state),
            Self::Text(text) => text.hash(state),
            Self::Time(at) => at.hash(state),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::UInt(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Time(at) => write!(f, "{at}"),
        }
    }
}

macro_rules! literal_from {
    ($($type:ty => |$value:ident| $literal:expr),* $(,)?) => {$(
        impl From<$type> for Literal {
            fn from($value: $type) -> Self {
                $literal
            }
        }
    )*};
}

literal_from! {
    bool => |value| Self::Bool(value),
    i32 => |value| Self::Int(i64::from(value)),
    u8 => |value| Self::Int(i64::from(value)),
    u32 => |value| Self::Int(i64::from(value)),
    i64 => |value| Self::Int(value),
    u64 => |value| i64::try_from(value).map_or(Self::UInt(value), Self::Int),
    f64 => |value| Self::Float(value),
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    Instant => |value| Self::Time(value),
}
