//! The bytes of a sketch: Apache `DataSketches` HLL images, both directions.
//!
//! Here: the format. Not here: when a sketch changes from coupons to registers (`users.rs`). An image is a preamble
//! and then coupons or registers, all numbers little-endian:
//!
//! ```text
//! byte  list (0 to 7 coupons)     set (8 to 384 coupons)       registers (more)
//! 0     2  preamble in words      3                            10
//! 1     1  format version         1                            1
//! 2     7  family HLL             7                            7
//! 3     12 log2 of registers      12                           12
//! 4     3  log2 of list size      5 to 9 log2 of table size    0
//! 5     8 compact, +4 empty       8 compact                    16 out of order
//! 6     number of coupons         0                            0  current minimum
//! 7     8  list, HLL_8            9  set, HLL_8                10 registers, HLL_8
//! 8     coupons, 4 bytes each     number of coupons, 4 bytes   0.0 HIP sum; 16: kxq0; 24: kxq1, doubles;
//!                                 12: coupons, 4 bytes each    32: zero registers, 4 bytes; 36: 0; 40: 4,096 bytes
//! ```
//! Canonical: coupons ascend, registers are marked out of order (no history, so no HIP sum), and everything else
//! is computed from them; the same set of clients is the same bytes. Registers are stored as HLL_8, a byte each:
//! HLL_4 would halve them, but there a union must unpack nibbles and exceptions (measured: 19 µs, against 0.3 µs
//! for a byte-wise maximum over the stored image), and its exceptions have no canonical order. Register images do
//! not carry the compact flag: it changes nothing in them, Java cannot update such an image in place, an early Rust
//! reader united it wrongly, and without it they are byte for byte what C++ writes for a union in updatable form.
//!
//! Source: `HllUtil.hpp`, `HllSketchImpl-internal.hpp` of datasketches-cpp 5.2; checked against it by `tests/interop.rs`.

use crate::coupon::{Coupon, LG_K};
use crate::registers::{REGISTERS, Registers, Totals, VALUE_MAX, totals};

/// Most coupons a sketch keeps: one more, and it turns to registers (three quarters of a table of 512).
pub(crate) const COUPONS_MAX: usize = 384;

/// From this number of coupons on the image is a set, below it a list.
const SET_FROM: usize = 8;

const FORMAT_VERSION: u8 = 1;
const FAMILY_HLL: u8 = 7;
const EMPTY: u8 = 4;
const COMPACT: u8 = 8;
const OUT_OF_ORDER: u8 = 16;
const MODE_LIST: u8 = 0;
const MODE_SET: u8 = 1;
const MODE_REGISTERS: u8 = 2;
const TYPE_HLL_8: u8 = 2;
const LIST_PREAMBLE: usize = 8;
const SET_PREAMBLE: usize = 12;
const REGISTERS_PREAMBLE: usize = 40;

/// What an image holds.
pub(crate) enum Content<'a> {
    /// Distinct coupons, ascending.
    Coupons(Vec<Coupon>),
    /// Register values, each at most 63.
    Registers(&'a Registers),
}

/// The canonical image of ascending distinct coupons, at most [`COUPONS_MAX`].
pub(crate) fn of_coupons(coupons: &[Coupon]) -> Vec<u8> {
    debug_assert!(coupons.len() <= COUPONS_MAX && coupons.is_sorted_by(|a, b| a < b));
    let mut image = Vec::with_capacity(SET_PREAMBLE + 4 * coupons.len());
    let count = u8::try_from(coupons.len())
        .ok()
        .filter(|&count| usize::from(count) < SET_FROM);
    if let Some(count) = count {
        let flags = if count == 0 { COMPACT | EMPTY } else { COMPACT };
        image.extend([
            2,
            FORMAT_VERSION,
            FAMILY_HLL,
            LG_K,
            3,
            flags,
            count,
            mode_byte(MODE_LIST),
        ]);
    } else {
        let lg_table = lg_table_size(coupons.len());
        image.extend([
            3,
            FORMAT_VERSION,
            FAMILY_HLL,
            LG_K,
            lg_table,
            COMPACT,
            0,
            mode_byte(MODE_SET),
        ]);
        image.extend(
            u32::try_from(coupons.len())
                .expect("at most 384 coupons")
                .to_le_bytes(),
        );
    }
    image.extend(coupons.iter().flat_map(|coupon| coupon.to_bytes()));
    image
}

/// The canonical image of registers.
pub(crate) fn of_registers(registers: &Registers) -> Vec<u8> {
    let Totals { kxq0, kxq1, zeros } = totals(registers);
    let mut image = Vec::with_capacity(REGISTERS_PREAMBLE + REGISTERS);
    image.extend([
        10,
        FORMAT_VERSION,
        FAMILY_HLL,
        LG_K,
        0,
        OUT_OF_ORDER,
        0,
        mode_byte(MODE_REGISTERS),
    ]);
    image.extend(0f64.to_le_bytes());
    image.extend(kxq0.to_le_bytes());
    image.extend(kxq1.to_le_bytes());
    image.extend(zeros.to_le_bytes());
    image.extend(0u32.to_le_bytes());
    image.extend(registers);
    image
}

