//! How a metric of any source is distributed, by any of its dimensions.

use aggregate_store::{AggregateReads, CellQuery, Dimension, Series, SeriesRow, Source, ValueOf};
use index_schema::Index;
use readers::values::beside::is_beside;
use serde_json::{Value, json};
use service::task;
use sketch::HistogramKind;

use super::lookup::Lookup;
use crate::charted::Charted;
use crate::definitions::{Definitions, own_unit};
use crate::generic::{
    About, AggregatesQuestion, Answer, Format, Reading, Row, csv, dimensions_of, grouped, note_rates,
    rates_of,
};
use crate::limits::{
    ANSWER_BYTES_MAX, BINS_AT_ONCE_MAX, BINS_SHOWN_MAX, DATES_MAX, LAYOUTS_IN_A_HEADER, READ,
};
use crate::live::Live;
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::Reply;
use crate::status_report::rfc3339;
use crate::unanswered::{self, Known};
use crate::withheld::Withheld;

#[cfg(test)]
pub(crate) use crate::generic::FIXED as PARAMETERS;

/// Of what an answer is made.
pub(crate) struct Grounds<'a> {
    pub(crate) reads: &'a dyn AggregateReads,
    pub(crate) index: &'a dyn Index,
    pub(crate) charted: &'a Charted,
    pub(crate) live: Live,
    pub(crate) definitions: &'a Definitions,
    pub(crate) withheld: &'a Withheld,
}

/// The rows, which may be none: then an explanation, if it is asked for, says why.
pub(crate) async fn answer(grounds: Grounds<'_>, parameters: &Parameters) -> Result<Reply, Problem> {
    let Grounds {
        reads,
        index,
        charted,
        live,
        definitions,
        withheld,
    } = grounds;
    let [source, _] = parameters.required(["source", "metric"])?;
    let source = Source::named(source);
    // The dimensions of the original's source are known without a look.
    let is_main = source.as_str() == Source::TELEMETRY_MAIN;
    let known = match is_main && parameters.get("explain") != Some("true") {
        true => None,
        false => reads.about(&source).await?,
    };
    let dimensions = dimensions_of(&source, known.as_ref(), definitions);
    let question = AggregatesQuestion::parse(parameters, dimensions.as_deref())?;
    if withheld.holds(&question.metric) {
        let sentence = format!(
            "{} is withheld by this server's settings. Choose another metric.",
            question.metric
        );
        return Err(Problem::new(Reason::Withheld, sentence));
    }
    let Found {
        stored,
        description,
        unit,
        reading,
        series: Series {
            rows,
            newest_received,
        },
    } = find(reads, definitions, &question).await?;
    let as_of = newest_received.map(rfc3339);
    let mut explain = None;
    if question.explain
        && let Some(stored) = stored.first().filter(|_| !rows.is_empty())
    {
        explain = Some(used(reads, &question, stored, &rows).await?);
    }
    let rates = match rates_of(&question.metric).filter(|_| !is_main && !rows.is_empty()) {
        Some(rates) => reads.series(&question.cells(&rates), READ).await?.rows,
        None => Vec::new(),
    };
    let size = bins_of(&rows) + bins_of(&rates);
    let about = About {
        description,
        unit,
        as_of,
        live_behind: live.behind,
        explain,
    };
    if !question.explain {
        return shaped(size, move || {
            let rows = shape(&question, reading.as_ref(), rows, &rates);
            reply(question, about, rows)
        })
        .await;
    }
    let (question, rows) = shaped(size, move || {
        let rows = shape(&question, reading.as_ref(), rows, &rates);
        Ok((question, rows))
    })
    .await?;
    let mut about = about;
    if rows.is_empty() {
        let asked = Known {
            reads,
            index,
            charted,
            live,
            definitions,
            source: known.as_ref(),
        };
        about.explain = Some(unanswered::reason(asked, &question, &stored).await?);
    }
    shaped(size, move || reply(question, about, rows)).await
}

/// Does what an answer of so many bins needs: off the threads that take pings, unless to hand it over takes longer than to do it.
async fn shaped<T: Send + 'static>(
    bins: usize,
    shape: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match bins > BINS_AT_ONCE_MAX {
        true => task::background(shape).await,
        false => shape(),
    }
}

/// Bins, and one for each row.
fn bins_of(rows: &[SeriesRow]) -> usize {
    rows.iter().map(|row| 1 + row.cell.bins().len()).sum()
}

