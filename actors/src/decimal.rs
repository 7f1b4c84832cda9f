//! Prices and quantities as whole numbers. Invariant: text becomes a number exactly or not at all; no float takes part.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many decimals the whole numbers of an instrument stand for, 0 to 18: with 2, the number 8723201 is 87232.01.
///
/// ```
/// use stillpoint_actors::{Decimals, Price};
/// let cents = Decimals::new(2).expect("at most 18");
/// assert_eq!(Price::parse("87232.01", cents), Ok(Price(8_723_201)));
/// assert_eq!(Price(8_723_201).display(cents).to_string(), "87232.01");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Decimals(u8);

impl Decimals {
    /// The most there can be: 10^18 fits 64 bits.
    pub const MAX: Self = Self(18);
    /// Eight, the number that most crypto exchanges print.
    pub const EIGHT: Self = Self(8);

    /// `count` decimals, `None` above 18.
    pub const fn new(count: u8) -> Option<Self> {
        if count <= Self::MAX.0 { Some(Self(count)) } else { None }
    }

    /// The number of decimals.
    pub const fn count(self) -> u8 {
        self.0
    }

    /// 10 to the number of decimals: what stands for 1.
    pub const fn one(self) -> i64 {
        10i64.pow(self.0 as u32)
    }
}

impl TryFrom<u8> for Decimals {
    type Error = String;

    fn try_from(count: u8) -> Result<Self, String> {
        Self::new(count).ok_or_else(|| format!("{count} decimals are too many; 18 is the most that fit 64 bits"))
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> Self {
        decimals.0
    }
}

/// A text that is no decimal number of the wanted kind. It prints what is wrong, to follow the text: `NaN` *is no finite decimal number*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// There is no text.
    Empty,
    /// The text is not a number, or one that is not finite (`NaN`, `inf`).
    NotANumber,
    /// The number has digits beyond the instrument's decimals, so that it cannot be held exactly.
    TooFine {
        /// The instrument's decimals.
        decimals: Decimals,
    },
    /// The number does not fit 64 bits with the instrument's decimals.
    TooLarge {
        /// The instrument's decimals.
        decimals: Decimals,
    },
}

impl DecimalError {
    /// What to do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Empty => "fill it in or leave the row out",
            Self::NotANumber => "write a number such as 87232.01, or leave the row out",
            Self::TooFine { .. } => "give the instrument more decimals, or round the data",
            Self::TooLarge { .. } => "give the instrument fewer decimals",
        }
    }
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "is empty where a number should be"),
            Self::NotANumber => write!(f, "is no finite decimal number"),
            Self::TooFine { decimals } => write!(f, "has more than the instrument's {} decimals", decimals.0),
            Self::TooLarge { decimals } => write!(f, "does not fit 64 bits with the instrument's {} decimals", decimals.0),
        }
    }
}

impl std::error::Error for DecimalError {}

/// Reads `[+-]digits[.digits][e[+-]digits]` as that number times 10^`decimals`, exactly. Zeros beyond the decimals are fine.
///
/// # Errors
/// [`DecimalError`] if the text is no finite number, is finer than `decimals`, or does not fit.
///
/// ```
/// use stillpoint_actors::{DecimalError, Decimals, parse_decimal};
/// let two = Decimals::new(2).expect("at most 18");
/// assert_eq!(parse_decimal(b"0.10000000", two), Ok(10));
/// assert_eq!(parse_decimal(b"1.5e-1", two), Ok(15));
/// assert_eq!(parse_decimal(b"0.001", two), Err(DecimalError::TooFine { decimals: two }));
/// assert_eq!(parse_decimal(b"NaN", two), Err(DecimalError::NotANumber));
/// ```
#[inline]
pub fn parse_decimal(text: &[u8], decimals: Decimals) -> Result<i64, DecimalError> {
    parse_plain(text, decimals).map_or_else(|| parse_any(text, decimals), Ok)
}

/// The quick way for `[-]digits[.digits]` of at most 19 characters with no digit beyond the decimals: nearly all there is.
#[inline]
fn parse_plain(text: &[u8], decimals: Decimals) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.len() > 19 {
        return None;
    }
    let (mut value, mut point) = (0u64, None);
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let fraction = point.map_or(0, |at| digits.len() - at - 1);
    if digits.len() == usize::from(point.is_some()) {
        return None;
    }
    let missing = usize::from(decimals.0).checked_sub(fraction)?;
    let value = i64::try_from(value.checked_mul(10u64.pow(missing as u32))?).ok()?;
    Some(if negative { -value } else { value })
}

