//! Where the events of a stream come from.

use std::fmt;
use std::sync::Arc;

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

    /// All items, if they lie in memory that others may read too: a stream then reads them there, without copies, and asks the source for nothing
    /// more. It asks for this first. `None`, the default: the source has to be read.
    fn lend(&self) -> Option<Lent<Self::Item>> {
        None
    }

    /// How many bytes or items have been read and how many there are, for progress bars. `None` if that is not known.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }
}

/// The items of a source that lie in memory, for [`Source::lend`].
///
/// ```
/// # use std::sync::Arc;
/// # use stillpoint_engine::{Actor, Context, Handler, Instant, Lent, Message, Simulation, Source, SourceError, Stream, Timed};
/// #[derive(Clone, Debug, Hash)]
/// struct Price(i64);
/// impl Message for Price {
///     const KIND: &'static str = "price";
/// }
///
/// /// Prices that were decoded once and are used by many runs.
/// struct Decoded(Arc<[Timed<Price>]>);
///
/// impl Source for Decoded {
///     type Item = Price;
///
///     fn next(&mut self) -> Result<Option<Timed<Price>>, SourceError> {
///         unreachable!("the items are lent")
///     }
///
///     fn lend(&self) -> Option<Lent<Price>> {
///         Some(Lent::new(self.0.clone()))
///     }
/// }
/// # struct Sink;
/// # impl Actor for Sink {}
/// # impl Handler<Price> for Sink {
/// #     fn handle(&mut self, _: &Price, _: &mut Context<'_, Self>) {}
/// # }
///
/// let prices: Arc<[Timed<Price>]> = (1..4).map(|at| Timed { at: Instant::from_nanos(at), value: Price(100 + at) }).collect();
/// let mut sim = Simulation::new("lent");
/// let stream = sim.stream("prices", Stream::open(move || Ok(Decoded(prices.clone()))))?;
/// let sink = sim.actor("sink", Sink)?;
/// sim.subscribe(sink, stream);
/// assert_eq!(sim.run()?.events, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lent<M> {
    pub(crate) items: Arc<[Timed<M>]>,
    /// Appends copies of some of them: of those that have to be put into another order.
    pub(crate) copy: fn(&[Timed<M>], &mut Vec<Timed<M>>),
}

impl<M: Clone> Lent<M> {
    /// Lends all of them.
    #[must_use]
    pub fn new(items: Arc<[Timed<M>]>) -> Self {
        Self { items, copy: |items, into| into.extend_from_slice(items) }
    }
}

impl<M> fmt::Debug for Lent<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").field("items", &self.items.len()).finish_non_exhaustive()
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

    fn lend(&self) -> Option<Lent<M>> {
        (**self).lend()
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
