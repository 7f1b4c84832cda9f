//! Strategies: the desk against a scripted exchange and the real one, limits at their bounds, a naive model, and each strategy by hand.

mod bracket;
mod breakout;
mod desk;
mod exchange;
mod faults;
mod hosts;
mod kinds;
mod kit;
mod limits;
mod ma_cross;
mod macd_rsi;
mod market_maker;
mod pairs;
mod properties;
mod times;
mod twap;
