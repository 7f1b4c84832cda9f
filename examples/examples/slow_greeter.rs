//! A greeter that sleeps five seconds over every guest while guests come every second: they queue in its inbox, the stream keeps its times.

use std::error::Error;

use stillpoint_engine::{Actor, Context, Duration, Handler, Inbox, Instant, Simulation, Stream, Timed};

struct Greeter {
    waiting: Option<Inbox<(Instant, String)>>,
}

impl Actor for Greeter {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let waiting = ctx.inbox();
        self.waiting = Some(waiting);
        ctx.task(async move |cx| {
            loop {
                let (event_time, name) = cx.recv(waiting).await;
                cx.sleep(Duration::secs(5)).await;
                cx.with(|_, ctx| ctx.log(format_args!("{event_time}  Good morning, {name}!")));
            }
        });
    }
}

impl Handler<String> for Greeter {
    fn handle(&mut self, name: &String, ctx: &mut Context<'_, Self>) {
        let waiting = self.waiting.expect("made at the start");
        ctx.push(waiting, (ctx.event().event_time, name.clone()));
    }
}

/// Prints virtual time, event time and greeting.
pub(crate) fn run(mut print: impl FnMut(String) + 'static) -> Result<(), Box<dyn Error>> {
    let start: Instant = "2025-01-01T00:00:00Z".parse()?;
    let guests = ["Jane", "John", "Sarah", "Paul"].into_iter().zip(0..);
    let guests = guests.map(|(name, second)| Timed { at: start + Duration::secs(second), value: name.to_owned() });
    let mut sim = Simulation::new("slow greeter").log(move |line| print(format!("{}  {}", line.at, line.text)));
    let guests = sim.stream("guests", Stream::from_vec(guests.collect()))?;
    let greeter = sim.actor("greeter", Greeter { waiting: None })?;
    sim.subscribe::<String, _>(greeter, guests);
    sim.run()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(|line| println!("{line}"))
}
