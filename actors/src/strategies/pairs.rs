//! Two instruments that go together. Invariant: both legs are opened at one instant and closed at one; a leg that would be alone is closed
//! again.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Report};

use super::{positive, whole_lots};
use crate::decimal::Quantity;
use crate::event::Quote;
use crate::indicators::{CoMoments, Indicator, Pair, Regression, Window};
use crate::instrument::InstrumentId;
use crate::strategy::{Desk, SettingsError, Strategy};

/// What [`Pairs`] trades, and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairsSettings {
    /// What is explained.
    pub y: InstrumentId,
    /// What explains it.
    pub x: InstrumentId,
    /// How much of `y` it holds, long or short; of `x`, as much as the slope says.
    pub quantity: Quantity,
    /// How many samples the regression covers: more than 2.
    pub period: NonZeroU32,
    /// How long it is from sample to sample, at least.
    pub every: Duration,
    /// The z-score beyond which it opens a position; 2 is usual.
    pub entry: f64,
    /// The z-score within which it closes it: below `entry`; 0.5 is usual.
    pub exit: f64,
}

/// Trades the residual of `y` in a rolling regression on `x` back to zero.
///
/// The mids of both are sampled at the first quote of either after `every`. The z-score is the residual of the last sample, divided by the
/// root of the mean squared residual of the window; there is none where all samples are on a line. Beyond `entry` it sells `y` and buys
/// `slope` times as much of `x` for each of it, or the other way round; within `exit` it closes both. It opens nothing while orders of it are
/// open, or where the slope is not above zero. Its orders are market orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pairs {
    settings: PairsSettings,
    regression: Regression,
    moments: Window<CoMoments>,
    next: Instant,
    samples: u64,
    z: Option<f64>,
}

/// The part of a series' squares that its rounding may leave.
const ROUNDING: f64 = 1e-12;

impl Pairs {
    /// A strategy that has seen no quote.
    ///
    /// # Errors
    /// [`SettingsError`] if both instruments are one, the quantity or `every` is not above zero, the period is below 3, or the scores are not
    /// `0 <= exit < entry`.
    pub fn new(settings: PairsSettings) -> Result<Self, SettingsError> {
        let PairsSettings { y, x, quantity, period, every, entry, exit } = settings;
        positive("quantity", quantity)?;
        if y == x {
            return Err(SettingsError::new("x", "is the same instrument as `y`; give another one"));
        }
        if period.get() < 3 {
            return Err(SettingsError::new("period", "must be at least 3: through two points there is always a line"));
        }
        if !every.is_positive() {
            return Err(SettingsError::new("every", "is not above zero; give a time such as 1s"));
        }
        if !(0.0..entry).contains(&exit) {
            return Err(SettingsError::new("exit", format!("must be at least 0 and below `entry`, which is {entry}")));
        }
        let (regression, moments) = (Regression::new(period), Window::new(period));
        Ok(Self { settings, regression, moments, next: Instant::MIN, samples: 0, z: None })
    }

    /// The hedge ratio and the z-score after a sample.
    fn sample(&mut self, pair: Pair) -> Option<(f64, f64)> {
        self.samples += 1;
        self.moments.push(CoMoments::of(pair.x, pair.y));
        let line = self.regression.update(pair)?;
        let CoMoments { y, products, .. } = self.moments.full()?;
        let squares = y.squares - line.slope * products;
        let residual = pair.y - line.intercept - line.slope * pair.x;
        // On a line there are no residuals but those of rounding.
        let deviation = (squares / f64::from(self.settings.period.get())).sqrt();
        (squares > ROUNDING * y.squares).then(|| (line.slope, residual / deviation))
    }

    fn trade(&self, slope: f64, z: f64, desk: &mut Desk<'_>) {
        let PairsSettings { y, x, quantity, entry, exit, .. } = self.settings;
        let (Some(a), Some(b)) = (desk.account(y), desk.account(x)) else { return };
        if !desk.orders().is_empty() {
            return;
        }
        let flat = a.held() == Quantity(0) && b.held() == Quantity(0);
        let (y_instrument, x_instrument) = (a.instrument(), b.instrument());
        if flat && z.abs() > entry && slope > 0.0 {
            let hedge = slope * quantity.to_f64(y_instrument.quantity_decimals) * x_instrument.quantity_decimals.one() as f64;
            // A float becomes the nearest whole number it can be, so what is too large is refused by the limits or the venue.
            let hedge = whole_lots(hedge as i128, x_instrument.lot_size);
            let sign = if z > 0.0 { -1 } else { 1 };
            let opened = hedge.0 > 0 && desk.trade_to(y, Quantity(sign * quantity.0)).is_ok();
            if opened && desk.trade_to(x, Quantity(-sign * hedge.0)).is_err() {
                _ = desk.trade_to(y, Quantity(0));
            }
        } else if !flat && z.abs() < exit {
            _ = desk.trade_to(y, Quantity(0));
            _ = desk.trade_to(x, Quantity(0));
        }
    }
}

impl Strategy for Pairs {
    fn on_quote(&mut self, _: &Quote, desk: &mut Desk<'_>) {
        let PairsSettings { y, x, every, .. } = self.settings;
        if desk.now() < self.next {
            return;
        }
        let price = |id: InstrumentId| {
            let account = desk.account(id)?;
            Some(account.mid()? / account.instrument().price_decimals.one() as f64)
        };
        let Some((x, y)) = price(x).zip(price(y)) else { return };
        self.next = desk.now().checked_add(every).unwrap_or(Instant::MAX);
        let sampled = self.sample(Pair { x, y });
        self.z = sampled.map(|(_, z)| z);
        if let Some((slope, z)) = sampled {
            self.trade(slope, z, desk);
        }
    }

    fn report(&self, report: &mut Report) {
        report.integer("samples", self.samples as i64);
        if let Some(z) = self.z {
            report.number("z", z);
        }
    }
}
