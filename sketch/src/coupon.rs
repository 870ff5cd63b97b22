//! The hash of a client id, in the form every sketch takes it.
//!
//! Here: the one place where an id is hashed. Not here: what a sketch does with it (`users.rs`).

use datasketches::hash::value::raw_bytes;
use datasketches::hll::{Coupon as Hash, HllSketch, HllType};

/// log2 of the number of registers of every sketch: 4,096.
pub(crate) const LG_K: u8 = 12;

/// Where the only coupon of a list image begins, after its preamble.
const FIRST_COUPON: usize = 8;

/// The hash of one client id: 26 bits of address and, above them, a 6-bit value that is never 0.
///
/// 32 bits of `MurmurHash3` (x64, 128 bits, seed 9001), as `DataSketches` in Java, C++ and Python take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coupon(u32);

/// The coupon of a client id; `None` for an empty id, which `DataSketches` skips in every language.
///
/// Hashed are the raw UTF-8 bytes: not Rust's own encoding of a string, which other engines do not share and with
/// which a union would count every client twice. Case and form of the id matter: nothing is normalised here, whoever asks has
/// the id in its normal form (`ping::ClientId`).
#[must_use]
pub fn coupon_of(client_id: &str) -> Option<Coupon> {
    if client_id.is_empty() {
        return None;
    }
    let mut sketch = HllSketch::new(LG_K, HllType::Hll8).expect("12 lies within 4 and 21");
    sketch.update_with_coupon(Hash::from_value(raw_bytes::from_str(client_id)));
    let image = sketch.serialize();
    let bytes = image.get(FIRST_COUPON..).and_then(|rest| rest.first_chunk());
    Some(Coupon(u32::from_le_bytes(
        *bytes.expect("the list image of one coupon has 12 bytes"),
    )))
}

impl Coupon {
    /// A coupon from an image; `None` if its value is 0, which no hash gives.
    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        let coupon = Self(u32::from_le_bytes(bytes));
        (coupon.value() > 0).then_some(coupon)
    }

    /// As images hold it.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// The register this coupon falls into: the low bits of the address.
    pub(crate) fn register(self) -> usize {
        self.0 as usize & ((1 << LG_K) - 1)
    }

    /// What the register must hold at least: 1 to 63.
    pub(crate) fn value(self) -> u8 {
        (self.0 >> 26) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_id_has_no_coupon() {
        assert_eq!(coupon_of(""), None);
    }

    /// Coupons as the C++ library 5.2.0 writes them into the image of one string.
    #[test]
    fn coupons_are_those_of_other_engines() {
        for (id, expected) in [
            ("c0", 0x0407_02a8),
            ("c4582ba1-79fc-1f47-ae2a-671118dccd8b", 0x135e_ce73),
            ("клиент-é-日本語", 0x049b_4708),
        ] {
            assert_eq!(coupon_of(id).map(|coupon| coupon.0), Some(expected), "{id}");
        }
    }
}
