//! The determinism kit: random programs and a naive reference model that hold the engine to its rules of time.

pub mod chaos;
