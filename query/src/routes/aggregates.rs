//! How a metric is distributed, by date and label: the route that charts are drawn from.

use std::collections::BTreeMap;

use aggregate_store::{AggregateError, AggregateReads, SeriesRow};
use sketch::Cell;

use super::lookup::Lookup;
use super::question::Question;
use crate::compatible::{self, Answer, Series};
use crate::definitions::Definitions;
use crate::explain;
use crate::problem::{Problem, Reason};
use crate::reply::{OTHER_LAYOUTS, Reply};
use crate::withheld::Withheld;

pub(crate) use super::question::PARAMETERS;

/// The answer, with a header that names layouts left out; or which of the reasons it is that there is none.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    withheld: &Withheld,
    question: &Question,
) -> Result<Reply, Problem> {
    if withheld.holds(&question.metric) {
        let sentence = format!(
            "{} is withheld by this server's settings. Choose another metric.",
            question.metric
        );
        return Err(Problem::new(Reason::Withheld, sentence));
    }
    let answer = find(reads, definitions, question).await?;
    let mut reply = Reply::json(&answer);
    if !answer.other_layouts.is_empty() {
        let others: Vec<String> = answer.other_layouts.iter().map(ToString::to_string).collect();
        reply = reply.with(OTHER_LAYOUTS, &others.join(";"));
    }
    Ok(reply)
}

/// Looks where the definition says; only where this channel and version have nothing there at all, at the other place.
async fn find(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    question: &Question,
) -> Result<Answer, Problem> {
    let lookups = Lookup::all(definitions, &question.metric);
    let (first, rest) = lookups.split_first().expect("a metric is looked for somewhere");
    let found = at(reads, first, question).await?;
    if !found.data.is_empty() {
        return Ok(found);
    }
    let metrics = reads
        .filter_options(&question.channel, &question.version)
        .await?
        .metrics;
    let mut place = lookups.iter().find(|lookup| metrics.contains(&lookup.stored));
    if let Some(other) = rest
        .first()
        .filter(|other| place.is_some_and(|place| place.stored == other.stored))
    {
        let found = at(reads, other, question).await?;
        if !found.data.is_empty() {
            return Ok(found);
        }
        place = Some(other);
    }
    let stored = place.map(|place| place.stored.as_str());
    Err(explain::no_data(reads, question, stored).await?)
}

async fn at(
    reads: &dyn AggregateReads,
    lookup: &Lookup,
    question: &Question,
) -> Result<Answer, AggregateError> {
    let rows = reads.series(&question.cells(&lookup.stored)).await?;
    let mut answer = compatible::answer(
        lookup.definition.clone(),
        rows.into_iter().map(series_of).collect(),
    );
    answer.description.clone_from(&lookup.description);
    if compatible::is_use_counter(&lookup.stored) {
        complete(reads, question, &lookup.stored, &mut answer).await?;
    }
    Ok(answer)
}

/// Takes the false bins of a use counter from the documents destroyed, under the same filters.
async fn complete(
    reads: &dyn AggregateReads,
    question: &Question,
    stored: &str,
    answer: &mut Answer,
) -> Result<(), AggregateError> {
    let denominator = compatible::denominator_of(stored);
    let rows = reads.series(&question.cells(denominator)).await?;
    let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
    for row in rows {
        cells.entry(row.date).or_default().add(&row.cell);
    }
    let documents = |(date, cell): (String, Cell)| (date, (compatible::saturate(cell.sum()), cell.count()));
    let destroyed: BTreeMap<String, (i64, i64)> = cells.into_iter().map(documents).collect();
    let is_covered = |date: &String| answer.data.iter().any(|point| point.date == *date);
    let mut dates_with_rows = Vec::new();
    if !destroyed.keys().all(is_covered) {
        let rows = reads.series(&question.unfiltered(stored)).await?;
        dates_with_rows.extend(rows.into_iter().map(|row| row.date));
    }
    compatible::with_denominator(answer, &destroyed, &dates_with_rows);
    Ok(())
}

fn series_of(row: SeriesRow) -> Series {
    let SeriesRow {
        version: _,
        date,
        label,
        layout,
        newest_build,
        cell,
    } = row;
    Series {
        date,
        label,
        layout,
        newest_build,
        cell,
    }
}
