//! How a number in JSON becomes a whole number in a metric's unit.

use crate::json::{Cursor, Leaf};
use crate::values::Rule;

/// 2^63: the first number that is too large.
const END: f64 = 9_223_372_036_854_775_808.0;

/// The number a value is, `factor` times, rounded to the nearest whole one (half away from zero). Nothing for null, which is as good as
/// absent.
///
/// # Errors
/// When it is no number, or none that counts. `-0` is 0. What JSON writes and 63 bits do not hold, as 2^64, is too large; what a
/// double does not hold, as 1e400, makes the whole body none that can be read.
#[inline]
pub(super) fn whole(leaf: Leaf, factor: i64, may_be_negative: bool) -> Result<Option<i64>, Rule> {
    let whole = match leaf {
        Leaf::Null => return Ok(None),
        Leaf::Whole(number) => number.checked_mul(factor).ok_or(Rule::NumberTooLarge)?,
        Leaf::Beyond => return Err(Rule::NumberTooLarge),
        Leaf::Fraction(number) => rounded(number, factor)?,
        Leaf::Bool(_) | Leaf::Text | Leaf::List | Leaf::Object => return Err(Rule::WrongType),
    };
    if whole < 0 && !may_be_negative {
        return Err(Rule::NumberNegative);
    }
    Ok(Some(whole))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "units are powers of ten below 2^53, or of two"
)]
#[expect(clippy::cast_possible_truncation, reason = "compared with both ends before")]
fn rounded(number: f64, factor: i64) -> Result<i64, Rule> {
    let number = (number * factor as f64).round();
    // -2^63 itself comes as a whole number: here it is one below that a double does not tell from it.
    if !(number > -END && number < END) {
        return Err(Rule::NumberTooLarge);
    }
    Ok(number as i64)
}

/// The samples in a bin.
pub(super) fn samples(leaf: Leaf) -> Result<i64, Rule> {
    match leaf {
        Leaf::Whole(samples @ 0..=super::limits::BIN_SAMPLES_MAX) => Ok(samples),
        Leaf::Whole(0..) | Leaf::Beyond => Err(Rule::BinTooLarge),
        _ => Err(Rule::BinSamplesNotANumber),
    }
}

/// The number that a text is, as JSON writes it and nothing around it.
pub(super) fn in_text(text: &str) -> Option<Leaf> {
    let bytes = text.as_bytes();
    let begins = matches!(bytes.first()?, b'-' | b'0'..=b'9');
    if !begins || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let mut json = Cursor::new(bytes);
    let leaf = json.plain().ok()?;
    json.end().ok().map(|()| leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_what_does_not_fit_is_left_out() {
        let large = Err(Rule::NumberTooLarge);
        for (text, factor, number) in [
            ("0", 1, Ok(Some(0))),
            ("-0", 1, Ok(Some(0))),
            ("-0.4", 1, Ok(Some(0))),
            ("1.5", 1, Ok(Some(2))),
            ("2.5", 1, Ok(Some(3))),
            ("1.5", 1_000_000, Ok(Some(1_500_000))),
            ("4.35", 100, Ok(Some(435))),
            ("1e3", 1, Ok(Some(1_000))),
            ("9223372036854775807", 1, Ok(Some(i64::MAX))),
            ("9223372036854775808", 1, large),
            ("18446744073709551616", 1, large),
            ("9223372036854775807", 2, large),
            ("1e300", 1, large),
            ("-1e300", 1, large),
            ("-1", 1, Err(Rule::NumberNegative)),
            ("true", 1, Err(Rule::WrongType)),
            ("\"1\"", 1, Err(Rule::WrongType)),
            ("null", 1, Ok(None)),
        ] {
            let leaf = Cursor::new(text.as_bytes()).leaf().expect(text);
            assert_eq!(whole(leaf, factor, false), number, "{text} times {factor}");
        }
        assert_eq!(whole(Leaf::Whole(-1), 1, true), Ok(Some(-1)));
        assert!(Cursor::new(b"1e400").leaf().is_err());
        assert!(Cursor::new(b"NaN").leaf().is_err());
    }

    #[test]
    fn a_key_is_a_number_as_json_writes_it() {
        assert_eq!(in_text("12"), Some(Leaf::Whole(12)));
        assert_eq!(in_text("-0.5"), Some(Leaf::Fraction(-0.5)));
        for text in [
            "", "-", "01", "+1", " 1", "1 ", "1.", "0x1", "1e400", "true", "1,2",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
