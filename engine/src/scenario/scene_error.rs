//! Why a kind cannot make what a scenario asks of it. Invariant: the kind says what it is about, the loader finds where that stands.

use std::ops::Range;

use super::error::ScenarioError;
use super::raw::{Parts, arguments, range_of};
use super::schema::{KindCall, Scenario};
use crate::suggest;

/// Why a kind cannot make what the scenario asks of it. The loader adds where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneError {
    about: About,
    cause: String,
    help: Option<String>,
}

/// What an error is about, so that its place can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Kind,
    Param(String),
    Value(String),
}

impl SceneError {
    /// An error about the stream or the actor as a whole.
    pub fn new(cause: impl Into<String>) -> Self {
        Self { about: About::Kind, cause: cause.into(), help: None }
    }

    /// An error about the parameter `name`; the cause reads on from its name, as in "must be below `slow`". Inside of a parameter, names and
    /// numbers of elements lead there, such as `listings.0.rules`, and the last one is the name.
    pub fn param(name: &str, cause: impl AsRef<str>) -> Self {
        let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
        Self { about: About::Param(name.to_owned()), cause: format!("`{last}` {}", cause.as_ref()), help: None }
    }

    /// An error about a text among the parameters, such as a name.
    pub fn value(text: &str, cause: impl Into<String>) -> Self {
        Self { about: About::Value(text.to_owned()), cause: cause.into(), help: None }
    }

    /// The same error, about a text among the parameters.
    #[must_use]
    pub fn at(self, text: &str) -> Self {
        Self { about: About::Value(text.to_owned()), ..self }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self { help: suggest::help(name, known), ..Self::value(name, format!("there is no {what} `{name}`")) }
    }

    /// Finds the place.
    pub(crate) fn located(self, scenario: &Scenario, call: &KindCall) -> ScenarioError {
        let at = match &self.about {
            About::Kind => None,
            About::Param(name) => param_place(scenario, call, name),
            About::Value(text) => {
                let quoted = format!("{text:?}");
                let params = &scenario.text.as_str()[call.params.clone()];
                params.find(&quoted).map(|at| call.params.start + at..call.params.start + at + quoted.len())
            }
        };
        scenario.text.error(at.unwrap_or(call.name.at.clone()), self.cause).with_help(self.help)
    }
}

/// The place of a parameter's value, or of as much of the way to it as is written there.
fn param_place(scenario: &Scenario, call: &KindCall, path: &str) -> Option<Range<usize>> {
    let (text, mut place) = (&scenario.text, None);
    for step in path.split('.') {
        let inside = place.as_ref().map_or(call.params.clone(), |place| arguments(text, place));
        let next = match scenario.dialect.split(text, &inside) {
            Ok(Parts::Named(fields)) => fields.iter().find(|(field, _)| field == step).map(|(_, raw)| range_of(text, raw)),
            Ok(Parts::Listed(items)) => step.parse().ok().and_then(|index: usize| items.get(index)).map(|raw| range_of(text, raw)),
            _ => None,
        };
        match next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    place
}
