//! Definition files of three ages are understood, and every layout is the one the original computed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use query::definitions::{Bins, Definitions};
use serde_json::Value;

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

fn bins(bins: &Bins) -> Value {
    match bins {
        Bins::Bounds(bounds) => serde_json::json!(bounds),
        Bins::Labels(labels) => serde_json::json!(labels),
    }
}

#[test]
fn every_layout_of_a_real_definition_file_is_the_originals() {
    let Some(data) = recorded() else { return };
    let mut definitions = Definitions::default();
    let file = data.join("definitions/Histograms.2017-04.json");
    definitions
        .load("Histograms.json", &fs::read_to_string(file).expect("readable"))
        .expect("understood");
    let mut golden = String::new();
    let packed = fs::File::open(data.join("golden/buckets/2017-04.jsonl.gz")).expect("readable");
    GzDecoder::new(packed).read_to_string(&mut golden).expect("text");
    for line in golden.lines() {
        let expected: Value = serde_json::from_str(line).expect("JSON");
        let name = expected["metric"].as_str().expect("a name");
        let found = definitions
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not defined"));
        assert_eq!(found.kind.name(), expected["kind"], "{name}");
        assert_eq!(bins(&found.bins), expected["api_buckets"], "{name}");
    }
    assert_eq!(golden.lines().count(), 1_498);
}

#[test]
fn definition_files_of_other_years_and_shapes_are_recognised_by_their_content() {
    let Some(data) = recorded() else { return };
    let mut definitions = Definitions::default();
    for name in [
        "Histograms.fx45esr.json",
        "Histograms.fx76.json",
        "Scalars.2017.yaml",
        "Scalars.fx76.yaml",
        "Processes.fx76.yaml",
    ] {
        let text = fs::read_to_string(data.join("definitions").join(name)).expect("readable");
        definitions
            .load(name, &text)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(
        definitions
            .processes()
            .any(|(name, description)| name == "gpu" && !description.is_empty())
    );
    let scalar = definitions
        .get("SCALARS_TELEMETRY.TEST.BOOLEAN_KIND")
        .expect("a scalar");
    assert!(
        scalar.description.starts_with("A boolean test type"),
        "{}",
        scalar.description
    );
}

#[test]
fn a_startup_metric_has_its_own_definition_or_that_of_the_metric_it_repeats() {
    let text = r#"{"A": {"kind": "boolean", "description": "a"}, "STARTUP_B": {"kind": "flag", "description": "sb"}, "B": {"kind": "boolean", "description": "b"}}"#;
    let mut definitions = Definitions::default();
    definitions.load("Histograms.json", text).expect("understood");
    assert_eq!(definitions.get("STARTUP_A").expect("A's").description, "a");
    assert_eq!(definitions.get("STARTUP_B").expect("its own").description, "sb");
    assert_eq!(definitions.get("STARTUP_C"), None);
}

#[test]
fn a_file_of_another_shape_is_refused_with_what_to_give() {
    let mut definitions = Definitions::default();
    let message = |definitions: &mut Definitions, text: &str| {
        definitions.load("x.json", text).expect_err(text).to_string()
    };
    assert!(message(&mut definitions, "[1, 2]").contains("Histograms.json"));
    assert!(message(&mut definitions, "{\"a\": 1}").contains("Histograms.json"));
    assert!(message(&mut definitions, "{\"a\": {\"kind\": \"round\"}}").contains("a: unknown kind `round`"));
    assert!(
        message(&mut definitions, "{\"a\": {\"kind\": \"linear\", \"high\": 3}}")
            .contains("`n_buckets` is missing")
    );
    assert!(message(&mut definitions, "a: b: c: {").contains("neither JSON nor YAML"));
}
