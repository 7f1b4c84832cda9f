//! A stream that plays a script: elements, the passing of time, and failures. Modelled on Apache Beam's `TestStream`.

use serde::Deserialize;

use super::scene_error::SceneError;
use crate::source::{Source, SourceError, Timed};
use crate::stream::Stream;
use crate::time::{Duration, Instant};

/// One step of a script of messages of type `M`.
///
/// The script has a clock of its own, which only gives a time to elements that have none. As for every stream, what makes an element late
/// is an earlier element with a later time (rule R10): a script that adds an element before its clock makes a late one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Step<M> {
    /// Adds an element.
    Add {
        /// Its event time; the script's clock if not given.
        at: Option<Instant>,
        /// What it is.
        value: M,
    },
    /// Adds elements of one time.
    AddAll {
        /// Their event time; the script's clock if not given.
        at: Option<Instant>,
        /// What they are.
        values: Vec<M>,
    },
    /// Sets the clock to an instant, which must not lie before it.
    AdvanceTo(Instant),
    /// Lets time pass on the clock.
    AdvanceBy(Duration),
    /// Ends the script: nothing comes any more. It must be the last step.
    AdvanceToInfinity,
    /// The source fails. It must be the last step.
    Fault {
        /// When; the script's clock if not given. It is named by the error.
        at: Option<Instant>,
        /// What the error says.
        error: String,
    },
}

/// The parameters of kinds of streams that play a script; see [`Step`].
///
/// A crate that wants scripts of its own messages registers a kind of them:
/// ```
/// use serde::Deserialize;
/// use stillpoint_engine::Message;
/// use stillpoint_engine::scenario::{Registry, Script};
///
/// #[derive(Clone, Debug, Hash, Deserialize)]
/// struct Reading {
///     milli_celsius: i64,
/// }
/// impl Message for Reading {
///     const KIND: &'static str = "reading";
/// }
///
/// let mut registry = Registry::new();
/// registry.stream::<Script<Reading>, Reading>("readings", "Plays a script of readings.", |script, scene| script.stream(scene.start()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script<M> {
    /// What happens, in this order.
    pub steps: Vec<Step<M>>,
}

impl<M: Clone + Send + Sync + 'static> Script<M> {
    /// The stream that plays this script, its clock set to `start`, or to the epoch.
    ///
    /// # Errors
    /// [`SceneError`] if the clock would go back, or something follows the end.
    pub fn stream(self, start: Option<Instant>) -> Result<Stream<M>, SceneError> {
        let (items, fault) = self.played(start)?;
        Ok(Stream::open(move || Ok(Played { items: items.clone().into_iter(), fault: fault.clone() })))
    }

    /// The elements with their times, and the failure at the end, if there is one.
    fn played(self, start: Option<Instant>) -> Result<(Vec<Timed<M>>, Option<SourceError>), SceneError> {
        let mut clock = start.unwrap_or(Instant::EPOCH);
        let mut items = Vec::new();
        let mut fault = None;
        let mut ended = false;
        for (index, step) in self.steps.into_iter().enumerate() {
            if ended {
                return Err(SceneError::param("steps", format!("has a step {} (counted from 0) after its end", index)));
            }
            match step {
                Step::Add { at, value } => items.push(Timed { at: at.unwrap_or(clock), value }),
                Step::AddAll { at, values } => {
                    items.extend(values.into_iter().map(|value| Timed { at: at.unwrap_or(clock), value }));
                }
                Step::AdvanceTo(to) if to >= clock => clock = to,
                Step::AdvanceBy(by) if by >= Duration::ZERO => clock = clock + by,
                Step::AdvanceTo(to) => {
                    return Err(SceneError::param(
                        "steps",
                        format!("sets the clock back from {clock} to {to} in step {index} (counted from 0)"),
                    ));
                }
                Step::AdvanceBy(by) => {
                    return Err(SceneError::param("steps", format!("sets the clock back by {by} in step {index} (counted from 0)")));
                }
                Step::AdvanceToInfinity => ended = true,
                Step::Fault { at, error } => {
                    fault = Some(SourceError(format!("{error} (the script's fault at {})", at.unwrap_or(clock))));
                    ended = true;
                }
            }
        }
        Ok((items, fault))
    }
}

struct Played<M> {
    items: std::vec::IntoIter<Timed<M>>,
    fault: Option<SourceError>,
}

impl<M: 'static> Source for Played<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        match (self.items.next(), self.fault.take()) {
            (Some(item), fault) => {
                self.fault = fault;
                Ok(Some(item))
            }
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    #[test]
    fn steps_give_times_to_elements() {
        let script: Script<String> = ron::from_str(
            r#"(steps: [
                Add(value: "a"),
                AdvanceTo("2025-01-01T00:00:10Z"),
                AddAll(values: ["b", "c"]),
                Add(at: Some("2025-01-01T00:00:07Z"), value: "late"),
                AdvanceBy("1s"),
                Add(value: "d"),
                AdvanceToInfinity,
            ])"#,
        )
        .expect("a script");
        let (items, fault) = script.played(Some(at("2025-01-01T00:00:00Z"))).expect("a script that can be played");
        let found: Vec<(Instant, &str)> = items.iter().map(|item| (item.at, item.value.as_str())).collect();
        let expected =
            [("00", "a"), ("10", "b"), ("10", "c"), ("07", "late"), ("11", "d")].map(|(s, v)| (at(&format!("2025-01-01T00:00:{s}Z")), v));
        assert_eq!(found, expected);
        assert_eq!(fault, None);
    }

    #[test]
    fn a_clock_does_not_go_back_and_nothing_follows_the_end() {
        for steps in [
            vec![Step::AdvanceTo(Instant::from_nanos(-1))],
            vec![Step::AdvanceBy(Duration::nanos(-1))],
            vec![Step::AdvanceToInfinity, Step::Add { at: None, value: 1 }],
            vec![Step::Fault { at: None, error: "gone".to_owned() }, Step::AdvanceToInfinity],
        ] {
            assert!(Script { steps }.played(None).is_err());
        }
    }

    #[test]
    fn a_fault_comes_after_all_elements() {
        let steps = vec![Step::Add { at: None, value: 1 }, Step::Fault { at: None, error: "gone".to_owned() }];
        let (items, fault) = Script { steps }.played(None).expect("a script that can be played");
        let mut played = Played { items: items.into_iter(), fault };
        assert_eq!(played.next().map(|item| item.map(|item| item.value)), Ok(Some(1)));
        assert_eq!(played.next(), Err(SourceError("gone (the script's fault at 1970-01-01T00:00:00Z)".to_owned())));
        assert_eq!(played.next(), Ok(None));
    }
}
