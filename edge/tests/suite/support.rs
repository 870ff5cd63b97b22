//! An edge over a simulated disk and any store, and what the tests ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chunk::ChunkReader;
use disk::{Disk, SimulatedDisk};
use edge::intake::{Accepted, Intake, Refusal};
use edge::{Edge, EdgeError, EdgeLimits, EdgeOptions, Parts, Privacy};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use ping::{ClientHash, DimensionSchema, Incarnation, RecordId};
use service::clock::{Clock, HandClock, SystemClock};
use service::random::SeededRandom;
use store::{Blocking, DirectoryStore, MemoryStore, Store};
use tokio::sync::mpsc;

pub(crate) const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

/// 2026-11-23T12:00:00Z.
pub(crate) const NOON_US: i64 = 1_795_435_200_000_000;

/// A record in a chunk: where it was found, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) uri: String,
    pub(crate) body: Vec<u8>,
    pub(crate) error: Option<String>,
    pub(crate) client_hash: Option<ClientHash>,
}

/// An edge, and where it announces chunks to.
pub(crate) struct Running {
    pub(crate) edge: Arc<Edge>,
    pub(crate) announced: mpsc::Receiver<String>,
}

pub(crate) fn limits() -> EdgeLimits {
    EdgeLimits {
        log_bytes: 1 << 20,
        segment_bytes: 8 << 10,
        seal_age: Duration::from_secs(3_600),
        seals: 2,
        retry: Duration::from_millis(1),
        ..EdgeLimits::default()
    }
}

pub(crate) fn options(limits: EdgeLimits) -> EdgeOptions {
    EdgeOptions {
        claims: None,
        log_dir: PathBuf::from("/log"),
        staging_dir: PathBuf::from("/staging"),
        damaged_dir: PathBuf::from("/damaged"),
        prefix: "pings".to_owned(),
        limits,
    }
}

/// Opens an edge on these; announcements have much room.
pub(crate) async fn open(
    disk: Arc<dyn Disk>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: EdgeOptions,
) -> Result<Running, EdgeError> {
    open_by(disk, store, clock, options, Privacy::none()).await
}

/// The same by privacy rules.
pub(crate) async fn open_by(
    disk: Arc<dyn Disk>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: EdgeOptions,
    privacy: Privacy,
) -> Result<Running, EdgeError> {
    let (announce, announced) = mpsc::channel(10_000);
    let parts = Parts {
        disk,
        store,
        clock,
        random: SeededRandom::new(7),
        schema: DimensionSchema::default(),
        incarnation: OWN,
        privacy,
        announce,
    };
    Ok(Running {
        edge: Edge::open(options, parts).await?,
        announced,
    })
}

/// Opens an edge on a simulated disk, at noon.
pub(crate) async fn open_simulated(
    disk: &SimulatedDisk,
    store: Arc<dyn Store>,
    limits: EdgeLimits,
) -> Result<Running, EdgeError> {
    open(
        disk.shared(),
        store,
        HandClock::at_micros(NOON_US),
        options(limits),
    )
    .await
}

pub(crate) fn system_clock() -> Arc<dyn Clock> {
    SystemClock::shared()
}

/// A directory store on the same simulated disk, all of whose work is done by the caller.
pub(crate) fn directory(disk: &SimulatedDisk) -> Arc<dyn Store> {
    // The store makes its own folders below the data directory's.
    let _ = disk.create_dir(&PathBuf::from("/staging"));
    let _ = disk.create_dir(&PathBuf::from("/store"));
    let _ = disk.sync_dir(&PathBuf::from("/"));
    Arc::new(DirectoryStore::new(
        disk.shared(),
        "/store".into(),
        "/staging".into(),
        Blocking::Inline,
    ))
}

pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

pub(crate) fn uri(number: u64, channel: &str) -> String {
    format!(
        "/submit/telemetry/00000000-0000-4000-8000-{number:012}/main/Firefox/61.0/{channel}/20180328030202?v=4"
    )
}

