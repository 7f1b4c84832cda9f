//! What of two runs is compared for each check. Invariant: what is compared is what the check says must be the same, and nothing else.

use std::collections::BTreeMap;

use stillpoint_engine::trace::{Collect, Observer, Record, Side, TraceHash, TraceRecord};
use stillpoint_engine::{Instant, Path, Rank};

use crate::difference::{Difference, of_facts};
use crate::facts::{Facts, facts_without, is_of};
use crate::ran::Ran;

/// The whole runs.
pub(crate) fn whole(a: &Ran, b: &Ran) -> Option<Difference> {
    let (in_a, in_b) = (a.facts(), b.facts());
    if in_a == in_b {
        return None;
    }
    Some(of_traces(&a.trace, &b.trace).unwrap_or_else(|| of_facts(&in_a, &in_b)))
}

/// What others than these roots received and reported.
pub(crate) fn others(a: &Ran, b: &Ran, strangers: &[&str]) -> Option<Difference> {
    let facts = |ran: &Ran| facts_without(&ran.outcome, ran.error.as_ref(), strangers);
    let (in_a, in_b) = (facts(a), facts(b));
    if in_a == in_b {
        return None;
    }
    let known =
        |ran: &Ran, label: &str| traced(label, ran.trace.records().into_iter().filter(|record| !is_of(&record.receiver, strangers)));
    let found = of_traces(&known(a, "as it is"), &known(b, "with the bystander"));
    Some(found.unwrap_or_else(|| of_facts(&in_a, &in_b)))
}

/// What was received up to an instant, inclusive.
pub(crate) fn past(a: &Ran, b: &Ran, until: Instant) -> Option<Difference> {
    let past = |ran: &Ran, label: &str| traced(label, ran.trace.records().into_iter().filter(|record| record.at <= until));
    of_traces(&past(a, "as it is"), &past(b, "with another future"))
}

/// What of a record is compared: `None` leaves the record out, a text is compared beside who, when and what kind.
pub type Projection = dyn Fn(&Record) -> Option<String> + Send + Sync;

/// A projection of both traces, the second one moved back in time by `shift` nanoseconds.
pub(crate) fn projected(a: &Ran, b: &Ran, shift: i64, projection: Option<&Projection>) -> Option<Difference> {
    let project = |ran: &Ran, label: &str, shift: i64| {
        let records = ran.trace.records().into_iter().filter_map(|record| masked(record, projection));
        traced(label, records.map(|record| Record { at: Instant::from_nanos(record.at.as_nanos().saturating_sub(shift)), ..record }))
    };
    of_traces(&project(a, "as it is", 0), &project(b, "changed", shift))
}

/// A projection of what actors said to each other: without the items of streams, and without counts, which those shift.
pub(crate) fn conversations(a: &Ran, b: &Ran, streams: &[String], projection: Option<&Projection>) -> Option<Difference> {
    let said = |ran: &Ran, label: &str| {
        let mut counts: BTreeMap<Path, u64> = BTreeMap::new();
        let records = ran.trace.records().into_iter().filter(|record| !streams.contains(&record.sender.to_string()));
        let records = records.filter_map(|record| masked(record, projection)).map(move |record| {
            let count = counts.entry(record.receiver.clone()).or_default();
            *count += 1;
            Record { count: record.count.and(Some(*count)), sender_count: 0, ..record }
        });
        traced(label, records.collect::<Vec<_>>().into_iter())
    };
    of_traces(&said(a, "as it is"), &said(b, "with heartbeats"))
}

/// A record without its digest: what the projection gives takes the place of its text.
fn masked(record: Record, projection: Option<&Projection>) -> Option<Record> {
    match projection {
        None => Some(Record { digest: 0, text: None, ..record }),
        Some(projection) => {
            let text = projection(&record)?;
            Some(Record { digest: stillpoint_engine::digest_of(&text), text: Some(text), ..record })
        }
    }
}

/// Records as a trace of their own.
pub(crate) fn traced(label: &str, records: impl Iterator<Item = Record>) -> Collect {
    let mut ids: BTreeMap<Path, u32> = BTreeMap::new();
    let mut trace = Collect::new(label);
    for record in records {
        let mut id = |path: &Path| match ids.get(path) {
            Some(id) => *id,
            None => {
                let id = ids.len() as u32;
                trace.name(id, path, Rank::default());
                ids.insert(path.clone(), id);
                id
            }
        };
        let (receiver, sender) = (id(&record.receiver), id(&record.sender));
        trace.record(&borrowed(&record, receiver, sender)).expect("memory takes every record");
    }
    trace.end(TraceHash(0)).expect("memory takes every record");
    trace
}

/// A record as observers take it, under these numbers.
pub(crate) fn borrowed(record: &Record, receiver: u32, sender: u32) -> TraceRecord<'_> {
    let Record { at, round, step, count, sender_count, ref kind, digest, ref text, .. } = *record;
    TraceRecord { at, round, step, receiver, count, sender, sender_count, kind, digest, text: text.as_deref() }
}

/// Records that were read from elsewhere, beside a run.
pub(crate) fn of_records(a: &Collect, label: &str, records: Vec<Record>, in_a: &Facts, in_b: &Facts) -> Difference {
    of_traces(a, &traced(label, records.into_iter())).unwrap_or_else(|| of_facts(in_a, in_b))
}

fn of_traces(a: &Collect, b: &Collect) -> Option<Difference> {
    let comparison = a.diff(b);
    let difference = comparison.difference.as_ref()?;
    Some(Difference::of(difference, &format!("A  {}\nB  {}", side(&comparison.a), side(&comparison.b))))
}

fn side(side: &Side) -> String {
    format!("{}: {} deliveries", side.label, side.records)
}
