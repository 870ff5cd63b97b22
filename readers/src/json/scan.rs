//! Where texts and numbers end, found eight bytes at a time. Pure functions over bytes.

const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// So many digits always fit 63 bits.
const DIGITS_MAX: usize = 18;

/// How many bytes stand before the first that is a quote, a backslash or a control character.
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk::<8>() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes[at..].iter();
    at + rest.take_while(|byte| !is_special(**byte)).count()
}

/// The high bit of each byte that is special, up to and with the first one; those above it mean nothing.
const fn specials(word: u64) -> u64 {
    let quote = word ^ (LOW * b'"' as u64);
    let backslash = word ^ (LOW * b'\\' as u64);
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    ((quote.wrapping_sub(LOW) & !quote) | (backslash.wrapping_sub(LOW) & !backslash) | control) & HIGH
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes stand before the quote that ends a text; none when there is no such quote. What escapes and control
/// characters mean is not looked at.
pub(super) fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// A natural number of at most 18 digits without a leading zero at the front of these bytes, and its digits' number.
#[inline]
pub(super) fn digits(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut number: i64 = 0;
    let mut length = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(length) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        length += 1;
    }
    let leading_zero = length > 1 && bytes[0] == b'0';
    ((1..=DIGITS_MAX).contains(&length) && !leading_zero).then_some((number, length))
}

/// Whether the byte can stand in a number.
pub(super) const fn in_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_is_found_at_every_place() {
        for length in 0..40 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    let slow = bytes.iter().position(|byte| is_special(*byte));
                    assert_eq!(
                        plain_bytes(&bytes),
                        slow.unwrap_or(length),
                        "{byte} at {place} of {length}"
                    );
                    bytes.extend(b"\"\\\x01\xff\x1f");
                    let slow = bytes.iter().position(|byte| is_special(*byte));
                    assert_eq!(Some(plain_bytes(&bytes)), slow, "{byte} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn digits_end_at_whatever_byte_is_none() {
        for length in 0..20 {
            for other in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                for behind in [
                    &b""[..],
                    b"0",
                    b"\xff9999999",
                    b"12345678",
                    b"\x8a\x09\xc6\x30\x00\x80\x7f\xff\x31",
                ] {
                    let digits: String = ('1'..='9').chain('0'..='9').cycle().take(length).collect();
                    let bytes = [digits.as_bytes(), &[other], behind].concat();
                    let expected = digits.parse().ok().filter(|_| length <= DIGITS_MAX);
                    assert_eq!(
                        super::digits(&bytes),
                        expected.map(|number: i64| (number, length)),
                        "{bytes:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn digits_are_a_number_as_programs_write_it() {
        for (text, expected) in [
            ("0", Some((0, 1))),
            ("0,", Some((0, 1))),
            ("907\"", Some((907, 3))),
            ("999999999999999999", Some((999_999_999_999_999_999, 18))),
            ("1000000000000000000", None),
            ("99999999999999999999999999999999999999999", None),
            ("01", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(digits(text.as_bytes()), expected, "{text}");
        }
    }
}
