//! Bodies that are no pings, of whatever type; and those that the edge of an earlier time could not decode.

use std::io::Write;

use aggregate_store::AggregateReads;
use bytes::Bytes;
use chunk::Header;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use index_schema::ChunkKind;

use super::records::{Dice, Stored, by_chunk, expected, throw};
use super::world::{World, settle, small_batches};

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

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector has room");
    encoder.finish().expect("a vector has room")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector has room");
    encoder.finish().expect("a vector has room")
}

/// As an edge kept it that decoded less. Whether anybody can decode it.
fn kept(record: &mut Stored, form: usize) -> bool {
    let header = |value: &str| Header {
        name: "content-encoding".to_owned(),
        value: value.to_owned(),
    };
    let whole = gzip(&record.body);
    let (coding, body, reason, is_whole) = match form {
        0 => ("gzip", [&whole[..], &[0; 100]].concat(), "gzip_cut", true),
        1 => ("gzip", [&whole[..], b"a line\r\n"].concat(), "gzip_damaged", true),
        2 if record.body.starts_with(b"{") => ("gzip", record.body.clone(), "not_gzip", true),
        2 | 3 => ("deflate", zlib(&record.body), "encoding_unsupported", true),
        4 => ("gzip", whole[..whole.len() - 3].to_vec(), "gzip_cut", false),
        _ => (
            "br",
            b"\x0b\x02\x80{}\x03".to_vec(),
            "encoding_unsupported",
            false,
        ),
    };
    record.head.headers = vec![header(coding)];
    record.head.error = Some(reason.to_owned());
    record.body = body;
    is_whole
}

#[tokio::test]
async fn what_an_edge_of_an_earlier_time_could_not_decode_is_folded_once_and_reasons_of_the_rest_stay() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let stored: Vec<Stored> = throw(&mut dice, 100)
            .into_iter()
            .filter(|record| !record.head.uri.windows(5).any(|window| window == b"event"))
            .collect();
        let (mut readable, mut pings, mut errors, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for record in &stored {
            if dice.below(2) == 0 {
                readable.push(record.clone());
                pings.push(record.clone());
                continue;
            }
            let mut error = record.clone();
            if kept(&mut error, dice.below(6)) {
                readable.push(record.clone());
            } else {
                lost += 1;
            }
            errors.push(error);
        }
        let (world, mut plan) = (World::new(), 0);
        for (kind, records) in [(ChunkKind::Pings, &pings), (ChunkKind::Errors, &errors)] {
            for records in by_chunk(&mut dice, records) {
                plan += 1;
                world.add_chunk(plan, kind, &records).await;
            }
        }
        let aggregator = world.aggregator_with(small_batches());
        settle(&aggregator).await;
        let (cells, users, status) = expected(&readable);
        let state = world.aggregates.state().clone();
        assert_eq!((&state.cells, &state.users), (&cells, &users), "seed {seed}");
        let mut counters = status.counters;
        counters.errored_pings += lost;
        assert_eq!(state.status.counters, counters, "seed {seed}");
        assert!(lost > 3, "seed {seed}: {lost}");
        let done = aggregator.replay_errors(&|_| {}).await.expect("a replay");
        assert_eq!((done.replayed, done.unreadable), (0, 0), "seed {seed}");
        assert_eq!(*world.aggregates.state(), state, "seed {seed}: twice is once");
    }
}
