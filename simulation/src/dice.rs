//! Draws from a seed, in whole numbers only, so that every machine draws the same.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use disk::Moment;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator of its own for each thing that is drawn.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, what: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, what).hash(&mut hasher);
        Self(ChaCha8Rng::seed_from_u64(hasher.finish()))
    }

    /// Whether it happens, with a chance in a thousand.
    pub(crate) fn happens(&mut self, per_mille: u32) -> bool {
        self.0.random_range(0..1_000) < per_mille
    }

    /// A whole number, all equally likely.
    pub(crate) fn from(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0.random_range(range)
    }

    pub(crate) fn any(&mut self) -> u64 {
        self.0.random()
    }

    /// A number up to `max`, small ones more likely: every doubling has the same chance.
    pub(crate) fn scale(&mut self, min: u64, max: u64) -> u64 {
        let exponent = self.from(u64::from(min.ilog2())..u64::from(max.ilog2()) + 1);
        self.from(1 << exponent..2 << exponent).clamp(min, max)
    }

    /// A time, short ones more likely.
    pub(crate) fn time(&mut self, min: Duration, max: Duration) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX >> 2).max(1);
        Duration::from_micros(self.scale(micros(min), micros(max)))
    }

    /// One of some.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.from(0..of.len() as u64)).expect("below a length")]
    }

    pub(crate) fn moment(&mut self) -> Moment {
        self.one(&[Moment::Before, Moment::After])
    }
}
