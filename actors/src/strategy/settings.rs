//! What makes a trader, and what is wrong with it. Invariant: a fault names its field and says what to do.

use std::fmt;

use stillpoint_engine::Instant;

use super::account::{Account, Route};
use super::limits::RiskLimits;
use crate::event::Bar;

/// What a [`Trader`](super::Trader) trades, where, when, and within which limits.
#[derive(Clone, Debug, Default)]
pub struct TraderSettings {
    /// What it trades, and where. Events of other instruments are not for it.
    pub routes: Vec<Route>,
    /// Limits of all it does.
    pub limits: RiskLimits,
    /// When trading begins: what comes before reaches the strategy, and orders are refused. From the start of the run on unless given.
    pub trade_from: Option<Instant>,
    /// When trading is over: at this instant everything is cancelled, and orders are refused from then on.
    pub trade_until: Option<Instant>,
    /// Bars of the past, which the strategy gets before it starts.
    pub history: Vec<Bar>,
}

/// Settings of a trader or a strategy that cannot be: which field, and what about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    field: &'static str,
    cause: String,
}

impl SettingsError {
    /// A fault of a field; the cause follows its name, as in *is not above zero*.
    pub fn new(field: &'static str, cause: impl Into<String>) -> Self {
        Self { field, cause: cause.into() }
    }

    /// The field.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with it and what to do, to follow its name.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.cause)
    }
}

impl std::error::Error for SettingsError {}

impl TraderSettings {
    /// The accounts, by the numbers of their instruments.
    pub(super) fn accounts(&self) -> Result<Vec<Account>, SettingsError> {
        let fault = |cause: String| Err(SettingsError::new("instruments", cause));
        self.limits.check()?;
        let Some(first) = self.routes.first() else {
            return fault("names none; give the trader what it trades".into());
        };
        for Route { instrument, limits, .. } in &self.routes {
            limits.check()?;
            if let Err(cause) = instrument.check() {
                return fault(format!("has `{}`, which {cause}", instrument.symbol));
            }
        }
        let mut routes = self.routes.clone();
        routes.sort_by_key(|route| route.instrument.id);
        if let Some(pair) = routes.windows(2).find(|pair| pair[0].instrument.id == pair[1].instrument.id) {
            let (a, b) = (&pair[0].instrument, &pair[1].instrument);
            return fault(format!("has `{}` and `{}` under the number {}; give each a number of its own", a.symbol, b.symbol, a.id.0));
        }
        if let (Some(_), Some(other)) = (self.limits.max_loss, routes.iter().find(|route| !is_paid_alike(route, first))) {
            let (a, b) = (&first.instrument.symbol, &other.instrument.symbol);
            return Err(SettingsError::new(
                "max_loss",
                format!("adds up money of `{a}` and `{b}`, which is not in one currency; leave it out"),
            ));
        }
        let most = routes.iter().map(|route| route.instrument.money_decimals()).max().unwrap_or_default();
        let scale = |route: &Route| 10i128.pow(most - route.instrument.money_decimals());
        Ok(routes.into_iter().map(|route| (scale(&route), route)).map(|(scale, route)| Account::new(route, scale)).collect())
    }
}

fn is_paid_alike(a: &Route, b: &Route) -> bool {
    let (a, b) = (&a.instrument, &b.instrument);
    (a.contract, &a.quote_currency) == (b.contract, &b.quote_currency)
}
