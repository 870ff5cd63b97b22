//! Little-endian base-128 integers in their shortest form only.
//!
//! Here: the two directions. Not here: what the numbers mean.

/// Appends `value`, 7 bits a byte, the lowest first; the top bit says that more follow.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u128) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed value so that small magnitudes are short: 0, −1, 1, −2 … become 0, 1, 2, 3 ….
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i128) {
    put_unsigned(out, ((value << 1) ^ (value >> 127)).cast_unsigned());
}

/// Takes a value off the front. `None` if the bytes end within it, or it is not in its shortest form, or above 128 bits.
pub(crate) fn take_unsigned(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0u128;
    let mut shift = 0;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u128::from(byte & 0x7f);
        if shift > 126 || (shift == 126 && low > 3) {
            return None;
        }
        value |= low << shift;
        shift += 7;
        if byte < 0x80 {
            return (byte != 0 || shift == 7).then_some(value);
        }
    }
}

/// Takes a signed value off the front; `None` as for [`take_unsigned`].
pub(crate) fn take_signed(bytes: &mut &[u8]) -> Option<i128> {
    let value = take_unsigned(bytes)?;
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn longer_forms_of_a_number_are_refused() {
        for bytes in [&[0x80u8, 0][..], &[0x81, 0], &[0x80], &[], &[0xff; 19]] {
            let mut rest = bytes;
            assert_eq!(take_unsigned(&mut rest), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u128, signed: i128, small in -70i128..70) {
            let mut bytes = Vec::new();
            put_unsigned(&mut bytes, unsigned);
            put_signed(&mut bytes, signed);
            put_signed(&mut bytes, small);
            prop_assert!(small.abs() > 63 || bytes.len() <= 19 + 19 + 1);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_unsigned(&mut rest), Some(unsigned));
            prop_assert_eq!(take_signed(&mut rest), Some(signed));
            prop_assert_eq!(take_signed(&mut rest), Some(small));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn what_is_read_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let mut rest = bytes.as_slice();
            if let Some(value) = take_unsigned(&mut rest) {
                let mut again = Vec::new();
                put_unsigned(&mut again, value);
                prop_assert_eq!(again.as_slice(), &bytes[..bytes.len() - rest.len()]);
            }
        }
    }
}
