//! What happens at one delivery of the model, by what it brings. Invariant: an interval is armed again before anything else is drawn.

use std::ops::ControlFlow;

use stillpoint_engine::{Duration, Instant, Path, digest_of};

use super::calls::Acting;
use super::{Answer, AskId, Being, Cause, Class, Delivery, Key, ModelMind, Repeat, What, World, facet_of};
use crate::chaos::messages::{NOTE, Said, Seen, Worked};
use crate::chaos::program::{Body, ROOTS};

impl World<'_> {
    /// What a receiver does with a delivery that was recorded as its `count`-th.
    pub(super) fn handle(&mut self, key: &Key, delivery: Delivery, count: u64) -> ControlFlow<()> {
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
    pub(super) fn next_instant_of(&self, asker: &Path) -> Option<Instant> {
        let own = self.queue.keys().filter(|key| key.receiver == *asker && matches!(key.class, Class::Stream | Class::Timer | Class::Wake));
        let subscribed = self.flows.iter().filter(|flow| flow.subscribers.contains(asker));
        let next =
            own.map(|key| key.when.at).chain(subscribed.filter_map(|flow| flow.next_event(asker, self.now.at, self.now.round))).min();
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
}

/// The index of the root above an actor.
pub(super) fn root_of(path: &Path) -> usize {
    let text = path.to_string();
    ROOTS.iter().position(|name| text.split('/').next() == Some(*name)).expect("an actor stands under a root")
}
