//! A plain build: kinds of features that it lacks are there in name, and say which feature brings them.
#![cfg(not(feature = "exchange"))]

use stillpoint_engine::scenario::{Registry, Scenario};

#[test]
fn a_kind_that_is_not_built_in_names_its_feature() {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    let absent = ["bars", "breakout", "exchange", "ma_cross", "macd_rsi", "market_maker", "pairs", "portfolio", "twap"];
    for kind in absent {
        let text = format!(r#"(name: "plain", actors: [(name: "a", kind: {kind}(listings: [(instrument: (id: 0, symbol: "X"))]))])"#);
        let scenario = Scenario::parse("plain.ron", &text, &[]).expect("a scenario");
        let error = scenario.build(&registry).err().expect("no such kind").to_string();
        assert!(error.starts_with(&format!("plain.ron:1:44: this program was built without the kind `{kind}`")), "{error}");
        assert!(error.contains("build it with the feature `exchange`, as in `cargo build --release --features exchange`"), "{error}");
    }
    let named = |doc: &str| doc.contains("in builds with the feature `exchange`");
    assert!(registry.actor_kinds().all(|kind| named(kind.doc) == absent.contains(&kind.name)));
    assert_eq!(
        registry.stream_kinds().filter(|kind| named(kind.doc)).map(|kind| kind.name).collect::<Vec<_>>(),
        ["script_book", "script_depth", "script_funding", "script_rates"]
    );
}
