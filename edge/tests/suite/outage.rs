//! While the index, or the store, is away: what goes on, what is told, and which alarms that makes fire.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use disk::SimulatedDisk;
use edge::door::{DoorLimits, SubmissionHandler};
use edge::{Edge, EdgeLimits, Parts};
use metrics_exporter_prometheus::PrometheusHandle;
use ping::DimensionSchema;
use service::clock::HandClock;
use service::dockerflow::{Health, Version};
use service::http::{ConnectionLimits, Listener};
use service::random::SeededRandom;
use service::shutdown::Shutdown;
use store::{ListPage, ObjectMeta, Odds, Payload, Put, Store, StoreError, UnreliableStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::*;

const DEADLINE: Duration = Duration::from_secs(60);

fn away(inner: &Arc<dyn Store>) -> UnreliableStore {
    let odds = Odds {
        refused: 1.0,
        ..Odds::default()
    };
    UnreliableStore::new(Arc::clone(inner), 1, odds)
}

async fn until(what: &str, edge: &Edge, holds: impl Fn() -> bool) {
    let (clock, begun) = (system_clock(), system_clock().monotonic());
    while !holds() {
        assert!(
            clock.monotonic() - begun < DEADLINE,
            "{what}: {:?}",
            edge.status()
        );
        service::task::sleep(Duration::from_millis(5)).await;
    }
}

/// That the rules have this expression: it is computed here by hand.
fn assert_rule(expression: &str) {
    let rules = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../infra/prometheus/alerts.yaml"
    ));
    let rules = rules.expect("the rules");
    let words: Vec<&str> = rules.split_whitespace().collect();
    assert!(
        words.join(" ").contains(expression),
        "the rules have no `{expression}`"
    );
}

/// Nobody takes what is announced, as when the index is away and its indexer waits for it.
#[test]
fn an_index_outage_stops_no_seal_whatever_the_number_of_chunks() {
    run_measured(async |handle| {
        for room in [1, 3] {
            let (disk, store) = (SimulatedDisk::new(), memory());
            let (announce, mut announced) = mpsc::channel(room);
            let limits = EdgeLimits { seals: 2, ..limits() };
            let parts = Parts {
                disk: disk.shared(),
                store: Arc::clone(&store),
                clock: HandClock::at_micros(NOON_US),
                random: SeededRandom::new(7),
                schema: DimensionSchema::default(),
                incarnation: OWN,
                privacy: edge::Privacy::none(),
                announce,
            };
            let edge = Edge::open(options(limits), parts).await.expect("opens");
            let untold = figure(&handle, "highwater_edge_unannounced_chunks_total").expect("published");
            let channels = ["release", "beta", "nightly", "esr", "aurora"];
            for round in 0..4_u64 {
                for (number, channel) in (round * 10..).zip(channels) {
                    submit(&edge, number, channel, b"{}").await.expect("taken");
                }
                let sealed = tokio::time::timeout(DEADLINE, edge.wait_until_sealed()).await;
                assert!(sealed.is_ok(), "round {round}: {:?}", edge.status());
            }
            assert_eq!((edge.status().chunked, edge.status().waiting), (20, 0));
            assert_eq!(records(store.as_ref()).await.len(), 20);
            let now = figure(&handle, "highwater_edge_unannounced_chunks_total").expect("published");
            assert!(
                (now - untold - (20 - room) as f64).abs() < 0.5,
                "{untold} to {now}"
            );
            // Once somebody listens again, what comes is told.
            while announced.try_recv().is_ok() {}
            submit(&edge, 99, "release", b"{}").await.expect("taken");
            edge.wait_until_sealed().await;
            assert!(announced.try_recv().is_ok());
            edge.shutdown(false).await;
        }
    });
}

