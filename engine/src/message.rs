//! What actors say to each other.

use std::fmt::Debug;
use std::hash::Hash;

/// A value that can be delivered to an actor.
///
/// By implementing this you promise that `Hash` covers every field that matters and reads nothing else: the hash enters the trace.
/// Floats must be hashed through their canonical bits ([`crate::canonical_bits`]); prices and quantities are better kept as integers.
///
/// ```
/// use stillpoint_engine::Message;
///
/// #[derive(Debug, Hash)]
/// struct Ping(u64);
///
/// impl Message for Ping {
///     const KIND: &'static str = "ping";
/// }
/// ```
pub trait Message: Hash + Debug + Send + Sync + 'static {
    /// The name under which the trace knows this type. It must not change when the type moves or is renamed, and should be unique in a run.
    const KIND: &'static str;
}

/// A message that is answered: see [`crate::Responds`].
pub trait Request: Message {
    /// What the answer carries.
    type Reply: Message;
}

macro_rules! plain_messages {
    ($($type:ty: $kind:literal),* $(,)?) => {
        $(impl Message for $type {
            const KIND: &'static str = $kind;
        })*
    };
}

plain_messages!((): "unit", bool: "bool", u32: "u32", u64: "u64", i32: "i32", i64: "i64", String: "text");

/// The bits under which a float enters a digest: one pattern for every NaN, and 0.0 for -0.0.
///
/// ```
/// use stillpoint_engine::canonical_bits;
/// assert_eq!(canonical_bits(0.0), canonical_bits(-0.0));
/// assert_eq!(canonical_bits(f64::NAN), canonical_bits(-f64::NAN));
/// ```
pub fn canonical_bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits() & !(1 << 63)
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}
