//! The actor around a strategy. Invariant: the blotter takes everything before the strategy hears of it.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Context, Handler, Instant, Report, Saving};

use super::blotter::{Blotter, Counts};
use super::callbacks::{Execution, Strategy};
use super::desk::Desk;
use super::refusal::Refusal;
use super::settings::{SettingsError, TraderSettings};
use super::wire::Alarm;
use crate::event::{Bar, MarketEvent, Quote, Trade};
use crate::order::{OrderEvent, Outcome};

/// An actor that hears quotes, trades, bars and the answers to its orders, and has a [`Strategy`] act on them.
///
/// It keeps what the strategy sees through its [`Desk`]: open orders until the venue says that they ended, positions at average cost, fees.
/// An answer about an order that is not open moves the position if it is a fill, and is counted. At `trade_until`, and when the loss has come
/// to its limit, it cancels everything.
///
/// It reports `orders`, `changes`, `fills`, `unfilled`, `unknown` and `unbooked` answers, `refused` with a line for each reason, `open_orders`; for
/// each instrument its `position`, `realised`, `unrealised`, `fees`, `profit` and, where quotes came, the `mid`; then what the strategy reports. What is
/// held is valued at the last mid, else the last trade, bar or fill ([`Mark`](crate::Mark)), as in reports of runs; what closing everything would
/// bring, [`Account::profit`](super::Account::profit) has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trader<S> {
    strategy: S,
    blotter: Blotter,
    history: Vec<Bar>,
}

impl<S: Strategy> Trader<S> {
    /// A trader that has heard nothing.
    ///
    /// # Errors
    /// [`SettingsError`] if instruments, limits or times cannot be.
    pub fn new(settings: TraderSettings, strategy: S) -> Result<Self, SettingsError> {
        Ok(Self { strategy, blotter: Blotter::new(&settings)?, history: settings.history })
    }

    /// The strategy.
    pub fn strategy(&self) -> &S {
        &self.strategy
    }

    /// What its desk knows.
    pub fn blotter(&self) -> &Blotter {
        &self.blotter
    }

    #[inline]
    fn at(&mut self, now: Instant) {
        self.blotter.now = now;
    }

    /// Has the strategy act at its desk.
    #[inline]
    fn act(&mut self, ctx: &mut Context<'_, Self>, act: impl FnOnce(&mut S, &mut Desk<'_>)) {
        let mut desk = Desk::new(&mut self.blotter, ctx);
        if desk.has_lost() {
            desk.halt(Refusal::MaxLoss);
        }
        act(&mut self.strategy, &mut desk);
    }
}

impl<S: Strategy> Actor for Trader<S> {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        if let Some(until) = self.blotter.trade_until() {
            ctx.notify_at(until, Alarm::TradingEnds);
        }
        self.blotter.replaying = true;
        for bar in std::mem::take(&mut self.history) {
            self.handle(&bar, ctx);
        }
        self.blotter.replaying = false;
        self.act(ctx, Strategy::on_start);
    }

    fn saving() -> Option<Saving<Self>> {
        let heard = Saving::new().message::<Quote>().message::<Trade>().message::<MarketEvent>().message::<Bar>();
        Some(heard.message::<OrderEvent>().message::<Alarm>())
    }

    fn report(&self, report: &mut Report) {
        let Counts { orders, changes, fills, unfilled, unknown, unbooked, refused } = self.blotter.counts();
        let all_refused = refused.values().sum();
        for (name, count) in [
            ("orders", *orders),
            ("changes", *changes),
            ("fills", *fills),
            ("unfilled", *unfilled),
            ("unknown", *unknown),
            ("unbooked", *unbooked),
            ("refused", all_refused),
            ("open_orders", self.blotter.orders().len() as u64),
        ] {
            report.integer(name, count as i64);
        }
        for (reason, count) in refused {
            report.integer(&format!("refused because {reason}"), *count as i64);
        }
        for account in self.blotter.accounts() {
            let instrument = account.instrument();
            let symbol = &instrument.symbol;
            report.number(&format!("{symbol} position"), account.held().to_f64(instrument.quantity_decimals));
            for (name, amount) in [
                ("realised", account.position().realised().to_f64(instrument)),
                ("unrealised", account.unrealised_at_mark()),
                ("fees", account.fees().to_f64(instrument)),
                ("profit", account.profit_at_mark()),
            ] {
                report.number(&format!("{symbol} {name}"), amount);
            }
            if let Some(mid) = account.mid() {
                report.number(&format!("{symbol} mid"), mid / instrument.price_decimals.one() as f64);
            }
        }
        self.strategy.report(report);
    }
}

impl<S: Strategy> Handler<Quote> for Trader<S> {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        if self.blotter.on_quote(quote) {
            self.act(ctx, |strategy, desk| strategy.on_quote(quote, desk));
        }
    }
}

impl<S: Strategy> Handler<Trade> for Trader<S> {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        if self.blotter.on_trade(trade) {
            self.act(ctx, |strategy, desk| strategy.on_trade(trade, desk));
        }
    }
}

impl<S: Strategy> Handler<MarketEvent> for Trader<S> {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl<S: Strategy> Handler<Bar> for Trader<S> {
    fn handle(&mut self, bar: &Bar, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        if self.blotter.on_bar(bar) {
            self.act(ctx, |strategy, desk| strategy.on_bar(bar, desk));
        }
    }
}

impl<S: Strategy> Handler<OrderEvent> for Trader<S> {
    fn handle(&mut self, event: &OrderEvent, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        self.blotter.on_order_event(event);
        let OrderEvent { order, instrument, side, outcome } = *event;
        self.act(ctx, |strategy, desk| match outcome {
            Outcome::Filled { quantity, price, left, liquidity, fee } => {
                strategy.on_fill(&Execution { order, instrument, side, quantity, price, left, liquidity, fee }, desk);
            }
            _ => strategy.on_order(event, desk),
        });
    }
}

impl<S: Strategy> Handler<Alarm> for Trader<S> {
    fn handle(&mut self, alarm: &Alarm, ctx: &mut Context<'_, Self>) {
        self.at(ctx.now());
        self.act(ctx, |strategy, desk| match alarm {
            Alarm::Strategy(tag) => strategy.on_timer(*tag, desk),
            Alarm::TradingEnds => desk.cancel_all(),
        });
    }
}
