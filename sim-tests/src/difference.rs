//! The first difference of two runs, explained. Invariant: what is reported as different is different in the runs that were compared.

use std::fmt;

use stillpoint_engine::Instant;
use stillpoint_engine::trace;

use crate::facts::Facts;

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The instant, round and step of the first delivery that differs, if a delivery does.
    pub at: Option<(Instant, u32, u32)>,
    /// Who received it; both, if they are not the same.
    pub actors: Vec<String>,
    /// Both records and what led to them, or the results that differ: some lines of text.
    pub text: String,
}

impl Difference {
    /// The first difference of two traces, below lines that say what they are.
    pub(crate) fn of(difference: &trace::Difference, sides: &str) -> Self {
        let received = [&difference.a, &difference.b].into_iter().flatten().map(|found| found.record.receiver.to_string());
        let mut actors: Vec<String> = received.collect();
        actors.dedup();
        Self { at: Some(difference.when()), actors, text: format!("{sides}\n{difference}") }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first fact that differs, where no delivery does.
pub(crate) fn of_facts(a: &Facts, b: &Facts) -> Difference {
    let differs = a.iter().zip(b).find(|(in_a, in_b)| in_a != in_b && in_a.0 != "the trace hash");
    let text = match differs {
        Some(((what, in_a), (other, in_b))) if what == other => format!("all deliveries are equal, but not {what}\nA  {in_a}\nB  {in_b}"),
        Some(((what, in_a), (other, in_b))) => {
            format!("all deliveries are equal, but not what is told\nA  {what}: {in_a}\nB  {other}: {in_b}")
        }
        None => format!("all deliveries are equal, but one run tells {} things and the other {}", a.len(), b.len()),
    };
    Difference { at: None, actors: Vec::new(), text }
}
