//! What the tests of R13 share: an actor that does what its plan says, and runs that are interrupted at every still point.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use stillpoint_engine::task::{Inbox, Task};
use stillpoint_engine::trace::{Collect, Record};
use stillpoint_engine::{
    Actor, Addr, Answer, AskId, Context, Control, Every, Handler, JobDone, JobId, Message, NextInstant, Outcome, Rank, Recipient, Report,
    Responder, Responds, Rng, RunError, Saving, Simulation, Snapshot, StreamRef, Timer,
};

use super::kit::{Note, Question, Reply, Sum, Word, at, ns, table};

/// An actor with a plan. It notes all that reaches it and reports its notes.
///
/// A line of a plan is a time after the actor's start and a call: `5 say b 0 7` sends the note 7 to the peer `b` without delay at 5.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Planner {
    /// Its own plan and those of its children, by name.
    plans: BTreeMap<String, String>,
    plan: String,
    peers: BTreeMap<String, Addr<Planner>>,
    recipients: BTreeMap<String, Recipient<Note>>,
    streams: BTreeMap<String, StreamRef<Note>>,
    timers: BTreeMap<String, Timer>,
    jobs: BTreeMap<String, JobId>,
    asks: Vec<AskId>,
    tasks: Vec<Task>,
    inbox: Option<Inbox<u64>>,
    rng: Option<Rng>,
    seen: Vec<String>,
    keeps: bool,
    kept: Vec<Responder<Reply>>,
}

/// The line of a plan that is due.
#[derive(Debug, Hash, Serialize, Deserialize)]
struct Cue(usize);

impl Message for Cue {
    const KIND: &'static str = "cue";
}

impl Planner {
    /// Some of it that is not saved would be missed at once.
    pub(crate) fn new(plan: &str) -> Self {
        Self { plans: BTreeMap::from([("own".to_owned(), plan.to_owned())]), plan: "own".to_owned(), ..Self::default() }
    }

    /// A plan for children.
    pub(crate) fn plan(mut self, name: &str, plan: &str) -> Self {
        self.plans.insert(name.to_owned(), plan.to_owned());
        self
    }

    pub(crate) fn hears(mut self, name: &str, stream: StreamRef<Note>) -> Self {
        self.streams.insert(name.to_owned(), stream);
        self
    }

    fn note(&mut self, what: String) {
        self.seen.push(what);
    }

    fn perform(&mut self, line: &str, ctx: &mut Context<'_, Self>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| -> i64 { words[index].parse().unwrap_or_else(|_| panic!("`{line}` has no number {index}")) };
        let name = |index: usize| words[index].to_owned();
        let peer = |index: usize| self.peers[words[index]];
        match words[1] {
            "say" => ctx.send_after(peer(2), ns(number(3)), Note(number(4) as u64)),
            "remember" => _ = self.recipients.insert(name(2), peer(2).recipient()),
            "say-to" => ctx.send(self.recipients[words[2]], Note(number(3) as u64)),
            "after" => _ = self.timers.insert(name(2), ctx.notify_after(ns(number(3)), Note(number(4) as u64))),
            "every" => {
                let end = words.get(6).map(|end| at(end.parse().expect("an end")));
                let every = Every { first: ctx.now() + ns(number(3)), period: ns(number(4)), end };
                self.timers.insert(name(2), ctx.notify_every(every, Note(number(5) as u64)));
            }
            "cancel" => {
                let cancelled = ctx.cancel(self.timers[words[2]]);
                self.note(format!("cancelled {cancelled}"));
            }
            "publish" => ctx.publish(Word(number(2) as u64)),
            "subscribe" => ctx.subscribe::<Word, _>(peer(2)),
            "unsubscribe" => ctx.unsubscribe::<Word, _>(peer(2)),
            "hear" => ctx.subscribe_stream(self.streams[words[2]]),
            "unhear" => ctx.unsubscribe_stream(self.streams[words[2]]),
            "pause" => ctx.control(self.streams[words[2]], Control::Pause),
            "resume" => ctx.control(self.streams[words[2]], Control::Resume),
            "end" => ctx.control(self.streams[words[2]], Control::End),
            "ask" => {
                let timeout = words.get(4).map(|timeout| ns(timeout.parse().expect("a timeout")));
                self.asks.push(ctx.ask(peer(2), Question(number(3) as u64), timeout));
            }
            "ask-astray" => {
                let (to, question) = (peer(2), Question(number(3) as u64));
                let task = ctx.task(async move |cx| {
                    let answer = cx.ask(to, question, None);
                    cx.yield_now().await;
                    drop(answer);
                });
                self.tasks.push(task);
            }
            "job" => {
                let n = number(4) as u64;
                let job = move || if n == 0 { std::panic::resume_unwind(Box::new("no sum".to_owned())) } else { Sum((1..=n).sum()) };
                self.jobs.insert(name(2), ctx.submit(ns(number(3)), job));
            }
            "cancel-job" => {
                let cancelled = ctx.cancel_job(self.jobs[words[2]]);
                self.note(format!("cancelled {cancelled}"));
            }
            "spawn" => {
                let child = Self { plans: self.plans.clone(), plan: name(3), peers: self.peers.clone(), ..Self::default() };
                let rank = words.get(4).map_or(Rank(0), |rank| Rank(rank.parse().expect("a rank")));
                let child = ctx.spawn_ranked(rank, child);
                self.peers.insert(name(2), child);
            }
            "stop" => ctx.stop(),
            "stop-other" => ctx.stop_actor(peer(2)),
            "stop-run" => ctx.stop_run(),
            "draw" => {
                let own = self.rng.get_or_insert_with(|| Rng::of(1, "own", "test")).below(1000);
                let drawn = ctx.rng().below(1000);
                self.note(format!("drew {drawn} and {own}"));
            }
            "next" => {
                let time_keeper = ctx.time_keeper();
                ctx.ask(time_keeper, NextInstant, None);
            }
            "push" => {
                let inbox = *self.inbox.get_or_insert_with(|| ctx.inbox());
                ctx.push(inbox, number(2) as u64);
            }
            "receive" => {
                let inbox = *self.inbox.get_or_insert_with(|| ctx.inbox());
                let task = ctx.task(async move |cx| {
                    let value = cx.recv(inbox).await;
                    cx.with(|planner, _| planner.note(format!("received {value}")));
                });
                let known = self.tasks.iter().filter(|other| **other == task).count();
                self.note(format!("task {} known {known}", self.tasks.len()));
                self.tasks.push(task);
            }
            "sleep" => {
                let delay = ns(number(2));
                self.tasks.push(ctx.task(async move |cx| cx.sleep(delay).await));
            }
            "cancel-tasks" => {
                let cancelled = self.tasks.iter().filter(|task| ctx.cancel_task(**task)).count();
                self.note(format!("cancelled {cancelled}"));
            }
            "keep" => self.keeps = true,
            "answer" => {
                for responder in self.kept.drain(..) {
                    ctx.reply(responder, Reply(0));
                }
            }
            "panic" => std::panic::resume_unwind(Box::new("as planned".to_owned())),
            other => panic!("nobody can `{other}`"),
        }
    }
}

