//! Channels, dates and filters.

use std::sync::Arc;

use serde_json::json;
use service::current::Current;
use sketch::{Cell, Layout};

use super::store::Facts;
use super::world::{NIGHTLY, World, cell, firefox, get, get_json};

fn facts() -> Facts {
    let mut facts = Facts::default();
    let places = [
        ("nightly", "41", "20150630", "20150701"),
        ("nightly", "41", "20150629", "20150701"),
        ("nightly", "100", "20210101", "20210102"),
        ("nightly", "41", "UNKNOWN", "20150702"),
        ("release", "9", "20110101", "20150701"),
        ("nightly-cck/a b", "3", "20110101", "20150701"),
    ];
    for (channel, version, build, received) in places {
        let set = firefox(build, received)
            .with("channel", channel)
            .with("version", version);
        facts.cells.push(cell(
            "GC_MS",
            set,
            "parent",
            Layout::SIMPLE,
            Cell::new(1, 2, [(2, 1)]),
        ));
    }
    facts
}

#[tokio::test]
async fn channels_that_can_stand_in_a_path_are_listed_release_among_them() {
    let api = World::of(facts()).api();
    for clock in ["build_id", "submission_date"] {
        let listed = get_json(&api, &format!("/aggregates_by/{clock}/channels/")).await;
        assert_eq!(listed, json!(["nightly", "release"]));
    }
    let empty = World::of(Facts::default()).api();
    assert_eq!(
        get_json(&empty, "/aggregates_by/build_id/channels").await,
        json!([])
    );
}

#[tokio::test]
async fn dates_are_listed_newest_first_by_the_clock_that_is_asked_for() {
    let api = World::of(facts()).api();
    let by_build = get_json(&api, "/aggregates_by/build_id/channels/nightly/dates/").await;
    let entry = |version: &str, date: &str| json!({"version": version, "date": date});
    let expected = [
        entry("100", "20210101"),
        entry("41", "20150630"),
        entry("41", "20150629"),
    ];
    assert_eq!(by_build, json!(expected));
    let by_submission = get_json(&api, "/aggregates_by/submission_date/channels/nightly/dates").await;
    let expected = [
        entry("100", "20210102"),
        entry("41", "20150702"),
        entry("41", "20150701"),
    ];
    assert_eq!(by_submission, json!(expected));
    let odd = get_json(
        &api,
        "/aggregates_by/build_id/channels/nightly-cck%2Fa%20b/dates/",
    )
    .await;
    assert_eq!(odd, json!([entry("3", "20110101")]));
}