/// Rows by their groups. Bins are read as a definition says; beside them stand the rates at which their events were sampled.
fn shape(
    question: &AggregatesQuestion,
    reading: Option<&Reading>,
    mut rows: Vec<SeriesRow>,
    rates: &[SeriesRow],
) -> Vec<Row> {
    if let Some(reading) = reading {
        reading.prepare(&mut rows);
    }
    let mut rows = grouped(&question.source, rows, &question.by, &question.labels);
    if let Some(reading) = reading {
        reading.complete(&mut rows);
    }
    let rates = grouped(&question.source, rates.to_vec(), &question.by, &None);
    note_rates(&mut rows, &rates);
    rows
}

fn reply(question: AggregatesQuestion, mut about: About, rows: Vec<Row>) -> Result<Reply, Problem> {
    if let Some(Value::Object(explain)) = about.explain.as_mut()
        && rows.iter().any(|row| row.at_least)
    {
        let words = "at least: of several labels those of the most frequent one, since nothing counts what they have in common";
        explain.insert("pings".to_owned(), json!(words));
    }
    let format = question.format;
    let answer = Answer::of(question, about, rows);
    if answer.edges_len() > BINS_SHOWN_MAX {
        return Err(Problem::too_large("edges of bins", BINS_SHOWN_MAX));
    }
    match format {
        Format::Json => Reply::json(&answer),
        Format::Csv => csv(&answer, ANSWER_BYTES_MAX)
            .map(Reply::csv)
            .ok_or_else(|| Problem::too_large("bytes", ANSWER_BYTES_MAX)),
    }
}

/// What is found under a stored name.
#[derive(Default)]
struct Found {
    /// The names that were looked at, the last one first.
    stored: Vec<String>,
    description: String,
    /// What definitions say of the numbers.
    unit: Option<String>,
    /// How they say that bins are read.
    reading: Option<Reading>,
    series: Series,
}

/// Of the original's source, where its counts may lie too; elsewhere under its own name.
async fn find(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    question: &AggregatesQuestion,
) -> Result<Found, Problem> {
    let is_main = question.source.as_str() == Source::TELEMETRY_MAIN;
    if is_beside(&question.metric) {
        return Ok(Found::default());
    }
    let said = definitions.said(&question.source, &question.metric);
    let said = said.filter(|_| !is_main);
    let described = said.map_or("", |said| said.description);
    let unit = said.and_then(|said| said.unit);
    let unit = unit.or_else(|| own_unit(&question.metric));
    let mut lookups = vec![(question.metric.clone(), described.to_owned())];
    let mut labels = None;
    if is_main {
        let all = Lookup::all(definitions, &question.metric);
        labels = all.iter().find_map(Lookup::labels).map(Reading::Labels);
        let all = all.into_iter();
        lookups = all.map(|lookup| (lookup.stored, lookup.description)).collect();
    }
    let mut found = Found {
        stored: Vec::new(),
        description: String::new(),
        unit: unit.map(str::to_owned),
        reading: said.and_then(|said| said.layout).map(Reading::Layout).or(labels),
        series: Series::default(),
    };
    for (stored, description) in lookups {
        found.series = cells(reads, question, &stored).await?;
        found.description = description;
        found.stored.insert(0, stored);
        if !found.series.rows.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// The cells of a question. One label is asked of the store; where nothing lies under it, it may be the key of a category, beside whose value it stands.
async fn cells(
    reads: &dyn AggregateReads,
    question: &AggregatesQuestion,
    stored: &str,
) -> Result<Series, Problem> {
    let query = question.cells(stored);
    if let Some([label]) = question.labels.as_deref()
        && !label.is_empty()
    {
        let of_label = CellQuery {
            label: Some(label.clone()),
            ..query.clone()
        };
        let series = reads.series(&of_label, READ).await?;
        // A category's label has its value, too: what bears these very letters has another key.
        if series
            .rows
            .iter()
            .any(|row| row.layout.kind != HistogramKind::Categories)
        {
            return Ok(series);
        }
    }
    Ok(reads.series(&query, READ).await?)
}

/// Of what an answer was made.
async fn used(
    reads: &dyn AggregateReads,
    question: &AggregatesQuestion,
    stored: &str,
    rows: &[SeriesRow],
) -> Result<Value, Problem> {
    let day = ValueOf::Dimension(Dimension::named(Dimension::SUBMISSION_DATE));
    let days = reads.values_of(&question.cells(stored), day, DATES_MAX).await?;
    let mut layouts: Vec<String> = rows.iter().map(|row| row.layout.to_string()).collect();
    layouts.sort();
    layouts.dedup();
    layouts.truncate(LAYOUTS_IN_A_HEADER);
    Ok(json!({
        "stored_as": stored,
        "layouts": layouts,
        "days": {
            "number": days.values.len() as u64 + days.left_out,
            "first": days.values.first(),
            "last": days.values.last(),
        },
        "aggregates": rows.len(),
    }))
}
