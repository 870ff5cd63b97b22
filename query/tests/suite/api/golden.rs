//! The recorded answers of the original, over its own recorded rows.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aggregate_store::{CellKey, DimensionSet, Source};
use flate2::read::GzDecoder;
use query::definitions::{Bins, Definitions};
use serde_json::Value;
use service::current::Current;
use sketch::{Cell, Layout};

use super::store::Facts;
use super::world::{World, get};

/// Recorded material beside the project, if it is there.
#[expect(clippy::print_stdout, reason = "a test says when it is left out")]
fn recorded() -> Option<PathBuf> {
    let beside = |folder: &Path| Some(folder.join("shared/data")).filter(|data| data.is_dir());
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside);
    if found.is_none() {
        println!("left out: ../shared is absent");
    }
    found
}

fn lines(file: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(File::open(file).expect("readable"))
        .read_to_string(&mut text)
        .expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The lower bounds of a row's values: as defined, or where each stands.
fn bounds(definitions: &Definitions, metric: &str, values: usize) -> Vec<i64> {
    let bins = match metric.strip_prefix("[[COUNT]]_") {
        Some(_) => Some(Layout::COUNT.lower_bounds()),
        None => match definitions.get(metric).map(|definition| definition.bins) {
            Some(Bins::Bounds(bounds)) => Some(bounds),
            _ => None,
        },
    };
    bins.filter(|bins| bins.len() >= values)
        .unwrap_or_else(|| (0..).take(values).collect())
}

fn fact(definitions: &Definitions, row: &Value) -> (CellKey, Cell) {
    let text = |key: &str| row[key].as_str().expect("a text").to_owned();
    let number = |value: &Value| value.as_i64().expect("a number");
    let values = row["histogram"].as_array().expect("values");
    let bounds = bounds(definitions, &text("metric"), values.len());
    let bins = bounds
        .into_iter()
        .zip(values.iter().map(|value| i128::from(number(value))));
    let key = CellKey {
        metric: text("metric"),
        dimensions: DimensionSet::stating(
            Source::telemetry_main(),
            text("submission_date").parse().expect("a date"),
            &[
                ("channel", &text("channel")),
                ("version", &text("version")),
                ("build_date", &text("build_id")),
                ("application", &text("application")),
                ("architecture", &text("architecture")),
                ("os", &text("os")),
                ("os_version", &text("osVersion")),
            ],
        ),
        process: text("child"),
        label: text("label"),
        layout: Layout::SIMPLE,
    };
    let cell = Cell::new(number(&row["count"]), i128::from(number(&row["sum"])), bins);
    (key, cell)
}

#[tokio::test]
async fn over_the_rows_of_the_original_every_answer_is_the_originals() {
    let Some(data) = recorded() else { return };
    let mut definitions = Definitions::default();
    for name in ["Histograms.2017-04.json", "Scalars.2017.yaml"] {
        let text = std::fs::read_to_string(data.join("definitions").join(name)).expect("readable");
        definitions.load(name, &text).expect("understood");
    }
    let rows = lines(&data.join("golden/real-2017-04.rows.ndjson.gz"));
    let facts = Facts {
        cells: rows.iter().map(|row| fact(&definitions, row)).collect(),
        ..Facts::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store = facts.in_sqlite(&folder.path().join("aggregates.sqlite")).await;
    let mut world = World::of(Facts::default());
    world.definitions = definitions;
    let api = world.api_over(|_| Arc::new(Current::new(Arc::new(store))));
    let mut met = 0;
    for expected in lines(&data.join("golden/real-2017-04.responses.ndjson.gz")) {
        let Some(path) = expected["path"].as_str() else {
            continue;
        };
        let mut found = get(&api, path).await.json();
        let description = found
            .as_object_mut()
            .and_then(|fields| fields.remove("description"));
        assert!(
            description.is_some_and(|text| text.is_string()),
            "{path}: {found}"
        );
        assert_eq!(found, expected["response"], "{path}");
        met += 1;
    }
    assert_eq!(met, 3_708);
}
