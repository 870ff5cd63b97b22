//! Every recorded bin layout of Firefox's definitions of April 2017, against ours.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sketch::{HistogramKind, Layout};

fn shared_data() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|data| data.is_dir())
}

/// The layout of a definition, as the client's code makes it from the definition's fields.
fn layout_of(definition: &Value) -> Option<Layout> {
    let number = |field: &str| definition[field].as_i64();
    let bins = |n: i64| u32::try_from(n).expect("recorded definitions have few bins");
    let same = |kind| Layout {
        kind,
        min: 1,
        max: 2,
        bin_count: 3,
    };
    let min = number("low").unwrap_or(1);
    Some(match definition["kind"].as_str()? {
        "exponential" => Layout::exponential(min, number("high")?, bins(number("n_buckets")?)),
        "linear" => Layout::linear(min, number("high")?, bins(number("n_buckets")?)),
        "enumerated" => Layout::linear(1, number("n_values")?, bins(number("n_values")? + 1)),
        "boolean" => same(HistogramKind::Boolean),
        "flag" => same(HistogramKind::Flag),
        "count" => same(HistogramKind::Count),
        _ => return None,
    })
}

fn numbers(list: &Value) -> Vec<i64> {
    list.as_array()
        .expect("a list of bounds")
        .iter()
        .filter_map(Value::as_i64)
        .collect()
}

#[test]
fn every_recorded_layout_is_met() {
    let Some(data) = shared_data() else {
        return println!("left out: ../shared is absent");
    };
    let file =
        std::fs::File::open(data.join("golden/buckets/2017-04.jsonl.gz")).expect("the recorded layouts");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip of UTF-8");
    let (mut met, mut counts) = (0, 0);
    for line in text.lines() {
        let definition: Value = serde_json::from_str(line).expect("a definition a line");
        let Some(layout) = layout_of(&definition) else {
            continue;
        };
        assert_eq!(
            layout.lower_bounds(),
            numbers(&definition["buckets"]),
            "{}",
            definition["metric"]
        );
        met += 1;
        if definition["kind"] == "count" {
            assert_eq!(Layout::COUNT.lower_bounds(), numbers(&definition["api_buckets"]));
            counts += 1;
        }
    }
    assert_eq!((met, counts), (1_491, 226));
}
