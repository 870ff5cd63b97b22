//! Bodies that are no pings, of whatever type.

use aggregate_store::AggregateReads;
use bytes::Bytes;
use index_schema::ChunkKind;

use super::records::{Dice, Stored, throw};
use super::world::{World, settle};

#[tokio::test]
async fn a_body_that_is_no_json_object_is_an_errored_ping_whatever_its_type_and_can_be_found() {
    let (world, record) = (World::new(), throw(&mut Dice(1), 1).remove(0));
    let uris = [
        "/submit/telemetry/10000000-0000-4000-8000-000000000001/event/Firefox/54.0/nightly/20170130030205?v=4",
        "/submit/org-mozilla-fenix/baseline/1/2c3a0767-d84a-4d02-8a92-fa54a3376049",
        "/submit/shop/order/1/2c3a0767-d84a-4d02-8a92-fa54a3376050",
    ];
    let bodies = [
        (&b"hello"[..], Some("not_json")),
        (b"", Some("not_json")),
        (b"\xef\xbb\xbf{\"a\":1}", Some("not_json")),
        (b"{\"a\":1", Some("not_json")),
        (b"[{\"a\":1}]", Some("not_an_object")),
        (b"{\"name\":\"caf\xe9\"}", None),
        (b" {\"a\":1,\"a\":{\"b\":[]}}\n", None),
    ];
    let mut stored: Vec<Stored> = Vec::new();
    for uri in uris {
        for (body, _) in bodies {
            let mut record = record.clone();
            record.head.id.sequence = stored.len() as u64;
            record.head.uri = Bytes::from(uri);
            record.body = body.to_vec();
            stored.push(record);
        }
    }
    world.add_chunk(1, ChunkKind::Pings, &stored).await;
    let aggregator = world.aggregator();
    settle(&aggregator).await;
    let status = world.aggregates.state().status.clone();
    assert_eq!(
        (status.counters.stored_only, status.counters.errored_pings),
        (6, 15)
    );
    let by_reason: Vec<_> = status.errored_by_reason.into_iter().collect();
    assert_eq!(
        by_reason,
        [("not_an_object".to_owned(), 3), ("not_json".to_owned(), 12)]
    );
    let mut rows = world.aggregates.errored(None, 100).await.expect("rows");
    rows.sort_by_key(|row| row.position);
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.position as usize, row.reason.as_str()))
        .collect();
    let reasons = bodies.iter().cycle().take(stored.len()).enumerate();
    let should: Vec<_> = reasons
        .filter_map(|(at, (_, reason))| Some((at, (*reason)?)))
        .collect();
    assert_eq!(found, should);
    // A replay looks at them again, and they stay.
    let before = world.aggregates.state().clone();
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!((done.replayed, done.unreadable), (0, 0));
    assert_eq!(*world.aggregates.state(), before);
    // Had they been errored for what is read now, they would be stored only.
    world.aggregates.err_again(&stored[5], super::copies::id(1), 5);
    let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
    assert_eq!(done.replayed, 1);
    assert_eq!(*world.aggregates.state(), before);
}
