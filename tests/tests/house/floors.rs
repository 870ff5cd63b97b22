//! The floors: every arrow between crates points down, services never meet in code, pure ground stays pure.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The floor of each crate; an arrow may only lead to a lower one.
const FLOORS: [(&str, u8); 26] = [
    ("ping", 0),
    ("sketch", 0),
    ("disk", 0),
    ("loopback-ports", 0),
    ("test-runner", 0),
    ("readers", 1),
    ("sample-pings", 1),
    ("service", 1),
    ("postgres-for-tests", 1),
    ("aws-connections", 1),
    ("store", 2),
    ("loopback-s3", 2),
    ("postgres-connections", 2),
    ("index-schema", 3),
    ("aggregate-store", 3),
    ("chunk", 4),
    ("edge", 5),
    ("lambda-indexer", 5),
    ("aggregator", 5),
    ("query", 5),
    ("retention", 5),
    ("highwater", 6),
    ("simulation", 7),
    ("fuzz", 7),
    ("tests", 8),
    ("bench", 7),
];

/// Crates without clock, network and database, and what they may therefore not name.
const PURE: [&str; 5] = ["ping", "sketch", "readers", "chunk", "sample-pings"];
const IMPURE_DEPENDENCIES: [&str; 7] = [
    "tokio",
    "hyper",
    "rusqlite",
    "service",
    "store",
    "disk",
    "getrandom",
];

/// Crates of the domain, of which the doors to objects and files know nothing.
const DOMAIN: [&str; 5] = ["ping", "sketch", "readers", "index-schema", "chunk"];

/// Dependencies by crate: the ordinary ones, not those of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().expect("dependencies");
            let ordinary = all.iter().filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                ordinary.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

#[test]
fn every_crate_has_a_floor() {
    let crates: BTreeSet<_> = dependencies().into_keys().collect();
    let planned: BTreeSet<_> = FLOORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        crates, planned,
        "the plan of the house (FLOORS in this file) must name every crate"
    );
}

#[test]
fn every_arrow_points_down() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    for (name, uses) in dependencies() {
        for used in uses.iter().filter(|used| floors.contains_key(used.as_str())) {
            let (own, other) = (floors[name.as_str()], floors[used.as_str()]);
            assert!(
                own > other,
                "{name} (floor {own}) leans on {used} (floor {other}): an arrow must point down"
            );
        }
    }
}

#[test]
fn a_service_never_leans_on_a_service() {
    let services: BTreeSet<_> = FLOORS
        .iter()
        .filter(|(_, floor)| *floor == 5)
        .map(|(name, _)| *name)
        .collect();
    for (name, uses) in dependencies()
        .iter()
        .filter(|(name, _)| services.contains(name.as_str()))
    {
        for used in uses {
            assert!(
                !services.contains(used.as_str()),
                "{name} leans on {used}: services meet in objects, index rows and aggregate rows, never in code"
            );
        }
    }
}

#[test]
fn pure_crates_name_no_clock_network_or_database() {
    let all = dependencies();
    for name in PURE {
        for used in IMPURE_DEPENDENCIES {
            assert!(
                !all[name].contains(used),
                "{name} is pure ground, but leans on {used}"
            );
        }
        let cloud: Vec<_> = all[name].iter().filter(|used| used.starts_with("aws-")).collect();
        assert!(cloud.is_empty(), "{name} is pure ground, but leans on {cloud:?}");
    }
}

#[test]
fn the_doors_to_objects_and_files_know_no_word_of_the_domain() {
    let all = dependencies();
    for door in [
        "store",
        "disk",
        "service",
        "postgres-connections",
        "aws-connections",
    ] {
        for word in DOMAIN {
            assert!(
                !all[door].contains(word),
                "{door} knows only bytes and names, but leans on {word}"
            );
        }
    }
}

#[test]
fn the_indexer_links_no_decompressor() {
    let all = dependencies();
    assert!(
        !all["lambda-indexer"].contains("zstd"),
        "the indexer reads a chunk's tail; it never decompresses"
    );
}
