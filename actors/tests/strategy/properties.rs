//! Random plans against a venue that answers at random: the desk agrees with a naive model, which counts everything anew from the whole history,
//! and no limit is ever exceeded, whatever the venue does.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use stillpoint_actors::strategy::{InstrumentLimits, OrderRate, Refusal, RiskLimits, Trader};
use stillpoint_actors::{
    CancelCause, Liquidity, Money, OrderAction, OrderEvent, OrderId, OrderRequest, Outcome, Price, Quantity, Reject, Side,
};
use stillpoint_engine::{Actor, Context, Duration, Handler, Link, Message, Recipient, Saving, Simulation};

use crate::kit::{Command, Entry, Limits, Scripted, State, X, at, limit, market, settings};

/// A venue that does what dice say, and keeps the rules: it fills no more than an order's quantity, and nothing that has ended.
#[derive(Serialize, Deserialize)]
struct Dice {
    dice: VecDeque<u8>,
    owner: Option<Recipient<OrderEvent>>,
    open: Vec<(OrderId, Side, i64, i64)>,
    ended: Vec<OrderId>,
    bought: i64,
    sold: i64,
    /// The greatest position it ever saw, long and short.
    extremes: (i64, i64),
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Roll;

impl Message for Roll {
    const KIND: &'static str = "roll";
}

impl Actor for Dice {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for tick in 0..60 {
            ctx.notify_at(at(tick * 17), Roll);
        }
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Roll>().message::<OrderRequest>())
    }
}

impl Dice {
    fn roll(&mut self) -> i64 {
        i64::from(self.dice.pop_front().unwrap_or(1))
    }

    fn say(&mut self, (order, side): (OrderId, Side), outcome: Outcome, ctx: &mut Context<'_, Self>) {
        ctx.send(self.owner.expect("an owner"), OrderEvent { order, instrument: X, side, outcome });
    }

    fn find(&self, id: OrderId) -> Result<usize, Reject> {
        let missing = if self.ended.contains(&id) { Reject::NotOpen } else { Reject::UnknownOrder };
        self.open.iter().position(|order| order.0 == id).ok_or(missing)
    }

    fn end(&mut self, index: usize, ctx: &mut Context<'_, Self>) {
        let (id, side, quantity, done) = self.open.remove(index);
        self.ended.push(id);
        let quantity = Quantity(quantity - done);
        let outcome = match self.roll() % 3 {
            0 => Outcome::Cancelled { quantity, cause: CancelCause::Requested },
            1 => Outcome::Expired { quantity },
            _ => Outcome::Rejected { quantity, reason: Reject::Halted },
        };
        self.say((id, side), outcome, ctx);
    }

    fn fill(&mut self, index: usize, ctx: &mut Context<'_, Self>) {
        let (id, side, quantity, done) = self.open[index];
        let part = 1 + self.roll() % (quantity - done);
        let (price, fee) = (Price(90 + self.roll() % 20), Money(i128::from(self.roll() % 5) - 1));
        self.open[index].3 += part;
        let left = quantity - done - part;
        if left == 0 {
            self.open.remove(index);
            self.ended.push(id);
        }
        *(if side == Side::Buy { &mut self.bought } else { &mut self.sold }) += part;
        let held = self.bought - self.sold;
        self.extremes = (self.extremes.0.max(held), self.extremes.1.min(held));
        let outcome = Outcome::Filled { quantity: Quantity(part), price, left: Quantity(left), liquidity: Liquidity::Maker, fee };
        self.say((id, side), outcome, ctx);
    }
}

impl Handler<Roll> for Dice {
    fn handle(&mut self, _: &Roll, ctx: &mut Context<'_, Self>) {
        if self.open.is_empty() {
            return;
        }
        let index = self.roll() as usize % self.open.len();
        if self.roll() % 5 == 0 { self.end(index, ctx) } else { self.fill(index, ctx) }
    }
}

