//! Glean's files beside Mozilla's: how they are told apart, what is refused, and what arrives held against what is defined.

use std::collections::BTreeSet;

use aggregate_store::{Filter, Source, Wanted};
use ping::SubmissionDate;
use query::definitions::{Definitions, SeenSource};

const METRICS: &str = "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\n";
const PINGS: &str = "$schema: moz://mozilla.org/schemas/glean/pings/2-0-0\n";

fn loaded(files: &[(&str, String)]) -> Definitions {
    let mut definitions = Definitions::default();
    for (name, text) in files {
        definitions
            .load(name, text)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    definitions
}

fn refused(name: &str, text: &str) -> String {
    let read = Definitions::default().load(name, text);
    read.expect_err(text).to_string()
}

fn day(text: &str) -> SubmissionDate {
    text.parse().expect("a day")
}

fn seen(source: &str, metrics: &[&str]) -> SeenSource {
    SeenSource {
        source: Source::named(source),
        metrics: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
        is_whole: true,
    }
}

#[test]
fn files_of_both_kinds_are_known_by_their_content_whatever_they_are_called() {
    let definitions = loaded(&[
        (
            "a",
            format!("{METRICS}ui:\n  load: {{type: timing_distribution}}\n"),
        ),
        ("b", format!("{PINGS}usage:\n  description: one use\n")),
        (
            "metrics.yaml",
            "ui:\n  shown: {kind: uint, description: A scalar.}\n".to_owned(),
        ),
        ("c.json", "{\"GC_MS\": {\"kind\": \"flag\"}}".to_owned()),
    ]);
    let names: BTreeSet<_> = definitions.glean().metrics.keys().cloned().collect();
    assert_eq!(names, ["ui.load".to_owned()].into());
    assert!(definitions.glean().pings.contains_key("usage"));
    assert_eq!(
        definitions.get("SCALARS_UI.SHOWN").expect("a scalar").description,
        "A scalar."
    );
    assert!(definitions.get("GC_MS").is_some());
}

#[test]
fn all_that_is_wrong_with_a_file_of_gleans_is_told_with_its_place_and_the_nearest_word() {
    let told = refused(
        "app.yaml",
        &format!("{METRICS}a:\n  b: {{type: conter}}\n  c: {{type: string, lifetime: usr}}\n"),
    );
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        [
            "app.yaml: line 3, column 13: unknown type `conter`: did you mean `counter`?",
            "app.yaml: line 4, column 31: unknown lifetime `usr`: did you mean `user`?",
        ]
    );
    // Without a schema the name tells what was meant.
    let told = refused("app/metrics.yaml", "a:\n  b: {type: counter}\n");
    assert!(
        told.starts_with("app/metrics.yaml: line 1, column 1: ") && told.contains("`$schema`"),
        "{told}"
    );
    let told = refused("app/other.yaml", "a:\n  b: {type: counter}\n");
    assert!(
        told.contains("looks like none of") && told.contains("`$schema`"),
        "{told}"
    );
    let told = refused(
        "x",
        "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\na: b: c\n",
    );
    assert!(told.starts_with("x: line 2, column"), "{told}");
}

#[test]
fn two_files_that_define_one_metric_are_refused_by_the_name_of_the_second() {
    let text = format!("{METRICS}a:\n  b: {{type: counter}}\n");
    let mut definitions = loaded(&[("one.yaml", text.clone())]);
    let told = definitions
        .load("two.yaml", &text)
        .expect_err("twice")
        .to_string();
    assert_eq!(
        told,
        "two.yaml: `a.b` is defined by two files: take it out of one of them"
    );
}

#[test]
fn pings_without_info_sections_are_listed_and_bounded() {
    let bare = "metadata: {include_info_sections: false}";
    let definitions = loaded(&[(
        "pings.yaml",
        format!("{PINGS}slim: {{{bare}}}\nfull: {{}}\noff: {{enabled: false, {bare}}}\n"),
    )]);
    assert_eq!(definitions.bare_pings().expect("few"), ["slim".to_owned()].into());
    let many: String = (0..101)
        .map(|number| format!("p{number}: {{{bare}}}\n"))
        .collect();
    let many = loaded(&[("pings.yaml", format!("{PINGS}{many}"))]);
    let told = many.bare_pings().expect_err("too many").to_string();
    assert!(
        told.starts_with("101 pings have `include_info_sections: false`"),
        "{told}"
    );
}

fn defined() -> Definitions {
    loaded(&[(
        "metrics.yaml",
        format!(
            "{METRICS}ui:\n  load: {{type: timing_distribution, send_in_pings: [usage]}}\n  \
             share: {{type: rate, send_in_pings: [usage]}}\n  saved: {{type: event, send_in_pings: [usage]}}\n  \
             note: {{type: text, send_in_pings: [usage]}}\n  off: {{type: counter, disabled: true}}\n  \
             everywhere: {{type: counter, send_in_pings: [all-pings]}}\n  \
             old: {{type: counter, send_in_pings: [usage], expires: 2026-10-01}}\n  \
             later: {{type: counter, send_in_pings: [usage], expires: 2027-10-01}}\n  \
             until: {{type: counter, send_in_pings: [usage], expires: 128}}\n  \
             gone: {{type: counter, send_in_pings: [usage], expires: expired}}\n"
        ),
    )])
}

