//! Numbers as people read them.

/// A whole number in groups of three digits: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 stream`, `2 streams`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// Bytes in the largest binary unit.
pub(crate) fn bytes(count: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / *size as f64),
        None => format!("{count} B"),
    }
}

/// An amount with four decimals, or as many more as show four digits of a small one: amounts of a coin are.
pub(crate) fn amount(value: f64) -> String {
    let mut size = value.abs();
    if !(1e-12..0.1).contains(&size) {
        return format!("{value:.4}");
    }
    let mut decimals = 4;
    while size < 0.1 {
        (size, decimals) = (10.0 * size, decimals + 1);
    }
    let text = format!("{value:.decimals$}");
    let least = text.find('.').map_or(text.len(), |point| point + 5);
    text[..text.trim_end_matches('0').len().max(least)].to_owned()
}

/// A float to the 15 digits that it holds for certain: 0.30000000000000004 is 0.3.
#[cfg(feature = "report")]
pub(crate) fn tidy(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "report")]
    #[test]
    fn floats_lose_their_noise_alone() {
        for (noisy, clean) in [(0.1 + 0.2, 0.3), (100_000.0 + 0.3 - 100_000.0, 0.300_000_000_002_910), (-7.0, -7.0), (0.0, 0.0)] {
            assert_eq!(tidy(noisy), clean);
        }
        assert_eq!((tidy(87_232.123_456_78), tidy(1e300)), (87_232.123_456_78, 1e300));
    }

    #[test]
    fn small_amounts_show_four_digits() {
        for (value, text) in [
            (0.0, "0.0000"),
            (87_232.123_456, "87232.1235"),
            (-0.125, "-0.1250"),
            (0.005, "0.0050"),
            (-0.000_668_668_83, "-0.0006687"),
            (0.012_345_6, "0.01235"),
            (0.099_999_99, "0.1000"),
            (1e-13, "0.0000"),
        ] {
            assert_eq!(amount(value), text);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!((counted(1, "link"), counted(0, "link")), ("1 link".to_owned(), "0 links".to_owned()));
        assert_eq!((bytes(512), bytes(1536), bytes(3 << 30)), ("512 B".to_owned(), "1.5 KiB".to_owned(), "3.0 GiB".to_owned()));
    }
}
