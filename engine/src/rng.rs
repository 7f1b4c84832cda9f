//! Random numbers: ChaCha8 seeded by (run seed, path, purpose), so that no other actor's draws can change them (rule R19).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::digest_of;

/// A seeded stream of random numbers. Equal seeds give equal numbers on every machine: distributions use `libm`.
///
/// ```
/// use stillpoint_engine::Rng;
/// let (mut a, mut b) = (Rng::of(7, "maker", "actor"), Rng::of(7, "maker", "actor"));
/// assert_eq!(a.below(100), b.below(100));
/// ```
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The numbers of one path and purpose in a run of this seed.
    pub fn of(seed: u64, path: &str, purpose: &str) -> Self {
        let mut bytes = [0u8; 32];
        for (lane, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&digest_of(&(seed, path, purpose, lane as u64)).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// How many words of 32 bits were drawn.
    pub(crate) fn drawn(&self) -> u64 {
        u64::try_from(self.0.get_word_pos()).expect("fewer than 2^64 random words")
    }

    /// Goes to where this many words of 32 bits have been drawn.
    #[must_use]
    pub(crate) fn after(mut self, words: u64) -> Self {
        self.0.set_word_pos(u128::from(words));
        self
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number in `0..bound`, without bias. Panics if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a random number below 0 was asked for");
        // Lemire's multiply-and-reject (Fast Random Integer Generation in an Interval, 2019).
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// A float in `0.0..1.0`, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// An exponentially distributed float with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log1p(-self.uniform())
    }

    /// A normally distributed float (Box and Muller's method, its first value).
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log1p(-self.uniform()));
        mean + deviation * radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }
}

/// The seed in hexadecimal digits, and how many words of 32 bits were drawn.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Rng")]
struct Saved {
    seed: String,
    drawn: u64,
}

impl Serialize for Rng {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seed = self.0.get_seed().iter().map(|byte| format!("{byte:02x}")).collect();
        Saved { seed, drawn: self.drawn() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rng {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Saved { seed, drawn } = Saved::deserialize(deserializer)?;
        let fault = || de::Error::custom(format!("`{seed}` is no seed of 64 hexadecimal digits"));
        let mut bytes = [0u8; 32];
        if seed.len() != 64 || !seed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault());
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&seed[2 * index..2 * index + 2], 16).map_err(|_| fault())?;
        }
        Ok(Self(ChaCha8Rng::from_seed(bytes)).after(drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_where_it_was() {
        for drawn in [0, 1, 7, 8, 31, 32, 33, 64, 1000] {
            let mut rng = Rng::of(3, "a", "test");
            (0..drawn).for_each(|_| _ = rng.bits());
            let text = ron::to_string(&rng).expect("a text");
            let mut saved: Rng = ron::from_str(&text).expect("the same generator");
            let mut placed = Rng::of(3, "a", "test").after(rng.drawn());
            for _ in 0..100 {
                let bits = rng.bits();
                assert_eq!((saved.bits(), placed.bits()), (bits, bits), "after {drawn} draws");
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = Rng::of(1, "a", "test");
        let n = 100_000;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let uniform: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
        assert!((mean(&uniform) - 0.5).abs() < 0.005);
        let exponential: Vec<f64> = (0..n).map(|_| rng.exponential(2.0)).collect();
        assert!((mean(&exponential) - 2.0).abs() < 0.05);
        let normal: Vec<f64> = (0..n).map(|_| rng.normal(1.0, 3.0)).collect();
        let variance = mean(&normal.iter().map(|x| (x - 1.0) * (x - 1.0)).collect::<Vec<_>>());
        assert!((mean(&normal) - 1.0).abs() < 0.05 && (variance - 9.0).abs() < 0.2);
        assert!((0..n).all(|_| rng.below(7) < 7));
    }

    #[test]
    fn seeds_paths_and_purposes_differ() {
        let first = Rng::of(1, "a", "x").bits();
        assert!([Rng::of(2, "a", "x"), Rng::of(1, "b", "x"), Rng::of(1, "a", "y")].iter_mut().all(|rng| rng.bits() != first));
    }
}
