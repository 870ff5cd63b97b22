//! What goes wrong around the layer: a disk that refuses, another writer, an answer that is lost, a wrong batch.

use std::time::Duration;

use ping::{DocumentKey, Timestamp};
use proptest::strategy::{Strategy, ValueTree};
use rusqlite::Connection;
use sketch::Cell;

use super::world::{WRITER, World, batch};
use crate::conformance::{Oracle, any_additions, chunk_id, dump_of, record_id};
use crate::layer::{LayerStamp, Part};
use crate::{
    AggregateError, AggregateStore, Batch, CellAddress, CellKey, Committed, Kept, Persisted, SeenIds, SeenRow,
};

fn additions() -> Vec<(CellKey, Cell)> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 3).new_tree(&mut runner);
    tree.expect("samples can be drawn").current().concat()
}

#[tokio::test]
async fn a_persist_that_fails_keeps_the_layer_and_the_next_one_writes_it() {
    let (world, additions) = (World::new(), additions());
    let store = world.start().await;
    assert_eq!(
        store.hold(batch(1, &additions), 0).await.expect("held"),
        Kept::Held
    );
    let other = Connection::open(world.file()).expect("the file opens");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON folded BEGIN SELECT RAISE(ABORT, 'no'); END";
    other.execute_batch(refuse).expect("a trigger");
    for _ in 0..2 {
        let error = store.persist().await.expect_err("the database refuses");
        assert!(matches!(error, AggregateError::Database { .. }), "{error}");
        assert_eq!(store.held().chunks, 1);
        assert_eq!(Oracle::of_dump(&dump_of(&*store).await), Oracle::of(&additions));
    }
    // What is committed directly comes after what is held: so it fails, too, and nothing of it is there.
    assert!(store.commit(batch(2, &additions)).await.is_err());
    let folded = store.folded(&[chunk_id(1, 1, 1), chunk_id(1, 1, 2)]).await;
    assert_eq!(folded.expect("an answer"), [true, false]);
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(store.held().age, Some(Duration::from_secs(3)));
    let kept = store.hold(batch(3, &[]), 0).await.expect("held");
    assert_eq!(kept, Kept::Held);
    other.execute_batch("DROP TRIGGER refuse").expect("it is dropped");
    let persisted = store.persist().await.expect("it is written");
    let both = vec![chunk_id(1, 1, 1), chunk_id(1, 1, 3)];
    assert_eq!(
        persisted,
        Persisted::Written(both),
        "what was left over, and what came since"
    );
    assert_eq!(
        (store.held().bytes, store.held().chunks, store.held().age),
        (0, 0, None)
    );
    assert_eq!(
        Oracle::of_dump(&dump_of(&**store.base()).await),
        Oracle::of(&additions)
    );
}

#[tokio::test]
async fn when_another_writer_was_first_everything_held_is_dropped_and_folded_again() {
    let (world, additions) = (World::new(), additions());
    let store = world.start().await;
    for plan in 1..=2 {
        let kept = store.hold(batch(plan, &additions), 0).await.expect("held");
        assert_eq!(kept, Kept::Held);
    }
    let theirs = store.base().commit(batch(2, &additions)).await.expect("written");
    assert_eq!(theirs, Committed::Written);
    let persisted = store.persist().await.expect("an answer");
    assert_eq!(persisted, Persisted::Dropped(vec![chunk_id(1, 1, 2)]));
    let held = store.held();
    assert_eq!((held.chunks, held.drops), (0, 1));
    // A batch whose fold began before that was folded on top of what is gone.
    let kept = store.hold(batch(1, &additions), 0).await.expect("an answer");
    assert_eq!(kept, Kept::Outdated);
    let kept = store
        .hold(batch(2, &additions), held.drops)
        .await
        .expect("an answer");
    assert_eq!(kept, Kept::AlreadyFolded(vec![chunk_id(1, 1, 2)]));
    let kept = store.hold(batch(1, &additions), held.drops).await.expect("held");
    assert_eq!(kept, Kept::Held);
    let twice = [additions.clone(), additions].concat();
    assert_eq!(Oracle::of_dump(&dump_of(&*store).await), Oracle::of(&twice));
    let persisted = store.persist().await.expect("it is written");
    assert_eq!(persisted, Persisted::Written(vec![chunk_id(1, 1, 1)]));
    assert_eq!(
        Oracle::of_dump(&dump_of(&**store.base()).await),
        Oracle::of(&twice)
    );
}

