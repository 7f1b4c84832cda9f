//! The exchange: hand-computed cases, general rules, a naive model, and the actor in runs.

mod actor;
mod cases;
mod naive;
mod properties;
mod scenario;
mod text;
