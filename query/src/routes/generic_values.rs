//! Which values a dimension of any source has, under filters, and how many pings are behind each.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, Dimension, Filter, LIST_SEPARATOR, STANDARD_DIMENSIONS, Source};
use serde::Serialize;

use crate::definitions::Definitions;
use crate::generic::{dimensions_of, filter_of, is_dimension, is_list, no_source, refuse_strangers};
use crate::kept::{are_counted, pings_by_value};
use crate::limits::LIST_VALUES_MAX;
use crate::live::{Live, Reach};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason, list};
use crate::reply::{Reply, made};

/// The parameters of the route beside the dimensions of the source.
pub(crate) const FIXED: [&str; 2] = ["source", "dimension"];

#[derive(Debug, Serialize)]
struct Values {
    source: String,
    dimension: String,
    /// Those of the most pings first; where these are not counted, ascending by bytes.
    values: Vec<OneValue>,
    /// How many more there are, those of the fewest pings; where these are not counted, under the fewest sets of values, and of a list
    /// how many more lists.
    left_out: u64,
    #[serde(flatten)]
    reach: Reach,
}

#[derive(Debug, Serialize)]
struct OneValue {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pings: Option<i64>,
}

/// The values under which something is stored.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    live: Live,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let [name, dimension] = parameters.required(FIXED)?;
    let source = Source::named(name);
    let about = reads.about(&source).await?;
    let Some(dimensions) = dimensions_of(&source, about.as_ref(), definitions) else {
        return Err(no_source(reads, &source).await?);
    };
    let known: Vec<&str> = FIXED
        .into_iter()
        .chain(dimensions.iter().map(String::as_str))
        .collect();
    refuse_strangers(parameters, &known)?;
    if !is_dimension(dimension, Some(&dimensions)) {
        let sentence = format!(
            "dimension is one of {}.",
            list(dimensions.iter().map(String::as_str), 0)
        );
        return Err(Problem::new(Reason::InvalidParameter, sentence));
    }
    let filters = parameters.iter().filter(|(name, _)| !FIXED.contains(name));
    let filters: Vec<Filter> = filters
        .map(|(name, value)| filter_of(name, value))
        .collect::<Result<_, _>>()?;
    let (values, left_out) = match with_pings(reads, &source, dimension, &filters).await? {
        Some(found) => found,
        None => without_pings(reads, &source, dimension, &filters).await?,
    };
    let answer = Values {
        source: name.to_owned(),
        dimension: dimension.to_owned(),
        values,
        left_out,
        reach: live.reach(reads.status().await?.newest_received),
    };
    made(move || Reply::json(&answer)).await
}

/// Whether pings of the original's source are listed by this dimension as those of any other: what was counted by an older program is not.
pub(crate) async fn is_listed(reads: &dyn AggregateReads, parameters: &Parameters) -> Result<bool, Problem> {
    let [source, dimension] = parameters.required(FIXED)?;
    let is_own = STANDARD_DIMENSIONS.contains(&dimension) || dimension == Dimension::SUBMISSION_DATE;
    Ok(is_own && are_counted(reads, &Source::named(source)).await?)
}

/// Values with their pings, and how many are left out. Nothing where no pings are counted, or there are more values than may be read.
async fn with_pings(
    reads: &dyn AggregateReads,
    source: &Source,
    dimension: &str,
    filters: &[Filter],
) -> Result<Option<(Vec<OneValue>, u64)>, Problem> {
    let Some(found) = pings_by_value(reads, source, dimension, filters).await? else {
        return Ok(None);
    };
    if found.is_empty() && !are_counted(reads, source).await? {
        return Ok(None);
    }
    let mut values: Vec<(String, i64)> = found.into_iter().collect();
    // Stable: of equals the first values stay.
    values.sort_by_key(|(_, pings)| Reverse(*pings));
    let left_out = values.len().saturating_sub(LIST_VALUES_MAX) as u64;
    values.truncate(LIST_VALUES_MAX);
    let values = values.into_iter().map(|(value, pings)| OneValue {
        value,
        pings: Some(pings),
    });
    Ok(Some((values.collect(), left_out)))
}

/// The values under which something is stored.
async fn without_pings(
    reads: &dyn AggregateReads,
    source: &Source,
    dimension: &str,
    filters: &[Filter],
) -> Result<(Vec<OneValue>, u64), Problem> {
    let listed = reads
        .dimension_values(source, &Dimension::named(dimension), filters, LIST_VALUES_MAX)
        .await?;
    let values: BTreeSet<String> = match is_list(dimension) {
        true => listed
            .values
            .iter()
            .flat_map(|list| list.split(LIST_SEPARATOR))
            .map(str::to_owned)
            .collect(),
        false => listed.values.into_iter().collect(),
    };
    let values = values.into_iter().map(|value| OneValue { value, pings: None });
    Ok((values.collect(), listed.left_out))
}