impl Handler<OrderRequest> for Dice {
    fn handle(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        self.owner = Some(request.owner);
        match request.action {
            OrderAction::Submit(ticket) if self.roll() % 6 == 0 => {
                self.ended.push(ticket.id);
                let outcome = Outcome::Rejected { quantity: ticket.quantity, reason: Reject::InAuction };
                self.say((ticket.id, ticket.side), outcome, ctx);
            }
            OrderAction::Submit(ticket) => {
                self.open.push((ticket.id, ticket.side, ticket.quantity.0, 0));
                self.say((ticket.id, ticket.side), Outcome::Accepted, ctx);
            }
            OrderAction::Modify(change) => {
                let whose = (change.id, change.side);
                let found = self.find(change.id).and_then(|index| match self.open[index].3 {
                    done if change.quantity.0 <= done => Err(Reject::BelowFilled),
                    _ => Ok(index),
                });
                let refused = self.roll() % 4 == 0;
                match found {
                    Ok(index) if !refused => {
                        self.open[index].2 = change.quantity.0;
                        let left = Quantity(change.quantity.0 - self.open[index].3);
                        self.say(whose, Outcome::Modified { left }, ctx);
                    }
                    Ok(_) => self.say(whose, Outcome::ModifyRejected { reason: Reject::NotModifiable }, ctx),
                    Err(reason) => self.say(whose, Outcome::ModifyRejected { reason }, ctx),
                }
            }
            OrderAction::Cancel { id, side } => match self.find(id) {
                Ok(index) => self.end(index, ctx),
                Err(reason) => self.say((id, side), Outcome::CancelRejected { reason }, ctx),
            },
            OrderAction::CancelAll => (0..self.open.len()).rev().for_each(|index| self.end(index, ctx)),
            other => panic!("nobody asks for {other:?} here"),
        }
    }
}

const MAX_ORDER: i64 = 8;
const MAX_POSITION: i64 = 12;
const MAX_OPEN: u32 = 4;
const RATE: (usize, i64) = (3, 40);

/// What is known of an order, counted anew from the whole history.
#[derive(Debug)]
struct Known {
    side: Side,
    quantity: i64,
    filled: i64,
    change: Option<i64>,
    cancelling: bool,
    ended: bool,
}

/// What the desk must say after these entries.
#[derive(Debug, Default)]
struct Model {
    orders: Vec<Known>,
    held: i64,
    cash: i128,
    sent_at: Vec<i64>,
    stopped: bool,
}

impl Model {
    fn open(&self) -> impl Iterator<Item = &Known> {
        self.orders.iter().filter(|order| !order.ended)
    }

    fn working(&self, side: Side) -> i64 {
        let of_side = self.open().filter(|order| order.side == side);
        of_side.map(|order| order.quantity.max(order.change.unwrap_or(0)) - order.filled).sum()
    }

    fn state(&self) -> State {
        let open = self.orders.iter().zip(1u64..).filter(|(order, _)| !order.ended);
        State {
            held: self.held,
            cash: self.cash,
            buying: self.working(Side::Buy),
            selling: self.working(Side::Sell),
            open: open.map(|(order, id)| (id, order.quantity - order.filled)).collect(),
        }
    }

    fn risk(&self, now: i64, side: Side, (whole, more): (i64, i64)) -> Result<(), Refusal> {
        let held = if side == Side::Buy { self.held } else { -self.held };
        if more > 0 && whole > MAX_ORDER {
            return Err(Refusal::MaxOrder);
        }
        if more > 0 && held + self.working(side) + more > MAX_POSITION {
            return Err(Refusal::MaxPosition);
        }
        let recent = self.sent_at.iter().filter(|sent| now - **sent < RATE.1).count();
        if recent >= RATE.0 { Err(Refusal::MaxOrders) } else { Ok(()) }
    }

    /// What the desk must say to a command.
    fn obey(&mut self, now: i64, command: Command) -> Result<Option<OrderId>, Refusal> {
        match command {
            Command::Submit(..) if self.stopped => Err(Refusal::Stopped),
            Command::Submit(side, quantity, ..) => {
                if quantity <= 0 {
                    return Err(Refusal::BadQuantity);
                }
                if self.open().count() >= MAX_OPEN as usize {
                    return Err(Refusal::MaxOpenOrders);
                }
                self.risk(now, side, (quantity, quantity))?;
                self.sent_at.push(now);
                self.orders.push(Known { side, quantity, filled: 0, change: None, cancelling: false, ended: false });
                Ok(Some(OrderId(self.orders.len() as u64)))
            }
            Command::Modify(id, quantity, _) => {
                let stopped = self.stopped;
                let order = self.find(id)?;
                if stopped {
                    return Err(Refusal::Stopped);
                }
                if quantity <= 0 {
                    return Err(Refusal::BadQuantity);
                }
                if order.change.is_some() || order.cancelling {
                    return Err(Refusal::Pending);
                }
                if quantity <= order.filled {
                    return Err(Refusal::BadQuantity);
                }
                let (side, more) = (order.side, quantity - order.quantity);
                self.risk(now, side, (quantity, more))?;
                self.sent_at.push(now);
                self.find(id)?.change = Some(quantity);
                Ok(None)
            }
            Command::Cancel(id) => {
                self.find(id)?.cancelling = true;
                Ok(None)
            }
            Command::CancelAll | Command::Stop => {
                self.stopped |= matches!(command, Command::Stop);
                self.orders.iter_mut().for_each(|order| order.cancelling = true);
                Ok(None)
            }
        }
    }

