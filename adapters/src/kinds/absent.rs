//! Kinds that a build without their feature has in name only. Invariant: each says which feature brings it.

use serde::de::IgnoredAny;
use stillpoint_engine::scenario::{Registry, SceneError};

/// Names kinds of streams that another build has: names and what they do there.
pub(super) fn register(registry: &mut Registry, feature: &'static str, kinds: &'static [(&'static str, &'static str)]) {
    for &(name, doc) in kinds {
        let kind = registry.stream::<IgnoredAny, ()>(name, doc, move |_, _| {
            Err(SceneError::new(format!("this program was built without the kind `{name}`")).with_help(build_with(feature)))
        });
        kind.example(r#"(file: "data")"#);
    }
}

/// How to get a program with a feature.
pub(crate) fn build_with(feature: &str) -> String {
    format!("build it with the feature `{feature}`, as in `cargo build --release -p stillpoint-cli --features {feature}`")
}
