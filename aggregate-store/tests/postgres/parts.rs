//! Batches in parts: one transaction on a connection of its own.

use aggregate_store::conformance::{any_additions, cell_batch, chunk_id, dump_of, folded_chunk};
use aggregate_store::{
    AggregateError, AggregateStore, Batch, Committed, PostgresAggregates, PostgresSettings,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sketch::Cell;
use tokio::sync::mpsc;

use crate::test_database::TestDatabase;

fn additions() -> Vec<(aggregate_store::CellKey, Cell)> {
    let mut runner = TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 10).new_tree(&mut runner);
    tree.expect("samples can be drawn").current().concat()
}

#[tokio::test]
async fn parts_are_one_transaction_and_without_the_last_one_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let settings = PostgresSettings {
        pool_size: 1,
        ..place.settings()
    };
    let store = PostgresAggregates::open(settings).await.expect("opened");
    let additions = additions();
    let parts: Vec<Batch> = additions
        .chunks(additions.len() / 5 + 1)
        .map(cell_batch)
        .collect();
    let send = async |sender: &mpsc::Sender<Batch>| {
        for part in &parts {
            sender.send(part.clone()).await.expect("received");
            // The store answers questions while the parts come, with one connection in its pool.
            assert_eq!(dump_of(&*store).await, Vec::<String>::new());
        }
    };
    let (sender, receiver) = mpsc::channel(1);
    let unfinished = tokio::join!(store.commit_parts(receiver), async {
        send(&sender).await;
        drop(sender);
    });
    assert!(
        matches!(unfinished.0, Err(AggregateError::Unfinished)),
        "{unfinished:?}"
    );
    let last = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        ..Batch::default()
    };
    for expected in [
        Committed::Written,
        Committed::AlreadyFolded(vec![chunk_id(1, 1, 1)]),
    ] {
        let (sender, receiver) = mpsc::channel(1);
        let sending = async {
            if expected == Committed::Written {
                send(&sender).await;
            } else {
                sender.send(parts[0].clone()).await.expect("received");
            }
            sender.send(last.clone()).await.expect("received");
        };
        let (committed, ()) = tokio::join!(store.commit_parts(receiver), sending);
        assert_eq!(committed.expect("an answer"), expected);
        let other = TestDatabase::on(place.server.clone()).open().await;
        let written = other.commit(cell_batch(&additions)).await;
        assert_eq!(written.expect("written"), Committed::Written);
        assert_eq!(dump_of(&*store).await, dump_of(&*other).await);
    }
}
