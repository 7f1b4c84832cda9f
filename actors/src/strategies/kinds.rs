//! The kinds of strategies that scenarios may name. Invariant: texts become whole numbers by the decimals of their instrument, or an error that
//! names the field.

use std::num::NonZeroU32;

use serde::Deserialize;
use stillpoint_engine::scenario::{Registry, Scene, SceneError};
use stillpoint_engine::{Duration, Instant};

use super::{
    Breakout, BreakoutSettings, MaCross, MaCrossSettings, MacdRsi, MacdRsiSettings, MarketMaker, MarketMakerSettings, Pairs, PairsSettings,
    Twap, TwapSettings,
};
use crate::decimal::{Price, Quantity};
use crate::declared::declare;
use crate::event::{Bar, Side};
use crate::indicators::MacdPeriods;
use crate::instrument::Instrument;
use crate::kinds;
use crate::market::BarMaker;
use crate::order::{OrderEvent, OrderRequest};
use crate::strategy::{BasisPoints, InstrumentLimits, OrderRate, RiskLimits, Route, SettingsError, Strategy, Trader, TraderSettings};
use crate::wiring;

/// Documents what all kinds of strategies have in common.
macro_rules! trader_params {
    ($kind:expr) => {
        $kind
            .param("exchange", "the exchange that takes its orders; with links declared, there must be one each way")
            .param("quotes", "streams of quotes to hear")
            .param("trades", "streams of trades to hear")
            .param("events", "streams of quotes and trades in one to hear")
            .param("bars", "streams of bars to hear")
            .param("bars_of", "actors of kind `bars` to hear; with links declared, there must be one each way")
            .param("limits", "what it must not go beyond; default: nothing")
            .param("trade_from", "when trading begins: what comes before is there to learn from; default: at the start")
            .param("trade_until", "when everything is cancelled and trading is over; default: never")
            .accepts::<OrderEvent>()
    };
}

