//! Kinds that a build without their feature has in name only. Invariant: each says which feature brings it.

use serde::de::IgnoredAny;

use super::registry::Registry;
use super::scene_error::SceneError;
use crate::actor::Actor;

/// Never made.
struct Absent;

impl Actor for Absent {}

impl Registry {
    /// Names kinds of streams that builds with a feature have: names, and what they do there. A scenario that uses one is told the feature.
    pub fn absent_streams(&mut self, feature: &'static str, kinds: &[(&'static str, &'static str)]) {
        for &(name, doc) in kinds {
            self.stream::<IgnoredAny, ()>(name, doc, move |_, _| Err(lacking(name, feature)));
        }
    }

    /// As [`Registry::absent_streams`], for kinds of actors.
    ///
    /// ```
    /// use stillpoint_engine::scenario::{Registry, Scenario};
    /// let mut registry = Registry::new();
    /// registry.absent_actors("robots", &[("robot", "Works, in builds with the feature `robots`.")]);
    /// let scenario = Scenario::parse("a.ron", r#"(name: "a", actors: [(name: "arm", kind: robot(speed: 2))])"#, &[])?;
    /// let error = scenario.build(&registry).err().expect("there is none").to_string();
    /// assert!(error.contains("build it with the feature `robots`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn absent_actors(&mut self, feature: &'static str, kinds: &[(&'static str, &'static str)]) {
        for &(name, doc) in kinds {
            self.actor::<IgnoredAny, Absent>(name, doc, move |_, _| Err(lacking(name, feature)));
        }
    }
}

fn lacking(kind: &str, feature: &str) -> SceneError {
    SceneError::new(format!("this program was built without the kind `{kind}`")).with_help(build_with(feature))
}

/// How to get a program with a feature.
pub fn build_with(feature: &str) -> String {
    format!("build it with the feature `{feature}`, as in `cargo build --release --features {feature}`")
}
