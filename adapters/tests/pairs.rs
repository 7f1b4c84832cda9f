//! Pairs of moving averages that share a run come to what each comes to alone, and to what whole numbers without an engine say.

#[path = "../benches/market/pairs.rs"]
mod pairs;

#[test]
fn pairs_in_one_run_are_what_each_is_alone() {
    let daily = pairs::daily();
    assert_eq!((daily.bars.len(), daily.bars[2147].at.to_string()), (2148, "2013-03-01T00:00:00Z".to_owned()));
    let (all, closes) = (pairs::pairs(), pairs::closes(&daily));
    assert_eq!(all.len(), 990);
    // Every seventh, to keep it short: the bench has all.
    let some: Vec<_> = all.into_iter().step_by(7).collect();
    let (equities, fills) = pairs::run(&daily, &some);
    assert!(fills > 2_000, "{fills} fills");
    let expected: Vec<i128> = some.iter().map(|pair| pairs::naive(&closes, *pair)).collect();
    assert_eq!(equities, expected);
    assert!(expected.iter().filter(|equity| **equity != 0).count() == some.len());
    for (pair, equity) in some.iter().zip(&equities).step_by(7) {
        assert_eq!(pairs::run(&daily, &[*pair]).0, [*equity], "the pair {pair:?} alone");
    }
}
