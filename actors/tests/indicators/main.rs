//! Indicators against TA-Lib, published figures, and windows computed anew at each value.

mod against_ta_lib;
mod edges;
mod naive;
mod series;

use std::num::NonZeroU32;

fn period(count: usize) -> NonZeroU32 {
    NonZeroU32::new(count as u32).expect("not zero")
}

/// Equal to `tolerance`, relative above 1.
fn close(found: f64, wanted: f64, tolerance: f64) -> bool {
    (found - wanted).abs() <= tolerance * wanted.abs().max(1.0)
}
