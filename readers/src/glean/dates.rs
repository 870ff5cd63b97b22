//! Dates as Glean writes them: the first ten characters, whatever follows. Of what follows nothing is refused: Glean.js
//! writes `-00:00` for UTC and `+5.5:00` for a zone of half an hour.

use ping::SubmissionDate;

/// What the Python and Rust SDKs send for a build whose day they do not know.
const NO_BUILD_DATE: &str = "1970-01-01";

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The calendar date that a text begins with, in the offset that it states.
pub(super) fn calendar_date(text: &str) -> Option<SubmissionDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ..] = *text.as_bytes() else {
        return None;
    };
    number(&[y1, y2, y3, y4, m1, m2, d1, d2]).and_then(SubmissionDate::from_yyyymmdd)
}

/// Whole days from a date to the day of receipt; negative where the date is the later one.
pub(super) fn age_in_days(date: SubmissionDate, received: SubmissionDate) -> i64 {
    received.start().micros_since(date.start()) / MICROS_PER_DAY
}

/// The date of a `build_date`, unless it says that there is none.
pub(super) fn build_date(text: &str) -> Option<SubmissionDate> {
    calendar_date(text).filter(|_| !text.starts_with(NO_BUILD_DATE))
}

/// The date that an `app_build` of 8 to 14 digits begins with.
pub(super) fn date_in_build(text: &str) -> Option<SubmissionDate> {
    let digits = text.as_bytes();
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    let date = digits
        .first_chunk::<8>()
        .filter(|_| all_digits && digits.len() <= 14)?;
    number(date).and_then(SubmissionDate::from_yyyymmdd)
}

fn number(digits: &[u8; 8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> SubmissionDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_date_is_its_first_ten_characters_whatever_offset_follows() {
        for text in [
            "2026-10-02",
            "2026-10-02+00:00",
            "2026-10-02-00:00",
            "2026-10-02+5.5:00",
            "2026-10-02T19+00:00",
            "2026-10-02T19:33+5.5:00",
            "2026-10-02T12:00:59.123456+02:00",
            "2026-10-02 or so",
        ] {
            assert_eq!(calendar_date(text), Some(day("20261002")), "{text}");
        }
        for text in [
            "",
            "2026-10-2",
            "2026-13-02",
            "2026-02-29",
            "20261002",
            "+026-10-02",
            "２026-10-02",
        ] {
            assert_eq!(calendar_date(text), None, "{text}");
        }
    }

    #[test]
    fn an_age_is_whole_days_and_may_be_negative() {
        let age = |date, received| age_in_days(day(date), day(received));
        assert_eq!(age("20261002", "20261128"), 57);
        assert_eq!(age("20240228", "20240301"), 2);
        assert_eq!(age("20261129", "20261128"), -1);
        assert_eq!(age("00010101", "99991231"), 3_652_058);
    }

    #[test]
    fn the_date_of_no_build_is_none() {
        assert_eq!(build_date("1970-01-01T00:00:00+00:00"), None);
        assert_eq!(build_date("1970-01-02T00:00:00+00:00"), Some(day("19700102")));
        assert_eq!(build_date("inaccessible"), None);
    }

    #[test]
    fn a_build_of_8_to_14_digits_may_begin_with_a_date() {
        for (build, date) in [
            ("20260101000000", Some("20260101")),
            ("20260214", Some("20260214")),
            ("2026021", None),
            ("202602140000001", None),
            ("20261301", None),
            ("1234/A", None),
            ("20260214a", None),
            ("", None),
        ] {
            assert_eq!(date_in_build(build), date.map(day), "{build}");
        }
    }
}
