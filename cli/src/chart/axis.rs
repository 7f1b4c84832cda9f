//! Axes: which values they cover, where they have ticks, and how these are written. Invariant: a scale covers more than one value, and its
//! ticks lie on it.

use stillpoint_engine::{Duration, Instant};

/// What an axis is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Axis {
    /// Numbers, with what they count; covers zero if `from_zero`.
    Number { unit: String, from_zero: bool },
    /// Nanoseconds after an instant, written as times of day in UTC.
    Time { origin: Instant },
    /// Nanoseconds above zero, by their logarithm.
    Span,
}

/// An axis over a range of values.
pub(super) struct Scale<'a> {
    pub(super) axis: &'a Axis,
    low: f64,
    high: f64,
    /// Where there are ticks, as values.
    pub(super) ticks: Vec<f64>,
    step: f64,
}

const SECOND: f64 = 1e9;
const DAY: f64 = 86_400.0 * SECOND;

impl<'a> Scale<'a> {
    /// Over these values, and a little more where `padded`.
    pub(super) fn over(axis: &'a Axis, values: impl Iterator<Item = f64>, padded: bool) -> Self {
        let (mut low, mut high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if *axis == Axis::Span {
            return Self::logarithmic(axis, low.max(1.0), high.max(1.0));
        }
        if matches!(axis, Axis::Number { from_zero: true, .. }) {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if low == high {
            let room = if low == 0.0 { 1.0 } else { low.abs() * 0.001 };
            (low, high) = (low - room, high + room);
        } else if padded {
            let room = (high - low) * 0.05;
            low -= if low == 0.0 { 0.0 } else { room };
            high += if high == 0.0 { 0.0 } else { room };
        }
        let step = match axis {
            Axis::Time { .. } => time_step((high - low) / 7.0),
            _ => nice_step((high - low) / 5.0),
        };
        let origin = if let Axis::Time { origin } = axis { origin.as_nanos().rem_euclid(DAY as i64) as f64 } else { 0.0 };
        let first = ((low + origin) / step).ceil();
        let count = ((high + origin) / step).floor() - first;
        let ticks = (0..=count.clamp(0.0, 20.0) as u32).map(|index| (first + f64::from(index)) * step - origin);
        Self { axis, low, high, ticks: ticks.filter(|tick| (low..=high).contains(tick)).collect(), step }
    }

    fn logarithmic(axis: &'a Axis, low: f64, high: f64) -> Self {
        let (low, high) = (libm::log10(low), libm::log10(high));
        let (low, high) = if high - low < 0.05 { (low - 0.35, high + 0.35) } else { (low, high) };
        let parts: &[f64] = if high - low < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = low.floor() as i32..=high.ceil() as i32;
        let ticks = decades.flat_map(|decade| parts.iter().map(move |part| libm::log10(*part) + f64::from(decade)));
        let ticks = ticks.filter(|tick| (low..=high).contains(tick)).map(|tick| libm::pow(10.0, tick).round()).collect();
        Self { axis, low, high, ticks, step: 1.0 }
    }

    /// Where a value lies, from 0 at the lower end to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if *self.axis == Axis::Span { libm::log10(value.max(1.0)) } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// The values at both ends; of a logarithmic one, their logarithms.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// How many decimals tell ticks apart.
    pub(super) fn decimals(&self) -> usize {
        decimals_of(self.step)
    }

    /// A tick as text.
    pub(super) fn label(&self, tick: f64) -> String {
        match self.axis {
            Axis::Number { .. } => number(tick, self.decimals()),
            Axis::Span => span(tick),
            Axis::Time { origin } => {
                let text = (*origin + Duration::nanos(tick.round() as i64)).to_string();
                let (date, time) = text.split_once('T').unwrap_or(("", &text));
                let time = time.trim_end_matches('Z');
                if self.step >= DAY {
                    date.to_owned()
                } else if self.step >= 60.0 * SECOND {
                    time.chars().take(5).collect()
                } else if self.step >= SECOND {
                    time.chars().take(8).collect()
                } else {
                    let digits = decimals_of(self.step / SECOND);
                    let (whole, rest) = time.split_once('.').unwrap_or((time, ""));
                    format!("{}.{:.digits$}", &whole[whole.len().min(6)..], format!("{rest:0<digits$}"))
                }
            }
        }
    }

    /// What the numbers of the axis are.
    pub(super) fn caption(&self) -> String {
        match self.axis {
            Axis::Number { unit, .. } => unit.clone(),
            Axis::Span => "virtual time".to_owned(),
            Axis::Time { origin } => {
                let date = (*origin + Duration::nanos(self.low.round() as i64)).to_string();
                let date = date.split('T').next().unwrap_or_default().to_owned();
                if self.step >= DAY { "UTC".to_owned() } else { format!("{date}, UTC") }
            }
        }
    }
}

/// The next of 1, 2 and 5 times a power of ten.
fn nice_step(least: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(least).floor());
    let part = [1.0, 2.0, 5.0].into_iter().find(|part| part * power >= least * 0.999_999);
    part.unwrap_or(10.0) * power
}

/// The next step by which clocks and calendars are read.
fn time_step(least: f64) -> f64 {
    let steps =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0];
    if least < SECOND {
        return nice_step(least).max(1.0);
    }
    steps.iter().map(|step| step * SECOND).find(|step| *step >= least).unwrap_or_else(|| nice_step(least / DAY).ceil() * DAY)
}

