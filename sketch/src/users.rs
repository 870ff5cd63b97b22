//! A mergeable count of distinct clients.
//!
//! Here: the set of coupons, and when it turns to registers. Not here: hashing (`coupon.rs`), bytes (`image.rs`).

use datasketches::hll::HllSketch;

use crate::coupon::Coupon;
use crate::image::{self, COUPONS_MAX, Content, ImageError};
use crate::registers::{REGISTERS, Registers, raise, raise_all};

/// An estimate's relative standard error: sqrt(3 ln 2 − 1) / sqrt(4096) = 1.62 %.
///
/// Source: `HLL_NON_HIP_RSE_FACTOR` in `HllUtil.hpp` of datasketches-cpp (for sketches without a history, as unions
/// are); it is Flajolet's 1.04 / sqrt(m). Up to 384 clients the error is far smaller: coupons collide once in 2^26.
pub const STANDARD_ERROR: f64 = 1.03896 / 64.0;

/// A sketch of distinct clients, a function of the set of coupons and nothing else: whatever the order and grouping
/// of inserts and merges, and however often a coupon comes, equal sets are equal sketches and equal bytes.
///
/// Up to 384 distinct coupons are kept as they are; from the 385th on only registers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSketch {
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Distinct, ascending, at most [`COUPONS_MAX`].
    Coupons(Vec<Coupon>),
    Registers(Box<Registers>),
}

impl Default for UserSketch {
    fn default() -> Self {
        Self::new()
    }
}

impl UserSketch {
    /// A sketch of no clients.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Coupons(Vec::new()),
        }
    }

    /// Whether no client is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.state {
            State::Coupons(coupons) => coupons.is_empty(),
            State::Registers(registers) => registers.iter().all(|&value| value == 0),
        }
    }

    /// Adds a client.
    pub fn insert(&mut self, coupon: Coupon) {
        match &mut self.state {
            State::Coupons(coupons) => {
                let Err(at) = coupons.binary_search(&coupon) else {
                    return;
                };
                coupons.insert(at, coupon);
                self.settle();
            }
            State::Registers(registers) => raise(registers, coupon),
        }
    }

    /// Adds all clients of another sketch.
    pub fn merge(&mut self, other: &Self) {
        match &other.state {
            State::Coupons(coupons) => self.insert_all(coupons),
            State::Registers(registers) => self.raise_all(registers),
        }
    }

    /// Adds all clients of an image, without a copy of its registers.
    ///
    /// # Errors
    /// As [`from_image`](Self::from_image); then nothing was added.
    pub fn merge_image(&mut self, image: &[u8]) -> Result<(), ImageError> {
        match image::read(image)? {
            Content::Coupons(coupons) => self.insert_all(&coupons),
            Content::Registers(registers) => self.raise_all(registers),
        }
        Ok(())
    }

    /// The canonical image: 8 bytes and 4 for each client up to 7, 12 and 4 for each up to 384, then 4,136 bytes.
    #[must_use]
    pub fn to_image(&self) -> Vec<u8> {
        match &self.state {
            State::Coupons(coupons) => image::of_coupons(coupons),
            State::Registers(registers) => image::of_registers(registers),
        }
    }

    /// Reads an image that this or any other `DataSketches` engine wrote, with lgK 12 and compact: coupons of any type,
    /// or registers of type HLL_8. Equal bytes are written again for an image of ours.
    ///
    /// # Errors
    /// [`ImageError`] says what the image is instead.
    pub fn from_image(image: &[u8]) -> Result<Self, ImageError> {
        let mut sketch = Self::new();
        sketch.merge_image(image)?;
        Ok(sketch)
    }

    /// The estimated number of distinct clients, equal to what every `DataSketches` engine gives for
    /// [`to_image`](Self::to_image). Its relative standard error is [`STANDARD_ERROR`].
    #[must_use]
    pub fn estimate(&self) -> f64 {
        let image = HllSketch::deserialize(&self.to_image());
        image.expect("a canonical image is valid").estimate()
    }

    /// The values of the 4,096 registers, which is what engines share; computed from the coupons if these are few.
    #[must_use]
    pub fn registers(&self) -> Box<[u8; REGISTERS]> {
        match &self.state {
            State::Coupons(coupons) => registers_of(coupons),
            State::Registers(registers) => registers.clone(),
        }
    }

    fn insert_all(&mut self, added: &[Coupon]) {
        match &mut self.state {
            State::Coupons(coupons) => {
                coupons.extend_from_slice(added);
                coupons.sort();
                coupons.dedup();
                self.settle();
            }
            State::Registers(registers) => added.iter().for_each(|&coupon| raise(registers, coupon)),
        }
    }

    fn raise_all(&mut self, added: &Registers) {
        match &mut self.state {
            State::Coupons(coupons) => {
                let mut registers = registers_of(coupons);
                raise_all(&mut registers, added);
                self.state = State::Registers(registers);
            }
            State::Registers(registers) => raise_all(registers, added),
        }
    }

    /// Turns to registers if there are too many coupons.
    fn settle(&mut self) {
        if let State::Coupons(coupons) = &self.state
            && coupons.len() > COUPONS_MAX
        {
            self.state = State::Registers(registers_of(coupons));
        }
    }
}

impl Extend<Coupon> for UserSketch {
    fn extend<T: IntoIterator<Item = Coupon>>(&mut self, coupons: T) {
        coupons.into_iter().for_each(|coupon| self.insert(coupon));
    }
}

fn registers_of(coupons: &[Coupon]) -> Box<Registers> {
    let mut registers = Box::new([0; REGISTERS]);
    coupons.iter().for_each(|&coupon| raise(&mut registers, coupon));
    registers
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;