/// All places are taken by seals that wait for the store; the figures move on.
#[test]
fn gauges_move_while_every_seal_waits_for_the_store() {
    run_measured(async |handle| {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            seals: 1,
            retry: Duration::from_secs(30),
            ..limits()
        };
        let running = open_simulated(&disk, Arc::new(away(&inner)), limits)
            .await
            .expect("opens");
        let edge = &running.edge;
        submit(edge, 1, "release", &[b' '; 500]).await.expect("taken");
        edge.seal_all();
        until("one seal has the only place", edge, || edge.status().seals == 1).await;
        for number in 2..40 {
            submit(edge, number, "beta", &[b' '; 500]).await.expect("taken");
        }
        let says =
            |name: &str, value: f64| figure(&handle, name).is_some_and(|now| (now - value).abs() < 0.5);
        until("the waiting pings", edge, || {
            says("highwater_edge_waiting_pings", 39.0)
        })
        .await;
        until("the bytes of the log", edge, || {
            says("highwater_edge_log_bytes", edge.status().log_bytes as f64)
        })
        .await;
        assert!(says("highwater_edge_open_partitions", 1.0));
        edge.shutdown(false).await;
    });
}

/// The slope of a line through points by least squares, as Prometheus' `deriv`.
fn deriv(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / count, y / count);
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}

/// Whether the condition of the alarm holds: the expression is that of the rules.
fn log_full_soon(points: &[(f64, f64)], budget: f64) -> bool {
    const EXPRESSION: &str = "highwater_edge_log_bytes + 3600 * deriv(highwater_edge_log_bytes[10m]) > on (instance) 0.95 * highwater_pipeline_log_budget_bytes";
    assert_rule(EXPRESSION);
    points.last().expect("a point").1 + 3600.0 * deriv(points) > 0.95 * budget
}

#[test]
fn the_alarm_of_a_log_that_is_full_soon_fires_in_an_outage_of_the_store_and_stays_while_it_is_full() {
    run_measured(async |handle| {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            seals: 1,
            retry: Duration::from_secs(30),
            log_bytes: 600_000,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::new(away(&inner)), limits)
            .await
            .expect("opens");
        let edge = &running.edge;
        submit(edge, 0, "release", b"{}").await.expect("taken");
        edge.seal_all();
        until("one seal has the only place", edge, || edge.status().seals == 1).await;
        let (clock, budget) = (system_clock(), edge.status().log_bytes_max as f64);
        let begun = clock.monotonic();
        let mut points = Vec::new();
        let scrape = |points: &mut Vec<(f64, f64)>| {
            let bytes = figure(&handle, "highwater_edge_log_bytes").expect("published");
            points.push(((clock.monotonic() - begun).as_secs_f64(), bytes));
        };
        let mut number = 1;
        while points.len() < 20 || !log_full_soon(&points, budget) {
            assert!(clock.monotonic() - begun < DEADLINE, "it never fires: {points:?}");
            for _ in 0..5 {
                submit(edge, number, "beta", &[b' '; 500]).await.expect("taken");
                number += 1;
            }
            scrape(&mut points);
            service::task::sleep(Duration::from_millis(150)).await;
        }
        assert!(
            edge.status().log_bytes_max > 2 * edge.status().log_bytes,
            "long before it is full"
        );
        while submit(edge, number, "beta", &[b' '; 500]).await.is_ok() {
            number += 1;
        }
        until("the gauge of the full log", edge, || {
            figure(&handle, "highwater_edge_log_bytes") == Some(edge.status().log_bytes as f64)
        })
        .await;
        let mut full = Vec::new();
        for _ in 0..3 {
            scrape(&mut full);
            service::task::sleep(Duration::from_millis(10)).await;
        }
        assert!(
            log_full_soon(&full, budget),
            "full, and it grows no more: {full:?} of {budget}"
        );
        edge.shutdown(false).await;
    });
}

#[test]
fn the_alarm_of_unequal_plans_fires_when_another_object_bears_a_chunks_key() {
    run_measured(async |handle| {
        const COUNTER: &str = "highwater_edge_plans_unequal_total";
        let (disk, store) = (SimulatedDisk::new(), memory());
        let running = open_simulated(&disk, Arc::clone(&store), limits())
            .await
            .expect("opens");
        // `increase` sees nothing of a counter that begins at 1.
        assert_eq!(figure(&handle, COUNTER), Some(0.0));
        for number in 1..4 {
            let key = format!(
                "pings/v1/submission_date=20261123/source_name=telemetry/source_version=4/doc_type=main/app_name=Firefox/app_update_channel=esr/app_version=61.0/app_build_id=20180328030202/{OWN}-1-{number}.zst"
            );
            let put = store.put_if_absent(&key, Payload::Bytes("another".into())).await;
            put.expect("put");
        }
        submit(&running.edge, 5, "esr", b"{}").await.expect("taken");
        running.edge.wait_until_sealed().await;
        assert_eq!(figure(&handle, COUNTER), Some(3.0));
        running.edge.shutdown(false).await;
    });
}