fn parse_any(text: &[u8], decimals: Decimals) -> Result<i64, DecimalError> {
    let (negative, digits) = match text {
        [] => return Err(DecimalError::Empty),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut at = 0;
    let mut mantissa = Mantissa { value: 0, overflown: false, digits: 0, trailing_zeros: 0 };
    mantissa.take(digits, &mut at);
    let mut exponent = 0i64;
    if digits.get(at) == Some(&b'.') {
        at += 1;
        let before = at;
        mantissa.take(digits, &mut at);
        exponent -= (at - before) as i64;
    }
    if mantissa.digits == 0 {
        return Err(DecimalError::NotANumber);
    }
    match digits.get(at) {
        None => {}
        Some(b'e' | b'E') => exponent = exponent.saturating_add(parse_exponent(&digits[at + 1..])?),
        Some(_) => return Err(DecimalError::NotANumber),
    }
    mantissa.scaled(exponent.saturating_add(i64::from(decimals.0)), negative, decimals)
}

/// The digits of a number without its trailing zeros, which are only counted: `0.10000000` costs no range.
struct Mantissa {
    value: u64,
    overflown: bool,
    digits: usize,
    trailing_zeros: u32,
}

impl Mantissa {
    fn take(&mut self, text: &[u8], at: &mut usize) {
        while let Some(digit) = text.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            *at += 1;
            self.digits += 1;
            if digit == 0 {
                self.trailing_zeros += 1;
                continue;
            }
            let shifted = times_power_of_ten(self.value, i64::from(self.trailing_zeros) + 1);
            match shifted.and_then(|value| value.checked_add(u64::from(digit))) {
                Some(value) => self.value = value,
                None => self.overflown = true,
            }
            self.trailing_zeros = 0;
        }
    }

    /// The number times 10^`exponent`.
    fn scaled(&self, exponent: i64, negative: bool, decimals: Decimals) -> Result<i64, DecimalError> {
        if self.value == 0 && !self.overflown {
            return Ok(0);
        }
        let exponent = exponent.saturating_add(i64::from(self.trailing_zeros));
        if exponent < 0 {
            return Err(DecimalError::TooFine { decimals });
        }
        let too_large = DecimalError::TooLarge { decimals };
        if self.overflown {
            return Err(too_large);
        }
        let magnitude = i128::from(times_power_of_ten(self.value, exponent).ok_or(too_large)?);
        i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| too_large)
    }
}

fn times_power_of_ten(value: u64, exponent: i64) -> Option<u64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10u64.checked_pow(u32::try_from(exponent).ok()?)?)
}

fn parse_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::NotANumber);
    }
    let magnitude = digits.iter().fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Ok(sign * magnitude)
}

/// Writes `value` / 10^`decimals` with all its decimals.
pub(crate) fn write_decimal(f: &mut fmt::Formatter<'_>, value: i128, decimals: u32) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let one = 10u128.pow(decimals);
    let magnitude = value.unsigned_abs();
    if decimals == 0 {
        return write!(f, "{sign}{magnitude}");
    }
    write!(f, "{sign}{}.{:0width$}", magnitude / one, magnitude % one, width = decimals as usize)
}

macro_rules! decimal_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Reads a decimal text exactly: see [`parse_decimal`].
            ///
            /// # Errors
            /// [`DecimalError`] if the text is no finite number, is finer than `decimals`, or does not fit.
            pub fn parse(text: &str, decimals: Decimals) -> Result<Self, DecimalError> {
                parse_decimal(text.as_bytes(), decimals).map(Self)
            }

            /// The number as people write it, with all its decimals.
            pub fn display(self, decimals: Decimals) -> impl fmt::Display {
                fmt::from_fn(move |f| write_decimal(f, i128::from(self.0), u32::from(decimals.0)))
            }

            /// The nearest float, for reports.
            pub fn to_f64(self, decimals: Decimals) -> f64 {
                self.0 as f64 / decimals.one() as f64
            }
        }
    };
}

