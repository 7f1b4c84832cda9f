//! Strategies with one fault each, which the kit must catch by the checks that a golden table names, and good ones of real shape, about which
//! it must say nothing.
#![expect(clippy::disallowed_macros, reason = "one of the faults is thread-local state, and this lint looks here for its level")]

mod events;
mod faulty;
mod good;
mod shrinking;
mod table;
