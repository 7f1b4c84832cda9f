//! Tasks on all cores. Invariant: what comes back is in the order of the tasks, whatever the threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use stillpoint_engine::Pool;

use super::job::{Done, Recipe, Task};
use crate::failure::Failure;

/// Does all tasks, each on one thread. `heard` is told, on the caller's thread, what has come since it was told last; what it fails with
/// ends the sweep.
pub(super) fn run_all(
    recipe: &Arc<Recipe>,
    tasks: &Arc<[Task]>,
    threads: usize,
    mut heard: impl FnMut(&[(usize, Done)]) -> Result<(), Failure>,
) -> Result<Vec<Done>, Failure> {
    let pool = Pool::new(threads.min(tasks.len()));
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = channel();
    let workers: Vec<_> = (0..pool.size())
        .map(|_| {
            let (recipe, tasks, next, sender) = (recipe.clone(), tasks.clone(), next.clone(), sender.clone());
            pool.submit(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else { break };
                    let done = if recipe.stop.load(Ordering::Relaxed) { Done::Interrupted } else { recipe.run(*task) };
                    if sender.send((index, done)).is_err() {
                        break;
                    }
                }
            })
        })
        .collect();
    drop(sender);
    if pool.threads() == 0 {
        // The system gives no thread: whoever waits does the work.
        workers.iter().for_each(|worker| _ = worker.wait());
    }
    let mut all: Vec<Option<Done>> = vec![None; tasks.len()];
    while let Ok(first) = receiver.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(receiver.try_iter()).collect();
        if let Err(failure) = heard(&batch) {
            recipe.stop.store(true, Ordering::SeqCst);
            return Err(failure);
        }
        for (index, done) in batch {
            all[index] = Some(done);
        }
    }
    Ok(all.into_iter().map(|done| done.unwrap_or(Done::Interrupted)).collect())
}
