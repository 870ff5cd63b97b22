//! What the Lambda answers, on a store in memory and an index of SQLite.

use std::sync::Arc;
use std::time::Duration;

use index_schema::{ChunkKind, Index};
use lambda_indexer::event::{Announced, CreatedObject, Invocation, QueueMessage};
use lambda_indexer::{Answer, AnswerError, Handler, Indexer, Outcome, StoreLocation};
use serde_json::json;
use store::{Odds, Store, UnreliableStore};

use crate::world::World;

const TIME: Duration = Duration::from_secs(600);

pub(crate) fn handler_on(world: &World, store: Arc<dyn Store>) -> Handler {
    let place = StoreLocation {
        s3_bucket: "chunks".to_owned(),
        prefix: "below".to_owned(),
    };
    let indexer = Indexer::new(store, world.index.clone());
    Handler::new(Arc::new(indexer), place, "pings".to_owned())
}

pub(crate) fn handler(world: &World) -> Handler {
    handler_on(world, world.store.clone())
}

fn created(key: &str) -> CreatedObject {
    CreatedObject {
        s3_bucket: "chunks".to_owned(),
        key: format!("below/{key}"),
        version: None,
    }
}

fn announced(keys: &[&str]) -> Announced {
    Announced {
        created: keys.iter().map(|key| created(key)).collect(),
        ..Announced::default()
    }
}

fn messages(announced: impl IntoIterator<Item = Announced>) -> Invocation {
    let message = |(number, announced)| QueueMessage {
        id: format!("id-{number}"),
        announced,
    };
    Invocation::Messages(announced.into_iter().enumerate().map(message).collect())
}

fn again(ids: &[&str]) -> Answer {
    Answer::Messages {
        again: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

#[tokio::test]
async fn objects_announced_twice_and_out_of_order_are_indexed_once() {
    let world = World::new();
    let (first, second) = (
        world.put(1, ChunkKind::Pings).await,
        world.put(2, ChunkKind::Pings).await,
    );
    let handler = handler(&world);
    for _ in 0..2 {
        let invocation = messages([announced(&[&second, &first, &second]), announced(&[&first])]);
        assert_eq!(handler.answer(invocation, TIME).await.expect("done"), again(&[]));
        let totals = world.index.totals().await.expect("totals");
        assert_eq!((totals.chunks, totals.pending_chunks), (2, 2));
    }
}

#[tokio::test]
async fn what_is_gone_unreadable_or_foreign_is_done_with() {
    let world = World::new();
    let there = world.put(1, ChunkKind::Pings).await;
    let gone = world.put(2, ChunkKind::Pings).await;
    world.store.delete(&gone).await.expect("deleted");
    let unreadable = world.keep(3, b"no chunk").await;
    let mut whole = announced(&[&there, &gone, &unreadable, "pings/README"]);
    for (s3_bucket, key) in [("others", format!("below/{there}")), ("chunks", there.clone())] {
        whole.created.push(CreatedObject {
            s3_bucket: s3_bucket.to_owned(),
            key,
            version: None,
        });
    }
    let answer = handler(&world).answer(Invocation::Objects(whole), TIME).await;
    let outcome = Outcome {
        added: 1,
        gone: 1,
        unreadable: 1,
        foreign: 3,
        ..Outcome::default()
    };
    assert_eq!(answer.expect("done"), Answer::Objects(outcome));
    assert_eq!(world.index.set_aside().await.expect("an answer").len(), 1);
}

#[tokio::test]
async fn only_messages_whose_objects_failed_come_again_and_then_they_are_done() {
    let world = World::new();
    let mut keys = Vec::new();
    for plan in 1..40 {
        keys.push(world.put(plan, ChunkKind::Pings).await);
    }
    let odds = Odds {
        refused: 0.4,
        ..Odds::default()
    };
    let unreliable = UnreliableStore::new(world.store.clone(), 5, odds);
    let handler = handler_on(&world, Arc::new(unreliable.clone()));
    let all = || keys.iter().map(|key| announced(&[key]));
    let Answer::Messages { again: failed } = handler.answer(messages(all()), TIME).await.expect("in part")
    else {
        panic!("messages are answered by message");
    };
    let indexed = world.index.contains(&keys).await.expect("an answer");
    let missing: Vec<String> = (0..keys.len())
        .filter(|number| !indexed[*number])
        .map(|number| format!("id-{number}"))
        .collect();
    assert!(!missing.is_empty() && missing.len() < keys.len());
    assert_eq!(failed, missing);
    unreliable.set_odds(Odds::default());
    assert_eq!(
        handler.answer(messages(all()), TIME).await.expect("done"),
        again(&[])
    );
    assert_eq!(world.index.totals().await.expect("totals").chunks, 39);
}

#[tokio::test]
async fn a_direct_invocation_fails_as_a_whole_and_indexes_what_it_can() {
    let world = World::new();
    let (good, bad) = (
        world.put(1, ChunkKind::Pings).await,
        world.put(2, ChunkKind::Pings).await,
    );
    let odds = Odds {
        refused: 1.0,
        ..Odds::default()
    };
    let refusing = UnreliableStore::new(world.store.clone(), 1, odds);
    let error = handler_on(&world, Arc::new(refusing))
        .answer(Invocation::Objects(announced(&[&good, &bad])), TIME)
        .await
        .expect_err("the store refuses");
    assert!(
        matches!(error, AnswerError::Objects { failed: 2, of: 2, .. }),
        "{error}"
    );
    let payload = json!({"Records": [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "chunks"}, "object": {"key": format!("below/{good}")}}},
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "chunks"}, "object": {"key": "%FF"}}},
    ]});
    let invocation = Invocation::read(payload.to_string().as_bytes()).expect("a known shape");
    let error = handler(&world)
        .answer(invocation, TIME)
        .await
        .expect_err("in part");
    assert!(
        matches!(error, AnswerError::Objects { failed: 1, of: 2, .. }),
        "{error}"
    );
    assert_eq!(
        world.index.contains(&[good, bad]).await.expect("an answer"),
        [true, false]
    );
}

