//! Texts of scalars that are strings by definition, against a walk over the same pings that looks at nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregate_store::Batch;
use readers::values::beside::PINGS;
use serde_json::{Map, Value, json};
use sketch::Cell;

use super::super::oracle::Totals;
use super::super::{Folder, PingError};
use super::day;

const STRINGS: [&str; 2] = ["SCALARS_A.TEXT", "SCALARS_A.TEXTS"];

/// Metric, process, label -> count and samples, of categories alone.
type Counts = BTreeMap<(String, String, String), (i64, i128)>;

fn folder() -> Folder {
    let strings = STRINGS.map(str::to_owned).into();
    Folder::new().counting(Arc::new(strings))
}

fn categories(batch: &Batch) -> Counts {
    let mut counts = Counts::new();
    for (address, bytes) in batch.cells.iter() {
        let is_category = batch.layouts[address.layout as usize].to_string() == "categories(0,0,0)";
        if !is_category || batch.metrics[address.metric as usize] == PINGS {
            continue;
        }
        let cell = Cell::decode(bytes).expect("a cell");
        let key = (
            batch.metrics[address.metric as usize].clone(),
            batch.processes[address.process as usize].clone(),
            batch.labels[address.label as usize].clone(),
        );
        let samples = cell.bins().iter().map(|bin| bin.1).sum();
        counts.insert(key, (cell.count(), samples));
    }
    counts
}

fn fold(pings: &[Value]) -> Batch {
    let mut folder = folder();
    for ping in pings {
        folder.read(ping.to_string().as_bytes(), day()).expect("a ping");
        folder.add();
    }
    folder.take()
}

/// What the pings say, read off their trees.
fn slow(pings: &[Value]) -> Counts {
    let mut counts = Counts::new();
    let mut add = |metric: &str, process: &str, label: String, samples: i128| {
        let key = (metric.to_owned(), process.to_owned(), label);
        let held = counts.entry(key).or_default();
        *held = (held.0 + 1, held.1 + samples);
    };
    let value_of = |value: &Value| {
        let text = value.as_str()?;
        Some(if text.len() > 255 {
            "OTHER".to_owned()
        } else {
            text.to_owned()
        })
    };
    for ping in pings {
        for (process, sections) in ping["payload"]["processes"].as_object().expect("processes") {
            if let Some(value) = value_of(&sections["scalars"]["a.text"]) {
                add(STRINGS[0], process, format!("={value}"), 1);
                add(STRINGS[0], process, String::new(), 0);
            }
            let keyed = sections["keyedScalars"]["a.texts"].as_object().expect("keys");
            let mut has_texts = false;
            for (key, value) in keyed {
                if let Some(value) = value_of(value) {
                    let key = key.to_uppercase().replace('%', "%25").replace('=', "%3D");
                    add(STRINGS[1], process, format!("{key}={value}"), 1);
                    has_texts = true;
                }
            }
            if has_texts {
                add(STRINGS[1], process, String::new(), 0);
            }
        }
    }
    counts
}

/// A ping that follows from its number.
fn ping(number: u64) -> Value {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut dice = |sides: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % sides as u64).expect("small")
    };
    let long = "x".repeat(256);
    let values = [
        json!("dark"),
        json!("light"),
        json!(""),
        json!("a=b%"),
        json!("größe"),
        json!(long),
        json!(&long[1..]),
        json!(7),
        json!(true),
        Value::Null,
        json!({"text": "dark"}),
    ];
    let keys = ["left", "x=y", "50%", "größe"];
    let mut processes = Map::new();
    for process in ["parent", "content", "gpu"] {
        let keyed: Map<String, Value> = (0..dice(4))
            .map(|_| {
                (
                    keys[dice(keys.len())].to_owned(),
                    values[dice(values.len())].clone(),
                )
            })
            .collect();
        let sections = json!({
            "scalars": {"a.text": values[dice(values.len())], "a.other": "free", "a.number": 3},
            "keyedScalars": {"a.texts": keyed, "a.others": {"left": "free"}},
        });
        processes.insert(process.to_owned(), sections);
    }
    json!({"payload": {"processes": processes}})
}

#[test]
fn texts_of_defined_strings_count_by_value_for_each_process_and_others_do_not() {
    let mut values = 0;
    for seed in 0..200 {
        let pings: Vec<Value> = (0..8).map(|number| ping(seed * 8 + number)).collect();
        let expected = slow(&pings);
        values += expected.len();
        assert_eq!(categories(&fold(&pings)), expected, "seed {seed}");
    }
    assert!(values > 2_000, "{values}");
}

#[test]
fn without_a_definition_and_after_a_ping_was_taken_back_no_text_is_there() {
    let body = ping(1).to_string();
    let mut plain = Folder::new();
    plain.read(body.as_bytes(), day()).expect("a ping");
    plain.add();
    assert_eq!(categories(&plain.take()), Counts::new());
    let mut folder = folder();
    folder.read(body.as_bytes(), day()).expect("a ping");
    folder.add();
    folder.subtract();
    assert_eq!(categories(&folder.take()), Counts::new());
    // What counts is known after a batch, too.
    folder.read(body.as_bytes(), day()).expect("a ping");
    folder.add();
    assert_eq!(categories(&folder.take()), slow(&[ping(1)]));
}

#[test]
fn numbers_of_a_defined_string_count_as_before_and_a_key_that_stands_twice_is_an_error() {
    let ping = json!({"payload": {"processes": {"parent": {"scalars": {"a.text": 7}}}}});
    let with = fold(std::slice::from_ref(&ping));
    let mut without = Folder::new();
    without.read(ping.to_string().as_bytes(), day()).expect("a ping");
    without.add();
    assert_eq!(Totals::of(&with), Totals::of(&without.take()));
    let twice = br#"{"payload":{"processes":{"parent":{"scalars":{"a.text":"x","a.text":"y"}}}}}"#;
    assert_eq!(folder().read(twice, day()), Err(PingError::DuplicateKey));
}
