//! Randomness: the only place where it is drawn, so that a simulation can give its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Draws random bits.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// 128 random bits.
    fn bits(&self) -> [u8; 16];
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl SystemRandom {
    /// The operating system's generator.
    pub fn shared() -> Arc<dyn Random> {
        Arc::new(Self)
    }
}

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the replacement it names")]
    fn bits(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .expect("an operating system without randomness cannot keep identities apart");
        bytes
    }
}

/// The same bits for the same seed, draw by draw, for tests.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRandom {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            seed,
            drawn: AtomicU64::new(0),
        })
    }
}

impl Random for SeededRandom {
    fn bits(&self) -> [u8; 16] {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let low = mix(self.seed ^ mix(drawn.wrapping_mul(2)));
        let high = mix(self.seed ^ mix(drawn.wrapping_mul(2).wrapping_add(1)));
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
