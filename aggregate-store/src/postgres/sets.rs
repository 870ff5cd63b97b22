//! Dimension sets as they are stored, and their ids, for writing: those that are new get rows.

use std::fmt::Write as _;

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::ids::in_order;
use super::limits::ROWS;
use crate::AggregateError;

/// A list of numbers goes as a text: an array of lists of several lengths is none.
const FIND: &str = "SELECT u.number, s.id FROM unnest($1, $2, $3) WITH ORDINALITY AS u (source, submission_date, pairs, number) \
     JOIN highwater_aggregates.dimension_set s ON s.source = u.source AND s.submission_date = u.submission_date \
     AND s.pairs = u.pairs::BIGINT[]";
const ADD: &str = "INSERT INTO highwater_aggregates.dimension_set (source, submission_date, pairs) \
     SELECT source, submission_date, pairs::BIGINT[] FROM unnest($1, $2, $3) AS u (source, submission_date, pairs)";

/// A set beside its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredSet {
    pub(super) source: i32,
    pub(super) submission_date: i32,
    /// Ascending.
    pub(super) pairs: Vec<i64>,
}

/// A dimension and its value, by their ids.
pub(super) fn pair(dimension: i32, value: i32) -> i64 {
    (i64::from(dimension) << 32) | i64::from(value)
}

/// The ids of a pair.
pub(super) fn unpaired(pair: i64) -> Result<(i32, i32), AggregateError> {
    let half = |half: i64| {
        i32::try_from(half).map_err(|_| AggregateError::Damaged("a dimension set has an odd pair".to_owned()))
    };
    Ok((half(pair >> 32)?, half(pair & 0xffff_ffff)?))
}

/// The ids of these sets, in their order; no set may be there twice.
pub(super) async fn ids(client: &Client, sets: &[StoredSet]) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::with_capacity(sets.len());
    for slice in sets.chunks(ROWS) {
        let mut found = find(client, slice).await?;
        if found.contains(&None) {
            let new = slice.iter().zip(&found).filter(|(_, id)| id.is_none());
            let new = Columns::of(new.map(|(set, _)| set));
            client.execute_typed(ADD, &new.typed()).await?;
            found = find(client, slice).await?;
        }
        let all: Option<Vec<i32>> = found.into_iter().collect();
        ids.extend(all.ok_or_else(|| AggregateError::Damaged("a set that was added is missing".to_owned()))?);
    }
    Ok(ids)
}

async fn find(client: &Client, sets: &[StoredSet]) -> Result<Vec<Option<i32>>, Failure> {
    let columns = Columns::of(sets.iter());
    let rows = client.query_typed(FIND, &columns.typed()).await?;
    in_order(&rows, sets.len())
}

/// Sets as columns of a statement.
#[derive(Debug, Default)]
struct Columns {
    sources: Vec<i32>,
    days: Vec<i32>,
    pairs: Vec<String>,
}

impl Columns {
    fn of<'a>(sets: impl Iterator<Item = &'a StoredSet>) -> Self {
        let mut columns = Self::default();
        for set in sets {
            columns.sources.push(set.source);
            columns.days.push(set.submission_date);
            columns.pairs.push(list(&set.pairs));
        }
        columns
    }

    fn typed(&self) -> [(&(dyn ToSql + Sync), Type); 3] {
        [
            (&self.sources, Type::INT4_ARRAY),
            (&self.days, Type::INT4_ARRAY),
            (&self.pairs, Type::TEXT_ARRAY),
        ]
    }
}

/// Numbers as the database reads a list of them.
fn list(numbers: &[i64]) -> String {
    let mut list = "{".to_owned();
    for (at, number) in numbers.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(list, "{comma}{number}").expect("a text takes what is written");
    }
    list.push('}');
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_reads_back_and_pairs_are_in_the_order_of_dimensions_then_values() {
        let ids = [(1, 1), (1, i32::MAX), (2, 1), (i32::MAX, 7), (i32::MAX, i32::MAX)];
        let pairs = ids.map(|(dimension, value)| pair(dimension, value));
        assert!(pairs.is_sorted());
        assert_eq!(pairs.map(|pair| unpaired(pair).expect("a pair")), ids);
        assert!(unpaired(-1).is_err() && unpaired(1 << 31).is_err());
    }

    #[test]
    fn a_list_is_written_as_the_database_reads_it() {
        assert_eq!(list(&[]), "{}");
        assert_eq!(list(&[4_294_967_298, 7]), "{4294967298,7}");
    }
}
