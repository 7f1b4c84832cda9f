//! A portfolio as an actor. Invariant: what it says of an instant it says as of the still point before, so that it does not matter in which
//! order things happened in the instant.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Context, Every, Handler, Instant, Message, Report, Request, Responder, Responds, Saving};

use super::book::{Fill, Portfolio};
use super::currency::{CurrencyId, Parts};
use super::error::PortfolioError;
use super::figures::Figures;
use super::margin::Liquidation;
use crate::decimal::{Decimals, Price};
use crate::event::{MarketEvent, Quote, Trade};
use crate::instrument::InstrumentId;

impl Message for Fill {
    const KIND: &'static str = "portfolio-fill";
}

/// Funding is paid on an instrument: see [`Portfolio::pay_funding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Funding {
    /// On which instrument.
    pub instrument: InstrumentId,
    /// At which rate; who is long pays a positive one.
    pub rate: Parts,
}

impl Message for Funding {
    const KIND: &'static str = "funding";
}

/// What one of a currency is worth in another from now on: see [`Portfolio::set_rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConversionRate {
    /// One of which currency.
    pub of: CurrencyId,
    /// In which currency.
    pub within: CurrencyId,
    /// How much that is.
    pub rate: Price,
    /// The decimals of `rate`.
    pub decimals: Decimals,
}

impl Message for ConversionRate {
    const KIND: &'static str = "conversion-rate";
}

/// The equity of a portfolio at a still point; published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EquityPoint {
    /// The instant before which the still point lay.
    pub before: Instant,
    /// In which currency.
    pub currency: CurrencyId,
    /// All equity in it, in units of its last decimal.
    pub equity: i128,
}

impl Message for EquityPoint {
    const KIND: &'static str = "equity-point";
}

/// Something is to be liquidated; published once, and again if it has been all right meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LiquidationDue(pub Liquidation);

impl Message for LiquidationDue {
    const KIND: &'static str = "liquidation-due";
}

/// Asks for the state of a currency at the still point before the instant in which the question arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FiguresOf(pub CurrencyId);

/// The answer to [`FiguresOf`]; `None` if the portfolio has no such currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FiguresAre(pub Option<Figures>);

impl Message for FiguresOf {
    const KIND: &'static str = "figures-of";
}

impl Message for FiguresAre {
    const KIND: &'static str = "figures-are";
}

impl Request for FiguresOf {
    type Reply = FiguresAre;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct TakeEquity;

impl Message for TakeEquity {
    const KIND: &'static str = "take-equity";
}

/// An actor that keeps a [`Portfolio`] by the [`Fill`]s, prices, [`Funding`] and [`ConversionRate`]s it hears.
///
/// A [`Quote`] values a long position at the bid and a short one at the ask, what closing it would bring; a quote with an empty side says
/// nothing. A [`Trade`] values both at its price. What it hears of instruments without a contract is not for it. A fill that the portfolio
/// does not book is counted and logged.
///
/// With `every` it publishes an [`EquityPoint`] at each tick. It publishes [`LiquidationDue`] when margin is used up; the fills that follow
/// from it are for others to make. It reports `fills`, `refused`, and for each currency equity, balance, realised, unrealised, fees and
/// funding.
#[derive(Debug, Serialize, Deserialize)]
pub struct PortfolioActor {
    portfolio: Portfolio,
    within: CurrencyId,
    every: Option<Every>,
    /// The instant of the last change, and what the portfolio was at the still point before it.
    changed: Option<Instant>,
    still: StillPoint,
    announced: BTreeSet<Liquidation>,
    fills: u64,
    refused: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct StillPoint {
    total: Option<i128>,
    figures: Vec<(CurrencyId, Figures)>,
}

impl PortfolioActor {
    /// Keeps `portfolio`, and at each tick of `every` tells its equity in the currency `within`.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownCurrency`] if the portfolio does not have `within`.
    pub fn new(portfolio: Portfolio, within: CurrencyId, every: Option<Every>) -> Result<Self, PortfolioError> {
        portfolio.figures(within)?;
        Ok(Self { portfolio, within, every, changed: None, still: StillPoint::default(), announced: BTreeSet::new(), fills: 0, refused: 0 })
    }

    /// To be called before anything changes: keeps what the still point left.
    fn touch(&mut self, now: Instant) {
        if self.changed.replace(now) == Some(now) {
            return;
        }
        let Self { portfolio, still, .. } = self;
        still.total = portfolio.total(self.within).ok();
        still.figures.clear();
        still.figures.extend(portfolio.currencies().filter_map(|(id, _)| Some((id, portfolio.figures(id).ok()?))));
    }

    /// What the still point before `now` left, unless that is the portfolio as it is.
    fn still(&self, now: Instant) -> Option<&StillPoint> {
        (self.changed == Some(now)).then_some(&self.still)
    }

