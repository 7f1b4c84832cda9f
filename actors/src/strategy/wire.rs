//! What a desk reaches of the run around it. Invariant: a desk does nothing that does not go through here.

use std::fmt;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Context, Every, Instant, Message, Recipient, Rng, Timer};

use super::callbacks::Strategy;
use super::trader::Trader;
use crate::instrument::InstrumentId;
use crate::order::{OrderAction, OrderRequest};

/// A strategy's name for one of its timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimerTag(pub u64);

/// A timer of a trader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Alarm {
    /// One of its strategy.
    Strategy(TimerTag),
    /// Trading is over.
    TradingEnds,
}

impl Message for Alarm {
    const KIND: &'static str = "strategy-timer";
}

/// The context of a trader, whatever its strategy.
pub(super) trait Wire {
    fn send(&mut self, venue: Recipient<OrderRequest>, instrument: InstrumentId, action: OrderAction);
    fn arm(&mut self, at: Instant, alarm: Alarm) -> Timer;
    fn arm_every(&mut self, every: Every, alarm: Alarm) -> Timer;
    fn disarm(&mut self, timer: Timer) -> bool;
    fn rng(&mut self) -> &mut Rng;
    fn log(&mut self, text: fmt::Arguments<'_>);
}

impl<S: Strategy> Wire for Context<'_, Trader<S>> {
    fn send(&mut self, venue: Recipient<OrderRequest>, instrument: InstrumentId, action: OrderAction) {
        let owner = self.address().recipient();
        Context::send(self, venue, OrderRequest { instrument, action, owner });
    }

    fn arm(&mut self, at: Instant, alarm: Alarm) -> Timer {
        self.notify_at(at, alarm)
    }

    fn arm_every(&mut self, every: Every, alarm: Alarm) -> Timer {
        self.notify_every(every, alarm)
    }

    fn disarm(&mut self, timer: Timer) -> bool {
        self.cancel(timer)
    }

    fn rng(&mut self) -> &mut Rng {
        Context::rng(self)
    }

    fn log(&mut self, text: fmt::Arguments<'_>) {
        Context::log(self, text);
    }
}
