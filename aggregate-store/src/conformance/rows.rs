//! Laws of what stands beside the cells: folded chunks, seen copies, errored pings, counters, the fold's version.

use std::collections::BTreeMap;
use std::sync::Arc;

use ping::{DocumentKey, Timestamp};
use sketch::{Cell, Layout};

use super::{chunk_id, dump_of, folded_chunk, knowing, record_id};
use crate::{
    AggregateError, AggregateStore, Batch, BatchBuilder, Bounds, CellKey, CellQuery, Committed, Counters,
    DimensionSet, ErroredRow, FoldVersion, RetriedChunk, SeenRow, Series, Source, Status,
};

pub(super) async fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>) {
    an_empty_store_answers_with_nothing(&*make().await).await;
    a_folded_chunk_keeps_its_batch_out(&*make().await).await;
    folded_chunks_come_in_pages(&*make().await).await;
    a_wrong_batch_leaves_nothing_behind(&*make().await).await;
    a_copy_is_replaced_by_itself_only(&*make().await).await;
    errored_pings_come_in_pages(&*make().await).await;
    counters_add_up(&*make().await).await;
    the_fold_version_is_set_once(&*make().await).await;
    a_replayed_ping_goes_once(&*make().await).await;
    a_chunk_is_retried_from_where_it_was(&*make().await).await;
    the_fold_version_is_replaced_only_if_it_is_the_known_one(&*make().await).await;
}

async fn a_replayed_ping_goes_once(store: &dyn AggregateStore) {
    let (one, other) = (errored(7, 1, "gzip"), errored(7, 2, "gzip"));
    let mut batch = full_batch(1);
    batch.errored = vec![one.clone(), other.clone()];
    commit(store, batch).await;
    let replay = |rows: &[&ErroredRow], anew: &[ErroredRow]| Batch {
        replayed: rows.iter().map(|row| (*row).clone()).collect(),
        errored: anew.to_vec(),
        ..Batch::default()
    };
    let renamed = errored(7, 2, "panic");
    commit(store, replay(&[&one, &other], std::slice::from_ref(&renamed))).await;
    assert_eq!(
        store.errored(None, 9).await.expect("rows"),
        std::slice::from_ref(&renamed)
    );
    let before = image(store).await;
    let mut late = full_batch(3);
    late.replayed = vec![renamed.clone(), one.clone()];
    let refused = store.commit(late).await.expect("an answer");
    assert_eq!(refused, Committed::AlreadyFolded(vec![one.chunk]));
    assert_eq!(image(store).await, before, "nothing of the batch is written");
    commit(store, replay(&[&renamed], &[])).await;
    assert_eq!(store.errored(None, 9).await.expect("rows"), []);
}

async fn a_chunk_is_retried_from_where_it_was(store: &dyn AggregateStore) {
    let chunk = chunk_id(7, 1, 5);
    let retry = |before, now| Batch {
        retried: vec![RetriedChunk {
            id: chunk,
            before,
            now,
        }],
        ..Batch::default()
    };
    assert_eq!(store.retried(&[chunk]).await.expect("caps"), [0]);
    commit(store, retry(0, 10)).await;
    let refused = store.commit(retry(0, 20)).await.expect("an answer");
    assert_eq!(refused, Committed::AlreadyFolded(vec![chunk]));
    commit(store, retry(10, 20)).await;
    let mut first = full_batch(8);
    first.retried = vec![RetriedChunk {
        id: chunk_id(7, 1, 8),
        before: 0,
        now: 30,
    }];
    commit(store, first).await;
    let asked = store.retried(&[chunk_id(7, 1, 8)]).await;
    assert_eq!(asked.expect("caps"), [30], "noted when the chunk is folded");
    let asked = [chunk_id(7, 1, 6), chunk];
    assert_eq!(store.retried(&asked).await.expect("caps"), [0, 20]);
}

async fn the_fold_version_is_replaced_only_if_it_is_the_known_one(store: &dyn AggregateStore) {
    let version = |code| FoldVersion {
        code,
        settings: format!("{{\"code\":{code}}}"),
    };
    let replace = async |known, next| store.replace_fold_version(&version(known), &version(next)).await;
    assert!(replace(1, 2).await.is_err(), "none was set");
    store.set_fold_version(&version(1)).await.expect("set");
    for (known, next, stored) in [(1, 2, 2), (1, 2, 2), (2, 3, 3)] {
        replace(known, next).await.expect("replaced");
        assert_eq!(store.fold_version().await.expect("one"), Some(version(stored)));
    }
    let refused = replace(2, 4).await.expect_err("another one");
    assert!(matches!(refused, AggregateError::OtherFoldVersion { .. }));
}

