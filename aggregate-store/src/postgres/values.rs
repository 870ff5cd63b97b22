//! Which values of a dimension, or which processes, the cells of one metric have.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::conditions;
use super::given::Given;
use super::listing::{left_out, text};
use crate::stored::{self, date};
use crate::{CellQuery, Dimension, Listed, ValueOf};

/// The values, ascending; of more than `limit` the last ones.
pub(super) async fn read(
    client: &Client,
    query: &CellQuery,
    of: &ValueOf,
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let mut given = Given::default();
    let sets = conditions::of_sets(&mut given, &query.source, &query.filters)?;
    let cells = conditions::of_cells(&mut given, query);
    let of_sets = format!(
        "FROM highwater_aggregates.dimension_set s WHERE {sets} \
         AND EXISTS (SELECT FROM highwater_aggregates.cell c WHERE c.dimension_set = s.id AND {cells})"
    );
    let mut is_day = false;
    let distinct = match of {
        ValueOf::Dimension(dimension) if dimension.as_str() == Dimension::SUBMISSION_DATE => {
            is_day = true;
            format!("SELECT DISTINCT s.submission_date AS value {of_sets}")
        }
        ValueOf::Dimension(dimension) => {
            let value = conditions::value_or_unknown(&mut given, dimension.as_str());
            format!("SELECT DISTINCT {value} AS value {of_sets}")
        }
        ValueOf::Process => format!(
            "SELECT t.bytes AS value FROM (SELECT DISTINCT c.process FROM highwater_aggregates.dimension_set s \
             JOIN highwater_aggregates.cell c ON c.dimension_set = s.id WHERE {sets} AND {cells}) p \
             JOIN highwater_aggregates.string t ON t.id = p.process"
        ),
    };
    let at_most = given.add(stored::limit(limit), Type::INT8);
    let sql =
        format!("SELECT v.value, count(*) OVER () FROM ({distinct}) v ORDER BY v.value DESC LIMIT {at_most}");
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let mut values = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        values.push(match is_day {
            true => date(row.try_get::<_, i32>(0)?.into())?.to_string(),
            false => text(row, 0)?,
        });
    }
    Ok(Listed {
        left_out: left_out(&rows, 1)?,
        values,
    })
}
