//! Quantities as people write them in settings: sizes in bytes and ages. Both directions, so that help texts, files and
//! flags agree.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes, written `300MB`, `64MiB` or `1024`.
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
    (&["B", "b", ""], 1),
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
        let (count, unit) = parse(text, &SIZES).ok_or(QuantityError::Size)?;
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
        let (count, unit) = parse(text, &AGES).ok_or(QuantityError::Age)?;
        let nanos = count.checked_mul(unit).ok_or(QuantityError::TooLarge)?;
        Ok(Self(Duration::from_nanos(nanos)))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0.as_nanos(), &AGES, "0s")
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
            ("1024", 1024),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MB", "1.5GB", "-1", "10 parsecs", "1MBB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(QuantityError::Size), "{text}");
        }
        assert_eq!("99999999999TB".parse::<ByteSize>(), Err(QuantityError::TooLarge));
    }

    #[test]
    fn ages_need_a_unit() {
        assert_eq!("10s".parse(), Ok(Age(Duration::from_secs(10))));
        assert_eq!("5m".parse(), Ok(Age(Duration::from_secs(300))));
        assert_eq!("14d".parse(), Ok(Age(Duration::from_secs(14 * 86_400))));
        for text in ["10", "s", "", "1w", "1.5s"] {
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
