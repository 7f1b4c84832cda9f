//! A quantity traded in equal parts. Invariant: at no time is more done or open than the schedule has come to.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Report};

use super::{positive, whole_lots};
use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Side};
use crate::instrument::InstrumentId;
use crate::order::{OrderKind, TimeInForce};
use crate::strategy::{Desk, Execution, SettingsError, Strategy, TimerTag};

/// What a [`Twap`] trades, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwapSettings {
    /// What.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much in all.
    pub quantity: Quantity,
    /// In how many parts.
    pub slices: NonZeroU32,
    /// How long it is from part to part.
    pub every: Duration,
    /// When the first part is sent; at the first quote unless given.
    #[serde(default)]
    pub start: Option<Instant>,
    /// The worst price; any unless given.
    #[serde(default)]
    pub limit: Option<Price>,
}

/// Works a parent order by equal child orders at equal distances of time, so that it is done at about the time-weighted average price.
///
/// At slice `k` of `n` it sends what is missing until `k / n` of the quantity is done, rounded down to lots, so that what one slice could not
/// fill comes with the next. Children are market orders, or immediate-or-cancel orders at the limit. Between slices nothing of it rests; a
/// slice leaves out what the orders before still may fill.
///
/// The schedule is kept by timers, not by an async task: a run with it can be saved at any still point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Twap {
    settings: TwapSettings,
    begun: bool,
    done: i64,
}

impl Twap {
    /// A parent order of which nothing is done.
    ///
    /// # Errors
    /// [`SettingsError`] if the quantity or `every` is not above zero.
    pub fn new(settings: TwapSettings) -> Result<Self, SettingsError> {
        positive("quantity", settings.quantity)?;
        if !settings.every.is_positive() {
            return Err(SettingsError::new("every", "is not above zero; give a time such as 1s"));
        }
        Ok(Self { settings, begun: false, done: 0 })
    }

    /// How much is to be done by a slice, counted from 1.
    fn scheduled(&self, slice: u64, lot: Quantity) -> i64 {
        let TwapSettings { quantity, slices, .. } = self.settings;
        let due = i128::from(quantity.0) * i128::from(slice) / i128::from(slices.get());
        whole_lots(due, lot).0
    }

    fn send(&mut self, slice: u64, desk: &mut Desk<'_>) {
        let TwapSettings { instrument, side, slices, every, limit, .. } = self.settings;
        self.begun = true;
        let Some(account) = desk.account(instrument) else { return };
        let missing = self.scheduled(slice, account.instrument().lot_size) - self.done - account.working(side).0;
        if missing > 0 {
            let (kind, time_in_force) = match limit {
                Some(limit) => (OrderKind::Limit(limit), TimeInForce::Ioc),
                None => (OrderKind::Market, TimeInForce::Gtc),
            };
            _ = desk.submit(instrument, side, Quantity(missing), kind, time_in_force);
        }
        if slice < u64::from(slices.get()) {
            desk.notify_after(every, TimerTag(slice + 1));
        }
    }
}

impl Strategy for Twap {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        if let Some(start) = self.settings.start {
            self.begun = true;
            desk.notify_at(start, TimerTag(1));
        }
    }

    fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
        if !self.begun && quote.instrument == self.settings.instrument && desk.closed().is_none() {
            self.send(1, desk);
        }
    }

    fn on_fill(&mut self, fill: &Execution, _: &mut Desk<'_>) {
        self.done = self.done.saturating_add(fill.quantity.0);
    }

    fn on_timer(&mut self, slice: TimerTag, desk: &mut Desk<'_>) {
        self.send(slice.0, desk);
    }

    fn report(&self, report: &mut Report) {
        report.number("done", self.done as f64 / self.settings.quantity.0 as f64);
    }
}
