//! How the actors of a scenario that trade with each other must fit together. Invariant: what does not fit is told before anything runs, where the
//! scenario writes it.

use std::collections::BTreeMap;

use stillpoint_engine::scenario::{Notes, Scene, SceneError};
use stillpoint_engine::{Actor, Message, Recipient};

use crate::instrument::{Instrument, InstrumentId};

/// What kinds that take orders note: in which instruments, each with its symbol, and where an order goes on to. `None`: it is matched there.
pub(crate) struct Takes(pub(crate) BTreeMap<InstrumentId, (String, Option<String>)>);

impl Takes {
    /// Orders in these instruments, which are matched.
    pub(crate) fn matched<'i>(instruments: impl Iterator<Item = &'i Instrument>) -> Self {
        Self(instruments.map(|instrument| (instrument.id, (instrument.symbol.clone(), None))).collect())
    }

    fn of<'n>(notes: &'n Notes, name: &str) -> Option<&'n Self> {
        notes.of::<Self>().find(|(who, _)| *who == name).map(|(_, takes)| takes)
    }
}

/// The actor that takes orders, which must be able to answer.
pub(crate) fn venue<M: Message, A: Actor>(scene: &mut Scene<'_, A>, name: &str) -> Result<Recipient<M>, SceneError> {
    let venue = scene.recipient::<M>(name)?;
    scene.linked(name)?;
    Ok(venue)
}

/// Has it looked at, when all actors are made, that `venue` takes orders in an instrument. Of kinds that do not say what they take nothing is
/// known. `at` makes the error.
pub(crate) fn taken<A: Actor>(scene: &mut Scene<'_, A>, venue: &str, instrument: &Instrument, at: impl Fn(String) -> SceneError + 'static) {
    let (venue, id, symbol) = (venue.to_owned(), instrument.id, instrument.symbol.clone());
    scene.check(move |notes| {
        let Some(takes) = Takes::of(notes, &venue) else { return Ok(()) };
        if takes.0.contains_key(&id) {
            return Ok(());
        }
        let known: Vec<String> = takes.0.iter().map(|(id, (symbol, _))| format!("`{symbol}` (id {})", id.0)).collect();
        let help = match &known[..] {
            [] => format!("`{venue}` trades nothing: add the instrument there"),
            known => format!("`{venue}` trades {}: give the id of one of these, or add the instrument there", known.join(", ")),
        };
        Err(at(format!("`{symbol}` (id {}) is not traded by `{venue}`", id.0)).with_help(help))
    });
}

/// Has it looked at that orders which are handed on to `venue` are matched in the end, and do not go round.
#[cfg(feature = "exchange")]
pub(crate) fn ends<A: Actor>(scene: &mut Scene<'_, A>, venue: &str, instrument: InstrumentId, at: impl Fn(String) -> SceneError + 'static) {
    let (mut met, mut next) = (std::collections::BTreeSet::from([scene.name().to_owned()]), Some(venue.to_owned()));
    scene.check(move |notes| {
        while let Some(name) = next.take() {
            if !met.insert(name.clone()) {
                return Err(at(format!("leads back to `{name}`: orders would never come to an exchange")).with_help("name an exchange"));
            }
            next = Takes::of(notes, &name).and_then(|takes| takes.0.get(&instrument)?.1.clone());
        }
        Ok(())
    });
}
