//! What a source has: from its sets, and from the lists of what has cells.

use std::collections::BTreeSet;

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::conditions::{id, source_id};
use super::given::Given;
use super::layouts;
use super::listing::text;
use super::sources;
use crate::catalogue::EXAMPLES_MAX;
use crate::listing::{METRIC, SUBMISSION_DATE};
use crate::stored::{self, date};
use crate::{AboutSource, Dimension, Epochs, Listed, Source, StoredMetric};

/// Of which epochs of sources there are cells.
const SOURCES: &str = "SELECT s.id, s.name, s.epoch FROM highwater_aggregates.source s \
     WHERE EXISTS (SELECT FROM highwater_aggregates.listing l WHERE l.source = s.id)";

/// Sources that have cells, ascending; of more than `limit` the first ones.
pub(super) async fn sources(
    client: &Client,
    epochs: &Epochs,
    limit: usize,
) -> Result<Listed<Source>, Failure> {
    let mut used = BTreeSet::new();
    for row in client.query_typed(SOURCES, &[]).await? {
        let (_, source) = sources::read(&row)?;
        if epochs.pieces(&source).iter().any(|piece| piece.source == source) {
            used.insert(source.in_epoch(0));
        }
    }
    let left_out = used.len().saturating_sub(limit) as u64;
    Ok(Listed {
        values: used.into_iter().take(limit).collect(),
        left_out,
    })
}

/// Dimensions and days of a source; `None` when nothing of it is there.
pub(super) async fn about(client: &Client, source: &Source) -> Result<Option<AboutSource>, Failure> {
    let mut given = Given::default();
    let source = source_id(&mut given, source)?;
    let unknown = id(&mut given, ping::UNKNOWN);
    let [channel, version, os_version] =
        [Dimension::CHANNEL, Dimension::VERSION, Dimension::OS_VERSION].map(|name| given.text(name));
    let sql = format!(
        "WITH listed AS MATERIALIZED (SELECT channel, version, dimension, value, detail \
             FROM highwater_aggregates.listing WHERE source = {source}), \
         unknown AS (SELECT {unknown} AS id), \
         named AS (SELECT DISTINCT s.bytes FROM listed l JOIN highwater_aggregates.string s ON s.id = l.dimension \
             CROSS JOIN unknown u WHERE l.dimension > 0 AND l.value IS DISTINCT FROM u.id \
             UNION SELECT {os_version} FROM listed l CROSS JOIN unknown u \
             WHERE l.detail > 0 AND l.detail IS DISTINCT FROM u.id \
             UNION SELECT {channel} FROM listed l CROSS JOIN unknown u WHERE l.channel IS DISTINCT FROM u.id \
             UNION SELECT {version} FROM listed l CROSS JOIN unknown u WHERE l.version IS DISTINCT FROM u.id) \
         SELECT d.first, d.last, n.bytes FROM (SELECT min(value) AS first, max(value) AS last FROM listed \
             WHERE dimension = {SUBMISSION_DATE}) d LEFT JOIN named n ON TRUE"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (Some(first), Some(last)): (Option<i32>, Option<i32>) = (row.try_get(0)?, row.try_get(1)?) else {
        return Ok(None);
    };
    let mut dimensions = BTreeSet::new();
    for row in &rows {
        if row.try_get::<_, Option<Vec<u8>>>(2)?.is_some() {
            dimensions.insert(text(row, 2)?);
        }
    }
    Ok(Some(AboutSource {
        dimensions: dimensions.into_iter().collect(),
        first_day: date(first.into())?,
        last_day: date(last.into())?,
    }))
}

/// Metrics of a source that have cells, ascending, those after `after`; fewer than `limit` are the last.
pub(super) async fn metrics(
    client: &Client,
    source: &Source,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<StoredMetric>, Failure> {
    let mut given = Given::default();
    let source = source_id(&mut given, source)?;
    let after = match after {
        Some(after) => format!("t.bytes > {}", given.text(after)),
        None => "TRUE".to_owned(),
    };
    let limit = given.add(stored::limit(limit), Type::INT8);
    let sql = format!(
        "WITH page AS MATERIALIZED (SELECT t.id, t.bytes FROM highwater_aggregates.string t \
             WHERE t.id IN (SELECT value FROM highwater_aggregates.listing WHERE source = {source} AND dimension = {METRIC}) \
             AND {after} ORDER BY t.bytes LIMIT {limit}) \
         SELECT page.bytes, label.bytes, l.kind, l.min, l.max, l.bin_count FROM page \
         CROSS JOIN LATERAL (SELECT c.dimension_set FROM highwater_aggregates.cell c \
             JOIN highwater_aggregates.dimension_set s ON s.id = c.dimension_set \
             WHERE c.metric = page.id AND s.source = {source} LIMIT 1) one \
         CROSS JOIN LATERAL (SELECT DISTINCT c.label, c.layout FROM highwater_aggregates.cell c \
             WHERE c.metric = page.id AND c.dimension_set = one.dimension_set LIMIT {EXAMPLES_MAX}) c \
         JOIN highwater_aggregates.string label ON label.id = c.label \
         JOIN highwater_aggregates.layout l ON l.id = c.layout ORDER BY page.bytes"
    );
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let mut metrics: Vec<StoredMetric> = Vec::new();
    for row in &rows {
        let (metric, example) = (text(row, 0)?, (text(row, 1)?, layouts::read(row, 2)?));
        match metrics.last_mut().filter(|last| last.metric == metric) {
            Some(known) => known.examples.push(example),
            None => metrics.push(StoredMetric {
                metric,
                examples: vec![example],
            }),
        }
    }
    for metric in &mut metrics {
        metric.examples.sort();
    }
    Ok(metrics)
}
