//! Recorded pings of the SDK and of Glean.js, where they lie beside the project: every answer that was computed from them by
//! others, added up slowly from what the sink is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ping::{Submission, SubmissionDate, UNKNOWN};
use serde_json::Value;
use sketch::Layout;

use super::super::oracle::{self, Totals};
use super::super::{GleanDimension, GleanError, GleanReader, Received};
use super::day;
use crate::definitions::Definitions;
use crate::values::Kind;

/// All were received on one day, the day after the last of them was made.
const RECEIVED: &str = "20261129";

fn recorded() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = |folder: &Path| Some(folder.join("shared/data/glean")).filter(|data| data.is_dir());
    let found = here.ancestors().find_map(beside);
    if found.is_none() {
        println!("left out: ../shared is absent");
    }
    found
}

fn definitions(data: &Path) -> Definitions {
    let mut all = Definitions::default();
    for file in ["metrics.yaml", "pings.yaml"] {
        let text = fs::read_to_string(data.join(file)).expect("recorded definitions");
        let read = Definitions::read(&text).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        all.add(read).expect("each metric once");
    }
    all
}

/// A ping that was read, and its source.
struct Read {
    source: String,
    totals: Totals,
}

/// Reads every document once; how many of each source there are, and those that were read.
fn read_all(data: &Path, definitions: &Definitions) -> (BTreeMap<String, usize>, Vec<Read>) {
    let custom = definitions.custom_layouts();
    let text = fs::read_to_string(data.join("pings.ndjson")).expect("recorded pings");
    let (mut documents, mut sources, mut all) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    let mut reader = GleanReader::default();
    for line in text.lines() {
        let ping: Value = serde_json::from_str(line).expect("a ping a line");
        let body = ping["body"].as_str().expect("a body").as_bytes();
        let submission = Submission::parse(ping["uri"].as_str().expect("a URI")).expect("a submission");
        let document_type = submission.document_type.unwrap_or_default();
        let source = format!("{}/{document_type}", submission.namespace);
        if !documents.insert((source.clone(), submission.document_id)) {
            continue;
        }
        *sources.entry(source.clone()).or_default() += 1;
        let received = Received {
            namespace: &submission.namespace,
            document_type: &document_type,
            date: day(RECEIVED),
            source_tags: ping["headers"]["X-Source-Tags"].as_str(),
            is_declared: true,
        };
        let mut totals = Totals::default();
        let read = reader.read(body, &received, &custom, &mut totals);
        let slow = oracle::read(body, &received, &custom);
        assert_eq!(read.map(|()| totals.clone()), slow, "{source}");
        match read {
            Ok(()) => all.push(Read { source, totals }),
            Err(error) => assert_eq!(error, GleanError::DeletionRequest, "{source}"),
        }
    }
    (sources, all)
}

/// One row of an answer.
#[derive(Default)]
struct Row {
    pings: i64,
    samples: i128,
    sum: i128,
    bins: BTreeMap<i64, i128>,
    names: BTreeMap<String, i64>,
    layouts: BTreeSet<Layout>,
}

/// A question: source, metric, filters and what rows are grouped by.
struct Question {
    source: String,
    metric: String,
    filters: Vec<(String, Vec<String>)>,
    group_by: Vec<String>,
}

impl Question {
    fn of(query: &str) -> Self {
        let (_, arguments) = query.split_once('?').expect("arguments");
        let mut question = Self {
            source: String::new(),
            metric: String::new(),
            filters: Vec::new(),
            group_by: Vec::new(),
        };
        for argument in arguments.split('&') {
            let (name, value) = argument.split_once('=').expect("name=value");
            let list = || value.split(',').map(str::to_owned).collect();
            match name {
                "source" => value.clone_into(&mut question.source),
                "metric" => value.clone_into(&mut question.metric),
                "group_by" => question.group_by = list(),
                "percentiles" => {}
                _ => question.filters.push((name.to_owned(), list())),
            }
        }
        question
    }

    /// The rows, by the values of what they are grouped by.
    fn answer(&self, pings: &[Read]) -> BTreeMap<Vec<String>, Row> {
        let mut rows: BTreeMap<Vec<String>, Row> = BTreeMap::new();
        for ping in pings
            .iter()
            .filter(|ping| ping.source == self.source && self.admits(&ping.totals))
        {
            for (key, row) in self.rows_of(&ping.totals) {
                let Row {
                    pings,
                    samples,
                    sum,
                    bins,
                    names,
                    layouts,
                } = row;
                let all = rows.entry(key).or_default();
                all.pings += pings;
                all.samples += samples;
                all.sum += sum;
                all.layouts.extend(layouts);
                for (bound, samples) in bins {
                    *all.bins.entry(bound).or_default() += samples;
                }
                for (name, times) in names {
                    *all.names.entry(name).or_default() += times;
                }
            }
        }
        rows
    }