/// What an unmodified telemetry.js does with the lists: it puts channels into paths as they are, joins them with versions by
/// a slash, and takes dates apart.
#[tokio::test]
async fn clients_that_put_names_into_paths_as_they_are_can_use_whatever_is_listed() {
    let mut facts = facts();
    for (channel, version, build) in [
        ("beta?x", "41", "20150630"),
        ("beta#x", "41", "20150630"),
        ("a%2Fb", "41", "20150630"),
        ("..", "41", "20150630"),
        ("aurora", "4/1", "20150630"),
        ("aurora", "41", "99999999"),
        ("aurora", "41", "not date"),
        ("aurora", "42", "20150630"),
        ("aurora", "hasOwnProperty", "20150630"),
        ("aurora", "__proto__", "20150630"),
        ("constructor", "41", "20150630"),
    ] {
        let set = firefox(build, "20150701")
            .with("channel", channel)
            .with("version", version);
        facts.cells.push(cell(
            "GC_MS",
            set,
            "parent",
            Layout::SIMPLE,
            Cell::new(1, 2, [(2, 1)]),
        ));
    }
    let api = World::of(facts).api();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let channels = get_json(&api, "/aggregates_by/build_id/channels/").await;
    let channels: Vec<String> = channels.as_array().expect("a list").iter().map(text).collect();
    assert_eq!(channels, ["aurora", "nightly", "release"]);
    for channel in channels {
        for clock in ["build_id", "submission_date"] {
            let listed = get_json(&api, &format!("/aggregates_by/{clock}/channels/{channel}/dates/")).await;
            for entry in listed.as_array().expect("a list") {
                let joined = format!("{channel}/{}", text(&entry["version"]));
                assert_eq!(joined.split('/').count(), 2, "{joined}");
                assert!(joined.ends_with(char::is_numeric), "{joined}");
                text(&entry["date"])
                    .parse::<ping::SubmissionDate>()
                    .expect("a day");
            }
        }
    }
    let values = async |rest: &str| {
        let listed = get_json(
            &api,
            &format!("/api/v1/values?source=telemetry/main&dimension={rest}"),
        )
        .await;
        let values = listed["values"].as_array().expect("a list").iter();
        values.map(|one| text(&one["value"])).collect::<Vec<_>>()
    };
    assert_eq!(
        values("channel").await,
        [
            "..",
            "a%2Fb",
            "aurora",
            "beta#x",
            "beta?x",
            "constructor",
            "nightly",
            "nightly-cck/a b",
            "release"
        ]
    );
    assert_eq!(
        values("version&channel=aurora").await,
        ["4/1", "41", "42", "__proto__", "hasOwnProperty"]
    );
    assert_eq!(
        values("build_date&channel=nightly&version=41").await,
        ["20150629", "20150630", "UNKNOWN"]
    );
    assert_eq!(values("submission_date&channel=beta%3Fx").await, ["20150701"]);
    assert_eq!(values("metric&channel=a%252Fb&version=41").await, ["GC_MS"]);
    for (rest, code, reason) in [
        ("colour", 400, "invalid_parameter"),
        ("os&channel=nightly", 404, "missing_parameter"),
        ("os&channel=none&version=41", 404, "channel_unknown"),
        ("build_date&channel=nightly&version=7", 404, "version_unknown"),
    ] {
        let target = format!("/api/v1/values?source=telemetry/main&dimension={rest}");
        let (found, word, _) = get(&api, &target).await.refusal();
        assert_eq!((found, word.as_str()), (code, reason), "{target}");
    }
    let other = "/api/v1/values?source=other/main&dimension=channel";
    assert_eq!(get(&api, other).await.refusal().1, "source_unknown");
}

/// telemetry.js keeps metrics in an object, and asks it whether it has one.
#[tokio::test]
async fn filters_list_no_names_that_objects_of_javascript_have() {
    let mut facts = facts();
    let odd = firefox("20150630", "20150701")
        .with("application", "valueOf")
        .with("architecture", "toString");
    for metric in ["hasOwnProperty", "[[COUNT]]_constructor", "GC_MS"] {
        let sum = Cell::new(1, 2, [(2, 1)]);
        let named = cell(metric, odd.clone(), "__proto__", Layout::SIMPLE, sum);
        facts.cells.push(named);
    }
    let api = World::of(facts).api();
    let filters = get_json(&api, "/filters/?channel=nightly&version=41").await;
    for kind in ["metric", "application", "architecture", "child", "e10sEnabled"] {
        let names = filters[kind].as_array().expect("a list");
        assert!(!names.is_empty(), "{kind}");
        for name in names.iter().filter_map(serde_json::Value::as_str) {
            let odd = [
                "hasOwnProperty",
                "constructor",
                "valueOf",
                "toString",
                "__proto__",
            ];
            assert!(!odd.contains(&name), "{kind}: {name}");
        }
    }
    let metrics = "/api/v1/values?source=telemetry/main&dimension=metric&channel=nightly&version=41";
    let metrics = get_json(&api, metrics).await.to_string();
    assert!(metrics.contains("hasOwnProperty"), "{metrics}");
}

