//! What kinds say of themselves for whoever runs the scenario. Invariant: notes are in the order in which kinds were made, and change no run.

use std::any::Any;

/// What the kinds of a scenario have [noted](super::Scene::note): values of any type, each with the name of the stream or actor it is from.
///
/// The engine knows none of them. A crate of kinds notes values of its own types, such as which instruments an actor trades, and a program
/// that reports on the run looks for these types.
///
/// ```
/// use stillpoint_engine::scenario::Notes;
/// let mut notes = Notes::default();
/// notes.add("btc", 8u32);
/// notes.add("eth", "text");
/// assert_eq!(notes.of::<u32>().collect::<Vec<_>>(), [("btc", &8)]);
/// ```
#[derive(Default)]
pub struct Notes {
    notes: Vec<(String, Box<dyn Any>)>,
}

impl Notes {
    /// Keeps a note of the stream or actor `name`.
    pub fn add<T: Any>(&mut self, name: &str, note: T) {
        self.notes.push((name.to_owned(), Box::new(note)));
    }

    /// All notes of a type, each with the name of who made it.
    pub fn of<T: Any>(&self) -> impl Iterator<Item = (&str, &T)> {
        self.notes.iter().filter_map(|(name, note)| Some((name.as_str(), note.downcast_ref()?)))
    }
}
