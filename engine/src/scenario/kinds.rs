//! The engine's own kinds: a scripted stream, and actors that send, pass on and record texts. They know no market; they are for trying out
//! streams, links and faults.

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use super::script::Script;
use crate::actor::{Actor, Handler};
use crate::address::Recipient;
use crate::context::{Context, Every};
use crate::message::Message;
use crate::report::Report;
use crate::snapshot::Saving;
use crate::time::{Duration, Instant};

/// Adds them all.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .stream::<Script<String>, String>("script", "Plays a script of texts.", |script, scene| script.stream(scene.start()))
        .param(
            "steps",
            "Add(at, value), AddAll(at, values), AdvanceTo(instant), AdvanceBy(duration), AdvanceToInfinity, Fault(at, error); `at` defaults to the script's clock",
        )
        .example(r#"(steps: [Add(at: "2025-01-01T00:00:00Z", value: "Jane"), AdvanceBy("1s"), Add(value: "John"), AdvanceToInfinity])"#);
    registry
        .stream::<Script<i64>, i64>("script_numbers", "Plays a script of whole numbers.", |script, scene| script.stream(scene.start()))
        .param("steps", "as those of `script`")
        .example("(steps: [AddAll(values: [1, 2, 3])])");
    registry
        .actor::<RecorderParams, Recorder>("recorder", "Records the texts that it gets, and when.", |params, scene| {
            for name in &params.streams {
                let stream = scene.stream::<String>(name)?;
                scene.subscribe(stream);
            }
            Ok(Recorder { keep: params.keep, received: 0, late: 0, kept: Vec::new() })
        })
        .param("streams", "streams of texts to subscribe to; default: none")
        .param("keep", "how many texts to report with their virtual and event times; default: 20")
        .example(r#"(streams: ["people"])"#)
        .accepts::<String>();
    registry
        .actor::<RelayParams, Relay>("relay", "Passes each text on.", |params, scene| {
            for name in &params.streams {
                let stream = scene.stream::<String>(name)?;
                scene.subscribe(stream);
            }
            Ok(Relay { to: scene.recipient(&params.to)?, delay: params.delay, passed: 0 })
        })
        .param("streams", "streams of texts to subscribe to; default: none")
        .param("to", "the actor that gets them")
        .param("delay", "how long to keep each; default: \"0s\"")
        .example(r#"(to: "greeter", delay: "1s")"#)
        .accepts::<String>();
    registry
        .actor::<TimerParams, Timer>("timer", "Sends a text again and again.", |params, scene| {
            if !params.every.is_positive() {
                return Err(super::SceneError::param("every", "must be longer than \"0s\""));
            }
            Ok(Timer { to: scene.recipient(&params.to)?, params, ticks: 0 })
        })
        .param("to", "the actor that gets it")
        .param("text", "what to send")
        .param("every", "how often")
        .param("first", "when first; default: one period after the start")
        .param("end", "when last, inclusive; default: never")
        .example(r#"(to: "greeter", text: "tick", every: "1s", end: "2025-01-01T00:00:05Z")"#);
    registry
        .actor::<PuppetParams, Puppet>("puppet", "Does what it is told, when it is told.", |params, scene| {
            let mut acts = Vec::with_capacity(params.acts.len());
            for act in params.acts {
                acts.push(match act {
                    Act::Send { at, to, text } => Planned { at, what: Doing::Send(scene.recipient(&to)?, text) },
                    Act::Panic { at, text } => Planned { at, what: Doing::Panic(text) },
                    Act::Stop { at } => Planned { at, what: Doing::Stop },
                    Act::StopRun { at } => Planned { at, what: Doing::StopRun },
                });
            }
            Ok(Puppet { acts })
        })
        .param("acts", "Send(at, to, text), Panic(at, text), Stop(at), StopRun(at)")
        .example(r#"(acts: [Stop(at: "2025-01-01T00:00:00Z")])"#);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecorderParams {
    #[serde(default)]
    streams: Vec<String>,
    #[serde(default = "twenty")]
    keep: usize,
}

fn twenty() -> usize {
    20
}

#[derive(Serialize, Deserialize)]
struct Recorder {
    keep: usize,
    received: i64,
    late: i64,
    kept: Vec<String>,
}

impl Actor for Recorder {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<String>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("received", self.received);
        if self.late > 0 {
            report.integer("late", self.late);
        }
        for (index, line) in self.kept.iter().enumerate() {
            report.text(&index.to_string(), line.as_str());
        }
    }
}

impl Handler<String> for Recorder {
    fn handle(&mut self, text: &String, ctx: &mut Context<'_, Self>) {
        self.received += 1;
        let event = ctx.event();
        self.late += i64::from(event.lag.is_some());
        if self.kept.len() < self.keep {
            let line = format!("{} {} {text}", ctx.now(), event.event_time);
            self.kept.push(line);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayParams {
    #[serde(default)]
    streams: Vec<String>,
    to: String,
    #[serde(default)]
    delay: Duration,
}

#[derive(Serialize, Deserialize)]
struct Relay {
    to: Recipient<String>,
    delay: Duration,
    passed: i64,
}

impl Actor for Relay {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<String>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("passed", self.passed);
    }
}

impl Handler<String> for Relay {
    fn handle(&mut self, text: &String, ctx: &mut Context<'_, Self>) {
        self.passed += 1;
        if self.delay == Duration::ZERO {
            ctx.send(self.to, text.clone());
        } else {
            ctx.send_after(self.to, self.delay, text.clone());
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimerParams {
    to: String,
    text: String,
    every: Duration,
    first: Option<Instant>,
    end: Option<Instant>,
}

#[derive(Serialize, Deserialize)]
struct Timer {
    to: Recipient<String>,
    params: TimerParams,
    ticks: i64,
}

#[derive(Clone, Debug, Hash, Serialize, Deserialize)]
struct Tick;

impl Message for Tick {
    const KIND: &'static str = "timer-tick";
}

impl Actor for Timer {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Tick>())
    }

    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let first = self.params.first.unwrap_or(ctx.now() + self.params.every);
        ctx.notify_every(Every { first, period: self.params.every, end: self.params.end }, Tick);
    }

    fn report(&self, report: &mut Report) {
        report.integer("ticks", self.ticks);
    }
}

impl Handler<Tick> for Timer {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        self.ticks += 1;
        ctx.send(self.to, self.params.text.clone());
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PuppetParams {
    acts: Vec<Act>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum Act {
    Send { at: Instant, to: String, text: String },
    Panic { at: Instant, text: String },
    Stop { at: Instant },
    StopRun { at: Instant },
}

#[derive(Serialize, Deserialize)]
struct Puppet {
    acts: Vec<Planned>,
}

#[derive(Serialize, Deserialize)]
struct Planned {
    at: Instant,
    what: Doing,
}

#[derive(Serialize, Deserialize)]
enum Doing {
    Send(Recipient<String>, String),
    Panic(String),
    Stop,
    StopRun,
}

/// The index of an act that is due.
#[derive(Clone, Debug, Hash, Serialize, Deserialize)]
struct Cue(usize);

impl Message for Cue {
    const KIND: &'static str = "cue";
}

impl Actor for Puppet {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Cue>())
    }

    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for (index, act) in self.acts.iter().enumerate() {
            ctx.notify_at(act.at, Cue(index));
        }
    }
}

impl Handler<Cue> for Puppet {
    fn handle(&mut self, cue: &Cue, ctx: &mut Context<'_, Self>) {
        match &self.acts[cue.0].what {
            Doing::Send(to, text) => ctx.send(*to, text.clone()),
            Doing::Panic(text) => panic!("{text}"),
            Doing::Stop => ctx.stop(),
            Doing::StopRun => ctx.stop_run(),
        }
    }
}
