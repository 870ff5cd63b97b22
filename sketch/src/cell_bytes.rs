//! The stored form of a cell: both directions, and the merge of two stored cells.
//!
//! ```text
//! version   1 byte, 1
//! count     signed
//! sum       signed
//! n         unsigned: number of bins
//! n times   distance: the first bin's lower bound, signed; then, unsigned, the bound minus the one before minus 1
//!           samples:  signed, not 0
//! ```
//! Numbers are little-endian base-128 in their shortest form, signed ones in zigzag. There is one form for each cell
//! and one cell for each form: equal cells are equal bytes. What is read is checked to be that form, to the last byte.

use crate::cell::Cell;
use crate::varint::{put_signed, put_unsigned, take_signed, take_unsigned};

/// The version byte of the form that is written; every version ever written is read for ever.
pub const CELL_VERSION: u8 = 1;

/// Least bytes of a bin: bounds the room taken for a stated number of bins by the bytes there are.
const BIN_BYTES_MIN: usize = 2;

impl Cell {
    /// Appends the stored form: about 25 bytes for a typical cell.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(CELL_VERSION);
        put_signed(out, i128::from(self.count()));
        put_signed(out, self.sum());
        put_unsigned(out, self.bins().len() as u128);
        let mut before = None;
        for &(bound, samples) in self.bins() {
            match before {
                None => put_signed(out, i128::from(bound)),
                Some(before) => put_unsigned(out, u128::from(bound.abs_diff(before)) - 1),
            }
            put_signed(out, samples);
            before = Some(bound);
        }
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 4 * self.bins().len());
        self.encode_into(&mut out);
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CellError`] for anything that [`encode_into`](Self::encode_into) does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, CellError> {
        let mut cell = Self::default();
        cell.read(bytes)?;
        Ok(cell)
    }

    /// Reads the stored form in place of what the cell was; the memory of its bins is used again.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode). The cell is zero then.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), CellError> {
        let bins = self.take_bins();
        *self = match bytes.split_first() {
            None => Err(CellError::Damaged("it is empty")),
            Some((&CELL_VERSION, rest)) => decode_version_1(rest, bins),
            Some((&other, _)) => Err(CellError::Version(other)),
        }?;
        Ok(())
    }
}

/// Reads a cell; its bins take the place of what this vector holds.
fn decode_version_1(mut bytes: &[u8], mut bins: Vec<(i64, i128)>) -> Result<Cell, CellError> {
    let rest = &mut bytes;
    let count = take_signed(rest).and_then(|count| i64::try_from(count).ok());
    let count = count.ok_or(CellError::Damaged("its count is cut or too long"))?;
    let sum = take_signed(rest).ok_or(CellError::Damaged("its sum is cut or too long"))?;
    let stated = take_unsigned(rest).and_then(|stated| usize::try_from(stated).ok());
    let stated = stated.ok_or(CellError::Damaged("its number of bins is cut or too long"))?;
    if stated > rest.len() / BIN_BYTES_MIN {
        return Err(CellError::Damaged("it states more bins than its bytes can hold"));
    }
    bins.clear();
    bins.reserve(stated);
    for _ in 0..stated {
        let bound = match bins.last() {
            None => take_signed(rest),
            Some(&(before, _)) => take_unsigned(rest)
                .and_then(|distance| i128::try_from(distance).ok())
                .and_then(|distance| distance.checked_add(i128::from(before) + 1)),
        };
        let bound = bound.and_then(|bound| i64::try_from(bound).ok());
        let bound = bound.ok_or(CellError::Damaged("a bin's lower bound is cut or out of range"))?;
        let samples = take_signed(rest).filter(|&samples| samples != 0);
        bins.push((
            bound,
            samples.ok_or(CellError::Damaged("a bin's samples are cut or zero"))?,
        ));
    }
    if !rest.is_empty() {
        return Err(CellError::Damaged("bytes follow its last bin"));
    }
    Ok(Cell::from_canonical(count, sum, bins))
}

/// Whether more submissions were added to a stored cell than taken back: what is added to such cells never makes one of
/// them zero. Reads the beginning of the bytes only.
#[must_use]
pub fn has_positive_count(bytes: &[u8]) -> bool {
    // Signed numbers are stored as 0, -1, 1, -2, ..: the last bit tells the sign, and it comes first.
    bytes.get(1).is_some_and(|&first| first != 0 && first & 1 == 0)
}

/// The stored form of the sum of two stored cells: what a database's merge function does.
///
/// # Errors
/// [`CellError`] if either is no stored cell.
pub fn merge_encoded(a: &[u8], b: &[u8]) -> Result<Vec<u8>, CellError> {
    let mut cell = Cell::decode(a)?;
    cell.add(&Cell::decode(b)?);
    Ok(cell.encode())
}

/// Why bytes are no stored cell. Who reads must act: the stored aggregate is damaged, or newer than this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// The version byte is one this program does not know.
    #[error(
        "a stored cell has version {0}, and this program reads up to {CELL_VERSION}: use a newer program"
    )]
    Version(u8),
    /// The bytes are not what is ever written.
    #[error("a stored cell is damaged ({0}): rebuild the aggregates from the chunks")]
    Damaged(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Cells as version 1 wrote them; they must be read for ever. A changed line here is a broken promise.
    const GOLDEN: &str = include_str!("../tests/golden/cells-v1.txt");

    fn any_cell() -> impl Strategy<Value = Cell> {
        let bound = prop_oneof![0i64..40, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
        let samples = prop_oneof![-3i128..4, any::<i128>()];
        let count = prop_oneof![-5i64..5, any::<i64>()];
        (
            count,
            any::<i128>(),
            prop::collection::vec((bound, samples), 0..20),
        )
            .prop_map(|(count, sum, bins)| Cell::new(count, sum, bins))
    }

    proptest! {
        #[test]
        fn a_cell_that_is_read_again_and_again_is_the_last_one_or_zero(
            cells in prop::collection::vec((any_cell(), any::<bool>()), 1..6),
        ) {
            let mut read = Cell::default();
            for (cell, is_cut) in cells {
                let mut bytes = cell.encode();
                bytes.truncate(bytes.len() - usize::from(is_cut));
                prop_assert_eq!(read.read(&bytes).is_err(), is_cut);
                prop_assert_eq!(&read, &if is_cut { Cell::default() } else { cell });
            }
        }
    }

    #[test]
    fn golden_cells_decode_for_ever() {
        let mut read = 0;
        for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split(' ').collect();
            let number = |text: &str| text.parse::<i128>().expect("golden numbers are integers");
            let bins = fields[3..].iter().map(|bin| {
                let (bound, samples) = bin.split_once(':').expect("golden bins are bound:samples");
                (bound.parse().expect("golden bounds are 64 bits"), number(samples))
            });
            let count = fields[1].parse().expect("golden counts are 64 bits");
            let cell = Cell::new(count, number(fields[2]), bins);
            let bytes: Vec<u8> = (0..fields[0].len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&fields[0][at..at + 2], 16).expect("golden bytes are hex"))
                .collect();
            assert_eq!(Cell::decode(&bytes).as_ref(), Ok(&cell), "{line}");
            assert_eq!(cell.encode(), bytes, "{line}");
            read += 1;
        }
        assert_eq!(read, 8);
    }

    #[test]
    fn a_typical_cell_takes_about_25_bytes() {
        let bins = [
            (0, 3),
            (1, 12),
            (2, 40),
            (3, 71),
            (5, 66),
            (8, 30),
            (13, 12),
            (20, 4),
            (30, 1),
        ];
        assert_eq!(Cell::new(36, 1_104, bins).encode().len(), 25);
    }

    #[test]
    fn a_huge_stated_number_of_bins_takes_no_room() {
        let mut bytes = vec![CELL_VERSION, 0, 0];
        put_unsigned(&mut bytes, u128::from(u64::MAX >> 8));
        assert!(matches!(Cell::decode(&bytes), Err(CellError::Damaged(_))));
    }

    #[test]
    fn a_bin_without_samples_is_refused() {
        assert!(matches!(
            Cell::decode(&[CELL_VERSION, 0, 0, 1, 8, 0]),
            Err(CellError::Damaged(_))
        ));
        assert_eq!(
            Cell::decode(&[CELL_VERSION, 0, 0, 1, 8, 2]),
            Ok(Cell::new(0, 0, [(4, 1)]))
        );
    }

    #[test]
    fn a_bound_beyond_64_bits_is_refused() {
        let mut bytes = Cell::new(0, 0, [(i64::MAX - 1, 1)]).encode();
        bytes[3] = 2;
        assert!(Cell::decode(&[&bytes[..], &[0, 2]].concat()).is_ok());
        assert!(Cell::decode(&[&bytes[..], &[1, 2]].concat()).is_err());
    }

    #[test]
    fn another_version_is_said_to_be_newer() {
        assert_eq!(Cell::decode(&[2, 0, 0, 0]), Err(CellError::Version(2)));
    }

    proptest! {
        #[test]
        fn a_cell_comes_back(cell in any_cell()) {
            prop_assert_eq!(Cell::decode(&cell.encode()), Ok(cell));
        }

        #[test]
        fn cut_or_lengthened_bytes_are_refused(cell in any_cell(), more: u8) {
            let mut bytes = cell.encode();
            for cut in 0..bytes.len() {
                prop_assert!(Cell::decode(&bytes[..cut]).is_err());
            }
            bytes.push(more);
            prop_assert!(Cell::decode(&bytes).is_err());
        }

        #[test]
        fn bytes_that_are_read_are_the_only_form(
            noise in prop::collection::vec(any::<u8>(), 0..40),
            small in prop::collection::vec(0u8..5, 0..40),
            cell in any_cell(), at: prop::sample::Index, byte: u8,
        ) {
            let mut changed = cell.encode();
            *at.get_mut(&mut changed) = byte;
            let versioned = [&[CELL_VERSION][..], &small].concat();
            for bytes in [noise, small, versioned, changed] {
                if let Ok(cell) = Cell::decode(&bytes) {
                    prop_assert_eq!(cell.encode(), bytes);
                }
            }
        }

        #[test]
        fn the_sign_of_a_count_is_read_from_the_bytes(cell in any_cell(), count in any::<i64>()) {
            let other = Cell::new(count, cell.sum(), cell.bins().to_vec());
            for cell in [cell, other] {
                prop_assert_eq!(has_positive_count(&cell.encode()), cell.count() > 0);
            }
        }

        #[test]
        fn stored_cells_merge_as_cells_do(a in any_cell(), b in any_cell()) {
            let mut sum = a.clone();
            sum.add(&b);
            prop_assert_eq!(merge_encoded(&a.encode(), &b.encode()), Ok(sum.encode()));
        }
    }
}
