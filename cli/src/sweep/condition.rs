//! Conditions between parameters, such as `fast < slow`. Invariant: a condition is decided by numbers alone.

use stillpoint_engine::suggest;

use super::steps::number;

/// Two operands and how they must compare.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    left: Operand,
    right: Operand,
    compare: Compare,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    /// The parameter of this index.
    Parameter(usize),
    Number(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

/// Longer signs first: `<=` is no `<`.
const SIGNS: [(&str, Compare); 6] = [
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("==", Compare::Equal),
    ("!=", Compare::Unequal),
    ("<", Compare::Below),
    (">", Compare::Above),
];

impl Condition {
    /// Reads a condition on parameters of these names. The error is its cause and what to do.
    pub(super) fn parse(text: &str, names: &[&str]) -> Result<Self, (String, Option<String>)> {
        let Some((sign, compare)) = SIGNS.into_iter().find(|(sign, _)| text.contains(sign)) else {
            return Err((format!("`{text}` compares nothing"), Some("write such as \"fast < slow\" or \"size <= 10\"".to_owned())));
        };
        let (left, right) = text.split_once(sign).expect("the sign is there");
        let operand = |text: &str| {
            let text = text.trim();
            if let Some(index) = names.iter().position(|name| *name == text) {
                return Ok(Operand::Parameter(index));
            }
            number(text)
                .map(Operand::Number)
                .ok_or_else(|| (format!("there is no parameter `{text}`"), suggest::help(text, names.iter().copied())))
        };
        Ok(Self { left: operand(left)?, right: operand(right)?, compare, text: text.to_owned() })
    }

    /// Whether a set of values meets it.
    pub(super) fn holds(&self, values: &[String]) -> Result<bool, String> {
        let value = |operand: &Operand| match operand {
            Operand::Number(number) => Ok(*number),
            Operand::Parameter(index) => number(&values[*index])
                .ok_or_else(|| format!("`{}` cannot be decided: {} is neither a number nor a duration", self.text, values[*index])),
        };
        let (left, right) = (value(&self.left)?, value(&self.right)?);
        Ok(match self.compare {
            Compare::Below => left < right,
            Compare::AtMost => left <= right,
            Compare::Above => left > right,
            Compare::AtLeast => left >= right,
            Compare::Equal => left == right,
            Compare::Unequal => left != right,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_by_hand() {
        let values = ["10", "20.0", "\"250ms\""].map(str::to_owned);
        for (text, expected) in [
            ("fast < slow", true),
            ("slow<fast", false),
            ("fast <= 10", true),
            ("10 > fast", false),
            ("slow >= 20", true),
            ("slow == 20", true),
            ("fast != 10", false),
            ("wait < \"1s\"", true),
            ("wait > 0.2", true),
        ] {
            let condition = Condition::parse(text, &["fast", "slow", "wait"]).expect(text);
            assert_eq!(condition.holds(&values), Ok(expected), "{text}");
        }
        assert_eq!(
            Condition::parse("fats < slow", &["fast", "slow"]),
            Err(("there is no parameter `fats`".to_owned(), Some("did you mean `fast`?".to_owned())))
        );
        assert!(Condition::parse("fast", &["fast"]).is_err());
        let named = Condition::parse("kind < 3", &["kind"]).expect("a condition");
        assert!(named.holds(&["Market".to_owned()]).is_err());
    }
}
