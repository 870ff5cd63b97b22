//! Repeatable chance: numbers that depend on nothing but the seed and what they are for.
//!
//! The few distributions needed are written out here, so that a seed gives the same pings whatever the version
//! of a library of distributions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of numbers for one purpose.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `seed` for the purpose `of`, number `number`. Different purposes share nothing.
    pub(crate) fn new(seed: u64, of: &str, number: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        let purpose = of.bytes().fold(0, |hash, byte| mix(hash, u64::from(byte)));
        key[16..24].copy_from_slice(&purpose.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Uniform in 0..`end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// About normal with mean 0 and deviation 1: the sum of four uniform numbers, so never beyond 3.5.
    pub(crate) fn normal(&mut self) -> f64 {
        let bits = self.bits();
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
        (sum as f64 / 65_535.0 - 2.0) * 3.0_f64.sqrt()
    }

    /// Skewed to the right, with this median; `spread` is the deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }

    /// One of the list, which is not empty.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    /// One of the list by the weights that `weight` gives.
    pub(crate) fn weighted<'a, T>(&mut self, list: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut rest = self.below(list.iter().map(&weight).sum());
        for item in list {
            match rest.checked_sub(weight(item)) {
                Some(less) => rest = less,
                None => return item,
            }
        }
        &list[list.len() - 1]
    }

    /// A random UUID (version 4), in lower case.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            low >> 48 & 0x3FFF | 0x8000,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// Two numbers stirred to one (the finalizer of SplitMix64). No secret, only chance.
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let mut z = a
        .rotate_left(23)
        .wrapping_add(b)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Random bits as a number in [0, 1).
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
