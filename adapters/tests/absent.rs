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

#[test]
fn a_look_at_a_file_that_is_not_built_in_names_its_feature() {
    let folder = tempfile::TempDir::new().expect("a folder for temporary files");
    for (name, start, feature) in [
        ("a.bin", b"DBN\x03\0\0\0\0".as_slice(), "dbn"),
        ("b.zst", b"\x51\x2a\x4d\x18\x08\0\0\0DBZ\x01", "dbn"),
        ("c.dbn.frag", b"\x0e\xa0", "dbn"),
        ("d", b"PAR1", "parquet"),
        ("E.PARQUET", b"", "parquet"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, start).expect("space for a small file");
        let error = stillpoint_adapters::inspect(&path, Default::default()).expect_err("no such reader").to_string();
        assert!(error.contains("which this program was built without; build it with the feature"), "{error}");
        assert!(error.contains(&format!("the feature `{feature}`")), "{error}");
    }
}
