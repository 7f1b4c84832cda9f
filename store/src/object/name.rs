//! Any text as a part of an object's name that people can still read. What makes objects distinct is never such a name alone.

/// ASCII letters and digits, `-` and `_` stay; the rest becomes `=` and two hex digits a byte, so nothing is `.` or has a `/` in it.
pub(crate) fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes().take(60) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte as char),
            _ => name.push_str(&format!("={byte:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_are_safe_and_can_be_read() {
        assert_eq!(escaped("EUR-usd_1"), "EUR-usd_1");
        assert_eq!(escaped("EUR/usd"), "EUR=2fusd");
        assert_eq!(escaped(".."), "=2e=2e");
        assert_ne!(escaped("=2e"), escaped("."));
        assert_eq!(escaped("é"), "=c3=a9");
        assert_eq!(escaped(&"x".repeat(500)).len(), 60);
    }
}
