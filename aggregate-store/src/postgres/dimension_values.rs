//! Values of a dimension that the sets of a source bear.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::conditions;
use super::given::Given;
use super::listing::{left_out, text};
use crate::stored::{self, date};
use crate::{Dimension, Filter, Listed, Source};

/// The values, ascending; of more than `limit` those that most sets bear.
pub(super) async fn read(
    client: &Client,
    source: &Source,
    dimension: &str,
    filters: &[Filter],
    limit: usize,
) -> Result<Listed<String>, Failure> {
    let mut given = Given::default();
    let sets = conditions::of_sets(&mut given, source, filters)?;
    let is_day = dimension == Dimension::SUBMISSION_DATE;
    let value = match is_day {
        true => "s.submission_date".to_owned(),
        false => conditions::value_or_unknown(&mut given, dimension),
    };
    let limit = given.add(stored::limit(limit), Type::INT8);
    let sql = format!(
        "SELECT v.value, count(*) OVER () FROM (SELECT {value} AS value FROM highwater_aggregates.dimension_set s \
         WHERE {sets}) v GROUP BY v.value ORDER BY count(*) DESC, v.value LIMIT {limit}"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let mut values = Vec::with_capacity(rows.len());
    for row in &rows {
        values.push(match is_day {
            true => date(row.try_get::<_, i32>(0)?.into())?.to_string(),
            false => text(row, 0)?,
        });
    }
    values.sort();
    Ok(Listed {
        left_out: left_out(&rows, 1)?,
        values,
    })
}
