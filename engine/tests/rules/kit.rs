//! What the tests of the rules share: an actor whose behaviour is a closure, and traces as tables to compare with. A line of a table reads
//! `instant.round.step receiver#count <- sender#count kind value`; a dead letter has `dead` in place of a count.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stillpoint_engine::trace::{Collect, Record};
use stillpoint_engine::{
    Actor, Addr, Answer, AskError, AskId, Context, Duration, Every, Handler, Instant, JobDone, JobId, Message, NextInstant, Outcome, Rank,
    Report, Request, Responder, Responds, RunError, Simulation, Site, Stream, StreamRef, TaskContext, Timed,
};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident: $kind:literal),*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub(crate) struct $name(pub(crate) u64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Message for $name {
            const KIND: &'static str = $kind;
        })*
    };
}

messages! {
    /// What is mostly said.
    Note: "note",
    /// A second type, for subscriptions that differ by it.
    Word: "word",
    /// A question.
    Question: "question",
    /// Its answer.
    Reply: "reply",
    /// What a job gives.
    Sum: "sum"
}

impl Request for Question {
    type Reply = Reply;
}

/// Everything that can reach a [`Probe`].
pub(crate) enum In {
    Start,
    Note(u64),
    Word(u64),
    Asked(u64, Responder<Reply>),
    Answer(AskId, Result<u64, AskError>),
    Done(JobId, Result<u64, String>),
    Next(Option<Instant>),
}

pub(crate) type Cx<'a> = Context<'a, Probe>;
pub(crate) type Task = TaskContext<Probe>;

