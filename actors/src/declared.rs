//! Instruments as the kinds of a scenario declare them. Invariant: the kinds of one scenario mean the same instrument by a number, in the same
//! units, or the scenario is refused.

use stillpoint_engine::Actor;
use stillpoint_engine::scenario::{Scene, SceneError, StreamScene};

use crate::instrument::Instrument;

/// Says that an actor trades, or keeps accounts of, this instrument: reports are told, and what others say of it must not differ in symbol,
/// decimals, steps, multiplier, contract or, where both name one, currency. Kinds of your own call it for each of their instruments.
///
/// # Errors
/// [`SceneError`] that names the two that differ.
pub fn declare<A: Actor>(scene: &mut Scene<'_, A>, instrument: &Instrument) -> Result<(), SceneError> {
    scene.note(instrument.clone());
    let mut facts = units(instrument);
    facts.extend([
        ("tick_size", instrument.tick_size.0.to_string()),
        ("lot_size", instrument.lot_size.0.to_string()),
        ("multiplier", instrument.multiplier.to_string()),
        ("contract", format!("{:?}", instrument.contract)),
    ]);
    if !instrument.quote_currency.is_empty() {
        facts.push(("quote_currency", format!("{:?}", instrument.quote_currency)));
    }
    scene.state(&subject(instrument), &facts).map_err(|error| error.at(&instrument.symbol))
}

/// Says that a stream carries this instrument: as [`declare`], but of its symbol and decimals alone, which are all that its numbers depend on.
///
/// # Errors
/// [`SceneError`] that names the two that differ.
pub fn declare_carried(scene: &mut StreamScene<'_>, instrument: &Instrument) -> Result<(), SceneError> {
    scene.note(instrument.clone());
    scene.state(&subject(instrument), &units(instrument)).map_err(|error| error.at(&instrument.symbol))
}

fn subject(instrument: &Instrument) -> String {
    format!("instrument {}", instrument.id.0)
}

fn units(instrument: &Instrument) -> Vec<(&'static str, String)> {
    vec![
        ("symbol", format!("{:?}", instrument.symbol)),
        ("price_decimals", instrument.price_decimals.count().to_string()),
        ("quantity_decimals", instrument.quantity_decimals.count().to_string()),
    ]
}
