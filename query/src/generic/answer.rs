//! An answer for the distribution of a metric: its rows in their order, the rest in one, and numbers as JSON holds them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Value, json};

use super::form::{Edges, Form, Shared, unit_of};
use super::group::{Bins, Row};
use super::question::{AggregatesQuestion, By, Method, Order};
use super::telemetryjs::telemetryjs;

/// The largest whole number that every reader of JSON keeps.
const WHOLE_MAX: i128 = 1 << 53;

/// What an answer says beside its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) description: String,
    /// The unit that definitions give; else bins may tell it.
    pub(crate) unit: Option<String>,
    /// The receive time of the newest ping that is counted.
    pub(crate) as_of: Option<String>,
    /// Acknowledged pings that are in no number yet.
    pub(crate) live_behind: u64,
    pub(crate) explain: Option<Value>,
}

/// The answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) question: AggregatesQuestion,
    pub(crate) about: About,
    /// What an answer of several forms is said to be; that of the row with the most pings.
    form: Option<(Form, Option<&'static str>)>,
    /// In their order, at most as many as were asked for.
    pub(crate) rows: Vec<Row>,
    pub(crate) rest: Option<Rest>,
    groups: usize,
}

/// What the rows that are left out add up to.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) groups: usize,
    /// Absent where one ping may be in several of them.
    pub(crate) pings: Option<i64>,
    pub(crate) samples: i128,
    /// Absent of categories.
    pub(crate) sum: Option<i128>,
}

impl Answer {
    /// Orders rows, and keeps those with the most pings.
    pub(crate) fn of(question: AggregatesQuestion, about: About, mut rows: Vec<Row>) -> Self {
        let groups: BTreeSet<&Vec<String>> = rows.iter().map(|row| &row.group).collect();
        let groups = groups.len();
        // Stable: of equals the first groups stay.
        rows.sort_by_key(|row| Reverse(row.pings));
        let form = rows.first().map(|row| (row.form, unit_of(&row.layout)));
        let (mut rows, left) = match groups > question.limit {
            true => Self::parted(rows, question.limit),
            false => (rows, Vec::new()),
        };
        if question.order == Order::Group {
            rows.sort_by_cached_key(|row| {
                let values = row
                    .group
                    .iter()
                    .map(|value| (value.parse::<u64>().map_err(|_| ()), value.clone()));
                (values.collect::<Vec<_>>(), row.layout)
            });
        }
        let rest = Rest::of(&question, &left);
        Self {
            question,
            about,
            form,
            rows,
            rest,
            groups,
        }
    }
}

impl Answer {
    /// The rows of the first groups, and all others: layouts of one group stay together.
    fn parted(rows: Vec<Row>, groups_max: usize) -> (Vec<Row>, Vec<Row>) {
        let mut kept: BTreeSet<Vec<String>> = BTreeSet::new();
        rows.into_iter().partition(|row| {
            let is_kept = kept.contains(&row.group) || kept.len() < groups_max;
            if is_kept {
                kept.insert(row.group.clone());
            }
            is_kept
        })
    }

    /// How many numbers the edges of its bins are, if they are asked for.
    pub(crate) fn edges_len(&self) -> usize {
        let rows = self.rows.iter().filter(|_| self.question.edges);
        rows.map(|row| {
            row.edges(&Edges::of(&row.layout))
                .map_or(0, |(bounds, _)| bounds.len() + 1)
        })
        .sum()
    }
}

impl Rest {
    fn of(question: &AggregatesQuestion, left: &[Row]) -> Option<Self> {
        let first = left.first()?;
        let groups: BTreeSet<&Vec<String>> = left.iter().map(|row| &row.group).collect();
        let is_apart = !question.by.contains(&By::Label) && !question.by.contains(&By::Process);
        Some(Self {
            groups: groups.len(),
            pings: is_apart.then(|| left.iter().map(|row| row.pings).sum()),
            samples: left.iter().map(Row::samples).sum(),
            sum: (first.form != Form::Category).then(|| left.iter().map(|row| row.sum).sum()),
        })
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AggregatesQuestion {
            source,
            metric,
            by,
            method,
            ..
        } = &self.question;
        let About {
            description,
            unit: defined,
            as_of,
            live_behind,
            explain,
        } = &self.about;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("source", source.as_str())?;
        map.serialize_entry("metric", metric)?;
        if let Some((form, unit)) = &self.form {
            map.serialize_entry("kind", form.name())?;
            if let Some(unit) = defined.as_deref().or(*unit) {
                map.serialize_entry("unit", unit)?;
            }
        }
        if !description.is_empty() {
            map.serialize_entry("description", description)?;
        }
        let by: Vec<&str> = by.iter().map(By::name).collect();
        map.serialize_entry("group_by", &by)?;
        map.serialize_entry("data", &Data(self))?;
        map.serialize_entry("groups", &self.groups)?;
        if *method == Method::TelemetryJs {
            map.serialize_entry("method", "telemetryjs")?;
        }
        map.serialize_entry("as_of", as_of)?;
        if *live_behind > 0 {
            map.serialize_entry("live_behind", live_behind)?;
        }
        if let Some(explain) = explain {
            map.serialize_entry("explain", explain)?;
        }
        map.end()
    }
}

