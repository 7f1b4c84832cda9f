//! Values of another type than their field's, in words. Invariant: what the help says to write is of the type that the field wants.

use ron::error::Error as RonError;

use super::probe::Wanted;
use crate::suggest;

/// The longest value that is shown.
const SHOWN: usize = 40;

/// What is wrong with the value of a field, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) cause: String,
    pub(crate) help: Option<String>,
}

impl Misfit {
    /// What an error of the parser means for the value of `field`, of which `wanted` tells the type if it is known. `None` if the error is about
    /// something else.
    pub(crate) fn of(error: &RonError, wanted: Option<Wanted>, field: &str, value: &str) -> Option<Self> {
        let found = if value.len() <= SHOWN && !value.contains('\n') { format!(", found `{value}`") } else { String::new() };
        let inner = value.trim_matches('"');
        let misfit = |expected: &str, help: Option<String>| Some(Self { cause: format!("expected {expected} for `{field}`{found}"), help });
        let is_number = || inner.parse::<f64>().is_ok();
        let unquoted = || (inner != value && is_number()).then(|| format!("write `{inner}`, without quotes"));
        match (error, wanted) {
            (RonError::ExpectedString, Some(Wanted::Type(of))) if of == "duration" => {
                let unit = if is_number() { value } else { "250" };
                misfit("a duration", Some(format!("write it with its unit, such as `\"{unit}ms\"`")))
            }
            (RonError::ExpectedString, Some(Wanted::Type(of))) if of == "instant" => {
                misfit("an instant", Some("write RFC 3339, such as `\"2025-03-25T23:07:00Z\"`".to_owned()))
            }
            (RonError::ExpectedString, wanted) => {
                let is_plain = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "+-._".contains(c));
                misfit("a text", (is_plain && wanted.is_some()).then(|| format!("write `\"{value}\"`")))
            }
            (RonError::ExpectedInteger, _) => misfit("a whole number", unquoted()),
            (RonError::InvalidValueForType { expected, .. }, _) if expected.starts_with("a nonzero u") => {
                misfit("a whole number of at least 1", None)
            }
            (RonError::ExpectedFloat, _) => misfit("a number", unquoted()),
            (RonError::ExpectedBoolean, _) => misfit("true or false", Some("write `true` or `false`, without quotes".to_owned())),
            (RonError::IntegerOutOfBounds, _) => {
                let side = if value.starts_with('-') { "small" } else { "large" };
                Some(Self { cause: format!("`{value}` is too {side} a number for `{field}`"), help: None })
            }
            (RonError::ExpectedArray, _) => {
                let is_one = !found.is_empty() && !value.starts_with(['(', '{']);
                misfit("a list", is_one.then(|| format!("write `[{value}]`")))
            }
            (RonError::ExpectedMap, _) => misfit("a map", Some("write `{\"key\": value}`".to_owned())),
            (RonError::ExpectedStructLike | RonError::ExpectedNamedStructLike(_), Some(Wanted::Fields(fields))) if !fields.is_empty() => {
                misfit("fields in parentheses", Some(format!("write `({}: ..)`; the fields are `{}`", fields[0], fields.join("`, `"))))
            }
            (_, Some(Wanted::Type(of))) if of.contains(" | ") || matches!(error, RonError::ExpectedIdentifier) => {
                let variants: Vec<&str> = of.split(" | ").collect();
                let is_name = matches!(error, RonError::ExpectedIdentifier | RonError::SuggestRawIdentifier(_));
                let help = match variants.iter().find(|variant| **variant == inner) {
                    Some(variant) => Some(format!("write `{variant}`, without quotes")),
                    None => suggest::help(inner, variants.iter().copied()),
                };
                if is_name { misfit("a name", help) } else { None }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: RonError, wanted: Option<&str>, value: &str, cause: &str, help: Option<&str>) {
        let wanted = wanted.map(|of| Wanted::Type(of.to_owned()));
        let misfit = Misfit::of(&error, wanted, "size", value).expect("a value that does not fit");
        assert_eq!((misfit.cause.as_str(), misfit.help.as_deref()), (cause, help));
    }

    #[test]
    fn help_is_of_the_type_that_is_wanted() {
        use RonError::{ExpectedArray, ExpectedIdentifier, ExpectedInteger, ExpectedString, IntegerOutOfBounds};
        let text = Some("text");
        check(ExpectedString, text, "0.02", "expected a text for `size`, found `0.02`", Some("write `\"0.02\"`"));
        check(ExpectedString, text, "BTC", "expected a text for `size`, found `BTC`", Some("write `\"BTC\"`"));
        check(ExpectedString, None, "5", "expected a text for `size`, found `5`", None);
        let duration = Some("write it with its unit, such as `\"5ms\"`");
        check(ExpectedString, Some("duration"), "5", "expected a duration for `size`, found `5`", duration);
        check(ExpectedString, text, "[1]", "expected a text for `size`, found `[1]`", None);
        check(ExpectedInteger, None, "\"3\"", "expected a whole number for `size`, found `\"3\"`", Some("write `3`, without quotes"));
        check(ExpectedInteger, None, "\"many\"", "expected a whole number for `size`, found `\"many\"`", None);
        let zero = || RonError::InvalidValueForType { expected: "a nonzero u32".to_owned(), found: "the unsigned integer `0`".to_owned() };
        check(zero(), None, "0", "expected a whole number of at least 1 for `size`, found `0`", None);
        check(ExpectedArray, None, "\"q\"", "expected a list for `size`, found `\"q\"`", Some("write `[\"q\"]`"));
        check(IntegerOutOfBounds, None, "-1", "`-1` is too small a number for `size`", None);
        let choice = Some("Open | Closed");
        check(ExpectedIdentifier, choice, "\"Open\"", "expected a name for `size`, found `\"Open\"`", Some("write `Open`, without quotes"));
        check(ExpectedIdentifier, choice, "3", "expected a name for `size`, found `3`", Some("there are `Open` and `Closed`"));
        assert_eq!(Misfit::of(&RonError::ExpectedComma, None, "size", "3"), None);
    }
}
