//! The random numbers of the workloads: cheap, and the same on both sides of a comparison.

/// A xorshift generator (Marsaglia 2003, triple 13, 7, 17): three shifts a number, so that the workload is not its generator.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = random.next());
        random
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, by multiplication of the upper half.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Nanoseconds, uniform from 1 to 2^31.
    #[inline]
    pub(crate) fn uniform_ns(&mut self) -> i64 {
        (self.next() >> 33) as i64 + 1
    }

    /// Nanoseconds, exponential with a mean of one second, plus a tenth of a second.
    #[inline]
    pub(crate) fn exponential_ns(&mut self) -> i64 {
        let unit = ((self.next() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64);
        (-libm::log(unit) * 1e9) as i64 + 100_000_000
    }
}
