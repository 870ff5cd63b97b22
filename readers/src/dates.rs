//! Calendar dates inside texts.

use ping::SubmissionDate;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// The date that a text such as `2026-10-01` or `2026-10-01T23:59:59+02:00` begins with.
#[must_use]
pub fn leading_date(text: &str) -> Option<SubmissionDate> {
    let date = text.as_bytes().first_chunk::<10>()?;
    let mut number = 0;
    for (place, byte) in date.iter().enumerate() {
        match (place, byte) {
            (4 | 7, b'-') => {}
            (0..=3 | 5 | 6 | 8 | 9, b'0'..=b'9') => number = number * 10 + u32::from(byte - b'0'),
            _ => return None,
        }
    }
    // `2026-10-012` is no date.
    let goes_on = text.as_bytes().get(10).is_some_and(u8::is_ascii_digit);
    SubmissionDate::from_yyyymmdd(number).filter(|_| !goes_on)
}

/// The date that a build id begins with: 8 to 14 digits, of which the first eight are a date.
#[must_use]
pub fn build_date(text: &str) -> Option<SubmissionDate> {
    let all_digits = (8..=14).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return None;
    }
    SubmissionDate::from_yyyymmdd(text[..8].parse().ok()?)
}

/// Days from one day to another; negative when that is the earlier one.
#[must_use]
pub fn days_between(from: SubmissionDate, to: SubmissionDate) -> i64 {
    to.start().micros_since(from.start()) / DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_stands_at_the_front_of_a_text() {
        for (text, date) in [
            ("2026-10-01", Some(20_261_001)),
            ("2026-10-01T23:59:59+02:00", Some(20_261_001)),
            ("2026-10-01+02:00", Some(20_261_001)),
            ("2026-10-012", None),
            ("2026-02-30", None),
            ("2026/10/01", None),
            ("20261001", None),
            ("2026-10", None),
            ("", None),
        ] {
            assert_eq!(
                leading_date(text).map(SubmissionDate::as_yyyymmdd),
                date,
                "{text}"
            );
        }
        for (text, date) in [
            ("20261001", Some(20_261_001)),
            ("20261001123456", Some(20_261_001)),
            ("202610011234567", None),
            ("20261301", None),
            ("2026100", None),
            ("2026100a", None),
        ] {
            assert_eq!(build_date(text).map(SubmissionDate::as_yyyymmdd), date, "{text}");
        }
    }

    #[test]
    fn days_are_counted_both_ways() {
        let day = |number| SubmissionDate::from_yyyymmdd(number).expect("a date");
        assert_eq!(days_between(day(20_240_228), day(20_240_301)), 2);
        assert_eq!(days_between(day(20_240_301), day(20_240_228)), -2);
    }
}
