//! What answers over any source say of pings that are on their way, of a day that is not over, and of another arithmetic.

use index_schema::ProductCount;
use ping::Timestamp;
use serde_json::{Value, json};
use sketch::Layout;

use super::pings::{Ping, Said, cells};
use super::store::Facts;
use super::world::{World, get_json};

const SOURCE: &str = "demo-app/metrics";
const LAYOUT: Layout = Layout::linear(10, 30, 4);

/// A source with pings of one day.
fn world() -> World {
    let ping = Ping {
        source: SOURCE,
        day: "20260115",
        stated: vec![],
        said: vec![Said::Samples("load", LAYOUT, vec![0, 10, 11, 20])],
    };
    World::of(Facts {
        cells: cells(&[ping]),
        ..Facts::default()
    })
}

/// The same on the day after, with four pings in no number yet.
fn behind() -> World {
    let mut world = world();
    let numbers = &mut world.health.numbers;
    numbers.at = Some(Timestamp::from_micros(1_768_521_600_000_000)); // 2026-01-16, midnight
    numbers.counts.accepted = 9;
    numbers.counts.waiting = 3;
    numbers.counts.chunked = 6;
    numbers.counts.indexed = 6;
    numbers.counts.folded = 5;
    world.floors.all.aggregates = Some("20260115".parse().expect("a day"));
    world
}

async fn ask(world: World, question: &str) -> Value {
    let target = format!("/api/v1/aggregates?{question}&explain=true");
    get_json(&world.api(), &target).await
}

#[tokio::test]
async fn pings_that_are_in_no_number_yet_are_said_while_there_are_some() {
    let question = format!("source={SOURCE}&metric=load");
    // Nine were accepted, five are counted.
    assert_eq!(ask(behind(), &question).await["live_behind"], 9 - 5);
    assert_eq!(ask(world(), &question).await.get("live_behind"), None);
}

#[tokio::test]
async fn of_a_source_that_will_be_counted_stored_pings_are_not_folded_yet() {
    let stored = |doc_type: &str| ProductCount {
        namespace: "shop".to_owned(),
        doc_type: doc_type.to_owned(),
        app_name: String::new(),
        records: 7,
    };
    // By this world's settings, pings of every type `main` are counted.
    for (doc_type, reason) in [("main", "not_folded_yet"), ("visit", "stored_not_counted")] {
        let mut world = behind();
        world.products = vec![stored(doc_type)];
        let answer = ask(world, &format!("source=shop/{doc_type}&metric=m")).await;
        let explain = &answer["explain"];
        assert_eq!(
            (&explain["reason"], &explain["stored"]),
            (&json!(reason), &json!(7)),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn of_a_day_that_is_not_over_nothing_may_be_there_yet() {
    for (days, reason) in [
        ("20260116", "incomplete_day"),
        ("20260116..", "incomplete_day"),
        ("20260116..20260201", "incomplete_day"),
        ("20260117", "not_under_these_filters"),
        ("20260116,20260117", "not_under_these_filters"),
        ("..20260114", "older_than_kept"),
    ] {
        let question = format!("source={SOURCE}&metric=load&submission_date={days}");
        let answer = ask(behind(), &question).await;
        assert_eq!(answer["explain"]["reason"], reason, "{days}: {answer}");
        let detail = answer["explain"]["detail"].as_str().expect("a sentence");
        let is_said = detail.contains("4 acknowledged pings are in no number yet");
        assert_eq!(is_said, reason == "incomplete_day", "{detail}");
    }
}

#[tokio::test]
async fn what_is_before_the_first_day_is_no_longer_kept_only_where_a_floor_says_so() {
    let question = format!("source={SOURCE}&metric=load&submission_date=..20260114");
    for (floor, reason) in [
        (None, "not_under_these_filters"),
        (Some("20260110"), "not_under_these_filters"),
        (Some("20260115"), "older_than_kept"),
        (Some("20260116"), "older_than_kept"),
    ] {
        let mut world = behind();
        world.floors.all.aggregates = floor.map(|day| day.parse().expect("a day"));
        assert_eq!(
            ask(world, &question).await["explain"]["reason"],
            reason,
            "{floor:?}"
        );
    }
}

#[tokio::test]
async fn percentiles_are_those_of_telemetry_js_where_they_are_asked_for_and_it_is_said() {
    let question = format!("source={SOURCE}&metric=load&percentiles=50");
    let own = ask(world(), &question).await;
    let other = ask(world(), &format!("{question}&method=telemetryjs")).await;
    // Bins 0, 10, 20, 30 with 1, 2 and 1 samples: half of them is reached in the middle of the second.
    let percentile = |answer: &Value| answer["data"][0]["percentiles"]["50"].clone();
    assert_eq!(percentile(&other), json!({"value": 15.0, "low": 10, "high": 20}));
    assert_eq!(percentile(&own), json!({"value": 12.5, "low": 10, "high": 20}));
    assert_eq!(
        (&other["method"], own.get("method")),
        (&json!("telemetryjs"), None)
    );
}
