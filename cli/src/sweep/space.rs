//! The sets of parameters: the whole grid, or a random sample. Invariant: they depend on the file alone, and no two are the same.

use std::collections::BTreeSet;

use stillpoint_engine::Rng;
use stillpoint_engine::scenario::Place;

use super::condition::Condition;
use super::steps::Between;

/// More sets than that are a slip of the pen.
const MOST: usize = 1_000_000;

/// A parameter: where its values go, and which they are.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) paths: Vec<String>,
    pub(super) values: Values,
    /// Where the sweep's file speaks of it.
    pub(super) place: Place,
}

/// Values as they are written in RON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Listed(Vec<String>),
    Drawn(Between),
}

/// One value for each parameter.
pub(super) type Set = Vec<String>;

/// A random sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) count: usize,
    pub(super) seed: u64,
}

/// Why there are no sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoSets {
    /// The index of the condition that it is about, if it is about one alone.
    pub(super) condition: Option<usize>,
    pub(super) cause: String,
}

impl From<String> for NoSets {
    fn from(cause: String) -> Self {
        Self { condition: None, cause }
    }
}

/// The combinations of all values that meet the conditions, the last parameter changing fastest.
pub(super) fn grid(parameters: &[Parameter], conditions: &[Condition]) -> Result<Vec<Set>, NoSets> {
    let lists: Vec<&[String]> = parameters.iter().map(|parameter| parameter.values.listed()).collect();
    let count = lists.iter().try_fold(1usize, |count, list| count.checked_mul(list.len())).filter(|count| *count <= MOST);
    let count = count.ok_or_else(|| format!("there are more than {MOST} combinations; give fewer values, or a `sample`"))?;
    let mut sets = Vec::new();
    for index in 0..count {
        let mut rest = index;
        let mut set: Set = lists
            .iter()
            .rev()
            .map(|list| {
                let value = list[rest % list.len()].clone();
                rest /= list.len();
                value
            })
            .collect();
        set.reverse();
        if meets(&set, conditions)? {
            sets.push(set);
        }
    }
    if sets.is_empty() {
        return Err(format!("none of the {count} combinations meets all of `where`").into());
    }
    Ok(sets)
}

/// So many different random sets that meet the conditions.
pub(super) fn sample(parameters: &[Parameter], conditions: &[Condition], sample: Sample) -> Result<Vec<Set>, NoSets> {
    let mut draws: Vec<Rng> = parameters.iter().map(|parameter| Rng::of(sample.seed, &parameter.name, "sweep")).collect();
    let (mut sets, mut seen) = (Vec::new(), BTreeSet::new());
    let tries = 1000 + 100 * sample.count;
    for _ in 0..tries {
        if sets.len() == sample.count {
            break;
        }
        let set: Set = parameters.iter().zip(&mut draws).map(|(parameter, rng)| parameter.values.draw(rng)).collect();
        if meets(&set, conditions)? && seen.insert(set.clone()) {
            sets.push(set);
        }
    }
    if sets.len() < sample.count {
        return Err(format!(
            "{tries} tries found {} different sets that meet `where`, not {}; ask for fewer, or for all of the grid",
            sets.len(),
            sample.count
        )
        .into());
    }
    Ok(sets)
}

fn meets(set: &Set, conditions: &[Condition]) -> Result<bool, NoSets> {
    for (index, condition) in conditions.iter().enumerate() {
        if !condition.holds(set).map_err(|cause| NoSets { condition: Some(index), cause })? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Values {
    fn listed(&self) -> &[String] {
        match self {
            Self::Listed(list) => list,
            Self::Drawn(_) => &[],
        }
    }

    fn draw(&self, rng: &mut Rng) -> String {
        match self {
            Self::Listed(list) => list[rng.below(list.len() as u64) as usize].clone(),
            Self::Drawn(between) => between.draw(rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps::number;
    use super::*;
    use proptest::prelude::*;

    fn parameter(name: &str, values: Values) -> Parameter {
        Parameter { name: name.to_owned(), paths: vec![name.to_owned()], values, place: Place::Whole { file: "sweep.ron".to_owned() } }
    }

    fn listed(name: &str, values: &[&str]) -> Parameter {
        parameter(name, Values::Listed(values.iter().map(|value| (*value).to_owned()).collect()))
    }

    #[test]
    fn a_grid_by_hand() {
        let parameters = [listed("a", &["1", "2"]), listed("b", &["1", "2", "3"])];
        let found: Vec<String> = grid(&parameters, &[]).expect("a grid").iter().map(|set| set.concat()).collect();
        assert_eq!(found, ["11", "12", "13", "21", "22", "23"]);
        let below = Condition::parse("a < b", &["a", "b"]).expect("a condition");
        let found: Vec<String> = grid(&parameters, std::slice::from_ref(&below)).expect("a grid").iter().map(|set| set.concat()).collect();
        assert_eq!(found, ["12", "13", "23"]);
        let never = Condition::parse("b < 1", &["a", "b"]).expect("a condition");
        assert_eq!(grid(&parameters, &[never]), Err("none of the 6 combinations meets all of `where`".to_owned().into()));
        let many = vec![listed("c", &["1"; 1001]), listed("d", &["1"; 1000])];
        assert!(grid(&many, &[]).is_err());
    }

    #[test]
    fn a_sample_cannot_have_more_sets_than_there_are() {
        let parameters = [listed("a", &["1", "2"])];
        assert_eq!(sample(&parameters, &[], Sample { count: 2, seed: 1 }).expect("both").len(), 2);
        assert!(sample(&parameters, &[], Sample { count: 3, seed: 1 }).expect_err("two at most").cause.contains("found 2 different sets"));
    }

    proptest! {
        #[test]
        fn samples_repeat_are_different_and_within_bounds(
            seed in any::<u64>(), low in 1u32..500, width in 60u32..5000, decimals in 0u8..4, count in 1usize..40,
        ) {
            let (low, high) = (format!("{}.5", low), format!("{}.25", low + width));
            let drawn = |is_log| Values::Drawn(Between::new(&low, &high, decimals, is_log).expect("bounds"));
            let parameters = [parameter("even", drawn(false)), parameter("log", drawn(true)), listed("choice", &["Buy", "Sell"])];
            let asked = Sample { count, seed };
            let sets = sample(&parameters, &[], asked).expect("a sample");
            prop_assert_eq!(&sets, &sample(&parameters, &[], asked).expect("a sample"));
            prop_assert_eq!(sets.iter().collect::<BTreeSet<_>>().len(), count);
            for set in &sets {
                for value in &set[..2] {
                    let value = number(value).expect("a number");
                    prop_assert!(value >= low.parse::<f64>().expect("a number") && value <= high.parse::<f64>().expect("a number"));
                }
                prop_assert!(["Buy", "Sell"].contains(&set[2].as_str()));
            }
            // Another parameter beside them changes none of their values.
            let alone = sample(&parameters[..1], &[], asked).expect("a sample");
            prop_assert_eq!(&alone[0][0], &sets[0][0]);
        }
    }
}
