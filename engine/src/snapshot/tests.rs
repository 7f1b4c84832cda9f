//! Parts of a run: what each owner takes, and what they make when they are put together.

use serde::{Deserialize, Serialize};

use super::image::{Image, Totals};
use super::{Changes, restore, take};
use crate::actor::{Actor, Handler};
use crate::context::{Context, Every};
use crate::kernel::entry::ActorId;
use crate::link::Link;
use crate::run::Run;
use crate::simulation::Simulation;
use crate::snapshot::Saving;
use crate::stream::Stream;
use crate::time::{Duration, Instant};
use crate::{Addr, Timed};

/// Ticks, draws, tells its neighbour, and has a child that does the same.
#[derive(Serialize, Deserialize)]
struct Neighbour {
    next: Option<Addr<Self>>,
    child: bool,
    sum: u64,
}

impl Actor for Neighbour {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_every(Every::from(ctx.now() + Duration::nanos(3), Duration::nanos(5)).until(Instant::from_nanos(60)), 7u64);
        if !self.child {
            ctx.spawn(Self { next: Some(ctx.address()), child: true, sum: 0 });
        }
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<u64>().child::<Self>())
    }
}

impl Handler<u64> for Neighbour {
    fn handle(&mut self, number: &u64, ctx: &mut Context<'_, Self>) {
        self.sum = self.sum.wrapping_mul(31).wrapping_add(*number + ctx.rng().below(10));
        if let (7, Some(next)) = (*number, self.next) {
            ctx.send(next, self.sum | 1 << 40);
        }
    }
}

fn build() -> Simulation {
    let mut sim = Simulation::new("parts").seed(2).start(Instant::EPOCH);
    let names = ["a", "b", "c"];
    let addresses = names.map(|name| sim.reserve::<Neighbour>(name, crate::Rank(0)).expect("a free name"));
    let stream = sim.stream("s", Stream::from_vec((0..90).map(|at| Timed { at: Instant::from_nanos(at), value: 1u64 }).collect()));
    let stream = stream.expect("a free name");
    for (index, address) in addresses.iter().enumerate() {
        let next = addresses[(index + 1) % 3];
        sim.place(*address, Neighbour { next: Some(next), child: false, sum: 0 });
        sim.link(names[index], names[(index + 1) % 3], Link::latency(Duration::nanos(4)).jitter(Duration::nanos(9))).expect("a new link");
        if index < 2 {
            sim.subscribe::<u64, _>(*address, stream);
        }
    }
    sim
}

fn halfway() -> Run {
    let mut run = build().begin().expect("a simulation that begins");
    run.until(Instant::from_nanos(31));
    run
}

/// Parts as shards would take them: of the totals, one has all.
fn parts(run: &mut Run, shards: u32) -> Vec<Image> {
    let part = |shard| {
        // Trees stay together.
        let roots: Vec<u32> = run.shard.core.cold.iter().map(|cold| cold.root.0).collect();
        let mut part = take(&mut run.shard, "parts", &|id| roots[id.index()] % shards == shard).expect("a still point");
        if shard > 0 {
            part.totals = Totals::default();
        }
        part
    };
    (0..shards).map(part).collect()
}

#[test]
fn r13_parts_make_the_whole_in_any_order() {
    let mut run = halfway();
    let whole = run.snapshot().expect("a still point");
    assert!(whole.image().pending.len() >= 6 && whole.image().links.len() == 3);
    for shards in 1..5 {
        let mut parts = parts(&mut run, shards);
        assert_eq!(parts.iter().map(|part| part.slots.len()).sum::<usize>(), 7, "three actors, their children, a stream");
        for _ in 0..parts.len() {
            parts.rotate_left(1);
            let merged = Image::merge(parts.clone()).expect("at least one part");
            assert_eq!(super::file::to_text(&merged), whole.to_text());
        }
    }
}

#[test]
#[should_panic(expected = "two shards own `a`")]
fn r13_two_owners_of_one_actor_are_a_mistake() {
    let mut run = halfway();
    let part = parts(&mut run, 1).remove(0);
    let _ = Image::merge([part.clone(), part]);
}

#[test]
fn r13_a_shard_takes_what_is_its_own() {
    let whole = halfway().snapshot().expect("a still point");
    let expected = build().run().expect("a run that ends");
    let owned_by = |shard: u32| move |id: ActorId| id.0 % 2 == shard;
    let mut deliveries = 0;
    for shard in 0..2 {
        let run = build().restore(&whole).expect("the same simulation");
        let all = &run.shard;
        let mine = all.core.order.ids().filter(|id| owned_by(shard)(*id)).count();
        let mut fresh = build().prepare().expect("a whole simulation");
        restore(&mut fresh, whole.image(), &Changes::default(), &owned_by(shard)).expect("a part of it");
        let core = &fresh.shard.core;
        let restored = core.order.ids().filter(|id| core.hot[id.index()].count > 0).count();
        assert!(restored > 0 && restored <= mine, "{restored} of {mine}");
        assert!(core.pending.armed().all(|(_, entry, ..)| owned_by(shard)(entry.to)));
        deliveries += core.counters.deliveries;
    }
    assert_eq!(deliveries, whole.image().totals.counters.deliveries, "one of them has the totals");
    assert!(expected.deliveries > deliveries);
}
