//! The metrics of the whole pipeline, published about once a second by who watches it. Those of its parts stand with them.

use metrics::{Unit, describe_gauge, gauge};
use query::health::{HealthReport, NAMES};

/// What runs, as labels `version` and `commit`; always 1.
const BUILD: &str = "highwater_build_info";
/// Pings by `station`, over the life of the data directory. A gauge: what a later copy makes a repeat leaves `folded`.
const PINGS: &str = "highwater_pipeline_pings";
/// Receive time of the newest ping that is counted; 0 before there is one.
const NEWEST: &str = "highwater_pipeline_newest_number_timestamp_seconds";
/// Chunks that wait to be folded.
const PENDING: &str = "highwater_pipeline_pending_chunks";
/// Chunks, objects and pieces of the log that are set aside.
const SET_ASIDE: &str = "highwater_pipeline_set_aside_objects";
/// Chunks in the index.
const CHUNKS: &str = "highwater_pipeline_indexed_chunks";
/// Bytes of these chunks.
const STORED: &str = "highwater_pipeline_indexed_stored_bytes";
/// Bytes that waiting pings may take in the log.
const BUDGET: &str = "highwater_pipeline_log_budget_bytes";
/// Bytes free on the disk of the data directory.
const DISK_FREE: &str = "highwater_pipeline_disk_free_bytes";
/// Bytes of that disk.
const DISK_SIZE: &str = "highwater_pipeline_disk_size_bytes";
/// For how long the store's puts or reads have failed; 0 when they work.
const STORE_FAILING: &str = "highwater_pipeline_store_failing_seconds";
/// Metrics of Glean's by `state`: undeclared, expired, never_seen. Only where definitions of Glean's were given.
const DEFINED: &str = "highwater_pipeline_defined_metrics";
/// What is wrong with files of declarations or definitions that are refused, while those of before are in force; else 0.
const REFUSED: &str = "highwater_pipeline_declaration_failures";
/// By `verdict`: 0 when it does not hold, else 1 for a notice, 2 for a warning, 3 for an alarm.
const VERDICT: &str = "highwater_pipeline_verdict_severity";

/// Describes this crate's metrics to the recorder that is installed.
pub(crate) fn describe() {
    describe_gauge!(BUILD, "What runs, as labels; always 1.");
    describe_gauge!(
        PINGS,
        Unit::Count,
        "Pings by station, over the life of the data directory."
    );
    describe_gauge!(
        NEWEST,
        Unit::Seconds,
        "Receive time of the newest ping that is counted, in Unix time; 0 before there is one."
    );
    describe_gauge!(PENDING, Unit::Count, "Chunks that wait to be folded.");
    describe_gauge!(
        SET_ASIDE,
        Unit::Count,
        "Chunks, objects and pieces of the log that are set aside."
    );
    describe_gauge!(CHUNKS, Unit::Count, "Chunks in the index.");
    describe_gauge!(STORED, Unit::Bytes, "Bytes of the chunks in the index.");
    describe_gauge!(
        BUDGET,
        Unit::Bytes,
        "Bytes that waiting pings may take in the log."
    );
    describe_gauge!(
        DISK_FREE,
        Unit::Bytes,
        "Bytes free on the disk of the data directory."
    );
    describe_gauge!(DISK_SIZE, Unit::Bytes, "Bytes of the disk of the data directory.");
    describe_gauge!(
        STORE_FAILING,
        Unit::Seconds,
        "For how long the store's puts or reads have failed; 0 when they work."
    );
    describe_gauge!(
        DEFINED,
        Unit::Count,
        "Metrics that arrive otherwise than they are defined, or never did, by state."
    );
    describe_gauge!(
        REFUSED,
        Unit::Count,
        "What is wrong with files of declarations or definitions that are refused, while those of before are in force; else 0."
    );
    describe_gauge!(
        VERDICT,
        "By verdict: 0 when it does not hold, else 1 for a notice, 2 for a warning, 3 for an alarm."
    );
}

/// Publishes what runs.
pub(crate) fn publish_build(version: &'static str, commit: &'static str) {
    gauge!(BUILD, "version" => version, "commit" => commit).set(1.0);
}

/// Publishes a report. Without index and aggregates, as beside `highwater edge`, only what the edge knows.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn publish(report: &HealthReport, has_databases: bool) {
    let (numbers, counts) = (&report.numbers, &report.numbers.counts);
    let pings = |station: &'static str, pings: u64| gauge!(PINGS, "station" => station).set(pings as f64);
    pings("accepted", counts.accepted);
    pings("waiting", counts.waiting);
    pings("chunked", counts.chunked);
    if has_databases {
        pings("indexed", counts.indexed);
        pings("folded", counts.folded);
        pings("repeated", counts.repeated);
        pings("stored_only", counts.stored_only);
        pings("errored", counts.errored_pings);
        let newest = counts.newest_received.map_or(0, ping::Timestamp::as_micros);
        gauge!(NEWEST).set(newest as f64 / 1e6);
        gauge!(PENDING).set(numbers.folding.pending_chunks as f64);
        gauge!(CHUNKS).set(numbers.index.chunks as f64);
        gauge!(STORED).set(numbers.index.stored_bytes as f64);
    }
    gauge!(SET_ASIDE).set(counts.set_aside as f64);
    gauge!(BUDGET).set(numbers.log.budget_bytes as f64);
    if let Some(disk) = numbers.disk {
        gauge!(DISK_FREE).set(disk.free_bytes as f64);
        gauge!(DISK_SIZE).set(disk.size_bytes as f64);
    }
    let failing = numbers
        .store
        .failing_since
        .map_or(0, |since| numbers.now().micros_since(since));
    gauge!(STORE_FAILING).set(failing.max(0) as f64 / 1e6);
    if let Some(found) = &numbers.definitions {
        let metrics =
            |state: &'static str, metrics: u64| gauge!(DEFINED, "state" => state).set(metrics as f64);
        metrics("undeclared", found.undeclared.number());
        metrics("expired", found.expired.number());
        metrics("never_seen", found.never_seen.number());
    }
    let refused = numbers.refused_files.as_ref();
    gauge!(REFUSED).set(refused.map_or(0, |refused| refused.faults) as f64);
    for name in NAMES {
        let holds = report.verdicts.iter().find(|verdict| verdict.name == name);
        let severity = holds.map_or(0, |verdict| verdict.severity as u8);
        gauge!(VERDICT, "verdict" => name).set(f64::from(severity));
    }
}
