//! Putting a snapshot into a shard that was built anew. Invariant: afterwards the shard is at the still point that the snapshot was taken at;
//! each table of the kernel is filled by one function.

use std::collections::BTreeMap;
use std::rc::Rc;

use ron::error::SpannedError;

use super::cast::{Cast, NoTable};
use super::error::{Pending as Of, RestoreError};
use super::image::{Ask, Cargo, Image, Pending, Role, Slot};
use super::saving::{MessageKind, Table};
use super::scope::{Restoring, restoring, while_restoring};
use crate::address::{Occupied, Sub};
use crate::ask::{AskId, Duty, OpenAsk};
use crate::kernel::core::{Life, SubscribeCall};
use crate::kernel::entry::{ActorId, Cell, Entry, NONE, Thunk, Vacant, What, no_thunk};
use crate::kernel::pending::{Interval, NodeKey};
use crate::kernel::shard::Shard;
use crate::kernel::stream::{Position, Resume};
use crate::path::{Path, Rank, TIME_KEEPER};
use crate::rng::Rng;
use crate::simulation::Prepared;
use crate::sort;
use crate::time::Instant;
use crate::time_keeper::TimeKeeper;

/// What a fork changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) seed: Option<u64>,
    pub(crate) anew: Vec<String>,
}

/// Restores what a shard owns. The shard has just been built; its streams are not open.
pub(crate) fn restore(
    prepared: &mut Prepared,
    image: &Image,
    changes: &Changes,
    owns: &dyn Fn(ActorId) -> bool,
) -> Result<(), RestoreError> {
    if prepared.name != image.name {
        return Err(RestoreError::Name { saved: image.name.clone(), built: prepared.name.clone() });
    }
    let (declared, shard) = (prepared.start, &mut prepared.shard);
    match changes.seed {
        Some(seed) => shard.core.seed = seed,
        None if shard.core.seed != image.seed => return Err(RestoreError::Seed { saved: image.seed, built: shard.core.seed }),
        None => {}
    }
    let mut restorer = Restorer {
        shard,
        image,
        changes,
        owns,
        ids: BTreeMap::new(),
        paths: BTreeMap::new(),
        built: BTreeMap::new(),
        nodes: Vec::new(),
        asks: BTreeMap::new(),
    };
    restorer.match_roots()?;
    restorer.add_slots()?;
    restorer.fill_slots()?;
    restorer.place_types()?;
    let mut restoring = Restoring { cast: Cast::of(restorer.shard), ..Restoring::default() };
    restorer.reserve_pending(&mut restoring);
    let restoring = Rc::new(restoring);
    while_restoring(&restoring, || {
        restorer.resume_asks(&restoring.cast)?;
        restorer.fill_pending(&restoring.cast)?;
        restorer.load_actors(&restoring.cast)?;
        restorer.subscribe(&restoring.cast)
    })?;
    restorer.shard.core.tasks.inboxes = restoring.inboxes.take();
    restorer.resume_streams(declared)?;
    restorer.resume_links();
    restorer.resume_totals();
    Ok(())
}

struct Restorer<'a> {
    shard: &'a mut Shard,
    image: &'a Image,
    changes: &'a Changes,
    owns: &'a dyn Fn(ActorId) -> bool,
    /// From the snapshot's numbers to those here.
    ids: BTreeMap<u32, ActorId>,
    paths: BTreeMap<String, ActorId>,
    /// The root actors as they were built.
    built: BTreeMap<ActorId, Rc<dyn Cell>>,
    /// The nodes of what is pending, in its order.
    nodes: Vec<(NodeKey, usize)>,
    /// The slots of asks, by asker and number.
    asks: BTreeMap<(ActorId, u64), u32>,
}

fn inconsistent(what: impl Into<String>) -> RestoreError {
    RestoreError::Inconsistent(what.into())
}

impl<'a> Restorer<'a> {
    fn id(&self, saved: u32) -> Result<ActorId, RestoreError> {
        self.ids.get(&saved).copied().ok_or_else(|| inconsistent(format!("it names number {saved}, which nobody has")))
    }

