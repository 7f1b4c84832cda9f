//! The name that was probably meant. Invariant: what is suggested is one of the known names.

/// Help for a name that is not among `known`: the nearest one, else all of them if they are few, else nothing.
pub(crate) fn help<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = nearest(found, &known) {
        return format!("did you mean `{name}`?");
    }
    match known.as_slice() {
        [] => "there is none".to_owned(),
        [only] => format!("there is only `{only}`"),
        many if many.len() > LISTED => format!("there are {}, none of them near", many.len()),
        many => format!("there are `{}`", many.join("`, `")),
    }
}

/// How many names are still listed.
const LISTED: usize = 20;

/// The closest of `known`, if it is close: at most a third of the letters differ, ignoring case and separators.
fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = plain(found);
    let (name, distance) = known.iter().map(|name| (*name, distance(&wanted, &plain(name)))).min_by_key(|(name, d)| (*d, *name))?;
    (distance <= wanted.len().max(name.len()).div_ceil(3)).then_some(name)
}

/// The letters and digits of a name, in lower case.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters must be inserted, deleted or replaced (Levenshtein), kept in one row.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_listed() {
        let known = ["price", "size", "side"];
        assert_eq!(help("Prise", known), "did you mean `price`?");
        assert_eq!(help("qqqqqq", known), "there are `price`, `size`, `side`");
        assert_eq!(help("qqqqqq", ["size"]), "there is only `size`");
        assert_eq!(help("a", []), "there is none");
        let many: Vec<String> = (0..30).map(|n| format!("column_{n}")).collect();
        assert_eq!(help("zzzzzzzzz", many.iter().map(String::as_str)), "there are 30, none of them near");
    }

    #[test]
    fn distances_are_those_worked_out_by_hand() {
        for (a, b, expected) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("abc", "abc", 0), ("flaw", "lawn", 2)] {
            assert_eq!(distance(&plain(a), &plain(b)), expected, "{a} {b}");
        }
    }
}
