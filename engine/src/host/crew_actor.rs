//! An actix actor on an arbiter of its own, which runs one thread's shards. Invariant: a panic on its thread frees the others from waiting.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use actix::prelude::{Actor, Context, Handler, Message};

use super::crew::{Berth, Crew, Finished, Progressed, Stint};
use super::launch::Build;
use super::merge::Part;
use crate::error::RunError;
use crate::snapshot::{Image, SnapshotError};
use crate::time::Instant;

/// What a panic carried.
pub(super) type Panicked = Box<dyn Any + Send>;

/// Builds the shards; answers with the earliest item of their streams.
pub(super) struct Enlist;

impl Message for Enlist {
    type Result = Result<Result<Option<Instant>, RunError>, Panicked>;
}

/// Begins the run at an instant.
pub(super) struct Begin(pub(super) Instant);

impl Message for Begin {
    type Result = Result<(), Panicked>;
}

/// Runs windows, and fills these parts. `None`: another thread could not go on.
pub(super) struct Work(pub(super) Stint, pub(super) Vec<Part>);

impl Message for Work {
    type Result = Result<Progressed, Option<Panicked>>;
}

/// Says what a snapshot of a run of this name needs.
pub(super) struct Save(pub(super) String);

impl Message for Save {
    type Result = Result<Result<Vec<Image>, SnapshotError>, Panicked>;
}

/// Says what the run came to, and leaves the shards.
pub(super) struct Dismiss;

impl Message for Dismiss {
    type Result = Option<Finished>;
}

/// One thread's shards as an actor.
pub(super) struct CrewActor {
    berth: Option<(Berth, Build)>,
    crew: Option<Crew>,
}

impl CrewActor {
    pub(super) fn new(berth: Berth, build: Build) -> Self {
        Self { berth: Some((berth, build)), crew: None }
    }

    fn crew(&mut self) -> &mut Crew {
        self.crew.as_mut().expect("a thread that was enlisted")
    }
}

impl Actor for CrewActor {
    type Context = Context<Self>;
}

impl Handler<Enlist> for CrewActor {
    type Result = Result<Result<Option<Instant>, RunError>, Panicked>;

    fn handle(&mut self, _: Enlist, _: &mut Context<Self>) -> Self::Result {
        let (berth, build) = self.berth.take().expect("a thread is enlisted once");
        let enlisted = catch_unwind(AssertUnwindSafe(|| Crew::enlist(berth, &build)))?;
        Ok(enlisted.map(|(crew, earliest)| {
            self.crew = Some(crew);
            earliest
        }))
    }
}

impl Handler<Begin> for CrewActor {
    type Result = Result<(), Panicked>;

    fn handle(&mut self, begin: Begin, _: &mut Context<Self>) -> Self::Result {
        let crew = self.crew();
        catch_unwind(AssertUnwindSafe(|| crew.start(begin.0)))
    }
}

impl Handler<Work> for CrewActor {
    type Result = Result<Progressed, Option<Panicked>>;

    fn handle(&mut self, Work(stint, spares): Work, _: &mut Context<Self>) -> Self::Result {
        let crew = self.crew();
        match catch_unwind(AssertUnwindSafe(|| crew.work(stint, spares))) {
            Ok(Ok(progressed)) => Ok(progressed),
            Ok(Err(_)) => Err(None),
            Err(panic) => {
                crew.give_up();
                Err(Some(panic))
            }
        }
    }
}

impl Handler<Save> for CrewActor {
    type Result = Result<Result<Vec<Image>, SnapshotError>, Panicked>;

    fn handle(&mut self, save: Save, _: &mut Context<Self>) -> Self::Result {
        let crew = self.crew();
        catch_unwind(AssertUnwindSafe(|| crew.save(&save.0)))
    }
}

impl Handler<Dismiss> for CrewActor {
    type Result = Option<Finished>;

    fn handle(&mut self, _: Dismiss, _: &mut Context<Self>) -> Option<Finished> {
        self.crew.take().map(|mut crew| crew.finish())
    }
}
