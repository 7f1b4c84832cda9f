//! The exchange as an actor. Invariant: it decides nothing; it brings inputs to the markets at their instants and answers to their owners.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Report, Saving};

use super::core::{Answer, Input, Market, Outbox, OwnerId};
use super::latency::{Latencies, Latency};
use super::owners::Owners;
use super::rules::{MarketRules, Phase};
use crate::by_instrument::ByInstrument;
use crate::event::{MarketEvent, Quote, Trade};
use crate::instrument::{Instrument, InstrumentId};
use crate::market::{BookUpdate, DepthUpdate};
use crate::order::{Order, OrderAction, OrderEvent, OrderRequest, Outcome, Reject, Ticket, TimeInForce};

/// An instrument and what is done in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// What is traded.
    pub instrument: Instrument,
    /// How.
    #[serde(default)]
    pub rules: MarketRules,
}

/// A change of the phase of a market: a message to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PhaseChange {
    /// Of which instrument; of all if `None`.
    pub instrument: Option<InstrumentId>,
    /// The phase from now on.
    pub phase: Phase,
}

impl Message for PhaseChange {
    const KIND: &'static str = "phase-change";
}

/// A change of phase that is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPhase {
    /// When. What the recording says of that instant comes before it.
    pub at: Instant,
    /// Of which instrument; of all unless given.
    #[serde(default)]
    pub instrument: Option<InstrumentId>,
    /// The phase from then on.
    pub phase: Phase,
}

/// What makes an [`Exchange`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExchangeSettings {
    /// What it trades. Of two instruments with one number the later counts.
    pub listings: Vec<Listing>,
    /// How long requests and answers take, beyond their links.
    pub latencies: Latencies,
    /// Changes of phase, at their instants.
    pub phases: Vec<PlannedPhase>,
    /// Whether it publishes its trades and best prices, to actors that subscribe to its [`Trade`]s and [`Quote`]s.
    pub publish: bool,
}

/// Settings that make no exchange: a sentence that says which one, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeError(String);

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ExchangeError {}

/// A request that has come to the matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Arrival(OrderRequest);

impl Message for Arrival {
    const KIND: &'static str = "order-arrival";
}

/// The instant at which an order expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Expiry;

impl Message for Expiry {
    const KIND: &'static str = "order-expiry";
}

/// An actor that takes [`OrderRequest`]s, and plain [`Order`]s as good till cancelled, and matches them in a [`Market`] for each instrument.
///
/// * It hears [`Quote`]s, [`Trade`]s, [`MarketEvent`]s, [`DepthUpdate`]s and [`BookUpdate`]s of its instruments in the order of delivery. A
///   request that takes time arrives as a timer, so at its instant it sees all that the recording says of that instant.
/// * A cancellation or change of an order that has been filled meanwhile is rejected with [`Reject::NotOpen`], one of an order that never was
///   with [`Reject::UnknownOrder`], and the owner hears of it.
/// * An owner is a recipient of answers: two strategies with one recipient are one owner, whose orders do not trade with each other unless the
///   market's rules allow it.
/// * A pair of which one cancels the other ends as soon as one of the two is filled at all, is triggered, is cancelled, or expires. The exits of
///   a bracket come in when its entry has ended, over what was filled of it; if nothing was, they are cancelled.
///
/// Seeded latencies draw from this actor's random numbers, so the same run has the same ones.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exchange {
    markets: ByInstrument<Market>,
    latencies: Latencies,
    phases: Vec<PlannedPhase>,
    publish: bool,
    owners: Owners,
    /// The earliest instant for which the clock is set.
    clock: Option<Instant>,
    quotes: ByInstrument<Quote>,
    counts: Counts,
    #[serde(skip)]
    out: Outbox,
}

/// What it reports.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    requests: u64,
    fills: u64,
    cancelled: u64,
    expired: u64,
    rejected: BTreeMap<Reject, u64>,
    traded: BTreeMap<InstrumentId, i128>,
    fees: BTreeMap<InstrumentId, i128>,
}

impl Counts {
    fn count(&mut self, instrument: InstrumentId, outcome: &Outcome) {
        match outcome {
            Outcome::Filled { fee, .. } => {
                self.fills += 1;
                *self.fees.entry(instrument).or_default() += fee.0;
            }
            Outcome::Cancelled { .. } => self.cancelled += 1,
            Outcome::Expired { .. } => self.expired += 1,
            Outcome::Rejected { reason, .. } | Outcome::ModifyRejected { reason } | Outcome::CancelRejected { reason } => {
                *self.rejected.entry(*reason).or_default() += 1;
            }
            Outcome::Accepted | Outcome::Triggered { .. } | Outcome::Modified { .. } => {}
        }
    }
}

