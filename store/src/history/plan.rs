//! Plans: what operation would do what is asked for. Invariant: planning changes nothing, and what it gives can be applied to the state that
//! was looked at.

use serde_json::Value;
use stillpoint_engine::Instant;

use super::HistoryError;
use super::state::{Entry, Fact, History, HistoryOp};
use crate::documents::{MAX_DEPTH, compare, is_within};

/// The operation to commit, none if nothing would change, and what comes out.
pub type HistoryPlan<T> = Result<(Option<HistoryOp>, T), HistoryError>;

impl History {
    /// Plans that `metadata` is valid from `start` on. Gives what is the last of the symbol then.
    ///
    /// Metadata equal to the last changes nothing, and the last one is given. Null says that nothing is valid from `start` on; for a symbol
    /// without metadata that changes nothing.
    ///
    /// # Errors
    /// `start` is not after the start of the last.
    pub fn plan_append(&self, symbol: &str, metadata: Value, start: Instant) -> HistoryPlan<Option<Fact>> {
        check(symbol, [&metadata])?;
        match self.known(symbol, None).next_back() {
            Some(last) if start <= last.start => Err(HistoryError::NotAfterLast { symbol: symbol.to_owned(), start, last: last.start }),
            Some(last) if same(last, &metadata) => Ok((None, Some(last.fact()))),
            None if metadata.is_null() => Ok((None, None)),
            _ => Ok(learn(symbol, Vec::new(), Fact { start, metadata })),
        }
    }

    /// Plans that `metadata` is valid from `start` on, until the first that is known starts ([`Instant::MIN`]: since ever). Gives what is the
    /// first of the symbol then.
    ///
    /// Metadata equal to the first moves the first one's start. Null changes nothing.
    ///
    /// # Errors
    /// `start` is not before the start of the first.
    pub fn plan_prepend(&self, symbol: &str, metadata: Value, start: Instant) -> HistoryPlan<Option<Fact>> {
        check(symbol, [&metadata])?;
        let first = self.known(symbol, None).next();
        if metadata.is_null() {
            return Ok((None, first.map(Entry::fact)));
        }
        match first {
            Some(first) if first.start <= start => {
                Err(HistoryError::NotBeforeFirst { symbol: symbol.to_owned(), start, first: first.start })
            }
            Some(first) if same(first, &metadata) => Ok(learn(symbol, vec![first.start], Fact { start, metadata })),
            _ => Ok(learn(symbol, Vec::new(), Fact { start, metadata })),
        }
    }

    /// Plans that the history of `symbol` is `facts`, whatever was known so far. So errors of the past are corrected; what was known before
    /// stays readable. What is in both stays as recorded.
    ///
    /// # Errors
    /// The starts do not rise.
    pub fn plan_write_history(&self, symbol: &str, facts: Vec<Fact>) -> HistoryPlan<()> {
        check(symbol, facts.iter().map(|fact| &fact.metadata))?;
        if let Some(pair) = facts.windows(2).find(|pair| pair[1].start <= pair[0].start) {
            return Err(HistoryError::Unordered { symbol: symbol.to_owned(), start: pair[1].start });
        }
        let known: Vec<&Entry> = self.known(symbol, None).collect();
        let stays = |entry: &Entry, fact: &Fact| entry.start == fact.start && same(entry, &fact.metadata);
        let gone = known.iter().filter(|entry| !facts.iter().any(|fact| stays(entry, fact)));
        let retract: Vec<Instant> = gone.map(|entry| entry.start).collect();
        let record: Vec<Fact> = facts.iter().filter(|fact| !known.iter().any(|entry| stays(entry, fact))).cloned().collect();
        let changes = !retract.is_empty() || !record.is_empty();
        Ok((changes.then(|| HistoryOp::Learn { symbol: symbol.to_owned(), retract, record }), ()))
    }

    /// Plans that the last metadata of `symbol` is known no longer, and gives it. The one before it is valid for ever again.
    ///
    /// # Errors
    /// There is none.
    pub fn plan_pop(&self, symbol: &str) -> HistoryPlan<Fact> {
        let last = self.known(symbol, None).next_back().ok_or_else(|| HistoryError::NoMetadata { symbol: symbol.to_owned() })?;
        let op = HistoryOp::Learn { symbol: symbol.to_owned(), retract: vec![last.start], record: Vec::new() };
        Ok((Some(op), last.fact()))
    }

    /// Plans that nothing is known of `symbol` any longer, and says how much was. Who asks what was known before still reads it.
    ///
    /// # Errors
    /// None; the same shape as the other plans.
    pub fn plan_delete(&self, symbol: &str) -> HistoryPlan<u64> {
        let retract: Vec<Instant> = self.known(symbol, None).map(|entry| entry.start).collect();
        let known = retract.len() as u64;
        Ok(((known > 0).then(|| HistoryOp::Learn { symbol: symbol.to_owned(), retract, record: Vec::new() }), known))
    }

    /// Plans that `symbol` is forgotten with all that was ever known of it, and says how much was recorded.
    ///
    /// # Errors
    /// None; the same shape as the other plans.
    pub fn plan_purge(&self, symbol: &str) -> HistoryPlan<u64> {
        let recorded = self.entries(symbol).len() as u64;
        Ok(((recorded > 0).then(|| HistoryOp::Purge { symbol: symbol.to_owned() }), recorded))
    }
}

impl Entry {
    fn fact(&self) -> Fact {
        Fact { start: self.start, metadata: self.metadata.clone() }
    }
}

fn learn(symbol: &str, retract: Vec<Instant>, fact: Fact) -> (Option<HistoryOp>, Option<Fact>) {
    let op = HistoryOp::Learn { symbol: symbol.to_owned(), retract, record: vec![fact.clone()] };
    (Some(op), Some(fact))
}

/// Equal in the order of JSON values, in which 1 is 1.0.
fn same(entry: &Entry, metadata: &Value) -> bool {
    compare(&entry.metadata, metadata).is_eq()
}

fn check<'a>(symbol: &str, metadata: impl IntoIterator<Item = &'a Value>) -> Result<(), HistoryError> {
    if symbol.is_empty() || symbol.len() > 255 || symbol.chars().any(char::is_control) {
        return Err(HistoryError::Symbol { symbol: symbol.to_owned() });
    }
    if metadata.into_iter().any(|metadata| !is_within(metadata, MAX_DEPTH)) {
        return Err(HistoryError::TooDeep { symbol: symbol.to_owned() });
    }
    Ok(())
}
