//! Values as databases hold them, both ways: numbers, identities and days.

use crate::AggregateError;

/// A number as the database holds it.
pub(crate) fn stored(number: u64) -> Result<i64, AggregateError> {
    i64::try_from(number).map_err(|_| AggregateError::Batch("a number in it is above 2^63 - 1"))
}

/// A number that the database held.
pub(crate) fn unstored<T: TryFrom<i64>>(number: i64) -> Result<T, AggregateError> {
    T::try_from(number)
        .map_err(|_| AggregateError::Damaged(format!("the number {number} is out of its range")))
}

/// Sixteen bytes that the database held.
pub(crate) fn sixteen(bytes: &[u8]) -> Result<[u8; 16], AggregateError> {
    let sixteen = bytes.try_into();
    sixteen.map_err(|_| AggregateError::Damaged("an identity has not 16 bytes".to_owned()))
}

/// A submission date that the database held.
pub(crate) fn date(number: i64) -> Result<ping::SubmissionDate, AggregateError> {
    ping::SubmissionDate::from_yyyymmdd(unstored(number)?)
        .ok_or_else(|| AggregateError::Damaged(format!("{number} is no day")))
}

/// A limit as databases take it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
