//! Kinds, bins and layouts of distributions, with and without definitions.

use serde_json::json;
use sketch::{Cell, HistogramKind, Layout};

use super::store::Facts;
use super::world::{NIGHTLY, World, cell, firefox, get, get_json, of_kind, sample};

#[tokio::test]
async fn without_a_definition_the_kind_is_that_of_the_pings() {
    let set = || firefox("20150630", "20150701");
    let cells = vec![
        cell(
            "FLAG",
            set(),
            "parent",
            of_kind(HistogramKind::Flag, 3),
            Cell::new(5, 1, [(0, 4), (1, 1)]),
        ),
        cell(
            "BOOL",
            set(),
            "parent",
            of_kind(HistogramKind::Boolean, 3),
            sample(1),
        ),
        cell(
            "CATEGORY",
            set(),
            "parent",
            of_kind(HistogramKind::Categorical, 4),
            sample(3),
        ),
        cell("LINEAR", set(), "parent", Layout::linear(1, 3, 4), sample(2)),
        cell("[[COUNT]]_TIMES", set(), "parent", Layout::COUNT, sample(21)),
        cell("SCALARS_A.B", set(), "parent", Layout::COUNT, sample(10_000)),
        cell(
            "SIMPLE_MEASURES_UPTIME",
            set(),
            "parent",
            Layout::SIMPLE,
            sample(1),
        ),
    ];
    let api = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .api();
    let cases = [
        ("FLAG", "flag", 2, 3),
        ("BOOL", "boolean", 3, 3),
        ("CATEGORY", "categorical", 4, 4),
        ("LINEAR", "linear", 4, 4),
        ("TIMES", "count", 100, 100),
        ("[[COUNT]]_TIMES", "count", 100, 100),
        ("SCALARS_A.B", "exponential", 100, 100),
        ("SIMPLE_MEASURES_UPTIME", "exponential", 50, 50),
    ];
    for (metric, kind, buckets, values) in cases {
        let metric = metric.replace('[', "%5B").replace(']', "%5D");
        let answer = get_json(&api, &format!("{NIGHTLY}&metric={metric}&dates=20150630")).await;
        assert_eq!(answer["kind"], kind, "{metric}");
        assert_eq!(
            answer["buckets"].as_array().map(Vec::len),
            Some(buckets),
            "{metric}"
        );
        assert_eq!(
            answer["data"][0]["histogram"].as_array().map(Vec::len),
            Some(values),
            "{metric}"
        );
    }
}

#[tokio::test]
async fn a_definition_gives_kind_bins_labels_and_description() {
    let set = || firefox("20150630", "20150701");
    let text = r#"{
        "ENUM": {"kind": "enumerated", "n_values": 3, "description": "an enum"},
        "CAT": {"kind": "categorical", "labels": ["a", "b"], "description": "a category"},
        "TIMES": {"kind": "count", "description": "times"},
        "NOW_LINEAR": {"kind": "linear", "high": 3, "n_buckets": 4, "description": "was a count"},
        "NOW_COUNT": {"kind": "count", "description": "was linear"}
    }"#;
    let cells = vec![
        cell("ENUM", set(), "parent", Layout::linear(1, 3, 4), sample(3)),
        cell(
            "CAT",
            set(),
            "parent",
            of_kind(HistogramKind::Categorical, 51),
            Cell::new(4, 0, [(0, 1), (2, 2), (3, 9)]),
        ),
        cell("[[COUNT]]_TIMES", set(), "parent", Layout::COUNT, sample(2)),
        cell("[[COUNT]]_NOW_LINEAR", set(), "parent", Layout::COUNT, sample(1)),
        cell("NOW_COUNT", set(), "parent", Layout::linear(1, 3, 4), sample(3)),
        cell(
            "STARTUP_ENUM",
            set(),
            "parent",
            Layout::linear(1, 3, 4),
            sample(1),
        ),
    ];
    let api = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .define(text)
    .api();
    let cases = [
        (
            "ENUM",
            "enumerated",
            json!([0, 1, 2, 3]),
            json!([0, 0, 0, 1]),
            "an enum",
        ),
        (
            "CAT",
            "categorical",
            json!(["a", "b", "spill"]),
            json!([1, 0, 2]),
            "a category",
        ),
        (
            "STARTUP_ENUM",
            "enumerated",
            json!([0, 1, 2, 3]),
            json!([0, 1, 0, 0]),
            "an enum",
        ),
        (
            "NOW_COUNT",
            "linear",
            json!([0, 1, 2, 3]),
            json!([0, 0, 0, 1]),
            "was linear",
        ),
    ];
    for (metric, kind, buckets, histogram, description) in cases {
        let answer = get_json(&api, &format!("{NIGHTLY}&metric={metric}&dates=20150630")).await;
        let found = (
            &answer["kind"],
            &answer["buckets"],
            &answer["data"][0]["histogram"],
        );
        assert_eq!(found, (&json!(kind), &buckets, &histogram), "{metric}");
        assert_eq!(answer["description"], description, "{metric}");
    }
    for metric in ["TIMES", "NOW_LINEAR"] {
        let answer = get_json(&api, &format!("{NIGHTLY}&metric={metric}&dates=20150630")).await;
        assert_eq!(answer["kind"], "count", "{metric}");
    }
}

