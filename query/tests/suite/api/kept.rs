//! What is kept of pings themselves, held against a walk over them, over the facts and over SQLite: how many are behind each value, have each
//! metric, bear something that is left out or only stored.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::{CellKey, DimensionSet, Source};
use query::Api;
use serde_json::{Value, json};
use service::current::Current;
use sketch::{Cell, Layout};

use super::pings::{GLEAN, Ping, Said, cells, pings};
use super::store::Facts;
use super::world::{World, get, get_json};

/// What the fold keeps of a ping beside its values: every fifth one bears something of a wrong type, every third a text that stays in it.
fn beside(pings: &[Ping]) -> Vec<(CellKey, Cell)> {
    let mut cells = Vec::new();
    for (number, ping) in pings.iter().enumerate() {
        let day = ping.day.parse().expect("a day");
        let set = DimensionSet::stating(Source::named(ping.source), day, &ping.stated);
        let mut put = |metric: &str, label: &str, samples: &[(i64, i128)]| {
            let key = CellKey {
                metric: metric.to_owned(),
                dimensions: set.clone(),
                process: String::new(),
                label: label.to_owned(),
                layout: Layout::CATEGORIES,
            };
            cells.push((key, Cell::new(1, 0, samples.to_vec())));
        };
        put("pings:", "", &[]);
        if number % 5 == 0 {
            put("left_out:", "", &[]);
            put("left_out:", "=a.count wrong_type", &[(0, 1)]);
        }
        if number % 10 == 0 {
            put("left_out:", "=os text_too_long", &[(0, 1)]);
        }
        if number % 3 == 1 {
            put("stored:a.text", "", &[]);
        }
    }
    cells
}

async fn both() -> (Vec<Api>, tempfile::TempDir) {
    let pings = pings();
    let facts = Facts {
        cells: [cells(&pings), beside(&pings)].concat(),
        ..Facts::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store = facts.in_sqlite(&folder.path().join("aggregates.sqlite")).await;
    let sqlite = World::of(Facts::default()).api_over(|_| Arc::new(Current::new(Arc::new(store))));
    (vec![World::of(facts).api(), sqlite], folder)
}

/// Values with their pings: the most first, of equals the first names.
fn counted(dimension: &str, holds: impl Fn(&Ping) -> bool) -> Value {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for ping in pings().iter().filter(|ping| ping.source == GLEAN && holds(ping)) {
        *found.entry(ping.value(dimension)).or_default() += 1;
    }
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by_key(|(_, pings)| Reverse(*pings));
    let found = found.into_iter();
    found
        .map(|(value, pings)| json!({"value": value, "pings": pings}))
        .collect()
}

#[tokio::test]
async fn the_values_of_a_dimension_come_with_their_pings_the_most_first() {
    let (apis, _folder) = both().await;
    for api in &apis {
        for dimension in ["country", "os", "version", "submission_date"] {
            let of = format!("/api/v1/values?source={GLEAN}&dimension={dimension}");
            let all = get_json(api, &of).await;
            assert_eq!(all["values"], counted(dimension, |_| true), "{dimension}");
            assert_eq!((&all["left_out"], all.get("live_behind")), (&json!(0), None));
            assert!(all.get("as_of").is_some(), "{all}");
            let some = get_json(api, &format!("{of}&os=Darwin&submission_date=20260102..")).await;
            let expected = counted(dimension, |ping| {
                ping.value("os") == "Darwin" && ping.day >= "20260102"
            });
            assert_eq!(some["values"], expected, "{dimension}");
            let none = get_json(api, &format!("{of}&os=none")).await;
            assert_eq!(none["values"], json!([]), "{dimension}");
        }
    }
}

/// Whether a ping says something of a metric.
fn has(ping: &Ping, metric: &str) -> bool {
    ping.said.iter().any(|said| match said {
        Said::Numbers(name, _) | Said::Samples(name, ..) | Said::Names(name, _) => *name == metric,
    })
}

#[tokio::test]
async fn metrics_come_with_their_pings_and_those_that_stay_in_pings_are_among_them() {
    let (apis, _folder) = both().await;
    let pings = pings();
    let of_source = || pings.iter().enumerate().filter(|(_, ping)| ping.source == GLEAN);
    for api in &apis {
        let answer = get_json(api, &format!("/api/v1/metrics?source={GLEAN}")).await;
        let told: BTreeMap<&str, (&Value, u64)> = answer["metrics"]
            .as_array()
            .expect("metrics")
            .iter()
            .map(|one| {
                (
                    one["metric"].as_str().expect("a name"),
                    (&one["kind"], one["pings"].as_u64().expect("many")),
                )
            })
            .collect();
        let kinds = [
            ("a.count", "number"),
            ("a.flag", "category"),
            ("a.keyed", "category"),
            ("a.labelled", "number"),
            ("a.load", "distribution"),
            ("a.tags", "category"),
            ("a.text", "stored"),
        ];
        let kinds = kinds.map(|(metric, kind)| (metric, json!(kind)));
        let expected: BTreeMap<&str, (&Value, u64)> = kinds
            .iter()
            .map(|(metric, kind)| {
                let having = of_source().filter(|(number, ping)| match *metric {
                    "a.text" => number % 3 == 1,
                    metric => has(ping, metric),
                });
                (*metric, (kind, having.count() as u64))
            })
            .collect();
        assert_eq!(told, expected);
        let many = |every: usize| of_source().filter(|(number, _)| number % every == 0).count();
        let expected = json!([
            {"subject": "a.count", "rule": "wrong_type", "pings": many(5)},
            {"subject": "os", "rule": "text_too_long", "pings": many(10)},
        ]);
        assert_eq!(answer["left_out"], expected);
        let sources = get_json(api, "/api/v1/sources").await;
        let source = sources["sources"]
            .as_array()
            .expect("sources")
            .iter()
            .find(|one| one["source"] == GLEAN);
        assert_eq!(source.expect("it is there")["metrics"], 7);
        let found = get_json(api, &format!("/api/v1/metrics?source={GLEAN}&q=text")).await;
        assert_eq!(found["metrics"][0]["metric"], "a.text");
    }
}

#[tokio::test]
async fn what_is_kept_beside_values_is_no_metric_and_one_that_stays_in_pings_says_so() {
    let (apis, _folder) = both().await;
    for api in &apis {
        for metric in ["pings:", "left_out:", "stored:a.text"] {
            let answer = get_json(api, &format!("/api/v1/aggregates?source={GLEAN}&metric={metric}")).await;
            assert_eq!(answer["data"], json!([]), "{metric}");
        }
        let of = |metric: &str| format!("/api/v1/aggregates?source={GLEAN}&metric={metric}&explain=true");
        let stored = get_json(api, &of("a.text")).await;
        let pings = pings();
        let many = pings
            .iter()
            .enumerate()
            .filter(|(number, ping)| ping.source == GLEAN && number % 3 == 1)
            .count();
        assert_eq!(stored["explain"]["reason"], "stored_not_counted");
        assert_eq!(stored["explain"]["stored"], many);
        assert_eq!(
            get_json(api, &of("a.none")).await["explain"]["reason"],
            "no_such_metric"
        );
        assert_eq!(
            get(api, "/api/v1/values?source=telemetry/main&dimension=os")
                .await
                .refusal()
                .1,
            "missing_parameter"
        );
    }
}
