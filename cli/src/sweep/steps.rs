//! Ranges and random values of parameters as texts. Invariant: arithmetic is on whole numbers of the last decimal, or nanoseconds, so that a
//! tenth step of 0.1 is 1.0.

use stillpoint_actors::{Decimals, Price, parse_decimal};
use stillpoint_engine::{Duration, Rng};

/// More values than that are a slip of the pen.
const MOST: i64 = 1_000_000;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    scale: Scale,
    is_quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Decimal(Decimals),
    Time,
}

impl Form {
    /// The form in which all texts can be written: numbers with as many decimals as the finest of them, else durations.
    fn of(texts: &[&str]) -> Result<Self, String> {
        let is_quoted = texts.iter().any(|text| text.starts_with('"'));
        if texts.iter().all(|text| bare(text).parse::<Duration>().is_ok()) {
            return Ok(Self { scale: Scale::Time, is_quoted });
        }
        let fraction = |text: &&str| bare(text).split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let decimals = texts.iter().map(fraction).max().unwrap_or(0);
        let decimals = u8::try_from(decimals).ok().and_then(Decimals::new).ok_or("has more than 18 decimals")?;
        Ok(Self { scale: Scale::Decimal(decimals), is_quoted })
    }

    fn parse(self, text: &str) -> Result<i64, String> {
        let text = bare(text);
        match self.scale {
            Scale::Time => text.parse::<Duration>().map(|duration| duration.as_nanos()).map_err(|error| error.to_string()),
            Scale::Decimal(decimals) => parse_decimal(text.as_bytes(), decimals)
                .map_err(|_| format!("`{text}` is neither a number such as 0.25 nor a duration such as \"250us\"")),
        }
    }

    fn write(self, value: i64) -> String {
        let text = match self.scale {
            Scale::Time => Duration::nanos(value).to_string(),
            Scale::Decimal(decimals) => Price(value).display(decimals).to_string(),
        };
        if self.is_quoted { format!("{text:?}") } else { text }
    }
}

/// A text without its quotes.
pub(super) fn bare(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// `from`, `from + step` and so on, not beyond `to`, as they are written.
pub(super) fn range(from: &str, to: &str, step: &str) -> Result<Vec<String>, String> {
    let form = Form::of(&[from, to, step])?;
    let (first, last, by) = (form.parse(from)?, form.parse(to)?, form.parse(step)?);
    if by <= 0 {
        return Err(format!("has a step of {step}, which must be above zero"));
    }
    if first > last {
        return Err(format!("goes from {from} down to {to}, so it has no value"));
    }
    let count = (i128::from(last) - i128::from(first)) / i128::from(by) + 1;
    if count > i128::from(MOST) {
        return Err(format!("has {count} values, more than {MOST}"));
    }
    Ok((0..count as i64).map(|index| form.write(first + index * by)).collect())
}

/// How random values between two bounds, both inclusive, are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Between {
    low: i64,
    high: i64,
    form: Form,
    is_log: bool,
}

impl Between {
    /// Whole multiples of the last of `decimals`, or of the last decimal of the bounds if that is finer.
    pub(super) fn new(low: &str, high: &str, decimals: u8, is_log: bool) -> Result<Self, String> {
        let mut form = Form::of(&[low, high])?;
        if let Scale::Decimal(given) = form.scale {
            let wanted = Decimals::new(decimals).ok_or("has more than 18 decimals")?;
            form.scale = Scale::Decimal(if wanted.count() > given.count() { wanted } else { given });
        }
        let (from, to) = (form.parse(low)?, form.parse(high)?);
        if from > to {
            return Err(format!("goes from {low} down to {high}, so it has no value"));
        }
        if is_log && from <= 0 {
            return Err(format!("begins at {low}; on a logarithmic scale it must be above zero"));
        }
        Ok(Self { low: from, high: to, form, is_log })
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> String {
        let width = self.high.abs_diff(self.low);
        let value = if self.is_log {
            let (low, high) = (libm::log(self.low as f64), libm::log(self.high as f64));
            (libm::exp(low + (high - low) * rng.uniform()).round() as i64).clamp(self.low, self.high)
        } else {
            let above = match width.checked_add(1) {
                Some(bound) => rng.below(bound),
                None => rng.bits(),
            };
            self.low.wrapping_add_unsigned(above)
        };
        self.form.write(value)
    }
}

/// The value as a number, to be compared: a duration in seconds.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = bare(text);
    text.parse().ok().or_else(|| text.parse::<Duration>().ok().map(Duration::as_secs_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_by_hand() {
        for (from, to, step, expected) in [
            ("10", "30", "10", vec!["10", "20", "30"]),
            ("10", "29", "10", vec!["10", "20"]),
            ("0.1", "0.3", "0.1", vec!["0.1", "0.2", "0.3"]),
            ("-1", "1", "0.5", vec!["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
            ("\"0.01\"", "\"0.03\"", "\"0.01\"", vec!["\"0.01\"", "\"0.02\"", "\"0.03\""]),
            ("\"250us\"", "\"1ms\"", "\"250us\"", vec!["\"250us\"", "\"500us\"", "\"750us\"", "\"1ms\""]),
            ("5", "5", "1", vec!["5"]),
        ] {
            assert_eq!(range(from, to, step).expect("a range"), expected, "{from} to {to} by {step}");
        }
        for (from, to, step, cause) in [
            ("1", "2", "0", "has a step of 0, which must be above zero"),
            ("1", "2", "-1", "has a step of -1"),
            ("3", "2", "1", "goes from 3 down to 2"),
            ("0", "2000000", "1", "has 2000001 values"),
            ("1", "x", "1", "`x` is neither a number"),
            ("\"1s\"", "2", "1", "`1s` is neither a number"),
        ] {
            let error = range(from, to, step).expect_err(cause);
            assert!(error.contains(cause), "{error}");
        }
    }

    #[test]
    fn numbers_are_told_from_names() {
        assert_eq!((number("0.5"), number("\"2\""), number("\"250ms\""), number("Market")), (Some(0.5), Some(2.0), Some(0.25), None));
    }
}
