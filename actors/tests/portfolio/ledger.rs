//! Random days of a portfolio against a ledger that knows nothing of costs and averages: it books what every fill pays or brings, and values
//! what is held at the last price.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stillpoint_actors::portfolio::{CurrencyId, Figures, Fill, Keeping, Leg, MarginMode, Parts, Portfolio};
use stillpoint_actors::{InstrumentId, Price, Side};

use crate::{COIN, DOLLAR, INVERSE, LINEAR, SPOT, fill, portfolio};

#[derive(Clone, Debug)]
enum Step {
    Fill { instrument: InstrumentId, short: bool, buy: bool, quantity: i64, price: i64, fee: i128, fee_in_coins: bool },
    Mark(InstrumentId, i64),
    Funding(InstrumentId, i64),
    Pay(bool, i128),
    Liquidate { instrument: InstrumentId, short: bool, price: i64, fee: i128 },
}

fn step() -> impl Strategy<Value = Step> {
    let instrument = || prop::sample::select(vec![SPOT, LINEAR, INVERSE]);
    let price = || 500i64..20_000;
    prop_oneof![
        6 => (instrument(), any::<bool>(), any::<bool>(), 1i64..200, price(), -50i128..100, any::<bool>()).prop_map(
            |(instrument, short, buy, quantity, price, fee, fee_in_coins)| Step::Fill {
                instrument, short, buy, quantity, price, fee, fee_in_coins,
            }
        ),
        3 => (instrument(), price()).prop_map(|(instrument, price)| Step::Mark(instrument, price)),
        1 => (instrument(), -1_000_000i64..1_000_000).prop_map(|(instrument, rate)| Step::Funding(instrument, rate)),
        1 => (any::<bool>(), -10_000_000i128..10_000_000).prop_map(|(coins, amount)| Step::Pay(coins, amount)),
        1 => (instrument(), any::<bool>(), price(), 0i128..100).prop_map(|(instrument, short, price, fee)| {
            Step::Liquidate { instrument, short, price, fee }
        }),
    ]
}

/// What has been paid and what is held: nothing else.
#[derive(Default)]
struct Ledger {
    cash: BTreeMap<CurrencyId, i128>,
    held: BTreeMap<(InstrumentId, Leg), (i64, i64)>,
    fills: i128,
}

fn settlement(instrument: InstrumentId) -> CurrencyId {
    if instrument == INVERSE { COIN } else { DOLLAR }
}

/// Dollars have 6 decimals, prices 2 and quantities 1; coins have 8, prices of the inverse contract 1, and it stands for 100 dollars.
fn worth(instrument: InstrumentId, quantity: i64, price: i64) -> i128 {
    let (quantity, price) = (i128::from(quantity), i128::from(price));
    if instrument == INVERSE { -(quantity * 100 * 1_000_000_000 / price) } else { quantity * price * 1000 }
}

impl Ledger {
    fn pay(&mut self, currency: CurrencyId, amount: i128) {
        *self.cash.entry(currency).or_default() += amount;
    }

    fn trade(&mut self, instrument: InstrumentId, leg: Leg, signed: i64, price: i64) {
        self.pay(settlement(instrument), -worth(instrument, signed, price));
        let held = self.held.entry((instrument, leg)).or_default();
        *held = (held.0 + signed, price);
        self.fills += 1;
    }

    fn equity(&self, currency: CurrencyId) -> i128 {
        let of = |((instrument, _), (quantity, price)): (&(InstrumentId, Leg), &(i64, i64))| {
            if settlement(*instrument) == currency { worth(*instrument, *quantity, *price) } else { 0 }
        };
        self.cash.get(&currency).copied().unwrap_or(0) + self.held.iter().map(of).sum::<i128>()
    }
}

fn leg(keeping: Keeping, short: bool) -> Leg {
    match keeping {
        Keeping::Netting => Leg::Net,
        Keeping::Hedging if short => Leg::Short,
        Keeping::Hedging => Leg::Long,
    }
}