/// Adds the kinds `breakout`, `ma_cross`, `macd_rsi`, `market_maker`, `pairs` and `twap`.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .part::<LimitsParams>("limits", "What a strategy must not go beyond.")
        .optional("max_order", "any", "the largest quantity of one order, such as \"0.5\"")
        .optional("max_position", "any", "the largest position of each instrument, long or short, such as \"2\"")
        .optional("max_open_orders", "any", "how many orders may be open")
        .optional("max_orders", "any", "how many orders and changes may be sent in a time")
        .optional("collar", "any", "how far a limit may be from the mid price, either way, in basis points")
        .optional("max_loss", "any", "the loss at which it cancels everything and stops, in the currency of prices, such as \"100\"");
    registry
        .part::<OrderRate>("order rate", "How many orders and changes may be sent.")
        .field("count", "how many")
        .field("within", "in how long");
    let doc = "Quotes both sides of the mid price with post-only orders, shifted against what it holds.";
    let kind = registry.actor("market_maker", doc, market_maker);
    let kind = kind
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quantity", "how much it quotes on each side, in the underlying or contracts, such as \"0.01\"; rounded down to whole lots")
        .param("limit", "the most it holds, long or short, such as \"0.05\"")
        .param("half_spread", "how far its prices are from their centre, in the quote currency, such as \"0.50\"")
        .param("skew", "how far the centre is below the mid when it is long by its limit, and above when it is short by it; in the quote currency, such as \"1.00\"")
        .param("requote", "how far a price must have moved before its order is moved, in the quote currency; default: any distance");
    trader_params!(kind).example(
        r#"(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes"], quantity: "0.01", limit: "0.05", half_spread: "0.5", skew: "0.5", limits: (max_open_orders: 2, max_loss: "100"))"#,
    );

    let doc = "Trades the residual of one instrument's rolling regression on another back to zero.";
    let kind = registry.actor("pairs", doc, pairs);
    let kind = kind
        .param("y", "the instrument that is explained; 8 decimals each for prices and quantities unless given")
        .param("x", "the instrument that explains it")
        .param("quantity", "how much of `y` it holds, long or short, such as \"0.5\"")
        .param("period", "how many samples the regression covers")
        .param("every", "how long it is from sample to sample, such as \"1s\"")
        .param("entry", "the z-score of the residual beyond which it opens; 2.0 is usual")
        .param("exit", "the z-score within which it closes; 0.5 is usual");
    trader_params!(kind).example(
        r#"(y: (id: 1, symbol: "ETHUSDT"), x: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes", "eth-quotes"], quantity: "0.5", period: 120, every: "1s", entry: 2.0, exit: 0.5)"#,
    );

    let doc = "Follows the crosses of a MACD of bars that an RSI does not warn of.";
    let kind = registry.actor("macd_rsi", doc, macd_rsi);
    let kind = kind
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quantity", "how much it holds, long or short, such as \"0.01\"")
        .param("macd", "the periods of the MACD in bars; default: (fast: 12, slow: 26, signal: 9)")
        .param("rsi", "the period of the RSI in bars; default: 14")
        .param("overbought", "it does not buy while the RSI is this high; default: 70")
        .param("oversold", "it does not sell while the RSI is this low; default: 30")
        .param("long_only", "whether it is never short; default: false");
    trader_params!(kind).example(
        r#"(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes"], bars_of: ["minutes"], quantity: "0.01")"#,
    );

    let doc = "Follows the crosses of two simple moving averages of the closes of bars.";
    let kind = registry.actor("ma_cross", doc, ma_cross);
    let kind = kind
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quantity", "how much it holds, long or short, such as \"0.01\"")
        .param("fast", "of how many closes the fast average is")
        .param("slow", "of how many closes the slow average is")
        .param("long_only", "whether it is never short; default: false");
    trader_params!(kind).example(
        r#"(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes"], bars_of: ["minutes"], quantity: "0.01", fast: 10, slow: 50)"#,
    );

    let doc = "Follows closes beyond a Donchian channel of the bars before.";
    let kind = registry.actor("breakout", doc, breakout);
    let kind = kind
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("quantity", "how much it holds, long or short, such as \"0.01\"")
        .param("entry", "of how many bars the channel is whose breakout opens a position")
        .param("exit", "of how many bars the channel is whose breakout closes it")
        .param("long_only", "whether it is never short; default: false");
    trader_params!(kind).example(
        r#"(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes"], bars_of: ["minutes"], quantity: "0.01", entry: 20, exit: 10)"#,
    );

    let doc = "Buys or sells a quantity in equal parts at equal distances of time.";
    let kind = registry.actor("twap", doc, twap);
    let kind = kind
        .param("instrument", "what it trades; 8 decimals each for prices and quantities unless given")
        .param("side", "Buy or Sell")
        .param("quantity", "how much in all, such as \"2.5\"")
        .param("slices", "in how many parts")
        .param("every", "how long it is from part to part, such as \"10s\"")
        .param("start", "when the first part is sent; default: at the first quote")
        .param("limit", "the worst price, such as \"87000\"; default: any");
    trader_params!(kind).example(
        r#"(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", quotes: ["btc-quotes"], side: Buy, quantity: "2.5", slices: 10, every: "10s")"#,
    );
}

/// Limits as a scenario gives them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsParams {
    max_order: Option<String>,
    max_position: Option<String>,
    max_open_orders: Option<u32>,
    max_orders: Option<OrderRate>,
    collar: Option<BasisPoints>,
    max_loss: Option<String>,
}

/// A struct of parameters with those that all kinds of strategies have in common, which [`Common`] takes out.
macro_rules! params {
    ($name:ident { $($(#[$attribute:meta])* $field:ident: $of:ty),* $(,)? }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $($(#[$attribute])* $field: $of,)*
            exchange: String,
            #[serde(default)]
            quotes: Vec<String>,
            #[serde(default)]
            trades: Vec<String>,
            #[serde(default)]
            events: Vec<String>,
            #[serde(default)]
            bars: Vec<String>,
            #[serde(default)]
            bars_of: Vec<String>,
            #[serde(default)]
            limits: LimitsParams,
            #[serde(default)]
            trade_from: Option<Instant>,
            #[serde(default)]
            trade_until: Option<Instant>,
        }

        impl $name {
            fn common(&self) -> Common<'_> {
                let Self { exchange, quotes, trades, events, bars, bars_of, limits, trade_from, trade_until, .. } = self;
                Common { exchange, quotes, trades, events, bars, bars_of, limits, trade_from: *trade_from, trade_until: *trade_until }
            }
        }
    };
}

/// What all kinds of strategies have in common.
struct Common<'p> {
    exchange: &'p str,
    quotes: &'p [String],
    trades: &'p [String],
    events: &'p [String],
    bars: &'p [String],
    bars_of: &'p [String],
    limits: &'p LimitsParams,
    trade_from: Option<Instant>,
    trade_until: Option<Instant>,
}