    /// The slots of the snapshot with their numbers here.
    fn slots(&self) -> impl Iterator<Item = (ActorId, &'a Slot)> + use<'a> {
        let ids: Vec<ActorId> = self.image.slots.keys().map(|saved| self.ids[saved]).collect();
        ids.into_iter().zip(self.image.slots.values())
    }

    fn path(&self, id: ActorId) -> String {
        self.shard.core.path(id).to_string()
    }

    /// The simulation must have the roots that the snapshot has, in whatever order they were added.
    fn match_roots(&mut self) -> Result<(), RestoreError> {
        let core = &self.shard.core;
        let paths = core.order.ids().map(|id| (core.path(id).to_string(), id));
        let mut added = BTreeMap::new();
        added.extend(paths.filter(|(path, _)| path != TIME_KEEPER));
        self.paths = added.clone();
        let mut missing = Vec::new();
        for (saved, slot) in self.image.slots.iter().filter(|(_, slot)| is_root(slot)) {
            match added.remove(&slot.path) {
                Some(id) => _ = self.ids.insert(*saved, id),
                None => missing.push(slot.path.clone()),
            }
        }
        if missing.is_empty() && added.is_empty() {
            return Ok(());
        }
        sort::by(&mut missing, Ord::cmp);
        Err(RestoreError::Roots { missing, added: added.into_keys().collect() })
    }

    /// Slots for children and facets, under the numbers that they had.
    fn add_slots(&mut self) -> Result<(), RestoreError> {
        let core = &mut self.shard.core;
        for (saved, slot) in self.image.slots.iter().filter(|(_, slot)| !is_root(slot)) {
            let nobody = || inconsistent(format!("`{}` stands under a number or beside a parent that it cannot have", slot.path));
            let path = Path::parse(&slot.path).ok_or_else(nobody)?;
            let find = |path: &str| self.paths.get(path).copied();
            let id = ActorId(*saved);
            if core.hot.get(id.index()).is_some_and(|hot| hot.path_digest != 0) {
                return Err(nobody());
            }
            if let Role::Facet = slot.role {
                let asker = slot.path.strip_prefix(TIME_KEEPER).and_then(|rest| rest.strip_prefix('@'));
                let asker = asker.and_then(find).ok_or_else(nobody)?;
                let root = core.cold[asker.index()].root;
                core.put(id, path, Rank(slot.rank), Some(root), Life::Living);
                core.make_facet(id, asker);
            } else {
                let (parent, _) = slot.path.rsplit_once('/').ok_or_else(nobody)?;
                let parent = find(parent).ok_or_else(nobody)?;
                let root = core.cold[parent.index()].root;
                core.put(id, path, Rank(slot.rank), Some(root), Life::Living);
                core.cold[parent.index()].children.push(id);
            }
            self.ids.insert(*saved, id);
            self.paths.insert(slot.path.clone(), id);
        }
        Ok(())
    }

    /// Lives, ranks, counters and chains.
    fn fill_slots(&mut self) -> Result<(), RestoreError> {
        for (id, slot) in self.slots() {
            let core = &mut self.shard.core;
            let is_stream = core.hot[id.index()].stream != NONE;
            if is_stream != matches!(slot.role, Role::Stream) {
                let name = |is_stream: bool| if is_stream { "a stream" } else { "an actor" }.to_owned();
                return Err(RestoreError::Type { actor: slot.path.clone(), saved: name(!is_stream), built: name(is_stream) });
            }
            if core.cold[id.index()].rank != Rank(slot.rank) {
                core.stands_at(id, Rank(slot.rank));
            }
            core.hot[id.index()].life = if slot.is_stopped() { Life::Stopped } else { Life::Living };
            if !(self.owns)(id) {
                continue;
            }
            let hot = &mut core.hot[id.index()];
            (hot.chain, hot.count, hot.seq, hot.picky) = (slot.chain, slot.count, slot.seq, slot.picky);
            let seed = core.seed;
            let cold = &mut core.cold[id.index()];
            (cold.tasks_started, cold.inboxes) = (slot.tasks, slot.inboxes);
            cold.rng = match (slot.drawn, self.changes.seed) {
                (Some(drawn), None) => Some(Box::new(Rng::of(seed, &slot.path, "actor").after(drawn))),
                _ => None,
            };
        }
        Ok(())
    }

    /// Puts the types of all actors into their slots, so that addresses and tables can be looked up before there are states.
    fn place_types(&mut self) -> Result<(), RestoreError> {
        for name in &self.changes.anew {
            let is_living_root = |slot: &Slot| slot.path == *name && is_root(slot) && matches!(slot.role, Role::Living(..));
            if !self.image.slots.values().any(is_living_root) {
                return Err(RestoreError::Anew(name.clone()));
            }
        }
        // Parents come first: the numbers of children are above theirs.
        for (id, slot) in self.slots() {
            let cell: Rc<dyn Cell> = match &slot.role {
                Role::Stream => continue,
                Role::Facet => Rc::new(Occupied::new(TimeKeeper(()))),
                Role::Living(..) | Role::Stopped(_) if is_root(slot) => {
                    let built = self.shard.take_cell(id);
                    let remains = built.remains();
                    self.check_type(slot, built.of().map(|(_, name)| name))?;
                    self.built.insert(id, built);
                    remains
                }
                Role::Living(of, _) => self.remains_of_child(slot, of).ok_or_else(|| {
                    let (parent, _) = slot.path.rsplit_once('/').unwrap_or_default();
                    RestoreError::Undeclared { actor: parent.to_owned(), what: Of::Child(of.clone()) }
                })?,
                Role::Stopped(of) => {
                    let of = of.as_ref().and_then(|of| self.remains_of_child(slot, of));
                    of.unwrap_or_else(|| Rc::new(Vacant))
                }
            };
            self.shard.place(id, cell);
        }
        Ok(())
    }

    fn check_type(&self, slot: &Slot, built: Option<&str>) -> Result<(), RestoreError> {
        match (&slot.role, built) {
            (Role::Living(saved, _), Some(built)) if saved != built && !self.changes.anew.contains(&slot.path) => {
                let name = |of: &str| format!("of type `{of}`");
                Err(RestoreError::Type { actor: slot.path.clone(), saved: name(saved), built: name(built) })
            }
            _ => Ok(()),
        }
    }

    fn remains_of_child(&self, slot: &Slot, of: &str) -> Option<Rc<dyn Cell>> {
        let (parent, _) = slot.path.rsplit_once('/')?;
        let parent = self.shard.cell(*self.paths.get(parent)?)?;
        Some((parent.table()?.child(of)?.remains)())
    }

    /// Nodes for all that is pending, so that handles find theirs; what they bring comes later.
    fn reserve_pending(&mut self, restoring: &mut Restoring) {
        for (index, pending) in self.image.pending.iter().enumerate() {
            let Some(to) = self.ids.get(&pending.to).copied().filter(|to| (self.owns)(*to)) else { continue };
            let core = &mut self.shard.core;
            let blank = Entry::of_stream(to, to, pending.seq, NONE, NONE);
            let key = core.pending.add_bare(blank, pending.due);
            match &pending.cargo {
                Cargo::Timer(..) => _ = restoring.timers.insert((to, pending.seq), key),
                Cargo::Tick(_, _, period, end) => {
                    core.pending.set_interval(key.index, Interval { period: *period, end: *end });
                    restoring.timers.insert((to, pending.seq), key);
                }
                Cargo::Job(..) => _ = restoring.jobs.insert((to, pending.seq), (core.jobs.reserve(), key)),
                _ => {}
            }
            self.nodes.push((key, index));
        }
    }

    fn table<'c>(&self, cast: &'c Cast, id: ActorId) -> Result<&'c Table, RestoreError> {
        cast.table(id).map(|table| &**table).map_err(|error| match error {
            NoTable::Unsavable(id) => RestoreError::Unsavable { actor: self.path(id) },
            NoTable::Undeclared(id, what) => RestoreError::Undeclared { actor: self.path(id), what },
        })
    }

    fn message<'c>(&self, cast: &'c Cast, id: ActorId, kind: &str) -> Result<&'c MessageKind, RestoreError> {
        self.table(cast, id)?.message(kind).ok_or_else(|| self.undeclared(id, Of::Message(kind.to_owned())))
    }

    fn undeclared(&self, id: ActorId, what: Of) -> RestoreError {
        RestoreError::Undeclared { actor: self.path(id), what }
    }

    fn read<T>(&self, id: ActorId, what: Of, read: Result<T, SpannedError>) -> Result<T, RestoreError> {
        read.map_err(|error| RestoreError::State { actor: self.path(id), what, cause: error.to_string() })
    }

    /// The questions of actors here. Each has the slot of its place in the snapshot, in whichever shard.
    fn resume_asks(&mut self, cast: &Cast) -> Result<(), RestoreError> {
        for (slot, ask) in (0u32..).zip(&self.image.asks) {
            let Ask { asker, id, target, kind, open, resolved } = ask;
            let (asker, target) = (self.id(*asker)?, self.id(*target)?);
            self.asks.insert((asker, *id), slot);
            if !(self.owns)(asker) {
                self.shard.core.asks.resume(None);
                continue;
            }
            let asks = cast.table(asker).ok().and_then(|table| table.ask(kind));
            let thunk = match asks {
                Some(asks) => asks.thunk,
                None if !open => no_thunk,
                None => return Err(self.undeclared(asker, Of::Ask(kind.clone()))),
            };
            let known = asks.map(|asks| asks.kind).or_else(|| Some(cast.table(target).ok()?.answer(kind)?.request.kind));
            let known = known.ok_or_else(|| self.undeclared(target, Of::Answer(kind.clone())))?;
            let ask = OpenAsk { asker, target, id: AskId(*id), kind: known, open: *open, resolved: *resolved, of_task: false };
            self.shard.core.asks.resume(Some((ask, thunk)));
        }
        Ok(())
    }

    fn ask(&self, asker: ActorId, id: u64) -> Result<u32, RestoreError> {
        let slot = self.asks.get(&(asker, id)).copied();
        slot.ok_or_else(|| inconsistent(format!("`{}` has no question {id}", self.path(asker))))
    }

    fn fill_pending(&mut self, cast: &Cast) -> Result<(), RestoreError> {
        for (key, index) in std::mem::take(&mut self.nodes) {
            let pending = &self.image.pending[index];
            let entry = self.entry(cast, key, pending)?;
            let queue = &mut self.shard.core.pending;
            queue.set_entry(key.index, entry);
            queue.queue(key.index, pending.due);
        }
        Ok(())
    }

    fn entry(&mut self, cast: &Cast, key: NodeKey, pending: &Pending) -> Result<Entry, RestoreError> {
        let Pending { to, from, seq, cause, cargo, .. } = pending;
        let (to, from) = (self.id(*to)?, self.id(*from)?);
        let entry = |what: What, thunk: Thunk| Entry { what, thunk, cause: *cause, ..Entry::of_stream(from, to, *seq, NONE, NONE) };
        let payload = |(ty, payload): (u16, u32), entry: Entry| Entry { ty, payload, ..entry };
        Ok(match cargo {
            Cargo::Message(kind, text) | Cargo::Share(kind, text) | Cargo::Timer(kind, text) | Cargo::Tick(kind, text, ..) => {
                let known = self.message(cast, to, kind)?;
                let loaded = (known.payload.load)(&mut self.shard.core, text);
                let what = match cargo {
                    Cargo::Message(..) => What::Later,
                    Cargo::Share(..) => What::LaterShare,
                    _ => What::Timer,
                };
                payload(self.read(to, Of::Message(kind.clone()), loaded)?, entry(what, known.thunk))
            }
            Cargo::Relic => {
                let core = &mut self.shard.core;
                payload(core.stores.keep(()), entry(What::LaterShare, no_thunk))
            }
            Cargo::Job(kind, text) => {
                let known = self.table(cast, to)?.job(kind).ok_or_else(|| self.undeclared(to, Of::Job(kind.clone())))?;
                let (slot, _) =
                    restoring::<ron::Error>().ok().and_then(|scope| scope.jobs.get(&(to, *seq)).copied()).expect("a reserved job");
                let loaded = (known.load)(&mut self.shard.core, (to, *seq), slot, key, text);
                self.read(to, Of::Job(kind.clone()), loaded)?;
                Entry { extra: slot, ..entry(What::Job, known.thunk) }
            }
            Cargo::Request(kind, text) => {
                let undeclared = || self.undeclared(to, Of::Answer(kind.clone()));
                let known = self.table(cast, to)?.answer(kind).ok_or_else(undeclared)?;
                let loaded = (known.request.load)(&mut self.shard.core, text);
                let loaded = self.read(to, Of::Answer(kind.clone()), loaded)?;
                let (ask, delivered) = (self.ask(from, *seq)?, self.image.site);
                let duty = Duty { asker: from, ask, id: AskId(*seq), target: to, kind: known.request.kind, count: 0, delivered };
                Entry { extra: self.shard.core.asks.owe(duty), ..payload(loaded, entry(What::Request, known.thunk)) }
            }
            Cargo::Reply(id, text) => {
                let slot = self.ask(to, *id)?;
                let kind = self.image.asks.iter().find(|ask| self.ids.get(&ask.asker) == Some(&to) && ask.id == *id).map(|ask| &ask.kind);
                let kind = kind.ok_or_else(|| inconsistent("an answer without a question"))?;
                let declared = cast.table(to).ok().and_then(|table| table.ask(kind)).map(|known| known.reply);
                let declared = declared.or_else(|| Some(cast.table(from).ok()?.answer(kind)?.reply));
                let reply = declared.ok_or_else(|| self.undeclared(to, Of::Ask(kind.clone())))?;
                let loaded = (reply.load)(&mut self.shard.core, text);
                let loaded = self.read(to, Of::Ask(kind.clone()), loaded)?;
                Entry { extra: slot, ..payload(loaded, entry(What::Reply, self.shard.core.answered(slot))) }
            }
            Cargo::Gone(id) => {
                let slot = self.ask(to, *id)?;
                Entry { extra: slot, ..entry(What::Gone, self.shard.core.answered(slot)) }
            }
            Cargo::Timeout(id) => {
                let slot = self.ask(to, *id)?;
                self.shard.core.asks.resume_timer(slot, key);
                Entry { extra: slot, ..entry(What::Timeout, self.shard.core.answered(slot)) }
            }
            Cargo::Stop => entry(What::Stop, no_thunk),
            Cargo::Subscribe(kind, who) => {
                let who = self.id(*who)?;
                let known = self.message(cast, who, kind)?;
                let core = &mut self.shard.core;
                let sub = Sub { to: who, thunk: known.thunk };
                let call = SubscribeCall { ty: (known.ty)(core), kind: known.payload.kind, sub };
                core.subscribe_calls.push(call);
                Entry { extra: core.subscribe_calls.len() as u32 - 1, ..entry(What::Subscribe, no_thunk) }
            }
        })
    }

    /// States, and what they lack of the actors that the simulation was built with. Parents come before their children.
    fn load_actors(&mut self, cast: &Cast) -> Result<(), RestoreError> {
        for (id, slot) in self.slots().filter(|(id, _)| (self.owns)(*id)) {
            let Role::Living(_, text) = &slot.role else { continue };
            let built = self.built.remove(&id);
            if self.changes.anew.contains(&slot.path)
                && let Some(built) = built
            {
                self.shard.place(id, built);
                continue;
            }
            let table = self.table(cast, id)?;
            let cell = self.read(id, Of::State, (table.load)(text))?;
            if let (Some(complete), Some(built)) = (&table.complete, built) {
                complete(&cell, built);
            }
            if let Some(parent) = cast.member(id).parent {
                let complete = self.table(cast, parent)?.child(table.type_name).and_then(|child| child.complete.as_ref());
                if let (Some(complete), Some(parent)) = (complete, self.shard.cell(parent)) {
                    complete(parent, &cell);
                }
            }
            self.shard.place(id, cell);
        }
        Ok(())
    }

    /// Who is on whose lists, and who wants to be.
    fn subscribe(&mut self, cast: &Cast) -> Result<(), RestoreError> {
        for stream in self.shard.streams.iter_mut() {
            for who in stream.subscribers() {
                stream.unsubscribe(who);
            }
        }
        for (id, slot) in self.slots().filter(|(id, _)| (self.owns)(*id)) {
            let mut wishes = Vec::with_capacity(slot.wishes.len());
            for (publisher, kind, wanted) in &slot.wishes {
                let ty = self.message(cast, id, kind)?.ty;
                wishes.push((self.id(*publisher)?, ty(&mut self.shard.core), *wanted));
            }
            let mut lists = Vec::with_capacity(slot.lists.len());
            for (kind, subscribers) in &slot.lists {
                let (mut subs, mut ty) = (Vec::with_capacity(subscribers.len()), 0);
                for who in subscribers {
                    let who = self.id(*who)?;
                    let known = self.message(cast, who, kind)?;
                    ty = (known.ty)(&mut self.shard.core);
                    subs.push(Sub { to: who, thunk: known.thunk });
                }
                lists.push((ty, Rc::new(subs)));
            }
            let cold = &mut self.shard.core.cold[id.index()];
            (cold.wishes, cold.lists) = (wishes, lists);
            for stream in &slot.streams {
                let stream = self.id(*stream)?;
                let Some(number) = self.shard.core.cold[stream.index()].stream else { return Err(inconsistent("a stream that is none")) };
                let (kind, of) = self.shard.streams[number as usize].message();
                let undeclared = || self.undeclared(id, Of::Message(kind.to_owned()));
                let known = self.table(cast, id)?.message_of(of).ok_or_else(undeclared)?;
                let shard = &mut *self.shard;
                shard.streams[number as usize].subscribe((known.subscriber)(id), &mut shard.core);
            }
        }
        Ok(())
    }

    fn resume_streams(&mut self, declared: Option<Instant>) -> Result<(), RestoreError> {
        let mut positions: BTreeMap<ActorId, (String, &Position)> = BTreeMap::new();
        for (saved, position) in &self.image.streams {
            if let Some(id) = self.ids.get(saved) {
                positions.insert(*id, (self.path(*id), position));
            }
        }
        let owns = self.owns;
        self.shard.resume_streams(declared, |stream| {
            let id = stream.id();
            let Some((path, position)) = positions.get(&id).filter(|_| owns(id) || stream.has_subscribers()) else { return Ok(()) };
            stream.resume(position).map_err(|resume| match resume {
                Resume::Source(error) => RestoreError::Source { stream: path.clone(), error },
                Resume::Changed(difference) => RestoreError::Changed { stream: path.clone(), difference },
            })
        })
    }

    fn resume_links(&mut self) {
        let core = &mut self.shard.core;
        let Some(links) = &mut core.links else { return };
        for path in &self.image.links {
            let (Some(from), Some(to)) = (self.ids.get(&path.from), self.ids.get(&path.to)) else { continue };
            if (self.owns)(*from) {
                let digests = (core.hot[from.index()].path_digest, core.hot[to.index()].path_digest);
                let drawn = if self.changes.seed.is_some() { 0 } else { path.drawn };
                links.resume(core.seed, (*from, *to), digests, drawn, path.last);
            }
        }
    }

    /// Counters, the clock, and the reports of those who have stopped. The counters go to whoever owns the time-keeper.
    fn resume_totals(&mut self) {
        let (image, core) = (self.image, &mut self.shard.core);
        (core.now, core.round, core.step) = (image.site.at, image.site.round, image.site.step);
        if (self.owns)(ActorId(0)) {
            let totals = &image.totals;
            core.events_before = totals.counters.events;
            (core.counters, core.first, core.last) = (totals.counters, totals.first, totals.last);
            (core.dead_sum, core.stopped_sum) = (totals.dead.0, totals.stopped.0);
        }
        for (saved, report) in &image.reports {
            if let Some(id) = self.ids.get(saved).filter(|id| (self.owns)(**id)) {
                self.shard.reports.push((*id, report.clone()));
            }
        }
    }
}

fn is_root(slot: &Slot) -> bool {
    !matches!(slot.role, Role::Facet) && !slot.path.contains('/')
}
