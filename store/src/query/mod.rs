//! Queries over Arrow record batches, batch by batch. Invariant: an answer depends on the rows and their order alone, not on how they are cut into
//! batches, nor on which segments a reader could skip.
//!
//! A [`Query`] is a value: steps with [`Expr`]essions. [`Query::plan`] checks it against a schema, [`Plan::run`] runs it, and
//! [`Query::pushdown`] says what a reader may leave out: columns, rows out of a range, and segments whose [`Statistics`] cannot match.
//! [`AsOf`] joins the rows of two symbols by time.
//!
//! # Types
//!
//! Expressions know truths, integers, floats, text and instants. Everything else (decimals, lists, dates, binary) passes through, can be asked
//! whether it is null, and can be counted. Dictionaries count as what they hold.
//!
//! | operator | operands | result |
//! |---|---|---|
//! | `==` `!=` `<` `<=` `>` `>=`, `is_in` | two of one kind, or two numbers | truth; integers are compared exactly, also `i64` with `u64`; with a float both become `f64` |
//! | `+` `-` `*` `%` | integers | `i64`, so that a difference of unsigned sizes can be negative |
//! | `+` `-` `*` `%` | numbers, one of them a float | `f64` |
//! | `/` | numbers | `f64` |
//! | `-` | instants | nanoseconds, `i64` |
//! | `+` `-` | an instant and an integer of nanoseconds | instant |
//! | `min` `max` | two numbers, two instants | as `+`, but two integers of unsigned 64 bits stay so |
//!
//! # Nulls
//!
//! Null is unknown: an operator gives null if an operand is null, but `false and null` is false and `true or null` is true (Kleene). A filter keeps
//! rows in which its condition is true. `is_null` is never null.
//!
//! Integer arithmetic that does not fit `i64` gives null, and so does a remainder by zero: such a row has no value, but the others do, and
//! whether a query succeeds cannot depend on rows that were skipped. Dividing by zero gives an infinity or NaN, as floats do. *Sums* that do
//! not fit are errors: there a wrong number would come out, and nothing is skipped.
//!
//! # NaN and zero
//!
//! NaN is a value, not null. It equals itself and is greater than every number, in comparisons, keys, `min` and `max`. `-0.0` equals `0.0`, and
//! the operators `min` and `max` give `0.0` for either.

mod aggregate;
mod asof;
mod column;
mod error;
mod eval;
mod expr;
mod groups;
mod literal;
mod plan;
mod pushdown;
mod resample;
mod statistics;
mod steps;

pub use aggregate::{Aggregate, How};
pub use asof::{AsOf, Direction, Joined};
pub use error::QueryError;
pub use expr::{Binary, Expr, TextTest, Unary, col, lit};
pub use literal::Literal;
pub use plan::{Plan, Rows};
pub use pushdown::Pushdown;
pub use resample::{Label, Resample};
pub use statistics::{ColumnStatistics, Statistics};
pub use steps::{Named, Query, Step, TIME};
