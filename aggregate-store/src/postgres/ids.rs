//! An id of a name, as the database has it and as lists count by it; and ids in the order in which they were asked for.

use postgres_connections::Failure;
use tokio_postgres::Row;

use crate::AggregateError;
use crate::stored::unstored;

/// An id as lists count by it.
pub(super) fn number(id: i32) -> Result<u32, AggregateError> {
    unstored(i64::from(id))
}

/// The same for the database.
pub(super) fn column(id: u32) -> Result<i32, AggregateError> {
    i32::try_from(id).map_err(|_| AggregateError::Damaged(format!("the id {id} is out of its range")))
}

/// Puts rows of (number from 1, id) in the order of numbers.
pub(super) fn in_order(rows: &[Row], len: usize) -> Result<Vec<Option<i32>>, Failure> {
    let mut ids = vec![None; len];
    for row in rows {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok();
        let place = at.and_then(|at| ids.get_mut(at));
        let place = place.ok_or_else(|| Failure::of(format!("it answered for row {number} of {len}")))?;
        *place = Some(row.try_get(1)?);
    }
    Ok(ids)
}
