//! The same operations behind an actor: they end at declared virtual instants, and no host and no pool of threads shows in the trace.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{
    Actor, Addr, Answer, BuildError, Context, Duration, Handler, Link, Message, Outcome, Pool, Report, Request, Responder, Responds,
    Simulation, Timer, Value,
};
use stillpoint_store::request::{Kind, Named, Operation, RequestId, Scope, VirtualPool};

use crate::kit::claim;
use crate::memory::{ListSymbols, Memory, Read, Table, Write};

#[derive(Clone, Debug, Hash)]
enum Question {
    Write(&'static str, i64),
    Read(&'static str),
    List,
}

impl Message for Question {
    const KIND: &'static str = "question";
}

impl Request for Question {
    type Reply = String;
}

impl Question {
    fn claims(&self) -> (Scope, Kind, Duration) {
        match self {
            Self::Write(symbol, _) => (Scope::symbol(*symbol), Kind::Modify, Duration::millis(5)),
            Self::Read(symbol) => (Scope::symbol(*symbol), Kind::Read, Duration::millis(2)),
            Self::List => (Scope::Library, Kind::Read, Duration::millis(2)),
        }
    }

    fn perform(self, library: &Memory) -> String {
        let said = match self {
            Self::Write(symbol, price) => {
                Write::new(symbol, Table(vec![(0, price as f64)])).run(library).map(|version| format!("{symbol} v{version}"))
            }
            Self::Read(symbol) => Read::all(symbol).run(library).map(|table| format!("{symbol} = {}", table.0[0].1)),
            Self::List => ListSymbols.run(library).map(|symbols| symbols.join(", ")),
        };
        said.unwrap_or_else(|error| error.to_string())
    }
}

#[derive(Debug, Hash)]
struct Due;

impl Message for Due {
    const KIND: &'static str = "due";
}

/// A library that two requests at a time are served from.
struct Shard {
    library: Arc<Memory>,
    pool: VirtualPool,
    open: BTreeMap<RequestId, (Question, Responder<String>)>,
    timer: Option<Timer>,
}

impl Shard {
    fn arm(&mut self, ctx: &mut Context<'_, Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel(timer);
        }
        self.timer = self.pool.next().map(|at| ctx.notify_at(at, Due));
    }
}

impl Actor for Shard {}

impl Responds<Question> for Shard {
    fn respond(&mut self, question: &Question, responder: Responder<String>, ctx: &mut Context<'_, Self>) {
        let (scope, kind, latency) = question.claims();
        let id = self.pool.submit(ctx.now(), claim(self.library.name(), scope, kind), latency);
        self.open.insert(id, (question.clone(), responder));
        self.arm(ctx);
    }
}

impl Handler<Due> for Shard {
    fn handle(&mut self, _: &Due, ctx: &mut Context<'_, Self>) {
        for done in self.pool.completed(ctx.now()) {
            if let Some((question, responder)) = self.open.remove(&done.id) {
                let said = question.perform(&self.library);
                ctx.reply(responder, said);
            }
        }
        self.arm(ctx);
    }
}

struct Strategy {
    shard: Addr<Shard>,
    heard: Vec<String>,
}

impl Actor for Strategy {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for question in [Question::Write("A", 10), Question::Read("A"), Question::Read("B"), Question::Write("B", 20), Question::List] {
            ctx.ask(self.shard, question, None);
        }
    }

    fn report(&self, report: &mut Report) {
        report.text("heard", self.heard.join("; "));
    }
}

impl Handler<Answer<Question>> for Strategy {
    fn handle(&mut self, answer: &Answer<Question>, ctx: &mut Context<'_, Self>) {
        let said = answer.result.clone().unwrap_or_else(|error| error.to_string());
        self.heard.push(format!("{}ms {said}", ctx.now().as_nanos() / 1_000_000));
    }
}

fn build(threads_for_jobs: usize) -> Result<Simulation, BuildError> {
    let mut sim = Simulation::new("a shard").pool(Arc::new(Pool::new(threads_for_jobs)));
    let pool = VirtualPool::new(NonZeroUsize::MIN.saturating_add(1));
    let shard = sim.actor("shard", Shard { library: Memory::new("prices"), pool, open: BTreeMap::new(), timer: None })?;
    sim.actor("strategy", Strategy { shard, heard: Vec::new() })?;
    sim.link("strategy", "shard", Link::latency(Duration::millis(1)))?;
    sim.link("shard", "strategy", Link::latency(Duration::millis(1)))?;
    Ok(sim)
}

#[test]
fn requests_to_an_actor_end_at_their_instants_on_every_host_and_pool() {
    let run = |host, threads| -> Outcome { Launch::new(move || build(threads)).host(host).run().expect("a run") };
    let inline = run(Host::Inline, 0);
    // Asked at 1 ms: write A 1-6, read B 1-3 on the other worker, write B 3-8, read A 6-8, list 8-10; heard a millisecond later.
    let heard = "4ms no symbol `B` in library `prices`; write it first; 7ms A v1; 9ms A = 10; 9ms B v1; 11ms A, B";
    assert_eq!(inline.report("strategy").and_then(|report| report.get("heard")), Some(&Value::Text(heard.to_owned())));
    for threads in [1, 2] {
        assert_eq!(run(Host::Inline, threads).trace_hash, inline.trace_hash);
        assert_eq!(run(Host::Actix { threads }, threads).trace_hash, inline.trace_hash);
    }
}