/// How often requests were not taken, by whether the reason is one of an outage; clients come again after these.
fn rejections(handle: &PrometheusHandle) -> (f64, f64) {
    const AGAIN: [&str; 4] = ["log_full", "log_unavailable", "overloaded", "below_floor"];
    const OTHERS_LEFT_OUT: [&str; 2] = ["body_slow", "body_cut"];
    let text = handle.render();
    let reasons = text.lines().filter_map(|line| {
        let (reason, count) = line
            .strip_prefix("highwater_edge_rejections_total{reason=\"")?
            .split_once("\"} ")?;
        Some((reason.to_owned(), count.parse::<f64>().expect("a number")))
    });
    let (mut again, mut for_ever) = (0.0, 0.0);
    for (reason, count) in reasons {
        if AGAIN.contains(&reason.as_str()) {
            again += count;
        } else if !OTHERS_LEFT_OUT.contains(&reason.as_str()) {
            for_ever += count;
        }
    }
    (again, for_ever)
}

async fn post(address: SocketAddr, path: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(body).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer.split(' ').nth(1).expect("a status line");
    status.parse().expect("a number")
}

/// Some requests; answers by how much the two counts rose in a second, and submissions.
async fn rates(
    handle: &PrometheusHandle,
    address: SocketAddr,
    path: &str,
    status: &[u16],
) -> (f64, f64, f64) {
    const SUBMISSIONS: &str = "highwater_edge_submissions_total";
    let clock = system_clock();
    let taken = || figure(handle, SUBMISSIONS).expect("published before the first");
    let (begun, before, taken_before) = (clock.monotonic(), rejections(handle), taken());
    for _ in 0..5 {
        let answered = post(address, path, &[b' '; 900]).await;
        assert!(status.contains(&answered), "{path}: {answered}");
    }
    let seconds = (clock.monotonic() - begun).as_secs_f64().max(1.0);
    let now = rejections(handle);
    (
        (now.0 - before.0) / seconds,
        (now.1 - before.1) / seconds,
        (taken() - taken_before) / seconds,
    )
}

#[test]
fn the_alarms_of_refused_and_of_rejected_pings_fire_each_in_its_own_outage() {
    assert_rule(
        "sum by (instance) (rate(highwater_edge_rejections_total{reason=~\"log_full|log_unavailable|overloaded|below_floor\"}[5m])) > 0.1",
    );
    assert_rule(
        "sum by (instance) (rate(highwater_edge_rejections_total{reason!~\"log_full|log_unavailable|overloaded|below_floor|body_slow|body_cut\"}[15m])) > 0.01 * sum by (instance) (rate(highwater_edge_submissions_total[15m])) + 0.1",
    );
    let refused = |(again, _, _): (f64, f64, f64)| again > 0.1;
    let rejected = |(_, for_ever, taken): (f64, f64, f64)| for_ever > 0.01 * taken + 0.1;
    run_measured(async |handle| {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            log_bytes: 40_000,
            retry: Duration::from_secs(30),
            ..limits()
        };
        let running = open_simulated(&disk, Arc::new(away(&inner)), limits)
            .await
            .expect("opens");
        let version = Version {
            source: "s",
            version: "1",
            commit: "c",
            build: "b",
        };
        let handler = SubmissionHandler::new(
            Arc::clone(&running.edge),
            Health::new(version),
            DoorLimits::default(),
        );
        let listener = Listener::bind("edge", ([127, 0, 0, 1], 0).into(), ConnectionLimits::default())
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let (_trigger, shutdown) = Shutdown::new();
        service::task::spawn("edge", listener.serve(handler, shutdown));
        let well = rates(&handle, address, &uri(1, "release"), &[200]).await;
        assert!(!refused(well) && !rejected(well), "{well:?}");
        let unknown = rates(&handle, address, "/submit", &[404]).await;
        assert!(!refused(unknown) && rejected(unknown), "{unknown:?}");
        disk.fail_syncs(|path, _| path.starts_with("/log"));
        let unwritable = rates(&handle, address, &uri(2, "release"), &[503, 507]).await;
        assert!(refused(unwritable) && !rejected(unwritable), "{unwritable:?}");
        disk.heal();
        until("it is writable again", &running.edge, || {
            running.edge.probe();
            running.edge.status().writable
        })
        .await;
        while post(address, &uri(3, "release"), &[b' '; 900]).await == 200 {}
        let full = rates(&handle, address, &uri(4, "release"), &[507]).await;
        assert!(refused(full) && !rejected(full), "{full:?}");
        running.edge.shutdown(false).await;
    });
}

