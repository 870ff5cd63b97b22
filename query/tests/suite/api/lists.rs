//! Channels, dates and filters.

use serde_json::json;
use sketch::{Cell, Layout};

use super::store::Facts;
use super::world::{World, cell, firefox, get, get_json};

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
        let mut set = firefox(build, received);
        (set.channel, set.version) = (channel.to_owned(), version.to_owned());
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
async fn all_channels_are_listed_release_among_them() {
    let api = World::of(facts()).api();
    for clock in ["build_id", "submission_date"] {
        let listed = get_json(&api, &format!("/aggregates_by/{clock}/channels/")).await;
        assert_eq!(listed, json!(["nightly", "nightly-cck/a b", "release"]));
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
        entry("41", "UNKNOWN"),
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

#[tokio::test]
async fn filters_list_what_has_data_without_prefixes_and_withheld_metrics() {
    let mut facts = facts();
    let mut linux = firefox("20150630", "20150701");
    (linux.os, linux.os_version, linux.e10s) = ("Linux".to_owned(), "3.1".to_owned(), "false".to_owned());
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
    let empty = World::of(Facts::default()).api();
    for target in [
        "/aggregates_by/build_id/channels/beta/dates/",
        "/filters/?channel=beta&version=41",
    ] {
        assert_eq!(get(&empty, target).await.refusal().1, "nothing_received");
    }
}
