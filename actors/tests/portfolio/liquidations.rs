//! When positions are taken away, by the closed formulas that exchanges publish, and by trying prices.

use Side::{Buy, Sell};
use proptest::prelude::*;
use stillpoint_actors::portfolio::{Keeping, Leg, Liquidation, MarginMode, Portfolio};
use stillpoint_actors::{InstrumentId, Price, Side};

use crate::{COIN, DOLLAR, INVERSE, LINEAR, fill, portfolio};

fn price(portfolio: &Portfolio, instrument: InstrumentId) -> Option<i64> {
    portfolio.liquidation_price(instrument, Leg::Net).expect("known").map(|price| price.0)
}

/// Entered at 10,000 with a tenth of margin and half a percent to keep it: linear `p = 10,000 * (1 -+ 0.1) / (1 -+ 0.005)`, inverse
/// `p = 10,000 * (1 +- 0.005) / (1 +- 0.1)`.
#[test]
fn isolated_positions_by_the_closed_formulas() {
    for (instrument, side, expected) in [
        (LINEAR, Buy, 904_522),    // 9,045.226..., and at that price or below
        (LINEAR, Sell, 1_094_528), // 10,945.273..., and at that price or above
        (INVERSE, Buy, 91_363),    // 9,136.3636...
        (INVERSE, Sell, 110_556),  // 11,055.5555...
    ] {
        let mut portfolio = portfolio(Keeping::Netting, MarginMode::Isolated);
        let entry = if instrument == LINEAR { 1_000_000 } else { 100_000 };
        portfolio.fill(&fill(instrument, Leg::Net, side, 1_000_000, entry)).expect("good");
        // What is in the account besides does not matter.
        portfolio.pay_in(DOLLAR, 5).expect("known");
        let found = price(&portfolio, instrument).expect("margin is finite");
        assert_eq!(found, expected, "{instrument:?} {side:?}");
        let due = |portfolio: &mut Portfolio, at: i64| {
            portfolio.mark(instrument, Price(at)).expect("known");
            portfolio.due(instrument).expect("known")
        };
        let into_loss = -side.sign();
        assert_eq!(due(&mut portfolio, found - into_loss), [], "one tick before");
        assert_eq!(due(&mut portfolio, found), [Liquidation::Position(instrument, Leg::Net)]);
    }
}

/// 1.0 long at 100.00 with 20 in the account: equity 20 + p - 100 meets 0.005 * p at 80 / 0.995 = 80.402...
#[test]
fn a_cross_position_has_all_of_the_account_behind_it() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.pay_in(DOLLAR, 20_000_000).expect("known");
    portfolio.fill(&fill(LINEAR, Leg::Net, Buy, 10, 10_000)).expect("good");
    assert_eq!(price(&portfolio, LINEAR), Some(8_040));
    portfolio.mark(LINEAR, Price(8_041)).expect("known");
    assert_eq!(portfolio.due(LINEAR), Ok(vec![]));
    portfolio.mark(LINEAR, Price(8_040)).expect("known");
    assert_eq!(portfolio.due(LINEAR), Ok(vec![Liquidation::Account(DOLLAR)]));
    // What the price was meanwhile does not change the answer; what is paid in does: 30 / 0.995 less would be 70.351...
    assert_eq!(price(&portfolio, LINEAR), Some(8_040));
    portfolio.pay_in(DOLLAR, 10_000_000).expect("known");
    assert_eq!((price(&portfolio, LINEAR), portfolio.due(LINEAR)), (Some(7_035), Ok(vec![])));
    // With 20.40 equity is 0.40 at 80.00, exactly the maintenance margin there: that is too little.
    portfolio.pay_in(DOLLAR, -9_600_000).expect("known");
    portfolio.mark(LINEAR, Price(8_000)).expect("known");
    assert_eq!((price(&portfolio, LINEAR), portfolio.due(LINEAR)), (Some(8_000), Ok(vec![Liquidation::Account(DOLLAR)])));
    portfolio.pay_in(DOLLAR, 9_600_000).expect("known");
    // Paid in full it cannot be lost by a price above zero.
    portfolio.pay_in(DOLLAR, 70_000_001).expect("known");
    assert_eq!(price(&portfolio, LINEAR), None);
}