/// Does a step to both; what the portfolio refuses does not happen.
fn play(step: &Step, portfolio: &mut Portfolio, ledger: &mut Ledger, keeping: Keeping) {
    match *step {
        Step::Fill { instrument, short, buy, quantity, price, fee, fee_in_coins } => {
            let (leg, side) = (leg(keeping, short), if buy { Side::Buy } else { Side::Sell });
            let currency = if fee_in_coins { COIN } else { DOLLAR };
            let fill = Fill { fee: (currency, fee), ..fill(instrument, leg, side, quantity, price) };
            if portfolio.fill(&fill).is_ok() {
                ledger.trade(instrument, leg, side.sign() * quantity, price);
                ledger.pay(currency, -fee);
            }
        }
        Step::Mark(instrument, price) => {
            portfolio.mark(instrument, Price(price)).expect("a good price");
            let of = |(key, held): (&(InstrumentId, Leg), &mut (i64, i64))| {
                if key.0 == instrument {
                    held.1 = price
                }
            };
            ledger.held.iter_mut().for_each(of);
        }
        Step::Funding(instrument, rate) => {
            portfolio.pay_funding(instrument, Parts(rate)).expect("known");
            let legs: Vec<_> = ledger.held.iter().filter(|(key, _)| key.0 == instrument).map(|(_, held)| *held).collect();
            for (quantity, price) in legs {
                let size = worth(instrument, quantity, price).abs() * i128::from(quantity.signum());
                ledger.pay(settlement(instrument), -(size * i128::from(rate) / 1_000_000_000));
            }
        }
        Step::Pay(coins, amount) => {
            let currency = if coins { COIN } else { DOLLAR };
            portfolio.pay_in(currency, amount).expect("known");
            ledger.pay(currency, amount);
        }
        Step::Liquidate { instrument, short, price, fee } => {
            let leg = leg(keeping, short);
            let before = portfolio.figures(settlement(instrument)).expect("known");
            if portfolio.liquidate(instrument, leg, Price(price), fee).is_ok() {
                let held = ledger.held.get(&(instrument, leg)).map_or(0, |held| held.0);
                ledger.trade(instrument, leg, -held, price);
                let covered = portfolio.figures(settlement(instrument)).expect("known").covered - before.covered;
                ledger.pay(settlement(instrument), covered - fee);
            }
        }
    }
}

/// The sums that the portfolio keeps, added up anew.
fn check_sums(portfolio: &Portfolio, currency: CurrencyId, mode: MarginMode) {
    let figures = portfolio.figures(currency).expect("known");
    let mut sums =
        Figures { paid_in: figures.paid_in, fees: figures.fees, funding: figures.funding, covered: figures.covered, ..Figures::default() };
    for (instrument, leg, holding) in portfolio.holdings().filter(|(instrument, ..)| settlement(*instrument) == currency) {
        sums.realised += holding.realised();
        sums.cost += holding.cost();
        sums.value += holding.value();
        sums.isolated += holding.isolated();
        if instrument == SPOT {
            assert_eq!(holding.isolated(), 0);
            sums.outright += holding.value().abs();
            continue;
        }
        let size = holding.value().abs();
        match mode {
            MarginMode::Isolated => sums.isolated_gain += holding.unrealised(),
            MarginMode::Cross => {
                sums.initial += (size + 9) / 10;
                sums.maintenance += (size + 199) / 200;
            }
        }
        assert!(holding.quantity() != 0 || (holding.cost(), holding.value()) == (0, 0), "{instrument:?} {leg:?}");
    }
    assert_eq!(figures, sums);
    assert_eq!(figures.cash() + figures.value, figures.equity());
}

proptest! {
    #[test]
    fn nothing_appears_and_nothing_vanishes(
        steps in prop::collection::vec(step(), 1..60), hedging in any::<bool>(), isolated in any::<bool>(),
    ) {
        let keeping = if hedging { Keeping::Hedging } else { Keeping::Netting };
        let mode = if isolated { MarginMode::Isolated } else { MarginMode::Cross };
        let (mut portfolio, mut ledger) = (portfolio(keeping, mode), Ledger::default());
        for step in &steps {
            play(step, &mut portfolio, &mut ledger, keeping);
            for currency in [DOLLAR, COIN] {
                check_sums(&portfolio, currency, mode);
                // A fill of an inverse contract that closes and opens is two amounts to the portfolio, each rounded by itself.
                let difference = portfolio.figures(currency).expect("known").equity() - ledger.equity(currency);
                let allowed = if currency == COIN { ledger.fills } else { 0 };
                prop_assert!(difference.abs() <= allowed, "{difference} of {currency:?} after {step:?}");
            }
        }
        let text = ron::to_string(&portfolio).expect("a portfolio can be saved");
        prop_assert_eq!(&ron::from_str::<Portfolio>(&text).expect("and restored"), &portfolio);
        check_closing(portfolio, mode);
    }
}

/// Closing everything at its last price changes no equity, and leaves nothing but balances.
fn check_closing(mut portfolio: Portfolio, mode: MarginMode) {
    let before = [DOLLAR, COIN].map(|currency| portfolio.figures(currency).expect("known"));
    let open: Vec<_> = portfolio.holdings().filter(|(.., holding)| holding.quantity() != 0).map(|(i, leg, h)| (i, leg, *h)).collect();
    for (instrument, leg, holding) in open {
        let side = if holding.quantity() > 0 { Side::Sell } else { Side::Buy };
        portfolio.fill(&fill(instrument, leg, side, holding.quantity().abs(), holding.price().0)).expect("what is held can be closed");
    }
    for (currency, before) in [DOLLAR, COIN].into_iter().zip(before) {
        let after = portfolio.figures(currency).expect("known");
        assert_eq!((after.equity(), after.balance(), after.cash()), (before.equity(), before.equity(), before.equity()));
        assert_eq!((after.cost, after.value, after.isolated_gain, after.initial, after.maintenance), (0, 0, 0, 0, 0));
        assert_eq!(after.isolated, 0);
        check_sums(&portfolio, currency, mode);
    }
}
