//! Pings that cannot be taken apart are kept as sent, each with its reason.

use std::io::Write;
use std::sync::Arc;

use disk::SimulatedDisk;
use edge::EdgeLimits;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::support::*;

/// Headers and body as sent; the reason, if it is an error, and the body as stored.
type Case<'a> = (&'a [(&'a str, &'a str)], Vec<u8>, Option<&'a str>, Vec<u8>);

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

#[test]
fn a_ping_that_does_not_inflate_goes_to_an_error_chunk_as_sent() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            inflated_bytes: 10_000,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::clone(&store), limits)
            .await
            .expect("opens");
        let whole = gzip(&b"text ".repeat(100));
        let mut damaged = whole.clone();
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        let gzip_header = ("content-encoding", "gzip");
        let padded = [&whole[..], &[0; 480]].concat();
        let lined = [&whole[..], b"\r\n"].concat();
        let cases: [Case; 12] = [
            (&[gzip_header], whole.clone(), None, b"text ".repeat(100)),
            (&[], whole.clone(), None, b"text ".repeat(100)),
            (&[], b"{}".to_vec(), None, b"{}".to_vec()),
            (
                &[gzip_header],
                whole[..20].to_vec(),
                Some("gzip_cut"),
                whole[..20].to_vec(),
            ),
            (&[gzip_header], damaged.clone(), Some("gzip_damaged"), damaged),
            (
                &[gzip_header],
                gzip(&[0; 10_001]),
                Some("inflated_too_large"),
                gzip(&[0; 10_001]),
            ),
            (&[gzip_header], padded, None, b"text ".repeat(100)),
            (&[gzip_header], lined, None, b"text ".repeat(100)),
            (&[gzip_header], b"{}".to_vec(), None, b"{}".to_vec()),
            (
                &[gzip_header],
                b"hello".to_vec(),
                Some("not_gzip"),
                b"hello".to_vec(),
            ),
            (
                &[("content-encoding", "deflate")],
                zlib(b"{\"a\":1}"),
                None,
                b"{\"a\":1}".to_vec(),
            ),
            (
                &[("content-encoding", "br")],
                b"{}".to_vec(),
                Some("encoding_unsupported"),
                b"{}".to_vec(),
            ),
        ];
        for (number, (headers, body, ..)) in cases.iter().enumerate() {
            submit_with(&running.edge, &uri(number as u64, "release"), headers, body)
                .await
                .expect("taken");
        }
        running.edge.wait_until_sealed().await;
        let status = running.edge.status();
        assert_eq!((status.accepted, status.waiting, status.chunked), (12, 0, 12));
        let found = records(store.as_ref()).await;
        assert_eq!(found.len(), 12);
        for (record, (_, _, error, body)) in found.values().zip(cases) {
            assert_eq!((record.error.as_deref(), &record.body), (error, &body));
            assert_eq!(
                record.key.starts_with("pings/errors/v1/"),
                error.is_some(),
                "{}",
                record.key
            );
        }
    });
}

#[test]
fn an_undone_plan_of_an_error_chunk_is_carried_out_again() {
    run(async {
        let disk = SimulatedDisk::new();
        let off: Arc<dyn store::Store> = Arc::new(store::UnreliableStore::new(
            memory(),
            1,
            store::Odds {
                refused: 1.0,
                ..store::Odds::default()
            },
        ));
        let running = open_simulated(&disk, off, limits()).await.expect("opens");
        submit_with(
            &running.edge,
            &uri(1, "release"),
            &[("content-encoding", "gzip")],
            b"x",
        )
        .await
        .expect("taken");
        running.edge.seal_all();
        service::task::sleep(std::time::Duration::from_millis(100)).await;
        running.edge.shutdown(false).await;
        let store = memory();
        let running = open_simulated(&disk.kill(), Arc::clone(&store), limits())
            .await
            .expect("opens");
        running.edge.wait_until_sealed().await;
        let found = records(store.as_ref()).await;
        assert_eq!(
            found
                .values()
                .map(|record| record.error.as_deref())
                .collect::<Vec<_>>(),
            [Some("not_gzip")]
        );
    });
}

/// Inflated it is as long as a body may be: with its head it fits no record.
#[test]
fn a_ping_that_fits_no_record_goes_to_an_error_chunk_as_sent_and_is_counted_by_its_reason() {
    const COUNTER: &str = "highwater_edge_pings_errored_total{reason=\"record_too_large\"}";
    // Of the whole process, for bodies are inflated in threads of their own; no other test has such a ping.
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    assert!(
        metrics::set_global_recorder(recorder).is_ok(),
        "no other test sets one"
    );
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let limits = EdgeLimits {
            inflated_bytes: edge::BODY_BYTES_MAX,
            ..limits()
        };
        let running = open_simulated(&disk, Arc::clone(&store), limits)
            .await
            .expect("opens");
        let (just, too_large) = (
            gzip(&vec![b' '; edge::BODY_BYTES_MAX - 1_000]),
            gzip(&vec![b' '; edge::BODY_BYTES_MAX]),
        );
        for (number, body) in (1..).zip([&just, &too_large, &too_large]) {
            let headers = [("content-encoding", "gzip")];
            submit_with(&running.edge, &uri(number, "release"), &headers, body)
                .await
                .expect("taken");
        }
        running.edge.wait_until_sealed().await;
        let found = records(store.as_ref()).await;
        let errors: Vec<_> = found.values().map(|record| record.error.as_deref()).collect();
        assert_eq!(errors, [None, Some("record_too_large"), Some("record_too_large")]);
        assert!(
            found
                .values()
                .skip(1)
                .all(|record| record.body == too_large && record.key.starts_with("pings/errors/v1/"))
        );
        assert_eq!(figure(&handle, COUNTER), Some(2.0));
        running.edge.shutdown(false).await;
    });
}
