//! A time-keeper for a caller that is in no actix system.

use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant as WallInstant;

use actix::prelude::System;

use super::control::{Await, Halt, RunTo, Start, Status};
use super::{Cut, Ended, TimeKeeper};
use crate::error::RunError;
use crate::host::launch::{Launch, failed};
use crate::host::survey::Loads;
use crate::outcome::{Failed, Outcome};
use crate::time::Instant;

/// Runs a launch on so many threads.
pub(in crate::host) fn run(launch: Launch, threads: usize) -> Result<Outcome, Box<Failed>> {
    Remote::new(launch, threads, None)?.finish()
}

/// What the caller's thread wants of the time-keeper.
enum Order {
    RunTo(Instant, WallInstant, mpsc::Sender<Status>),
    Finish,
}

/// A time-keeper under an actix system on a thread of its own, so that the caller may be in any runtime, or none.
pub(in crate::host) struct Remote {
    orders: tokio::sync::mpsc::UnboundedSender<Order>,
    thread: JoinHandle<Ended>,
}

impl Remote {
    pub(in crate::host) fn new(launch: Launch, threads: usize, loads: Option<Loads>) -> Result<Self, Box<Failed>> {
        let (orders, mut received) = tokio::sync::mpsc::unbounded_channel();
        let serve = move || {
            System::new().block_on(async move {
                let keeper = TimeKeeper::on(launch, threads, loads).await?;
                let mut is_wanted = false;
                while !is_wanted && let Some(order) = received.recv().await {
                    match order {
                        Order::RunTo(bound, deadline, answer) => {
                            let status = keeper.send(RunTo(bound, deadline)).await.map_err(Cut::from)?;
                            // Who asked may be gone.
                            let _ = answer.send(status);
                        }
                        Order::Finish => is_wanted = true,
                    }
                }
                if is_wanted {
                    keeper.do_send(Start)
                } else {
                    keeper.do_send(Halt)
                }
                keeper.send(Await).await.map_err(Cut::from)?
            })
        };
        let thread = std::thread::Builder::new().name("stillpoint-time-keeper".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| failed(RunError::Host(format!("there is no thread for its time-keeper: {error}"))))?;
        Ok(Self { orders, thread })
    }

    /// Runs up to an instant, inclusive, unless a time of the clock comes first. `None`: it cannot be run, and [`Remote::finish`] says why.
    pub(in crate::host) fn run_to(&self, bound: Instant, deadline: WallInstant) -> Option<Status> {
        let (answer, answered) = mpsc::channel();
        self.orders.send(Order::RunTo(bound, deadline, answer)).ok()?;
        answered.recv().ok()
    }

    /// Runs to the end.
    pub(in crate::host) fn finish(self) -> Result<Outcome, Box<Failed>> {
        // A thread that is gone says so when it is joined.
        let _ = self.orders.send(Order::Finish);
        match self.thread.join() {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(Cut::Failed(failed))) => Err(failed),
            Ok(Err(Cut::Panicked(panic))) | Err(panic) => resume_unwind(panic),
        }
    }
}
