//! How often events happened, and which of them were thinned.

use super::super::limits;
use super::read;

fn event(name: &str, rest: &str) -> String {
    format!(r#"{{"category":"ui.event","name":"{name}","timestamp":0{rest}}}"#)
}

fn events(events: &[String]) -> super::Totals {
    read(&format!(r#"{{"events":[{}]}}"#, events.join(",")))
}

fn session(rate: &str) -> String {
    format!(r#","session":{{"session_id":"x","session_seq":1,"session_sample_rate":{rate}}}"#)
}

#[test]
fn an_event_counts_by_how_often_it_happened_in_the_ping() {
    let totals = events(&[
        event("saved", ""),
        event("closed", ""),
        event("saved", r#","extra":{"a":"b"}"#),
    ]);
    let lines = [
        "events:ui.event.closed functional(2,8,0) 1 1:1",
        "events:ui.event.saved functional(2,8,0) 2 2:1",
    ];
    assert_eq!(totals.lines(), lines);
    assert!(totals.sampled.is_empty());
    assert_eq!(events(&[]).lines().len(), 0);
}

#[test]
fn the_rates_of_sampled_sessions_are_told_and_counts_stay_as_sent() {
    let totals = events(&[
        event("saved", &session("0.25")),
        event("saved", &session("0.25")),
        event("closed", &session("1.0")),
        event("closed", &session("0.5")),
        event("opened", &session("1")),
        event("opened", ""),
        event("ended", ""),
    ]);
    let told: Vec<(&str, f64, f64)> = totals
        .sampled
        .iter()
        .map(|(metric, (lowest, highest))| (&metric[..], f64::from_bits(*lowest), f64::from_bits(*highest)))
        .collect();
    let expected = [
        ("events:ui.event.closed", 0.5, 1.0),
        ("events:ui.event.opened", 1.0, 1.0),
        ("events:ui.event.saved", 0.25, 0.25),
    ];
    assert_eq!(told, expected);
    assert_eq!(totals.lines()[3], "events:ui.event.saved functional(2,8,0) 2 2:1");
}

#[test]
fn what_is_no_rate_is_told_and_the_event_counts() {
    for rate in ["0", "0.0", "1.5", "-1", "2", "\"1\"", "1e-400"] {
        let totals = events(&[event("saved", &session(rate))]);
        assert_eq!((totals.lines().len(), totals.sampled.len()), (1, 0), "{rate}");
        assert_eq!(totals.told(), ["wrong_type events:ui.event.saved 1"], "{rate}");
    }
    assert_eq!(events(&[event("saved", r#","session":null"#)]).told(), [""; 0]);
    assert_eq!(events(&[event("saved", r#","session":7"#)]).told().len(), 1);
}

#[test]
fn an_event_without_category_or_name_is_told_and_the_rest_counts() {
    let odd = [
        r#"{"name":"x"}"#,
        r#"{"category":"x"}"#,
        r#"{"category":"x","name":7}"#,
        "7",
        "null",
        "[]",
    ];
    let odd = odd.map(str::to_owned);
    let totals = events(&[&odd[..], &[event("saved", "")]].concat());
    assert_eq!(totals.lines().len(), 1);
    assert_eq!(totals.told(), ["wrong_type body 6"]);
    assert_eq!(read(r#"{"events":{"a":1}}"#).told(), ["wrong_type body 1"]);
}

#[test]
fn an_events_name_has_a_limit() {
    let fits = "x".repeat(limits::NAME_BYTES_MAX - "ui.event.".len());
    assert_eq!(events(&[event(&fits, "")]).lines().len(), 1);
    assert_eq!(
        events(&[event(&format!("{fits}x"), "")]).told(),
        ["name_too_long body 1"]
    );
}

#[test]
fn a_metric_that_is_named_like_an_events_count_counts_with_it() {
    let saved = event("saved", "");
    let body = format!(r#"{{"metrics":{{"counter":{{"events:ui.event.saved":5}}}},"events":[{saved}]}}"#);
    assert_eq!(
        read(&body).lines(),
        ["events:ui.event.saved functional(2,8,0) 6 1:1 5:1"]
    );
}