#[test]
fn what_is_not_defined_for_a_ping_is_undeclared_but_for_the_sdks_own() {
    let review = defined().review(
        &[
            seen(
                "acme/usage",
                &[
                    "ui.load",
                    "ui.everywhere",
                    "ui.new",
                    "glean.sessions_seen",
                    "events:glean.restarted",
                    "events:ui.saved",
                ],
            ),
            // Defined, but for other pings.
            seen("acme/metrics", &["ui.load", "ui.everywhere"]),
            // Of another application, and none of Glean's.
            seen("else/usage", &["x.y"]),
        ],
        day("20261130"),
    );
    assert_eq!(review.undeclared, ["acme/usage ui.new", "acme/metrics ui.load"]);
}

#[test]
fn what_is_defined_counts_and_is_recorded_must_arrive_under_one_of_its_names() {
    let definitions = defined();
    let today = day("20261130");
    let first = [
        seen("acme/usage", &["ui.load"]),
        seen("acme/events", &["events:ui.saved"]),
    ];
    let review = definitions.review(&first, today);
    // A text is stored only, and what is off or expired is not recorded.
    assert_eq!(
        review.never_seen,
        ["ui.everywhere", "ui.later", "ui.share", "ui.until"]
    );
    let second = [seen(
        "acme/usage",
        &[
            "ui.everywhere",
            "ui.later",
            "ui.load",
            "ui.share:denominator",
            "ui.until",
        ],
    )];
    assert_eq!(definitions.review(&second, today).never_seen, ["ui.saved"]);
    let some = [SeenSource {
        is_whole: false,
        ..second[0].clone()
    }];
    assert!(
        definitions.review(&some, today).never_seen.is_empty(),
        "nobody knows what else arrived"
    );
    assert!(
        definitions
            .review(&[seen("else/usage", &["x.y"])], today)
            .never_seen
            .is_empty()
    );
}

#[test]
fn what_is_expired_is_told_where_it_arrives_after_its_day_or_in_its_version() {
    let definitions = defined();
    let all = [seen("acme/usage", &["ui.gone", "ui.later", "ui.old", "ui.until"])];
    let ask = |today: &str| {
        let review = definitions.review(&all, day(today));
        let asked = review.expired.iter().map(|lapsed| {
            let (query, _) = lapsed.question();
            let [
                Filter {
                    wanted: Wanted::Between { from, to: None },
                    ..
                },
            ] = &query.filters[..]
            else {
                panic!("{:?}", query.filters);
            };
            (lapsed.name(), from.clone().expect("a first day"))
        });
        asked.collect::<Vec<_>>()
    };
    let of = |metric: &str, from: &str| (format!("acme/usage {metric}"), from.to_owned());
    // A week back, but for one that expired within it.
    assert_eq!(
        ask("20261003"),
        [
            of("ui.gone", "20260926"),
            of("ui.old", "20261001"),
            of("ui.until", "20260926")
        ]
    );
    assert_eq!(
        ask("20260930"),
        [of("ui.gone", "20260923"), of("ui.until", "20260923")]
    );
    let review = definitions.review(&all, day("20261130"));
    let arrives = |metric: &str, versions: &[&str]| {
        let name = format!("acme/usage {metric}");
        let lapsed = review
            .expired
            .iter()
            .find(|lapsed| lapsed.name() == name)
            .expect("it is asked");
        let versions: Vec<String> = versions.iter().map(|version| (*version).to_owned()).collect();
        lapsed.still_arrives(&versions)
    };
    assert!(arrives("ui.old", &["UNKNOWN"]) && arrives("ui.gone", &["7"]));
    assert!(!arrives("ui.old", &[]) && !arrives("ui.gone", &[]));
    assert!(arrives("ui.until", &["127", "128"]) && arrives("ui.until", &["1000"]));
    assert!(!arrives("ui.until", &["127", "UNKNOWN", "OTHER"]));
}

#[test]
fn so_many_expired_metrics_are_asked_for_and_the_others_are_counted() {
    let metrics: String = (0..130)
        .map(|number| format!("  m{number}: {{type: counter, expires: expired}}\n"))
        .collect();
    let definitions = loaded(&[("metrics.yaml", format!("{METRICS}a:\n{metrics}"))]);
    let names: Vec<String> = (0..130).map(|number| format!("a.m{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let review = definitions.review(&[seen("acme/metrics", &names)], day("20261130"));
    assert_eq!((review.expired.len(), review.expired_left_out), (100, 30));
}
