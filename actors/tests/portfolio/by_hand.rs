//! Figures worked out by hand, and what is refused.

use Side::{Buy, Sell};
use stillpoint_actors::portfolio::{Contract, Currency, CurrencyId, Fill, Keeping, Leg, MarginMode, Parts, Portfolio, PortfolioError};
use stillpoint_actors::{InstrumentId, Price, Side};

use crate::{COIN, DOLLAR, INVERSE, LINEAR, SPOT, decimals, fill, portfolio};

/// Amounts are in millionths of a dollar: 1.0 at 100.00 is 100,000,000.
#[test]
fn spot_by_cash_and_value() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.pay_in(DOLLAR, 1_000_000_000).expect("known");
    // 2.0 at 100.00 with a fee of 0.2; then half of it at 130.00 with a rebate of 0.05; the rest is worth 90.00.
    portfolio.fill(&Fill { fee: (DOLLAR, 200_000), ..fill(SPOT, Leg::Net, Buy, 20, 10_000) }).expect("good");
    portfolio.fill(&Fill { fee: (DOLLAR, -50_000), ..fill(SPOT, Leg::Net, Sell, 10, 13_000) }).expect("good");
    portfolio.mark(SPOT, Price(9_000)).expect("known");
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.realised, figures.fees, figures.cost, figures.value), (30_000_000, 150_000, 100_000_000, 90_000_000));
    // 1,000 - 200 - 0.2 + 130 + 0.05 of cash.
    assert_eq!((figures.cash(), figures.balance(), figures.equity()), (929_850_000, 1_029_850_000, 1_019_850_000));
    assert_eq!((figures.initial, figures.maintenance, figures.available()), (0, 0, 1_019_850_000));
    let holding = portfolio.holding(SPOT, Leg::Net).expect("held");
    assert_eq!((holding.quantity(), holding.cost(), holding.realised(), holding.unrealised()), (10, 100_000_000, 30_000_000, -10_000_000));
    assert_eq!((holding.price(), portfolio.liquidation_price(SPOT, Leg::Net)), (Price(9_000), Ok(None)));
}

#[test]
fn a_short_position_that_turns() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.fill(&fill(LINEAR, Leg::Net, Sell, 30, 5_000)).expect("good");
    // Buys back 3.0 with a profit of 5.00 each, and is long 1.0 at 45.00.
    portfolio.fill(&fill(LINEAR, Leg::Net, Buy, 40, 4_500)).expect("good");
    portfolio.mark(LINEAR, Price(4_600)).expect("known");
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.realised, figures.cost, figures.unrealised()), (15_000_000, 45_000_000, 1_000_000));
    assert_eq!((figures.initial, figures.maintenance), (4_600_000, 230_000));
    assert_eq!((figures.equity(), figures.available()), (16_000_000, 11_400_000));
}

/// Amounts are in hundred-millionths of a coin.
#[test]
fn an_inverse_contract_pays_in_what_is_priced() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.pay_in(COIN, 100_000_000).expect("known");
    // 100 contracts of 100 dollars at 10,000: one coin is owed; at 12,500 it is 0.8 of a coin.
    portfolio.fill(&fill(INVERSE, Leg::Net, Buy, 100, 100_000)).expect("good");
    portfolio.mark(INVERSE, Price(125_000)).expect("known");
    let figures = portfolio.figures(COIN).expect("known");
    assert_eq!((figures.cost, figures.value, figures.unrealised()), (-100_000_000, -80_000_000, 20_000_000));
    assert_eq!((figures.initial, figures.maintenance), (8_000_000, 400_000));
    // Half is closed there: 0.1 of a coin is earned.
    portfolio.fill(&fill(INVERSE, Leg::Net, Sell, 50, 125_000)).expect("good");
    let figures = portfolio.figures(COIN).expect("known");
    assert_eq!((figures.realised, figures.unrealised(), figures.equity()), (10_000_000, 10_000_000, 120_000_000));
    // A hundredth of funding on 0.4 of a coin, paid by who is long.
    portfolio.pay_funding(INVERSE, Parts(10_000_000)).expect("known");
    assert_eq!(portfolio.figures(COIN).expect("known").funding, -400_000);
    assert_eq!(portfolio.mark(INVERSE, Price(0)), Err(PortfolioError::BadPrice));
}

#[test]
fn funding_goes_from_long_to_short() {
    let mut portfolio = portfolio(Keeping::Hedging, MarginMode::Isolated);
    portfolio.fill(&fill(LINEAR, Leg::Long, Buy, 30, 10_000)).expect("good");
    portfolio.fill(&fill(LINEAR, Leg::Short, Sell, 10, 10_000)).expect("good");
    portfolio.pay_funding(LINEAR, Parts(100_000)).expect("known");
    // 0.0001 of 300 paid, of 100 received; a tenth of each had been set aside.
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.funding, figures.isolated), (-20_000, 40_000_000 - 20_000));
    let isolated = [Leg::Long, Leg::Short].map(|leg| portfolio.holding(LINEAR, leg).expect("held").isolated());
    assert_eq!(isolated, [30_000_000 - 30_000, 10_000_000 + 10_000]);
    portfolio.pay_funding(LINEAR, Parts(-100_000)).expect("known");
    assert_eq!(portfolio.figures(DOLLAR).expect("known").funding, 0);
}

