//! Random declarations, and bodies that they speak of.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

const TYPES: [&str; 11] = [
    "boolean",
    "counter",
    "quantity",
    "string",
    "string_list",
    "timespan",
    "datetime",
    "rate",
    "timing_distribution",
    "memory_distribution",
    "custom_distribution",
];

/// Keys of paths and bodies: few, so that they meet.
const KEYS: [&str; 12] = [
    "a",
    "b",
    "c",
    "0",
    "1",
    "x/y",
    "50%",
    "numerator",
    "denominator",
    "bins",
    "counts",
    "OTHER",
];

fn step() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => prop::sample::select(&["a", "b", "c"][..]), 1 => Just("0"), 1 => Just("x~1y"), 3 => Just("*")]
}

/// A metric, as its line in YAML.
fn metric() -> impl Strategy<Value = String> {
    let path = prop::collection::vec(step(), 1..4);
    let choices = (
        0..11_usize,
        any::<bool>(),
        0..5_usize,
        0..4_usize,
        any::<[bool; 4]>(),
    );
    (path, choices).prop_map(|(path, (kind, labeled, layout, given_as, with))| {
        let kind = TYPES[kind];
        let mut path: Vec<&str> = path;
        let is_distribution = kind.ends_with("_distribution");
        if labeled && !path.contains(&"*") {
            path.push("*");
        }
        if !labeled && !is_distribution && kind != "string_list" {
            path.iter_mut()
                .filter(|step| **step == "*")
                .for_each(|step| *step = "a");
        }
        let prefix = if labeled { "labeled_" } else { "" };
        let mut line = format!("{{ type: {prefix}{kind}, path: \"/{}\"", path.join("/"));
        let unit = match kind {
            "timespan" | "timing_distribution" => ", unit: millisecond",
            "memory_distribution" => ", unit: kilobyte",
            _ => "",
        };
        if with[0] {
            line.push_str(unit);
        }
        let has_texts = kind.starts_with("string");
        if has_texts && with[1] {
            line.push_str(
                ", values: [\"3.0.7\", \"\u{e4}\"]"
                    .replace("\"3.0.7\", ", "\"7\", ")
                    .as_str(),
            );
        }
        if has_texts && with[2] {
            line.push_str(", max_length: 5");
        }
        if labeled && with[3] {
            line.push_str(", labels: [a, \"0\", a/b]");
        }
        if !has_texts && kind != "boolean" {
            let layouts = [
                "",
                "",
                ", layout: { linear: [0, 100, 12] }",
                ", layout: { exponential: [1, 1000, 30] }",
                ", layout: { functional: [2, 16] }",
            ];
            line.push_str(layouts[layout]);
        }
        if is_distribution {
            line.push_str(["", ", given_as: map", ", given_as: pairs", ", given_as: arrays"][given_as]);
        }
        line + " }"
    })
}

fn dimension() -> impl Strategy<Value = String> {
    let step = prop::sample::select(&["a", "b", "c", "0"][..]);
    let path = prop::collection::vec(step, 1..3);
    let form = prop::sample::select(&["text", "major", "major_minor", "date", "lower", "host"][..]);
    (path, form, any::<[bool; 3]>(), 0..4_usize).prop_map(|(path, form, with, beside)| {
        let place = if with[0] {
            format!("path: /{}", path.join("/"))
        } else {
            ["header: X-One", "uri: version", "uri: channel", "uri: build_id"][beside].to_owned()
        };
        let values = if with[1] {
            ", values: [\"7\", steady, \"true\", x.org]"
        } else {
            ""
        };
        let default = if with[2] { ", default: steady" } else { "" };
        format!("{{ {place}, as: {form}{values}{default} }}")
    })
}

/// A declaration's text.
pub(super) fn declaration() -> impl Strategy<Value = String> {
    let metrics = prop::collection::vec(metric(), 1..6);
    let dimensions = prop::collection::vec(dimension(), 0..3);
    (metrics, dimensions, any::<bool>()).prop_map(|(metrics, dimensions, with_client)| {
        let mut text = "$highwater: product/1\nsources: [inky/a]\n".to_owned();
        if with_client {
            text.push_str("client_id: { path: /a }\n");
        }
        if !dimensions.is_empty() {
            text.push_str("dimensions:\n");
        }
        for (number, line) in dimensions.iter().enumerate() {
            writeln!(text, "  d{number}: {line}").expect("text");
        }
        text.push_str("metrics:\n  all:\n");
        for (number, line) in metrics.iter().enumerate() {
            writeln!(text, "    m{number}: {line}").expect("text");
        }
        text
    })
}

fn leaf() -> impl Strategy<Value = Value> {
    let numbers = prop::sample::select(vec![
        json!(0),
        json!(1),
        json!(7),
        json!(-3),
        json!(1.5),
        json!(-0.0),
        json!(-0.4),
        json!(1e300),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(18_446_744_073_709_551_616.0),
        json!(9.3e12),
        json!(1_u64 << 40),
        json!((1_u64 << 40) + 1),
        json!(0.1),
    ]);
    let texts = prop::sample::select(vec![
        "",
        "7",
        "3.0.7",
        "ä",
        "steady",
        "2026-10-01",
        "2026-10-01T23:00:00+02:00",
        "20261001",
        "https://X.org:1/y",
        "Linux",
        "OTHER",
        "longer than five",
        "550E8400-e29b-41d4-a716-446655440000",
        "9774d56d682e549c",
        "Ann@example.org",
        "10.0.0.7",
    ]);
    prop_oneof![
        4 => numbers,
        2 => (-50_i64..5_000).prop_map(Value::from),
        3 => texts.prop_map(Value::from),
        1 => "[a-z]{125,132}".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn histogram() -> impl Strategy<Value = Value> {
    let bins = prop::collection::vec((leaf(), leaf()), 0..4);
    (bins, 0..3_usize, 0..8_usize).prop_map(|(bins, form, cut)| match form {
        0 => {
            let pairs = bins.into_iter();
            pairs.map(|(value, samples)| json!([value, samples])).collect()
        }
        1 => {
            let (values, mut counts): (Vec<_>, Vec<_>) = bins.into_iter().unzip();
            if cut == 0 {
                counts.pop();
            }
            json!({ "bins": values, "counts": counts })
        }
        _ => {
            let members = bins.into_iter();
            let members = members.map(|(value, samples)| {
                let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (key, samples)
            });
            Value::Object(members.collect())
        }
    })
}

/// A body, whose members stand in the order of their keys.
pub(super) fn body() -> impl Strategy<Value = Value> {
    let inner = prop_oneof![3 => leaf(), 1 => histogram()].prop_recursive(5, 60, 6, |inner| {
        let key = prop_oneof![
            6 => prop::sample::select(&KEYS[..3]).prop_map(str::to_owned),
            3 => prop::sample::select(&KEYS[..]).prop_map(str::to_owned),
            1 => "[k]{60,70}",
            1 => prop::sample::select(&["12", "-3.5", "1e2", "01", " 1"][..]).prop_map(str::to_owned),
        ];
        prop_oneof![
            3 => prop::collection::btree_map(key, inner.clone(), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..5).prop_map(Value::Array),
        ]
    });
    prop::collection::btree_map(prop::sample::select(&["a", "b", "c"][..]), inner, 0..4).prop_map(|members| {
        let members = members.into_iter();
        Value::Object(members.map(|(key, value)| (key.to_owned(), value)).collect())
    })
}
