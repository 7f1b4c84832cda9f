//! Operators on values with times. Invariant: what they say at an instant follows from values up to that instant alone, so that none of them
//! can look ahead.
//!
//! Each is pure and is given its values in order of time; one that is out of order is refused as [`OutOfOrder`] and changes nothing. Values of
//! one instant are in order too, and the last of them is the value of that instant.
//!
//! | | what |
//! |---|---|
//! | [`Sample`] | the latest value at every point of a grid |
//! | [`Throttle`] | at most one value a period |
//! | [`Tumbling`] | an aggregate of each stretch of time |
//! | [`Sliding`] | an aggregate of the time just past |
//! | [`AsOf`], [`as_of_join`] | the latest value of one series at the times of another |
//! | [`Basket`] | an index of members that come and go, without a jump |

mod as_of;
mod basket;
mod order;
mod sample;
mod throttle;
mod windows;

pub use as_of::{AsOf, AsOfRule, as_of_join};
pub use basket::{Basket, BasketError};
pub use order::OutOfOrder;
pub use sample::Sample;
pub use throttle::Throttle;
pub use windows::{Sliding, Tumbled, Tumbling};