    fn admits(&self, totals: &Totals) -> bool {
        self.filters.iter().all(|(name, values)| {
            if name == "source_tags" {
                return totals.lists.iter().any(|(_, tag)| values.contains(tag));
            }
            values.contains(&dimension(totals, name))
        })
    }

    /// What one ping adds: to each row one ping.
    fn rows_of(&self, totals: &Totals) -> BTreeMap<Vec<String>, Row> {
        let mut rows: BTreeMap<Vec<String>, Row> = BTreeMap::new();
        let key = |label: &Option<String>| -> Vec<String> {
            let by = self.group_by.iter();
            by.map(|by| match by.as_str() {
                "label" => label.clone().expect("a labelled metric"),
                name => dimension(totals, name),
            })
            .collect()
        };
        for ((metric, label, layout), sums) in &totals.cells {
            if *metric == self.metric {
                let row = rows.entry(key(label)).or_default();
                row.pings = 1;
                row.sum += sums.sum;
                row.layouts.insert(*layout);
                for (bound, samples) in &sums.bins {
                    row.samples += samples;
                    *row.bins.entry(*bound).or_default() += samples;
                }
            }
        }
        for ((metric, label), values) in &totals.categories {
            if *metric == self.metric {
                let row = rows.entry(key(label)).or_default();
                row.pings = 1;
                for (value, times) in values {
                    row.samples += i128::from(*times);
                    *row.names.entry(value.clone()).or_default() += times;
                }
            }
        }
        rows
    }
}

fn dimension(totals: &Totals, name: &str) -> String {
    let known = GleanDimension::ALL
        .into_iter()
        .find(|dimension| dimension.name() == name);
    let place = known.unwrap_or_else(|| panic!("{name} is a dimension")).place();
    totals
        .dimensions
        .get(&place)
        .cloned()
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

fn number(value: &Value) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|_| panic!("{value} is a number"))
}

/// Holds a row against the recorded one.
fn compare(row: &Row, expected: &Value, which: &str) {
    assert_eq!(
        i128::from(row.pings),
        number(&expected["pings"]),
        "pings of {which}"
    );
    assert_eq!(row.samples, number(&expected["samples"]), "samples of {which}");
    let received: SubmissionDate = day(RECEIVED);
    let ages = expected["dates"].as_array().map(|dates| {
        let age = |date: &Value| {
            let date: SubmissionDate = date
                .as_str()
                .expect("a date")
                .replace('-', "")
                .parse()
                .expect("a date");
            i128::from(received.start().micros_since(date.start()) / 86_400_000_000)
        };
        dates.iter().map(age).collect::<Vec<i128>>()
    });
    if let Some(sum) = expected.get("sum") {
        assert_eq!(row.sum, number(sum), "sum of {which}");
    }
    let values = expected["values"]
        .as_array()
        .map(|values| values.iter().map(number).collect());
    if let Some(ages) = &ages {
        assert_eq!(row.sum, ages.iter().sum(), "sum of {which}");
    }
    if let Some(values) = values.or(ages) {
        let mut bins: BTreeMap<i64, i128> = BTreeMap::new();
        for value in values {
            let value = i64::try_from(value).expect("63 bits");
            *bins.entry(Layout::NUMBER.bin_of(value)).or_default() += 1;
        }
        assert_eq!(row.bins, bins, "bins of {which}");
    }
    let Some(bins) = expected["bins"].as_array() else {
        return;
    };
    if bins.iter().all(|bin| bin[0].is_string()) {
        let names = bins.iter().map(|bin| {
            (
                bin[0].as_str().expect("a name").to_owned(),
                bin[1].as_i64().expect("a count"),
            )
        });
        assert_eq!(row.names, names.collect(), "names of {which}");
        return;
    }
    let bins: BTreeMap<i64, i128> = bins
        .iter()
        .map(|bin| (bin[0].as_i64().expect("a bound"), number(&bin[1])))
        .collect();
    assert_eq!(row.bins, bins, "bins of {which}");
    let layout = row.layouts.first().expect("a layout");
    if let Some(upper) = expected["upper"].as_array() {
        let ours: Vec<Value> = bins.keys().map(|bound| layout.next_edge(*bound).into()).collect();
        assert_eq!(&ours, upper, "upper edges of {which}");
    }
}

