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

use super::take::{ClaimError, Claims, boots, look, take};
use super::watch::watch;
use crate::failure::Failure;
use crate::log::starts::Starts;

const OWN: Incarnation = Incarnation::from_bytes([0xab; 16]);

/// A data directory: what it remembers of claims, and how often its log was started, which stands beside it.
struct Node {
    disk: SimulatedDisk,
    lock: &'static str,
}

fn memory() -> MemoryStore {
    MemoryStore::new(SimulatedDisk::new().shared())
}

impl Node {
    fn new() -> Self {
        Self {
            disk: SimulatedDisk::new(),
            lock: "here.8.17",
        }
    }

    /// Another disk with the same bytes, on the same machine.
    fn copy(&self) -> Self {
        Self {
            disk: self.disk.kill(),
            lock: "here.8.18",
        }
    }

    /// How often its log was started.
    fn boot(&self) -> u64 {
        let starts = Starts::beside(Path::new("/log"), OWN);
        starts.remembered(&self.disk).expect("read")
    }

    /// Puts the log back as it was at a start.
    fn put_back(&self, boot: u64) {
        let starts = Starts::beside(Path::new("/log"), OWN);
        starts.remember(&self.disk, boot).expect("written");
    }

    /// The next start.
    async fn start(&mut self, store: &dyn Store) -> Result<(), ClaimError> {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let random = SeededRandom::new(DRAWN.fetch_add(1, Ordering::Relaxed));
        let claims = Claims {
            lock: self.lock.to_owned(),
        };
        let (disk, log) = (self.disk.shared(), Path::new("/log"));
        let claimable = look(&claims, (store, &disk), OWN, log).await?;
        // As the log does when it is opened.
        let boot = self.boot() + 1;
        self.put_back(boot);
        let doors: (_, _, &dyn service::random::Random) = (store, &disk, random.as_ref());
        take(&claims, claimable, doors, (OWN, boot), log).await
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
    let watch = watch(store.clone(), OWN, node.boot(), failure.clone(), shutdown);
    let watching = service::task::spawn("watch", watch);
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
#[expect(clippy::disallowed_methods, reason = "the clock of this runtime stands still")]
async fn only_the_lock_of_the_last_holder_itself_saves_the_wait_for_it_to_notice() {
    let store = memory();
    let mut node = Node::new();
    let begun = tokio::time::Instant::now();
    for _ in 0..5 {
        node.start(&store)
            .await
            .expect("the lock tells that the last one is gone");
    }
    assert_eq!(begun.elapsed().as_secs(), 0);
    // A copy on the same machine; the disk in another machine; a lock file made anew; a lock that nobody can name.
    for lock in ["here.8.18", "there.8.18", "here.8.19", "", ""] {
        let begun = tokio::time::Instant::now();
        node = Node { lock, ..node.copy() };
        node.start(&store).await.expect("nobody else started");
        assert!(begun.elapsed() >= 2 * super::watch::LOOK_EVERY, "{lock:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_put_back_from_an_older_copy_is_refused_however_often_it_tries() {
    let (store, mut node) = (memory(), Node::new());
    for _ in 0..3 {
        node.start(&store).await.expect("it is its own log");
    }
    for back in [0, 1, 2] {
        node.put_back(back);
        for _ in 0..5 {
            let refused = node.start(&store).await;
            assert!(
                matches!(refused, Err(ClaimError::WentBack { boot: 3, .. })),
                "{refused:?}"
            );
            assert_eq!(node.boot(), back, "a refused start leaves all as it was");
        }
    }
    node.put_back(3);
    node.start(&store).await.expect("the newer one was put back");
}

#[tokio::test(start_paused = true)]
async fn an_edge_whose_claim_is_deleted_ends_for_another_was_to_go_on() {
    for _ in 0..5 {
        let (store, mut node) = (Arc::new(memory()), Node::new());
        node.start(store.as_ref()).await.expect("the first start");
        let mut copy = node.copy();
        let (failure, (_trigger, shutdown)) = (Failure::new(), Shutdown::new());
        let watch = watch(store.clone(), OWN, node.boot(), failure.clone(), shutdown);
        let watching = service::task::spawn("watch", watch);
        let claim = store.list("edges/", None, 10).await.expect("listed").objects;
        store.delete(&claim[0].key).await.expect("deleted");
        // It waits for the one that runs, though no claim tells of it.
        copy.start(store.as_ref()).await.expect("it was to go on");
        assert!(watching.is_finished());
        assert!(failure.told().is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Copies are made and started in any order, on a store that loses calls and answers: never do two go on with one log.
    #[test]
    fn of_all_copies_one_at_most_goes_on(seed: u64, actions in prop::collection::vec((0_usize..4, 0_u8..4), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let odds = Odds { refused: 0.1, answer_lost: 0.15, call_lost: 0.15 };
            let store = UnreliableStore::new(Arc::new(memory()), seed, odds);
            let mut nodes = vec![Node::new()];
            // Who started last and was let go on; the copies made of it since are as good as it is, until one starts.
            let mut line: Vec<usize> = vec![0];
            for (which, copy) in actions {
                let which = which % nodes.len();
                if copy == 0 && nodes.len() < 4 {
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
