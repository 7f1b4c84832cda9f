//! The name that somebody probably meant.

/// The name nearest to `wanted`, if one is near: case apart, at most a third of it mistyped, or the one a part of the other.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let allowed = wanted.chars().count() / 3 + 1;
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let lower = name.to_lowercase();
            let contained = lower.contains(&wanted) || wanted.contains(&lower);
            (if contained { distance(&wanted, &lower).min(allowed) } else { distance(&wanted, &lower) }, name)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions and substitutions from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let names = || ["Date", "Open", "Adj Close", "Volume"].into_iter();
        for (wanted, found) in
            [("date", Some("Date")), ("opne", Some("Open")), ("close", Some("Adj Close")), ("volumes", Some("Volume")), ("bid", None)]
        {
            assert_eq!(nearest(wanted, names()), found, "{wanted}");
        }
        assert_eq!([distance("kitten", "sitting"), distance("", "abc"), distance("abc", "abc")], [3, 3, 0]);
    }
}