    /// Changes the portfolio, and says what margin does not cover any more. A refusal changes nothing.
    fn change(
        &mut self,
        instrument: InstrumentId,
        ctx: &mut Context<'_, Self>,
        change: impl FnOnce(&mut Portfolio) -> Result<(), PortfolioError>,
    ) -> Result<(), PortfolioError> {
        self.touch(ctx.now());
        change(&mut self.portfolio)?;
        let due = self.portfolio.due(instrument)?;
        if self.announced.is_empty() && due.is_empty() {
            return Ok(());
        }
        let account = Liquidation::Account(self.portfolio.settlement(instrument)?);
        let concerned = |what: &Liquidation| *what == account || matches!(what, Liquidation::Position(of, _) if *of == instrument);
        self.announced.retain(|what| !concerned(what) || due.contains(what));
        for what in due {
            if self.announced.insert(what) {
                ctx.publish(LiquidationDue(what));
            }
        }
        Ok(())
    }
}

impl Actor for PortfolioActor {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if let Some(every) = self.every {
            ctx.notify_every(every, TakeEquity);
        }
    }

    fn saving() -> Option<Saving<Self>> {
        let saving = Saving::new().message::<Fill>().message::<Funding>().message::<ConversionRate>().message::<TakeEquity>();
        Some(saving.message::<Quote>().message::<Trade>().message::<MarketEvent>().answers::<FiguresOf>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("fills", self.fills as i64);
        report.integer("refused", self.refused as i64);
        let amount = |amount: i128, decimals: Decimals| amount as f64 / decimals.one() as f64;
        for (id, currency) in self.portfolio.currencies() {
            let Ok(figures) = self.portfolio.figures(id) else { continue };
            for (name, value) in [
                ("equity", figures.equity()),
                ("balance", figures.balance()),
                ("realised", figures.realised),
                ("unrealised", figures.unrealised()),
                ("fees", figures.fees),
                ("funding", figures.funding),
            ] {
                report.number(&format!("{} {name}", currency.code), amount(value, currency.decimals));
            }
        }
    }
}

impl Handler<Fill> for PortfolioActor {
    fn handle(&mut self, fill: &Fill, ctx: &mut Context<'_, Self>) {
        match self.change(fill.instrument, ctx, |portfolio| portfolio.fill(fill)) {
            Ok(()) => self.fills += 1,
            Err(error) => {
                self.refused += 1;
                ctx.log(format_args!("a fill of instrument {} was not booked: {error}", fill.instrument.0));
            }
        }
    }
}

impl Handler<Funding> for PortfolioActor {
    fn handle(&mut self, funding: &Funding, ctx: &mut Context<'_, Self>) {
        let Funding { instrument, rate } = *funding;
        if self.portfolio.settlement(instrument).is_err() {
            return;
        }
        if let Err(error) = self.change(instrument, ctx, |portfolio| portfolio.pay_funding(instrument, rate)) {
            ctx.log(format_args!("funding of instrument {} was not paid: {error}", instrument.0));
        }
    }
}

impl Handler<ConversionRate> for PortfolioActor {
    fn handle(&mut self, message: &ConversionRate, ctx: &mut Context<'_, Self>) {
        let ConversionRate { of, within, rate, decimals } = *message;
        self.touch(ctx.now());
        if let Err(error) = self.portfolio.set_rate(of, within, (rate, decimals)) {
            ctx.log(format_args!("a conversion rate is not taken: {error}"));
        }
    }
}

impl Handler<Quote> for PortfolioActor {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        let Quote { instrument, bid, ask, .. } = *quote;
        if quote.mid().is_none() || !self.portfolio.is_held(instrument) {
            return;
        }
        if let Err(error) = self.change(instrument, ctx, |portfolio| portfolio.mark_at_quote(instrument, bid, ask)) {
            ctx.log(format_args!("a quote of instrument {} gives no value: {error}", instrument.0));
        }
    }
}

impl Handler<Trade> for PortfolioActor {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        let Trade { instrument, price, .. } = *trade;
        if !self.portfolio.is_held(instrument) {
            return;
        }
        if let Err(error) = self.change(instrument, ctx, |portfolio| portfolio.mark(instrument, price)) {
            ctx.log(format_args!("a trade of instrument {} gives no value: {error}", instrument.0));
        }
    }
}

impl Handler<MarketEvent> for PortfolioActor {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl Handler<TakeEquity> for PortfolioActor {
    fn handle(&mut self, _: &TakeEquity, ctx: &mut Context<'_, Self>) {
        let now = ctx.now();
        match self.still(now).map_or_else(|| self.portfolio.total(self.within).ok(), |still| still.total) {
            Some(equity) => ctx.publish(EquityPoint { before: now, currency: self.within, equity }),
            None => ctx
                .log(format_args!("no equity in currency {}: a currency has no conversion rate, or amounts are too large", self.within.0)),
        }
    }
}

impl Responds<FiguresOf> for PortfolioActor {
    fn respond(&mut self, asked: &FiguresOf, responder: Responder<FiguresAre>, ctx: &mut Context<'_, Self>) {
        let figures = match self.still(ctx.now()) {
            Some(still) => still.figures.iter().find(|(id, _)| *id == asked.0).map(|(_, figures)| *figures),
            None => self.portfolio.figures(asked.0).ok(),
        };
        ctx.reply(responder, FiguresAre(figures));
    }
}
