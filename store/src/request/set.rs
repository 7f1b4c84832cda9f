//! Requests that are waited for together: lists of one type of result, and tuples of several. Invariant: results come in the order of requests.

use std::sync::Arc;

use super::error::RequestError;
use super::handle::Request;
use super::pool::Core;
use super::queue::RequestId;

/// A [`Request`], or a reference to one.
pub trait Handle {
    /// What its operation gives.
    type Output;

    /// The request.
    fn request(&self) -> &Request<Self::Output>;
}

impl<T> Handle for Request<T> {
    type Output = T;

    fn request(&self) -> &Request<T> {
        self
    }
}

impl<H: Handle> Handle for &H {
    type Output = H::Output;

    fn request(&self) -> &Request<H::Output> {
        (**self).request()
    }
}

/// A member of a set, whatever its type of result.
#[derive(Debug)]
pub struct Watched<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) id: RequestId,
    error: Option<RequestError>,
}

fn watched<H: Handle>(handle: &H) -> Watched<'_> {
    let request = handle.request();
    Watched { core: &request.core, id: request.info().id(), error: request.error() }
}

/// Requests that are waited for together: a slice, an array, a `Vec`, or a tuple of up to six handles whose results may differ in type.
pub trait RequestSet {
    /// Their results: a `Vec`, or a tuple.
    type Results;

    /// The requests, in order.
    fn watched(&self) -> Vec<Watched<'_>>;

    /// The results in order, or the error of the first request that has one; `None` if there is none and not all have ended.
    fn results(&self) -> Option<Result<Self::Results, RequestError>>;
}

impl<H: Handle> RequestSet for [H] {
    type Results = Vec<Arc<H::Output>>;

    fn watched(&self) -> Vec<Watched<'_>> {
        self.iter().map(watched).collect()
    }

    fn results(&self) -> Option<Result<Self::Results, RequestError>> {
        match first_error(self) {
            Err(error) => Some(Err(error)),
            Ok(()) => self.iter().map(|handle| handle.request().result()).collect(),
        }
    }
}

impl<H: Handle> RequestSet for Vec<H> {
    type Results = Vec<Arc<H::Output>>;

    fn watched(&self) -> Vec<Watched<'_>> {
        self.as_slice().watched()
    }

    fn results(&self) -> Option<Result<Self::Results, RequestError>> {
        self.as_slice().results()
    }
}

impl<H: Handle, const N: usize> RequestSet for [H; N] {
    type Results = Vec<Arc<H::Output>>;

    fn watched(&self) -> Vec<Watched<'_>> {
        self.as_slice().watched()
    }

    fn results(&self) -> Option<Result<Self::Results, RequestError>> {
        self.as_slice().results()
    }
}

macro_rules! set_of_a_tuple {
    ($($handle:ident . $index:tt),+) => {
        impl<$($handle: Handle),+> RequestSet for ($($handle,)+) {
            type Results = ($(Arc<$handle::Output>,)+);

            fn watched(&self) -> Vec<Watched<'_>> {
                vec![$(watched(&self.$index)),+]
            }

            fn results(&self) -> Option<Result<Self::Results, RequestError>> {
                if let Err(error) = first_error(self) {
                    return Some(Err(error));
                }
                Some(Ok(($(self.$index.request().result()?.ok()?,)+)))
            }
        }
    };
}

set_of_a_tuple!(A.0);
set_of_a_tuple!(A.0, B.1);
set_of_a_tuple!(A.0, B.1, C.2);
set_of_a_tuple!(A.0, B.1, C.2, D.3);
set_of_a_tuple!(A.0, B.1, C.2, D.3, E.4);
set_of_a_tuple!(A.0, B.1, C.2, D.3, E.4, F.5);

/// The error of the first request in the set's order that has ended with one. It waits for none.
///
/// # Errors
/// That error.
pub fn first_error<S: RequestSet + ?Sized>(requests: &S) -> Result<(), RequestError> {
    requests.watched().into_iter().find_map(|watched| watched.error).map_or(Ok(()), Err)
}

/// The requests that have not ended, and those that have, each in the order given.
pub fn filter_finished<H: Handle>(requests: &[H]) -> (Vec<&H>, Vec<&H>) {
    requests.iter().partition(|handle| !handle.request().completed())
}

/// The requests that have ended with an error, in the order given.
pub fn filter_failed<H: Handle>(requests: &[H]) -> Vec<&H> {
    requests.iter().filter(|handle| handle.request().error().is_some()).collect()
}
