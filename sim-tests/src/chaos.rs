//! Random programs, run by the engine and by a naive model of the rules of time. Invariant: both give the same account of every program.

pub mod account;
mod actor;
pub mod engine;
mod messages;
mod mind;
pub mod model;
pub mod program;
pub mod strategy;
