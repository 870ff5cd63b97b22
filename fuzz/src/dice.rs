//! Numbers from a seed, for the short runs.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of this seed and use.
    pub fn new(seed: u64, use_of_it: &str) -> Self {
        let mixed = use_of_it.bytes().fold(seed, |mixed, byte| {
            mixed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte)
        });
        Self(mixed)
    }

    /// Any number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % (end as u64).max(1)).expect("below a usize")
    }
}
