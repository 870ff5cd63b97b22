//! Puts in one request, under every fault: what is told, how often it was tried, and what is there.

use std::time::Duration;

use bytes::Bytes;
use loopback_s3::{Fault, Operation};
use store::{Payload, Put, S3Encryption, Store};

use super::rig::{
    BUCKET, INTERNAL_ERROR, Kind, PREFIX, Rig, SLOW_DOWN, bytes, impatient, kind, noise, refused,
};

const PUT: Operation = Operation::PutObject;

/// Some faults, then how the put ends, after how many tries, and whether the object is there.
struct Case {
    faults: Vec<Fault>,
    always: Fault,
    ends: Result<Put, Kind>,
    tries: u64,
    is_there: bool,
}

fn once<const N: usize>(faults: [Fault; N], ends: Result<Put, Kind>, tries: u64, is_there: bool) -> Case {
    Case {
        faults: faults.into(),
        always: Fault::None,
        ends,
        tries,
        is_there,
    }
}

fn always(fault: Fault, ends: Result<Put, Kind>, tries: u64, is_there: bool) -> Case {
    Case {
        faults: Vec::new(),
        always: fault,
        ends,
        tries,
        is_there,
    }
}

const CREATED: Result<Put, Kind> = Ok(Put::Created);
const ALREADY_THERE: Result<Put, Kind> = Ok(Put::AlreadyThere);
const DETERMINATE: Result<Put, Kind> = Err(Kind::Determinate);
const INDETERMINATE: Result<Put, Kind> = Err(Kind::Indeterminate);

async fn check(cases: &[Case]) {
    for Case {
        faults,
        always,
        ends,
        tries,
        is_there,
    } in cases
    {
        let silent = |fault: &Fault| matches!(fault, Fault::Silent | Fault::DoneThenSilent);
        let rig = if faults.iter().chain([always]).any(silent) {
            Rig::with(impatient).await
        } else {
            Rig::new().await
        };
        rig.s3.next(PUT, faults.iter().cloned());
        rig.s3.always(PUT, always.clone());
        let object = noise(100_000);
        let put = rig
            .store
            .put_if_absent("a/b", Payload::Bytes(object.clone()))
            .await;
        let ended = put.as_ref().map(|put| *put).map_err(kind);
        assert_eq!(ended, *ends, "{faults:?} then {always:?}: {put:?}");
        assert_eq!(
            rig.s3.calls(PUT),
            *tries,
            "tries after {faults:?} then {always:?}"
        );
        let kept = rig.kept("a/b");
        assert_eq!(
            kept.is_some(),
            *is_there,
            "there after {faults:?} then {always:?}"
        );
        assert!(
            kept.is_none_or(|kept| kept == object),
            "what is there is what was put"
        );
    }
}