impl Actor for Planner {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let plan = &self.plans[&self.plan];
        for (index, line) in plan.lines().enumerate() {
            if let Some(time) = line.split_whitespace().next() {
                ctx.notify_after(ns(time.parse().expect("a time")), Cue(index));
            }
        }
    }

    fn report(&self, report: &mut Report) {
        for (index, line) in self.seen.iter().enumerate() {
            report.text(&index.to_string(), line.as_str());
        }
    }

    fn saving() -> Option<Saving<Self>> {
        let saving = Saving::new().message::<Cue>().message::<Note>().message::<Word>().job::<Sum>();
        Some(saving.asks::<Question>().asks::<NextInstant>().answers::<Question>().child::<Self>())
    }
}

impl Handler<Cue> for Planner {
    fn handle(&mut self, cue: &Cue, ctx: &mut Context<'_, Self>) {
        let plan = self.plans[&self.plan].clone();
        self.perform(plan.lines().nth(cue.0).expect("a line of the plan"), ctx);
    }
}

impl Handler<Note> for Planner {
    fn handle(&mut self, note: &Note, ctx: &mut Context<'_, Self>) {
        let event = ctx.event();
        self.note(format!("{} note {note:?} due {} of {} {:?}", ctx.now(), event.due, event.event_time, event.lag));
    }
}

impl Handler<Word> for Planner {
    fn handle(&mut self, word: &Word, ctx: &mut Context<'_, Self>) {
        self.note(format!("{} word {word:?}", ctx.now()));
    }
}

impl Handler<JobDone<Sum>> for Planner {
    fn handle(&mut self, done: &JobDone<Sum>, ctx: &mut Context<'_, Self>) {
        let job = self.jobs.iter().find(|(_, job)| **job == done.id).map(|(name, _)| name.clone());
        self.note(format!("{} job {job:?} gave {:?}", ctx.now(), done.result));
    }
}

impl Responds<Question> for Planner {
    fn respond(&mut self, question: &Question, responder: Responder<Reply>, ctx: &mut Context<'_, Self>) {
        self.note(format!("{} asked {question:?}", ctx.now()));
        match question.0 {
            // Nobody answers a question without a number.
            0 => drop(responder),
            _ if self.keeps => self.kept.push(responder),
            number => ctx.reply(responder, Reply(2 * number)),
        }
    }
}

