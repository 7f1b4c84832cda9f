//! The name that was probably meant, for errors. Invariant: what is suggested is one of the known names.

/// How many names are still listed.
const LISTED: usize = 20;

/// Help for a name that is not among `known`: the nearest one, else all of them if they are few. `None`: there are none.
///
/// ```
/// use stillpoint_engine::suggest;
/// assert_eq!(suggest::help("prise", ["price", "size"]).as_deref(), Some("did you mean `price`?"));
/// assert_eq!(suggest::help("bid", ["price", "size"]).as_deref(), Some("there are `price` and `size`"));
/// ```
pub fn help<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = nearest(found, known.iter().copied()) {
        return Some(format!("did you mean `{name}`?"));
    }
    if known.len() > LISTED {
        return Some(format!("there are {}, none of them near", known.len()));
    }
    let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    match listed.split_last() {
        None => None,
        Some((only, [])) => Some(format!("there is only {only}")),
        Some((last, rest)) => Some(format!("there are {} and {last}", rest.join(", "))),
    }
}

/// The closest of `known`, if it is close: at most a third of the letters differ, ignoring case and separators.
///
/// ```
/// use stillpoint_engine::suggest;
/// assert_eq!(suggest::nearest("Prise", ["price", "size"]), Some("price"));
/// assert_eq!(suggest::nearest("bid", ["price", "size"]), None);
/// ```
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| -> Vec<char> { name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let wanted = plain(found);
    let (name, distance) = known.into_iter().map(|name| (name, distance(&wanted, &plain(name)))).min_by_key(|(name, d)| (*d, *name))?;
    (distance <= wanted.len().max(name.len()).div_ceil(3)).then_some(name)
}

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_listed() {
        let known = ["ema_cross", "venue", "recorder"];
        assert_eq!(help("ema-cros", known).as_deref(), Some("did you mean `ema_cross`?"));
        assert_eq!(help("veune", known).as_deref(), Some("did you mean `venue`?"));
        assert_eq!(help("zzzzzz", known).as_deref(), Some("there are `ema_cross`, `venue` and `recorder`"));
        assert_eq!(help("zzzzzz", ["venue"]).as_deref(), Some("there is only `venue`"));
        assert_eq!(help("a", []), None);
        let many: Vec<String> = (0..30).map(|n| format!("column_{n}")).collect();
        assert_eq!(help("zzzzzzzzz", many.iter().map(String::as_str)).as_deref(), Some("there are 30, none of them near"));
    }

    #[test]
    fn distances_are_those_worked_out_by_hand() {
        for (a, b, expected) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abc", "abc", 0), ("ca", "abc", 3)] {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), expected);
        }
    }
}
