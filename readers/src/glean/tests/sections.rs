//! Each section of `metrics`, and what is left out of it.

use super::super::limits;
use super::{read, section};

const NONE: [&str; 0] = [];

#[test]
fn a_counter_is_a_number() {
    let totals = section("counter", r#"{"a.b":7,"a.c":0}"#);
    assert_eq!(
        totals.lines(),
        ["a.b functional(2,8,0) 7 7:1", "a.c functional(2,8,0) 0 0:1"]
    );
    assert_eq!(totals.told(), NONE);
}

#[test]
fn a_quantity_above_2_to_the_53_is_exact() {
    let totals = section(
        "quantity",
        r#"{"a.b":9007199254740993,"a.c":9223372036854775807}"#,
    );
    let sums: Vec<i128> = totals.cells.values().map(|sums| sums.sum).collect();
    assert_eq!(sums, [9_007_199_254_740_993, i128::from(i64::MAX)]);
}

#[test]
fn a_number_that_none_can_be_is_told_and_the_rest_counts() {
    let body =
        r#"{"a.a":-1,"a.b":9223372036854775808,"a.c":1.5,"a.d":"7","a.e":null,"a.f":true,"a.g":[1],"a.h":7}"#;
    let totals = section("counter", body);
    assert_eq!(totals.lines(), ["a.h functional(2,8,0) 7 7:1"]);
    let told = [
        "wrong_type a.c 1",
        "wrong_type a.d 1",
        "wrong_type a.e 1",
        "wrong_type a.f 1",
        "wrong_type a.g 1",
        "number_negative a.a 1",
        "number_too_large a.b 1",
    ];
    assert_eq!(totals.told(), told);
}

#[test]
fn a_boolean_is_a_category() {
    let totals = section("boolean", r#"{"a.b":true,"a.c":false,"a.d":1}"#);
    assert_eq!(totals.lines(), ["a.b true:1", "a.c false:1"]);
    assert_eq!(totals.told(), ["wrong_type a.d 1"]);
}

#[test]
fn a_string_is_a_category_the_empty_one_too() {
    let totals = section("string", r#"{"a.b":"dark","a.c":"","a.d":"größe \u00e9"}"#);
    assert_eq!(totals.lines(), ["a.b dark:1", "a.c :1", "a.d größe é:1"]);
}

#[test]
fn a_string_longer_than_the_sdks_counts_as_other() {
    let (longest, long) = (
        "x".repeat(limits::STRING_BYTES_MAX),
        "x".repeat(limits::STRING_BYTES_MAX + 1),
    );
    let totals = section("string", &format!(r#"{{"a.b":"{longest}","a.c":"{long}"}}"#));
    assert_eq!(
        totals.lines(),
        [format!("a.b {longest}:1"), "a.c OTHER:1".to_owned()]
    );
    assert_eq!(totals.told(), ["text_too_long a.c 1"]);
}

#[test]
fn every_item_of_a_string_list_counts_repeats_too() {
    let totals = section("string_list", r#"{"a.b":["spell","math","spell",3],"a.c":[]}"#);
    assert_eq!(totals.lines(), ["a.b math:1 spell:2"]);
    assert_eq!(totals.told(), ["wrong_type a.b 1"]);
}

#[test]
fn items_beyond_the_hundredth_count_as_other() {
    let items: Vec<String> = (0..103).map(|item| format!("\"{item}\"")).collect();
    let totals = section("string_list", &format!(r#"{{"a.b":[{}]}}"#, items.join(",")));
    let values = &totals.categories[&("a.b".to_owned(), None)];
    assert_eq!((values.len(), values["OTHER"], values["99"]), (101, 3, 1));
    assert_eq!(totals.told(), ["too_many_values a.b 3"]);
}

#[test]
fn a_url_counts_by_its_host() {
    let body = r#"{"a.b":"https://Notes.example.org:8443/start?u=1","a.c":"about:blank"}"#;
    assert_eq!(
        section("url", body).lines(),
        ["a.b notes.example.org:1", "a.c UNKNOWN:1"]
    );
}

#[test]
fn a_timespan_counts_in_nanoseconds_whatever_its_unit() {
    let of = |unit: &str, value: &str| {
        let body = format!(r#"{{"a.b":{{"time_unit":"{unit}","value":{value}}}}}"#);
        let totals = section("timespan", &body);
        (totals.cells.values().map(|sums| sums.sum).next(), totals.told())
    };
    for (unit, nanoseconds) in [
        ("nanosecond", 1),
        ("microsecond", 1_000),
        ("millisecond", 1_000_000),
        ("second", 1_000_000_000),
        ("minute", 60_000_000_000),
        ("hour", 3_600_000_000_000),
        ("day", 86_400_000_000_000),
    ] {
        assert_eq!(of(unit, "3").0, Some(3 * nanoseconds), "{unit}");
    }
    assert_eq!(of("fortnight", "3").1, ["not_a_unit a.b 1"]);
    assert_eq!(of("second", "9223372037").1, ["number_too_large a.b 1"]);
    assert_eq!(of("second", "-3").1, ["number_negative a.b 1"]);
    assert_eq!(
        section("timespan", r#"{"a.b":{"value":3}}"#).told(),
        ["wrong_type a.b 1"]
    );
    assert_eq!(section("timespan", r#"{"a.b":3}"#).told(), ["wrong_type a.b 1"]);
}

#[test]
fn a_datetime_counts_by_its_age_in_days_of_its_own_calendar() {
    let age = |text: &str| {
        let totals = section("datetime", &format!(r#"{{"a.b":"{text}"}}"#));
        totals.cells.values().map(|sums| sums.sum).next()
    };
    assert_eq!(age("2026-10-02+00:00"), Some(57));
    assert_eq!(age("2026-11-28T00:30:59.123+02:00"), Some(0));
    assert_eq!(age("2026-11-29T01:52+5.5:00"), Some(-1));
    assert_eq!(age("2026-11-27T23-00:00"), Some(1));
    assert_eq!(
        section("datetime", r#"{"a.b":"yesterday"}"#).told(),
        ["not_a_date a.b 1"]
    );
    assert_eq!(
        section("datetime", r#"{"a.b":20261128}"#).told(),
        ["wrong_type a.b 1"]
    );
}

#[test]
fn a_negative_age_lies_in_a_mirrored_bin() {
    let totals = section("datetime", r#"{"a.b":"2026-12-31"}"#);
    assert_eq!(totals.lines(), ["a.b functional(2,8,0) -33 -33:1"]);
}

#[test]
fn a_rate_is_two_metrics() {
    let totals = section("rate", r#"{"a.b":{"denominator":10,"numerator":1}}"#);
    let lines = [
        "a.b:denominator functional(2,8,0) 10 10:1",
        "a.b:numerator functional(2,8,0) 1 1:1",
    ];
    assert_eq!(totals.lines(), lines);
    let half = section("rate", r#"{"a.b":{"numerator":1}}"#);
    assert_eq!(
        (half.lines().len(), half.told()),
        (0, vec!["wrong_type a.b 1".to_owned()])
    );
}

#[test]
fn timings_and_memory_have_one_layout_each() {
    let timing = section(
        "timing_distribution",
        r#"{"a.b":{"sum":63041000000,"values":{"961548":1,"19951584":2}}}"#,
    );
    assert_eq!(
        timing.lines(),
        ["a.b functional(2,8,0) 63041000000 961548:1 19951584:2"]
    );
    let memory = section(
        "memory_distribution",
        r#"{"a.b":{"sum":86016,"values":{"4095":1,"81386":1}}}"#,
    );
    assert_eq!(memory.lines(), ["a.b functional(2,16,0) 86016 4095:1 81386:1"]);
}

#[test]
fn a_custom_distribution_has_the_layout_of_its_definition() {
    let totals = section(
        "custom_distribution",
        r#"{"ui.depth":{"sum":384,"values":{"0":1,"10":3,"100":2}}}"#,
    );
    assert_eq!(
        totals.lines(),
        ["ui.depth glean_linear(1,100,12) 384 0:1 10:3 100:2"]
    );
}

#[test]
fn a_custom_distribution_without_a_definition_has_its_keys_alone() {
    let totals = section(
        "custom_distribution",
        r#"{"a.b":{"sum":384,"values":{"0":1,"11":3}}}"#,
    );
    assert_eq!(totals.lines(), ["a.b keys(0,0,0) 384 0:1 11:3"]);
    assert_eq!(totals.told(), NONE);
}

#[test]
fn a_key_that_is_no_edge_of_the_declared_layout_takes_its_distribution_apart() {
    let totals = section(
        "labeled_custom_distribution",
        r#"{"ui.depth":{"a":{"sum":11,"values":{"0":1,"11":1}},"b":{"sum":10,"values":{"10":1}}}}"#,
    );
    let lines = [
        "ui.depth[a] keys(0,0,0) 11 0:1 11:1",
        "ui.depth[b] glean_linear(1,100,12) 10 10:1",
    ];
    assert_eq!(totals.lines(), lines);
    assert_eq!(totals.told(), ["not_an_edge ui.depth 1"]);
    let timing = section("timing_distribution", r#"{"a.b":{"sum":15,"values":{"15":1}}}"#);
    assert_eq!(timing.lines(), ["a.b keys(0,0,0) 15 15:1"]);
}

#[test]
fn zeros_are_no_samples_and_say_nothing_of_the_layout() {
    let filled = section(
        "custom_distribution",
        r#"{"ui.depth":{"sum":10,"values":{"0":0,"10":1,"11":0}}}"#,
    );
    assert_eq!(filled.lines(), ["ui.depth glean_linear(1,100,12) 10 10:1"]);
    let empty = r#"{"ui.depth":{"sum":0,"values":{}},"ui.lines":{"sum":0,"values":{"0":0}}}"#;
    let empty = section("custom_distribution", empty);
    assert_eq!((empty.lines().len(), empty.told().len()), (0, 0));
}

#[test]
fn a_faulty_bin_is_left_out_alone() {
    let body = r#"{"a.b":{"sum":9,"values":{"x":1,"01":1,"1":"2","2":-1,"3":1.5,"4":1099511627777,"5":1099511627776,"9":1}}}"#;
    let totals = section("timing_distribution", body);
    assert_eq!(totals.lines(), ["a.b functional(2,8,0) 9 5:1099511627776 9:1"]);
    let told = [
        "bin_not_a_number a.b 2",
        "bin_samples_not_a_number a.b 3",
        "bin_too_large a.b 1",
    ];
    assert_eq!(totals.told(), told);
}

#[test]
fn a_distribution_without_sum_or_values_is_left_out() {
    for (value, told) in [
        (r#"{"values":{"1":1}}"#, "wrong_type a.b 1"),
        (r#"{"sum":1}"#, "wrong_type a.b 1"),
        (r#"{"sum":1,"values":[1]}"#, "wrong_type a.b 1"),
        (r#"{"sum":-1,"values":{"1":1}}"#, "number_negative a.b 1"),
        (
            r#"{"sum":18446744073709551615,"values":{"1":1}}"#,
            "number_too_large a.b 1",
        ),
        ("7", "wrong_type a.b 1"),
    ] {
        let totals = section("memory_distribution", &format!(r#"{{"a.b":{value}}}"#));
        assert_eq!(
            (totals.lines().len(), totals.told()),
            (0, vec![told.to_owned()]),
            "{value}"
        );
    }
}

#[test]
fn more_bins_than_a_layout_has_leave_a_distribution_out() {
    let bins: Vec<String> = (0..=limits::BINS_PER_DISTRIBUTION_MAX)
        .map(|bin| format!("\"{bin}\":1"))
        .collect();
    let of = |bins: &[String]| {
        section(
            "custom_distribution",
            &format!(r#"{{"a.b":{{"sum":1,"values":{{{}}}}}}}"#, bins.join(",")),
        )
    };
    assert_eq!(of(&bins[1..]).lines().len(), 1);
    assert_eq!(of(&bins).told(), ["too_many_bins a.b 1"]);
}

#[test]
fn a_label_is_the_key_of_a_labelled_metric() {
    let lines = [
        ("labeled_boolean", r#"{"a.b":{"wrap":true}}"#, "a.b[wrap] true:1"),
        (
            "labeled_counter",
            r#"{"a.b":{"__other__":2}}"#,
            "a.b[__other__] functional(2,8,0) 2 2:1",
        ),
        (
            "labeled_quantity",
            r#"{"a.b":{"größe":2}}"#,
            "a.b[größe] functional(2,8,0) 2 2:1",
        ),
        (
            "labeled_string",
            r#"{"a.b":{"body":"Inter"}}"#,
            "a.b[body] Inter:1",
        ),
        (
            "labeled_timing_distribution",
            r#"{"a.b":{"list":{"sum":939,"values":{"939":1}}}}"#,
            "a.b[list] functional(2,8,0) 939 939:1",
        ),
        (
            "labeled_memory_distribution",
            r#"{"a.b":{"png":{"sum":4095,"values":{"4095":1}}}}"#,
            "a.b[png] functional(2,16,0) 4095 4095:1",
        ),
    ];
    for (name, metrics, line) in lines {
        assert_eq!(section(name, metrics).lines(), [line]);
    }
    let wrong = section("labeled_counter", r#"{"a.b":7,"a.c":{"x":"7","y":1}}"#);
    assert_eq!(wrong.lines(), ["a.c[y] functional(2,8,0) 1 1:1"]);
    assert_eq!(wrong.told(), ["wrong_type a.b 1", "wrong_type a.c 1"]);
}

#[test]
fn a_dual_label_is_key_and_category_either_encoded() {
    let body = r#"{"ui.keys":{"ctrl+k":{"menu":1,"a/b%":2},"a/b":{"__other__":4},"f1":7}}"#;
    let totals = section("dual_labeled_counter", body);
    let lines = [
        "ui.keys[a%2Fb/__other__] functional(2,8,0) 4 4:1",
        "ui.keys[ctrl+k/a%2Fb%25] functional(2,8,0) 2 2:1",
        "ui.keys[ctrl+k/menu] functional(2,8,0) 1 1:1",
    ];
    assert_eq!(totals.lines(), lines);
    assert_eq!(totals.told(), ["wrong_type ui.keys 1"]);
}

#[test]
fn labels_that_are_too_long_or_too_many_add_up_as_other() {
    let (longest, long) = ("ö".repeat(111), "ö".repeat(112));
    let body = format!(r#"{{"a.b":{{"{longest}":1,"{long}":2,"{long}x":3,"OTHER":4}}}}"#);
    let totals = section("labeled_counter", &body);
    let other = "a.b[OTHER] functional(2,8,0) 9 2:1 3:1 4:1".to_owned();
    assert_eq!(
        totals.lines(),
        [other, format!("a.b[{longest}] functional(2,8,0) 1 1:1")]
    );
    assert_eq!(totals.told(), ["label_too_long a.b 2"]);
    let many: Vec<String> = (0..limits::LABELS_PER_METRIC_MAX + 3)
        .map(|label| format!("\"{label:05}\":1"))
        .collect();
    let totals = section("labeled_counter", &format!(r#"{{"a.b":{{{}}}}}"#, many.join(",")));
    assert_eq!(totals.lines().len(), limits::LABELS_PER_METRIC_MAX + 1);
    assert_eq!(totals.told(), ["too_many_labels a.b 3"]);
}

#[test]
fn what_is_no_number_and_no_name_is_stored_only() {
    for name in [
        "object",
        "text",
        "uuid",
        "jwe",
        "labeled_rate",
        "a_type_of_tomorrow",
    ] {
        let totals = section(name, r#"{"a.b":{"x":[1]},"a.c":"y"}"#);
        let stored: Vec<&str> = totals.stored.keys().map(String::as_str).collect();
        assert_eq!((stored, totals.lines().len()), (vec!["a.b", "a.c"], 0), "{name}");
    }
}

#[test]
fn sections_that_are_no_objects_are_told() {
    assert_eq!(section("counter", "[1]").told(), ["wrong_type body 1"]);
    assert_eq!(read(r#"{"metrics":7}"#).told(), ["wrong_type body 1"]);
    assert_eq!(read(r#"{"metrics":null,"events":null}"#).told(), NONE);
}

#[test]
fn a_name_longer_than_is_taken_is_left_out() {
    let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
    let totals = section("counter", &format!(r#"{{"{long}":1,"a.b":1}}"#));
    assert_eq!(totals.lines().len(), 1);
    assert_eq!(totals.told(), ["name_too_long body 1"]);
}

#[test]
fn one_metric_in_two_sections_counts_one_ping() {
    let body = r#"{"metrics":{"quantity":{"a.b":3},"counter":{"a.b":7},"string":{"a.b":"x"},"string_list":{"a.b":["x","y"]}}}"#;
    let totals = read(body);
    assert_eq!(
        totals.lines(),
        ["a.b functional(2,8,0) 10 3:1 7:1", "a.b x:2 y:1"]
    );
    let body = r#"{"metrics":{"quantity":{"a.b":9223372036854775807},"counter":{"a.b":7}}}"#;
    assert_eq!(read(body).told(), ["number_too_large a.b 1"]);
}

#[test]
fn values_beyond_those_of_any_known_ping_are_left_out() {
    let many: Vec<String> = (0..limits::VALUES_PER_PING_MAX + 2)
        .map(|metric| format!("\"{metric:06}\":1"))
        .collect();
    let totals = section("counter", &format!("{{{}}}", many.join(",")));
    assert_eq!(totals.lines().len(), limits::VALUES_PER_PING_MAX);
    assert_eq!(
        totals.told(),
        ["too_many_metrics 050000 1", "too_many_metrics 050001 1"]
    );
}
