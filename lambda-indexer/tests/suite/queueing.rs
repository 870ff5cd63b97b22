//! Messages that the process takes from a queue itself: which are deleted, which are left, and when a redrive ends.

use std::sync::Arc;
use std::time::Duration;

use index_schema::{ChunkKind, Index};
use lambda_indexer::queue::{Queue, Redriven, follow, redrive};
use lambda_indexer::{Handler, Outcome};
use serde_json::json;
use service::shutdown::Shutdown;
use service::task;
use store::{Odds, UnreliableStore};

use crate::answering::{handler, handler_on};
use crate::queue_in_memory::{Faults, QueueInMemory};
use crate::world::World;

const HIDDEN: Duration = Duration::from_secs(30);

/// What S3 says of an object of the store.
fn message(key: &str) -> String {
    message_of("chunks", &format!("below/{key}"))
}

fn message_of(s3_bucket: &str, name: &str) -> String {
    let s3 = json!({"bucket": {"name": s3_bucket}, "object": {"key": name}});
    json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}).to_string()
}

/// The same by way of SNS.
fn by_topic(message: &str) -> String {
    json!({"Type": "Notification", "Message": message}).to_string()
}

fn from_event_bridge(key: &str) -> String {
    let detail = json!({"bucket": {"name": "chunks"}, "object": {"key": format!("below/{key}")}});
    json!({"detail-type": "Object Created", "detail": detail}).to_string()
}

fn test_event() -> String {
    json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "chunks"}).to_string()
}

const NO_NOTIFICATION: &str = "no notification";

/// A handler whose store answers nothing until it is told to.
fn refusing(world: &World) -> (Handler, UnreliableStore) {
    let odds = Odds {
        refused: 1.0,
        ..Odds::default()
    };
    let store = UnreliableStore::new(world.store.clone(), 1, odds);
    (handler_on(world, Arc::new(store.clone())), store)
}

/// Follows a queue until something is so.
async fn follow_until(queue: &QueueInMemory, handler: &Handler, mut is_so: impl FnMut() -> bool) {
    let (trigger, shutdown) = Shutdown::new();
    let end = async {
        while !is_so() {
            task::sleep(Duration::from_millis(1)).await;
        }
        trigger.pull();
    };
    tokio::join!(biased; end, follow(queue, handler, HIDDEN, &shutdown));
}

/// Redrives; also what was said of messages that are left.
async fn redriven(queue: &QueueInMemory, handler: &Handler) -> (Redriven, Vec<(String, String)>) {
    let mut said = Vec::new();
    let done = redrive(queue, handler, |id, why| {
        said.push((id.to_owned(), why.to_owned()));
    })
    .await;
    (done.expect("it answers"), said)
}

async fn chunks(world: &World, plans: u64) -> Vec<String> {
    let mut keys = Vec::new();
    for plan in 1..=plans {
        keys.push(world.put(plan, ChunkKind::Pings).await);
    }
    keys
}

#[tokio::test]
async fn messages_of_every_shape_are_deleted_once_done_with_and_what_is_no_notification_is_left() {
    let world = World::new();
    let keys = chunks(&world, 4).await;
    let unreadable = world.keep(5, b"no chunk").await;
    world.store.delete(&keys[3]).await.expect("deleted");
    let bodies = [
        message(&keys[0]),
        from_event_bridge(&keys[1]),
        by_topic(&message(&keys[2])),
        test_event(),
        NO_NOTIFICATION.to_owned(),
        message(&keys[3]),
        message(&unreadable),
        message_of("others", "x.zst"),
        message("pings/README"),
    ];
    let queue = QueueInMemory::new(Faults::default(), &bodies);
    follow_until(&queue, &handler(&world), || queue.left().len() == 1).await;
    assert_eq!(queue.left(), [(NO_NOTIFICATION.to_owned(), true)]);
    let indexed = world.index.contains(&keys).await.expect("an answer");
    assert_eq!(indexed, [true, true, true, false]);
    assert_eq!(world.index.set_aside().await.expect("an answer").len(), 1);
}

#[tokio::test]
async fn a_message_that_failed_is_left_until_the_queue_gives_it_again() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let (handler, store) = refusing(&world);
    let queue = QueueInMemory::new(Faults::default(), &[message(&key)]);
    follow_until(&queue, &handler, || store.calls() > 0).await;
    assert_eq!(queue.left(), [(message(&key), true)]);
    store.set_odds(Odds::default());
    queue.show_all();
    follow_until(&queue, &handler, || queue.left().is_empty()).await;
    assert_eq!(world.index.contains(&[key]).await.expect("an answer"), [true]);
}

