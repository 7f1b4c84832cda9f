//! What portfolios write down of their accounts. Invariant: of each account bounded memory, whatever the length of the run; what is kept is spread
//! evenly over what was written, the first of it included.

use stillpoint_actors::portfolio::{Accounts, Currency};
use stillpoint_engine::Instant;

/// At most so many statements of an account are kept.
const MOST: usize = 4_000;

/// The accounts of one portfolio.
#[derive(Clone, Debug)]
pub(super) struct Portfolio {
    pub(super) name: String,
    /// By the number of the currency.
    pub(super) accounts: Vec<Account>,
}

/// What was told of one currency.
#[derive(Clone, Debug)]
pub(super) struct Account {
    currency: Currency,
    pub(super) told: Vec<Statement>,
    /// Of the statements every so manieth is kept.
    stride: usize,
    heard: usize,
}

/// Amounts, as floats of their currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Statement {
    /// The instant before which it was so.
    pub(super) before: Instant,
    pub(super) equity: f64,
    pub(super) margin: f64,
    pub(super) free: f64,
    pub(super) fees: f64,
}

impl Portfolio {
    pub(super) fn new(name: &str, Accounts(currencies): &Accounts) -> Self {
        let account = |currency: &Currency| Account { currency: currency.clone(), told: Vec::new(), stride: 1, heard: 0 };
        Self { name: name.to_owned(), accounts: currencies.iter().map(account).collect() }
    }
}

impl Account {
    /// What people call the currency.
    pub(super) fn code(&self) -> &str {
        &self.currency.code
    }

    /// Takes equity, margin, what is free, and fees, in units of the currency's last decimal.
    pub(super) fn take(&mut self, before: Instant, amounts: [i128; 4]) {
        self.heard += 1;
        if !(self.heard - 1).is_multiple_of(self.stride) {
            return;
        }
        let [equity, margin, free, fees] = amounts.map(|amount| amount as f64 / self.currency.decimals.one() as f64);
        self.told.push(Statement { before, equity, margin, free, fees });
        if self.told.len() > MOST {
            self.told = self.told.iter().copied().step_by(2).collect();
            self.stride *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_actors::Decimals;

    #[test]
    fn memory_is_bounded_and_what_is_kept_spread_evenly() {
        let cents = Decimals::new(2).expect("at most 18");
        let mut portfolio = Portfolio::new("account", &Accounts(vec![Currency { code: "USD".to_owned(), decimals: cents }]));
        let account = &mut portfolio.accounts[0];
        for written in 0..10_000i64 {
            account.take(Instant::from_nanos(written), [i128::from(written), 0, -150, 1]);
        }
        // Every fourth of ten thousand.
        let kept: Vec<i64> = account.told.iter().map(|statement| statement.before.as_nanos()).collect();
        assert_eq!(kept, (0..2_500).map(|index| 4 * index).collect::<Vec<_>>());
        assert_eq!(account.told[1], Statement { before: Instant::from_nanos(4), equity: 0.04, margin: 0.0, free: -1.5, fees: 0.01 });
    }
}
