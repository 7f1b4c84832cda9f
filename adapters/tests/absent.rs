//! A plain build: kinds of features that it lacks are there in name, and say which feature brings them.
#![cfg(not(any(feature = "dbn", feature = "parquet")))]

use stillpoint_engine::scenario::{Registry, Scenario};

#[test]
fn a_kind_that_is_not_built_in_names_its_feature() {
    let mut registry = Registry::new();
    stillpoint_adapters::register(&mut registry);
    for (kind, feature) in [("dbn_quotes", "dbn"), ("dbn_book", "dbn"), ("parquet_bars", "parquet")] {
        let text = format!(
            r#"(name: "plain", streams: [(name: "s", kind: {kind}(file: "x", instrument: (id: 0, symbol: "X"), time: Received))])"#
        );
        let scenario = Scenario::parse("plain.ron", &text, &[]).expect("a scenario");
        let error = scenario.build(&registry).err().expect("no such kind").to_string();
        assert!(error.contains(&format!("this program was built without the kind `{kind}`")), "{error}");
        assert!(error.contains(&format!("build it with the feature `{feature}`")), "{error}");
    }
    assert_eq!(registry.stream_kinds().filter(|kind| kind.doc.contains("in builds with the feature")).count(), 9);
}