#[tokio::test]
async fn a_shutdown_finishes_the_messages_under_way() {
    let world = World::new();
    let keys = chunks(&world, 10).await;
    let bodies: Vec<String> = keys.iter().map(|key| message(key)).collect();
    let (trigger, shutdown) = Shutdown::new();
    let faults = Faults {
        ends: Some(trigger),
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &bodies);
    follow(&queue, &handler(&world), HIDDEN, &shutdown).await;
    assert_eq!(queue.left(), []);
    assert_eq!(world.index.totals().await.expect("totals").chunks, 10);
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_asked_again() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let faults = Faults {
        refused: 5,
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &[message(&key)]);
    follow_until(&queue, &handler(&world), || queue.left().is_empty()).await;
    assert_eq!(world.index.contains(&[key]).await.expect("an answer"), [true]);
}

#[tokio::test]
async fn a_message_that_could_not_be_deleted_is_found_to_be_done_when_it_comes_again() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let faults = Faults {
        undeleted: 1,
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &[message(&key)]);
    follow_until(&queue, &handler(&world), || queue.undeleted() == 1).await;
    assert_eq!(queue.left(), [(message(&key), true)]);
    queue.show_all();
    follow_until(&queue, &handler(&world), || queue.left().is_empty()).await;
    let totals = world.index.totals().await.expect("totals");
    assert_eq!((totals.chunks, totals.pending_chunks), (1, 1));
}

#[tokio::test]
async fn a_redrive_does_what_can_be_done_and_says_of_the_rest_why_it_is_left() {
    let world = World::new();
    let keys = chunks(&world, 33).await;
    let unreadable = world.keep(34, b"no chunk").await;
    let mut bodies: Vec<String> = keys.iter().map(|key| message(key)).collect();
    bodies.extend([
        NO_NOTIFICATION.to_owned(),
        message(&unreadable),
        message(&keys[0]) + " ",
    ]);
    let queue = QueueInMemory::new(Faults::default(), &bodies);
    let (done, said) = redriven(&queue, &handler(&world)).await;
    let outcome = Outcome {
        added: 33,
        known: 1,
        unreadable: 1,
        ..Outcome::default()
    };
    let expected = Redriven {
        done: 35,
        outcome,
        left: 1,
        hidden: 0,
    };
    assert_eq!(done, expected);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].0 == NO_NOTIFICATION && said[0].1.contains("could not be read"),
        "{said:?}"
    );
    let shown = [(NO_NOTIFICATION.to_owned(), false)];
    assert_eq!(queue.left(), shown, "the next run sees it at once");
}

#[tokio::test]
async fn what_a_redrive_left_is_done_by_the_next_one_after_the_repair() {
    let world = World::new();
    let keys = chunks(&world, 12).await;
    let bodies: Vec<String> = keys.iter().map(|key| message(key)).collect();
    let queue = QueueInMemory::new(Faults::default(), &bodies);
    let (handler, store) = refusing(&world);
    let (done, said) = redriven(&queue, &handler).await;
    assert_eq!((done.done, done.left, said.len()), (0, 12, 12));
    store.set_odds(Odds::default());
    let (done, said) = redriven(&queue, &handler).await;
    assert_eq!((done.done, done.outcome.added, done.left), (12, 12, 0));
    assert_eq!((said, queue.left()), (vec![], vec![]));
}

#[tokio::test]
async fn a_redrive_ends_at_messages_that_come_again_and_are_left() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let faults = Faults {
        hides_nothing: true,
        doubles: true,
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &[NO_NOTIFICATION.to_owned(), message(&key)]);
    let (done, said) = redriven(&queue, &handler(&world)).await;
    assert_eq!((done.done, done.outcome.added, done.left), (1, 1, 1));
    assert_eq!(said.len(), 1, "each is looked at once: {said:?}");
}

#[tokio::test]
async fn a_message_that_is_done_and_cannot_be_deleted_is_left_with_that_reason() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let faults = Faults {
        undeleted: 1,
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &[message(&key)]);
    let (done, said) = redriven(&queue, &handler(&world)).await;
    assert_eq!((done.done, done.left), (0, 1));
    assert!(
        said[0]
            .1
            .contains("is done, but deleting the message failed: as told"),
        "{said:?}"
    );
    let (done, said) = redriven(&queue, &handler(&world)).await;
    assert_eq!((done.done, done.outcome.known, done.left), (1, 1, 0));
    assert_eq!(said, []);
}

#[tokio::test]
async fn messages_that_somebody_else_looks_at_are_not_taken_for_done() {
    let world = World::new();
    let queue = QueueInMemory::new(Faults::default(), &[NO_NOTIFICATION.to_owned()]);
    queue.receive(HIDDEN, None).await.expect("received");
    let (done, _) = redriven(&queue, &handler(&world)).await;
    assert_eq!((done.done, done.left, done.hidden), (0, 0, 1));
}

#[tokio::test]
async fn a_redrive_of_a_queue_that_does_not_answer_fails() {
    let world = World::new();
    let faults = Faults {
        refused: 1,
        ..Faults::default()
    };
    let queue = QueueInMemory::new(faults, &[]);
    let error = redrive(&queue, &handler(&world), |_, _| ())
        .await
        .expect_err("refused");
    assert_eq!(error.to_string(), "receiving messages failed: as told");
}
