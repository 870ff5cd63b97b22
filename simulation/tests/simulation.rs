//! Seeds that are run with every test, the same seed twice, and the proof that a bug would be found.

use std::path::Path;

use disk::{SimulatedDisk, SyncKind};
use simulation::{Report, run, run_consenting, run_spoilt};

/// Seeds of every test run; `make simulate` runs more.
const SEEDS: u64 = 250;

/// A bug must be found within so many seeds.
const FOUND_WITHIN: u64 = 300;

/// What must befall some of these seeds.
const FAULTS: [&str; 13] = [
    "outages of index and aggregates until all is sealed",
    "times that the disk is full",
    "times that syncs fail",
    "times that reads fail",
    "reads of objects that cannot be read",
    "pings folded by the last replay",
    "calls refused by a database",
    "steps of the clock",
    "clocks far ahead",
    "clocks far behind",
    "objects deleted",
    "deletions of objects that cannot be deleted",
    "deletions that wait for a person",
];

#[test]
fn what_is_acknowledged_is_stored_once_and_counted_once_whatever_fails() {
    let reports: Vec<Report> = (0..SEEDS).map(|seed| run(seed, false)).collect();
    let crash_points: u64 = reports.iter().map(|report| report.crash_points).sum();
    println!("{SEEDS} seeds, {crash_points} crash points");
    for report in &reports {
        let seed = report.seed;
        assert!(
            report.verdict.is_fine(),
            "{:#?}: run it alone by `make simulate SEED={seed} TRACE=1`",
            report.verdict
        );
    }
    assert!(crash_points > 2 * SEEDS, "only {crash_points} crash points");
    for fault in FAULTS {
        let times: u64 = reports.iter().filter_map(|report| report.befell.get(fault)).sum();
        println!("{times:>9} {fault}");
        assert!(times > 0, "in {SEEDS} seeds there were no {fault}");
    }
}

/// What the clock alone would delete waits for a person (decision 0033): where somebody says yes to it, young pings go.
#[test]
fn a_retention_that_believes_its_clock_is_found_out() {
    let mut reports = (0..FOUND_WITHIN).map(run_consenting);
    let young = |report: &Report| {
        let mut wrong = report.verdict.wrong.iter();
        wrong.any(|wrong| wrong.contains("must not be deleted"))
    };
    let found = reports.find(young);
    println!(
        "{:?}",
        found.as_ref().map(|report| (report.seed, &report.verdict.wrong))
    );
    assert!(found.is_some(), "nothing young is deleted");
}

#[test]
fn the_same_seed_twice_gives_the_same_trace() {
    let traces =
        |seeds: std::ops::Range<u64>| -> Vec<u64> { seeds.map(|seed| run(seed, false).trace).collect() };
    let first = traces(1_000..1_030);
    assert_eq!(first, traces(1_000..1_030));
    let mut distinct = first.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), first.len(), "two seeds do the same");
}

#[expect(clippy::print_stdout, reason = "seeds are for who reads the test's output")]
/// Without the chosen syncs, acknowledged pings must be found lost, or chunks that cannot be read.
fn assert_found(what: &str, left_out: fn(&Path, SyncKind) -> bool) {
    let spoil = |disk: &SimulatedDisk| disk.omit_syncs(left_out);
    let mut reports = (0..FOUND_WITHIN).map(|seed| run_spoilt(seed, &spoil));
    let found = reports.find(|report| !report.verdict.is_fine());
    println!("without the sync of {what}: {found:?}");
    assert!(found.is_some(), "without the sync of {what} nothing is lost");
}

#[test]
fn a_log_that_does_not_sync_its_groups_is_found_out() {
    assert_found("a commit group", |path, kind| {
        kind == SyncKind::File && path.extension().is_some_and(|extension| extension == "log")
    });
}

#[test]
fn a_log_that_does_not_sync_its_folder_is_found_out() {
    assert_found("the log's folder", |path, kind| {
        kind == SyncKind::Folder && path == Path::new("/log")
    });
}

#[test]
fn a_store_that_does_not_sync_its_objects_is_found_out() {
    assert_found("the staged bytes", |path, kind| {
        kind == SyncKind::File && path.starts_with("/staging")
    });
}

#[test]
fn without_a_spoilt_sync_the_same_runs_are_fine() {
    for seed in 0..30 {
        let report = run_spoilt(seed, &|_| {});
        assert!(report.verdict.is_fine(), "seed {seed}: {:#?}", report.verdict);
    }
}