type React = Box<dyn FnMut(In, &mut Cx<'_>) + Send>;

/// An actor whose behaviour is a closure.
pub(crate) struct Probe {
    react: React,
    /// Told of the report that is asked for, with this name.
    reports_to: Option<(Log, &'static str)>,
}

pub(crate) fn probe(react: impl FnMut(In, &mut Cx<'_>) + Send + 'static) -> Probe {
    Probe { react: Box::new(react), reports_to: None }
}

/// One that does nothing.
pub(crate) fn silent() -> Probe {
    probe(|_, _| {})
}

/// One that acts at its start alone.
pub(crate) fn starter(start: impl FnOnce(&mut Cx<'_>) + Send + 'static) -> Probe {
    let mut start = Some(start);
    probe(move |what, ctx| {
        if let (In::Start, Some(start)) = (what, start.take()) {
            start(ctx);
        }
    })
}

impl Probe {
    /// Logs `name` when it is asked for its report.
    pub(crate) fn reporting(mut self, log: &Log, name: &'static str) -> Self {
        self.reports_to = Some((log.clone(), name));
        self
    }
}

impl Actor for Probe {
    fn started(&mut self, ctx: &mut Cx<'_>) {
        (self.react)(In::Start, ctx);
    }

    fn report(&self, _: &mut Report) {
        if let Some((log, name)) = &self.reports_to {
            log.add(*name);
        }
    }
}

impl Handler<Note> for Probe {
    fn handle(&mut self, note: &Note, ctx: &mut Cx<'_>) {
        (self.react)(In::Note(note.0), ctx);
    }
}

impl Handler<Word> for Probe {
    fn handle(&mut self, word: &Word, ctx: &mut Cx<'_>) {
        (self.react)(In::Word(word.0), ctx);
    }
}

impl Responds<Question> for Probe {
    fn respond(&mut self, question: &Question, responder: Responder<Reply>, ctx: &mut Cx<'_>) {
        (self.react)(In::Asked(question.0, responder), ctx);
    }
}

impl Handler<Answer<Question>> for Probe {
    fn handle(&mut self, answer: &Answer<Question>, ctx: &mut Cx<'_>) {
        (self.react)(In::Answer(answer.id, answer.result.map(|reply| reply.0)), ctx);
    }
}

impl Handler<Answer<NextInstant>> for Probe {
    fn handle(&mut self, answer: &Answer<NextInstant>, ctx: &mut Cx<'_>) {
        (self.react)(In::Next(answer.result.expect("the time-keeper answers").0), ctx);
    }
}

impl Handler<JobDone<Sum>> for Probe {
    fn handle(&mut self, done: &JobDone<Sum>, ctx: &mut Cx<'_>) {
        let result = done.result.as_ref().map(|sum| sum.0).map_err(|panic| panic.0.clone());
        (self.react)(In::Done(done.id, result), ctx);
    }
}

/// Lines that actors write while they run.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().push(line.into());
    }

    /// All lines so far, in one text.
    pub(crate) fn text(&self) -> String {
        self.0.lock().join("\n")
    }

    #[track_caller]
    pub(crate) fn check(&self, expected: &str) {
        same(&self.text(), expected);
    }
}

/// A place that two actors, or a test and an actor, share.
pub(crate) type Cell<T> = Arc<Mutex<Option<T>>>;

pub(crate) fn cell<T>() -> Cell<T> {
    Arc::new(Mutex::new(None))
}

pub(crate) const fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

pub(crate) const fn ns(nanos: i64) -> Duration {
    Duration::nanos(nanos)
}

pub(crate) const fn every(first: i64, period: i64) -> Every {
    Every::from(at(first), ns(period))
}

pub(crate) const fn site(at: i64, round: u32, step: u32) -> Site {
    Site { at: Instant::from_nanos(at), round, step }
}

/// Items of a stream: event time and value.
pub(crate) fn items(items: &[(i64, u64)]) -> Stream<Note> {
    Stream::from_vec(items.iter().map(|(time, value)| Timed { at: at(*time), value: Note(*value) }).collect())
}

/// A simulation that starts at 0.
pub(crate) fn world() -> Simulation {
    Simulation::new("rules").start(Instant::EPOCH)
}

/// Short ways to build.
pub(crate) trait Build {
    fn put(&mut self, name: &str, probe: Probe) -> Addr<Probe>;
    fn put_ranked(&mut self, name: &str, rank: i32, probe: Probe) -> Addr<Probe>;
    fn promise(&mut self, name: &str) -> Addr<Probe>;
    fn feed(&mut self, name: &str, stream: Stream<Note>, to: &[Addr<Probe>]) -> StreamRef<Note>;
}

impl Build for Simulation {
    fn put(&mut self, name: &str, probe: Probe) -> Addr<Probe> {
        self.actor(name, probe).expect("a free name")
    }

    fn put_ranked(&mut self, name: &str, rank: i32, probe: Probe) -> Addr<Probe> {
        self.actor_ranked(name, Rank(rank), probe).expect("a free name")
    }

    fn promise(&mut self, name: &str) -> Addr<Probe> {
        self.reserve(name, Rank(0)).expect("a free name")
    }

    fn feed(&mut self, name: &str, stream: Stream<Note>, to: &[Addr<Probe>]) -> StreamRef<Note> {
        let stream = self.stream(name, stream).expect("a free name");
        for subscriber in to {
            self.subscribe::<Note, _>(*subscriber, stream);
        }
        stream
    }
}

/// A moment; near the ends of time, how far from them.
pub(crate) fn moment(at: Instant) -> String {
    let nanos = at.as_nanos();
    match (nanos.checked_sub(i64::MIN), i64::MAX.checked_sub(nanos)) {
        (Some(0), _) => "MIN".to_owned(),
        (Some(above @ 1..1000), _) => format!("MIN+{above}"),
        (_, Some(0)) => "MAX".to_owned(),
        (_, Some(below @ 1..1000)) => format!("MAX-{below}"),
        _ => nanos.to_string(),
    }
}

fn line(record: &Record) -> String {
    let Record { at, round, step, receiver, sender, sender_count, kind, .. } = record;
    let count = record.count.map_or(" dead".to_owned(), |count| format!("#{count}"));
    let text = record.text.as_ref().map_or(String::new(), |text| format!(" {text}"));
    format!("{}.{round}.{step} {receiver}{count} <- {sender}#{sender_count} {kind}{text}", moment(*at))
}

/// Runs to the end; gives the trace and what the run came to.
pub(crate) fn traced(sim: Simulation) -> (Vec<Record>, Result<Outcome, (RunError, Outcome)>) {
    let trace = Collect::new("run");
    let result = sim.observe(Box::new(trace.clone())).run().map_err(|failed| (failed.error, failed.outcome));
    (trace.records(), result)
}

pub(crate) fn table(records: &[Record]) -> String {
    records.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Compares two texts line by line, indentation and empty lines aside.
#[track_caller]
pub(crate) fn same(found: &str, expected: &str) {
    let lines = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (lines(found), lines(expected));
    if found != expected {
        let first = found.iter().zip(&expected).take_while(|(found, expected)| found == expected).count();
        panic!("differs at line {}\nfound:\n{}\n\nexpected:\n{}", first + 1, found.join("\n"), expected.join("\n"));
    }
}

/// Runs, which must succeed, and compares the trace.
#[track_caller]
pub(crate) fn check(sim: Simulation, expected: &str) -> Outcome {
    let (records, result) = traced(sim);
    same(&table(&records), expected);
    match result {
        Ok(outcome) => outcome,
        Err((error, _)) => panic!("the run failed: {error}"),
    }
}

/// Runs, which must fail, and compares the trace.
#[track_caller]
pub(crate) fn check_failing(sim: Simulation, expected: &str) -> (RunError, Outcome) {
    let (records, result) = traced(sim);
    same(&table(&records), expected);
    match result {
        Ok(outcome) => panic!("the run did not fail: {:?}", outcome.end),
        Err(failed) => failed,
    }
}

/// Runs, which must succeed.
#[track_caller]
pub(crate) fn run(sim: Simulation) -> Outcome {
    sim.run().unwrap_or_else(|failed| panic!("the run failed: {failed}"))
}

/// A table without the starts of the roots, which are the same everywhere.
#[track_caller]
pub(crate) fn check_after_start(sim: Simulation, expected: &str) -> Outcome {
    let (records, result) = traced(sim);
    same(&table(&after_start(records)), expected);
    match result {
        Ok(outcome) => outcome,
        Err((error, _)) => panic!("the run failed: {error}"),
    }
}

/// The same for a run that must fail.
#[track_caller]
pub(crate) fn check_failing_after_start(sim: Simulation, expected: &str) -> (RunError, Outcome) {
    let (records, result) = traced(sim);
    same(&table(&after_start(records)), expected);
    match result {
        Ok(outcome) => panic!("the run did not fail: {:?}", outcome.end),
        Err(failed) => failed,
    }
}

fn after_start(records: Vec<Record>) -> Vec<Record> {
    records.into_iter().filter(|record| record.sender.to_string() != "time-keeper").collect()
}
