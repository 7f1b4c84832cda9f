//! The one total order of JSON values. Invariant: values are equal in it exactly if they are the same value, whatever the notation of numbers.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Compares two JSON values: null < numbers < strings < objects < lists < booleans, the order of the kinds in MongoDB.
///
/// * Numbers compare by their exact value: 1 equals 1.0, and 9007199254740993 is greater than 9007199254740992.0.
/// * Strings compare by their bytes in UTF-8, which is the order of their characters' code points.
/// * Objects compare as lists of (name, value) sorted by name; where one is the beginning of the other, the shorter one comes first.
/// * Lists compare element by element; where one is the beginning of the other, the shorter one comes first.
/// * false < true.
///
/// ```
/// use serde_json::json;
/// use std::cmp::Ordering;
/// use stillpoint_store::documents::compare;
/// assert_eq!(compare(&json!(1), &json!(1.0)), Ordering::Equal);
/// assert_eq!(compare(&json!([1, 2]), &json!([1, 2, 0])), Ordering::Less);
/// assert_eq!(compare(&json!("9"), &json!(10)), Ordering::Greater);
/// ```
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let (a, b) = (sorted(a), sorted(b));
            let unequal = a.iter().zip(&b).map(|(a, b)| a.0.cmp(b.0).then_with(|| compare(a.1, b.1))).find(|order| order.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => Class::of(a).cmp(&Class::of(b)),
    }
}

/// The fields by name. A build may keep them in the order in which they were written; that order means nothing.
fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// The kinds of JSON values in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Null,
    Number,
    String,
    Object,
    List,
    Boolean,
}

impl Class {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Object(_) => Self::Object,
            Value::Array(_) => Self::List,
            Value::Bool(_) => Self::Boolean,
        }
    }

    /// The least value of this kind.
    pub(super) fn least(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number => Value::from(f64::MIN),
            Self::String => Value::from(""),
            Self::Object => Value::Object(serde_json::Map::new()),
            Self::List => Value::Array(Vec::new()),
            Self::Boolean => Value::from(false),
        }
    }

    /// What a value of this kind is called in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Object => "an object",
            Self::List => "a list",
            Self::Boolean => "a boolean",
        }
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => whole_against_float(a, float(b)),
        (None, Some(b)) => whole_against_float(b, float(a)).reverse(),
        // JSON has no NaN, so floats are always comparable.
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

/// The number if it is written as a whole one (64 bits, signed or not).
pub(super) fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

pub(super) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// Exact, where turning `whole` into a float would round. `whole` has at most 64 bits.
fn whole_against_float(whole: i128, float: f64) -> Ordering {
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float <= -BEYOND {
        return Ordering::Greater;
    }
    whole.cmp(&(float.trunc() as i128)).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}

/// A JSON value as a key of maps, in the order of [`compare`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Value);

impl Key {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The value itself.
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl From<Value> for Key {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_list_of_values_in_order() {
        let sorted = [
            json!(null),
            json!(f64::MIN),
            json!(i64::MIN),
            json!(-1.5),
            json!(-1),
            json!(0),
            json!(0.5),
            json!(9_007_199_254_740_992.0),
            json!(9_007_199_254_740_993_i64),
            json!(u64::MAX),
            json!(18_446_744_073_709_551_616.0),
            json!(f64::MAX),
            json!(""),
            json!("A"),
            json!("a"),
            json!("aa"),
            json!({}),
            json!({"a": 1}),
            json!({"a": 1, "b": 0}),
            json!({"a": 2}),
            json!([]),
            json!([null]),
            json!([1, 2]),
            json!([1, 2, 0]),
            json!([2]),
            json!(false),
            json!(true),
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} against {b}");
            }
        }
        assert_eq!(compare(&json!(-0.0), &json!(0)), Ordering::Equal);
    }

    fn number() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (-4..4_i64).prop_map(Value::from),
            (any::<i64>(), -2.0..2.0).prop_map(|(near, by): (i64, f64)| Value::from(near as f64 + by)),
        ]
    }

    proptest! {
        #[test]
        fn numbers_are_totally_ordered(mut all in prop::collection::vec(number(), 3)) {
            all.sort_by(compare);
            prop_assert!(compare(&all[0], &all[1]).is_le() && compare(&all[1], &all[2]).is_le() && compare(&all[0], &all[2]).is_le());
            prop_assert_eq!(compare(&all[0], &all[2]), compare(&all[2], &all[0]).reverse());
        }
    }
}