fn layout_of(recorded: &Value) -> Layout {
    let number = |key: &str| recorded[key].as_i64().expect("a number");
    let bins = || u32::try_from(number("buckets")).expect("few bins");
    match recorded["kind"].as_str() {
        Some("functional") => Layout::functional(number("base"), number("per_magnitude")),
        Some("linear") => Layout::glean_linear(number("min"), number("max"), bins()),
        Some("exponential") => Layout::exponential(number("min"), number("max"), bins()),
        _ => panic!("what is {recorded}?"),
    }
}

#[test]
fn every_answer_computed_by_others_from_recorded_pings_is_met() {
    let Some(data) = recorded() else { return };
    let definitions = definitions(&data);
    let (_, pings) = read_all(&data, &definitions);
    let expected = fs::read_to_string(data.join("expected.json")).expect("recorded answers");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    let answers = expected["answers"].as_array().expect("answers");
    for answer in answers {
        let query = answer["query"].as_str().expect("a query");
        let question = Question::of(query);
        let rows = question.answer(&pings);
        let data = answer["data"].as_array().expect("rows");
        assert_eq!(rows.len(), data.len(), "rows of {query}");
        for expected in data {
            let key = question
                .group_by
                .iter()
                .map(|by| expected[by].as_str().expect("a value").to_owned());
            let key: Vec<String> = key.collect();
            let row = rows
                .get(&key)
                .unwrap_or_else(|| panic!("{query} has a row {key:?}"));
            compare(row, expected, &format!("{query} {key:?}"));
            let layout = answer.get("layout").map(layout_of);
            if let Some(layout) = layout {
                assert_eq!(row.layouts, BTreeSet::from([layout]), "layout of {query}");
            }
        }
        if let Some(unit) = answer.get("unit") {
            let unit = unit.as_str().expect("a unit");
            let defined = definitions.metric(&question.metric);
            assert!(
                defined.is_none_or(|metric| metric.unit.as_deref() == Some(unit)),
                "unit of {query}"
            );
        }
    }
    assert!(answers.len() >= 300, "{} answers", answers.len());
}

#[test]
fn every_recorded_source_has_its_metrics_of_their_kinds() {
    let Some(data) = recorded() else { return };
    let (documents, pings) = read_all(&data, &definitions(&data));
    let expected = fs::read_to_string(data.join("expected.json")).expect("recorded answers");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    for (source, counts) in expected["sources"].as_object().expect("sources") {
        assert_eq!(
            documents.get(source),
            Some(&(counts["pings"].as_u64().expect("a number") as usize)),
            "{source}"
        );
        let read = pings.iter().filter(|ping| ping.source == *source).count();
        assert_eq!(Some(read as u64), counts["folded"].as_u64(), "{source}");
    }
    for (source, metrics) in expected["metrics"].as_object().expect("metrics by source") {
        let mut kinds: BTreeMap<String, &str> = BTreeMap::new();
        for Read { totals, .. } in pings.iter().filter(|ping| ping.source == *source) {
            let cells = totals
                .cells
                .iter()
                .map(|((metric, ..), sums)| (metric, sums.kind.word()));
            let names = totals
                .categories
                .keys()
                .map(|(metric, _)| (metric, Kind::Category.word()));
            let stored = totals.stored.keys().map(|metric| (metric, "stored"));
            kinds.extend(
                cells
                    .chain(names)
                    .chain(stored)
                    .map(|(metric, kind)| (metric.clone(), kind)),
            );
        }
        let recorded = metrics.as_object().expect("kinds").iter();
        let recorded = recorded.map(|(metric, kind)| (metric.clone(), kind.as_str().expect("a kind")));
        assert_eq!(kinds, recorded.collect(), "{source}");
    }
}

#[test]
fn recorded_pings_leave_nothing_out() {
    let Some(data) = recorded() else { return };
    let (_, pings) = read_all(&data, &definitions(&data));
    for Read { source, totals } in &pings {
        assert_eq!(totals.notes, BTreeMap::new(), "{source}");
    }
    let clients: BTreeSet<&String> = pings
        .iter()
        .filter_map(|ping| ping.totals.client.as_ref())
        .collect();
    assert!(clients.iter().all(|client| ping::ClientId::parse(client).is_ok()));
    assert!(!clients.is_empty());
}

#[test]
fn without_definitions_recorded_custom_distributions_have_their_keys() {
    let Some(data) = recorded() else { return };
    let (_, pings) = read_all(&data, &Definitions::default());
    let mut layouts: BTreeMap<Layout, usize> = BTreeMap::new();
    for ((_, _, layout), _) in pings.iter().flat_map(|ping| &ping.totals.cells) {
        *layouts.entry(*layout).or_default() += 1;
    }
    let layouts: Vec<Layout> = layouts.into_keys().collect();
    assert_eq!(layouts, [Layout::NUMBER, Layout::MEMORY, Layout::KEYS]);
}
