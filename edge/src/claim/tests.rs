//! Claims over stores that fail, and copies of data directories.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::SimulatedDisk;
use ping::Incarnation;
use proptest::prelude::*;
use service::random::SeededRandom;
use service::shutdown::Shutdown;
use store::{MemoryStore, Odds, Store, UnreliableStore};

use super::take::{ClaimError, Claims, boots, take};
use super::watch::watch;
use crate::failure::Failure;

const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

/// A data directory: what it remembers of claims, and how often its log was started.
struct Node {
    disk: SimulatedDisk,
    boot: u64,
    kernel: &'static str,
}

fn memory() -> MemoryStore {
    MemoryStore::new(SimulatedDisk::new().shared())
}

impl Node {
    fn new() -> Self {
        Self {
            disk: SimulatedDisk::new(),
            boot: 0,
            kernel: "here",
        }
    }

    /// Another disk with the same bytes.
    fn copy(&self) -> Self {
        Self {
            disk: self.disk.kill(),
            boot: self.boot,
            kernel: "here",
        }
    }

    /// The next start.
    async fn start(&mut self, store: &dyn Store) -> Result<(), ClaimError> {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        self.boot += 1;
        let random = SeededRandom::new(DRAWN.fetch_add(1, Ordering::Relaxed));
        let claims = Claims {
            kernel: self.kernel.to_owned(),
        };
        let disk = self.disk.shared();
        take(
            &claims,
            (store, &disk, random.as_ref()),
            (OWN, self.boot),
            Path::new("/log"),
        )
        .await
    }
}

#[tokio::test(start_paused = true)]
async fn one_directory_starts_as_often_as_it_likes_and_leaves_one_claim() {
    let (store, mut node) = (memory(), Node::new());
    for boot in 1..=20 {
        node.start(&store).await.expect("it is its own log");
        assert_eq!(boots(&store, OWN).await, Ok(vec![boot]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_starts_after_the_original_went_on_is_refused_however_often_it_tries() {
    let (store, mut node) = (memory(), Node::new());
    node.start(&store).await.expect("the first start");
    let mut copy = node.copy();
    node.start(&store).await.expect("the original goes on");
    for _ in 0..5 {
        let refused = copy.start(&store).await;
        assert!(
            matches!(refused, Err(ClaimError::Another { boot: 2, .. })),
            "{refused:?}"
        );
    }
    node.start(&store).await.expect("the original is not disturbed");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_starts_first_goes_on_and_the_original_is_ended_and_refused() {
    let (store, mut node) = (Arc::new(memory()), Node::new());
    node.start(store.as_ref()).await.expect("the first start");
    let (failure, (_trigger, shutdown)) = (Failure::new(), Shutdown::new());
    let watching = tokio::spawn(watch(store.clone(), OWN, node.boot, failure.clone(), shutdown));
    let mut copy = node.copy();
    copy.start(store.as_ref()).await.expect("the copy was faster");
    watching.await.expect("it ends by itself");
    assert!(failure.told().is_some_and(|words| words.contains("copied")));
    let refused = node.start(store.as_ref()).await;
    assert!(
        matches!(refused, Err(ClaimError::Another { boot: 2, .. })),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_start_on_another_machine_the_last_holder_has_time_to_notice() {
    let (store, mut node) = (memory(), Node::new());
    let begun = tokio::time::Instant::now();
    node.start(&store).await.expect("the first start");
    node.start(&store)
        .await
        .expect("the lock tells that the last one is gone");
    assert_eq!(begun.elapsed().as_secs(), 0);
    node.kernel = "there";
    node.start(&store).await.expect("the disk was moved");
    assert!(begun.elapsed() >= 2 * super::watch::LOOK_EVERY);
}

#[tokio::test(start_paused = true)]
async fn a_log_put_back_from_an_older_copy_is_refused() {
    let (store, mut node) = (memory(), Node::new());
    node.start(&store).await.expect("the first start");
    node.start(&store).await.expect("the second start");
    node.boot = 0;
    let refused = node.start(&store).await;
    assert!(
        matches!(refused, Err(ClaimError::WentBack { boot: 2, .. })),
        "{refused:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Copies are made and started in any order, on a store that loses calls and answers: never do two go on with one log.
    #[test]
    fn of_all_copies_one_at_most_goes_on(seed: u64, deeds in prop::collection::vec((0_usize..4, 0_u8..4), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let odds = Odds { refused: 0.1, answer_lost: 0.15, call_lost: 0.15 };
            let store = UnreliableStore::new(Arc::new(memory()), seed, odds);
            let mut nodes = vec![Node::new()];
            // Who started last and was let go on; the copies made of it since are as good as it is, until one starts.
            let mut line: Vec<usize> = vec![0];
            for (which, deed) in deeds {
                let which = which % nodes.len();
                if deed == 0 && nodes.len() < 4 {
                    nodes.push(nodes[which].copy());
                    if line.contains(&which) {
                        line.push(nodes.len() - 1);
                    }
                } else if nodes[which].start(&store).await.is_ok() {
                    assert!(line.contains(&which), "a copy goes on that another left behind");
                    line = vec![which];
                }
            }
        });
    }
}
