//! Glean's JavaScript SDK in a real browser, against the real program: what a page sends is counted, as it is sent with and
//! without a preflight.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::Pipeline;

/// The one row of a question without groups.
fn row(pipeline: &Pipeline, metric: &str, more: &str) -> Value {
    let target = format!("/api/v1/aggregates?source=acme-shop/visit&metric={metric}{more}");
    let answer = pipeline.api_client().get(&target).expect("an answer");
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

/// Pings, samples and sum of a metric over both pings.
fn numbers(pipeline: &Pipeline, metric: &str) -> Vec<Value> {
    let answer = row(pipeline, metric, "");
    let rows = answer["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{metric}: {answer}");
    ["pings", "samples", "sum"]
        .map(|name| rows[0][name].clone())
        .to_vec()
}

/// The names of a category, with how often each was sent.
fn categories(pipeline: &Pipeline, metric: &str) -> Vec<(String, i64)> {
    let answer = row(pipeline, metric, "");
    let bins = answer["data"][0]["bins"].as_array().expect("bins").iter();
    let mut bins: Vec<_> = bins
        .map(|bin| {
            (
                bin[0].as_str().expect("a name").to_owned(),
                bin[1].as_i64().expect("a count"),
            )
        })
        .collect();
    bins.sort();
    bins
}

#[test]
fn what_gleans_javascript_sdk_sends_from_a_page_is_answered_by_the_api() {
    let Ok(modules) = std::env::var("HIGHWATER_WEB_MODULES") else {
        return println!("left out: HIGHWATER_WEB_MODULES names no node_modules with @mozilla/glean");
    };
    if Command::new("chromedriver").arg("--version").output().is_err() {
        return println!("left out: chromedriver is not installed (`make test` installs it)");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/client_test.py");
    let used = Command::new("python3")
        .arg(script)
        .args(["--edge", &pipeline.edge, "--modules", &modules])
        .output()
        .expect("python3 runs");
    assert!(used.status.success(), "{}", String::from_utf8_lossy(&used.stderr));
    pipeline.wait_for("both pages' pings to be counted", |status| {
        status["folded"] == 2 && status["settled"] == true
    });
    for (metric, expected) in [
        ("shop.clicks", [2_i64, 2, 14]),
        ("shop.basket", [2, 2, 24]),
        ("shop.stayed", [2, 2, 2 * 1_234_000_000]),
        ("shop.bought:numerator", [2, 2, 2]),
        ("shop.bought:denominator", [2, 2, 8]),
        ("shop.paint", [2, 6, 2 * 304_000_000]),
        ("shop.heap", [2, 2, 2 * 1_024]),
        ("shop.sizes", [2, 8, 2 * 205]),
        // Three labels of each ping, one of which the SDK does not take.
        ("shop.kinds", [2, 6, 12]),
        ("events:shop.saved", [2, 2, 4]),
    ] {
        assert_eq!(numbers(&pipeline, metric), expected.map(Value::from), "{metric}");
    }
    let named = |names: &[(&str, i64)]| -> Vec<_> {
        names.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
    };
    for (metric, expected) in [
        ("shop.open", named(&[("true", 2)])),
        ("shop.theme", named(&[("dark", 2)])),
        ("shop.pages", named(&[("home", 4), ("shoes", 2)])),
        ("shop.link", named(&[("shop.example.org", 2)])),
        ("shop.options", named(&[("false", 2), ("true", 2)])),
    ] {
        assert_eq!(categories(&pipeline, metric), expected, "{metric}");
    }
    let kinds = row(&pipeline, "shop.kinds", "&group_by=label");
    let mut labels: Vec<_> = kinds["data"].as_array().expect("rows").iter().collect();
    labels.sort_by_key(|row| row["label"].to_string());
    let labels: Vec<_> = labels
        .iter()
        .map(|row| (row["label"].clone(), row["sum"].clone()))
        .collect();
    let expected = [("__other__", 2), ("pdf", 6), ("png", 4)].map(|(label, sum)| (json!(label), json!(sum)));
    assert_eq!(labels, expected);
    // Today where the page is, which is a day from the server's at most.
    let founded = numbers(&pipeline, "shop.founded");
    assert_eq!(founded[..2], [json!(2), json!(2)]);
    assert!(
        founded[2].as_i64().is_some_and(|days| days.abs() <= 2),
        "{founded:?}"
    );
    // The bins of Glean's own layouts, as the page sent them.
    let heap = row(&pipeline, "shop.heap", "");
    assert_eq!(heap["data"][0]["bins"], json!([[1_023, 2]]), "{heap}");
    // The day of the build comes from the build's number, since the SDK sends the moment at which the page was opened.
    let told = row(
        &pipeline,
        "shop.clicks",
        "&group_by=build_date,channel,version,os,ping_reason",
    );
    let group = &told["data"][0];
    for (dimension, value) in [
        ("build_date", "20261001"),
        ("channel", "beta"),
        ("version", "2"),
        ("os", "Linux"),
        ("ping_reason", "bought"),
    ] {
        assert_eq!(group[dimension], value, "{told}");
    }
    // One of the two asked before it sent, and named its tags.
    let metrics = pipeline
        .api_client()
        .get("/metrics")
        .expect("an answer")
        .text()
        .to_string();
    let admitted = metrics
        .lines()
        .find(|line| line.starts_with("highwater_edge_preflights_total") && line.contains("admitted"));
    assert!(admitted.is_some_and(|line| line.ends_with(" 1")), "{admitted:?}");
    let stored = tests::run(&[
        "pings",
        "--namespace",
        "acme-shop",
        "--data-dir",
        &folder.path().join("data").display().to_string(),
    ]);
    let tags: Vec<Value> = stored
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line"))
        .map(|ping| ping["meta"].clone())
        .collect();
    let tagged = tags
        .iter()
        .filter(|meta| meta.to_string().contains("shop-try"))
        .count();
    assert_eq!((tags.len(), tagged), (2, 1), "{tags:?}");
}