#[tokio::test]
async fn a_put_is_tried_again_after_what_passes() {
    check(&[
        once([], CREATED, 1, true),
        once([INTERNAL_ERROR], CREATED, 2, true),
        once([SLOW_DOWN, SLOW_DOWN, SLOW_DOWN], CREATED, 4, true),
        once(
            [refused(503, ""), refused(502, ""), refused(504, "")],
            CREATED,
            4,
            true,
        ),
        once([refused(409, "ConditionalRequestConflict")], CREATED, 2, true),
        once([refused(400, "RequestTimeout")], CREATED, 2, true),
        once([Fault::Cut, Fault::CutInUpload], CREATED, 3, true),
        once([Fault::DamagedInUpload], CREATED, 2, true),
        once([refused(200, "InternalError")], CREATED, 2, true),
        once([Fault::Silent], CREATED, 2, true),
        once([Fault::Slow(Duration::from_millis(200))], CREATED, 1, true),
    ])
    .await;
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_finds_its_own_object() {
    const LOST: Fault = Fault::DoneThenRefused {
        status: 500,
        code: "InternalError",
    };
    check(&[
        once([LOST], ALREADY_THERE, 2, true),
        once([Fault::DoneThenCut], ALREADY_THERE, 2, true),
        once([Fault::DoneThenSilent], ALREADY_THERE, 2, true),
        once([refused(412, "PreconditionFailed")], ALREADY_THERE, 1, false),
        always(LOST, INDETERMINATE, 4, true),
        always(Fault::DoneThenCut, INDETERMINATE, 4, true),
    ])
    .await;
}

#[tokio::test]
async fn a_put_that_may_have_happened_says_so() {
    check(&[
        always(INTERNAL_ERROR, INDETERMINATE, 4, false),
        always(refused(503, "ServiceUnavailable"), INDETERMINATE, 4, false),
        always(refused(503, ""), INDETERMINATE, 4, false),
        always(Fault::Cut, INDETERMINATE, 4, false),
        always(Fault::CutInUpload, INDETERMINATE, 4, false),
        always(Fault::Silent, INDETERMINATE, 4, false),
        // One try that may have happened is enough, whatever became of the others.
        once(
            [Fault::Cut, refused(403, "AccessDenied")],
            INDETERMINATE,
            2,
            false,
        ),
        once(
            [INTERNAL_ERROR, SLOW_DOWN, SLOW_DOWN, SLOW_DOWN],
            INDETERMINATE,
            4,
            false,
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_no_success_of_s3s_is_never_taken_for_one() {
    check(&[
        always(refused(200, "InternalError"), INDETERMINATE, 4, false),
        always(refused(200, "SlowDown"), DETERMINATE, 4, false),
        always(refused(200, ""), INDETERMINATE, 4, false),
        always(refused(204, ""), INDETERMINATE, 4, false),
        always(refused(200, "PreconditionFailed"), ALREADY_THERE, 1, false),
    ])
    .await;
}

#[tokio::test]
async fn a_put_that_was_refused_says_that_nothing_happened() {
    check(&[
        always(SLOW_DOWN, DETERMINATE, 4, false),
        always(refused(409, "ConditionalRequestConflict"), DETERMINATE, 4, false),
        always(Fault::DamagedInUpload, DETERMINATE, 4, false),
        always(refused(400, "BadDigest"), DETERMINATE, 4, false),
        always(refused(400, "EntityTooLarge"), DETERMINATE, 1, false),
        always(refused(403, "AccessDenied"), DETERMINATE, 1, false),
        always(refused(403, ""), DETERMINATE, 1, false),
        always(refused(403, "RequestTimeTooSkewed"), DETERMINATE, 1, false),
        always(refused(404, "NoSuchBucket"), DETERMINATE, 1, false),
        always(refused(301, "PermanentRedirect"), DETERMINATE, 1, false),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_read_is_not_waited_for_beyond_the_time_out() {
    let rig = Rig::with(|settings| {
        settings.answer_timeout = Duration::from_secs(10);
        settings.bytes_per_second_min = 1 << 30;
    })
    .await;
    rig.s3.next(PUT, [Fault::Deaf]);
    // More than buffers on the way hold, so that the sending stands still.
    let object = noise(12 << 20);
    let put = rig.store.put_if_absent("a", Payload::Bytes(object.clone())).await;
    assert_eq!((put, rig.s3.calls(PUT)), (Ok(Put::Created), 2));
    assert!(rig.kept("a") == Some(object));
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_surely_did_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let rig = Rig::with(|settings| settings.endpoint_url = Some(nobody.clone())).await;
    let error = rig.store.put_if_absent("a", bytes("x")).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Determinate, "{error}");
    let said = error.to_string();
    assert!(
        said.contains(&nobody) && said.contains("the last of 4 tries"),
        "{said}"
    );
    assert_eq!(rig.s3.calls(PUT), 0);
}

#[tokio::test]
async fn an_error_names_bucket_and_key_and_what_to_do() {
    for (fault, advice) in [
        (refused(403, "AccessDenied"), "s3:PutObject"),
        (refused(404, "NoSuchBucket"), "make the bucket"),
        (refused(301, "PermanentRedirect"), "set the region"),
        (
            refused(403, "RequestTimeTooSkewed"),
            "set this machine's clock right",
        ),
        (SLOW_DOWN, "later"),
    ] {
        let rig = Rig::new().await;
        rig.s3.always(PUT, fault.clone());
        let error = rig.store.put_if_absent("a/b", bytes("x")).await.unwrap_err();
        assert_eq!(
            error.is_clock_skew(),
            fault == refused(403, "RequestTimeTooSkewed")
        );
        let said = error.to_string();
        let place = format!("s3://{BUCKET}/{PREFIX}");
        assert!(said.contains("`a/b`") && said.contains(&place), "{said}");
        assert!(said.contains(advice), "{said}");
    }
}

#[tokio::test]
async fn a_store_that_fails_for_long_is_asked_little_more_than_once_for_each_call() {
    let rig = Rig::with(|settings| settings.retry_budget = 5).await;
    rig.s3.always(PUT, INTERNAL_ERROR);
    for number in 0..20 {
        let put = rig.store.put_if_absent(&number.to_string(), bytes("x")).await;
        assert_eq!(put.map_err(|error| kind(&error)), INDETERMINATE);
    }
    assert_eq!(rig.s3.calls(PUT), 20 + 5);
    // Ten successes pay for one more.
    rig.s3.always(PUT, Fault::None);
    for number in 100..110 {
        assert_eq!(
            rig.store.put_if_absent(&number.to_string(), bytes("x")).await,
            Ok(Put::Created)
        );
    }
    rig.s3.always(PUT, INTERNAL_ERROR);
    for number in 200..210 {
        rig.store
            .put_if_absent(&number.to_string(), bytes("x"))
            .await
            .unwrap_err();
    }
    assert_eq!(rig.s3.calls(PUT), 20 + 5 + 10 + 10 + 1);
}

#[tokio::test]
async fn a_checksum_class_and_encryption_go_with_every_object() {
    let encryptions = [
        (S3Encryption::BucketDefault, None, None),
        (S3Encryption::S3, Some("AES256"), None),
        (S3Encryption::Kms { key_id: None }, Some("aws:kms"), None),
        (
            S3Encryption::Kms {
                key_id: Some("a-key".to_owned()),
            },
            Some("aws:kms"),
            Some("a-key"),
        ),
    ];
    for multipart_above in [0, 1 << 20] {
        for (encryption, name, key_id) in &encryptions {
            let rig = Rig::with(|settings| {
                settings.multipart_above = multipart_above;
                settings.storage_class = Some("STANDARD_IA".to_owned());
                settings.server_side_encryption = encryption.clone();
            })
            .await;
            rig.store.put_if_absent("a", bytes("123456789")).await.unwrap();
            let kept = rig.s3.object(BUCKET, &format!("{PREFIX}/a")).unwrap();
            assert_eq!(kept.bytes, Bytes::from_static(b"123456789"));
            assert_eq!(kept.crc32c.as_deref(), Some("4waSgw=="));
            assert_eq!(kept.settings.storage_class.as_deref(), Some("STANDARD_IA"));
            assert_eq!(kept.settings.encryption.as_deref(), *name);
            assert_eq!(kept.settings.kms_key_id.as_deref(), *key_id);
        }
    }
}
