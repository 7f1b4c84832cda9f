//! What takes effect at the end of a step of the model. Invariant: spawns, then subscriptions, then stops, then the questions that were lost.

use stillpoint_engine::Path;

use super::handling::root_of;
use super::{Answer, AskId, Birth, Class, When, World, unit};

impl World<'_> {
    /// The end of a step: spawns, then subscriptions, then stops, then the questions that were lost (R7, R17).
    pub(super) fn effects(&mut self) {
        for birth in std::mem::take(&mut self.births) {
            let Birth { parent, being, rank, role, generation, count } = birth;
            if self.stopping.iter().any(|path| is_within(&parent, path)) {
                self.happened("never born");
                continue;
            }
            self.bear(&being, rank, role, generation);
            let when = When { step: self.now.step + 1, ..self.now };
            let parent_rank = self.rank(&parent);
            self.put_start(when, parent, count, parent_rank, being.path);
        }
        for (publisher, flash, subscriber) in std::mem::take(&mut self.new_subscriptions) {
            // A publisher in another component cannot know of a later call.
            let is_near = self.program.joined(root_of(&publisher), subscriber.root);
            if !is_near || self.last_call.get(&(subscriber.path.clone(), publisher.clone(), flash)) == Some(&true) {
                self.subscribers.entry((publisher, flash)).or_default().insert(subscriber.path, subscriber.root);
            }
        }
        // Last, so that a call ends what was asked for before it, on its way or not.
        for (publisher, flash, subscriber) in std::mem::take(&mut self.ended_subscriptions) {
            if let Some(list) = self.subscribers.get_mut(&(publisher, flash)) {
                list.remove(&subscriber);
            }
        }
        for path in std::mem::take(&mut self.stopping) {
            self.end_tree(&path);
        }
        let mut lost = std::mem::take(&mut self.lost);
        lost.sort_by(|a, b| {
            let order = |ask: &AskId| {
                let ask = &self.asks[ask];
                ((self.rank(&ask.target.path), ask.target.path.clone()), ask.order.clone())
            };
            order(a).cmp(&order(b))
        });
        for ask in lost {
            let (target, count) = (self.asks[&ask].target.clone(), self.asks[&ask].count);
            let seq = self.draw_seq(&target.path);
            self.send_reply(&target, ask, seq, count, "gone", unit(), Answer::Gone);
        }
    }

    /// Ends an actor and all under it. Its questions from others are lost; what it waits for vanishes.
    fn end_tree(&mut self, path: &Path) {
        let tree: Vec<Path> = self.people.keys().filter(|other| is_within(other, path)).cloned().collect();
        for path in tree {
            self.people.remove(&path);
            for list in self.subscribers.values_mut() {
                list.remove(&path);
            }
            self.queue.retain(|key, _| key.receiver != path || !matches!(key.class, Class::Start | Class::Timer | Class::Wake));
            let held: Vec<AskId> = self.unanswered.iter().filter(|ask| self.asks[ask].target.path == path).copied().collect();
            for ask in held {
                self.happened("a question lost in a stop");
                self.unanswered.remove(&ask);
                self.lost.push(ask);
            }
            self.happened("an actor ends");
        }
    }
}

/// Whether an actor is `top` or stands under it.
fn is_within(path: &Path, top: &Path) -> bool {
    path == top || path.to_string().starts_with(&format!("{top}/"))
}
