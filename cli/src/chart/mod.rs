//! Charts as SVG and the page that holds them. Invariant: what is drawn depends on what is given alone, to the byte, and a page needs no
//! other file and no network.
//!
//! A [`Chart`] has a horizontal and a vertical [`Axis`] and any number of [`Series`]; a [`HeatMap`] has cells. Both become a figure of a
//! [`Page`], whose style sheet gives the colours of light, dark and paper, and whose script shows values under the pointer. Charts are as wide as
//! the page: positions are in percent, texts in pixels, so that nothing shrinks on a phone.

mod axis;
mod figure;
mod heat;
mod page;
mod thin;

pub(crate) use axis::{Axis, number, span};
pub(crate) use heat::HeatMap;
pub(crate) use page::{Page, Section};
pub(crate) use thin::thinned;

pub(crate) use crate::graph::escaped;

/// Lines have at most about so many points.
pub(crate) const MOST_POINTS: usize = 2_000;

/// How a series is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A line from point to point.
    Line,
    /// A line that holds each value until the next point.
    Step,
    /// A line, and what is between it and zero.
    Area,
    /// Triangles that point up.
    Up,
    /// Triangles that point down.
    Down,
    /// Points.
    Dots,
    /// Bars from each point's x to the end of the same index; bars of several series at one place are stacked.
    Bars {
        /// Where each bar ends.
        ends: Vec<f64>,
    },
}

/// Values with a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// The number of its colour among those of the page, taken modulo eight.
    pub(crate) colour: usize,
    /// In order of x, all finite.
    pub(crate) points: Vec<(f64, f64)>,
}

/// A chart with two axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// Names it within its page: letters, digits and hyphens.
    pub(crate) id: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// How high the plot is, in pixels.
    pub(crate) height: u32,
    pub(crate) series: Vec<Series>,
}
