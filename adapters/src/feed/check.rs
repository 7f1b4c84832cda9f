//! Whether a book built from changes is the exchange's: its best prices against those that the exchange told. Invariant: only such are compared
//! as have the same number.

use std::collections::BTreeMap;

use stillpoint_actors::{DepthChange, PriceBook, Quote};
use stillpoint_engine::Instant;

use super::message::Kind;
use super::{Feed, FeedEvent, FeedSettings};
use crate::error::DataError;

/// How a built book differs from what the exchange told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BookDifference {
    /// Another best price on one side or both.
    Price,
    /// The best prices, but another quantity.
    Quantity,
}

/// What a comparison of a built book with recorded best prices found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookCheck {
    /// Best prices that have the number of a change of the book, and were compared.
    pub compared: u64,
    /// Those that differ, by class.
    pub different: BTreeMap<BookDifference, u64>,
    /// The first of them: when, what was told, what was built.
    pub first: Option<(Instant, Quote, Quote)>,
    /// How often changes of the book were missing.
    pub gaps: u64,
}

/// Builds the book of a recording and compares its best prices with the recorded ones, wherever both have the same number. Which of the two comes
/// first in the file does not matter.
///
/// # Errors
/// [`DataError`] if the file cannot be read or a line makes no sense.
pub fn check_books(settings: &FeedSettings) -> Result<BookCheck, DataError> {
    let is_wanted = |kind| matches!(kind, Kind::Depth | Kind::Snapshot | Kind::Ticker);
    let mut feed = Feed::open(settings)?;
    let (mut book, mut check, mut at) = (PriceBook::default(), BookCheck::default(), 0);
    // Best prices whose change of the book has not come yet, by number.
    let mut ahead: BTreeMap<u64, Quote> = BTreeMap::new();
    loop {
        let (mut now, mut told) = (Instant::MIN, None);
        let update = feed.advance(is_wanted, |instant, event| {
            now = instant;
            match event {
                FeedEvent::Quote(quote) => told = Some(quote),
                FeedEvent::Depth(update) => {
                    book.apply(update.change);
                    if update.change == DepthChange::Clear {
                        at = 0;
                    }
                }
                FeedEvent::Trade(_) => {}
            }
        })?;
        let Some(update) = update else { break };
        let pair = match told {
            Some(quote) if update == at => Some(quote),
            Some(quote) => {
                ahead.insert(update, quote);
                None
            }
            None if update > 0 => {
                at = update;
                ahead = ahead.split_off(&at);
                ahead.remove(&at)
            }
            None => None,
        };
        if let Some(quote) = pair {
            check.compare(now, quote, book.quote(quote.instrument));
        }
    }
    check.gaps = feed.sync.gaps();
    Ok(check)
}

impl BookCheck {
    fn compare(&mut self, at: Instant, told: Quote, built: Quote) {
        self.compared += 1;
        if told != built {
            let class = if (told.bid, told.ask) == (built.bid, built.ask) { BookDifference::Quantity } else { BookDifference::Price };
            *self.different.entry(class).or_default() += 1;
            self.first.get_or_insert((at, told, built));
        }
    }
}