decimal_number! {
    /// A price in units of the instrument's last decimal. May be negative (spreads, and oil on one day of 2020).
    Price
}
decimal_number! {
    /// A quantity in units of the instrument's last decimal. Its sign has a meaning only where a type says so.
    Quantity
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(count: u8) -> Decimals {
        Decimals::new(count).expect("at most 18")
    }

    #[test]
    fn text_becomes_a_number_exactly() {
        for (text, places, value) in [
            ("0", 0, 0),
            ("-0.000", 2, 0),
            ("87232.01000000", 2, 8_723_201),
            ("87232.0", 8, 8_723_200_000_000),
            ("0.00012", 5, 12),
            (".5", 1, 5),
            ("5.", 1, 50),
            ("+1.25", 2, 125),
            ("-1.25", 2, -125),
            ("1e3", 0, 1000),
            ("1.2E-5", 6, 12),
            ("12000e-3", 0, 12),
            ("0e99999999999999999999", 3, 0),
            ("0.1", 18, 100_000_000_000_000_000),
            ("9223372036854775807", 0, i64::MAX),
            ("-9223372036854775808", 0, i64::MIN),
            ("9.223372036854775807", 18, i64::MAX),
            ("00000000000000000000000000000000001", 0, 1),
            ("1.00000000000000000000000000000000000", 0, 1),
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), decimals(places)), Ok(value), "{text} with {places}");
        }
    }

    /// Rust's own integer parser is the oracle: any number, written with any number of decimals, by both ways.
    #[test]
    fn the_quick_way_agrees_with_the_other() {
        let mut state = 1u64;
        for round in 0..20_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (state as i64) >> (round % 64);
            let written = decimals((round % 19) as u8);
            let text = Price(value).display(written).to_string();
            assert_eq!(parse_any(text.as_bytes(), written), Ok(value), "{text}");
            assert_eq!(parse_decimal(text.as_bytes(), written), Ok(value), "{text}");
            assert_eq!(text.replace('.', "").parse(), Ok(value), "{text}");
            assert_eq!(parse_decimal(text.as_bytes(), Decimals::MAX), parse_any(text.as_bytes(), Decimals::MAX), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_or_does_not_fit_is_named() {
        let (too_fine, too_large) =
            (|d| DecimalError::TooFine { decimals: decimals(d) }, |d| DecimalError::TooLarge { decimals: decimals(d) });
        for (text, places, error) in [
            ("", 2, DecimalError::Empty),
            ("NaN", 2, DecimalError::NotANumber),
            ("inf", 2, DecimalError::NotANumber),
            ("-", 2, DecimalError::NotANumber),
            (".", 2, DecimalError::NotANumber),
            ("1,5", 2, DecimalError::NotANumber),
            (" 1", 2, DecimalError::NotANumber),
            ("1.2.3", 2, DecimalError::NotANumber),
            ("1e", 2, DecimalError::NotANumber),
            ("1e+", 2, DecimalError::NotANumber),
            ("e5", 2, DecimalError::NotANumber),
            ("0x10", 2, DecimalError::NotANumber),
            ("1.001", 2, too_fine(2)),
            ("1e-3", 2, too_fine(2)),
            ("1e-99999999999999999999", 2, too_fine(2)),
            ("9223372036854775808", 0, too_large(0)),
            ("-9223372036854775809", 0, too_large(0)),
            ("92233720368547758.08", 18, too_large(18)),
            ("99999999999999999999", 0, too_large(0)),
            ("123456789012345678901234567890", 0, too_large(0)),
            ("1e99999999999999999999", 0, too_large(0)),
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), decimals(places)), Err(error), "{text} with {places}");
        }
    }

    #[test]
    fn numbers_print_with_all_their_decimals() {
        for (value, places, text) in [
            (0, 0, "0"),
            (-5, 0, "-5"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (-105, 2, "-1.05"),
            (8_723_201, 2, "87232.01"),
            (i64::MIN, 18, "-9.223372036854775808"),
        ] {
            assert_eq!(Price(value).display(decimals(places)).to_string(), text);
            assert_eq!(Quantity::parse(text, decimals(places)), Ok(Quantity(value)));
        }
        assert_eq!(Price(8_723_201).to_f64(decimals(2)), 87232.01);
    }
}