impl Common<'_> {
    /// Hears what there is to hear, and puts a trader around a strategy.
    fn trader<S: Strategy>(
        &self,
        instruments: Vec<Instrument>,
        strategy: Result<S, SettingsError>,
        scene: &mut Scene<'_, Trader<S>>,
    ) -> Result<Trader<S>, SceneError> {
        kinds::hear(scene, self.quotes, self.trades, self.events)?;
        kinds::subscribe::<Bar, _>(scene, self.bars)?;
        for name in self.bars_of {
            let maker = scene.addr::<BarMaker>(name)?;
            scene.linked(name)?;
            scene.subscribe_to::<Bar, _>(maker);
        }
        let strategy = strategy.map_err(fault)?;
        let venue = wiring::venue::<OrderRequest, _>(scene, self.exchange)?;
        for instrument in &instruments {
            let symbol = instrument.symbol.clone();
            wiring::taken(scene, self.exchange, instrument, move |cause| SceneError::value(&symbol, cause));
            declare(scene, instrument)?;
        }
        let limits = self.risk_limits(&instruments)?;
        let routes = instruments.into_iter().map(|instrument| {
            let limits = self.instrument_limits(&instrument)?;
            Ok::<_, SceneError>(Route { instrument, venue, limits })
        });
        let settings = TraderSettings {
            routes: routes.collect::<Result<_, _>>()?,
            limits,
            trade_from: self.trade_from,
            trade_until: self.trade_until,
            history: Vec::new(),
        };
        Trader::new(settings, strategy).map_err(fault)
    }

    fn instrument_limits(&self, instrument: &Instrument) -> Result<InstrumentLimits, SceneError> {
        let LimitsParams { max_order, max_position, .. } = self.limits;
        let limit = |field, text: &Option<String>| text.as_ref().map(|text| quantity(field, text, instrument)).transpose();
        Ok(InstrumentLimits { max_order: limit("max_order", max_order)?, max_position: limit("max_position", max_position)? })
    }

    fn risk_limits(&self, instruments: &[Instrument]) -> Result<RiskLimits, SceneError> {
        let LimitsParams { max_open_orders, max_orders, collar, max_loss, .. } = self.limits;
        let decimals = instruments.iter().map(Instrument::money_decimals).max().unwrap_or_default();
        let max_loss = max_loss.as_ref().map(|text| kinds::money("max_loss", text, decimals)).transpose()?;
        Ok(RiskLimits { max_open_orders: *max_open_orders, max_orders: *max_orders, collar: *collar, max_loss })
    }
}

fn fault(error: SettingsError) -> SceneError {
    SceneError::param(error.field(), error.cause())
}

fn quantity(field: &str, text: &str, instrument: &Instrument) -> Result<Quantity, SceneError> {
    kinds::quantity(field, text, instrument.quantity_decimals)
}

fn price(field: &str, text: &str, instrument: &Instrument) -> Result<Price, SceneError> {
    Price::parse(text, instrument.price_decimals).map_err(|error| kinds::unreadable(field, text, error))
}

params!(MarketMakerParams {
    instrument: Instrument,
    quantity: String,
    limit: String,
    half_spread: String,
    skew: String,
    #[serde(default)]
    requote: Option<String>,
});

fn market_maker(params: MarketMakerParams, scene: &mut Scene<'_, Trader<MarketMaker>>) -> Result<Trader<MarketMaker>, SceneError> {
    let instrument = &params.instrument;
    let settings = MarketMakerSettings {
        instrument: instrument.id,
        quantity: quantity("quantity", &params.quantity, instrument)?,
        limit: quantity("limit", &params.limit, instrument)?,
        half_spread: price("half_spread", &params.half_spread, instrument)?,
        skew: price("skew", &params.skew, instrument)?,
        requote: params.requote.as_ref().map(|text| price("requote", text, instrument)).transpose()?.unwrap_or_default(),
    };
    params.common().trader(vec![instrument.clone()], MarketMaker::new(settings), scene)
}

params!(PairsParams { y: Instrument, x: Instrument, quantity: String, period: NonZeroU32, every: Duration, entry: f64, exit: f64 });