#[tokio::test]
async fn a_layer_whose_answer_was_lost_is_not_written_twice() {
    let (world, additions) = (World::new(), additions());
    let store = world.start().await;
    let held = batch(1, &additions);
    assert_eq!(store.hold(held.clone(), 0).await.expect("held"), Kept::Held);
    // The transaction of this very layer, of which its holder never heard.
    let stamp = LayerStamp {
        writer: WRITER,
        number: 1,
        persisted_at: Timestamp::from_micros(0),
    };
    let part = std::sync::Arc::new(Part::new(held).expect("it is well"));
    let committed = store.base().commit_layer(stamp, vec![part]).await;
    assert_eq!(committed.expect("written"), Committed::Written);
    assert_eq!(
        Oracle::of_dump(&dump_of(&*store).await),
        Oracle::of(&additions),
        "a reader finds it in the database, and leaves the layer out"
    );
    let persisted = store.persist().await.expect("an answer");
    assert_eq!(persisted, Persisted::Written(vec![chunk_id(1, 1, 1)]));
    assert_eq!(Oracle::of_dump(&dump_of(&*store).await), Oracle::of(&additions));
}

#[tokio::test]
async fn two_writers_of_one_identity_lose_nothing() {
    let (world, additions) = (World::new(), additions());
    let (one, other) = (world.start().await, world.start().await);
    for (store, plan) in [(&one, 1), (&other, 2)] {
        let kept = store.hold(batch(plan, &additions), 0).await.expect("held");
        assert_eq!(kept, Kept::Held);
    }
    let persisted = one.persist().await.expect("written");
    assert_eq!(persisted, Persisted::Written(vec![chunk_id(1, 1, 1)]));
    let persisted = other.persist().await.expect("an answer");
    assert_eq!(persisted, Persisted::Dropped(Vec::new()), "to be folded again");
    let kept = other.hold(batch(2, &additions), 1).await.expect("held");
    assert_eq!(kept, Kept::Held);
    let persisted = other.persist().await.expect("written");
    assert_eq!(persisted, Persisted::Written(vec![chunk_id(1, 1, 2)]));
    let twice = [additions.clone(), additions].concat();
    assert_eq!(Oracle::of_dump(&dump_of(&**one.base()).await), Oracle::of(&twice));
}

#[tokio::test]
async fn of_a_wrong_batch_nothing_is_held() {
    let world = World::new();
    let store = world.start().await;
    let mut wrong = batch(1, &additions());
    wrong.cells.push(
        CellAddress {
            metric: u32::MAX,
            dimension_set: 0,
            process: 0,
            label: 0,
            layout: 0,
        },
        &Cell::new(1, 1, []),
    );
    let error = store.hold(wrong, 0).await.expect_err("it is refused");
    assert!(matches!(error, AggregateError::Batch(_)), "{error}");
    assert_eq!(store.held().chunks, 0);
}

#[tokio::test]
async fn a_copy_is_found_in_the_layer_as_in_the_database() {
    let world = World::new();
    let store = world.start().await;
    let row = |counted: bool| SeenRow {
        key: DocumentKey::from_bytes([3; 16]),
        received: Timestamp::from_micros(9),
        record: record_id(1, 5),
        chunk: chunk_id(1, 1, 1),
        position: 4,
        counted,
    };
    let seen = |counted| Batch {
        seen: vec![row(counted)],
        ..Batch::default()
    };
    for (counted, persist) in [
        (true, false),
        (false, false),
        (true, true),
        (false, false),
        (true, true),
    ] {
        assert_eq!(store.hold(seen(counted), 0).await.expect("held"), Kept::Held);
        if persist {
            let _ = store.persist().await.expect("written");
        }
        let copies = store.seen(&[row(true).key]).await.expect("an answer");
        assert_eq!(copies, [row(counted)], "the last row of a copy is valid");
    }
}
