//! Versioned, crash-safe time series for research data and results.

pub mod chunk;
pub mod documents;
pub mod history;
