//! An answer takes two round trips, and is of one moment: whatever comes into use between the two, and though what was in use
//! before is removed by then.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aggregate_store::conformance::{any_additions, cell_batch, chunk_id, folded_chunk};
use aggregate_store::{
    AggregateReads, AggregateStore, Batch, Bounds, CellQuery, Committed, Counters, Days, Flip, Flipped,
    PostgresAggregates, PostgresSettings, RebuildWish, Rebuilds, Source, SourceCounts,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::test_database::TestDatabase;

/// What lies between a store and the server: it holds up what is asked with certain words, once.
#[derive(Debug, Default)]
struct Between {
    words: Mutex<Option<&'static str>>,
    held: Notify,
    goes_on: Notify,
}

impl Between {
    /// Listens, and passes on to this port; where it listens.
    async fn listen(self: &Arc<Self>, server: u32) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (between, server) = (Arc::clone(self), u16::try_from(server).expect("a port"));
        task::spawn("between", async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server))
                    .await
                    .expect("it listens");
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                task::spawn(
                    "questions",
                    Arc::clone(&between).pass_on(from_client, to_server, true),
                );
                task::spawn(
                    "answers",
                    Arc::clone(&between).pass_on(from_server, to_client, false),
                );
            }
        });
        port
    }

    async fn pass_on(self: Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, asks: bool) {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            if asks && self.is_waited_for(&bytes[..read]) {
                self.held.notify_one();
                self.goes_on.notified().await;
            }
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    }

    fn is_waited_for(&self, bytes: &[u8]) -> bool {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(bytes);
        words.take_if(|words| said.contains(*words)).is_some()
    }

    /// Holds the next question with these words up while something else is done.
    async fn meanwhile<T>(
        &self,
        words: &'static str,
        asking: JoinHandle<T>,
        done: impl Future<Output = ()>,
    ) -> T {
        self.held.notified().await;
        assert!(
            self.words.lock().expect("no panic here").is_none(),
            "{words} were held up"
        );
        assert!(!asking.is_finished(), "it waits for its second answer");
        done.await;
        self.goes_on.notify_one();
        asking.await.expect("it ended")
    }
}

/// Asks this while everything is replaced by nothing and removed, between its two round trips.
async fn is_answered_from_before<T, A>(
    words: &'static str,
    ask: impl Fn(Arc<PostgresAggregates>, CellQuery) -> A + Send + Sync + 'static,
) where
    T: Debug + PartialEq + Send + 'static,
    A: Future<Output = T> + Send + 'static,
{
    let Some(place) = TestDatabase::new() else { return };
    let between = Arc::new(Between::default());
    let port = between.listen(place.server.port()).await;
    let url = place.server.tcp_url(&place.database);
    let url = url.replace(&format!(":{}/", place.server.port()), &format!(":{port}/"));
    let settings = PostgresSettings {
        pool_size: 2,
        ..PostgresSettings::new(format!("{url}?sslmode=disable"))
    };
    let one = PostgresAggregates::open(settings).await.expect("opened");
    let other = place.open().await;
    let mut runner = TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 10).new_tree(&mut runner);
    let additions = tree.expect("samples can be drawn").current().concat();
    let (key, _) = additions.first().expect("a cell");
    let set = &key.dimensions;
    let counts = SourceCounts {
        counters: Counters {
            folded: 7,
            ..Counters::default()
        },
        ..SourceCounts::default()
    };
    let query = CellQuery {
        metric: key.metric.clone(),
        label: None,
        processes: None,
        source: set.source().clone(),
        filters: Vec::new(),
        group_by: Vec::new(),
        by_process: false,
    };
    let batch = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        by_source: [(
            (Source::named(set.source().as_str()), set.submission_date()),
            counts,
        )]
        .into(),
        ..cell_batch(&additions)
    };
    assert_eq!(other.commit(batch).await.expect("an answer"), Committed::Written);
    let before = ask(Arc::clone(&one), query.clone()).await;

    *between.words.lock().expect("no panic here") = Some(words);
    let asking = task::spawn("asks", ask(Arc::clone(&one), query.clone()));
    let replaced = async {
        let wish = RebuildWish {
            source: None,
            days: Days::ALL,
            rules: None,
            version: None,
        };
        let flip = Flip {
            epoch: other.begin_rebuild(&wish).await.expect("begun").epoch,
            days: Days::ALL,
            fences: Vec::new(),
            accounted: None,
        };
        assert_eq!(
            other.put_into_use(&flip).await.expect("an answer"),
            Flipped::InUse
        );
        while other.remove_unused().await.expect("removed") {}
    };
    assert_eq!(between.meanwhile(words, asking, replaced).await, before);
    assert_ne!(
        ask(one, query).await,
        before,
        "and whoever asks then is answered from now"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_are_those_of_the_epochs_that_the_same_answer_found_in_use() {
    is_answered_from_before("highwater_aggregates.cell", |store, query| async move {
        store.series(&query, Bounds::NONE).await.expect("series")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_are_those_of_the_epochs_that_the_same_answer_found_in_use() {
    is_answered_from_before("highwater_aggregates.count_by_day", |store, _| async move {
        store.source_pings(9).await.expect("counts")
    })
    .await;
}