/// The rows, and the rest.
struct Data<'a>(&'a Answer);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(answer) = self;
        let mut rows = serializer.serialize_seq(None)?;
        let mut last = None;
        for row in &answer.rows {
            rows.serialize_element(&OneRow::Of(answer, row, Shared::after(&mut last, &row.layout)))?;
        }
        if let Some(rest) = &answer.rest {
            rows.serialize_element(&OneRow::Rest(rest))?;
        }
        rows.end()
    }
}

enum OneRow<'a> {
    Of(&'a Answer, &'a Row, &'a Shared),
    Rest(&'a Rest),
}

impl Serialize for OneRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Of(answer, row, shared) => row_entries(answer, row, shared, &mut map)?,
            Self::Rest(rest) => {
                map.serialize_entry("rest", &true)?;
                map.serialize_entry("groups", &rest.groups)?;
                if let Some(pings) = rest.pings {
                    map.serialize_entry("pings", &pings)?;
                }
                map.serialize_entry("samples", &number(rest.samples))?;
                if let Some(sum) = rest.sum {
                    map.serialize_entry("sum", &number(sum))?;
                    map.serialize_entry("mean", &mean(sum, rest.samples))?;
                }
            }
        }
        map.end()
    }
}

fn row_entries<M: SerializeMap>(
    answer: &Answer,
    row: &Row,
    shared: &Shared,
    map: &mut M,
) -> Result<(), M::Error> {
    for (by, value) in answer.question.by.iter().zip(&row.group) {
        map.serialize_entry(by.name(), value)?;
    }
    if answer.form.is_some_and(|(form, _)| form != row.form) {
        map.serialize_entry("kind", row.form.name())?;
    }
    let samples = row.samples();
    map.serialize_entry("pings", &row.pings)?;
    map.serialize_entry("samples", &Shown(samples))?;
    if let Some(sampled) = row.sampled {
        map.serialize_entry("sampled", &sampled.json())?;
    }
    match &row.bins {
        Bins::Bounds(bins) => {
            map.serialize_entry("sum", &Shown(row.sum))?;
            map.serialize_entry("mean", &mean(row.sum, samples))?;
            map.serialize_entry("layout", &shared.json)?;
            map.serialize_entry("bins", &ShownBins(bins))?;
            let edges = &shared.edges;
            if answer.question.edges
                && let Some((bounds, end)) = row.edges(edges)
            {
                let all: Vec<Option<i64>> = bounds.iter().copied().map(Some).chain([end]).collect();
                map.serialize_entry("edges", &all)?;
            }
            let percentiles = answer.question.percentiles.iter();
            let method = answer.question.method;
            let percentiles = percentiles.filter_map(|asked| {
                let mut found = asked.among(bins, edges)?;
                if method == Method::TelemetryJs {
                    let kind = row.layout.kind;
                    found.value = json!(telemetryjs(kind, edges.bounds(), bins, asked.share())?);
                }
                Some((asked.text.as_str(), found))
            });
            map.serialize_entry("percentiles", &percentiles.collect::<BTreeMap<_, _>>())
        }
        Bins::Names(bins) => {
            map.serialize_entry("layout", &shared.json)?;
            map.serialize_entry("bins", &ShownBins(bins))
        }
    }
}

/// A number that every reader keeps, or else a text.
pub(crate) fn number(number: i128) -> Value {
    json!(Shown(number))
}

/// The same, written without a value between.
struct Shown(i128);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(number) = self;
        match i64::try_from(*number) {
            Ok(small) if (-WHOLE_MAX..=WHOLE_MAX).contains(number) => serializer.serialize_i64(small),
            _ => serializer.collect_str(number),
        }
    }
}

/// Bins, each a pair of its bound or name and its samples.
struct ShownBins<'a, B>(&'a [(B, i128)]);

impl<B: Serialize> Serialize for ShownBins<'_, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(bin, samples)| (bin, Shown(*samples))))
    }
}

/// Sum over samples: whole where it is; `null` without samples.
#[expect(clippy::cast_precision_loss, reason = "a mean is a fraction")]
fn mean(sum: i128, samples: i128) -> Value {
    match samples {
        0 => Value::Null,
        _ if sum % samples == 0 && (sum / samples).abs() <= WHOLE_MAX => number(sum / samples),
        _ => json!(sum as f64 / samples as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_readers_would_round_are_texts() {
        assert_eq!(number(1 << 53), json!(9_007_199_254_740_992_i64));
        assert_eq!(number((1 << 53) + 1), json!("9007199254740993"));
        assert_eq!(number(-(1 << 53) - 1), json!("-9007199254740993"));
        assert_eq!(
            (mean(10, 4), mean(12, 4), mean(1, 0)),
            (json!(2.5), json!(3), Value::Null)
        );
    }
}
