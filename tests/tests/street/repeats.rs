//! The same pings in any order, in chunks folded in any order, with restarts, or folded anew: the same bytes.

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tests::{Pipeline, SmallPing};

use crate::ask::{command, well};

/// Lines for an import: some documents have several copies, which differ in samples and dimensions, straddle midnight
/// and the edge of the 14 days.
fn lines() -> Vec<Value> {
    let mut lines = Vec::new();
    for number in 0..60_u64 {
        let days: &[&str] = match number % 6 {
            0 => &["20170130", "20170131"],
            1 => &["20170101", "20170115", "20170129"],
            2 => &["20170101", "20170116"],
            3 => &["20170130", "20170130", "20170130"],
            4 => &["20170101", "20170110", "20170120", "20170210"],
            _ => &["20170130"],
        };
        for (copy, day) in days.iter().enumerate() {
            let mut ping = SmallPing::numbered(number);
            ping.bins = vec![(1, 1 + copy as i64), (7, (number % 3) as i64)];
            ping.channel = ["nightly", "beta", "aurora"][copy % 3].to_owned();
            ping.version = format!("{}.0", 50 + copy);
            lines.push(json!({"submissionDate": day, "uri": ping.uri(), "body": ping.json()}));
        }
    }
    lines
}

/// Which copies count, by the rule as it is written: a copy does not if the one before it came at most 14 days earlier.
fn counted_of(days: &[i64]) -> usize {
    let mut days = days.to_vec();
    days.sort_unstable();
    days.iter()
        .enumerate()
        .filter(|(at, day)| *at == 0 || *day - days[at - 1] > 14)
        .count()
}

fn write(path: &Path, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path, text).expect("written");
}

#[test]
fn any_order_of_arrival_restarts_and_a_rebuild_give_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = lines();
    let path = |name: &str| folder.path().join(name);
    write(&path("once.ndjson"), &all);
    // One run, from one file.
    well(command(
        &path("once"),
        "import",
        &[&path("once.ndjson").display().to_string()],
    ));
    let once = well(command(&path("once"), "dump", &[]));
    assert!(once.lines().count() > 8, "{once}");
    // A rebuild of it.
    well(command(&path("once"), "rebuild", &[]));
    assert!(
        well(command(&path("once"), "dump", &[])) == once,
        "a rebuild changed the aggregates"
    );
    // Shuffled, in many files, each its own run of the program.
    for seed in [1, 2] {
        println!("seed {seed}");
        let mut shuffled = all.clone();
        shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let data = path(&format!("shuffled-{seed}"));
        for (number, part) in shuffled.chunks(17).enumerate() {
            let file = path(&format!("part-{seed}-{number}.ndjson"));
            write(&file, part);
            well(command(&data, "import", &[&file.display().to_string()]));
        }
        assert!(
            sums(&well(command(&data, "dump", &[]))) == sums(&once),
            "seed {seed}: the order changed the sums"
        );
        let before = well(command(&data, "dump", &[]));
        well(command(&data, "rebuild", &[]));
        assert!(
            well(command(&data, "dump", &[])) == before,
            "seed {seed}: a rebuild changed the aggregates"
        );
    }
}

/// Count of `GC_MS` over a dump. Copies of equal receive time are ordered by record id, which differs between files, so
/// what each of them carries may differ, but not how many count.
fn sums(dump: &str) -> i64 {
    dump.lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"))
        .filter(|cell| cell["metric"] == "GC_MS")
        .map(|cell| {
            cell["count"]
                .as_i64()
                .or_else(|| cell["count"].as_str()?.parse().ok())
                .expect("a count")
        })
        .sum()
}

#[test]
fn copies_count_by_the_rule_as_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("all.ndjson");
    write(&file, &lines());
    well(command(&data, "import", &[&file.display().to_string()]));
    let kinds: [&[i64]; 6] = [
        &[30, 31],
        &[1, 15, 29],
        &[1, 16],
        &[30, 30, 30],
        &[1, 10, 20, 41],
        &[30],
    ];
    let expected: usize = kinds.iter().map(|days| counted_of(days) * 10).sum();
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_until_settled();
    assert_eq!(status["folded"], json!(expected), "{status}");
    assert_eq!(status["repeated"], json!(lines().len() - expected), "{status}");
    pipeline.terminate();
    assert_eq!(
        sums(&well(command(&data, "dump", &[]))),
        i64::try_from(expected).expect("few")
    );
}
