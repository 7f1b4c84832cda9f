//! R13: handles in a state. They mean the same after a restore as before; outside of one they mean nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stillpoint_engine::snapshot::{Pending, RestoreError, SnapshotError};
use stillpoint_engine::{Actor, Addr, Context, Handler, Recipient, Report, Saving, Simulation};

use super::kit::{Note, Word, at, ns, world};
use super::saved::{came, interrupted_everywhere, reread};

/// Gets notes and takes no words that it would declare.
#[derive(Default, Serialize, Deserialize)]
struct Quiet(Vec<u64>);

impl Actor for Quiet {
    fn report(&self, report: &mut Report) {
        report.integer("sum", self.0.iter().sum::<u64>() as i64);
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Note>())
    }
}

impl Handler<Note> for Quiet {
    fn handle(&mut self, note: &Note, _: &mut Context<'_, Self>) {
        self.0.push(note.0);
    }
}

impl Handler<Word> for Quiet {
    fn handle(&mut self, _: &Word, _: &mut Context<'_, Self>) {}
}

/// Keeps a recipient of notes, and perhaps one of words.
#[derive(Serialize, Deserialize)]
struct Keeper {
    notes: Recipient<Note>,
    words: Option<Recipient<Word>>,
}

impl Actor for Keeper {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(ns(5), Note(1));
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Note>())
    }
}

impl Handler<Note> for Keeper {
    fn handle(&mut self, note: &Note, ctx: &mut Context<'_, Self>) {
        ctx.send(self.notes, *note);
    }
}

fn keeping(words: bool) -> Simulation {
    let mut sim = world();
    let quiet = sim.actor("quiet", Quiet::default()).expect("a free name");
    let words = words.then(|| quiet.recipient());
    sim.actor("keeper", Keeper { notes: quiet.recipient(), words }).expect("a free name");
    sim
}

#[test]
fn r13_a_recipient_is_kept_if_its_kind_is_declared() {
    let (texts, came) = interrupted_everywhere(|| keeping(false));
    assert_eq!(texts.len(), 2);
    assert!(came.to.contains("Integer(\n                            1,"), "{}", came.to);

    let mut run = keeping(true).begin().expect("a simulation that begins");
    run.until(at(1));
    let Err(SnapshotError::State { actor, what: Pending::State, cause }) = run.snapshot() else { panic!("not refused") };
    assert_eq!(actor, "keeper");
    assert!(cause.contains("a recipient of `word` was kept, and `quiet` does not declare"), "{cause}");
}

/// Keeps an address that could be anybody's.
#[derive(Serialize, Deserialize)]
struct Friend(Option<Addr<Quiet>>);

impl Actor for Friend {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new())
    }
}

#[test]
fn r13_an_address_of_another_type_is_refused() {
    let build = || {
        let mut sim = world();
        let quiet = sim.actor("quiet", Quiet::default()).expect("a free name");
        sim.actor("friend", Friend(Some(quiet))).expect("a free name");
        sim
    };
    let mut run = build().begin().expect("a simulation that begins");
    run.step_instant();
    let snapshot = reread(&run.snapshot().expect("a still point"));
    assert!(build().restore(&snapshot).is_ok());
    let mut other = world();
    other.actor("quiet", Friend(None)).expect("a free name");
    other.actor("friend", Friend(None)).expect("a free name");
    let error = other.restore(&snapshot).expect_err("another type");
    let RestoreError::Type { actor, saved, built } = error else { panic!("{error}") };
    assert_eq!((actor.as_str(), saved.as_str()), ("quiet", "of type `rules::r13_handles::Quiet`"));
    assert_eq!(built, "of type `rules::r13_handles::Friend`");
    // As a fork `quiet` may be of another type, but then nobody may have kept its address.
    let mut other = world();
    other.actor("quiet", Friend(None)).expect("a free name");
    other.actor("friend", Friend(None)).expect("a free name");
    let error = snapshot.fork().anew("quiet").begin(other).expect_err("a kept address");
    assert!(error.to_string().starts_with("`friend` cannot be restored: its state cannot be read"), "{error}");
}

#[test]
fn r13_handles_mean_nothing_elsewhere() {
    let mut sim = world();
    let quiet = sim.actor("quiet", Quiet::default()).expect("a free name");
    let error = ron::to_string(&quiet).expect_err("no snapshot is taken");
    assert!(error.to_string().contains("means nothing outside a snapshot"), "{error}");
    let error = ron::from_str::<Addr<Quiet>>("\"quiet\"").expect_err("no snapshot is restored");
    assert!(error.to_string().contains("only while a snapshot is restored"), "{error}");
}

/// What is shared and not saved.
#[derive(Serialize, Deserialize)]
struct Sharing {
    #[serde(skip)]
    shared: Option<Arc<Vec<u64>>>,
    next: usize,
    generation: u32,
}

impl Actor for Sharing {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(ns(2), Note(0));
        if self.generation < 3 {
            ctx.spawn(Self { shared: self.shared.clone(), next: 0, generation: self.generation + 1 });
        }
    }

    fn report(&self, report: &mut Report) {
        report.integer("next", self.next as i64);
    }

    fn saving() -> Option<Saving<Self>> {
        let saving = Saving::<Self>::new().message::<Note>().complete(|saved, built| saved.shared = built.shared);
        Some(saving.complete_child::<Self>(|parent, child| child.shared = parent.shared.clone()))
    }
}

impl Handler<Note> for Sharing {
    fn handle(&mut self, _: &Note, ctx: &mut Context<'_, Self>) {
        let shared = self.shared.as_ref().expect("what its parent shares");
        if let Some(value) = shared.get(self.next) {
            ctx.notify_after(ns(3), Note(*value));
        }
        self.next += 1;
    }
}

#[test]
fn r13_what_is_not_saved_is_completed() {
    let build = || {
        let mut sim = world();
        let shared = Some(Arc::new(vec![3, 1, 4, 1, 5]));
        sim.actor("root", Sharing { shared, next: 0, generation: 0 }).expect("a free name");
        sim
    };
    let (texts, came_to) = interrupted_everywhere(build);
    assert!(texts.len() >= 7);
    assert_eq!(came_to, came(build().run()));
}
