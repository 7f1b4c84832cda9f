//! Figures about a run. Invariant: they are written, never read, while it runs, so they cannot change it.

use std::fmt;

use hdrhistogram::Histogram;

/// Distributions over a run, as HDR histograms with three significant digits.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Deliveries per instant.
    pub events_per_instant: Histogram<u64>,
    /// Steps per instant.
    pub steps_per_instant: Histogram<u64>,
    /// Deliveries per mailbox and step.
    pub mailbox_depth: Histogram<u64>,
    /// How far late items lay behind, in nanoseconds.
    pub lag_ns: Histogram<u64>,
    /// How long handlers took, in nanoseconds of the clock that was given; empty without one.
    pub handler_ns: Histogram<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram = || Histogram::new(3).expect("three digits are allowed");
        Self {
            events_per_instant: histogram(),
            steps_per_instant: histogram(),
            mailbox_depth: histogram(),
            lag_ns: histogram(),
            handler_ns: histogram(),
        }
    }

    /// Adds what another shard has measured.
    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.events_per_instant, &other.events_per_instant),
            (&mut self.steps_per_instant, &other.steps_per_instant),
            (&mut self.mailbox_depth, &other.mailbox_depth),
            (&mut self.lag_ns, &other.lag_ns),
            (&mut self.handler_ns, &other.handler_ns),
        ];
        for (histogram, other) in pairs {
            histogram.add(other).expect("histograms of one kind that grow");
        }
    }

    pub(crate) fn instant(&mut self, deliveries: u64, steps: u64) {
        self.events_per_instant.saturating_record(deliveries);
        self.steps_per_instant.saturating_record(steps);
    }

    pub(crate) fn mailbox(&mut self, deliveries: u64) {
        self.mailbox_depth.saturating_record(deliveries);
    }

    pub(crate) fn lag(&mut self, nanos: i64) {
        self.lag_ns.saturating_record(nanos.unsigned_abs());
    }

    pub(crate) fn handler(&mut self, nanos: u64) {
        self.handler_ns.saturating_record(nanos);
    }

    /// The distributions with their names.
    pub fn named(&self) -> [(&'static str, &Histogram<u64>); 5] {
        [
            ("events per instant", &self.events_per_instant),
            ("steps per instant", &self.steps_per_instant),
            ("mailbox depth", &self.mailbox_depth),
            ("lag in ns", &self.lag_ns),
            ("handler time in ns", &self.handler_ns),
        ]
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:>12} {:>10} {:>10} {:>10} {:>10}", "", "count", "mean", "p50", "p99", "max")?;
        for (name, histogram) in self.named() {
            if !histogram.is_empty() {
                let (p50, p99) = (histogram.value_at_quantile(0.5), histogram.value_at_quantile(0.99));
                let (count, mean, max) = (histogram.len(), histogram.mean(), histogram.max());
                writeln!(f, "{name:<20} {count:>12} {mean:>10.2} {p50:>10} {p99:>10} {max:>10}")?;
            }
        }
        Ok(())
    }
}
