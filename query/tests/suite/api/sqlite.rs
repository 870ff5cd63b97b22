//! Over SQLite every answer is, byte for byte, the one over the store in memory.

use std::sync::Arc;

use aggregate_store::{CellKey, DimensionSet, Source};
use service::current::Current;
use sketch::{Cell, Layout, UserSketch, coupon_of};

use super::store::Facts;
use super::world::{World, firefox, get};

const METRICS: [&str; 5] = [
    "GC_MS",
    "[[COUNT]]_TIMES",
    "USE_COUNTER2_X_PAGE",
    "[[COUNT]]_TOP_LEVEL_CONTENT_DOCUMENTS_DESTROYED",
    "SCALARS_A.B",
];

/// A value that follows from a number, spread over its choices.
fn pick<'a>(choices: &[&'a str], number: usize, prime: usize) -> &'a str {
    choices[number * prime / 7 % choices.len()]
}

fn cells() -> Vec<(CellKey, Cell)> {
    let one = |n: usize| {
        let set = firefox(
            pick(&["20150629", "20150630", "UNKNOWN"], n, 11),
            pick(&["20150701", "20150702"], n, 13),
        )
        .with("channel", pick(&["nightly", "beta"], n, 17))
        .with("version", pick(&["41", "9", "100"], n, 19))
        .with("application", pick(&["Firefox", "Fennec"], n, 23))
        .with("os", pick(&["Linux", "Darwin", "Windows_NT"], n, 29))
        .with("e10s", pick(&["true", "false", "UNKNOWN"], n, 31));
        let value = i64::try_from(n % 20).expect("small");
        let key = CellKey {
            metric: METRICS[n % METRICS.len()].to_owned(),
            dimensions: set,
            process: pick(&["parent", "content", "gpu", "socket"], n, 37).to_owned(),
            label: pick(&["", "", "", "a b"], n, 41).to_owned(),
            layout: [Layout::SIMPLE, Layout::COUNT][n / 5 % 2],
        };
        (key, Cell::new(1, i128::from(value), [(value, 1)]))
    };
    (0..2_000).map(one).collect()
}

fn users() -> Vec<(DimensionSet, UserSketch)> {
    let one = |n: usize| {
        let first: ping::SubmissionDate = "20150601".parse().expect("a date");
        let mut sketch = UserSketch::new();
        sketch.extend((n..n + 50).filter_map(|client| coupon_of(&format!("client-{client}"))));
        let day = first.plus_days(i64::try_from(n % 40).expect("small"));
        let key = DimensionSet::stating(
            Source::telemetry_main(),
            day,
            &[
                ("application", pick(&["Firefox", "Fennec"], n, 23)),
                ("channel", pick(&["nightly", "beta"], n, 17)),
                ("version", pick(&["41", "9"], n, 19)),
                ("os", pick(&["Linux", "Darwin"], n, 29)),
            ],
        );
        (key, sketch)
    };
    (0..200).map(one).collect()
}

/// Questions of every route, with and without data.
fn targets() -> Vec<String> {
    let mut targets = vec!["/aggregates_by/build_id/channels/".to_owned()];
    for (clock, dates) in [
        ("build_id", "20150629,20150630,UNKNOWN"),
        ("submission_date", "20150702,20150701,20160101,x"),
    ] {
        for channel in ["nightly", "beta", "release"] {
            let path = format!("/aggregates_by/{clock}/channels/{channel}/");
            targets.push(format!("{path}dates/"));
            for version in ["41", "9", "100", "7"] {
                targets.push(format!("/filters/?channel={channel}&version={version}"));
                for metric in ["GC_MS", "TIMES", "USE_COUNTER2_X_PAGE", "SCALARS_A.B", "NONE"] {
                    for filter in [
                        "",
                        "&child=socket",
                        "&child=true&os=Linux",
                        "&os=Darwin&e10sEnabled=false",
                        "&application=Fennec&label=a+b",
                        "&label=",
                        "&architecture=arm",
                        "&osVersion=6.1&child=none",
                    ] {
                        targets.push(format!(
                            "{path}?version={version}&dates={dates}&metric={metric}{filter}"
                        ));
                    }
                }
            }
        }
    }
    for filter in [
        "",
        "&os=Linux",
        "&group_by=version&application=Fennec",
        "&group_by=os&channel=beta",
        "&version=9",
    ] {
        targets.push(format!("/api/v1/engagement?from=20150615&to=20150715{filter}"));
    }
    targets
}

#[tokio::test]
async fn every_answer_is_the_same_as_in_memory() {
    let facts = Facts {
        cells: cells(),
        users: users(),
        ..Facts::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let store = facts.in_sqlite(&folder.path().join("aggregates.sqlite")).await;
    let sqlite = World::of(Facts::default()).api_over(|_| Arc::new(Current::new(Arc::new(store))));
    let memory = World::of(facts).api();
    let (mut found, mut absent) = (0, 0);
    for target in targets() {
        let (expected, answer) = (get(&memory, &target).await, get(&sqlite, &target).await);
        assert_eq!(answer.status, expected.status, "{target}");
        assert_eq!(answer.json(), expected.json(), "{target}");
        assert_eq!(
            answer.header("x-highwater-other-layouts"),
            expected.header("x-highwater-other-layouts"),
            "{target}"
        );
        if answer.status == 200 {
            found += 1;
        } else {
            absent += 1;
        }
    }
    assert!(found > 200 && absent > 200, "{found} found, {absent} absent");
}