#[tokio::test]
async fn filters_list_what_has_data_without_prefixes_and_withheld_metrics() {
    let mut facts = facts();
    let linux = firefox("20150630", "20150701")
        .with("os", "Linux")
        .with("os_version", "3.1")
        .with("e10s", "false");
    for (metric, process) in [
        ("[[COUNT]]_CRASHES", "gpu"),
        ("SEARCH_COUNTS", "socket"),
        ("[[COUNT]]_GC_MS", "content"),
    ] {
        let one = Cell::new(1, 1, [(1, 1)]);
        facts
            .cells
            .push(cell(metric, linux.clone(), process, Layout::COUNT, one));
    }
    let mut world = World::of(facts);
    world.withheld = vec!["SEARCH_*".to_owned()];
    let listed = get_json(&world.api(), "/filters/?channel=nightly&version=41").await;
    let expected = json!({
        "metric": ["CRASHES", "GC_MS"], "application": ["Firefox"], "architecture": ["x86-64"],
        "os": ["Linux,3.1", "Windows_NT,6.1"], "child": ["content", "gpu", "parent", "socket"],
        "e10sEnabled": ["false", "true"],
    });
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn a_version_of_linux_is_as_stored_in_our_routes_and_its_beginning_in_the_originals() {
    let mut facts = Facts::default();
    for (os, version, value) in [
        ("Linux", "5.1", 1),
        ("Linux", "5.15", 2),
        ("Linux", "5.15.0-91-generic", 4),
        ("Linux", "5.4", 8),
        ("Darwin", "5.15", 16),
        ("Darwin", "5.1", 32),
    ] {
        let set = firefox("20150630", "20150701")
            .with("os", os)
            .with("os_version", version);
        let one = Cell::new(1, value, [(0, 1)]);
        facts
            .cells
            .push(cell("GC_MS", set, "parent", Layout::SIMPLE, one));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = facts.in_sqlite(&folder.path().join("aggregates.sqlite")).await;
    let memory = World::of(facts).api();
    let sqlite = World::of(Facts::default()).api_over(|_| Arc::new(Current::new(Arc::new(store))));
    for api in [memory, sqlite] {
        let filters = get_json(&api, "/filters/?channel=nightly&version=41").await;
        assert_eq!(
            filters["os"],
            json!(["Darwin,5.1", "Darwin,5.15", "Linux,5.1", "Linux,5.4"])
        );
        let values = "/api/v1/values?source=telemetry/main&channel=nightly&version=41&dimension=os_version";
        let values = get_json(&api, values).await;
        let whole = ["5.1", "5.15", "5.15.0-91-generic", "5.4"].map(|value| json!({"value": value}));
        assert_eq!(values["values"], json!(whole));
        for (filter, sum) in [
            ("os=Linux&osVersion=5.1", 7),
            ("os=Linux&osVersion=5.4", 8),
            ("os=Darwin&osVersion=5.1", 32),
            ("osVersion=5.1", 39),
            ("osVersion=5.15", 16),
        ] {
            let target = format!("{NIGHTLY}&metric=GC_MS&dates=20150630&{filter}");
            assert_eq!(get_json(&api, &target).await["data"][0]["sum"], sum, "{filter}");
        }
        let none = format!("{NIGHTLY}&metric=GC_MS&dates=20150630&os=Linux&osVersion=5.15");
        assert_eq!(get(&api, &none).await.refusal().1, "filters_exclude");
    }
}

#[tokio::test]
async fn lists_that_would_be_empty_say_why() {
    let api = World::of(facts()).api();
    let cases = [
        (
            "/aggregates_by/build_id/channels/beta/dates/",
            "channel_unknown",
            "nightly",
        ),
        ("/filters/?channel=beta&version=41", "channel_unknown", "nightly"),
        (
            "/filters/?channel=nightly&version=42",
            "version_unknown",
            "100, 41",
        ),
        ("/filters/?channel=nightly", "missing_parameter", "version"),
        ("/filters/?version=1", "missing_parameter", "channel"),
        ("/filters/", "missing_parameter", "channel, version"),
    ];
    for (target, reason, named) in cases {
        let (code, found, sentence) = get(&api, target).await.refusal();
        assert_eq!((code, found.as_str()), (404, reason), "{target}");
        assert!(sentence.contains(named), "{target}: {sentence}");
    }
    let mut many = Facts::default();
    for version in 1..=1_300 {
        let set = firefox("20150630", "20150701").with("version", &version.to_string());
        let sum = Cell::new(1, 2, [(2, 1)]);
        many.cells.push(cell("GC_MS", set, "parent", Layout::SIMPLE, sum));
    }
    let many = World::of(many).api();
    let (_, _, sentence) = get(&many, "/filters/?channel=nightly&version=9999")
        .await
        .refusal();
    assert!(sentence.contains("1300, 1299, 1298"), "{sentence}");
    assert!(sentence.ends_with("1290, 1289 and 1288 more."), "{sentence}");
    let empty = World::of(Facts::default()).api();
    for target in [
        "/aggregates_by/build_id/channels/beta/dates/",
        "/filters/?channel=beta&version=41",
    ] {
        assert_eq!(get(&empty, target).await.refusal().1, "nothing_received");
    }
}
