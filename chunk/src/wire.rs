//! The protobuf wire format, as far as records and ids need it: fields of borrowed bytes, nothing copied. Numbers and keys
//! are read and written by prost.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

/// Appends a varint.
pub(crate) fn put_varint(value: u64, into: &mut Vec<u8>) {
    encode_varint(value, into);
}

/// Bytes of a varint.
pub(crate) const fn varint_len(value: u64) -> usize {
    prost::encoding::encoded_len_varint(value)
}

/// Appends a field of type varint, unless it is zero, as proto3 has it.
pub(crate) fn put_number(tag: u32, value: u64, into: &mut Vec<u8>) {
    if value != 0 {
        encode_key(tag, WireType::Varint, into);
        put_varint(value, into);
    }
}

/// Appends the key and the length of a field of bytes.
pub(crate) fn put_length(tag: u32, length: usize, into: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, into);
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
    decode_varint(from).ok()
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
pub(crate) fn take_field<'a>(from: &mut &'a [u8]) -> Option<(u32, Field<'a>)> {
    let (tag, wire_type) = decode_key(from).ok()?;
    let value = match wire_type {
        WireType::Varint => Field::Varint(take_varint(from)?),
        WireType::SixtyFourBit => take(from, 8).map(|_| Field::Fixed)?,
        WireType::LengthDelimited => {
            let length = take_varint(from)?;
            Field::Bytes(take(from, length)?)
        }
        WireType::ThirtyTwoBit => take(from, 4).map(|_| Field::Fixed)?,
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    Some((tag, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_has_seven_bits_in_each_byte_the_lowest_first_and_comes_back(value: u64, signed: i64) {
            let mut written = Vec::new();
            put_varint(value, &mut written);
            let (mut slow, mut left) = (Vec::new(), value);
            while left > 127 {
                slow.push((left % 128 + 128) as u8);
                left /= 128;
            }
            slow.push(left as u8);
            prop_assert_eq!(&written, &slow);
            prop_assert_eq!(varint_len(value), written.len());
            prop_assert_eq!(take_varint(&mut written.as_slice()), Some(value));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while take_field(&mut rest).is_some() {}
        }
    }
}
