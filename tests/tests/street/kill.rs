//! Kill -9 at random moments under load: what was answered 200 is in exactly one chunk and counted once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tests::{Client, Pipeline, SmallPing, gzip, run};

const SENDERS: usize = 4;

/// With fewer acknowledged pings the test would show little.
const ACKNOWLEDGED_MIN: usize = 101;

/// How long the last life may take until so many are: on a machine with little to spare, minutes.
const LAST_LIFE_MAX: Duration = Duration::from_secs(600);

/// How often it is looked whether enough are acknowledged.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How often the process is killed: 10 times, or as the soak wants.
fn kills() -> u32 {
    if std::env::var_os("HIGHWATER_SOAK").is_some() {
        100
    } else {
        10
    }
}

fn seed() -> u64 {
    std::env::var("HIGHWATER_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_170_130)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
fn sleep(duration: Duration) {
    thread::sleep(duration);
}

/// The `number`th attempt: a fresh document each time, in one of several partitions, with a sum of its own.
fn attempt(number: u64) -> SmallPing {
    let mut ping = SmallPing::numbered(number);
    ping.version = format!("{}.0a1", 50 + number % 7);
    ping.bins = vec![(1, 1), (7, i64::try_from(number % 5).expect("small"))];
    ping.filling = 500 + usize::try_from(number % 3_000).expect("small");
    ping
}

/// Posts until told to stop; notes which attempts were answered 200.
fn send(edge: &str, next: &AtomicU64, stop: &AtomicBool, acknowledged: &Mutex<BTreeSet<u64>>) {
    let mut client = Client::new(edge);
    while !stop.load(Ordering::SeqCst) {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let ping = attempt(number);
        match client.post(&ping.uri(), &[("Content-Encoding", "gzip")], &gzip(&ping.body())) {
            Ok(response) if response.status == 200 => {
                acknowledged.lock().expect("no sender panics").insert(number);
            }
            Ok(response) => panic!(
                "a well-formed ping was answered {}: {}",
                response.status,
                response.text()
            ),
            Err(_) => return,
        }
    }
}

/// Serves and sends for so long, and until so many are acknowledged, then kills.
fn one_life(
    data: &Path,
    life: Duration,
    least: usize,
    next: &Arc<AtomicU64>,
    acknowledged: &Arc<Mutex<BTreeSet<u64>>>,
) {
    let pipeline = Pipeline::start(data, &["--seal-age", "200ms"]);
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (edge, next, stop, acknowledged) = (
                pipeline.edge.clone(),
                next.clone(),
                stop.clone(),
                acknowledged.clone(),
            );
            #[expect(clippy::disallowed_methods, reason = "load from outside the program")]
            thread::spawn(move || send(&edge, &next, &stop, &acknowledged))
        })
        .collect();
    sleep(life);
    let mut waited = Duration::ZERO;
    while acknowledged.lock().expect("no sender panics").len() < least {
        assert!(
            waited < LAST_LIFE_MAX,
            "little is acknowledged within ten minutes"
        );
        waited += LOOK_AGAIN;
        sleep(LOOK_AGAIN);
    }
    pipeline.kill();
    stop.store(true, Ordering::SeqCst);
    for sender in senders {
        sender
            .join()
            .expect("a sender that saw only 200s and cut connections");
    }
}

/// How often each document is stored, and the sum it carries, by what `highwater pings` prints.
fn stored(data: &Path) -> BTreeMap<String, u32> {
    let printed = run(&["pings", "--data-dir", &data.display().to_string()]);
    assert!(printed.success, "{}", printed.stderr);
    let mut found = BTreeMap::new();
    for line in printed.stdout.lines() {
        let ping: Value = serde_json::from_str(line).expect("a line of JSON");
        *found
            .entry(ping["meta"]["documentId"].as_str().expect("an id").to_owned())
            .or_default() += 1;
    }
    found
}

/// The sum and count of `GC_MS` over all versions, as the API answers.
fn answered(pipeline: &Pipeline) -> (i64, i64) {
    let mut api = pipeline.api_client();
    let (mut sum, mut count) = (0, 0);
    for version in 50..57 {
        let target = format!(
            "/aggregates_by/build_id/channels/nightly/?version={version}&dates=20170130&metric=GC_MS"
        );
        let response = api.get(&target).expect("an answer");
        if response.status == 200 {
            let point = &response.json()["data"][0];
            sum += point["sum"].as_i64().expect("a sum");
            count += point["count"].as_i64().expect("a count");
        }
    }
    (sum, count)
}

#[test]
fn every_acknowledged_ping_survives_kill_9_and_counts_once_soak() {
    let seed = seed();
    println!("seed {seed} (HIGHWATER_SEED), {} kills", kills());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (next, acknowledged) = (Arc::new(AtomicU64::new(1)), Arc::new(Mutex::new(BTreeSet::new())));
    for _ in 0..kills() {
        let life = Duration::from_millis(random.random_range(20..700));
        one_life(&data, life, 0, &next, &acknowledged);
    }
    // Where little was acknowledged in all these lives, a last one goes on until enough is.
    one_life(&data, Duration::ZERO, ACKNOWLEDGED_MIN, &next, &acknowledged);
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_until_settled();
    let stored = stored(&data);
    let acknowledged = acknowledged.lock().expect("no sender panics").clone();
    println!(
        "{} acknowledged, {} stored, {} attempts",
        acknowledged.len(),
        stored.len(),
        next.load(Ordering::SeqCst)
    );
    for number in &acknowledged {
        let id = attempt(*number).document_id;
        assert_eq!(
            stored.get(&id),
            Some(&1),
            "acknowledged ping {id}: stored as often"
        );
    }
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times != 1).collect();
    assert!(doubled.is_empty(), "stored more than once: {doubled:?}");
    let numbers = stored
        .keys()
        .map(|id| u64::from_str_radix(&id[24..], 16).expect("a number in the id"));
    let expected: i64 = numbers.map(|number| attempt(number).sum()).sum();
    let count = i64::try_from(stored.len()).expect("few");
    assert_eq!(
        answered(&pipeline),
        (expected, count),
        "the sums of what is stored"
    );
    assert_eq!(
        (status["accepted"].as_i64(), status["folded"].as_i64()),
        (Some(count), Some(count)),
        "{status}"
    );
}
