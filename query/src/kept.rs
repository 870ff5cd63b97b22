//! What is kept of pings themselves, asked of the store: how many there are behind a value, what of them is left out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aggregate_store::{
    AggregateError, AggregateReads, CellQuery, Dimension, Filter, LIST_SEPARATOR, Series, Source, ValueOf,
};
use readers::values::beside::{LEFT_OUT, PINGS, left_out};
use serde::Serialize;
use sketch::HistogramKind;

use crate::generic::is_list;
use crate::limits::READ;

/// How many pings bear something that is left out, or counts otherwise than it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    /// A metric, a dimension, `client_id` or `body`.
    pub(crate) subject: String,
    /// Why, in one word.
    pub(crate) rule: String,
    pub(crate) pings: i64,
}

/// Asks for a metric without its labels.
fn without_labels(source: &Source, metric: &str) -> CellQuery {
    CellQuery {
        source: source.clone(),
        metric: metric.to_owned(),
        filters: Vec::new(),
        label: Some(String::new()),
        processes: None,
        group_by: Vec::new(),
        by_process: false,
    }
}

/// How many pings there are under each value of a dimension; the items of a list apart. None where these are more than may be read.
pub(crate) async fn pings_by_value(
    reads: &dyn AggregateReads,
    source: &Source,
    dimension: &str,
    filters: &[Filter],
) -> Result<Option<BTreeMap<String, i64>>, AggregateError> {
    let query = CellQuery {
        filters: filters.to_vec(),
        group_by: vec![Dimension::named(dimension)],
        ..without_labels(source, PINGS)
    };
    let mut found = BTreeMap::new();
    let Some(Series { rows, .. }) = unless_too_large(reads.series(&query, READ).await)? else {
        return Ok(None);
    };
    for row in rows {
        // What bears the name itself, as no client should, has another layout, or counts once all the same.
        let ([value], HistogramKind::Categories) = (&row.group[..], row.layout.kind) else {
            continue;
        };
        let items: Vec<&str> = match is_list(dimension) {
            true => value.split(LIST_SEPARATOR).collect(),
            false => vec![value],
        };
        for item in items {
            *found.entry(item.to_owned()).or_default() += row.cell.count();
        }
    }
    Ok(Some(found))
}

/// How many pings have a metric, as it is stored: those with any of its labels, where a cell counts them, or with none; of several processes those of
/// the one with the most, which are so many at least. Nothing where that is not known, or more is to be read for it than may be.
pub(crate) async fn pings_with(
    reads: &dyn AggregateReads,
    source: &Source,
    metric: &str,
) -> Result<Option<i64>, AggregateError> {
    let query = CellQuery {
        by_process: true,
        ..without_labels(source, metric)
    };
    let Some(Series { rows, .. }) = unless_too_large(reads.series(&query, READ).await)? else {
        return Ok(None);
    };
    let mut by_process: BTreeMap<&[String], i64> = BTreeMap::new();
    for row in &rows {
        *by_process.entry(&row.group).or_default() += row.cell.count();
    }
    Ok(by_process.into_values().max())
}

/// Whether pings of a source are counted, as an older program did not.
pub(crate) async fn are_counted(reads: &dyn AggregateReads, source: &Source) -> Result<bool, AggregateError> {
    let day = ValueOf::Dimension(Dimension::named(Dimension::SUBMISSION_DATE));
    let days = reads.values_of(&without_labels(source, PINGS), day, 1).await?;
    Ok(!days.values.is_empty())
}

/// What was read; nothing where it is more than may be.
fn unless_too_large(read: Result<Series, AggregateError>) -> Result<Option<Series>, AggregateError> {
    match read {
        Ok(series) => Ok(Some(series)),
        Err(AggregateError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is left out of a source's pings, that of the most pings first. None where that is more than may be read: clients choose the names of
/// what they send.
pub(crate) async fn left_out_of(
    reads: &dyn AggregateReads,
    source: &Source,
) -> Result<Option<Vec<LeftOut>>, AggregateError> {
    let query = CellQuery {
        label: None,
        ..without_labels(source, LEFT_OUT)
    };
    let Some(Series { rows, .. }) = unless_too_large(reads.series(&query, READ).await)? else {
        return Ok(None);
    };
    let told = rows.iter().filter_map(|row| {
        let (subject, rule) = left_out(row.label.strip_prefix('=')?)?;
        Some(LeftOut {
            subject: subject.to_owned(),
            rule: rule.to_owned(),
            pings: row.cell.count(),
        })
    });
    let mut told: Vec<LeftOut> = told.collect();
    // Stable: of equals the first names stay.
    told.sort_by_key(|left_out| Reverse(left_out.pings));
    Ok(Some(told))
}