fn pairs(params: PairsParams, scene: &mut Scene<'_, Trader<Pairs>>) -> Result<Trader<Pairs>, SceneError> {
    let PairsParams { y, x, period, every, entry, exit, .. } = &params;
    let quantity = quantity("quantity", &params.quantity, y)?;
    let settings = PairsSettings { y: y.id, x: x.id, quantity, period: *period, every: *every, entry: *entry, exit: *exit };
    params.common().trader(vec![y.clone(), x.clone()], Pairs::new(settings), scene)
}

params!(MacdRsiParams {
    instrument: Instrument,
    quantity: String,
    #[serde(default = "usual_macd")]
    macd: MacdPeriods,
    #[serde(default = "usual_rsi")]
    rsi: NonZeroU32,
    #[serde(default = "seventy")]
    overbought: f64,
    #[serde(default = "thirty")]
    oversold: f64,
    #[serde(default)]
    long_only: bool,
});

fn usual_macd() -> MacdPeriods {
    MacdPeriods::USUAL
}

fn usual_rsi() -> NonZeroU32 {
    const { NonZeroU32::new(14).unwrap() }
}

fn seventy() -> f64 {
    70.0
}

fn thirty() -> f64 {
    30.0
}

fn macd_rsi(params: MacdRsiParams, scene: &mut Scene<'_, Trader<MacdRsi>>) -> Result<Trader<MacdRsi>, SceneError> {
    let MacdRsiParams { instrument, macd, rsi, overbought, oversold, long_only, .. } = &params;
    need_bars(&params.common())?;
    let settings = MacdRsiSettings {
        instrument: instrument.id,
        quantity: quantity("quantity", &params.quantity, instrument)?,
        macd: *macd,
        rsi: *rsi,
        overbought: *overbought,
        oversold: *oversold,
        long_only: *long_only,
    };
    params.common().trader(vec![instrument.clone()], MacdRsi::new(settings), scene)
}

params!(BreakoutParams {
    instrument: Instrument,
    quantity: String,
    entry: NonZeroU32,
    exit: NonZeroU32,
    #[serde(default)]
    long_only: bool,
});

fn breakout(params: BreakoutParams, scene: &mut Scene<'_, Trader<Breakout>>) -> Result<Trader<Breakout>, SceneError> {
    let BreakoutParams { instrument, entry, exit, long_only, .. } = &params;
    need_bars(&params.common())?;
    let quantity = quantity("quantity", &params.quantity, instrument)?;
    let settings = BreakoutSettings { instrument: instrument.id, quantity, entry: *entry, exit: *exit, long_only: *long_only };
    params.common().trader(vec![instrument.clone()], Breakout::new(settings), scene)
}

params!(MaCrossParams {
    instrument: Instrument,
    quantity: String,
    fast: NonZeroU32,
    slow: NonZeroU32,
    #[serde(default)]
    long_only: bool,
});

fn ma_cross(params: MaCrossParams, scene: &mut Scene<'_, Trader<MaCross>>) -> Result<Trader<MaCross>, SceneError> {
    let MaCrossParams { instrument, fast, slow, long_only, .. } = &params;
    need_bars(&params.common())?;
    let quantity = quantity("quantity", &params.quantity, instrument)?;
    let settings = MaCrossSettings { instrument: instrument.id, quantity, fast: *fast, slow: *slow, long_only: *long_only };
    params.common().trader(vec![instrument.clone()], MaCross::new(settings), scene)
}

params!(TwapParams {
    instrument: Instrument,
    side: Side,
    quantity: String,
    slices: NonZeroU32,
    every: Duration,
    #[serde(default)]
    start: Option<Instant>,
    #[serde(default)]
    limit: Option<String>,
});

fn twap(params: TwapParams, scene: &mut Scene<'_, Trader<Twap>>) -> Result<Trader<Twap>, SceneError> {
    let TwapParams { instrument, side, slices, every, start, .. } = &params;
    let settings = TwapSettings {
        instrument: instrument.id,
        side: *side,
        quantity: quantity("quantity", &params.quantity, instrument)?,
        slices: *slices,
        every: *every,
        start: *start,
        limit: params.limit.as_ref().map(|text| price("limit", text, instrument)).transpose()?,
    };
    params.common().trader(vec![instrument.clone()], Twap::new(settings), scene)
}

fn need_bars(common: &Common<'_>) -> Result<(), SceneError> {
    if common.bars.is_empty() && common.bars_of.is_empty() {
        return Err(SceneError::param("bars", "names no stream, and `bars_of` no actor").with_help("name one in `bars_of`"));
    }
    Ok(())
}
