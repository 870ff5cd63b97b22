//! What an earlier program folded by the first rules of declarations is read by them until it is folded anew by ours.

use std::sync::Arc;

use aggregate_store::Source;
use bytes::Bytes;
use chunk::RecordHead;
use index_schema::ChunkKind;

use super::dump::{aggregator, dump, open};
use super::records::{Dice, Stored, throw};
use super::source_rebuild::{ANY, FIRST, declared, is_under_way};
use super::world::World;
use crate::Step;

const ID: &str = "9774d56d682e549c";

fn ping(like: &Stored, number: u64) -> Stored {
    let uri = format!("/submit/acme/usage/1/{number:08}-0000-4000-8000-000000000001");
    let body = format!(r#"{{"id":"c","version":"{ID}","runs":1}}"#);
    Stored {
        head: RecordHead {
            uri: Bytes::from(uri),
            ..like.head.clone()
        },
        body: body.into_bytes(),
    }
}

#[tokio::test]
async fn a_source_that_was_folded_by_the_first_rules_is_read_by_them_until_it_is_folded_anew() {
    let like = throw(&mut Dice(1), 2);
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let usage = Source::named("acme/usage");
    assert!(aggregates.adopt_rules(&usage, FIRST).await.expect("adopted"));
    let live = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
    for (plan, like) in (0..).zip(&like) {
        let records = [ping(like, plan)];
        world.add_chunk_of(plan, ChunkKind::Pings, &records, ANY).await;
    }
    while live.step().await.expect("a step") != Step::Idle {}
    assert!(is_under_way(&*aggregates).await, "its rules are others");
    let lines = dump(&*aggregates).await.join("\n");
    assert!(
        lines.contains(ID) && !lines.contains("\"version\":\"OTHER\""),
        "{lines}"
    );
    while is_under_way(&*aggregates).await {
        let _ = live.rebuild_step().await.expect("a step");
    }
    let lines = dump(&*aggregates).await.join("\n");
    assert!(
        !lines.contains(ID) && lines.contains("\"version\":\"OTHER\""),
        "{lines}"
    );
    let rules = aggregates.source_rules().await.expect("rules");
    assert_eq!(rules["acme/usage"], format!("# read by rules 2\n{FIRST}"));
}
