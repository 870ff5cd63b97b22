//! Hostile sizes: each cap at its edge and above it.

use super::{fold, of_values, oracle};
use crate::limits::{
    BINS_PER_HISTOGRAM_MAX, BINS_PER_PING_MAX, LABELS_PER_METRIC_MAX, PARTS_PER_PING_MAX,
    PROCESSES_PER_PING_MAX,
};

fn numbered(count: u32, value: &str) -> String {
    let entries: Vec<String> = (0..count).map(|n| format!("\"{n}\":{value}")).collect();
    format!("{{{}}}", entries.join(","))
}

fn in_parent(sections: &str) -> String {
    format!("{{\"payload\":{{\"processes\":{{\"parent\":{{{sections}}}}}}}}}")
}

fn both(body: &str) -> Result<usize, &'static str> {
    let folded = fold(&[(body.as_bytes(), 1)]);
    assert_eq!(folded, oracle(body.as_bytes()));
    folded.map(|totals| of_values(totals).len())
}

#[test]
fn as_many_parts_as_allowed_count_and_one_more_makes_an_errored_ping() {
    let scalars = |count| in_parent(&format!("\"scalars\":{}", numbered(count, "1")));
    let folded = fold(&[(scalars(PARTS_PER_PING_MAX).as_bytes(), 1)]);
    assert_eq!(
        folded.map(|totals| of_values(totals).len()),
        Ok(PARTS_PER_PING_MAX as usize)
    );
    assert_eq!(
        fold(&[(scalars(PARTS_PER_PING_MAX + 1).as_bytes(), 1)]).err(),
        Some("too_many_parts")
    );
}

#[test]
fn as_many_labels_as_allowed_count_and_one_more_makes_an_errored_ping() {
    let labels = |count| in_parent(&format!("\"keyedScalars\":{{\"m\":{}}}", numbered(count, "1")));
    assert_eq!(
        both(&labels(LABELS_PER_METRIC_MAX)),
        Ok(LABELS_PER_METRIC_MAX as usize)
    );
    assert_eq!(both(&labels(LABELS_PER_METRIC_MAX + 1)), Err("too_many_labels"));
}

#[test]
fn as_many_processes_as_allowed_count_and_one_more_makes_an_errored_ping() {
    let processes = |count| {
        format!(
            "{{\"payload\":{{\"processes\":{}}}}}",
            numbered(count, "{\"scalars\":{\"a\":1}}")
        )
    };
    assert_eq!(
        both(&processes(PROCESSES_PER_PING_MAX)),
        Ok(PROCESSES_PER_PING_MAX as usize)
    );
    assert_eq!(
        both(&processes(PROCESSES_PER_PING_MAX + 1)),
        Err("too_many_processes")
    );
}

#[test]
fn a_histogram_with_too_many_bins_is_refused_alone() {
    let bins = |count: usize| numbered(u32::try_from(count).expect("small"), "1");
    let of = |count| {
        format!(
            "{{\"payload\":{{\"histograms\":{{\"A\":{{\"histogram_type\":2,\"sum\":1,\"values\":{}}},\
             \"B\":{{\"histogram_type\":2,\"sum\":1,\"values\":{{}}}}}}}}}}",
            bins(count)
        )
    };
    assert_eq!(both(&of(BINS_PER_HISTOGRAM_MAX)), Ok(2));
    assert_eq!(both(&of(BINS_PER_HISTOGRAM_MAX + 1)), Ok(1));
}

#[test]
fn too_many_bins_in_all_make_an_errored_ping() {
    let histogram = format!(
        "{{\"histogram_type\":2,\"sum\":1,\"values\":{}}}",
        numbered(u32::try_from(BINS_PER_HISTOGRAM_MAX).expect("small"), "1")
    );
    let full = BINS_PER_PING_MAX / u32::try_from(BINS_PER_HISTOGRAM_MAX).expect("small");
    let of = |count| {
        format!(
            "{{\"payload\":{{\"histograms\":{}}}}}",
            numbered(count, &histogram)
        )
    };
    assert_eq!(both(&of(full)), Ok(full as usize));
    assert_eq!(both(&of(full + 1)), Err("too_many_bins"));
}

#[test]
fn deep_nesting_is_told_from_other_broken_json() {
    for (depth, expected) in [
        (127, Err("not_an_object")),
        (128, Err("too_deep")),
        (100_000, Err("too_deep")),
    ] {
        let body = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(both(&body), expected, "{depth}");
    }
    let inside = format!("{{\"x\":{}{}}}", "[".repeat(127), "]".repeat(127));
    assert_eq!(both(&inside), Err("too_deep"));
    assert_eq!(both("{\"x\":1e999}"), Err("not_json"));
    assert_eq!(both("{\"x\":\"\\ud800}"), Err("not_json"));
    assert_eq!(both("{} {}"), Err("not_json"));
}

#[test]
fn a_repeated_key_that_is_read_makes_an_errored_ping_and_any_other_does_not() {
    assert_eq!(both("{\"payload\":{},\"payload\":{}}"), Err("duplicate_key"));
    assert_eq!(
        both("{\"payload\":{\"histograms\":{\"A\":1,\"A\":2}}}"),
        Err("duplicate_key")
    );
    assert_eq!(
        both(&in_parent("\"keyedScalars\":{\"a\":{\"l\":1,\"l\":1}}")),
        Err("duplicate_key")
    );
    assert_eq!(
        both(&in_parent("\"keyedScalars\":{\"a\":{\"l\":1},\"l\":{\"a\":1}}")),
        Ok(2)
    );
    assert_eq!(
        both("{\"x\":1,\"x\":2,\"environment\":{\"addons\":{\"a\":1,\"a\":2}}}"),
        Ok(0)
    );
}