#[test]
fn an_isolated_position_loses_what_was_set_aside_and_no_more() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Isolated);
    portfolio.pay_in(DOLLAR, 500_000_000).expect("known");
    portfolio.fill(&fill(LINEAR, Leg::Net, Buy, 100, 10_000)).expect("good");
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.isolated, figures.cross_equity(), figures.available()), (100_000_000, 400_000_000, 400_000_000));
    // The price falls through: 10.0 at 85.00 lose 150, and the fee is 2: 52 more than was set aside.
    portfolio.mark(LINEAR, Price(8_500)).expect("known");
    assert_eq!(portfolio.figures(DOLLAR).expect("known").cross_equity(), 400_000_000);
    portfolio.liquidate(LINEAR, Leg::Net, Price(8_500), 2_000_000).expect("held");
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.realised, figures.fees, figures.covered), (-150_000_000, 2_000_000, 52_000_000));
    assert_eq!((figures.isolated, figures.balance(), figures.equity()), (0, 400_000_000, 400_000_000));
}

#[test]
fn what_is_set_aside_is_released_with_the_part_that_is_closed() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Isolated);
    portfolio.fill(&fill(LINEAR, Leg::Net, Buy, 30, 10_000)).expect("good");
    let isolated = |portfolio: &Portfolio| portfolio.holding(LINEAR, Leg::Net).expect("held").isolated();
    assert_eq!(isolated(&portfolio), 30_000_000);
    portfolio.fill(&fill(LINEAR, Leg::Net, Sell, 10, 15_000)).expect("good");
    assert_eq!(isolated(&portfolio), 20_000_000);
    // 2.0 are closed, 1.0 at 90.00 is opened the other way.
    portfolio.fill(&fill(LINEAR, Leg::Net, Sell, 30, 9_000)).expect("good");
    assert_eq!(isolated(&portfolio), 9_000_000);
    portfolio.fill(&fill(LINEAR, Leg::Net, Buy, 10, 9_500)).expect("good");
    assert_eq!(isolated(&portfolio), 0);
}

proptest! {
    /// The price found is the one at which marking the portfolio makes the position due, and the tick before it is not.
    #[test]
    fn the_liquidation_price_is_where_it_becomes_due(
        inverse in any::<bool>(), isolated in any::<bool>(), buy in any::<bool>(),
        quantity in 1i64..5000, entry in 1000i64..200_000, paid in 0i128..1_000_000_000,
    ) {
        let mut portfolio = portfolio(Keeping::Netting, if isolated { MarginMode::Isolated } else { MarginMode::Cross });
        let (instrument, currency) = if inverse { (INVERSE, COIN) } else { (LINEAR, DOLLAR) };
        let side = if buy { Buy } else { Sell };
        portfolio.pay_in(currency, paid).expect("known");
        portfolio.fill(&fill(instrument, Leg::Net, side, quantity, entry)).expect("good");
        let due = |portfolio: &Portfolio, at: i64| {
            let mut copy = portfolio.clone();
            copy.mark(instrument, Price(at)).map(|()| !copy.due(instrument).expect("known").is_empty())
        };
        match price(&portfolio, instrument) {
            Some(found) => {
                prop_assert_eq!(due(&portfolio, found), Ok(true));
                let before = found + side.sign();
                prop_assert!(before < 1 || due(&portfolio, before) == Ok(false));
            }
            None => {
                for at in [1, 2, entry, 1_000_000_000, 1_000_000_000_000] {
                    prop_assert_eq!(due(&portfolio, at), Ok(false), "at {}", at);
                }
            }
        }
    }
}
