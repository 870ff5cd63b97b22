//! Metrics, alarms and verdicts in the papers, against those in the sources: none is missing on either side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a name may end in, before `_total`: its unit, as Prometheus writes units, or what is counted.
const UNITS: [&str; 46] = [
    "metrics",
    "rules",
    "persists",
    "preflights",
    "seconds",
    "bytes",
    "pings",
    "chunks",
    "leases",
    "objects",
    "partitions",
    "connections",
    "failures",
    "info",
    "severity",
    "threads",
    "files",
    "commits",
    "segments",
    "removed",
    "accepted",
    "closed",
    "damaged",
    "sealed",
    "unequal",
    "retries",
    "errored",
    "replayed",
    "submissions",
    "rejections",
    "requests",
    "reconciliations",
    "batches",
    "cells",
    "back",
    "records",
    "plans",
    "rows",
    "layers",
    "dates",
    "days",
    "copies",
    "ratio",
    "runs",
    "aggregates",
    "date",
];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the project")
}

fn paper(name: &str) -> String {
    fs::read_to_string(project().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files of this name below the sources of all crates.
pub(crate) fn sources_named(name: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, name, found);
            } else if path.file_name().is_some_and(|file| file == name) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(project()).expect("readable") {
        let sources = entry.expect("an entry").path().join("src");
        if sources.is_dir() {
            walk(&sources, name, &mut found);
        }
    }
    found.sort();
    found
}

/// Every name of a metric in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| word.starts_with("highwater_") && word.matches('_').count() > 1)
        .map(str::to_owned)
        .collect()
}

fn names_of_the_sources() -> BTreeSet<String> {
    let files = sources_named("metrics.rs");
    assert!(files.len() > 8, "the walk found only {files:?}");
    let quoted = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).expect("readable");
        text.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    quoted.flat_map(|text| names_in(&text)).collect()
}

/// The rows of `docs/metrics.md`: cells by name.
fn rows() -> BTreeMap<String, Vec<String>> {
    let text = paper("docs/metrics.md");
    let rows = text.lines().filter(|line| line.starts_with("| `highwater_"));
    rows.map(|line| {
        let cells: Vec<String> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        (cells[0].trim_matches('`').to_owned(), cells)
    })
    .collect()
}

#[test]
fn every_metric_is_in_the_paper_and_the_paper_has_no_other() {
    let (sources, documented) = (
        names_of_the_sources(),
        rows().into_keys().collect::<BTreeSet<_>>(),
    );
    let missing: Vec<_> = sources.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&sources).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "docs/metrics.md lacks {missing:?} and has {unknown:?}, which no metrics.rs has"
    );
}

#[test]
fn every_metric_is_named_as_prometheus_names_them() {
    for (name, cells) in rows() {
        assert_eq!(
            cells.len(),
            6,
            "{name}: a row has name, type, unit, labels, meaning, when it moves"
        );
        let (kind, bare) = (cells[1].as_str(), name.strip_suffix("_total").unwrap_or(&name));
        assert!(
            ["counter", "gauge", "histogram"].contains(&kind),
            "{name}: {kind}"
        );
        assert_eq!(
            kind == "counter",
            name.ends_with("_total"),
            "{name} is a {kind}: only counters end in _total"
        );
        let unit = bare.rsplit('_').next().unwrap_or_default();
        assert!(
            UNITS.contains(&unit),
            "{name} ends in no unit (if {unit} is one, add it to UNITS)"
        );
        assert!(
            !cells[2].is_empty() && !cells[4].is_empty(),
            "{name} has no unit or no meaning"
        );
        if ["seconds", "bytes"].contains(&cells[2].as_str()) {
            assert_eq!(unit, cells[2], "{name}: the name ends in its unit");
        }
    }
}

#[test]
fn every_metric_has_a_description_for_help() {
    for file in sources_named("metrics.rs") {
        let text = fs::read_to_string(&file).expect("readable");
        let calls: String = text.split_whitespace().collect();
        let constants = text
            .lines()
            .filter(|line| line.contains("const ") && line.contains("\"highwater_"));
        for line in constants {
            let name = line
                .split("const ")
                .nth(1)
                .and_then(|rest| rest.split(':').next())
                .expect("a name");
            let described = ["counter", "gauge", "histogram"]
                .iter()
                .any(|kind| calls.contains(&format!("describe_{kind}!({name},")));
            assert!(described, "{}: {name} has no description", file.display());
        }
    }
}

#[test]
fn every_alarm_asks_for_metrics_that_are_there_and_is_explained() {
    let (rules, manual, documented) = (
        paper("infra/prometheus/alerts.yaml"),
        paper("docs/operations.md"),
        rows(),
    );
    let alerts: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() > 8, "{alerts:?}");
    for alert in &alerts {
        assert!(
            manual.contains(&format!("| {alert} |")),
            "docs/operations.md has no row for {alert}"
        );
    }
    for name in names_in(&rules) {
        assert!(
            documented.contains_key(&name),
            "an alarm asks for {name}, which no program has"
        );
    }
    for line in manual.lines().filter(|line| line.starts_with("| Highwater")) {
        let named = line.split('|').nth(1).map(str::trim).unwrap_or_default();
        assert!(
            alerts.contains(&named),
            "docs/operations.md explains {named}, which is no alarm"
        );
    }
}

#[test]
fn every_alarm_has_a_test_in_which_it_fires() {
    let tests = paper("tests/tests/street/alarms.rs");
    for alarm in tests::alarms::Alarm::all() {
        assert!(
            tests.contains(&format!("Alarm::named(\"{}\")", alarm.name())),
            "no test in tests/tests/street/alarms.rs makes {} fire",
            alarm.name()
        );
    }
}

#[test]
fn every_verdict_has_a_section_and_every_link_of_the_papers_an_anchor() {
    let manual = paper("docs/operations.md");
    let headings: BTreeSet<String> = manual
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    for name in query::health::NAMES {
        assert!(
            headings.contains(&name.replace('_', "-")),
            "no section for the verdict {name}"
        );
    }
    let anchors = |text: &str, before: &str| -> Vec<String> {
        let end = |rest: &str| {
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .unwrap_or(rest.len())
        };
        text.split(before)
            .skip(1)
            .map(|rest| rest[..end(rest)].to_owned())
            .collect()
    };
    let metrics = paper("docs/metrics.md");
    for anchor in anchors(&manual, "](#")
        .into_iter()
        .chain(anchors(&metrics, "operations.md#"))
    {
        assert!(headings.contains(&anchor), "nothing bears the anchor #{anchor}");
    }
}
