//! The kinds of the feature `exchange` in a build without it.

use stillpoint_engine::scenario::Registry;

/// Adds their names.
pub(crate) fn register(registry: &mut Registry) {
    registry.absent_streams(
        "exchange",
        &[
            ("script_book", "Plays a script of changes of a book by order, in builds with the feature `exchange`."),
            ("script_depth", "Plays a script of changes of depth by price, in builds with the feature `exchange`."),
            ("script_funding", "Plays a script of funding, in builds with the feature `exchange`."),
            ("script_rates", "Plays a script of conversion rates, in builds with the feature `exchange`."),
        ],
    );
    registry.absent_actors(
        "exchange",
        &[
            ("bars", "Makes bars of trades or quotes, in builds with the feature `exchange`."),
            ("breakout", "Follows closes beyond a Donchian channel, in builds with the feature `exchange`."),
            ("exchange", "Matches orders with each other and with a recorded market, in builds with the feature `exchange`."),
            ("ma_cross", "Follows the crosses of two simple moving averages, in builds with the feature `exchange`."),
            ("macd_rsi", "Follows the crosses of a MACD that an RSI does not warn of, in builds with the feature `exchange`."),
            ("market_maker", "Quotes both sides of the mid price, in builds with the feature `exchange`."),
            ("pairs", "Trades the residual of a rolling regression back to zero, in builds with the feature `exchange`."),
            ("portfolio", "Keeps accounts between strategies and exchanges, in builds with the feature `exchange`."),
            ("twap", "Buys or sells a quantity in equal parts, in builds with the feature `exchange`."),
        ],
    );
}
