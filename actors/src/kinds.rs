//! The kinds of actors that scenarios may name from this crate.

use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use stillpoint_engine::scenario::{Registry, Scene, SceneError, Script};
use stillpoint_engine::{Actor, Handler, Message};

use crate::decimal::{DecimalError, Decimals, Quantity};
use crate::declared::declare;
use crate::ema_cross::{EmaCross, EmaCrossError, EmaCrossSettings, PriceOf};
use crate::event::{MarketEvent, Quote, Trade};
use crate::instrument::Instrument;
use crate::order::{Order, OrderEvent};
use crate::venue::Venue;
use crate::wiring::{self, Takes};

/// Adds the kinds `ema_cross` and `venue`, and scripts of quotes, trades and both; with the feature `exchange` also `exchange`, `portfolio`, `bars`, those
/// of [`strategies`](crate::strategies), and scripts of depth by price, books by order, funding and conversion rates, which are there in name only
/// without it.
pub fn register(registry: &mut Registry) {
    crate::parts::register(registry);
    script::<Quote>(
        registry,
        ("script_quotes", "Plays a script of quotes."),
        "(steps: [Add(value: (instrument: 0, bid: 99, bid_quantity: 5, ask: 101, ask_quantity: 5))])",
    );
    script::<Trade>(
        registry,
        ("script_trades", "Plays a script of trades."),
        "(steps: [Add(value: (instrument: 0, side: Buy, price: 100, quantity: 5, id: 1))])",
    );
    script::<MarketEvent>(
        registry,
        ("script_market_events", "Plays a script of quotes and trades."),
        "(steps: [Add(value: Trade((instrument: 0, side: Buy, price: 100, quantity: 5, id: 1)))])",
    );
    registry
        .actor("ema_cross", "Buys when a fast average of prices rises above a slow one, sells when it falls below.", ema_cross)
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quotes", "streams of quotes to hear")
        .param("trades", "streams of trades to hear")
        .param("events", "streams of quotes and trades in one to hear")
        .param("venue", "the actor that takes its orders; with links declared, there must be one each way")
        .param("fast", "how many values the fast average covers")
        .param("slow", "how many values the slow average covers")
        .param("price_of", "what is averaged: the mid price of Quotes, or the price of Trades")
        .param("quantity", "how much one order is for, such as \"0.01\"; twice the limit turns the position at every cross")
        .param("limit", "the most it holds, long or short, such as \"0.005\"")
        .example(
            r#"(instrument: (id: 0, symbol: "BTCUSDT"), quotes: ["btc-quotes"], trades: [], events: [], venue: "venue", fast: 50, slow: 200, price_of: Quotes, quantity: "0.02", limit: "0.01")"#,
        )
        .accepts::<OrderEvent>();
    registry
        .actor("venue", "Fills marketable orders at the opposite quote, up to the quantity displayed; cancels the rest.", venue)
        .param("instruments", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quotes", "streams of quotes to fill orders from")
        .param("trades", "streams of trades to hear")
        .param("events", "streams of quotes and trades in one to hear")
        .example(r#"(instruments: [(id: 0, symbol: "BTCUSDT")], quotes: ["btc-quotes"], trades: ["btc-trades"], events: [])"#)
        .accepts::<Order>();
    #[cfg(feature = "exchange")]
    {
        crate::market::register(registry);
        crate::exchange::register(registry);
        crate::strategies::register(registry);
        crate::portfolio::register(registry);
    }
    #[cfg(not(feature = "exchange"))]
    crate::absent::register(registry);
}

pub(crate) fn script<M: Message + Clone + DeserializeOwned>(
    registry: &mut Registry,
    (name, doc): (&'static str, &'static str),
    example: &'static str,
) {
    let steps = "as those of `script`; prices and quantities are whole numbers, in units of the instrument's last decimal";
    registry.stream::<Script<M>, M>(name, doc, |script, scene| script.stream(scene.start())).param("steps", steps).example(example);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmaCrossParams {
    instrument: Instrument,
    #[serde(default)]
    quotes: Vec<String>,
    #[serde(default)]
    trades: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    venue: String,
    fast: NonZeroU32,
    slow: NonZeroU32,
    #[serde(default)]
    price_of: PriceOf,
    quantity: String,
    limit: String,
}

fn ema_cross(params: EmaCrossParams, scene: &mut Scene<'_, EmaCross>) -> Result<EmaCross, SceneError> {
    hear(scene, &params.quotes, &params.trades, &params.events)?;
    let (field, streams) = match params.price_of {
        PriceOf::Quotes => ("quotes", &params.quotes),
        PriceOf::Trades => ("trades", &params.trades),
    };
    if streams.is_empty() && params.events.is_empty() {
        let cause = format!("is {:?}, but neither `{field}` nor `events` names a stream", params.price_of);
        return Err(SceneError::param("price_of", cause).with_help(format!("name one in `{field}`")));
    }
    declare(scene, &params.instrument)?;
    let decimals = params.instrument.quantity_decimals;
    let settings = EmaCrossSettings {
        fast: params.fast,
        slow: params.slow,
        price_of: params.price_of,
        quantity: quantity("quantity", &params.quantity, decimals)?,
        limit: quantity("limit", &params.limit, decimals)?,
        instrument: params.instrument,
    };
    let venue = wiring::venue::<Order, _>(scene, &params.venue)?;
    let symbol = settings.instrument.symbol.clone();
    wiring::taken(scene, &params.venue, &settings.instrument, move |cause| SceneError::value(&symbol, cause));
    EmaCross::new(settings, venue).map_err(|error| match error {
        EmaCrossError::NotFaster { fast, .. } => SceneError::param("slow", format!("must be above `fast`, which is {fast}")),
        EmaCrossError::NotPositive => SceneError::new(error.to_string()),
    })
}

pub(crate) fn quantity(param: &str, text: &str, decimals: Decimals) -> Result<Quantity, SceneError> {
    Quantity::parse(text, decimals).map_err(|error| unreadable(param, text, error))
}

/// An amount with at most 8 decimals, in units of 10^-`decimals`.
#[cfg(feature = "exchange")]
pub(crate) fn money(param: &str, text: &str, decimals: u32) -> Result<crate::Money, SceneError> {
    let read = Decimals::new(decimals.min(8) as u8).expect("at most 18");
    let amount = crate::Price::parse(text, read).map_err(|error| unreadable(param, text, error))?;
    Ok(crate::Money(i128::from(amount.0).saturating_mul(10i128.pow(decimals - u32::from(read.count())))))
}

/// A decimal that is none.
pub(crate) fn unreadable(param: &str, text: &str, error: DecimalError) -> SceneError {
    SceneError::param(param, format!("is `{text}`, which {error}")).with_help(error.help())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VenueParams {
    instruments: Vec<Instrument>,
    #[serde(default)]
    quotes: Vec<String>,
    #[serde(default)]
    trades: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
}

fn venue(params: VenueParams, scene: &mut Scene<'_, Venue>) -> Result<Venue, SceneError> {
    hear(scene, &params.quotes, &params.trades, &params.events)?;
    params.instruments.iter().try_for_each(|instrument| declare(scene, instrument))?;
    scene.note(Takes::matched(params.instruments.iter()));
    Ok(Venue::new(params.instruments))
}

pub(crate) fn hear<A>(scene: &mut Scene<'_, A>, quotes: &[String], trades: &[String], events: &[String]) -> Result<(), SceneError>
where
    A: Actor + Handler<Quote> + Handler<Trade> + Handler<MarketEvent>,
{
    subscribe::<Quote, _>(scene, quotes)?;
    subscribe::<Trade, _>(scene, trades)?;
    subscribe::<MarketEvent, _>(scene, events)
}

/// To each of the streams that are named.
pub(crate) fn subscribe<M: Message + Clone, A: Actor + Handler<M>>(scene: &mut Scene<'_, A>, names: &[String]) -> Result<(), SceneError> {
    for name in names {
        let stream = scene.stream::<M>(name)?;
        scene.subscribe(stream);
    }
    Ok(())
}
