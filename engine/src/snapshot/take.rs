//! Taking a snapshot of a shard at a still point. Invariant: the shard is as it was afterwards, whether or not a snapshot came of it; each table
//! of the kernel is written by one function.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ron::value::RawValue;

use super::cast::{Cast, NoTable, is_facet};
use super::error::{Pending as Of, SnapshotError};
use super::image::{Ask, Cargo, Image, LinkPath, Pending, Role, Slot, Totals};
use super::saving::{Payload, Table, Text};
use super::scope::{Taking, while_taking};
use crate::ask::OpenAsk;
use crate::kernel::core::{Core, Life};
use crate::kernel::entry::{ActorId, Class, Entry, What};
use crate::kernel::pending::Interval;
use crate::kernel::shard::Shard;
use crate::kernel::stream::{Cover, Position};
use crate::path::Path;
use crate::sort;
use crate::time::Instant;
use crate::trace::TraceHash;

/// Takes what a shard owns, which is at a still point. What is on its way to an actor belongs to the actor's owner.
pub(crate) fn take(shard: &mut Shard, name: &str, owns: &dyn Fn(ActorId) -> bool) -> Result<Image, SnapshotError> {
    let cast = Cast::of(shard);
    let core = &mut shard.core;
    refuse_tasks(core, &cast, owns)?;
    refuse_owed_answers(core, &cast, owns)?;
    let armed = core.pending.armed().map(|(key, entry, ..)| ((key.index, key.generation), entry.seq)).collect();
    let taking = Rc::new(Taking { cast, armed, inboxes: std::mem::take(&mut core.tasks.inboxes) });
    let taker = Taker { shard, cast: &taking.cast, owns };
    let image = while_taking(&taking, || taker.image(name));
    let Ok(Taking { inboxes, .. }) = Rc::try_unwrap(taking).map_err(|_| "a scope that has ended") else {
        unreachable!("the scope has ended")
    };
    shard.core.tasks.inboxes = inboxes;
    image
}

fn refuse_tasks(core: &Core, cast: &Cast, owns: &dyn Fn(ActorId) -> bool) -> Result<(), SnapshotError> {
    let mut ids = core.order.ids();
    match ids.find(|id| owns(*id) && !core.cold[id.index()].tasks.is_empty()) {
        Some(id) => Err(SnapshotError::LiveTask { actor: cast.member(id).path.clone() }),
        None => Ok(()),
    }
}

/// A question that has no answer yet, and is not on its way any more, is with the one who was asked.
fn refuse_owed_answers(core: &Core, cast: &Cast, owns: &dyn Fn(ActorId) -> bool) -> Result<(), SnapshotError> {
    let travels = |entry: &Entry| (entry.what == What::Request).then_some(entry.extra);
    let mut travelling = BTreeSet::new();
    travelling.extend(core.pending.armed().filter_map(|(_, entry, ..)| travels(entry)));
    let mut owed = core.asks.duties().filter(|(slot, _, target, _)| owns(*target) && !travelling.contains(slot));
    match owed.next() {
        Some((_, asker, target, kind)) => Err(SnapshotError::OwedAnswer {
            actor: cast.member(target).path.clone(),
            kind: kind.to_owned(),
            asker: cast.member(asker).path.clone(),
        }),
        None => Ok(()),
    }
}

struct Taker<'a> {
    shard: &'a Shard,
    cast: &'a Cast,
    owns: &'a dyn Fn(ActorId) -> bool,
}

