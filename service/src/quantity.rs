//! Quantities as people write them in settings: sizes in bytes and ages. Both directions, so that help texts, files and
//! flags agree.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes, written `300MB`, `64MiB` or `1024B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A span of time, written `10s`, `500ms`, `5m`, `2h` or `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(pub Duration);

/// A quantity that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a whole number with a unit of sizes.
    #[error(
        "not a size: write a whole number and a unit, as 300MB or 64MiB (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)"
    )]
    Size,
    /// Not a whole number with a unit of time.
    #[error("not a span of time: write a whole number and a unit, as 10s (ms, s, m, h, d)")]
    Age,
    /// A number alone: it may have been meant in any unit.
    #[error(
        "`{0}` needs a unit: write {0}MB, {0}GiB or, for bytes, {0}B (kB, MB, GB, TB, KiB, MiB, GiB, TiB)"
    )]
    SizeWithoutUnit(u64),
    /// The same of a span of time.
    #[error("`{0}` needs a unit: write {0}s, {0}m, {0}h or {0}d (ms, s, m, h, d)")]
    AgeWithoutUnit(u64),
    /// Nothing, where that makes no sense.
    #[error("0 is not taken here: nothing would go on by it. Write more")]
    Zero,
    /// Beyond what can be counted.
    #[error("too large")]
    TooLarge,
}

/// Largest first. The first spelling is the one that is written.
const SIZES: [(&[&str], u64); 9] = [
    (&["TiB", "tib"], 1 << 40),
    (&["TB", "tb"], 1_000_000_000_000),
    (&["GiB", "gib"], 1 << 30),
    (&["GB", "gb"], 1_000_000_000),
    (&["MiB", "mib"], 1 << 20),
    (&["MB", "mb"], 1_000_000),
    (&["KiB", "kib"], 1 << 10),
    (&["kB", "KB", "kb"], 1000),
    (&["B", "b"], 1),
];

/// Units of time in nanoseconds, largest first.
const AGES: [(&[&str], u64); 7] = [
    (&["d"], 86_400_000_000_000),
    (&["h"], 3_600_000_000_000),
    (&["m", "min"], 60_000_000_000),
    (&["s"], 1_000_000_000),
    (&["ms"], 1_000_000),
    (&["us"], 1000),
    (&["ns"], 1),
];

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (count, unit) = parse(text, &SIZES).ok_or_else(|| match text.trim().parse() {
            Ok(number) => QuantityError::SizeWithoutUnit(number),
            Err(_) => QuantityError::Size,
        })?;
        count.checked_mul(unit).map(Self).ok_or(QuantityError::TooLarge)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, u128::from(self.0), &SIZES, "0B")
    }
}

impl FromStr for Age {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (count, unit) = parse(text, &AGES).ok_or_else(|| match text.trim().parse() {
            Ok(number) => QuantityError::AgeWithoutUnit(number),
            Err(_) => QuantityError::Age,
        })?;
        let nanos = count.checked_mul(unit).ok_or(QuantityError::TooLarge)?;
        Ok(Self(Duration::from_nanos(nanos)))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0.as_nanos(), &AGES, "0s")
    }
}

/// Reads a size of which there must be some: where none at all would stop what it is for.
///
/// # Errors
/// [`QuantityError::Zero`], and what reading it may answer.
pub fn some_bytes(text: &str) -> Result<ByteSize, QuantityError> {
    match text.parse()? {
        ByteSize(0) => Err(QuantityError::Zero),
        size => Ok(size),
    }
}

/// Reads a span of time that must not be nothing.
///
/// # Errors
/// [`QuantityError::Zero`], and what reading it may answer.
pub fn some_time(text: &str) -> Result<Age, QuantityError> {
    match text.parse()? {
        Age(Duration::ZERO) => Err(QuantityError::Zero),
        age => Ok(age),
    }
}

fn parse(text: &str, units: &[(&[&str], u64)]) -> Option<(u64, u64)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = (text[..digits].parse().ok()?, text[digits..].trim_start());
    let (_, factor) = units.iter().find(|(names, _)| names.contains(&unit))?;
    Some((count, *factor))
}

/// Writes a quantity in the largest unit that divides it.
fn write(f: &mut fmt::Formatter<'_>, value: u128, units: &[(&[&str], u64)], zero: &str) -> fmt::Result {
    let dividing = units
        .iter()
        .find(|(_, unit)| value.is_multiple_of(u128::from(*unit)));
    match dividing {
        Some((names, unit)) if value > 0 => f.pad(&format!("{}{}", value / u128::from(*unit), names[0])),
        _ => f.pad(zero),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("300MB", 300_000_000),
            ("64MiB", 64 << 20),
            ("64 MiB", 64 << 20),
            ("1kB", 1000),
            ("1024B", 1024),
            ("0B", 0),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MB", "1.5GB", "-1", "10 parsecs", "1MBB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(QuantityError::Size), "{text}");
        }
        assert_eq!("99999999999TB".parse::<ByteSize>(), Err(QuantityError::TooLarge));
    }

    #[test]
    fn a_number_alone_is_refused_with_what_to_write() {
        for text in ["180", "0", " 1000 ", "18446744073709551615"] {
            let size = text.parse::<ByteSize>().expect_err(text).to_string();
            let age = text.parse::<Age>().expect_err(text).to_string();
            let number = text.trim();
            assert!(
                size.contains(&format!("{number}MB")) && size.contains(&format!("{number}B")),
                "{size}"
            );
            assert!(
                age.contains(&format!("{number}d")) && age.contains("unit"),
                "{age}"
            );
        }
    }

    #[test]
    fn nothing_is_refused_where_some_must_be() {
        for text in ["0B", "0GiB"] {
            assert_eq!(some_bytes(text), Err(QuantityError::Zero));
        }
        for text in ["0s", "0d", "0ms"] {
            assert_eq!(some_time(text), Err(QuantityError::Zero));
        }
        assert_eq!(some_bytes("1B"), Ok(ByteSize(1)));
        assert_eq!(some_time("1ms"), Ok(Age(Duration::from_millis(1))));
        assert_eq!(some_time("1"), Err(QuantityError::AgeWithoutUnit(1)));
    }

    #[test]
    fn ages_need_a_unit() {
        assert_eq!("10s".parse(), Ok(Age(Duration::from_secs(10))));
        assert_eq!("5m".parse(), Ok(Age(Duration::from_secs(300))));
        assert_eq!("14d".parse(), Ok(Age(Duration::from_secs(14 * 86_400))));
        for text in ["s", "", "1w", "1.5s"] {
            assert_eq!(text.parse::<Age>(), Err(QuantityError::Age), "{text}");
        }
    }

    #[test]
    fn quantities_are_written_in_the_largest_unit_that_fits() {
        assert_eq!(ByteSize(300_000_000).to_string(), "300MB");
        assert_eq!(ByteSize(8 << 20).to_string(), "8MiB");
        assert_eq!(Age(Duration::from_secs(60)).to_string(), "1m");
        assert_eq!(Age(Duration::from_millis(1500)).to_string(), "1500ms");
        assert_eq!(
            (ByteSize(0).to_string(), Age(Duration::ZERO).to_string()),
            ("0B".into(), "0s".into())
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(value: u64) {
            prop_assert_eq!(ByteSize(value).to_string().parse(), Ok(ByteSize(value)));
            let age = Age(Duration::from_nanos(value));
            prop_assert_eq!(age.to_string().parse(), Ok(age));
        }
    }
}
