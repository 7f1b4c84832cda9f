//! Strategies of random worlds: they send what they planned, and now and then answer a fill. Invariant: what they do depends on what they hear
//! and on their own random numbers alone.

use std::fmt::Write as _;

use stillpoint_actors::{InstrumentId, OrderAction, OrderEvent, OrderId, OrderKind, OrderRequest, Outcome, Quantity, Ticket, TimeInForce};
use stillpoint_engine::{Actor, Context, Handler, Instant, Message, Recipient, Report};

/// The first number of the orders that answer fills; planned ones lie below.
const ANSWERS: u64 = 10_000;
/// At most so many answers.
const MOST: u64 = 20;

pub(crate) struct Trader {
    pub(crate) venue: Recipient<OrderRequest>,
    pub(crate) plan: Vec<(Instant, OrderAction)>,
    answered: u64,
    fills: String,
    events: String,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Next(OrderAction);

impl Message for Next {
    const KIND: &'static str = "next";
}

impl Trader {
    pub(crate) fn new(venue: Recipient<OrderRequest>, plan: Vec<(Instant, OrderAction)>) -> Self {
        Self { venue, plan, answered: 0, fills: String::new(), events: String::new() }
    }

    fn send(&self, action: OrderAction, ctx: &mut Context<'_, Self>) {
        let owner = ctx.address().recipient();
        ctx.send(self.venue, OrderRequest { instrument: InstrumentId(0), action, owner });
    }
}

impl Actor for Trader {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.plan.iter().for_each(|(at, action)| _ = ctx.notify_at(*at, Next(*action)));
    }

    fn report(&self, report: &mut Report) {
        report.text("fills", self.fills.clone());
        report.text("events", self.events.clone());
    }
}

impl Handler<Next> for Trader {
    fn handle(&mut self, next: &Next, ctx: &mut Context<'_, Self>) {
        self.send(next.0, ctx);
    }
}

impl Handler<OrderEvent> for Trader {
    fn handle(&mut self, event: &OrderEvent, ctx: &mut Context<'_, Self>) {
        let OrderEvent { order, side, outcome, .. } = *event;
        writeln!(self.events, "{} {outcome:?}", order.0).expect("a text grows");
        let Outcome::Filled { quantity, price, fee, .. } = outcome else { return };
        let signed = side.sign() * quantity.0;
        writeln!(self.fills, "{} {} {signed} {} {}", ctx.now().as_nanos(), order.0, price.0, fee.0).expect("a text grows");
        if order != OrderId::LIQUIDATION && self.answered < MOST && ctx.rng().bits().is_multiple_of(6) {
            self.answered += 1;
            let (kind, time_in_force) = (OrderKind::Market, TimeInForce::Ioc);
            let ticket = Ticket {
                id: OrderId(ANSWERS + self.answered),
                side: side.opposite(),
                quantity: Quantity(1 + quantity.0 / 2),
                kind,
                time_in_force,
            };
            self.send(OrderAction::Submit(ticket), ctx);
        }
    }
}
