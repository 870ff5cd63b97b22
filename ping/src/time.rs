//! Receive times and submission dates, both UTC and fixed once when a ping is accepted.
//!
//! What does not live here: a clock. Whoever needs "now" is told it.

use std::fmt;
use std::str::FromStr;

use ::time::{Date, Duration, Month, OffsetDateTime};

/// A moment in microseconds since 1970-01-01T00:00:00Z. May lie before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that lies `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The UTC day this moment lies on; moments outside the years 0001 to 9999 count for the nearest day inside.
    pub fn submission_date(self) -> SubmissionDate {
        let nanos = i128::from(self.0) * 1_000;
        let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_or(
            if self.0 < 0 { Date::MIN } else { Date::MAX },
            OffsetDateTime::date,
        );
        SubmissionDate::from_date(date)
    }

    /// This moment plus `micros`, held at the ends of the range.
    #[must_use]
    pub const fn saturating_add_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this moment; negative when `earlier` is the later one.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A UTC calendar day, written `YYYYMMDD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionDate(u32);

/// The text is no calendar day of the form `YYYYMMDD`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date: write it as YYYYMMDD, like 20170131")]
pub struct ParseDateError(String);

impl SubmissionDate {
    /// The day as the number `YYYYMMDD`, so that order of numbers is order of days.
    pub const fn as_yyyymmdd(self) -> u32 {
        self.0
    }

    /// The day written as the number `YYYYMMDD`, if there is such a day.
    pub fn from_yyyymmdd(number: u32) -> Option<Self> {
        let month = Month::try_from(u8::try_from(number / 100 % 100).ok()?).ok()?;
        let year = i32::try_from(number / 10_000).ok()?;
        let day = u8::try_from(number % 100).ok()?;
        let date = Date::from_calendar_date(year, month, day).ok()?;
        (1..=9_999).contains(&year).then(|| Self::from_date(date))
    }

    /// The first moment of the day.
    pub fn start(self) -> Timestamp {
        let seconds = self.date().midnight().assume_utc().unix_timestamp();
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// The day that lies `days` after this one (before it, when negative), held at the ends of the range.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let date = self.date().saturating_add(Duration::days(days));
        Self::from_date(date)
    }

    fn date(self) -> Date {
        let month = Month::try_from((self.0 / 100 % 100) as u8).expect("made from a Date");
        Date::from_calendar_date((self.0 / 10_000) as i32, month, (self.0 % 100) as u8)
            .expect("made from a Date")
    }

    fn from_date(date: Date) -> Self {
        let year = u32::try_from(date.year().clamp(1, 9_999)).expect("clamped above zero");
        Self(year * 10_000 + u32::from(u8::from(date.month())) * 100 + u32::from(date.day()))
    }
}

impl fmt::Display for SubmissionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

impl fmt::Debug for SubmissionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SubmissionDate {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let well_formed = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        well_formed
            .then(|| text.parse().ok())
            .flatten()
            .and_then(Self::from_yyyymmdd)
            .ok_or_else(|| ParseDateError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_date_that_is_none_is_refused_with_the_form_to_write() {
        for text in [
            "", "2017013", "20170229", "20171301", "2017-1-1", "00000101", "+2017010",
        ] {
            let error = text.parse::<SubmissionDate>().expect_err(text);
            assert!(error.to_string().contains("YYYYMMDD"), "{error}");
        }
    }

    #[test]
    fn the_last_microsecond_of_a_day_still_belongs_to_it() {
        let day: SubmissionDate = "20170130".parse().expect("a date");
        let next = day.plus_days(1);
        assert_eq!(next.to_string(), "20170131");
        assert_eq!(next.start().saturating_add_micros(-1).submission_date(), day);
        assert_eq!(next.start().submission_date(), next);
    }

    proptest! {
        #[test]
        fn dates_are_counted_like_days_on_a_line(micros in -60_000_000_000_000_000_i64..200_000_000_000_000_000) {
            let day = Timestamp::from_micros(micros).submission_date();
            let line = micros.div_euclid(86_400_000_000);
            prop_assert_eq!(day.start().as_micros(), line * 86_400_000_000);
            prop_assert_eq!(day.to_string().parse::<SubmissionDate>(), Ok(day));
        }
    }
}
