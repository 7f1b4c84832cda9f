//! Accounts and positions against figures worked out by hand and against a ledger that books every cash flow by itself.

mod actor;
mod by_hand;
mod kind;
mod ledger;
mod liquidations;
mod trading;
mod wiring;

use stillpoint_actors::portfolio::{Contract, Currency, CurrencyId, Fill, Keeping, Leg, Margin, MarginMode, Parts, Portfolio};
use stillpoint_actors::{ContractKind, Decimals, InstrumentId, Price, Quantity, Side};

fn decimals(count: u8) -> Decimals {
    Decimals::new(count).expect("at most 18")
}

const DOLLAR: CurrencyId = CurrencyId(0);
const COIN: CurrencyId = CurrencyId(1);
/// Paid in full, in dollars: prices with two decimals, quantities with one.
const SPOT: InstrumentId = InstrumentId(0);
/// Linear, in dollars, decimals as those of [`SPOT`].
const LINEAR: InstrumentId = InstrumentId(1);
/// Inverse, a hundred dollars a contract, in coins: prices with one decimal.
const INVERSE: InstrumentId = InstrumentId(2);

/// Dollars with 6 decimals, coins with 8, and the three contracts; a tenth of margin, half a percent to keep it.
fn portfolio(keeping: Keeping, mode: MarginMode) -> Portfolio {
    let mut portfolio = Portfolio::new(keeping);
    let margin = Some(Margin { mode, initial: Parts(100_000_000), maintenance: Parts(5_000_000) });
    let spot = Contract::spot(DOLLAR, decimals(2), decimals(1));
    let inverse = Contract {
        settlement: COIN,
        kind: ContractKind::Inverse,
        multiplier: 100,
        margin,
        ..Contract::spot(COIN, decimals(1), decimals(0))
    };
    let currency = |code: &str, count| Currency { code: code.to_owned(), decimals: decimals(count) };
    portfolio.add_currency(DOLLAR, currency("USD", 6)).expect("new");
    portfolio.add_currency(COIN, currency("BTC", 8)).expect("new");
    portfolio.add_contract(LINEAR, Contract { margin, ..spot.clone() }).expect("a contract");
    portfolio.add_contract(SPOT, spot).expect("a contract");
    portfolio.add_contract(INVERSE, inverse).expect("a contract");
    portfolio
}

fn fill(instrument: InstrumentId, leg: Leg, side: Side, quantity: i64, price: i64) -> Fill {
    Fill { instrument, leg, side, quantity: Quantity(quantity), price: Price(price), fee: (DOLLAR, 0) }
}