impl Exchange {
    /// An exchange that is open, unless a phase is planned for its start.
    ///
    /// # Errors
    /// [`ExchangeError`] if an instrument, its rules or a latency cannot be.
    pub fn new(settings: ExchangeSettings) -> Result<Self, ExchangeError> {
        let ExchangeSettings { listings, latencies, phases, publish } = settings;
        for (what, latency) in [("entry", &latencies.entry), ("response", &latencies.response)] {
            latency.check().map_err(|fault| ExchangeError(format!("the {what} latency: {fault}")))?;
        }
        let mut markets = ByInstrument::default();
        for Listing { instrument, rules } in listings {
            let about = |fault| ExchangeError(format!("`{}` {fault}", instrument.symbol));
            instrument.check().map_err(about)?;
            rules.check().map_err(|fault| about(format!("cannot be traded so: {fault}")))?;
            markets.insert(instrument.id, Market::new(instrument, rules));
        }
        let (owners, quotes, counts) = (Owners::default(), ByInstrument::default(), Counts::default());
        Ok(Self { markets, latencies, phases, publish, owners, clock: None, quotes, counts, out: Outbox::default() })
    }

    /// The market of an instrument.
    pub fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.get(instrument)
    }

    /// Brings an input to its market, and what comes of it to the owners.
    fn bring(&mut self, instrument: InstrumentId, ctx: &mut Context<'_, Self>, input: impl FnOnce() -> Input) {
        let Some(market) = self.markets.get_mut(instrument) else { return };
        // Made in place: an input is as large as the largest request, and most are small.
        market.apply(ctx.now(), input(), &mut self.out);
        if let Some(at) = market.next_expiry()
            && self.clock.is_none_or(|clock| at < clock)
        {
            self.clock = Some(at);
            ctx.notify_at(at, Expiry);
        }
        if !self.out.answers.is_empty() || !self.out.trades.is_empty() {
            self.give(instrument, ctx);
        }
        if self.publish {
            self.publish_quote(instrument, ctx);
        }
    }

    fn give(&mut self, instrument: InstrumentId, ctx: &mut Context<'_, Self>) {
        let mut out = std::mem::take(&mut self.out);
        for answer in out.answers.drain(..) {
            self.answer(instrument, answer, ctx);
        }
        for trade in out.trades.drain(..) {
            *self.counts.traded.entry(instrument).or_default() += i128::from(trade.quantity.0);
            if self.publish {
                ctx.publish(trade);
            }
        }
        self.out = out;
    }

    fn publish_quote(&mut self, instrument: InstrumentId, ctx: &mut Context<'_, Self>) {
        let Some(market) = self.markets.get(instrument) else { return };
        let quote = market.quote();
        if self.quotes.insert(instrument, quote) != Some(quote) {
            ctx.publish(quote);
        }
    }

    fn answer(&mut self, instrument: InstrumentId, answer: Answer, ctx: &mut Context<'_, Self>) {
        let Answer { owner, order, side, outcome } = answer;
        self.counts.count(instrument, &outcome);
        let latency = draw(&self.latencies.response, ctx);
        let owner = self.owners.get_mut(owner);
        let delay = in_turn(ctx.now(), latency, &mut owner.answered);
        ctx.send_after(owner.recipient, delay, OrderEvent { order, instrument, side, outcome });
    }

    fn arrive(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        let owner = self.owners.number(request.owner);
        if self.markets.get(request.instrument).is_some() {
            self.bring(request.instrument, ctx, || Input::Request(owner, request.action));
        } else {
            self.refuse(owner, request, ctx);
        }
    }

    /// Answers a request about an instrument that is not traded here.
    fn refuse(&mut self, owner: OwnerId, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        for (order, side, outcome) in request.action.refused(Reject::UnknownInstrument) {
            self.answer(request.instrument, Answer { owner, order, side, outcome }, ctx);
        }
    }

    fn all(&self) -> Vec<InstrumentId> {
        self.markets.iter().map(|(instrument, _)| instrument).collect()
    }
}

/// A latency from now on.
fn draw(latency: &Latency, ctx: &mut Context<'_, Exchange>) -> Duration {
    if latency.is_none() {
        return Duration::ZERO;
    }
    let now = ctx.now();
    latency.draw(now, ctx.rng())
}

