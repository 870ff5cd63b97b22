//! The API over any source at its edges: the example of the paper, the original's source, validators, and answers that are too large.

use aggregate_store::{CellKey, DimensionSet, Source};
use http::Method;
use serde_json::{Value, json};
use sketch::{Cell, Layout};

use super::pings::{NUMBER, Ping, Said, cells};
use super::store::Facts;
use super::world::{World, cell, firefox, get, get_json, labelled, request, sample};

const PAPER: &str = include_str!("../../../../docs/api.md");

#[tokio::test]
async fn the_example_of_the_paper_is_what_is_answered() {
    let ping = |samples: &[i64]| Ping {
        source: "demo-app/metrics",
        day: "20260115",
        stated: vec![("os", "Linux")],
        said: vec![Said::Samples("demo.load", Layout::NUMBER, samples.to_vec())],
    };
    let facts = Facts {
        cells: cells(&[ping(&[3, 8]), ping(&[14])]),
        ..Facts::default()
    };
    let target = PAPER
        .lines()
        .find_map(|line| line.strip_prefix("curl 'localhost:8081/api/v1/aggregates"))
        .expect("the paper asks")
        .trim_end_matches('\'');
    let told = PAPER
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut told: Value = serde_json::from_str(told.expect("the paper tells")).expect("JSON");
    told["as_of"] = Value::Null;
    let answer = get_json(&World::of(facts).api(), &format!("/api/v1/aggregates{target}")).await;
    assert_eq!(answer, told, "{answer}");
}

#[tokio::test]
async fn edges_are_told_where_they_are_asked_for_and_known() {
    let layout = Layout::linear(10, 100, 10);
    let said = |metric: &'static str, layout: Layout, samples: &[i64]| {
        Said::Samples(metric, layout, samples.to_vec())
    };
    let ping = Ping {
        source: "demo-app/metrics",
        day: "20260115",
        stated: vec![],
        said: vec![
            said("inside", layout, &[25, 70]),
            said("open", layout, &[70, 5_000]),
        ],
    };
    let mut facts = Facts {
        cells: cells(&[ping]),
        ..Facts::default()
    };
    let set = DimensionSet::stating(
        Source::named("demo-app/metrics"),
        "20260115".parse().expect("a date"),
        &[],
    );
    let keys = Cell::new(1, 12, [(3, 1), (9, 1)]);
    facts.cells.push(cell("unknown", set, "", Layout::KEYS, keys));
    let api = World::of(facts).api();
    let bounds = layout.lower_bounds();
    let from = |least: i64| {
        let found = bounds.iter().rposition(|bound| *bound <= least);
        found.expect("a bin")
    };
    for (metric, expected) in [
        ("inside", Some(json!(bounds[from(25)..=from(70) + 1]))),
        ("open", {
            let known = bounds[from(70)..].iter().map(|bound| json!(bound));
            Some(known.chain([Value::Null]).collect())
        }),
        ("unknown", None),
    ] {
        let target = format!("/api/v1/aggregates?source=demo-app/metrics&metric={metric}");
        let row = get_json(&api, &format!("{target}&edges=true")).await["data"][0].clone();
        assert_eq!(row.get("edges"), expected.as_ref(), "{row}");
        let without = get_json(&api, &target).await["data"][0].clone();
        assert_eq!(without.get("edges"), None, "{without}");
    }
}