impl Taker<'_> {
    fn image(&self, name: &str) -> Result<Image, SnapshotError> {
        let core = &self.shard.core;
        Ok(Image {
            name: name.to_owned(),
            seed: core.seed,
            site: core.site(),
            totals: self.totals(),
            slots: self.slots()?,
            pending: self.pending()?,
            asks: self.asks()?,
            streams: self.streams(),
            links: self.links(),
            reports: self.shard.reports.iter().filter(|(id, _)| (self.owns)(*id)).map(|(id, report)| (id.0, report.clone())).collect(),
            covers: self.covers(),
        })
    }

    fn totals(&self) -> Totals {
        let core = &self.shard.core;
        let (dead, stopped) = (TraceHash(core.dead_sum), TraceHash(core.stopped_sum));
        let mut counters = core.counters;
        if !self.covers().is_empty() {
            // Others may have delivered the same items.
            counters.events = core.events_before;
        }
        Totals { counters, first: core.first, last: core.last, dead, stopped }
    }

    fn table(&self, id: ActorId) -> Result<&Table, SnapshotError> {
        self.cast.table(id).map(|table| &**table).map_err(|error| match error {
            NoTable::Unsavable(id) => {
                let member = self.cast.member(id);
                SnapshotError::Unsavable { actor: member.path.clone(), of: member.of.map_or("unknown", |(_, name)| name) }
            }
            NoTable::Undeclared(id, what) => self.undeclared(id, what),
        })
    }

    fn undeclared(&self, id: ActorId, what: Of) -> SnapshotError {
        SnapshotError::Undeclared { actor: self.cast.member(id).path.clone(), what }
    }

    /// A text that was written for an actor, or what was in the way.
    fn written(&self, id: ActorId, what: Of, text: Option<Text>) -> Result<Box<RawValue>, SnapshotError> {
        match text {
            None => Err(self.undeclared(id, what)),
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) => Err(SnapshotError::State { actor: self.cast.member(id).path.clone(), what, cause: error.to_string() }),
        }
    }

    fn slots(&self) -> Result<BTreeMap<u32, Slot>, SnapshotError> {
        let core = &self.shard.core;
        let mut slots = BTreeMap::new();
        let time_keeper = Path::time_keeper();
        for id in core.order.ids().filter(|id| (self.owns)(*id) && *core.path(*id) != time_keeper) {
            slots.insert(id.0, self.slot(id)?);
        }
        for stream in self.shard.streams.iter() {
            let (kind, of) = stream.message();
            for who in stream.subscribers().into_iter().filter(|who| (self.owns)(*who)) {
                if self.table(who)?.message_of(of).is_none() {
                    return Err(self.undeclared(who, Of::Message(kind.to_owned())));
                }
                slots.get_mut(&who.0).expect("an actor that is owned").streams.push(stream.id().0);
            }
        }
        Ok(slots)
    }

    fn slot(&self, id: ActorId) -> Result<Slot, SnapshotError> {
        let core = &self.shard.core;
        let (hot, cold) = (&core.hot[id.index()], &core.cold[id.index()]);
        let kind = |ty: u16| core.stores.any(ty).kind();
        let mut wishes = Vec::with_capacity(cold.wishes.len());
        for (publisher, ty, wanted) in &cold.wishes {
            self.takes(id, kind(*ty))?;
            wishes.push((publisher.0, kind(*ty).to_owned(), *wanted));
        }
        let mut lists: Vec<(String, Vec<u32>)> = Vec::new();
        for (ty, list) in cold.lists.iter().filter(|(_, list)| !list.is_empty()) {
            for sub in list.iter() {
                self.takes(sub.to, kind(*ty))?;
            }
            lists.push((kind(*ty).to_owned(), list.iter().map(|sub| sub.to.0).collect()));
        }
        lists.sort_unstable();
        Ok(Slot {
            path: self.cast.member(id).path.clone(),
            rank: cold.rank.0,
            role: self.role(id)?,
            chain: hot.chain,
            count: hot.count,
            seq: hot.seq,
            drawn: cold.rng.as_ref().map(|rng| rng.drawn()),
            tasks: cold.tasks_started,
            inboxes: cold.inboxes,
            picky: hot.picky,
            wishes,
            lists,
            streams: Vec::new(),
        })
    }

    /// An actor must declare what it subscribes to; one of another shard is held to that there.
    fn takes(&self, id: ActorId, kind: &str) -> Result<(), SnapshotError> {
        if self.cast.is_foreign(id) {
            return Ok(());
        }
        match self.table(id)?.message(kind) {
            Some(_) => Ok(()),
            None => Err(self.undeclared(id, Of::Message(kind.to_owned()))),
        }
    }

    fn role(&self, id: ActorId) -> Result<Role, SnapshotError> {
        let core = &self.shard.core;
        if core.cold[id.index()].stream.is_some() {
            return Ok(if is_facet(core, id) { Role::Facet } else { Role::Stream });
        }
        let of = self.cast.member(id).of.map(|(_, name)| name.to_owned());
        if core.hot[id.index()].life != Life::Living {
            return Ok(Role::Stopped(of));
        }
        let table = self.table(id)?;
        let cell = self.shard.cell(id).expect("a living actor has a cell");
        Ok(Role::Living(table.type_name.to_owned(), self.written(id, Of::State, Some((table.save)(cell)))?))
    }

    /// Where streams stand. Of one that several shards have opened, each has a copy that stands where the others do.
    fn streams(&self) -> BTreeMap<u32, Position> {
        let known = self.shard.streams.iter().filter(|stream| (self.owns)(stream.id()) || stream.is_open());
        known.map(|stream| (stream.id().0, stream.position())).collect()
    }

    fn covers(&self) -> Vec<(u32, Cover)> {
        let copies = self.shard.streams.iter();
        copies.filter_map(|stream| Some((stream.id().0, stream.tally(self.shard.core.path(stream.id()).clone()).cover?))).collect()
    }

    fn links(&self) -> Vec<LinkPath> {
        let travelled = self.shard.core.links.iter().flat_map(|links| links.travelled());
        let owned = travelled.filter(|((from, _), ..)| (self.owns)(*from));
        owned.map(|((from, to), drawn, last)| LinkPath { from: from.0, to: to.0, drawn, last }).collect()
    }

    /// The questions whose answer, or whose timeout, is still to come.
    fn asks(&self) -> Result<Vec<Ask>, SnapshotError> {
        let core = &self.shard.core;
        let times_out = |entry: &Entry| (entry.what == What::Timeout).then_some(entry.extra);
        let mut timed = BTreeSet::new();
        timed.extend(core.pending.armed().filter_map(|(_, entry, ..)| times_out(entry)));
        let mut asks = Vec::new();
        for (slot, ask) in core.asks.all().filter(|(_, ask)| (self.owns)(ask.asker)) {
            let OpenAsk { asker, target, id, kind, open, resolved, of_task } = ask;
            if of_task && open {
                return Err(SnapshotError::LiveTask { actor: self.cast.member(asker).path.clone() });
            }
            if !resolved || timed.contains(&slot) && core.is_living(asker) {
                asks.push(Ask { asker: asker.0, id: id.0, target: target.0, kind: kind.to_owned(), open, resolved });
            }
        }
        sort::by(&mut asks, Ord::cmp);
        Ok(asks)
    }

    /// What is due later, in the order of senders' numbers.
    fn pending(&self) -> Result<Vec<Pending>, SnapshotError> {
        let core = &self.shard.core;
        let mut asks = BTreeMap::new();
        asks.extend(core.asks.all());
        let mut pending = Vec::new();
        for (_, entry, due, interval) in core.pending.armed().filter(|(_, entry, ..)| (self.owns)(entry.to)) {
            if !core.is_living(entry.to) && entry.what.class() >= Class::Timer {
                // It ends without record.
                continue;
            }
            let ask = matches!(entry.what, What::Reply | What::Gone | What::Timeout).then(|| asks[&entry.extra]);
            let cargo = self.cargo(entry, due, interval, ask)?;
            pending.push(Pending { due, to: entry.to.0, from: entry.from.0, seq: entry.seq, cause: entry.cause, cargo });
        }
        sort::by_key(&mut pending, |pending| (pending.due, pending.from, pending.seq, pending.to));
        Ok(pending)
    }

    fn cargo(&self, entry: &Entry, due: Instant, interval: Option<Interval>, ask: Option<OpenAsk>) -> Result<Cargo, SnapshotError> {
        let core = &self.shard.core;
        let to = entry.to;
        let live_task = || SnapshotError::LiveTask { actor: self.cast.member(to).path.clone() };
        let kind = || core.stores.any(entry.ty).kind();
        let save = |payload: Option<Payload>| payload.and_then(|payload| (payload.save)(&core.stores, entry.ty, entry.payload));
        let message = || {
            let text = save(self.table(to)?.message(kind()).map(|known| known.payload));
            Ok((kind().to_owned(), self.written(to, Of::Message(kind().to_owned()), text)?))
        };
        Ok(match (entry.what, ask) {
            (What::Later, _) => message().map(|(kind, text)| Cargo::Message(kind, text))?,
            (What::LaterShare | What::Shared, _) if !core.is_living(to) => Cargo::Relic,
            (What::LaterShare | What::Shared, _) => message().map(|(kind, text)| Cargo::Share(kind, text))?,
            (What::Timer, _) => {
                let (kind, text) = message()?;
                match interval {
                    None => Cargo::Timer(kind, text),
                    Some(Interval { period, end }) => Cargo::Tick(kind, text, period, end),
                }
            }
            (What::Job, _) => {
                let job = core.jobs.look(entry.extra);
                if job.of_task {
                    return Err(live_task());
                }
                let text = self.table(to)?.job(job.kind).and_then(|known| (known.save)(job.ticket));
                Cargo::Job(job.kind.to_owned(), self.written(to, Of::Job(job.kind.to_owned()), text)?)
            }
            (What::Request, _) => {
                let text = save(self.table(to)?.answer(kind()).map(|known| known.request));
                Cargo::Request(kind().to_owned(), self.written(to, Of::Answer(kind().to_owned()), text)?)
            }
            (What::Reply, Some(ask)) => Cargo::Reply(ask.id.0, self.written(to, Of::Ask(ask.kind.to_owned()), save(self.reply(&ask)?))?),
            (What::Gone, Some(ask)) => Cargo::Gone(ask.id.0),
            (What::Timeout, Some(ask)) => Cargo::Timeout(ask.id.0),
            (What::Stop, _) => Cargo::Stop,
            (What::Subscribe, _) => {
                let call = &core.subscribe_calls[entry.extra as usize];
                self.takes(call.sub.to, call.kind)?;
                Cargo::Subscribe(call.kind.to_owned(), call.sub.to.0)
            }
            (What::Wake, _) => return Err(live_task()),
            (what, _) => unreachable!("{what:?} is never due later, and was, at {due}"),
        })
    }

    /// How an answer is written: as who asked declares it, or, if the question is closed, as who was asked does.
    fn reply(&self, ask: &OpenAsk) -> Result<Option<Payload>, SnapshotError> {
        let asker = self.cast.table(ask.asker).ok().and_then(|table| table.ask(ask.kind)).map(|known| known.reply);
        if asker.is_some() || ask.open {
            return Ok(asker);
        }
        Ok(self.table(ask.target)?.answer(ask.kind).map(|known| known.reply))
    }
}
