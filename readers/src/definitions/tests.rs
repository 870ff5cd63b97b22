//! What is read of definitions, and what is refused with its line.

use ping::SubmissionDate;
use sketch::Layout;

use super::{Definitions, DualLabels, Expiry, ExtraKey, Lifetime, MetricType};
use crate::values::Kind;

const METRICS: &str = "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\n";
const PINGS: &str = "$schema: moz://mozilla.org/schemas/glean/pings/2-0-0\n";

fn metrics(text: &str) -> Definitions {
    Definitions::read(&format!("{METRICS}{text}")).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// What is wrong with a file of metrics, a line each.
fn faults(text: &str) -> Vec<String> {
    let read = Definitions::read(&format!("{METRICS}{text}"));
    read.expect_err(text).iter().map(ToString::to_string).collect()
}

#[test]
fn a_metric_is_known_by_category_and_name() {
    let read = metrics(
        "$tags:\n  - Shop\nno_lint: [A]\n\
         shop.basket:\n  items:\n    type: counter\n    description: >\n      Items in the\n      basket.\n    \
         bugs: [https://example.org/1]\n    expires: never\n    lifetime: user\n    send_in_pings: [default, daily]\n    \
         metadata: {tags: [Shop]}\n    telemetry_mirror: X\n",
    );
    let metric = &read.metrics["shop.basket.items"];
    assert_eq!(metric.metric_type, MetricType::Counter);
    assert_eq!(metric.description, "Items in the basket.");
    assert_eq!(
        (metric.expires, metric.lifetime),
        (Some(Expiry::Never), Lifetime::User)
    );
    assert_eq!(metric.send_in_pings, ["metrics", "daily"]);
    assert_eq!(
        (metric.tags.join(","), metric.in_session, metric.disabled),
        ("Shop".to_owned(), true, false)
    );
    assert_eq!(read.metrics.len(), 1);
}

#[test]
fn a_custom_distributions_layout_stands_in_its_definition() {
    let read = metrics(
        "ui:\n  depth: {type: custom_distribution, range_max: 100, bucket_count: 12, histogram_type: linear, unit: levels}\n  \
         lines: {type: labeled_custom_distribution, range_min: 0, range_max: 60000, bucket_count: 50, histogram_type: exponential}\n",
    );
    assert_eq!(
        read.metrics["ui.depth"].layout,
        Some(Layout::glean_linear(1, 100, 12))
    );
    assert_eq!(read.metrics["ui.depth"].unit.as_deref(), Some("levels"));
    assert_eq!(
        read.metrics["ui.lines"].layout,
        Some(Layout::exponential(0, 60_000, 50))
    );
    let layouts = read.custom_layouts();
    let depth = layouts.get("ui.depth").expect("a custom distribution");
    assert_eq!(depth.layout(), Layout::glean_linear(1, 100, 12));
    assert_eq!((depth.has_bound(10), depth.has_bound(11)), (true, false));
    assert_eq!(layouts.get("ui.else"), None);
}

#[test]
fn a_unit_is_that_in_which_values_count() {
    let read = metrics(
        "a:\n  t: {type: timing_distribution, time_unit: millisecond}\n  m: {type: memory_distribution, memory_unit: kilobyte}\n  \
         s: {type: timespan, time_unit: hour}\n  d: {type: datetime}\n  q: {type: quantity, unit: tabs}\n  c: {type: counter}\n",
    );
    for (metric, unit) in [
        ("a.t", Some("ns")),
        ("a.m", Some("bytes")),
        ("a.s", Some("ns")),
        ("a.d", Some("days")),
        ("a.q", Some("tabs")),
        ("a.c", None),
    ] {
        assert_eq!(read.metrics[metric].unit.as_deref(), unit, "{metric}");
    }
}

#[test]
fn a_metric_has_the_names_under_which_answers_know_it() {
    let read = metrics(
        "a.b:\n  r: {type: rate, denominator_metric: a.b.c}\n  e: {type: event}\n  c: {type: counter}\n  o: {type: object}\n",
    );
    let counted = |name: &str| read.metrics[name].counted_as(name);
    assert_eq!(
        counted("a.b.r"),
        [
            ("a.b.r:numerator".to_owned(), Some(Kind::Number)),
            ("a.b.r:denominator".to_owned(), Some(Kind::Number)),
        ]
    );
    assert_eq!(
        counted("a.b.e"),
        [("events:a.b.e".to_owned(), Some(Kind::Number))]
    );
    assert_eq!(counted("a.b.o"), [("a.b.o".to_owned(), None)]);
    for name in [
        "a.b.r:numerator",
        "a.b.r:denominator",
        "events:a.b.e",
        "a.b.c",
        "a.b.o",
    ] {
        assert!(read.metric(name).is_some(), "{name}");
    }
    for name in ["a.b.r", "a.b.e", "events:a.b.c", "a.b.c:numerator", "a.b.x"] {
        assert_eq!(read.metric(name), None, "{name}");
    }
}

#[test]
fn labels_and_what_is_said_of_events_are_kept() {
    let read = metrics(
        "a:\n  l: {type: labeled_counter, labels: [open, 2, true]}\n  \
         d:\n    type: dual_labeled_counter\n    dual_labels: {key: {description: k}, category: {description: c, labels: [menu]}}\n  \
         e:\n    type: event\n    in_session: false\n    extra_keys: {kind: {description: which}, pages: {description: many, type: quantity}}\n",
    );
    assert_eq!(
        read.metrics["a.l"].labels,
        Some(vec!["open".to_owned(), "2".to_owned(), "true".to_owned()])
    );
    let dual = DualLabels {
        keys: None,
        categories: Some(vec!["menu".to_owned()]),
    };
    assert_eq!(read.metrics["a.d"].dual_labels, Some(dual));
    let event = &read.metrics["a.e"];
    assert_eq!(
        (event.in_session, event.send_in_pings.join(",")),
        (false, "events".to_owned())
    );
    let extra = |description: &str, value_type| ExtraKey {
        description: description.to_owned(),
        value_type,
    };
    assert_eq!(event.extra_keys["kind"], extra("which", "string"));
    assert_eq!(event.extra_keys["pages"], extra("many", "quantity"));
}

#[test]
fn an_expiry_is_a_word_a_version_or_a_date() {
    let expiry = |text: &str| {
        metrics(&format!("a:\n  b: {{type: counter, expires: {text}}}\n")).metrics["a.b"].expires
    };
    assert_eq!(expiry("expired"), Some(Expiry::Expired));
    assert_eq!(expiry("128"), Some(Expiry::Version(128)));
    assert_eq!(expiry("\"128\""), Some(Expiry::Version(128)));
    let day: SubmissionDate = "20270131".parse().expect("a date");
    assert_eq!(expiry("2027-01-31"), Some(Expiry::Date(day)));
    for text in ["never", "expired", "128", "2027-01-31"] {
        assert_eq!(
            expiry(text).map(|expiry| expiry.to_string()),
            Some(text.to_owned())
        );
    }
    assert_eq!(
        faults("a:\n  b:\n    type: counter\n    expires: soon\n"),
        ["line 5, column 14: `expires` is `soon`, and should be never, expired, a version or a date"]
    );
}

#[test]
fn files_of_the_first_schema_are_read_too() {
    let text = "$schema: moz://mozilla.org/schemas/glean/metrics/1-0-0\na:\n  b: {type: string, bugs: [1]}\n";
    assert_eq!(Definitions::read(text).expect("definitions").metrics.len(), 1);
}

#[test]
fn a_ping_has_reasons_and_sections() {
    let text = "daily:\n  description: each day\n  include_client_id: false\n  send_if_empty: true\n  reasons:\n    \
                night: |\n      At night.\n  uploader_capabilities: [ohttp]\n  metadata: {include_info_sections: false, \
                ping_schedule: [baseline], tags: [A]}\nother:\n  description: else\n";
    let read = Definitions::read(&format!("{PINGS}{text}")).expect("definitions");
    let daily = &read.pings["daily"];
    assert_eq!(
        (
            daily.include_client_id,
            daily.send_if_empty,
            daily.include_info_sections
        ),
        (false, true, false)
    );
    assert_eq!(daily.reasons["night"], "At night.");
    assert_eq!(
        (&daily.ping_schedule[0][..], &daily.uploader_capabilities[0][..]),
        ("baseline", "ohttp")
    );
    let other = &read.pings["other"];
    assert!(
        other.include_client_id && other.enabled && other.precise_timestamps && other.include_info_sections
    );
    assert!(read.metrics.is_empty() && other.follows_collection_enabled && !other.send_if_empty);
}

#[test]
fn a_type_that_nobody_knows_is_refused_with_the_nearest_word_and_its_place() {
    let cases = [
        (
            "a:\n  b:\n    type: conter\n",
            "line 4, column 11: unknown type `conter`: did you mean `counter`?",
        ),
        (
            "a:\n  b:\n    type: timing_distributions\n",
            "line 4, column 11: unknown type `timing_distributions`: did you mean `timing_distribution`?",
        ),
        (
            "a:\n  b:\n    type: counter\n    lifetime: usr\n",
            "line 5, column 15: unknown lifetime `usr`: did you mean `user`?",
        ),
        (
            "a:\n  b: {type: timespan, time_unit: seconds}\n",
            "line 3, column 34: unknown time_unit `seconds`: did you mean `second`?",
        ),
        (
            "a:\n  b: {type: custom_distribution, range_max: 9, bucket_count: 3, histogram_type: linaer}\n",
            "line 3, column 81: unknown histogram_type `linaer`: did you mean `linear`?",
        ),
        (
            "$tgs: []\n",
            "line 2, column 1: unknown key `$tgs`: did you mean `$tags`?",
        ),
    ];
    for (text, fault) in cases {
        assert_eq!(faults(text), [fault], "{text}");
    }
}

#[test]
fn what_contradicts_the_schema_is_refused_all_of_it_at_once() {
    let text = "a:\n  b:\n    description: no type\n  c: {type: custom_distribution, range_max: 9}\n  d: 7\n  \
                e: {type: counter, disabled: 7, send_in_pings: metrics}\n  f: {type: custom_distribution, range_min: 10, range_max: 9, \
                bucket_count: 3, histogram_type: linear}\nb: [x]\n";
    let told = faults(text);
    assert_eq!(told.len(), 8, "{told:#?}");
    assert_eq!(told[0], "line 4, column 5: `a.b` has no `type`");
    assert_eq!(
        told[3],
        "line 6, column 6: `a.d` is a number, and should be a table of keys"
    );
    assert_eq!(
        told[6],
        "line 8, column 45: `range_min` is 10, and should be 0 to 9"
    );
}

#[test]
fn a_file_is_known_by_its_schema() {
    for text in [
        "",
        "a: 1\n",
        "$schema: 7\n",
        "[]\n",
        "$schema: moz://mozilla.org/schemas/glean/tags/1-0-0\n",
    ] {
        assert!(Definitions::read(text).is_err(), "{text}");
    }
    let near = "$schema: moz://mozilla.org/schemas/glean/metrics/3-0-0\n";
    let faults = Definitions::read(near).expect_err("a schema of tomorrow");
    assert!(faults[0].to_string().contains("metrics/2-0-0"), "{}", faults[0]);
}

#[test]
fn two_files_that_define_one_metric_are_refused() {
    let mut all = metrics("a:\n  b: {type: counter}\n");
    all.add(metrics("a:\n  c: {type: counter}\n"))
        .expect("another metric");
    let twice = all
        .add(metrics("a:\n  c: {type: string}\n"))
        .expect_err("a metric twice");
    assert_eq!(
        twice.to_string(),
        "`a.c` is defined by two files: take it out of one of them"
    );
    assert_eq!(all.metrics.len(), 2);
    let joined = faults("a:\n  b.c: {type: counter}\na.b:\n  c: {type: counter}\n");
    assert_eq!(joined, ["line 5, column 3: `a.b.c` is defined twice"]);
}

#[test]
fn a_types_word_is_that_of_its_section() {
    for (word, metric_type) in MetricType::ALL {
        assert_eq!(metric_type.word(), word);
        assert_eq!(metric_type.is_labelled(), word.contains("labeled_"), "{word}");
    }
}
