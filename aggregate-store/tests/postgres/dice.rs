//! Numbers drawn from a seed, which is printed.

use std::hash::{BuildHasher, RandomState};

/// Two seeds that are always the same, and one that is new each time; `SEED=n` asks for one alone.
pub(crate) fn seeds() -> Vec<u64> {
    let asked = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    asked.map_or_else(|| vec![1, 2, RandomState::new().hash_one(0)], |seed| vec![seed])
}

/// The numbers of a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        eprintln!("SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// An index below `end`.
    pub(crate) fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("it is below an index")
    }
}
