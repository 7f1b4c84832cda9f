//! The judgement of a run that was saved and restored. Invariant: a refused snapshot is never a run that is the same; it was not covered.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use stillpoint_engine::snapshot::Snapshot;
use stillpoint_engine::trace::{Collect, Record};
use stillpoint_engine::{Instant, RunError};

use crate::case::Case;
use crate::child;
use crate::compare::{self, traced};
use crate::difference::Difference;
use crate::drive::quietly;
use crate::judge::{Judgement, Subject};
use crate::perturbation::{HostOf, Place};
use crate::ran::{Ran, play_on, restored};
use crate::sample::Sample;
use crate::world::{Setup, build};

/// A run up to its snapshot.
struct Saved {
    snapshot: Snapshot,
    before: Vec<Record>,
}

impl<M: Sample> Subject<M> {
    pub(crate) fn judge_snapshot(&self, case: &Arc<Case<M>>, base: &Ran, at: Instant, place: &Place, label: &str) -> Judgement {
        let saved = match place {
            Place::Here | Place::Process => self.saved(case, at),
            Place::Host(host) => self.saved_on(case, base, at, host, label),
        };
        let Saved { snapshot, before } = match saved {
            Ok(saved) => saved,
            Err(judgement) => return judgement,
        };
        let simulation = || build(&self.parts, case, &Setup::default()).simulation;
        // What goes on is what was written.
        let text = snapshot.to_text();
        let ran = match place {
            Place::Here => match Snapshot::from_bytes(text.as_bytes(), Path::new("snapshot")) {
                Ok(snapshot) => restored(simulation(), &snapshot, label).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            },
            Place::Host(host) => {
                let ran = play_on(self.launch(case, host).restore(snapshot), label);
                match ran.error {
                    Some(RunError::Restore(why)) => Err(why),
                    _ => Ok(ran),
                }
            }
            Place::Process => {
                return match child::run(&self.key, &[(case, Some(text))]) {
                    Ok(answers) => judged(answers[0].differs(base, before)),
                    Err(error) => Judgement::Impossible(error),
                };
            }
        };
        match ran {
            Ok(ran) => {
                let trace = traced(label, before.into_iter().chain(ran.trace.records()));
                judged(compare::whole(base, &Ran { trace, ..ran }))
            }
            Err(why) => differs(format!("the snapshot was taken, but it cannot be restored: {why}")),
        }
    }

    /// A run on this thread, up to its snapshot.
    fn saved(&self, case: &Arc<Case<M>>, at: Instant) -> Result<Saved, Judgement> {
        let trace = Collect::new("before");
        let simulation = build(&self.parts, case, &Setup::default()).simulation;
        let run = simulation.observe(Box::new(trace.clone())).begin();
        let mut run = run.map_err(|error| Judgement::Impossible(error.to_string()))?;
        quietly(|| run.until(at));
        let snapshot = run.snapshot().map_err(|error| Judgement::Impossible(error.to_string()))?;
        Ok(Saved { snapshot, before: trace.records() })
    }

    /// A run on several threads, which is saved in passing and must itself be the same.
    fn saved_on(&self, case: &Arc<Case<M>>, base: &Ran, at: Instant, host: &HostOf, label: &str) -> Result<Saved, Judgement> {
        let kept: Arc<Mutex<Option<Snapshot>>> = Arc::default();
        let keep = kept.clone();
        let launch = self.launch(case, host).snapshot_at(at, move |snapshot| {
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
            Ok::<_, Infallible>(())
        });
        let ran = play_on(launch, label);
        if let Some(RunError::Snapshot(why)) = &ran.error {
            return Err(Judgement::Impossible(why.clone()));
        }
        if let Some(difference) = compare::whole(base, &ran) {
            return Err(Judgement::Differs(Box::new(difference)));
        }
        let snapshot = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let snapshot = snapshot.ok_or_else(|| Judgement::Impossible("the run was over before the snapshot".to_owned()))?;
        Ok(Saved { snapshot, before: ran.trace.records().into_iter().filter(|record| record.at <= at).collect() })
    }
}

fn judged(found: Option<Difference>) -> Judgement {
    found.map_or(Judgement::Same, |found| Judgement::Differs(Box::new(found)))
}

fn differs(text: String) -> Judgement {
    Judgement::Differs(Box::new(Difference { at: None, actors: Vec::new(), text }))
}