/// A batch with something for every table, and this chunk.
fn full_batch(plan: u64) -> Batch {
    let chunk = chunk_id(7, 1, plan);
    let mut builder = BatchBuilder::new();
    builder.add_cell(&key(&format!("METRIC_{plan}")), &Cell::new(1, 5, [(3, 1)]));
    builder.batch.chunks = vec![folded_chunk(chunk)];
    builder.batch.seen = vec![seen(1, plan, true)];
    builder.batch.errored = vec![errored(7, plan, "gzip")];
    builder.batch.counters.folded = 1;
    builder.batch.errored_by_reason = BTreeMap::from([("gzip".to_owned(), 1)]);
    builder.build()
}

fn key(metric: &str) -> CellKey {
    let dimensions = DimensionSet::stating(
        Source::telemetry_main(),
        folded_chunk(chunk_id(1, 1, 1)).submission_date,
        &[
            ("channel", "nightly"),
            ("version", "41"),
            ("build_date", "20150601"),
            ("application", "Firefox"),
            ("architecture", "x86-64"),
            ("os", "Linux"),
            ("os_version", "3.1"),
            ("e10s", "true"),
        ],
    );
    CellKey {
        metric: metric.to_owned(),
        dimensions,
        process: "parent".to_owned(),
        label: String::new(),
        layout: Layout::COUNT,
    }
}

fn seen(document: u8, sequence: u64, counted: bool) -> SeenRow {
    SeenRow {
        key: DocumentKey::from_bytes([document; 16]),
        received: Timestamp::from_micros(1_000 - i64::try_from(sequence).expect("samples are small")),
        record: record_id(9, sequence),
        chunk: chunk_id(7, 1, sequence),
        position: 4,
        counted,
    }
}

fn errored(incarnation: u8, sequence: u64, reason: &str) -> ErroredRow {
    ErroredRow {
        source: Source::telemetry_main(),
        record: record_id(incarnation, sequence),
        submission_date: folded_chunk(chunk_id(1, 1, 1)).submission_date,
        chunk: chunk_id(7, 2, sequence),
        position: u32::MAX,
        reason: reason.to_owned(),
    }
}

async fn commit(store: &dyn AggregateStore, batch: Batch) {
    let batch = knowing(store, batch).await;
    let committed = store.commit(batch).await.expect("the batch is written");
    assert_eq!(committed, Committed::Written);
}

/// Everything that can be asked without knowing names.
async fn image(store: &dyn AggregateStore) -> (Vec<String>, Status, usize, usize) {
    let chunks = store.folded_ids(None, usize::MAX).await.expect("chunks");
    let errored = store.errored(None, usize::MAX).await.expect("errored pings");
    let status = store.status().await.expect("the counters");
    (dump_of(store).await, status, chunks.len(), errored.len())
}

async fn an_empty_store_answers_with_nothing(store: &dyn AggregateStore) {
    assert_eq!(image(store).await, (Vec::new(), Status::default(), 0, 0));
    assert_eq!(store.fold_version().await.expect("no version"), None);
    let document = DocumentKey::from_bytes([1; 16]);
    assert_eq!(store.seen(&[document]).await.expect("no copies"), []);
}

async fn a_folded_chunk_keeps_its_batch_out(store: &dyn AggregateStore) {
    commit(store, full_batch(1)).await;
    let before = image(store).await;
    let mut batch = full_batch(2);
    batch.chunks.insert(0, folded_chunk(chunk_id(7, 1, 1)));
    let committed = store.commit(batch).await.expect("an answer");
    assert_eq!(committed, Committed::AlreadyFolded(vec![chunk_id(7, 1, 1)]));
    assert_eq!(image(store).await, before, "nothing of the batch is written");
    let asked = [chunk_id(7, 1, 2), chunk_id(7, 1, 1), chunk_id(8, 1, 1)];
    assert_eq!(
        store.folded(&asked).await.expect("an answer"),
        [false, true, false]
    );
    commit(store, full_batch(2)).await;
    assert_eq!(
        store.folded(&asked).await.expect("an answer"),
        [true, true, false]
    );
}

async fn folded_chunks_come_in_pages(store: &dyn AggregateStore) {
    let mut ids: Vec<_> = [
        (9, 1, 2),
        (9, 1, 10),
        (2, 3, 1),
        (200, 1, 1),
        (2, 1, 0),
        (9, 2, 1),
    ]
    .map(|(incarnation, boot, plan)| chunk_id(incarnation, boot, plan))
    .to_vec();
    for id in &ids {
        let batch = Batch {
            chunks: vec![folded_chunk(*id)],
            ..Batch::default()
        };
        commit(store, batch).await;
    }
    ids.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.folded_ids(after, 4).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(*last);
        found.extend(page);
    }
    assert_eq!(found, ids);
}

