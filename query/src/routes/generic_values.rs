//! Which values a dimension of any source has, under filters.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, Dimension, Filter, LIST_SEPARATOR, Source};
use serde::Serialize;

use crate::definitions::Definitions;
use crate::generic::{dimensions_of, filter_of, is_dimension, is_list, no_source, refuse_strangers};
use crate::limits::LIST_VALUES_MAX;
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason, list};
use crate::reply::{Reply, made};

/// The parameters of the route beside the dimensions of the source.
pub(crate) const FIXED: [&str; 2] = ["source", "dimension"];

#[derive(Debug, Serialize)]
struct Values {
    source: String,
    dimension: String,
    /// Ascending by bytes.
    values: Vec<OneValue>,
    /// How many more there are, those under the fewest sets of values; of a list, how many more lists.
    left_out: u64,
}

#[derive(Debug, Serialize)]
struct OneValue {
    value: String,
}

/// The values under which something is stored.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
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
    let listed = reads
        .dimension_values(&source, &Dimension::named(dimension), &filters, LIST_VALUES_MAX)
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
    let answer = Values {
        source: name.to_owned(),
        dimension: dimension.to_owned(),
        values: values.into_iter().map(|value| OneValue { value }).collect(),
        left_out: listed.left_out,
    };
    made(move || Reply::json(&answer)).await
}
