//! "No data" says which of the reasons it is; a wrong question says what is wrong with it.

use http::Method;
use sketch::{Cell, Layout};

use super::store::Facts;
use super::world::{World, cell, firefox, get, request};

const NIGHTLY: &str = "/aggregates_by/build_id/channels/nightly/";

fn world() -> World {
    let one = Cell::new(1, 2, [(2, 1)]);
    let older = firefox("20140101", "20150701").with("version", "9");
    let cells = vec![
        cell(
            "GC_MS",
            firefox("20150630", "20150701"),
            "parent",
            Layout::SIMPLE,
            one.clone(),
        ),
        cell(
            "SOCKET_MS",
            firefox("20150630", "20150701"),
            "socket",
            Layout::SIMPLE,
            one.clone(),
        ),
        cell("OLD_MS", older, "parent", Layout::SIMPLE, one),
    ];
    World::of(Facts {
        cells,
        ..Facts::default()
    })
}

#[tokio::test]
async fn every_reason_has_its_word_and_a_sentence_that_helps() {
    let mut world = world();
    world.withheld = vec!["SEARCH_COUNTS".to_owned()];
    let api = world.api();
    let cases = [
        ("?version=41&dates=20150630", "missing_parameter", "metric"),
        ("?version=41&metric=GC_MS", "missing_parameter", "dates"),
        ("?metric=GC_MS&dates=20150630", "missing_parameter", "version"),
        (
            "?version=42&metric=GC_MS&dates=20150630",
            "version_unknown",
            "41, 9",
        ),
        (
            "?version=41&metric=OLD_MS&dates=20150630",
            "metric_unknown",
            "/filters/",
        ),
        (
            "?version=41&metric=GC_MS&dates=20150629",
            "dates_without_data",
            "20150630",
        ),
        (
            "?version=41&metric=GC_MS&dates=20150630&os=Darwin&architecture=x86",
            "filters_exclude",
            "architecture=x86, os=Darwin",
        ),
        (
            "?version=41&metric=GC_MS&dates=20150630&os=Darwin",
            "filters_exclude",
            "Take a filter away",
        ),
        (
            "?version=41&metric=SOCKET_MS&dates=20150630",
            "filters_exclude",
            "child=<process>",
        ),
        (
            "?version=41&metric=SEARCH_COUNTS&dates=20150630",
            "withheld",
            "settings",
        ),
    ];
    for (query, reason, named) in cases {
        let (code, found, sentence) = get(&api, &format!("{NIGHTLY}{query}")).await.refusal();
        assert_eq!((code, found.as_str()), (404, reason), "{query}: {sentence}");
        assert!(sentence.contains(named), "{query}: {sentence}");
    }
    let beta = "/aggregates_by/submission_date/channels/beta/?version=41&metric=GC_MS&dates=20150701";
    assert_eq!(get(&api, beta).await.refusal().1, "channel_unknown");
    let empty = World::of(Facts::default()).api();
    let (_, reason, sentence) = get(&empty, beta).await.refusal();
    assert_eq!(reason, "nothing_received");
    assert!(sentence.contains("/submit/"), "{sentence}");
}

#[tokio::test]
async fn an_unknown_parameter_is_405_and_allowed_is_the_address_without_it() {
    let api = world().api();
    let refused = get(
        &api,
        &format!("{NIGHTLY}?version=41&metric=GC_MS&foo=bar&dates=20150630"),
    )
    .await;
    assert_eq!(refused.refusal().0, 405);
    assert_eq!(
        refused.header("allow"),
        format!("{NIGHTLY}?version=41&metric=GC_MS&dates=20150630")
    );
    for target in [
        "/aggregates_by/build_id/channels/?a=1",
        "/aggregates_by/build_id/channels/nightly/dates/?version=41",
        "/filters/?channel=nightly&version=41&metric=GC_MS",
    ] {
        let (code, reason, _) = get(&api, target).await.refusal();
        assert_eq!((code, reason.as_str()), (405, "unknown_parameter"), "{target}");
    }
}

#[tokio::test]
async fn an_unknown_parameter_of_our_own_routes_is_400_and_names_what_may_be_meant() {
    let api = world().api();
    for (target, words) in [
        ("/api/v1/status?x", "it has none"),
        ("/api/v1/products?x=", "it has none"),
        ("/api/v1/partitions?form=1", "`from` may be meant"),
        ("/api/v1/engagement?from=20150701&to=20150701&label=", "group_by"),
        (
            "/api/v1/values?source=telemetry/main&dimension=os&chanel=nightly",
            "`channel` may be meant",
        ),
    ] {
        let (code, reason, sentence) = get(&api, target).await.refusal();
        assert_eq!((code, reason.as_str()), (400, "unknown_parameter"), "{target}");
        assert!(sentence.contains(words), "{sentence}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_there_twice_is_400_in_our_own_routes_and_the_first_in_the_originals() {
    let api = world().api();
    for target in [
        "/api/v1/engagement?from=20150701&from=20150702&to=20150703",
        "/api/v1/engagement?from=20150701&to=20150703&os=Linux&os=Linux",
        "/api/v1/partitions?by=bytes&by=",
        "/api/v1/values?source=telemetry/main&dimension=channel&%64imension=os",
    ] {
        let (code, reason, sentence) = get(&api, target).await.refusal();
        assert_eq!((code, reason.as_str()), (400, "invalid_parameter"), "{target}");
        assert!(sentence.contains("twice"), "{sentence}");
    }
    let twice = |first: &str, second: &str| {
        format!("{NIGHTLY}?version={first}&version={second}&metric=GC_MS&dates=20150630")
    };
    assert_eq!(get(&api, &twice("41", "42")).await.status, 200);
    assert_eq!(get(&api, &twice("42", "41")).await.refusal().1, "version_unknown");
    let filters = "/filters/?channel=nightly&channel=none&version=41";
    assert_eq!(get(&api, filters).await.status, 200);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_with_what_to_do() {
    let api = world().api();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let refused = request(&api, method, "/filters/", &[]).await;
        assert_eq!(refused.refusal().0, 405);
        assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    }
    for target in [
        "/nothing",
        "/page/../secret",
        "/page/none.js",
        "/aggregates_by/x/channels/",
    ] {
        let (code, reason, _) = get(&api, target).await.refusal();
        assert_eq!((code, reason.as_str()), (404, "not_found"), "{target}");
    }
    let long = format!("{NIGHTLY}?version={}", "4".repeat(20_000));
    assert_eq!(get(&api, &long).await.refusal().0, 414);
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_503_and_says_to_ask_again() {
    let mut world = world();
    world.facts.broken = true;
    world.status = None;
    let api = world.api();
    for target in [
        "/aggregates_by/build_id/channels/",
        "/api/v1/status",
        &format!("{NIGHTLY}?version=41&metric=GC_MS&dates=20150630"),
    ] {
        let refused = get(&api, target).await;
        assert_eq!(refused.refusal().0, 503, "{target}");
        assert_eq!(refused.header("retry-after"), "1");
    }
}
