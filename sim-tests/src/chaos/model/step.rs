//! One instant of the model, step by step: closing the mailboxes, draining them, polling tasks, and what takes effect at the end (R3, R4, R7).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use stillpoint_engine::{Duration, Instant, Message, Path, Rank, digest_of};

use super::calls::Acting;
use super::{Answer, AskId, Being, Birth, Cause, Class, Delivery, Key, ModelMind, Repeat, What, When, World, facet_of, unit};
use crate::chaos::account::{Ending, Record};
use crate::chaos::messages::{Item, NOTE, Said, Seen, Worked};
use crate::chaos::program::{Body, ROOTS};

/// The late errors and late counts of one instant.
#[derive(Default)]
struct Lateness {
    counts: Vec<(usize, u64)>,
    errors: Vec<(u32, Path, Rank, u64)>,
}

/// A closed mailbox: what will be recorded, and what is dead already.
#[derive(Default)]
struct Mailbox {
    deliveries: Vec<(Key, Delivery)>,
    dead: Vec<(Key, Delivery)>,
}

impl World<'_> {
    /// Runs one instant. Gives how the run ended, if it did.
    pub(super) fn instant(&mut self, at: i64) -> Option<Ending> {
        let mut lateness = self.streams_at(at);
        loop {
            let queued = self.queue.first_key_value().map(|(key, _)| key.when).filter(|when| when.at == at);
            let failing = lateness.errors.iter().map(|(round, ..)| When { at, round: *round, step: 0 }).min();
            let Some(when) = [queued, failing].into_iter().flatten().min() else {
                self.count_late(&mut lateness);
                return None;
            };
            if when > (When { at, round: 0, step: 0 }) {
                self.count_late(&mut lateness);
            }
            self.now = when;
            if let Some(ending) = self.step(&mut lateness) {
                return Some(ending);
            }
        }
    }

    fn count_late(&mut self, lateness: &mut Lateness) {
        for (stream, count) in lateness.counts.drain(..) {
            self.flows[stream].late += count;
        }
    }

    /// Queues what the streams deliver at `at`, to those who subscribe at its opening.
    fn streams_at(&mut self, at: i64) -> Lateness {
        let mut lateness = Lateness::default();
        for index in 0..self.flows.len() {
            let burst = self.flows[index].take(at);
            let path = self.flows[index].path.clone();
            let rank = self.rank(&path);
            if burst.late > 0 {
                lateness.counts.push((index, burst.late));
            }
            if let Some((round, item)) = burst.error {
                lateness.errors.push((round, path.clone(), rank, item.index));
            }
            for (round, item) in burst.items {
                if round > 0 {
                    self.happened("later round");
                }
                for receiver in self.flows[index].subscribers.clone() {
                    let when = When { at, round, step: 0 };
                    let key = Key { when, class: Class::Stream, rank, sender: path.clone(), seq: item.index, receiver };
                    let what = What::Item { body: item.body, event_time: item.event_time, lag: item.lag };
                    let digest = digest_of(&item.body);
                    self.queue.insert(key, Delivery { sender_count: item.index, kind: Item::KIND, digest, what });
                }
            }
        }
        lateness
    }

    /// Runs the step at [`World::now`].
    fn step(&mut self, lateness: &mut Lateness) -> Option<Ending> {
        let mailboxes = self.close();
        if let Some(ending) = self.over_limits(&mailboxes) {
            return Some(ending);
        }
        self.count_late(lateness);
        self.count_items(&mailboxes);
        for ((_, path), mailbox) in mailboxes {
            self.drain(&path, mailbox);
        }
        self.effects();
        let site = self.site();
        let round = self.now.round;
        let mut late: Vec<_> = lateness.errors.iter().filter(|error| error.0 == round && self.now.step == 0).collect();
        late.sort_by(|a, b| (a.2, &a.1).cmp(&(b.2, &b.1)));
        if let Some((_, stream, _, index)) = late.first() {
            return Some(Ending::Late(site, stream.to_string(), *index));
        }
        if !self.faults.is_empty() {
            return Some(self.faults.remove(0));
        }
        self.stopped.then_some(Ending::Stopped)
    }

    /// Counts the items of streams that this step brings to anybody, each once.
    fn count_items(&mut self, mailboxes: &BTreeMap<(Rank, Path), Mailbox>) {
        let deliveries = mailboxes.values().flat_map(|mailbox| &mailbox.deliveries);
        let items = deliveries.filter(|(key, _)| key.class == Class::Stream).map(|(key, _)| (&key.sender, key.seq));
        self.events += items.collect::<BTreeSet<_>>().len() as u64;
    }

    pub(super) fn site(&self) -> (i64, u32, u32) {
        (self.now.at, self.now.round, self.now.step)
    }

    /// Takes all deliveries of this step out of the queue and sorts them by receiver; within a mailbox they are in key order.
    fn close(&mut self) -> BTreeMap<(Rank, Path), Mailbox> {
        let mut mailboxes: BTreeMap<(Rank, Path), Mailbox> = BTreeMap::new();
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().when == self.now) {
            let (key, delivery) = entry.remove_entry();
            let mailbox = mailboxes.entry((self.rank(&key.receiver), key.receiver.clone())).or_default();
            match self.fate(&key, &delivery) {
                Fate::Delivered => mailbox.deliveries.push((key, delivery)),
                Fate::Dead => mailbox.dead.push((key, delivery)),
                Fate::Vanishes => {}
            }
        }
        for (key, delivery) in mailboxes.values().flat_map(|mailbox| &mailbox.deliveries) {
            if let What::Request { ask } = delivery.what
                && self.is_facet_request(key, delivery)
            {
                let next = self.next_instant_of(&self.asks[&ask].asker.path);
                self.noted.insert(ask, next);
            }
        }
        mailboxes
    }

    fn fate(&self, key: &Key, delivery: &Delivery) -> Fate {
        if matches!(delivery.what, What::Control(_) | What::StopRun) || self.is_facet_request(key, delivery) {
            return Fate::Delivered;
        }
        let living = self.people.contains_key(&key.receiver);
        match &delivery.what {
            What::Publication { flash, .. } => {
                let call = (key.receiver.clone(), key.sender.clone(), *flash);
                if living && self.last_call.get(&call) == Some(&true) { Fate::Delivered } else { Fate::Vanishes }
            }
            What::Reply { ask, .. } if living => {
                if self.asks[ask].open {
                    Fate::Delivered
                } else {
                    Fate::Dead
                }
            }
            _ if living => Fate::Delivered,
            _ if key.class == Class::Message => Fate::Dead,
            _ => Fate::Vanishes,
        }
    }

    fn is_facet_request(&self, key: &Key, delivery: &Delivery) -> bool {
        matches!(delivery.what, What::Request { ask } if self.asks[&ask].body.is_none() && self.asks[&ask].target.path == key.receiver)
    }

    fn over_limits(&self, mailboxes: &BTreeMap<(Rank, Path), Mailbox>) -> Option<Ending> {
        let limit = self.program.max_mailbox.unwrap_or(usize::MAX);
        for ((_, path), mailbox) in mailboxes {
            if mailbox.deliveries.len() > limit && self.people.contains_key(path) {
                return Some(Ending::Mailbox(self.site(), path.to_string(), mailbox.deliveries.len()));
            }
        }
        let full: Vec<_> = mailboxes.iter().filter(|(_, mailbox)| !mailbox.deliveries.is_empty()).collect();
        let steps = self.program.max_steps.unwrap_or(1_000_000);
        if self.now.step >= steps && !full.is_empty() {
            let names = full.iter().take(8).map(|((_, path), _)| path.to_string()).collect();
            return Some(Ending::Livelock(self.site(), names));
        }
        None
    }

    fn record(&mut self, key: &Key, delivery: &Delivery, count: Option<u64>) {
        self.records.push(Record {
            site: self.site(),
            receiver: key.receiver.to_string(),
            count,
            sender: key.sender.to_string(),
            sender_count: delivery.sender_count,
            kind: delivery.kind.to_owned(),
            digest: delivery.digest,
        });
    }

    /// Records a delivery and gives the receiver's count.
    fn deliver(&mut self, key: &Key, delivery: &Delivery) -> u64 {
        let count = self.counts.entry(key.receiver.clone()).or_insert(0);
        *count += 1;
        let count = *count;
        self.record(key, delivery, Some(count));
        count
    }

    fn drain(&mut self, path: &Path, mailbox: Mailbox) {
        let mut dead = mailbox.dead;
        let mut panicked = false;
        for (key, delivery) in mailbox.deliveries {
            if !self.still_due(&key, &delivery) {
                self.happened("a cancelled delivery in a mailbox");
            } else if panicked {
                self.happened("a dead letter after a panic");
                dead.push((key, delivery));
            } else {
                let count = self.deliver(&key, &delivery);
                let kind = delivery.kind;
                panicked = self.handle(&key, delivery, count).is_break();
                if panicked {
                    self.panicked(path, kind);
                }
            }
        }
        if !panicked {
            self.poll_all(path);
        }
        dead.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, delivery) in dead {
            self.happened(if self.ranks.contains_key(path) { "dead letter" } else { "dead letter to the unborn" });
            self.record(&key, &delivery, None);
            if let What::Request { ask } = delivery.what {
                let count = self.count(path);
                self.asks.get_mut(&ask).expect("an ask").count = count;
                self.lost.push(ask);
            }
        }
    }

    pub(super) fn panicked(&mut self, path: &Path, kind: &'static str) {
        if self.program.poison {
            self.stopping.insert(path.clone());
        } else {
            self.faults.push(Ending::Panic(self.site(), path.to_string(), kind.to_owned()));
        }
    }

    /// Whether what can be cancelled was not.
    fn still_due(&self, key: &Key, delivery: &Delivery) -> bool {
        match delivery.what {
            What::Timer { token, .. } | What::Timeout { token, .. } | What::Wake { token, .. } | What::Job { token, .. } => {
                self.people[&key.receiver].pending.get(&token) == Some(key)
            }
            _ => true,
        }
    }

    /// What a receiver does with a delivery that was recorded as its `count`-th.
    fn handle(&mut self, key: &Key, delivery: Delivery, count: u64) -> ControlFlow<()> {
        let me = &key.receiver;
        let cause = Cause { count, kind: delivery.kind };
        let now = Instant::from_nanos(self.now.at);
        match delivery.what {
            What::Control(what) => {
                let stream = self.flows.iter_mut().find(|flow| flow.path == *me).expect("a stream");
                stream.control(what);
            }
            What::StopRun => self.stopped = true,
            What::Request { ask } if self.asks[&ask].body.is_none() => self.answer_as_time_keeper(ask, count),
            What::Start => {
                return self.act(me, cause, |acting, mind| mind.start(acting.world.program, now, acting));
            }
            What::Stop => {
                self.stopping.insert(me.clone());
            }
            What::Subscribe { flash } => {
                let root = root_of(&key.sender);
                self.new_subscriptions.push((me.clone(), flash, Being { path: key.sender.clone(), root }));
            }
            What::Item { body, event_time, lag } => {
                self.happened(if lag.is_some() { "flagged item" } else { "item" });
                let seen = Seen::item(body, now, Instant::from_nanos(event_time), lag.map(Duration::nanos));
                return self.act_on(me, cause, seen);
            }
            What::Note { body, about, due } => {
                return self.act(me, cause, |acting, mind| {
                    if let Some((peer, root)) = about {
                        mind.meet(acting.world.program, peer, root);
                    }
                    mind.react(acting.world.program, Seen::note(body, Instant::from_nanos(due)), acting)
                });
            }
            What::Publication { flash, body } => {
                self.happened("publication");
                return self.act_on(me, cause, if flash { Seen::flash(body, now) } else { Seen::note(body, now) });
            }
            What::Timer { token, body, due, repeat } => {
                self.forget(me, token);
                self.rearm(me, token, due, body, repeat, count);
                return self.act_on(me, cause, Seen::note(body, Instant::from_nanos(due)));
            }
            What::Wake { token, value } => {
                self.forget(me, token);
                self.wake(me, token, value, cause);
            }
            What::Job { token, result } => {
                self.forget(me, token);
                let is_awaited = self.people[me].tasks.values().any(|task| task.waits_for(token));
                if is_awaited {
                    self.wake(me, token, Seen::job(result, now).value(), cause);
                } else {
                    return self.job_done(me, token, result, cause);
                }
            }
            What::Request { ask } => return self.respond(me, ask, cause),
            What::Timeout { token, ask, due } => {
                self.forget(me, token);
                self.happened("timeout");
                self.asks.get_mut(&ask).expect("an ask").open = false;
                return self.answered(me, ask, None, due, cause);
            }
            What::Reply { ask, answer } => {
                if !self.asks[&ask].open {
                    self.happened("a reply to an ask that was closed in its step");
                    return ControlFlow::Continue(());
                }
                self.close_ask(ask);
                if matches!(answer, Answer::Gone) {
                    self.happened("gone");
                }
                return self.answered(me, ask, Some(answer), self.now.at, cause);
            }
        }
        ControlFlow::Continue(())
    }

    fn forget(&mut self, me: &Path, token: u64) {
        self.people.get_mut(me).expect("a living actor").pending.remove(&token);
    }

    /// An interval is armed again before its handler runs, as the first emission of this delivery (R2).
    fn rearm(&mut self, me: &Path, token: u64, due: i64, body: Body, repeat: Option<Repeat>, count: u64) {
        let Some(Repeat { period, end }) = repeat else { return };
        let next = i128::from(due) + i128::from(period);
        if end.is_none_or(|end| next <= i128::from(end)) {
            self.happened("tick of an interval");
            self.arm(me, token, next, body, repeat, count);
        }
    }

    /// Arms an own timer for the instant `due`.
    pub(super) fn arm(&mut self, me: &Path, token: u64, due: i128, body: Body, repeat: Option<Repeat>, count: u64) {
        let seq = self.draw_seq(me);
        let asked = due.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let what = What::Timer { token, body, due: asked, repeat };
        let delivery = Delivery { sender_count: count, kind: NOTE, digest: digest_of(&body), what };
        let key = self.emit(Class::Timer, me, seq, me, due - i128::from(self.now.at), delivery);
        if let Some(key) = key {
            self.people.get_mut(me).expect("a living actor").pending.insert(token, key);
        }
    }

    /// Lets an actor act on something it sees.
    fn act_on(&mut self, me: &Path, cause: Cause, seen: Seen) -> ControlFlow<()> {
        self.act(me, cause, |acting, mind| mind.react(acting.world.program, seen, acting))
    }

    /// Takes an actor's mind out, lets it act, and puts it back. Notes its memory if it did not panic.
    pub(super) fn act(
        &mut self,
        me: &Path,
        cause: Cause,
        f: impl FnOnce(&mut Acting<'_, '_>, &mut ModelMind) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (root, mut mind) = {
            let person = self.people.get_mut(me).expect("a living actor acts");
            (person.root, person.mind.take().expect("one delivery at a time"))
        };
        let mut acting = Acting { me: Being { path: me.clone(), root }, cause, world: self };
        let flow = f(&mut acting, &mut mind);
        if flow.is_continue() {
            self.memories.insert(me.to_string(), mind.memory);
        }
        self.people.get_mut(me).expect("it is still there").mind = Some(mind);
        flow
    }

    fn job_done(&mut self, me: &Path, token: u64, result: Worked, cause: Cause) -> ControlFlow<()> {
        self.happened(if result.is_ok() { "job done" } else { "job panicked" });
        let now = Instant::from_nanos(self.now.at);
        self.act(me, cause, |acting, mind| {
            let place = mind.jobs.iter().position(|job| *job == token);
            mind.note(place);
            mind.react(acting.world.program, Seen::job(result, now), acting)
        })
    }

    /// Handles a question: the actor reacts, then answers, keeps or drops it.
    fn respond(&mut self, me: &Path, ask: AskId, cause: Cause) -> ControlFlow<()> {
        let now = self.now.at;
        let body = self.asks[&ask].body.expect("a question between actors");
        self.asks.get_mut(&ask).expect("an ask").count = cause.count;
        self.unanswered.insert(ask);
        self.act(me, cause, |acting, mind| {
            let answering = mind.answering(acting.world.program);
            mind.react(acting.world.program, Seen::question(body, Instant::from_nanos(now)), acting)?;
            mind.deal_with(ask, body, answering, acting);
            ControlFlow::Continue(())
        })
    }

    /// Delivers the answer of an ask, or its timeout, to the handler or the task that asked.
    fn answered(&mut self, me: &Path, ask: AskId, answer: Option<Answer>, due: i64, cause: Cause) -> ControlFlow<()> {
        let said = match answer {
            None => Said::Timeout,
            Some(Answer::Gone) => Said::Gone,
            Some(Answer::Body(body)) => Said::Body(body),
            Some(Answer::Next(next)) => Said::Next(next),
        };
        let due = Instant::from_nanos(due);
        if let Some(token) = self.asks[&ask].wait {
            self.wake(me, token, Seen::answer(said, due).value(), cause);
            return ControlFlow::Continue(());
        }
        let is_next = self.asks[&ask].body.is_none();
        self.act(me, cause, |acting, mind| {
            let place = if is_next { None } else { mind.asks.iter().position(|id| *id == ask) };
            mind.note(place);
            mind.react(acting.world.program, Seen::answer(said, due), acting)
        })
    }

    /// Closes an ask and cancels its timeout.
    pub(super) fn close_ask(&mut self, ask: AskId) {
        let (asker, timeout) = {
            let ask = self.asks.get_mut(&ask).expect("an ask");
            ask.open = false;
            (ask.asker.path.clone(), ask.timeout.take())
        };
        if let Some(token) = timeout {
            self.cancel(&asker, token);
        }
    }

    /// The least instant at which something is due that an actor waits for, after the step that is being closed (R20).
    fn next_instant_of(&self, asker: &Path) -> Option<Instant> {
        let own = self.queue.keys().filter(|key| key.receiver == *asker && matches!(key.class, Class::Stream | Class::Timer | Class::Wake));
        let subscribed = self.flows.iter().filter(|flow| flow.subscribers.contains(asker));
        let next = own.map(|key| key.when.at).chain(subscribed.filter_map(|flow| flow.next_event(self.now.at))).min();
        next.map(Instant::from_nanos)
    }

    fn answer_as_time_keeper(&mut self, ask: AskId, count: u64) {
        let asker = self.asks[&ask].asker.clone();
        let next = self.noted.remove(&ask).expect("noted when the step was closed");
        let facet = facet_of(&asker);
        let seq = self.draw_seq(&facet.path);
        let answer = Answer::Next(next);
        self.send_reply(&facet, ask, seq, count, "next-instant-is", digest_of(&next), answer);
    }

    /// Sends an answer back to the asker.
    #[allow(clippy::too_many_arguments, reason = "these are the parts of a delivery")]
    pub(super) fn send_reply(
        &mut self,
        from: &Being,
        ask: AskId,
        seq: u64,
        sender_count: u64,
        kind: &'static str,
        digest: u64,
        answer: Answer,
    ) {
        let asker = self.asks[&ask].asker.clone();
        let latency = self.program.latency(from.root, asker.root).expect("checked at the ask");
        let delivery = Delivery { sender_count, kind, digest, what: What::Reply { ask, answer } };
        self.emit(Class::Message, &from.path, seq, &asker.path, i128::from(latency), delivery);
    }

    /// The end of a step: spawns, then subscriptions, then stops, then the questions that were lost (R7, R17).
    fn effects(&mut self) {
        for birth in std::mem::take(&mut self.births) {
            let Birth { parent, being, rank, role, generation, count } = birth;
            if self.stopping.iter().any(|path| is_within(&parent, path)) {
                self.happened("never born");
                continue;
            }
            self.bear(&being, rank, role, generation);
            let when = When { step: self.now.step + 1, ..self.now };
            let parent_rank = self.rank(&parent);
            self.put_start(when, parent, count, parent_rank, being.path);
        }
        for (publisher, flash, subscriber) in std::mem::take(&mut self.ended_subscriptions) {
            if let Some(list) = self.subscribers.get_mut(&(publisher, flash)) {
                list.remove(&subscriber);
            }
        }
        for (publisher, flash, subscriber) in std::mem::take(&mut self.new_subscriptions) {
            if self.last_call.get(&(subscriber.path.clone(), publisher.clone(), flash)) == Some(&true) {
                self.subscribers.entry((publisher, flash)).or_default().insert(subscriber.path, subscriber.root);
            }
        }
        for path in std::mem::take(&mut self.stopping) {
            self.end_tree(&path);
        }
        let mut lost = std::mem::take(&mut self.lost);
        lost.sort_by(|a, b| {
            let order = |ask: &AskId| {
                let ask = &self.asks[ask];
                ((self.rank(&ask.target.path), ask.target.path.clone()), ask.order.clone())
            };
            order(a).cmp(&order(b))
        });
        for ask in lost {
            let (target, count) = (self.asks[&ask].target.clone(), self.asks[&ask].count);
            let seq = self.draw_seq(&target.path);
            self.send_reply(&target, ask, seq, count, "gone", unit(), Answer::Gone);
        }
    }

    /// Ends an actor and all under it. Its questions from others are lost; what it waits for vanishes.
    fn end_tree(&mut self, path: &Path) {
        let tree: Vec<Path> = self.people.keys().filter(|other| is_within(other, path)).cloned().collect();
        for path in tree {
            self.people.remove(&path);
            self.queue.retain(|key, _| key.receiver != path || !matches!(key.class, Class::Start | Class::Timer | Class::Wake));
            let held: Vec<AskId> = self.unanswered.iter().filter(|ask| self.asks[ask].target.path == path).copied().collect();
            for ask in held {
                self.happened("a question lost in a stop");
                self.unanswered.remove(&ask);
                self.lost.push(ask);
            }
            self.happened("an actor ends");
        }
    }
}

/// Whether an actor is `top` or stands under it.
fn is_within(path: &Path, top: &Path) -> bool {
    path == top || path.to_string().starts_with(&format!("{top}/"))
}

/// The index of the root above an actor.
fn root_of(path: &Path) -> usize {
    let text = path.to_string();
    ROOTS.iter().position(|name| text.split('/').next() == Some(*name)).expect("an actor stands under a root")
}

enum Fate {
    Delivered,
    Dead,
    Vanishes,
}

