//! Versioned, crash-safe time series for research data and results.

pub mod request;
