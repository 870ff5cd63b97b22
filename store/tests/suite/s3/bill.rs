//! The bill: what the metrics count is what the server was asked for.

use std::collections::BTreeMap;

use loopback_s3::{Fault, Operation};
use metrics_exporter_prometheus::PrometheusBuilder;
use store::{Payload, S3Settings, Store};

use super::rig::{INTERNAL_ERROR, Rig, SLOW_DOWN, bytes, noise};

/// Metrics by name and labels.
fn counted(text: &str) -> BTreeMap<String, u64> {
    let lines = text
        .lines()
        .filter(|line| line.contains("highwater_store_s3") && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn requests_and_bytes_are_counted_by_operation_whatever_became_of_them() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let rig = metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let rig = Rig::with(|settings: &mut S3Settings| {
                settings.multipart_above = 1 << 20;
                settings.part_bytes = 5 << 20;
                settings.tries_max = 2;
            })
            .await;
            rig.s3.next(
                Operation::PutObject,
                [Fault::Cut, Fault::None, SLOW_DOWN, SLOW_DOWN],
            );
            rig.s3.next(Operation::UploadPart, [INTERNAL_ERROR]);
            rig.store.put_if_absent("a", bytes("12345")).await.unwrap();
            rig.store.put_if_absent("b", bytes("12345")).await.unwrap_err();
            rig.store
                .put_if_absent("c", Payload::Bytes(noise(6 << 20)))
                .await
                .unwrap();
            rig.store.get("a").await.unwrap();
            rig.store.get("none").await.unwrap_err();
            rig.store.list("", None, 10).await.unwrap();
            rig.store.delete("a").await.unwrap();
            rig
        })
    });
    let metrics = counted(&handle.render());
    let by = |name: &str, labels: &str| {
        metrics
            .get(&format!("highwater_store_s3_{name}{labels}"))
            .copied()
    };
    let requests = |operation: &str| -> u64 {
        let wanted = format!("highwater_store_s3_requests_total{{operation=\"{operation}\"");
        metrics
            .iter()
            .filter(|(name, _)| name.starts_with(&wanted))
            .map(|(_, count)| count)
            .sum()
    };
    for (operation, name) in [
        (Operation::PutObject, "PutObject"),
        (Operation::HeadObject, "HeadObject"),
        (Operation::CreateMultipartUpload, "CreateMultipartUpload"),
        (Operation::UploadPart, "UploadPart"),
        (Operation::CompleteMultipartUpload, "CompleteMultipartUpload"),
        (Operation::GetObject, "GetObject"),
        (Operation::ListObjectsV2, "ListObjectsV2"),
        (Operation::DeleteObject, "DeleteObject"),
    ] {
        assert!(rig.s3.calls(operation) > 0, "{name} was asked for");
        assert_eq!(requests(name), rig.s3.calls(operation), "{name}");
    }
    let throttled = by(
        "requests_total",
        "{operation=\"PutObject\",outcome=\"throttled\"}",
    );
    assert_eq!(throttled, Some(2));
    assert_eq!(by("sent_bytes_total", "{operation=\"PutObject\"}"), Some(4 * 5));
    // One of the two parts went twice; which one is chance.
    let parts = by("sent_bytes_total", "{operation=\"UploadPart\"}").unwrap();
    assert!([11 << 20, 7 << 20].contains(&parts), "{parts}");
    assert_eq!(by("received_bytes_total", ""), Some(5));
    assert_eq!(by("upload_bytes", ""), Some(0));
}