fn decimals_of(step: f64) -> usize {
    (-(libm::log10(step) + 1e-9).floor()).clamp(0.0, 9.0) as usize
}

/// A number with so many decimals, its whole part in groups of three digits.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), crate::numbers::grouped);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// A whole number of nanoseconds in its largest unit.
pub(crate) fn span(nanos: f64) -> String {
    let units = [(DAY, "d"), (3_600.0 * SECOND, "h"), (60.0 * SECOND, "min"), (SECOND, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let (size, unit) = units.into_iter().find(|(size, _)| nanos >= *size).unwrap_or((1.0, "ns"));
    let text = format!("{:.2}", nanos / size);
    format!("{} {unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: [f64; 2]) -> Vec<String> {
        let scale = Scale::over(axis, values.into_iter(), false);
        scale.ticks.iter().map(|tick| scale.label(*tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let axis = Axis::Number { unit: String::new(), from_zero: false };
        assert_eq!(labels(&axis, [0.0, 10.0]), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(&axis, [-0.13, 0.21]), ["-0.1", "0.0", "0.1", "0.2"]);
        assert_eq!(labels(&axis, [87_193.0, 87_241.0]), ["87,200", "87,210", "87,220", "87,230", "87,240"]);
        assert_eq!(labels(&axis, [1000.0, 1000.0]), ["999.0", "999.5", "1,000.0", "1,000.5", "1,001.0"]);
    }

    #[test]
    fn times_are_read_from_clocks() {
        let axis = Axis::Time { origin: "2025-03-25T23:07:04.5Z".parse().expect("an instant") };
        assert_eq!(labels(&axis, [0.0, 180e9]), ["23:07:30", "23:08:00", "23:08:30", "23:09:00", "23:09:30", "23:10:00"]);
        assert_eq!(labels(&axis, [0.0, 0.5e9]), ["04.5", "04.6", "04.7", "04.8", "04.9", "05.0"]);
        assert_eq!(labels(&axis, [0.0, 20.0 * 3600e9]), ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00"]);
        assert_eq!(labels(&axis, [0.0, 20.0 * DAY]).first().map(String::as_str), Some("2025-03-30"));
    }

    #[test]
    fn spans_have_their_units() {
        assert_eq!(labels(&Axis::Span, [250e3, 4e6]), ["500 µs", "1 ms", "2 ms"]);
        assert_eq!(labels(&Axis::Span, [1e3, 60e9]), ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(span(90e9), "1.5 min");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!((number(-1234567.891, 2), number(-0.001, 2), number(12.0, 0)), ("-1,234,567.89".into(), "0.00".into(), "12".into()));
    }
}
