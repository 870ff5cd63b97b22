//! Distributions: both clocks, every filter, labels.

use serde_json::{Value, json};
use sketch::Layout;

use super::store::Facts;
use super::world::{NIGHTLY, World, cell, firefox, get_json, labelled, sample};

/// A date, a label, (lower bound, samples) of the bins that are not zero, sum and count.
type Point = (String, String, Vec<(i64, i64)>, i64, i64);

/// The data of an answer, for short comparisons.
fn points(answer: &Value) -> Vec<Point> {
    let bounds: Vec<i64> = answer["buckets"]
        .as_array()
        .expect("bins")
        .iter()
        .map(|bound| bound.as_i64().expect("a number"))
        .collect();
    let number = |value: &Value| value.as_i64().expect("a number");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let bins = |point: &Value| {
        let counts = point["histogram"].as_array().expect("counts").iter().map(number);
        bounds
            .iter()
            .copied()
            .zip(counts)
            .filter(|(_, count)| *count != 0)
            .collect()
    };
    let data = answer["data"].as_array().expect("data").iter();
    data.map(|point| {
        (
            text(&point["date"]),
            text(&point["label"]),
            bins(point),
            number(&point["sum"]),
            number(&point["count"]),
        )
    })
    .collect()
}

#[tokio::test]
async fn both_clocks_sum_the_same_cells_by_their_own_date() {
    let mut facts = Facts::default();
    for (build, received, value) in [
        ("20150629", "20150701", 1),
        ("20150629", "20150702", 2),
        ("20150630", "20150702", 3),
    ] {
        facts.cells.push(cell(
            "GC_MS",
            firefox(build, received),
            "parent",
            Layout::SIMPLE,
            sample(value),
        ));
    }
    let api = World::of(facts).api();
    let by_build = get_json(
        &api,
        &format!("{NIGHTLY}&metric=GC_MS&dates=20150630,20150629,20140101"),
    )
    .await;
    let point = |date: &str, bins: &[(i64, i64)], sum: i64, count: i64| {
        (date.to_owned(), String::new(), bins.to_vec(), sum, count)
    };
    assert_eq!(
        points(&by_build),
        [
            point("20150629", &[(1, 1), (2, 1)], 3, 2),
            point("20150630", &[(3, 1)], 3, 1)
        ]
    );
    let by_submission = get_json(
        &api,
        "/aggregates_by/submission_date/channels/nightly?version=41&metric=GC_MS&dates=20150702",
    )
    .await;
    assert_eq!(
        points(&by_submission),
        [point("20150702", &[(2, 1), (3, 1)], 5, 2)]
    );
    let fields: Vec<&String> = by_build.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["buckets", "data", "description", "kind"]);
    assert_eq!(
        (&by_build["kind"], &by_build["description"]),
        (&json!("exponential"), &json!(""))
    );
}

#[tokio::test]
async fn every_filter_selects_its_dimension() {
    let mut facts = Facts::default();
    let changed = [
        ("channel", "nightly"),
        ("application", "Fennec"),
        ("architecture", "arm"),
        ("os", "Linux"),
        ("os_version", "4.9"),
        ("e10s", "false"),
    ];
    for (number, (name, value)) in (1..).zip(changed) {
        let set = firefox("20150630", "20150701").with(name, value);
        facts
            .cells
            .push(cell("GC_MS", set, "parent", Layout::SIMPLE, sample(number)));
    }
    for (value, process) in [(7, "content"), (8, "gpu"), (9, "socket")] {
        let set = firefox("20150630", "20150701");
        facts
            .cells
            .push(cell("GC_MS", set, process, Layout::SIMPLE, sample(value)));
    }
    let api = World::of(facts).api();
    let cases = [
        ("", 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8),
        ("&application=Fennec", 2),
        ("&architecture=arm", 3),
        ("&os=Linux", 4),
        ("&osVersion=4.9", 5),
        ("&e10sEnabled=false", 6),
        ("&child=content", 7),
        ("&child=true", 7),
        ("&child=gpu", 8),
        ("&child=socket", 9),
        ("&child=parent", 1 + 2 + 3 + 4 + 5 + 6),
        ("&child=false&os=Windows_NT&osVersion=6.1", 1 + 2 + 3 + 6),
        ("&application=Fennec&application=nothing&label=", 2),
    ];
    for (filter, sum) in cases {
        let answer = get_json(&api, &format!("{NIGHTLY}&metric=GC_MS&dates=20150630{filter}")).await;
        assert_eq!(answer["data"][0]["sum"], sum, "{filter}");
    }
}

#[tokio::test]
async fn a_keyed_metric_has_an_entry_for_each_label() {
    let set = || firefox("20150630", "20150701");
    let keyed = |label: &str, value| {
        labelled(
            cell("KEYED", set(), "parent", Layout::SIMPLE, sample(value)),
            label,
        )
    };
    let facts = Facts {
        cells: vec![keyed("b c&d", 2), keyed("a", 1), keyed("b c&d", 4)],
        ..Facts::default()
    };
    let api = World::of(facts).api();
    let all = points(&get_json(&api, &format!("{NIGHTLY}&metric=KEYED&dates=20150630")).await);
    let labels: Vec<_> = all
        .iter()
        .map(|(_, label, _, sum, _)| (label.as_str(), *sum))
        .collect();
    assert_eq!(labels, [("a", 1), ("b c&d", 6)]);
    let one = get_json(
        &api,
        &format!("{NIGHTLY}&metric=KEYED&dates=20150630&label=b+c%26d"),
    )
    .await;
    assert_eq!(points(&one).len(), 1);
}