    fn find(&mut self, id: u64) -> Result<&mut Known, Refusal> {
        let order = self.orders.get_mut((id as usize).wrapping_sub(1)).filter(|order| !order.ended);
        order.ok_or(Refusal::UnknownOrder)
    }

    fn hear(&mut self, event: &OrderEvent) {
        if let Outcome::Filled { quantity, price, fee, .. } = event.outcome {
            let signed = event.side.sign() * quantity.0;
            self.held += signed;
            self.cash -= i128::from(signed) * i128::from(price.0) + fee.0;
        }
        let Ok(order) = self.find(event.order.0) else { return };
        match event.outcome {
            Outcome::Filled { quantity, .. } => {
                order.filled += quantity.0;
                order.ended = event.outcome.is_end();
            }
            Outcome::Modified { .. } => order.quantity = order.change.take().expect("a change was asked for"),
            Outcome::ModifyRejected { reason } => {
                order.change = None;
                order.ended = matches!(reason, Reject::NotOpen | Reject::UnknownOrder);
            }
            Outcome::CancelRejected { reason } => {
                order.cancelling = false;
                order.ended = matches!(reason, Reject::NotOpen | Reject::UnknownOrder);
            }
            _ => order.ended = event.outcome.is_end(),
        }
    }
}

fn command() -> impl proptest::strategy::Strategy<Value = Command> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    prop_oneof![
        6 => (side.clone(), -1i64..10, 95i64..105).prop_map(|(side, quantity, price)| limit(side, quantity, price)),
        2 => (side, 1i64..10).prop_map(|(side, quantity)| market(side, quantity)),
        4 => (1u64..12, -1i64..10, prop::option::of(95i64..105)).prop_map(|(id, quantity, price)| Command::Modify(id, quantity, price)),
        3 => (1u64..12).prop_map(Command::Cancel),
        1 => Just(Command::CancelAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_desk_is_a_naive_model_within_its_limits(
        mut plan in prop::collection::vec((0i64..900, command()), 1..60),
        stop in prop::option::of(600i64..900),
        dice in prop::collection::vec(any::<u8>(), 0..400),
        latency in (0i64..40, 0i64..40),
    ) {
        plan.extend(stop.map(|nanos| (nanos, Command::Stop)));
        plan.sort_by_key(|(nanos, _)| *nanos);
        let max_orders = Some(OrderRate { count: NonZeroU32::new(RATE.0 as u32).expect("not zero"), within: Duration::nanos(RATE.1) });
        let risk = RiskLimits { max_open_orders: Some(MAX_OPEN), max_orders, ..RiskLimits::default() };
        let of_x = InstrumentLimits { max_order: Some(Quantity(MAX_ORDER)), max_position: Some(Quantity(MAX_POSITION)) };

        let mut sim = Simulation::new("dice").start(at(0));
        let venue = Dice { dice: dice.into(), owner: None, open: vec![], ended: vec![], bought: 0, sold: 0, extremes: (0, 0) };
        let venue = sim.actor("venue", venue).expect("a name");
        let trader = Trader::new(settings(venue.recipient(), Limits(risk, of_x)), Scripted::new(&plan)).expect("good settings");
        let trader = sim.actor("trader", trader).expect("a name");
        sim.link("trader", "venue", Link::latency(Duration::nanos(latency.0))).expect("two ends");
        sim.link("venue", "trader", Link::latency(Duration::nanos(latency.1))).expect("two ends");
        let mut run = sim.begin().expect("a run");
        run.until(at(i64::MAX));

        let trader = run.actor(trader).expect("it lives");
        let strategy = trader.strategy();
        let mut model = Model::default();
        for (now, entry, state) in &strategy.log {
            match entry {
                Entry::Did(command, said) => prop_assert_eq!(said, &model.obey(*now, *command), "{:?} at {}", command, now),
                Entry::Heard(event) => model.hear(event),
            }
            prop_assert_eq!(state, &model.state(), "after {:?} at {}", entry, now);
            prop_assert!(state.held.abs() <= MAX_POSITION && state.open.len() <= MAX_OPEN as usize);
        }
        let (longest, shortest) = run.actor(venue).expect("it lives").extremes;
        prop_assert!(longest <= MAX_POSITION && shortest >= -MAX_POSITION, "it held {} and {}", longest, shortest);
        for (first, last) in model.sent_at.iter().zip(model.sent_at.iter().skip(RATE.0)) {
            prop_assert!(last - first >= RATE.1, "too many between {} and {}", first, last);
        }
    }
}
