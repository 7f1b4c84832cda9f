//! A greeter that takes its time: every guest is greeted a second after arrival, by a call that is told when it was due.

use std::error::Error;

use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Simulation, Stream, Timed};

struct Greeter;

/// What the greeter tells itself: greet this guest now.
#[derive(Debug, Hash)]
struct Greet(String);

impl Message for Greet {
    const KIND: &'static str = "greet";
}

impl Actor for Greeter {}

impl Handler<String> for Greeter {
    fn handle(&mut self, name: &String, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(Duration::secs(1), Greet(name.clone()));
    }
}

impl Handler<Greet> for Greeter {
    fn handle(&mut self, Greet(name): &Greet, ctx: &mut Context<'_, Self>) {
        let event_time = ctx.event().event_time;
        ctx.log(format_args!("{event_time}  Good morning, {name}!"));
    }
}

/// Prints virtual time, event time and greeting.
pub(crate) fn run(mut print: impl FnMut(String) + 'static) -> Result<(), Box<dyn Error>> {
    let start: Instant = "2025-01-01T00:00:00Z".parse()?;
    let guests = ["Jane", "John", "Sarah", "Paul", "Jane"].into_iter().zip(0..);
    let guests = guests.map(|(name, second)| Timed { at: start + Duration::secs(second), value: name.to_owned() });
    let mut sim = Simulation::new("greet later").log(move |line| print(format!("{}  {}", line.at, line.text)));
    let guests = sim.stream("guests", Stream::from_vec(guests.collect()))?;
    let greeter = sim.actor("greeter", Greeter)?;
    sim.subscribe::<String, _>(greeter, guests);
    sim.run()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(|line| println!("{line}"))
}