/// Reads an image, ours or another engine's.
///
/// Coupons may come in any order and be meant for any register type. Beside registers everything is ignored that
/// can be computed from them, the HIP sum too.
pub(crate) fn read(image: &[u8]) -> Result<Content<'_>, ImageError> {
    let Some(&[words, version, family, lg_k, _, flags, count, mode]) = image.first_chunk() else {
        return Err(ImageError::Damaged("it is shorter than a preamble"));
    };
    if family != FAMILY_HLL || version != FORMAT_VERSION {
        return Err(ImageError::NotHll { family, version });
    }
    if lg_k != LG_K {
        return Err(ImageError::LgK(lg_k));
    }
    match (mode & 3, words) {
        (MODE_LIST, 2) => {
            compact_only(flags)?;
            if (flags & EMPTY != 0) != (count == 0) || usize::from(count) > SET_FROM {
                return Err(ImageError::Damaged(
                    "its flags and its number of coupons disagree",
                ));
            }
            read_coupons(&image[LIST_PREAMBLE..], usize::from(count))
        }
        (MODE_SET, 3) => {
            compact_only(flags)?;
            let count = image[LIST_PREAMBLE..]
                .first_chunk()
                .map(|bytes| u32::from_le_bytes(*bytes));
            let count = count
                .and_then(|count| usize::try_from(count).ok())
                .filter(|&count| count <= COUPONS_MAX);
            let count = count.ok_or(ImageError::Damaged("its number of coupons is cut or above 384"))?;
            read_coupons(&image[SET_PREAMBLE..], count)
        }
        (MODE_REGISTERS, 10) => read_registers(image, mode >> 2 & 3),
        _ => Err(ImageError::Damaged(
            "its mode and the length of its preamble disagree",
        )),
    }
}

fn compact_only(flags: u8) -> Result<(), ImageError> {
    if flags & COMPACT == 0 {
        return Err(ImageError::NotCompact);
    }
    Ok(())
}

fn read_coupons(bytes: &[u8], count: usize) -> Result<Content<'_>, ImageError> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    if chunks.len() != count || !rest.is_empty() {
        return Err(ImageError::Damaged("its length is not that of its coupons"));
    }
    let coupons: Option<Vec<Coupon>> = chunks.iter().map(|&chunk| Coupon::from_bytes(chunk)).collect();
    let mut coupons = coupons.ok_or(ImageError::Damaged("it has an empty coupon"))?;
    coupons.sort_unstable();
    if !coupons.is_sorted_by(|a, b| a < b) {
        return Err(ImageError::Damaged("it has a coupon twice"));
    }
    Ok(Content::Coupons(coupons))
}

fn read_registers(image: &[u8], register_type: u8) -> Result<Content<'_>, ImageError> {
    if register_type != TYPE_HLL_8 {
        return Err(ImageError::RegisterType(register_type));
    }
    let registers = image
        .get(REGISTERS_PREAMBLE..)
        .and_then(|bytes| <&Registers>::try_from(bytes).ok());
    let registers = registers.ok_or(ImageError::Damaged("its length is not that of its registers"))?;
    if registers.iter().fold(0, |most, &value| value.max(most)) > VALUE_MAX {
        return Err(ImageError::Damaged("a register is above 63"));
    }
    Ok(Content::Registers(registers))
}

const fn mode_byte(mode: u8) -> u8 {
    TYPE_HLL_8 << 2 | mode
}

/// log2 of the smallest table, of 32 or more, that so many coupons fill to three quarters at most.
fn lg_table_size(count: usize) -> u8 {
    (5..9).find(|lg| 4 * count <= 3 << lg).unwrap_or(9)
}

/// Why bytes are no image that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Another kind of sketch, or a version this program does not know.
    #[error("this is no HLL sketch of format 1 but family {family}, format {version}: pass an HLL sketch")]
    NotHll {
        /// The family byte; HLL is 7.
        family: u8,
        /// The format byte.
        version: u8,
    },
    /// Another number of registers.
    #[error("this sketch has lgK {0}, and only lgK 12 can be united here: make it with lgK 12")]
    LgK(u8),
    /// Registers of 4 or 6 bits.
    #[error("this sketch has registers of type {0}, and only HLL_8 (2) is read: convert it to HLL_8")]
    RegisterType(u8),
    /// Coupons in the updatable form, with gaps.
    #[error("this sketch is in updatable form: serialise it in compact form")]
    NotCompact,
    /// The bytes contradict themselves.
    #[error("this sketch is damaged ({0}): take it from its source again, or rebuild the aggregates")]
    Damaged(&'static str),
}