#[tokio::test]
async fn of_two_layouts_that_of_the_most_pings_is_shown_and_a_header_names_the_other() {
    let (old, new) = (Layout::linear(1, 10, 5), Layout::SIMPLE);
    let of = |build: &str, layout, pings: i64| {
        let cells = Cell::new(pings, i128::from(pings), [(1, i128::from(pings))]);
        cell("M", firefox(build, "20150701"), "parent", layout, cells)
    };
    let cells = vec![
        of("20150629", old, 9),
        of("20150630", old, 9),
        of("20150701", new, 2),
        // Built long after it was received, and many.
        of("20990101", Layout::linear(1, 99, 5), 700),
    ];
    let world = || {
        World::of(Facts {
            cells: cells.clone(),
            ..Facts::default()
        })
    };
    let by_submission = "/aggregates_by/submission_date/channels/nightly/?version=41&metric=M&dates=20150701";
    let by_build =
        "/aggregates_by/build_id/channels/nightly/?version=41&metric=M&dates=20150630,20150701,20990101";
    let text = r#"{"M": {"kind": "linear", "high": 10, "n_buckets": 5, "description": ""}}"#;
    for (target, sum) in [(by_submission, 18), (by_build, 9)] {
        for api in [world().api(), world().define(text).api()] {
            let shown = get(&api, target).await;
            let named = shown.header("x-highwater-other-layouts");
            assert_eq!(named.split(';').count(), 2, "{named}");
            assert!(named.contains("linear(1,99,5)"), "{named}");
            let shown = shown.json();
            let point = &shown["data"][0];
            assert_eq!((&point["sum"], &point["count"]), (&json!(sum), &json!(sum)));
            assert_eq!(point["histogram"], json!([0, sum, 0, 0, 0]));
            assert_eq!(shown["data"].as_array().map(Vec::len), Some(1));
        }
    }
    let alone = get(
        &world().api(),
        "/aggregates_by/build_id/channels/nightly/?version=41&metric=M&dates=20150701",
    )
    .await;
    assert_eq!(
        (
            alone.header("x-highwater-other-layouts"),
            &alone.json()["data"][0]["sum"]
        ),
        ("", &json!(2))
    );
}

#[tokio::test]
async fn samples_that_lie_on_no_bin_of_the_definition_are_counted_in_a_header() {
    let one = Cell::new(2, 17, [(1, 3), (5, 9), (6, 1)]);
    let cells = vec![cell(
        "M",
        firefox("20150630", "20150701"),
        "parent",
        Layout::linear(1, 10, 4),
        one,
    )];
    let text = r#"{"M": {"kind": "linear", "high": 6, "n_buckets": 3, "description": ""}}"#;
    let api = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .define(text)
    .api();
    let answer = get(&api, &format!("{NIGHTLY}&metric=M&dates=20150630")).await;
    assert_eq!(answer.header("x-highwater-samples-left-out"), "9");
    assert_eq!(answer.json()["data"][0]["histogram"], json!([0, 3, 1]));
}