async fn a_wrong_batch_leaves_nothing_behind(store: &dyn AggregateStore) {
    commit(store, full_batch(1)).await;
    let before = image(store).await;
    for round in 0..2 {
        let mut wrong = full_batch(2);
        wrong.errored.push(errored(1, u64::MAX, "no such sequence"));
        let error = store
            .commit(wrong)
            .await
            .expect_err("a sequence above 2^63 is refused");
        assert!(matches!(error, AggregateError::Batch(_)), "{error}");
        let mut twice = full_batch(2);
        twice.chunks.push(twice.chunks[0].clone());
        let error = store.commit(twice).await.expect_err("a chunk twice is refused");
        assert!(matches!(error, AggregateError::Batch(_)), "{error}");
        assert_eq!(image(store).await, before, "round {round}");
    }
    // Names that came first in a batch that was refused are names like others.
    commit(store, full_batch(3)).await;
    commit(store, full_batch(2)).await;
    let metrics = store
        .filter_options(&Source::telemetry_main(), "nightly", "41", usize::MAX)
        .await
        .expect("filters")
        .metrics;
    assert_eq!(metrics, ["METRIC_1", "METRIC_2", "METRIC_3"]);
    assert_eq!(
        store.errored(None, 9).await.expect("errored")[1],
        errored(7, 2, "gzip")
    );
    let copies = store
        .seen(&[DocumentKey::from_bytes([1; 16])])
        .await
        .expect("copies");
    assert_eq!(copies, [seen(1, 3, true), seen(1, 2, true), seen(1, 1, true)]);
}

async fn a_copy_is_replaced_by_itself_only(store: &dyn AggregateStore) {
    let mut rows = vec![seen(1, 1, true), seen(1, 2, false), seen(2, 3, true)];
    let batch = |seen: &[SeenRow]| Batch {
        seen: seen.to_vec(),
        ..Batch::default()
    };
    commit(store, batch(&rows)).await;
    rows[0] = SeenRow {
        chunk: chunk_id(8, 8, 8),
        position: 0,
        counted: false,
        ..rows[0].clone()
    };
    commit(store, batch(&rows[..1])).await;
    let asked = [3, 2, 1, 1].map(|document| DocumentKey::from_bytes([document; 16]));
    let copies = store.seen(&asked).await.expect("copies");
    assert_eq!(
        copies,
        [rows[1].clone(), rows[0].clone(), rows[2].clone()],
        "later records were received first"
    );
}

async fn errored_pings_come_in_pages(store: &dyn AggregateStore) {
    let mut rows = vec![
        errored(3, 9, "utf8"),
        errored(1, 200, "json"),
        errored(3, 10, "json"),
        errored(1, 3, "a"),
    ];
    let batch = |errored: &[ErroredRow]| Batch {
        errored: errored.to_vec(),
        ..Batch::default()
    };
    commit(store, batch(&rows)).await;
    rows[0].reason = "deep".to_owned();
    commit(store, batch(&rows[..1])).await;
    rows.sort_by_key(|row| row.record);
    assert_eq!(store.errored(None, 3).await.expect("a page"), rows[..3]);
    let rest = store.errored(Some(rows[2].record), 3).await.expect("a page");
    assert_eq!(rest, rows[3..]);
}

async fn counters_add_up(store: &dyn AggregateStore) {
    let batch = |sign: i64, received: i64| Batch {
        counters: Counters {
            folded: 5 * sign,
            repeated: 2,
            stored_only: 7,
            errored_pings: 3,
        },
        errored_by_reason: BTreeMap::from([("gzip".to_owned(), 1), ("json".to_owned(), 2)]),
        refused_by_reason: BTreeMap::from([("gzip".to_owned(), 4 * sign)]),
        newest_received: Some(Timestamp::from_micros(received)),
        ..Batch::default()
    };
    commit(store, batch(1, 50)).await;
    commit(store, batch(-1, 40)).await;
    commit(store, Batch::default()).await;
    let expected = Status {
        counters: Counters {
            folded: 0,
            repeated: 4,
            stored_only: 14,
            errored_pings: 6,
        },
        errored_by_reason: BTreeMap::from([("gzip".to_owned(), 2), ("json".to_owned(), 4)]),
        refused_by_reason: BTreeMap::new(),
        newest_received: Some(Timestamp::from_micros(50)),
    };
    assert_eq!(store.status().await.expect("the counters"), expected);
    let query = CellQuery {
        source: Source::telemetry_main(),
        metric: "NONE".to_owned(),
        filters: Vec::new(),
        label: None,
        processes: None,
        group_by: Vec::new(),
        by_process: false,
    };
    let series = store.series(&query, Bounds::NONE).await.expect("an answer");
    let reached = Series {
        rows: Vec::new(),
        newest_received: expected.newest_received,
    };
    assert_eq!(series, reached, "a series says how far what is counted reaches");
}

async fn the_fold_version_is_set_once(store: &dyn AggregateStore) {
    let version = FoldVersion {
        code: 1,
        settings: r#"{"window_days":14}"#.to_owned(),
    };
    for _ in 0..2 {
        store
            .set_fold_version(&version)
            .await
            .expect("the same one may be set again");
        assert_eq!(
            store.fold_version().await.expect("a version"),
            Some(version.clone())
        );
    }
    let other = FoldVersion {
        code: 2,
        ..version.clone()
    };
    let error = store
        .set_fold_version(&other)
        .await
        .expect_err("another one is refused");
    assert!(matches!(error, AggregateError::OtherFoldVersion { stored } if stored == version));
}
