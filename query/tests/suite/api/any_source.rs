//! The API over any source: every number is the one that a walk over the pings gives, over the facts and over SQLite.

use std::collections::BTreeMap;
use std::sync::Arc;

use query::Api;
use serde_json::{Value, json};
use service::current::Current;
use sketch::Layout;

use super::pings::{DECLARED, Expected, GLEAN, Ping, bin, cells, expected, pings};
use super::store::Facts;
use super::world::{World, get, get_json};

/// Over the facts in memory, and over the same in SQLite.
async fn both() -> (Vec<Api>, tempfile::TempDir) {
    let facts = Facts {
        cells: cells(&pings()),
        ..Facts::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store = facts.in_sqlite(&folder.path().join("aggregates.sqlite")).await;
    let sqlite = World::of(Facts::default()).api_over(|_| Arc::new(Current::new(Arc::new(store))));
    (vec![World::of(facts).api(), sqlite], folder)
}

fn layout_of(row: &Value) -> Layout {
    match (
        row["layout"]["kind"].as_str(),
        row["layout"]["per_magnitude"].as_i64(),
    ) {
        (Some("categories"), _) => Layout::CATEGORIES,
        (_, Some(16)) => Layout::MEMORY,
        _ => Layout::NUMBER,
    }
}

/// Whether a row says what it must.
fn is_met(row: &Value, expected: &Expected, target: &str) {
    assert_eq!(row["pings"], expected.pings, "{target}: {row}");
    if !expected.names.is_empty() {
        let bins = row["bins"].as_array().expect("bins").iter();
        let bins: Vec<(String, u64)> = bins
            .map(|bin| {
                (
                    bin[0].as_str().expect("a name").to_owned(),
                    bin[1].as_u64().expect("many"),
                )
            })
            .collect();
        assert!(
            bins.is_sorted_by_key(|(_, many)| std::cmp::Reverse(*many)),
            "{row}"
        );
        assert_eq!(
            bins.into_iter().collect::<BTreeMap<_, _>>(),
            expected.names,
            "{target}"
        );
        return;
    }
    let mut samples = expected.samples.clone();
    samples.sort_unstable();
    let layout = layout_of(row);
    let mut bins: BTreeMap<i64, u64> = BTreeMap::new();
    for sample in &samples {
        *bins.entry(bin(&layout, *sample)).or_default() += 1;
    }
    assert_eq!(
        row["bins"],
        json!(bins.into_iter().collect::<Vec<_>>()),
        "{target}"
    );
    assert_eq!(
        (&row["samples"], &row["sum"]),
        (&json!(samples.len()), &json!(samples.iter().sum::<i64>()))
    );
    let mean = samples.iter().sum::<i64>() as f64 / samples.len() as f64;
    assert!(
        (row["mean"].as_f64().expect("a mean") - mean).abs() < 1e-6,
        "{target}: {row}"
    );
    for (name, tenths) in [("5", 50), ("50", 500), ("99.9", 999)] {
        let rank = (tenths * samples.len()).div_ceil(1_000).max(1);
        let sample = samples[rank - 1];
        let told = &row["percentiles"][name];
        assert!(
            told["low"].as_i64().expect("low") <= sample,
            "{target}: {told} {sample}"
        );
        assert!(
            told["high"].as_i64().is_none_or(|high| sample < high),
            "{target}: {told} {sample}"
        );
        let value = told["value"].as_f64().expect("a value");
        assert!(told["low"].as_f64().expect("low") <= value, "{told}");
        assert!(told["high"].as_f64().is_none_or(|high| value < high), "{told}");
    }
}

type Condition = Box<dyn Fn(&Ping) -> bool>;

/// Filters as they are sent, and what they mean.
fn filters() -> Vec<(&'static str, Condition)> {
    let is = |dimension: &'static str, values: &'static [&'static str]| -> Condition {
        Box::new(move |ping| values.contains(&ping.value(dimension).as_str()))
    };
    vec![
        ("", Box::new(|_| true)),
        ("&os=Linux", is("os", &["Linux"])),
        ("&os=Linux,Darwin&version=54", {
            let os = is("os", &["Linux", "Darwin"]);
            Box::new(move |ping| os(ping) && ping.value("version") == "54")
        }),
        ("&country=UNKNOWN,DE", is("country", &["UNKNOWN", "DE"])),
        ("&country=a%252Cb", is("country", &["a,b"])),
        ("&country=c%252E%252Ed", is("country", &["c..d"])),
        (
            "&submission_date=20260102..",
            is("submission_date", &["20260102", "20260110"]),
        ),
        (
            "&submission_date=20260101..20260102",
            is("submission_date", &["20260101", "20260102"]),
        ),
        ("&submission_date=20260103", is("submission_date", &[])),
        ("&country=..b", is("country", &["DE", "a,b"])),
    ]
}

#[tokio::test]
async fn every_number_is_the_one_that_a_walk_over_the_pings_gives() {
    let (apis, _folder) = both().await;
    let mut rows_seen = 0;
    for metric in [
        "a.count",
        "a.labelled",
        "a.load",
        "a.flag",
        "a.tags",
        "a.keyed",
        "none",
    ] {
        for by in [
            "",
            "os",
            "submission_date,country",
            "label",
            "version,label",
            "process,os",
        ] {
            for (filter, holds) in filters() {
                for source in [GLEAN, DECLARED] {
                    for label in [None, Some("one"), Some("k=%"), Some("")] {
                        let names: Vec<&str> = by.split(',').filter(|name| !name.is_empty()).collect();
                        let wanted =
                            expected(metric, &names, label, |ping| ping.source == source && holds(ping));
                        let label = label.map(|label| {
                            let label = label.replace('%', "%2525").replace('=', "%3D");
                            format!("&label={label}")
                        });
                        let target = format!(
                            "/api/v1/aggregates?source={source}&metric={metric}&group_by={by}&percentiles=5,50,99.9{filter}{}",
                            label.unwrap_or_default()
                        );
                        let answer = get_json(&apis[0], &target).await;
                        assert_eq!(answer, get_json(&apis[1], &target).await, "{target}");
                        let rows = answer["data"].as_array().expect("rows");
                        assert_eq!(rows.len(), wanted.len(), "{target}: {answer}");
                        for row in rows {
                            let group: Vec<String> = names
                                .iter()
                                .map(|name| row[*name].as_str().expect(name).to_owned())
                                .collect();
                            let mut layout = layout_of(row);
                            if answer["kind"] == "number" {
                                layout = super::pings::NUMBER;
                            }
                            is_met(row, &wanted[&(group, layout)], &target);
                            rows_seen += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(rows_seen > 1_000, "{rows_seen}");
}

#[tokio::test]
async fn the_smallest_rows_become_one_and_the_order_is_the_one_that_was_asked_for() {
    let (apis, _folder) = both().await;
    for api in &apis {
        let target =
            |more: &str| format!("/api/v1/aggregates?source={GLEAN}&metric=a.count&group_by=version{more}");
        let all = get_json(api, &target("")).await;
        let versions = |answer: &Value| -> Vec<Value> {
            answer["data"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| row["version"].clone())
                .collect()
        };
        assert_eq!(versions(&all), [json!("9"), json!("54"), json!("100")]);
        let pings = |answer: &Value| -> Vec<i64> {
            answer["data"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| row["pings"].as_i64().expect("many"))
                .collect()
        };
        let by_pings = get_json(api, &target("&order=pings")).await;
        assert!(pings(&by_pings).is_sorted_by(|a, b| a >= b));
        let cut = get_json(api, &target("&limit=1&order=pings")).await;
        let rest = &cut["data"][1];
        assert_eq!(
            (&rest["rest"], &rest["groups"], &cut["groups"]),
            (&json!(true), &json!(2), &json!(3))
        );
        assert_eq!(pings(&cut).iter().sum::<i64>(), pings(&all).iter().sum::<i64>());
        let sum = |answer: &Value| -> i64 {
            answer["data"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| row["sum"].as_i64().expect("a sum"))
                .sum()
        };
        assert_eq!(sum(&cut), sum(&all));
    }
}

#[tokio::test]
async fn a_table_has_a_row_for_each_bin() {
    let (apis, _folder) = both().await;
    for metric in ["a.load", "a.tags"] {
        let target = format!("/api/v1/aggregates?source={GLEAN}&metric={metric}&group_by=country");
        let json = get_json(&apis[0], &target).await;
        let rows = json["data"].as_array().expect("rows").iter();
        let bins: usize = rows.map(|row| row["bins"].as_array().expect("bins").len()).sum();
        let table = get(&apis[1], &format!("{target}&format=csv")).await;
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
        let table = String::from_utf8(table.body).expect("text");
        assert_eq!(table.lines().count(), bins + 1, "{table}");
        assert!(
            table.starts_with("country,kind,layout,pings,samples,sum,bin,high,count\r\n"),
            "{table}"
        );
        assert!(table.contains("\r\n\"a,b\","), "{table}");
    }
}

#[tokio::test]
async fn an_empty_answer_says_why() {
    let facts = Facts {
        cells: cells(&pings()),
        ..Facts::default()
    };
    let mut world = World::of(facts);
    world.withheld = vec!["secret.*".to_owned()];
    world.products = vec![index_schema::ProductCount {
        namespace: "shop".to_owned(),
        doc_type: "visit".to_owned(),
        app_name: String::new(),
        records: 12,
    }];
    world.floors.all.aggregates = Some("20260101".parse().expect("a day"));
    let api = world.api();
    for (question, reason, holds) in [
        ("source=no/such&metric=m", "no_such_source", GLEAN),
        (
            "source=shop/visit&metric=m&any=x",
            "stored_not_counted",
            "12 pings stored",
        ),
        (
            &format!("source={GLEAN}&metric=m"),
            "no_such_metric",
            "/api/v1/metrics",
        ),
        (
            &format!("source={GLEAN}&metric=a.count&os=Linux&version=1"),
            "not_under_these_filters",
            "With os=Linux",
        ),
        (
            &format!("source={GLEAN}&metric=a.count&label=x"),
            "not_under_these_filters",
            "label=x",
        ),
        (
            &format!("source={GLEAN}&metric=a.count&submission_date=..20251231"),
            "older_than_kept",
            "20260101",
        ),
    ] {
        let answer = get_json(&api, &format!("/api/v1/aggregates?{question}&explain=true")).await;
        assert_eq!(
            (&answer["data"], &answer["explain"]["reason"]),
            (&json!([]), &json!(reason)),
            "{question}"
        );
        let detail = answer["explain"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains(holds), "{detail}");
    }
    for (question, status, reason) in [
        (format!("source={GLEAN}&metric=secret.a"), 404, "withheld"),
        (
            format!("source={GLEAN}&metric=a.count&contry=DE"),
            400,
            "unknown_parameter",
        ),
        (
            format!("source={GLEAN}&metric=a.count&os=a&os=b"),
            400,
            "invalid_parameter",
        ),
        (
            format!("source={GLEAN}&metric=a.count&limit=0"),
            400,
            "invalid_parameter",
        ),
    ] {
        let refused = get(&api, &format!("/api/v1/aggregates?{question}")).await;
        assert_eq!(
            refused.header("content-type"),
            "application/problem+json",
            "{question}"
        );
        assert_eq!(
            (refused.refusal().0, refused.refusal().1.as_str()),
            (status, reason),
            "{question}"
        );
    }
    let used = get_json(
        &api,
        &format!("/api/v1/aggregates?source={GLEAN}&metric=a.load&explain=true"),
    )
    .await;
    assert_eq!(
        used["explain"]["layouts"],
        json!(["functional(2,16,0)", "functional(2,8,0)"])
    );
    assert_eq!(
        used["explain"]["days"],
        json!({"number": 3, "first": "20260101", "last": "20260110"})
    );
}

#[tokio::test]
async fn metrics_values_and_sources_are_listed() {
    let (apis, _folder) = both().await;
    for api in &apis {
        let metrics = get_json(api, &format!("/api/v1/metrics?source={GLEAN}")).await;
        let about = |name: &str| {
            let all = metrics["metrics"].as_array().expect("metrics").iter();
            all.clone()
                .find(|metric| metric["metric"] == name)
                .cloned()
                .unwrap_or_default()
        };
        assert_eq!(
            metrics["metrics"].as_array().expect("metrics").len(),
            6,
            "{metrics}"
        );
        assert!(metrics.get("next").is_none());
        for (name, kind, labelled) in [
            ("a.count", "number", false),
            ("a.labelled", "number", true),
            ("a.load", "distribution", false),
            ("a.flag", "category", false),
            ("a.tags", "category", false),
            ("a.keyed", "category", true),
        ] {
            let metric = about(name);
            assert_eq!(
                (&metric["kind"], &metric["labelled"]),
                (&json!(kind), &json!(labelled)),
                "{metric}"
            );
        }
        let some = get_json(api, &format!("/api/v1/metrics?source={GLEAN}&q=LABEL")).await;
        assert_eq!(some["metrics"].as_array().expect("metrics").len(), 1);
        let later = get_json(api, &format!("/api/v1/metrics?source={GLEAN}&after=a.labelled")).await;
        assert_eq!(later["metrics"][0]["metric"], "a.load");
        assert_eq!(
            get(api, "/api/v1/metrics?source=no/such").await.refusal().1,
            "source_unknown"
        );
        assert_eq!(
            get(api, "/api/v1/metrics?source=no/such&x=1").await.refusal().0,
            400
        );

        let values = |target: String| async move {
            let answer = get_json(api, &target).await;
            let values = answer["values"].as_array().expect("values").iter();
            values
                .map(|value| value["value"].as_str().expect("text").to_owned())
                .collect::<Vec<_>>()
        };
        let of = format!("/api/v1/values?source={GLEAN}&dimension=country");
        assert_eq!(values(of.clone()).await, ["DE", "UNKNOWN", "a,b", "c..d"]);
        let linux: std::collections::BTreeSet<String> = pings()
            .iter()
            .filter(|ping| ping.source == GLEAN && ping.value("os") == "Darwin" && ping.day >= "20260102")
            .map(|ping| ping.value("country"))
            .collect();
        let filtered = values(format!("{of}&os=Darwin&submission_date=20260102..")).await;
        assert!(filtered.iter().eq(linux.iter()), "{filtered:?} {linux:?}");
        assert_eq!(get(api, &format!("{of}&oss=x")).await.refusal().0, 400);
        assert_eq!(
            get(api, &format!("/api/v1/values?source={GLEAN}&dimension=plan"))
                .await
                .refusal()
                .0,
            400
        );

        let sources = get_json(api, "/api/v1/sources").await;
        // This world's setting counts types `main` alone: what else is counted is taken for Glean's.
        let expected = json!({"sources": [
            {"source": DECLARED, "reader": "glean", "dimensions": ["submission_date", "country", "os", "version"],
             "first_day": "20260101", "last_day": "20260110", "metrics": 6},
            {"source": GLEAN, "reader": "glean", "dimensions": ["submission_date", "country", "os", "version"],
             "first_day": "20260101", "last_day": "20260110", "metrics": 6},
        ], "left_out": 0, "as_of": null});
        assert_eq!(sources, expected);
    }
}
