//! Pings of Glean's: how what their reader tells is kept.

use std::collections::BTreeMap;

use aggregate_store::{Batch, STANDARD_DIMENSIONS};
use readers::glean::Received;
use sketch::{Cell, HistogramKind};

use super::super::{Folder, PingError};

const BODY: &str = r#"{
    "ping_info": {"seq": 1, "start_time": "2026-11-28T19:33+00:00", "end_time": "2026-11-28T19:33+00:00", "reason": "active"},
    "client_info": {"client_id": "0a1b2c3d-0000-4000-8000-000000000001", "app_display_version": "2.4.1", "app_channel": "beta",
        "architecture": "x86_64", "os": "Linux", "os_version": "6.1.0", "app_build": "20261001120000"},
    "metrics": {
        "counter": {"docs.opened": 7},
        "boolean": {"docs.shared": true},
        "labeled_counter": {"docs.kinds": {"pdf": 3, "png": 2}},
        "labeled_string": {"docs.themes": {"a=b%": "dark"}},
        "string_list": {"docs.plugins": ["spell", "math", "spell"]},
        "timing_distribution": {"docs.load": {"sum": 63041000000, "values": {"961548": 1, "19951584": 2}}}
    }
}"#;

fn received(document_type: &str) -> Received<'_> {
    Received {
        namespace: "acme-notes",
        document_type,
        date: "20261128".parse().expect("a day"),
        source_tags: None,
        is_declared: false,
    }
}

/// Metric, label, layout -> count, sum, samples.
fn cells(batch: &Batch) -> BTreeMap<(String, String, String), (i64, i128, i128)> {
    let cells = batch.cells.iter().map(|(address, bytes)| {
        let cell = Cell::decode(bytes).expect("a cell");
        let samples = cell.bins().iter().map(|bin| bin.1).sum();
        let key = (
            batch.metrics[address.metric as usize].clone(),
            batch.labels[address.label as usize].clone(),
            batch.layouts[address.layout as usize].to_string(),
        );
        (key, (cell.count(), cell.sum(), samples))
    });
    cells.collect()
}

#[test]
fn numbers_labels_and_categories_have_cells_of_their_own_and_labelled_ones_count_their_pings() {
    let mut folder = Folder::new();
    assert_eq!(folder.read_glean(BODY.as_bytes(), &received("usage")), Ok(true));
    folder.add();
    folder.note_user();
    let batch = folder.take();
    let (number, category) = ("functional(2,8,1)", "categories(0,0,0)");
    let expected = [
        ("docs.opened", "", number, (1, 7, 1)),
        ("docs.shared", "", category, (1, 0, 0)),
        ("docs.shared", "=true", category, (1, 0, 1)),
        ("docs.kinds", "", category, (1, 0, 0)),
        ("docs.kinds", "pdf", number, (1, 3, 1)),
        ("docs.kinds", "png", number, (1, 2, 1)),
        ("docs.themes", "", category, (1, 0, 0)),
        ("docs.themes", "a%3Db%25=dark", category, (1, 0, 1)),
        ("docs.plugins", "", category, (1, 0, 0)),
        ("docs.plugins", "=math", category, (1, 0, 1)),
        ("docs.plugins", "=spell", category, (1, 0, 2)),
        ("docs.load", "", "functional(2,8,0)", (1, 63_041_000_000, 3)),
        ("pings:", "", category, (1, 0, 0)),
    ];
    let expected = expected.map(|(metric, label, layout, sums)| {
        ((metric.to_owned(), label.to_owned(), layout.to_owned()), sums)
    });
    assert_eq!(cells(&batch), BTreeMap::from(expected));
    let [set] = &batch.dimension_sets[..] else {
        panic!("one set: {:?}", batch.dimension_sets)
    };
    assert_eq!(set.source().as_str(), "acme-notes/usage");
    let standard = STANDARD_DIMENSIONS.map(|name| set.value(name));
    let stated = [
        "beta",
        "2",
        "20261001",
        "acme-notes",
        "x86_64",
        "Linux",
        "6.1",
        "UNKNOWN",
    ];
    assert_eq!(standard, stated);
    assert_eq!(set.value("ping_reason"), "active");
    let [(users, sketch)] = &batch.users[..] else {
        panic!("one group of users: {:?}", batch.users)
    };
    assert_eq!((users.value("version"), sketch.estimate().round()), ("2", 1.0));
    assert_eq!(batch.processes, [""]);
    assert!(
        batch
            .layouts
            .iter()
            .any(|layout| layout.kind == HistogramKind::Functional)
    );
}