/// How long a message takes that does not overtake the one before it.
fn in_turn(now: Instant, latency: Duration, before: &mut Instant) -> Duration {
    *before = now.checked_add(latency).unwrap_or(Instant::MAX).max(*before);
    before.since(now)
}

impl Actor for Exchange {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for PlannedPhase { at, instrument, phase } in std::mem::take(&mut self.phases) {
            ctx.notify_at(at, PhaseChange { instrument, phase });
        }
    }

    fn saving() -> Option<Saving<Self>> {
        let heard = Saving::new().message::<Quote>().message::<Trade>().message::<MarketEvent>().message::<DepthUpdate>();
        let asked = heard.message::<BookUpdate>().message::<Order>().message::<OrderRequest>().message::<PhaseChange>();
        Some(asked.message::<Arrival>().message::<Expiry>())
    }

    fn report(&self, report: &mut Report) {
        let Counts { requests, fills, cancelled, expired, rejected, traded, fees } = &self.counts;
        report.integer("requests", *requests as i64);
        report.integer("fills", *fills as i64);
        report.integer("cancelled", *cancelled as i64);
        report.integer("expired", *expired as i64);
        report.integer("rejected", rejected.values().sum::<u64>() as i64);
        for (reason, count) in rejected {
            report.integer(&format!("rejected because {reason}"), *count as i64);
        }
        for (id, market) in self.markets.iter() {
            let instrument = market.instrument();
            let one = instrument.quantity_decimals.one() as f64;
            report.number(&format!("{} traded", instrument.symbol), traded.get(&id).copied().unwrap_or_default() as f64 / one);
            let fee = crate::position::Money(fees.get(&id).copied().unwrap_or_default());
            report.number(&format!("{} fees", instrument.symbol), fee.to_f64(instrument));
            report.integer(&format!("{} open_orders", instrument.symbol), market.open_orders() as i64);
            if let Some(price) = market.last_trade() {
                report.number(&format!("{} last_price", instrument.symbol), price.to_f64(instrument.price_decimals));
            }
        }
    }
}

impl Handler<Quote> for Exchange {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        self.bring(quote.instrument, ctx, || Input::Quote(*quote));
    }
}

impl Handler<Trade> for Exchange {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        self.bring(trade.instrument, ctx, || Input::Trade(*trade));
    }
}

impl Handler<MarketEvent> for Exchange {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl Handler<DepthUpdate> for Exchange {
    fn handle(&mut self, update: &DepthUpdate, ctx: &mut Context<'_, Self>) {
        self.bring(update.instrument, ctx, || Input::Depth(*update));
    }
}

impl Handler<BookUpdate> for Exchange {
    fn handle(&mut self, update: &BookUpdate, ctx: &mut Context<'_, Self>) {
        self.bring(update.instrument, ctx, || Input::Book(*update));
    }
}

impl Handler<OrderRequest> for Exchange {
    fn handle(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        self.counts.requests += 1;
        let latency = draw(&self.latencies.entry, ctx);
        let owner = self.owners.number(request.owner);
        let delay = in_turn(ctx.now(), latency, &mut self.owners.get_mut(owner).entered);
        if delay.is_positive() {
            ctx.notify_after(delay, Arrival(*request));
        } else {
            self.arrive(request, ctx);
        }
    }
}

impl Handler<Order> for Exchange {
    fn handle(&mut self, order: &Order, ctx: &mut Context<'_, Self>) {
        let Order { id, instrument, side, quantity, kind, owner } = *order;
        let ticket = Ticket { id, side, quantity, kind, time_in_force: TimeInForce::Gtc };
        self.handle(&OrderRequest { instrument, action: OrderAction::Submit(ticket), owner }, ctx);
    }
}

impl Handler<Arrival> for Exchange {
    fn handle(&mut self, arrival: &Arrival, ctx: &mut Context<'_, Self>) {
        self.arrive(&arrival.0, ctx);
    }
}

impl Handler<Expiry> for Exchange {
    fn handle(&mut self, _: &Expiry, ctx: &mut Context<'_, Self>) {
        if self.clock.is_some_and(|clock| clock <= ctx.now()) {
            self.clock = None;
        }
        for instrument in self.all() {
            self.bring(instrument, ctx, || Input::Clock);
        }
    }
}

impl Handler<PhaseChange> for Exchange {
    fn handle(&mut self, change: &PhaseChange, ctx: &mut Context<'_, Self>) {
        for instrument in change.instrument.map_or_else(|| self.all(), |one| vec![one]) {
            self.bring(instrument, ctx, || Input::Phase(change.phase));
        }
    }
}