impl Handler<Answer<Question>> for Planner {
    fn handle(&mut self, answer: &Answer<Question>, ctx: &mut Context<'_, Self>) {
        let ask = self.asks.iter().position(|ask| *ask == answer.id);
        self.note(format!("{} answer to {ask:?}: {:?}", ctx.now(), answer.result));
    }
}

impl Handler<Answer<NextInstant>> for Planner {
    fn handle(&mut self, answer: &Answer<NextInstant>, ctx: &mut Context<'_, Self>) {
        self.note(format!("{} next {:?}", ctx.now(), answer.result));
    }
}

/// Puts planners who know each other into a simulation.
pub(crate) fn cast(mut sim: Simulation, planners: Vec<(&str, Planner)>) -> (Simulation, BTreeMap<String, Addr<Planner>>) {
    let reserve = |(name, _): &(&str, Planner)| ((*name).to_owned(), sim.reserve(name, Rank(0)).expect("a free name"));
    let peers: BTreeMap<String, Addr<Planner>> = planners.iter().map(reserve).collect();
    for (name, planner) in planners {
        sim.place(peers[name], Planner { peers: peers.clone(), ..planner });
    }
    (sim, peers)
}

/// What a run came to: all of an outcome that can be compared, and the error.
#[derive(Debug, PartialEq)]
pub(crate) struct Came {
    pub(crate) to: String,
    pub(crate) error: Option<RunError>,
}

pub(crate) fn came(outcome: Result<Outcome, Box<stillpoint_engine::Failed>>) -> Came {
    let (outcome, error) = match outcome {
        Ok(outcome) => (outcome, None),
        Err(failed) => (failed.outcome, Some(failed.error)),
    };
    assert!(outcome.metrics.is_none(), "metrics are not compared");
    Came { to: format!("{outcome:#?}"), error }
}

/// A snapshot through its text.
pub(crate) fn reread(snapshot: &Snapshot) -> Snapshot {
    Snapshot::from_bytes(snapshot.to_text().as_bytes(), Path::new("a text")).expect("what was just written")
}

/// Runs a program to its end, and again from a snapshot at every still point: to the end, and to the next still point, where a second snapshot
/// must be the one of the run that was not interrupted. Gives the texts of all snapshots and what the run came to.
#[track_caller]
pub(crate) fn interrupted_everywhere(build: impl Fn() -> Simulation) -> (Vec<String>, Came) {
    let trace = Collect::new("whole");
    let whole = came(build().observe(Box::new(trace.clone())).run());
    let records = trace.records();
    let mut texts = Vec::new();
    let mut run = build().begin().expect("a simulation that begins");
    let mut resumed: Option<Snapshot> = None;
    while run.step_instant() {
        let snapshot = run.snapshot().unwrap_or_else(|error| panic!("at {}: {error}", run.site()));
        let text = snapshot.to_text();
        // Timers of those who have stopped are in no snapshot: a restored run does not stop at an instant that has nothing else.
        if let Some(resumed) = resumed.take().filter(|resumed| resumed.at() == snapshot.at()) {
            equal("the snapshot of a restored run", body(&resumed.to_text()), body(&text));
        }
        assert_eq!(snapshot.trace_hash(), reread(&snapshot).trace_hash());
        let trace = Collect::new("rest");
        let restored = build().observe(Box::new(trace.clone())).restore(&reread(&snapshot));
        let restored = restored.unwrap_or_else(|error| panic!("from {}: {error}", snapshot.at()));
        let came_to = came(restored.finish());
        equal(&format!("the run from {}", snapshot.at()), &came_to.to, &whole.to);
        assert_eq!(came_to.error, whole.error);
        let rest: Vec<Record> = records.iter().filter(|record| record.at > snapshot.at()).cloned().collect();
        equal("the trace", &table(&trace.records()), &table(&rest));
        texts.push(text);
        let mut restored = build().restore(&reread(&snapshot)).expect("what was restored before");
        restored.step_instant();
        resumed = restored.snapshot().ok();
    }
    equal("a run that snapshots were taken of", &came(run.finish()).to, &whole.to);
    (texts, whole)
}

/// A snapshot without its title and its checksum.
fn body(text: &str) -> &str {
    text.splitn(3, '\n').last().unwrap_or_default()
}

/// Two texts that are to be equal, of which a failure shows no more than where they begin to differ.
#[track_caller]
fn equal(what: &str, found: &str, expected: &str) {
    if found != expected {
        let first = found.bytes().zip(expected.bytes()).take_while(|(found, expected)| found == expected).count();
        let around = |text: &str| text.chars().skip(first.saturating_sub(200)).take(400).collect::<String>();
        panic!("{what} differs\nfound:\n..{}..\n\nexpected:\n..{}..", around(found), around(expected));
    }
}

/// How many of the snapshots have a text in them: what they are to be shown to hold.
pub(crate) fn having(texts: &[String], what: &str) -> usize {
    texts.iter().filter(|text| text.contains(what)).count()
}
