//! The protobuf wire format, as far as records and ids need it: fields of borrowed bytes, nothing copied.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

/// Appends a varint.
pub(crate) fn put_varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Bytes of a varint.
pub(crate) const fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends a field of type varint, unless it is zero, as proto3 has it.
pub(crate) fn put_number(tag: u32, value: u64, into: &mut Vec<u8>) {
    if value != 0 {
        put_varint(u64::from(tag) << 3, into);
        put_varint(value, into);
    }
}

/// Appends the key and the length of a field of bytes.
pub(crate) fn put_length(tag: u32, length: usize, into: &mut Vec<u8>) {
    put_varint(u64::from(tag) << 3 | 2, into);
    put_varint(length as u64, into);
}

/// Appends a field of bytes, unless it is empty, as proto3 has it.
pub(crate) fn put_bytes(tag: u32, bytes: &[u8], into: &mut Vec<u8>) {
    if !bytes.is_empty() {
        put_length(tag, bytes.len(), into);
        into.extend_from_slice(bytes);
    }
}

/// Maps small differences of either sign to small numbers.
pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The opposite of [`zigzag`].
pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Takes a varint off the front; `None` when it is cut or does not fit 64 bits.
pub(crate) fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for at in 0..10 {
        let byte = *from.get(at)?;
        if at == 9 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            *from = &from[at + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes `length` bytes off the front; `None` when there are fewer.
pub(crate) fn take<'a>(from: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(usize::try_from(length).ok()?)?;
    *from = rest;
    Some(taken)
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// Integers.
    Varint(u64),
    /// Bytes, strings, messages.
    Bytes(&'a [u8]),
    /// Fixed-width numbers, which no message of ours has: skipped.
    Fixed,
}

/// Takes a field off the front: its tag and value. `None` when it is malformed.
pub(crate) fn take_field<'a>(from: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = take_varint(from)?;
    let tag = key >> 3;
    if tag == 0 || tag > 0x1fff_ffff {
        return None;
    }
    let value = match key & 7 {
        0 => Field::Varint(take_varint(from)?),
        1 => take(from, 8).map(|_| Field::Fixed)?,
        2 => {
            let length = take_varint(from)?;
            Field::Bytes(take(from, length)?)
        }
        5 => take(from, 4).map(|_| Field::Fixed)?,
        _ => return None,
    };
    Some((tag, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_is_that_of_prost(value: u64, signed: i64) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            put_varint(value, &mut ours);
            prost::encoding::encode_varint(value, &mut theirs);
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(varint_len(value), ours.len());
            prop_assert_eq!(take_varint(&mut ours.as_slice()), Some(value));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while take_field(&mut rest).is_some() {}
        }
    }
}
