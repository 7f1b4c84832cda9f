//! Where the events of a stream come from.

use std::fmt;

use crate::time::Instant;

/// One item of a source: when it happened, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timed<M> {
    /// Event time: what the data says.
    pub at: Instant,
    /// The event.
    pub value: M,
}

/// A sequence of timed items, read once, in the order in which the data keeps them.
///
/// By implementing this you promise that two sources opened in the same way give the same items. Sorting by time is not needed for
/// safety (rule R10 says what happens to an item that is late), but a stream that is sorted is what users expect.
pub trait Source: 'static {
    /// The type of the events.
    type Item;

    /// The next item, `None` after the last one.
    ///
    /// # Errors
    /// [`SourceError`] when the data cannot be read or makes no sense; the run then ends at the still point before the missing item.
    fn next(&mut self) -> Result<Option<Timed<Self::Item>>, SourceError>;

    /// Appends up to `most` further items. `false`: these were the last ones. Sources that can give many at once may do better than the default.
    ///
    /// # Errors
    /// As [`Source::next`]; the items before the error have been appended.
    fn read(&mut self, most: usize, into: &mut Vec<Timed<Self::Item>>) -> Result<bool, SourceError> {
        for _ in 0..most {
            match self.next()? {
                Some(item) => into.push(item),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// How many bytes or items have been read and how many there are, for progress bars. `None` if that is not known.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }
}

impl<M: 'static> Source for Box<dyn Source<Item = M>> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        (**self).next()
    }

    fn read(&mut self, most: usize, into: &mut Vec<Timed<M>>) -> Result<bool, SourceError> {
        (**self).read(most, into)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        (**self).progress()
    }
}

/// Data that cannot be read. The text names the file, the place and the cause, and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError(pub String);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SourceError {}
