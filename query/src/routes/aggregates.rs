//! How a metric is distributed, by date and label: the route that charts are drawn from.

use std::collections::BTreeMap;

use aggregate_store::{AggregateReads, Bounds, Dimension, SeriesRow, ValueOf};
use sketch::{Cell, HistogramKind, Layout};

use super::lookup::Lookup;
use super::question::Question;
use crate::compatible::{self, Answer, Series};
use crate::definitions::Definitions;
use crate::explain;
use crate::limits::{BINS_READ_MAX, BINS_SHOWN_MAX, DATES_MAX, LAYOUTS_IN_A_HEADER, ROWS_MAX};
use crate::problem::{Problem, Reason};
use crate::reply::{OTHER_LAYOUTS, Reply, SAMPLES_LEFT_OUT, made};
use crate::withheld::Withheld;

pub(crate) use super::question::PARAMETERS;

/// What the store may read for one answer.
const READ: Bounds = Bounds {
    rows: ROWS_MAX,
    bins: BINS_READ_MAX,
};

/// The answer, with headers that name layouts left out and count samples that lie on no bin; or which of the reasons it is
/// that there is none.
///
/// It looks where the definition says; only where this channel and version have nothing there at all, at the other place.
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
    let lookups = Lookup::all(definitions, &question.metric);
    for lookup in lookups {
        let stored = lookup.stored.clone();
        if let Some(reply) = at(reads, lookup, question).await? {
            return Ok(reply);
        }
        let known = explain::dates_of(reads, question, &stored).await?;
        if !known.values.is_empty() {
            return Err(explain::no_data(reads, question, &stored, &known).await?);
        }
    }
    Err(explain::no_metric(reads, question).await?)
}

/// What is found under a stored name; `None` when that is nothing.
async fn at(
    reads: &dyn AggregateReads,
    lookup: Lookup,
    question: &Question,
) -> Result<Option<Reply>, Problem> {
    let mut rows = reads.series(&question.cells(&lookup.stored), READ).await?.rows;
    // The original counted no texts, and its clients know no categories.
    rows.retain(|row| row.layout.kind != HistogramKind::Categories);
    let mut documents = None;
    if compatible::is_use_counter(&lookup.stored) {
        documents = Some(Documents::find(reads, question, &lookup.stored, &rows).await?);
    }
    if rows.is_empty() && documents.as_ref().is_none_or(Documents::are_of_no_use) {
        return Ok(None);
    }
    let Lookup {
        definition,
        description,
        ..
    } = lookup;
    made(move || {
        let series = rows.into_iter().map(series_of).collect();
        let mut answer = compatible::answer(definition, series, BINS_SHOWN_MAX)
            .map_err(|_| Problem::too_large("numbers in its histograms", BINS_SHOWN_MAX))?;
        answer.description = description;
        if let Some(documents) = documents {
            documents.complete(&mut answer);
        }
        reply(&answer)
    })
    .await
    .map(Some)
}

fn reply(answer: &Answer) -> Result<Reply, Problem> {
    let mut reply = Reply::json(answer)?;
    if !answer.other_layouts.is_empty() {
        reply = reply.with(OTHER_LAYOUTS, &layouts(&answer.other_layouts));
    }
    if answer.samples_left_out != 0 {
        reply = reply.with(SAMPLES_LEFT_OUT, &answer.samples_left_out.to_string());
    }
    Ok(reply)
}

/// `linear(1,10,5);boolean(1,2,3)`; of many the first, and how many there are beside.
fn layouts(layouts: &[Layout]) -> String {
    let named = layouts.iter().take(LAYOUTS_IN_A_HEADER);
    let mut named: Vec<String> = named.map(ToString::to_string).collect();
    if layouts.len() > named.len() {
        named.push(format!("and {} more", layouts.len() - named.len()));
    }
    named.join(";")
}

/// From what the false bins of a use counter are taken: the documents destroyed, under the same filters.
struct Documents {
    /// Documents and submissions, by date.
    destroyed: BTreeMap<String, (i64, i64)>,
    /// Dates that have a row of the use counter under whatever filters; those of its own rows need not be among them.
    with_rows: Vec<String>,
}

impl Documents {
    async fn find(
        reads: &dyn AggregateReads,
        question: &Question,
        stored: &str,
        rows: &[SeriesRow],
    ) -> Result<Self, Problem> {
        let denominator = compatible::denominator_of(stored);
        let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
        for row in reads.series(&question.cells(denominator), READ).await?.rows {
            cells.entry(date_of(&row)).or_default().add(&row.cell);
        }
        let documents =
            |(date, cell): (String, Cell)| (date, (compatible::saturate(cell.sum()), cell.count()));
        let destroyed: BTreeMap<String, (i64, i64)> = cells.into_iter().map(documents).collect();
        let is_covered = |date: &String| rows.iter().any(|row| date_of(row) == *date);
        let mut with_rows = Vec::new();
        if !destroyed.keys().all(is_covered) {
            let everywhere = question.unfiltered(stored);
            let date = ValueOf::Dimension(Dimension::named(question.clock.dimension()));
            with_rows = reads.values_of(&everywhere, date, DATES_MAX).await?.values;
        }
        Ok(Self { destroyed, with_rows })
    }

    /// Whether they add nothing where there are no rows.
    fn are_of_no_use(&self) -> bool {
        !self.destroyed.keys().any(|date| self.with_rows.contains(date))
    }

    fn complete(&self, answer: &mut Answer) {
        compatible::with_denominator(answer, &self.destroyed, &self.with_rows);
    }
}

/// A question groups by its date alone.
fn date_of(row: &SeriesRow) -> String {
    row.group.first().cloned().unwrap_or_default()
}

fn series_of(row: SeriesRow) -> Series {
    let date = date_of(&row);
    let SeriesRow {
        group: _,
        label,
        layout,
        plausible,
        newest_build,
        cell,
    } = row;
    Series {
        date,
        label,
        layout,
        plausible,
        newest_build,
        cell,
    }
}
