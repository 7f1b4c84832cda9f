//! A timer every second from a minute ago to five seconds after the start: what is past fires at once and is told its own time, what is to
//! come fires on the second. No drift.

use std::error::Error;

use stillpoint_engine::{Actor, Context, Duration, Every, Handler, Instant, Message, Simulation};

struct Clock;

#[derive(Clone, Debug, Hash)]
struct Tick;

impl Message for Tick {
    const KIND: &'static str = "tick";
}

impl Actor for Clock {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let now = ctx.now();
        ctx.notify_every(Every::from(now - Duration::secs(60), Duration::secs(1)).until(now + Duration::secs(5)), Tick);
    }
}

impl Handler<Tick> for Clock {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        let due = ctx.event().due;
        ctx.log(format_args!("{due}  tick"));
    }
}

/// Prints virtual time, event time and `tick`.
pub(crate) fn run(mut print: impl FnMut(String) + 'static) -> Result<(), Box<dyn Error>> {
    let mut sim = Simulation::new("timer").start("2025-01-01T00:01:00Z".parse::<Instant>()?);
    sim = sim.log(move |line| print(format!("{}  {}", line.at, line.text)));
    sim.actor("clock", Clock)?;
    sim.run()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(|line| println!("{line}"))
}