#[test]
fn hedged_positions_stand_beside_each_other() {
    let mut portfolio = portfolio(Keeping::Hedging, MarginMode::Cross);
    portfolio.fill(&fill(LINEAR, Leg::Long, Buy, 10, 10_000)).expect("good");
    portfolio.fill(&fill(LINEAR, Leg::Short, Sell, 10, 11_000)).expect("good");
    // The long one still has the price of its own fill; a price is for both.
    assert_eq!(portfolio.figures(DOLLAR).expect("known").unrealised(), 0);
    portfolio.mark(LINEAR, Price(30_000)).expect("known");
    let figures = portfolio.figures(DOLLAR).expect("known");
    assert_eq!((figures.cost, figures.value, figures.equity(), figures.initial), (-10_000_000, 0, 10_000_000, 60_000_000));
    assert_eq!(portfolio.fill(&fill(LINEAR, Leg::Long, Sell, 11, 1)), Err(PortfolioError::MoreThanHeld { held: 10 }));
    assert_eq!(portfolio.fill(&fill(LINEAR, Leg::Short, Buy, 11, 1)), Err(PortfolioError::MoreThanHeld { held: 10 }));
    portfolio.fill(&fill(LINEAR, Leg::Short, Buy, 4, 10_500)).expect("good");
    assert_eq!(portfolio.holding(LINEAR, Leg::Short).map(|short| (short.quantity(), short.realised())), Some((-6, 2_000_000)));
    assert_eq!(portfolio.holding(LINEAR, Leg::Long).map(|long| (long.quantity(), long.realised())), Some((10, 0)));
}

#[test]
fn a_total_converts_every_currency() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.pay_in(DOLLAR, 1_000_000).expect("known");
    assert_eq!(portfolio.total(DOLLAR), Ok(1_000_000));
    portfolio.pay_in(COIN, 150_000_001).expect("known");
    assert_eq!(portfolio.total(DOLLAR), Err(PortfolioError::NoRate(COIN)));
    // 1.50000001 coins at 20,000.5 are 30,000.750200005 dollars.
    portfolio.set_rate(COIN, DOLLAR, (Price(200_005), decimals(1))).expect("known");
    assert_eq!(portfolio.total(DOLLAR), Ok(1_000_000 + 30_000_750_200));
    // A dollar at 0.00005 of a coin.
    portfolio.set_rate(DOLLAR, COIN, (Price(5), decimals(5))).expect("known");
    assert_eq!(portfolio.total(COIN), Ok(150_000_001 + 5_000));
    portfolio.pay_in(DOLLAR, -3_000_001).expect("known");
    assert_eq!(portfolio.total(COIN), Ok(150_000_001 - 10_000));
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut portfolio = portfolio(Keeping::Netting, MarginMode::Cross);
    portfolio.fill(&fill(SPOT, Leg::Net, Buy, 20, 10_000)).expect("good");
    let before = portfolio.clone();
    let good = fill(SPOT, Leg::Net, Buy, 1, 1);
    let nine = CurrencyId(9);
    for (bad, error) in [
        (Fill { instrument: InstrumentId(9), ..good }, PortfolioError::UnknownInstrument(InstrumentId(9))),
        (Fill { fee: (nine, 1), ..good }, PortfolioError::UnknownCurrency(nine)),
        (Fill { fee: (DOLLAR, i128::MIN), ..good }, PortfolioError::TooLarge),
        (fill(SPOT, Leg::Net, Buy, 0, 1), PortfolioError::BadQuantity),
        (fill(SPOT, Leg::Net, Sell, -1, 1), PortfolioError::BadQuantity),
        (fill(SPOT, Leg::Net, Buy, i64::MAX, 0), PortfolioError::TooLarge),
        (fill(SPOT, Leg::Net, Buy, i64::MAX - 30, i64::MAX), PortfolioError::TooLarge),
        (fill(INVERSE, Leg::Net, Buy, 1, 0), PortfolioError::BadPrice),
        (fill(SPOT, Leg::Long, Buy, 1, 1), PortfolioError::WrongLeg { leg: Leg::Long, keeping: Keeping::Netting }),
    ] {
        assert_eq!(portfolio.fill(&bad), Err(error), "{bad:?}");
        assert!(error.to_string().len() > 30, "{error}");
    }
    assert_eq!(portfolio.pay_in(nine, 1), Err(PortfolioError::UnknownCurrency(nine)));
    assert_eq!(portfolio.pay_in(DOLLAR, i128::MAX), Err(PortfolioError::TooLarge));
    assert_eq!(portfolio.mark(InstrumentId(9), Price(1)), Err(PortfolioError::UnknownInstrument(InstrumentId(9))));
    assert_eq!(portfolio.liquidate(LINEAR, Leg::Net, Price(1), 0), Err(PortfolioError::MoreThanHeld { held: 0 }));
    assert_eq!(portfolio.add_currency(DOLLAR, Currency { code: "X".to_owned(), decimals: decimals(1) }), Err(PortfolioError::AddedTwice));
    assert_eq!(portfolio.add_contract(SPOT, Contract::spot(DOLLAR, decimals(0), decimals(0))), Err(PortfolioError::AddedTwice));
    let fine = Contract::spot(DOLLAR, decimals(6), decimals(1));
    assert_eq!(portfolio.add_contract(InstrumentId(7), fine), Err(PortfolioError::TooCoarse { needed: 7, has: 6 }));
    assert_eq!(portfolio, before);
    let mut hedged = Portfolio::new(Keeping::Hedging);
    hedged.add_currency(DOLLAR, Currency { code: "USD".to_owned(), decimals: decimals(6) }).expect("new");
    hedged.add_contract(SPOT, Contract::spot(DOLLAR, decimals(2), decimals(1))).expect("a contract");
    assert_eq!(hedged.fill(&good), Err(PortfolioError::WrongLeg { leg: Leg::Net, keeping: Keeping::Hedging }));
}