#[tokio::test]
async fn without_time_nothing_is_claimed_to_be_done() {
    let world = World::new();
    let key = world.put(1, ChunkKind::Pings).await;
    let left = Duration::ZERO;
    let answer = handler(&world)
        .answer(messages([announced(&[&key]), announced(&[])]), left)
        .await;
    assert_eq!(
        answer.expect("in part"),
        again(&["id-0"]),
        "the other asks for nothing"
    );
    let error = handler(&world)
        .answer(Invocation::Objects(announced(&[&key])), left)
        .await;
    assert!(error.expect_err("no time").to_string().contains("no time"));
    let begun = world.index.contains(&[key]).await.expect("an answer");
    assert_eq!(begun, [false], "what nobody has time to wait for is not begun");
}

#[tokio::test]
async fn a_wished_comparison_adds_what_was_never_announced() {
    let world = World::new();
    for plan in 1..4 {
        world.put(plan, ChunkKind::Pings).await;
    }
    let answer = handler(&world)
        .answer(Invocation::Reconcile, TIME)
        .await
        .expect("compared");
    let said = serde_json::to_value(answer).expect("JSON");
    assert_eq!(
        (&said["listed"], &said["added"], &said["unanswered"]),
        (&json!(3), &json!(3), &json!(0))
    );
}

#[test]
fn a_queue_is_answered_as_lambda_wants_it() {
    let said = serde_json::to_value(again(&["a", "b"])).expect("JSON");
    assert_eq!(
        said,
        json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]})
    );
    assert_eq!(
        serde_json::to_value(again(&[])).expect("JSON"),
        json!({"batchItemFailures": []})
    );
}
