//! Simple mutations of an input, for the short run that knows no coverage: bits, bytes, numbers, pieces.

use crate::dice::Dice;

/// Numbers that lie at borders.
const ODD: [u64; 10] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// One to four changes of `input`; pieces are also taken from `other`. The result has at most `bytes_max` bytes.
pub fn mutate(dice: &mut Dice, input: &[u8], other: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(4) {
        change(dice, &mut bytes, other);
    }
    bytes.truncate(bytes_max);
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len() + 1);
    let end = (at + 1 + dice.below(16)).min(bytes.len());
    match dice.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.number() as u8,
        2 => bytes.insert(at, dice.number() as u8),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let to = dice.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        5 => bytes.truncate(at),
        6 => {
            let from = dice.below(other.len() + 1);
            let piece = &other[from..(from + 1 + dice.below(32)).min(other.len())];
            bytes.splice(at..end, piece.iter().copied());
        }
        7 => {
            let number = ODD[dice.below(ODD.len())].to_le_bytes();
            let width = (1 << dice.below(4)).min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        _ => {
            // A digit more or another one: for texts.
            let digit = b'0' + dice.below(10) as u8;
            if dice.below(2) == 0 && bytes.get(at).is_some_and(u8::is_ascii_digit) {
                bytes[at] = digit;
            } else {
                bytes.insert(at, digit);
            }
        }
    }
}
