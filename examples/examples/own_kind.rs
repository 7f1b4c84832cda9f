//! An actor kind of one's own in a scenario: it counts the trades that are large, and the scenario says which ones are.

use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};
use stillpoint_actors::{Decimals, Quantity, Trade};
use stillpoint_engine::scenario::{Registry, Scenario, SceneError};
use stillpoint_engine::{Actor, Context, Handler, Outcome, Report, Saving};

#[derive(Serialize, Deserialize)]
struct LargeTrades {
    at_least: Quantity,
    seen: i64,
}

impl Actor for LargeTrades {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Trade>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("seen", self.seen);
    }
}

impl Handler<Trade> for LargeTrades {
    fn handle(&mut self, trade: &Trade, _: &mut Context<'_, Self>) {
        self.seen += i64::from(trade.quantity >= self.at_least);
    }
}

/// What a scenario writes in `large_trades(..)`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    trades: String,
    at_least: String,
}

/// The kind `large_trades` beside those that come with the crates.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    stillpoint_adapters::register(&mut registry);
    registry
        .actor("large_trades", "Counts large trades.", |params: Params, scene| {
            let trades = scene.stream::<Trade>(&params.trades)?;
            scene.subscribe(trades);
            let at_least = Quantity::parse(&params.at_least, Decimals::EIGHT);
            let at_least = at_least.map_err(|error| SceneError::param("at_least", error.to_string()).with_help(error.help()))?;
            Ok(LargeTrades { at_least, seen: 0 })
        })
        .param("trades", "the stream of trades")
        .param("at_least", "the least quantity that counts");
    registry
}

/// Runs scenarios/own-kind.ron.
pub(crate) fn run() -> Result<Outcome, Box<dyn Error>> {
    let scenario = Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/own-kind.ron"), &[])?;
    Ok(scenario.build(&registry())?.simulation.run()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let outcome = run()?;
    println!("{} trades, of which large: {:?}", outcome.events, outcome.report("large"));
    Ok(())
}
