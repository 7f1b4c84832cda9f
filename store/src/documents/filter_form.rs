//! Filters as JSON, in the language that document stores have in common. Invariant: what was written is read as the same filter.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};

use super::filter::{Filter, Pattern, Test};
use super::order::Class;
use super::{DocumentError, Path};

const BELOW_PATHS: &str = "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $regex, $not";
const BESIDE_PATHS: &str = "$and, $or, $nor";

pub(super) fn read(form: &Value) -> Result<Filter, DocumentError> {
    let Value::Object(entries) = form else {
        return Err(wrong("", format!("it is {}, and should be an object such as {{\"price\": {{\"$gt\": 5}}}}", Class::of(form).name())));
    };
    let mut filters = entries.iter().map(|(name, operand)| entry(name, operand)).collect::<Result<Vec<_>, _>>()?;
    Ok(if filters.len() == 1 { filters.remove(0) } else { Filter::All(filters) })
}

fn entry(name: &str, operand: &Value) -> Result<Filter, DocumentError> {
    match name {
        "$and" => Ok(Filter::All(filters(name, operand)?)),
        "$or" => Ok(Filter::Any(filters(name, operand)?)),
        "$nor" => {
            let mut filters = filters(name, operand)?;
            Ok(!if filters.len() == 1 { filters.remove(0) } else { Filter::Any(filters) })
        }
        _ if name.starts_with('$') => Err(wrong(name, format!("there is no such operator beside paths; there are {BESIDE_PATHS}"))),
        _ => {
            let path = Path::new(name);
            path.check()?;
            below(&path, operand)
        }
    }
}

fn filters(name: &str, operand: &Value) -> Result<Vec<Filter>, DocumentError> {
    list(name, operand)?.iter().map(read).collect()
}

fn list<'a>(place: &str, operand: &'a Value) -> Result<&'a Vec<Value>, DocumentError> {
    operand.as_array().ok_or_else(|| wrong(place, format!("it takes a list, not {}", Class::of(operand).name())))
}

/// What stands below a path: operators, or a value to be equal to.
fn below(path: &Path, operand: &Value) -> Result<Filter, DocumentError> {
    let Value::Object(operators) = operand else { return Ok(Filter::Field(path.clone(), Test::Eq(operand.clone()))) };
    let of_operators = operators.keys().filter(|name| name.starts_with('$')).count();
    if of_operators == 0 {
        return Ok(Filter::Field(path.clone(), Test::Eq(operand.clone())));
    }
    if of_operators < operators.len() {
        let why = "it mixes operators with fields; write {\"$eq\": ...} to compare with an object".into();
        return Err(wrong(&path.to_string(), why));
    }
    let mut tests = operators.iter().map(|(name, operand)| operator(path, name, operand)).collect::<Result<Vec<_>, _>>()?;
    Ok(if tests.len() == 1 { tests.remove(0) } else { Filter::All(tests) })
}

fn operator(path: &Path, name: &str, operand: &Value) -> Result<Filter, DocumentError> {
    let place = format!("{path}.{name}");
    let test = |test| Filter::Field(path.clone(), test);
    Ok(match name {
        "$eq" => test(Test::Eq(operand.clone())),
        "$ne" => !test(Test::Eq(operand.clone())),
        "$gt" => test(Test::Gt(operand.clone())),
        "$gte" => test(Test::Gte(operand.clone())),
        "$lt" => test(Test::Lt(operand.clone())),
        "$lte" => test(Test::Lte(operand.clone())),
        "$in" => test(Test::In(list(&place, operand)?.clone())),
        "$nin" => !test(Test::In(list(&place, operand)?.clone())),
        "$exists" => {
            let wanted =
                operand.as_bool().ok_or_else(|| wrong(&place, format!("it takes true or false, not {}", Class::of(operand).name())))?;
            test(Test::Exists(wanted))
        }
        "$regex" => {
            let text = operand.as_str().ok_or_else(|| wrong(&place, format!("it takes a string, not {}", Class::of(operand).name())))?;
            test(Test::Regex(Pattern::new(text)?))
        }
        "$not" if operand.as_object().is_some_and(|inner| inner.keys().any(|name| name.starts_with('$'))) => !below(path, operand)?,
        "$not" => return Err(wrong(&place, "it takes operators, such as {\"$not\": {\"$gt\": 5}}".into())),
        _ => return Err(wrong(&place, format!("there is no such operator below a path; there are {BELOW_PATHS}"))),
    })
}

fn wrong(place: &str, why: String) -> DocumentError {
    DocumentError::Filter { place: place.to_owned(), why }
}

fn write(filter: &Filter) -> Value {
    let all = |filters: &[Filter]| filters.iter().map(write).collect::<Vec<_>>();
    match filter {
        Filter::All(filters) if filters.is_empty() => json!({}),
        Filter::All(filters) => json!({ "$and": all(filters) }),
        Filter::Any(filters) => json!({ "$or": all(filters) }),
        Filter::Not(inner) => match &**inner {
            Filter::Field(path, Test::Eq(value)) => at(path, json!({ "$ne": value })),
            Filter::Field(path, Test::In(values)) => at(path, json!({ "$nin": values })),
            Filter::Field(path, test) => at(path, json!({ "$not": operators(test) })),
            Filter::Any(filters) if filters.len() != 1 => json!({ "$nor": all(filters) }),
            inner => json!({ "$nor": [write(inner)] }),
        },
        // An object must not be taken for operators.
        Filter::Field(path, Test::Eq(value)) if !value.is_object() => at(path, value.clone()),
        Filter::Field(path, test) => at(path, operators(test)),
    }
}

fn at(path: &Path, operand: Value) -> Value {
    Value::Object(Map::from_iter([(path.to_string(), operand)]))
}

fn operators(test: &Test) -> Value {
    match test {
        Test::Eq(value) => json!({ "$eq": value }),
        Test::Gt(bound) => json!({ "$gt": bound }),
        Test::Gte(bound) => json!({ "$gte": bound }),
        Test::Lt(bound) => json!({ "$lt": bound }),
        Test::Lte(bound) => json!({ "$lte": bound }),
        Test::In(values) => json!({ "$in": values }),
        Test::Exists(wanted) => json!({ "$exists": wanted }),
        Test::Regex(pattern) => json!({ "$regex": pattern.as_str() }),
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