/// A store that answers no put of a key with this in it, for ever.
#[derive(Debug)]
struct Silent {
    inner: Arc<dyn Store>,
    part: &'static str,
}

#[async_trait::async_trait]
impl Store for Silent {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        if key.contains(self.part) {
            std::future::pending::<()>().await;
        }
        self.inner.put_if_absent(key, payload).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.inner.get_tail(key, len).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

#[test]
fn a_put_that_is_never_answered_counts_as_stuck_and_the_others_go_on() {
    run_measured(async |handle| {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let store = Silent {
            inner: Arc::clone(&inner),
            part: "app_update_channel=nightly",
        };
        let running = open_simulated(&disk, Arc::new(store), limits())
            .await
            .expect("opens");
        let edge = &running.edge;
        for number in 0..6 {
            submit(edge, number, "nightly", b"{}").await.expect("taken");
        }
        edge.seal_all();
        until("it is told", edge, || edge.status().stuck_plans == 1).await;
        assert!(edge.status().oldest_stuck.is_some());
        until("the gauge tells, too", edge, || {
            figure(&handle, "highwater_edge_stuck_plans") == Some(1.0)
        })
        .await;
        submit(edge, 10, "release", b"{}").await.expect("taken");
        edge.seal_all();
        until("another is sealed", edge, || edge.status().chunked == 1).await;
        let found = disk.kill();
        // What waits for the answer ends with its runtime.
        let running = open_simulated(&found, Arc::clone(&inner), limits())
            .await
            .expect("opens");
        running.edge.wait_until_sealed().await;
        let uris: BTreeSet<String> = records(inner.as_ref())
            .await
            .into_values()
            .map(|found| found.uri)
            .collect();
        assert_eq!(uris.len(), 7);
        running.edge.shutdown(false).await;
    });
}

/// A store in which an object is there already whose end comes damaged the first times that it is read, each time otherwise.
#[derive(Debug)]
struct Garbling {
    inner: Arc<dyn Store>,
    left: AtomicU8,
}

#[async_trait::async_trait]
impl Store for Garbling {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.inner.put_if_absent(key, payload.clone()).await?;
        // The answer that it was created is lost, and the client of the store asks again.
        self.inner.put_if_absent(key, payload).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let (end, len) = self.inner.get_tail(key, len).await?;
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Ok((end, len));
        }
        self.left.store(left - 1, Ordering::SeqCst);
        let mut damaged = end.to_vec();
        let last = damaged.len() - usize::from(left);
        damaged[last] ^= 1;
        Ok((damaged.into(), len))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

#[test]
fn a_chunk_whose_end_comes_damaged_is_read_again_and_not_taken_for_another_object() {
    run(async {
        for times in 1..9 {
            let (disk, inner) = (SimulatedDisk::new(), memory());
            let store = Garbling {
                inner: Arc::clone(&inner),
                left: AtomicU8::new(times),
            };
            let running = open_simulated(&disk, Arc::new(store), limits())
                .await
                .expect("opens");
            submit(&running.edge, 1, "release", b"{}").await.expect("taken");
            running.edge.wait_until_sealed().await;
            assert_eq!(records(inner.as_ref()).await.len(), 1, "damaged {times} times");
            let stored = inner.list("pings/", None, 10).await.expect("lists");
            assert_eq!(stored.objects.len(), 1, "damaged {times} times");
        }
    });
}
