//! A portfolio as an actor. Invariant: what it says of an instant it says as of the still point before, so that it does not matter in which
//! order things happened in the instant.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Context, Duration, Every, Handler, Instant, Message, Report, Request, Responder, Responds, Saving};

use super::book::{Fill, Portfolio};
use super::brokerage::{Brokerage, PortfolioRoute};
use super::currency::{CurrencyId, Parts};
use super::error::PortfolioError;
use super::figures::Figures;
use super::margin::Liquidation;
use super::trading::Counts;
use crate::decimal::{Decimals, Price, Quantity};
use crate::event::{MarketEvent, Quote, Trade};
use crate::instrument::InstrumentId;
use crate::order::{Order, OrderEvent, OrderRequest};

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

/// What a portfolio has of one currency at a still point. One with [`PortfolioActor::statements`] sends them to itself: so they stand in its
/// trace, where reports find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Statement {
    /// The instant before which the still point lay.
    pub before: Instant,
    /// Of which currency.
    pub currency: CurrencyId,
    /// What it has.
    pub figures: Figures,
}

impl Message for Statement {
    const KIND: &'static str = "account-statement";
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
/// With `every` it publishes an [`EquityPoint`] at each tick. It publishes [`LiquidationDue`] when margin is used up; unless it is
/// [trading](Self::trading), the fills that follow from it are for others to make. It reports `fills`, `refused`, and for each currency equity,
/// cash, balance, realised, unrealised, fees, funding, margin and what is free; then all equity in one currency, and what came of orders if it is trading.
#[derive(Debug, Serialize, Deserialize)]
pub struct PortfolioActor {
    pub(super) portfolio: Portfolio,
    pub(super) brokerage: Brokerage,
    pub(super) trading: Counts,
    within: CurrencyId,
    every: Option<Every>,
    #[serde(default)]
    statements: Option<Statements>,
    /// The instant of the last change, and what the portfolio was at the still point before it.
    changed: Option<Instant>,
    still: StillPoint,
    announced: BTreeSet<Liquidation>,
    fills: u64,
    refused: u64,
}

/// When statements are due.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Statements {
    every: Duration,
    next: Instant,
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
        Ok(Self {
            portfolio,
            brokerage: Brokerage::default(),
            trading: Counts::default(),
            within,
            every,
            statements: None,
            changed: None,
            still: StillPoint::default(),
            announced: BTreeSet::new(),
            fills: 0,
            refused: 0,
        })
    }

    /// The same portfolio between strategies and their exchanges: it takes [`OrderRequest`]s and [`Order`]s as an exchange does, sends them on
    /// under numbers and in a name of its own, books the fills, and hands every answer on to whoever ordered.
    ///
    /// * **Margin.** What an order could open must be covered by what is [free](Figures::free): at its limit or trigger, or at what the market
    ///   last asked or bid, with all other open orders filled. Else it is answered with
    ///   [`Reject::InsufficientMargin`](crate::Reject::InsufficientMargin), and one without a price before the first price with
    ///   [`Reject::NoReference`](crate::Reject::NoReference). What only closes a position is let through. What is paid in full cannot be sold short.
    ///   Fees are not set aside.
    /// * **Liquidation.** When margin is used up, the positions concerned are closed at once at the price at which they are valued, for a fee of
    ///   `liquidation_fee` of their value, and the orders in their instruments are cancelled. Each strategy hears of its part as of a fill of
    ///   order [`OrderId::LIQUIDATION`](crate::OrderId::LIQUIDATION).
    /// * **One account.** To an exchange all strategies are one owner, so that their orders do not trade with each other unless its rules allow it.
    ///   What the strategies hold adds up to what the portfolio holds. If it nets, one may close what another has opened; if it hedges, the
    ///   long positions of strategies stand beside the short ones of others.
    ///
    /// # Errors
    /// [`PortfolioError`] if an instrument has no contract, or is settled in a currency with fewer decimals than its money has.
    pub fn trading(self, routes: Vec<PortfolioRoute>, liquidation_fee: Parts) -> Result<Self, PortfolioError> {
        Ok(Self { brokerage: Brokerage::new(&self.portfolio, routes, liquidation_fee)?, ..self })
    }

    /// The same portfolio, which writes a [`Statement`] of each currency at its first change, and then at each that comes `every` or more after the
    /// last one written: what there was at the still point before. Nothing is written where nothing changes, and no timer keeps a run from its end.
    ///
    /// # Panics
    /// If `every` is not longer than zero.
    #[must_use]
    pub fn statements(self, every: Duration) -> Self {
        assert!(every.is_positive(), "statements every {every}");
        Self { statements: Some(Statements { every, next: Instant::from_nanos(i64::MIN) }), ..self }
    }

    /// What it keeps.
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// To be called before anything changes: keeps what the still point left.
    fn touch(&mut self, ctx: &mut Context<'_, Self>) {
        let now = ctx.now();
        if self.changed.replace(now) == Some(now) {
            return;
        }
        let Self { portfolio, still, statements, .. } = self;
        still.total = portfolio.total(self.within).ok();
        still.figures.clear();
        still.figures.extend(portfolio.currencies().filter_map(|(id, _)| Some((id, portfolio.figures(id).ok()?))));
        if let Some(statements) = statements.as_mut().filter(|statements| statements.next <= now) {
            statements.next = now + statements.every;
            let address = ctx.address();
            still.figures.iter().for_each(|(currency, figures)| {
                ctx.send(address, Statement { before: now, currency: *currency, figures: *figures });
            });
        }
    }

    /// What the still point before `now` left, unless that is the portfolio as it is.
    fn still(&self, now: Instant) -> Option<&StillPoint> {
        (self.changed == Some(now)).then_some(&self.still)
    }

    /// Changes the portfolio, and says what margin does not cover any more. A refusal changes nothing.
    pub(super) fn change(
        &mut self,
        instrument: InstrumentId,
        ctx: &mut Context<'_, Self>,
        change: impl FnOnce(&mut Portfolio) -> Result<(), PortfolioError>,
    ) -> Result<(), PortfolioError> {
        self.touch(ctx);
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
                if self.brokerage.is_open() {
                    self.liquidate(what, ctx);
                    self.announced.remove(&what);
                }
            }
        }
        Ok(())
    }

    /// Counts a fill.
    pub(super) fn count(&mut self, instrument: InstrumentId, booked: Result<(), PortfolioError>, ctx: &mut Context<'_, Self>) {
        match booked {
            Ok(()) => self.fills += 1,
            Err(error) => {
                self.refused += 1;
                ctx.log(format_args!("a fill of instrument {} was not booked: {error}", instrument.0));
            }
        }
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
        let saving = saving.message::<Statement>().message::<Quote>().message::<Trade>().message::<MarketEvent>().answers::<FiguresOf>();
        Some(saving.message::<OrderRequest>().message::<Order>().message::<OrderEvent>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("fills", self.fills as i64);
        report.integer("refused", self.refused as i64);
        let amount = |amount: i128, decimals: Decimals| amount as f64 / decimals.one() as f64;
        for (id, currency) in self.portfolio.currencies() {
            let Ok(figures) = self.portfolio.figures(id) else { continue };
            for (name, value) in [
                ("equity", figures.equity()),
                ("cash", figures.cash()),
                ("balance", figures.balance()),
                ("realised", figures.realised),
                ("unrealised", figures.unrealised()),
                ("fees", figures.fees),
                ("funding", figures.funding),
                ("covered", figures.covered),
                ("margin", figures.margin_used()),
                ("free", figures.free()),
            ] {
                report.number(&format!("{} {name}", currency.code), amount(value, currency.decimals));
            }
        }
        if let (Ok(currency), Ok(total)) = (self.portfolio.currency(self.within), self.portfolio.total(self.within)) {
            report.number(&format!("total in {}", currency.code), amount(total, currency.decimals));
        }
        for instrument in self.brokerage.instruments() {
            let legs = self.portfolio.holdings().filter(|(of, ..)| *of == instrument.id);
            let held = legs.map(|(.., holding)| holding.quantity()).fold(0, i64::saturating_add);
            report.number(&format!("{} position", instrument.symbol), Quantity(held).to_f64(instrument.quantity_decimals));
        }
        if self.brokerage.is_open() {
            report.integer("requests", self.trading.requests as i64);
            report.integer("rejected", self.trading.rejected.values().sum::<u64>() as i64);
            for (reason, count) in &self.trading.rejected {
                report.integer(&format!("rejected because {reason}"), *count as i64);
            }
            report.integer("liquidations", self.trading.liquidations as i64);
            report.integer("open_orders", self.brokerage.open_orders() as i64);
        }
    }
}

impl Handler<Fill> for PortfolioActor {
    fn handle(&mut self, fill: &Fill, ctx: &mut Context<'_, Self>) {
        let booked = self.change(fill.instrument, ctx, |portfolio| portfolio.fill(fill));
        self.count(fill.instrument, booked, ctx);
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
        self.touch(ctx);
        if let Err(error) = self.portfolio.set_rate(of, within, (rate, decimals)) {
            ctx.log(format_args!("a conversion rate is not taken: {error}"));
        }
    }
}

impl Handler<Quote> for PortfolioActor {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        let Quote { instrument, bid, ask, .. } = *quote;
        if quote.mid().is_none() {
            return;
        }
        self.brokerage.mark(instrument, bid, ask);
        if !self.portfolio.is_held(instrument) {
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
        self.brokerage.mark(instrument, price, price);
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

impl Handler<Statement> for PortfolioActor {
    /// It was said to be in the trace.
    fn handle(&mut self, _: &Statement, _: &mut Context<'_, Self>) {}
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
