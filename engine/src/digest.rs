//! The one hasher of the engine. Invariant: the same values give the same 64 bits in every process, on every host and in every build.
//!
//! It is a folded multiply over 64-bit words (the family of wyhash by Wang Yi): fast, well mixed, and not meant to resist an adversary.

use std::hash::{Hash, Hasher};

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Multiplies two words and folds the 128-bit product into 64 bits.
#[inline(always)]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Chains `word` onto `state`: the step of every rolling digest in the engine.
#[inline(always)]
pub(crate) const fn mix(state: u64, word: u64) -> u64 {
    fold(state ^ word, MULTIPLIER ^ state.rotate_left(23))
}

/// A fixed [`Hasher`]: no random key, no dependence on addresses.
///
/// Messages derive `Hash` and are fed into it. Integers of every width count as one 64-bit word (`u128` as two), byte strings as their
/// length and their little-endian words. The result is promised for 64-bit little-endian targets and the pinned toolchain.
///
/// ```
/// use stillpoint_engine::digest_of;
/// assert_eq!(digest_of(&(1u64, "quote")), digest_of(&(1u64, "quote")));
/// assert_ne!(digest_of(&(1u64, "quote")), digest_of(&(2u64, "quote")));
/// ```
#[derive(Clone, Debug)]
pub struct Digest(u64);

impl Digest {
    /// A hasher that has seen nothing.
    #[inline(always)]
    pub const fn new() -> Self {
        Self(SEED)
    }

    pub(crate) const fn value(&self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! words {
    ($($method:ident: $type:ty),*) => {
        $(#[inline(always)]
        fn $method(&mut self, value: $type) {
            self.0 = mix(self.0, value as u64);
        })*
    };
}

impl Hasher for Digest {
    words!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_usize: usize);
    words!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_isize: isize);

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    #[inline]
    fn write_i128(&mut self, value: i128) {
        self.write_u128(value as u128);
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.write_usize(bytes.len());
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word: [u8; 8] = chunk.try_into().expect("a chunk of eight bytes");
            self.write_u64(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0u8; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// The digest of one value.
#[inline(always)]
pub fn digest_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut digest = Digest::new();
    value.hash(&mut digest);
    digest.finish()
}

/// The digest of a text, usable in constants: message kinds become numbers at compile time.
pub(crate) const fn digest_of_text(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut state = mix(SEED, bytes.len() as u64);
    let mut at = 0;
    while at < bytes.len() {
        state = mix(state, bytes[at] as u64);
        at += 1;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_counts_as_a_word() {
        assert_eq!(digest_of(&5u8), digest_of(&5u64));
        assert_eq!(digest_of(&-1i32), digest_of(&-1i64));
        assert_ne!(digest_of(&[1u8, 0]), digest_of(&[1u8]));
        assert_ne!(digest_of(&("ab", "c")), digest_of(&("a", "bc")));
    }

    /// These figures may change only with a major version: every trace depends on them.
    #[test]
    fn figures_are_pinned() {
        // fold(SEED ^ 0, MULTIPLIER ^ rotl(SEED, 23)) worked out with Python's integers.
        assert_eq!(digest_of(&0u64), 0x467a_1e1c_1024_e6e6);
    }
}