/// The original's source: counts lie under another name, processes are real, and of several labels the most frequent tells the pings.
#[tokio::test]
async fn the_originals_source_is_asked_like_any_other() {
    let set = || firefox("20150630", "20150701");
    let count =
        |process: &str, value: i64| cell("[[COUNT]]_TIMES", set(), process, Layout::COUNT, sample(value));
    let keyed = |label: &str, pings: i64| {
        let cell = cell(
            "KEYED",
            set(),
            "parent",
            Layout::SIMPLE,
            Cell::new(pings, 5, [(5, 1)]),
        );
        labelled(cell, label)
    };
    let api = World::of(Facts {
        cells: vec![count("parent", 3), count("gpu", 4), keyed("a", 2), keyed("b", 7)],
        ..Facts::default()
    })
    .api();
    let base = "/api/v1/aggregates?source=telemetry/main&metric=";
    let times = get_json(&api, &format!("{base}TIMES&group_by=process&channel=nightly")).await;
    let row = |at: usize| (&times["data"][at]["process"], &times["data"][at]["sum"]);
    assert_eq!(
        (row(0), row(1)),
        ((&json!("gpu"), &json!(4)), (&json!("parent"), &json!(3)))
    );
    assert_eq!(times["kind"], "number");
    let gpu = get_json(&api, &format!("{base}TIMES&process=gpu,none&explain=true")).await;
    assert_eq!(
        (&gpu["data"][0]["sum"], &gpu["explain"]["stored_as"]),
        (&json!(4), &json!("[[COUNT]]_TIMES"))
    );
    let keyed = get_json(&api, &format!("{base}KEYED&explain=true")).await;
    assert_eq!(
        (&keyed["data"][0]["pings"], &keyed["data"][0]["samples"]),
        (&json!(7), &json!(2))
    );
    assert!(
        keyed["explain"]["pings"]
            .as_str()
            .is_some_and(|words| words.starts_with("at least")),
        "{keyed}"
    );
    let none = get_json(&api, &format!("{base}TIMES&process=socket&explain=true")).await;
    assert_eq!(none["explain"]["filter"], "process=socket");
    let metrics = get_json(&api, "/api/v1/metrics?source=telemetry/main").await;
    let names: Vec<&Value> = metrics["metrics"]
        .as_array()
        .expect("metrics")
        .iter()
        .map(|one| &one["metric"])
        .collect();
    assert_eq!(names, ["KEYED", "TIMES"]);
}

/// A key may look like another key with its value.
#[tokio::test]
async fn a_key_is_not_taken_for_another_one_with_its_value() {
    let ping = |key: &'static str, value: &'static str| Ping {
        source: "a/b",
        day: "20260115",
        stated: Vec::new(),
        said: vec![Said::Names("m", vec![(key, value)])],
    };
    let facts = Facts {
        cells: cells(&[ping("a", "b"), ping("a=b", "c")]),
        ..Facts::default()
    };
    let api = World::of(facts).api();
    let of = async |label: &str| {
        get_json(
            &api,
            &format!("/api/v1/aggregates?source=a/b&metric=m&label={label}"),
        )
        .await["data"][0]["bins"]
            .take()
    };
    assert_eq!(
        (of("a%3Db").await, of("a").await),
        (json!([["c", 1]]), json!([["b", 1]]))
    );
}

#[tokio::test]
async fn content_that_is_known_is_not_sent_again() {
    let cells = vec![cell(
        "M",
        firefox("20150630", "20150701"),
        "parent",
        NUMBER,
        sample(1),
    )];
    let api = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .api();
    for path in [
        "/api/v1/aggregates?source=telemetry/main&metric=M",
        "/api/v1/aggregates?source=telemetry/main&metric=M&format=csv",
        "/api/v1/metrics?source=telemetry/main",
        "/api/v1/sources",
        "/api/v1/openapi.json",
    ] {
        let first = get(&api, path).await;
        assert_eq!(first.status, 200, "{path}");
        let again = request(
            &api,
            Method::GET,
            path,
            &[("if-none-match", first.header("etag"))],
        )
        .await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_is_refused_with_words_and_a_filter_helps() {
    // More rows than are read for one answer: labels that differ.
    let one = |n: usize| {
        let set = DimensionSet::stating(
            Source::named("a/b"),
            "20260101".parse().expect("a day"),
            &[("os", if n == 0 { "Linux" } else { "Darwin" })],
        );
        let key = CellKey {
            metric: "m".to_owned(),
            dimensions: set,
            process: String::new(),
            label: format!("label {n}"),
            layout: NUMBER,
        };
        (key, sample(1))
    };
    let api = World::of(Facts {
        cells: (0..=100_001).map(one).collect(),
        ..Facts::default()
    })
    .api();
    let refused = get(&api, "/api/v1/aggregates?source=a/b&metric=m").await;
    let (status, word, sentence) = refused.refusal();
    assert_eq!((status, word.as_str()), (413, "too_large"));
    assert!(sentence.contains("filter"), "{sentence}");
    let few = get_json(&api, "/api/v1/aggregates?source=a/b&metric=m&os=Linux").await;
    assert_eq!(few["data"][0]["samples"], 1);
}
