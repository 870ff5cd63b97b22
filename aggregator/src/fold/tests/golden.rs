//! The rows that the original's own code made of recorded pings.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value;

use super::recorded::recorded;
use crate::fold::Folder;
use crate::fold::oracle::Totals;

/// Submission date, the dimensions of the original (it had no e10s then), metric, process, label.
type RowKey = (Vec<String>, String, String, String);

fn rows(text: &str) -> Vec<(RowKey, Value)> {
    let parse = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a row");
        let field = |name: &str| row[name].as_str().expect("a text").to_owned();
        let dimensions = [
            "submission_date",
            "channel",
            "version",
            "build_id",
            "application",
            "architecture",
            "os",
            "osVersion",
        ];
        let key = (
            dimensions.map(field).to_vec(),
            field("metric"),
            field("child"),
            field("label"),
        );
        (key, row)
    };
    text.lines().map(parse).collect()
}

/// Layout, count, sum, bins.
type Row = (sketch::Layout, i128, i128, BTreeMap<i64, i128>);

fn folded(data: &std::path::Path) -> BTreeMap<RowKey, Vec<Row>> {
    let index = std::fs::read_to_string(data.join("pings/real/index.jsonl")).expect("the index");
    // The day under which all of them were given to the original.
    let date = "20160115".parse().expect("a date");
    let mut folder = Folder::new();
    for line in index.lines() {
        let entry: Value = serde_json::from_str(line).expect("an index line");
        let file = entry["file"].as_str().expect("a name");
        if !["00", "01", "02", "06", "07"].contains(&&file[..2]) {
            continue;
        }
        let body = std::fs::read(data.join("pings/real").join(file)).expect("a ping");
        folder.read(&body, date).expect("a good ping");
        folder.add();
    }
    let mut found: BTreeMap<RowKey, Vec<_>> = BTreeMap::new();
    for ((set, metric, process, label, layout), sums) in Totals::of(&folder.take()).cells {
        let names = [
            "channel",
            "version",
            "build_date",
            "application",
            "architecture",
            "os",
        ];
        let mut dimensions = vec![set.submission_date().to_string()];
        dimensions.extend(names.map(|name| set.value(name).to_owned()));
        dimensions.push(set.original_os_version().to_owned());
        let key = (dimensions, metric, process, label);
        found
            .entry(key)
            .or_default()
            .push((layout, sums.count, sums.sum, sums.bins));
    }
    found
}

#[test]
fn recorded_pings_add_up_to_the_rows_of_the_original() {
    let Some(data) = recorded() else { return };
    let file = std::fs::File::open(data.join("golden/real-2017-04.rows.ndjson.gz")).expect("the rows");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    let found = folded(&data);
    let (mut equal, mut golden_keys) = (0, BTreeSet::new());
    let mut other_layout = Vec::new();
    for (key, row) in rows(&text) {
        let sums = found
            .get(&key)
            .unwrap_or_else(|| panic!("the original has a row that is not folded: {key:?}"));
        assert_eq!(
            row["sum"].as_i64().map(i128::from),
            Some(sums.iter().map(|sums| sums.2).sum()),
            "{key:?}"
        );
        assert_eq!(
            row["count"].as_i64().map(i128::from),
            Some(sums.iter().map(|sums| sums.1).sum()),
            "{key:?}"
        );
        let theirs: Vec<i128> = row["histogram"]
            .as_array()
            .expect("bins")
            .iter()
            .map(|bin| bin.as_i64().expect("a number").into())
            .collect();
        let bounds = sums[0].0.lower_bounds();
        let ours: Vec<i128> = bounds
            .iter()
            .map(|bound| {
                sums.iter()
                    .map(|sums| sums.3.get(bound).copied().unwrap_or(0))
                    .sum()
            })
            .collect();
        // The definition's layout is the original's; where it is the ping's too, every bin must agree.
        let padded = |bins: &[i128]| {
            let mut bins = bins.to_vec();
            while bins.last() == Some(&0) {
                bins.pop();
            }
            bins
        };
        if padded(&ours) == padded(&theirs) {
            equal += 1;
        } else {
            other_layout.push((key.1.clone(), sums[0].0.to_string(), theirs.len()));
        }
        golden_keys.insert(key);
    }
    let ours_only: BTreeSet<_> = found
        .keys()
        .filter(|key| !golden_keys.contains(*key))
        .map(|key| key.1.as_str())
        .collect();
    println!(
        "{equal} rows equal bin by bin; {} under another layout: {other_layout:?}",
        other_layout.len()
    );
    println!(
        "{} keys folded here only, of metrics {ours_only:?}",
        found.len() - golden_keys.len()
    );
    assert_eq!(equal, 2_438, "{other_layout:?}");
}