#[test]
fn what_is_taken_back_leaves_nothing_and_pings_of_two_sources_do_not_meet() {
    let mut folder = Folder::new();
    for (document_type, sign) in [("usage", 1), ("baseline", 1), ("usage", -1)] {
        assert_eq!(
            folder.read_glean(BODY.as_bytes(), &received(document_type)),
            Ok(true)
        );
        match sign {
            1 => folder.add(),
            _ => folder.subtract(),
        }
    }
    let batch = folder.take();
    let sources = batch.cells.iter().map(|(address, _)| {
        let set = &batch.dimension_sets[address.dimension_set as usize];
        set.source().as_str()
    });
    let sources: Vec<&str> = sources.collect();
    assert!(!sources.is_empty());
    assert!(
        sources.iter().all(|source| *source == "acme-notes/baseline"),
        "{sources:?}"
    );
}

#[test]
fn what_is_no_ping_of_gleans_is_none_and_what_cannot_be_read_is_an_error() {
    let mut folder = Folder::new();
    let mut read = |body: &str, document_type| folder.read_glean(body.as_bytes(), &received(document_type));
    assert_eq!(
        read(r#"{"metrics": {"counter": {"a.b": 1}}}"#, "usage"),
        Ok(false)
    );
    let bare = r#"{"metrics": {"counter": {"a.b": 1}}}"#.as_bytes();
    let defined = Received {
        is_declared: true,
        ..received("slim")
    };
    assert_eq!(Folder::new().read_glean(bare, &defined), Ok(true));
    assert_eq!(read(BODY, "deletion-request"), Ok(false));
    assert_eq!(read("[]", "usage"), Err(PingError::NotAnObject));
    assert_eq!(read("{\"ping_info\":", "usage"), Err(PingError::NotJson));
    assert_eq!(
        read(r#"{"ping_info": {}, "metrics": {}, "metrics": {}}"#, "usage"),
        Err(PingError::DuplicateKey)
    );
    // After a ping of Glean's, one of telemetry's is read as ever.
    let day = "20170101".parse().expect("a day");
    let main =
        br#"{"application": {"channel": "nightly"}, "payload": {"simpleMeasurements": {"uptime": 3}}}"#;
    folder.read(main, day).expect("a ping");
    folder.add();
    let batch = folder.take();
    let used = batch
        .cells
        .iter()
        .map(|(address, _)| address.dimension_set as usize);
    let sets: Vec<&str> = used
        .map(|set| batch.dimension_sets[set].source().as_str())
        .collect();
    assert_eq!(sets, ["telemetry/main"; 2]);
}

#[test]
fn what_is_left_out_and_what_is_only_stored_is_counted_by_pings_under_its_name() {
    let body = |metrics: &str| format!(r#"{{"ping_info": {{}}, "metrics": {metrics}}}"#);
    let pings = [
        body(
            r#"{"counter": {"docs.opened": "seven"}, "uuid": {"docs.id": "0a1b2c3d-0000-4000-8000-000000000001"}}"#,
        ),
        body(r#"{"counter": {"docs.opened": -1, "docs.closed": "x"}, "text": {"docs.note": "hello"}}"#),
        body(
            r#"{"counter": {"docs.opened": "eight"}, "uuid": {"docs.id": "0a1b2c3d-0000-4000-8000-000000000002"}}"#,
        ),
        body(r#"{"counter": {"docs.opened": 8}}"#),
    ];
    let mut folder = Folder::new();
    for ping in &pings {
        assert_eq!(folder.read_glean(ping.as_bytes(), &received("usage")), Ok(true));
        folder.add();
    }
    let cells = cells(&folder.take());
    let category = "categories(0,0,0)".to_owned();
    let count_of = |metric: &str, label: &str| {
        let key = (metric.to_owned(), label.to_owned(), category.clone());
        cells.get(&key).map_or(0, |cell| cell.0)
    };
    let counted = [
        ("pings:", ""),
        ("left_out:", ""),
        ("left_out:", "=docs.opened wrong_type"),
        ("left_out:", "=docs.opened number_negative"),
        ("left_out:", "=docs.closed wrong_type"),
        ("stored:docs.id", ""),
        ("stored:docs.note", ""),
        ("stored:docs.opened", ""),
    ];
    let counted = counted.map(|(metric, label)| count_of(metric, label));
    assert_eq!(counted, [4, 3, 2, 1, 1, 2, 1, 0]);
}

#[test]
fn a_ping_that_bears_such_a_name_itself_counts_once_and_a_name_without_end_is_other() {
    let long = "x".repeat(2_000);
    let body = format!(
        r#"{{"ping_info": {{}}, "metrics": {{"boolean": {{"pings:": true, "left_out:": false, "{long}": 3}}}}}}"#
    );
    let mut folder = Folder::new();
    assert_eq!(folder.read_glean(body.as_bytes(), &received("usage")), Ok(true));
    folder.add();
    let batch = folder.take();
    let cells = cells(&batch);
    let own: Vec<_> = cells
        .iter()
        .filter(|((metric, label, _), _)| metric == "pings:" && label.is_empty())
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].1.0, 1);
    assert!(cells.keys().all(|(_, label, _)| label.len() < 200), "{cells:?}");
}
