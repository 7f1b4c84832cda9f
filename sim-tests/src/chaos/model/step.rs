//! One instant of the model, step by step (R3, R4). Invariant: all mailboxes of a step are closed before any of them is drained.

use std::collections::{BTreeMap, BTreeSet};

use stillpoint_engine::{Message, Path, Rank, digest_of};

use super::{Class, Delivery, Key, What, When, World};
use crate::chaos::account::{Ending, Record};
use crate::chaos::messages::Item;

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
        let steps = self.program.max_steps.unwrap_or(1_000_000);
        let mut ends = BTreeSet::new();
        for ((rank, path), mailbox) in mailboxes {
            for (key, _) in &mailbox.deliveries {
                ends.extend([(*rank, path), (key.rank, &key.sender)]);
            }
        }
        if self.now.step >= steps && !ends.is_empty() {
            return Some(Ending::Livelock(self.site(), ends.iter().take(8).map(|(_, path)| path.to_string()).collect()));
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
}

enum Fate {
    Delivered,
    Dead,
    Vanishes,
}