/// Submits a ping with this body, sent as it is.
pub(crate) async fn submit(edge: &Edge, number: u64, channel: &str, body: &[u8]) -> Result<(), Refusal> {
    submit_with(edge, &uri(number, channel), &[], body).await
}

pub(crate) async fn submit_with(
    edge: &Edge,
    uri: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(), Refusal> {
    edge.submit(Accepted {
        uri: Bytes::copy_from_slice(uri.as_bytes()),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Bytes::copy_from_slice(body),
    })
    .await
}

/// All records of all chunks in a store, by id; a record that stands twice is a panic.
pub(crate) async fn records(store: &dyn Store) -> BTreeMap<RecordId, Found> {
    let mut found = BTreeMap::new();
    let page = store.list("pings/", None, 100_000).await.expect("lists");
    assert!(!page.more);
    for object in page.objects {
        let bytes = store.get(&object.key).await.expect("there");
        chunk::verify(&bytes).unwrap_or_else(|damage| panic!("{}: {damage}", object.key));
        for (id, record) in records_of(&object.key, bytes) {
            let before = found.insert(id, record.clone());
            assert!(before.is_none(), "{id} stands twice: {before:?} and {record:?}");
        }
    }
    found
}

fn records_of(key: &str, bytes: Bytes) -> Vec<(RecordId, Found)> {
    let mut reader = ChunkReader::new(bytes).expect("a chunk");
    let mut found = Vec::new();
    for number in 0..reader.tail().data_frames.len() {
        let raw = reader.frame(number).expect("decodes").to_vec();
        for record in chunk::records(&raw) {
            let record = record.expect("a record");
            found.push((
                record.id,
                Found {
                    key: key.to_owned(),
                    uri: String::from_utf8(record.uri.to_vec()).expect("as sent"),
                    body: record.body.to_vec(),
                    error: record.error.map(str::to_owned),
                    client_hash: record.client_hash,
                },
            ));
        }
    }
    found
}

/// Whether something happens before a long time has passed.
pub(crate) async fn comes_to_pass(what: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = what => true,
        () = service::task::sleep(Duration::from_secs(60)) => false,
    }
}

/// Submits until one is refused; answers the numbers that were taken.
pub(crate) async fn fill(edge: &Edge, from: u64, body: &[u8]) -> (BTreeSet<u64>, Refusal) {
    let mut taken = BTreeSet::new();
    for number in from.. {
        match submit(edge, number, "release", body).await {
            Ok(()) => taken.insert(number),
            Err(refusal) => return (taken, refusal),
        };
    }
    unreachable!("there is no end of numbers")
}

/// Submits until it is taken.
pub(crate) async fn submit_until_taken(edge: &Edge, number: u64) {
    while submit(edge, number, "release", b"{}").await.is_err() {
        service::task::sleep(Duration::from_millis(5)).await;
    }
}

/// All of these are in chunks.
pub(crate) async fn assert_chunked(store: &dyn Store, taken: &BTreeSet<u64>) {
    let found = records(store).await;
    let uris: BTreeSet<_> = found.values().map(|record| record.uri.clone()).collect();
    for number in taken {
        assert!(
            uris.contains(&uri(*number, "release")),
            "{number} was taken and is lost"
        );
    }
}

/// Runs a test's future on a runtime of its own.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// What a gauge or counter says, named with its labels as it is rendered; `None` before it is published.
pub(crate) fn figure(handle: &PrometheusHandle, name: &str) -> Option<f64> {
    let text = handle.render();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map(|value| value.parse().expect("a number"))
}

/// Runs with metrics of its own: all tasks of an edge but the writer of its log run in this thread.
pub(crate) fn run_measured<T>(body: impl AsyncFnOnce(PrometheusHandle) -> T) -> T {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    metrics::with_local_recorder(&recorder, || {
        edge::metrics::describe();
        edge::door::metrics::describe();
        runtime.block_on(body(handle))
    })
}
