//! Puts in parts, under every fault: what is told, what is there, and that no part is left behind.

use std::time::Duration;

use bytes::Bytes;
use disk::RealDisk;
use loopback_s3::{Fault, Operation};
use store::{Crc32c, Payload, Put, S3Settings, Store};

use super::rig::{INTERNAL_ERROR, Kind, Rig, SLOW_DOWN, kind, noise, refused};

const CREATE: Operation = Operation::CreateMultipartUpload;
const PART: Operation = Operation::UploadPart;
const COMPLETE: Operation = Operation::CompleteMultipartUpload;
const ABORT: Operation = Operation::AbortMultipartUpload;
const HEAD: Operation = Operation::HeadObject;

const PARTS: u64 = 3;

fn object() -> Bytes {
    noise((10 << 20) + 1)
}

fn small_parts(settings: &mut S3Settings) {
    settings.multipart_above = 1 << 20;
    settings.part_bytes = 5 << 20;
}

async fn rig() -> Rig {
    Rig::with(small_parts).await
}

/// Puts the object and says how that ended. What is there afterwards is whole, and no upload is left open.
async fn put(rig: &Rig) -> Result<Put, Kind> {
    let put = rig.store.put_if_absent("a/b", Payload::Bytes(object())).await;
    assert_eq!(rig.s3.open_uploads(), 0, "no part is left behind: {put:?}");
    let kept = rig.kept("a/b");
    assert!(
        kept.as_ref().is_none_or(|kept| *kept == object()),
        "what is there is whole"
    );
    assert!(
        put != Ok(Put::Created) || kept.is_some(),
        "what was created is there"
    );
    put.map_err(|error| kind(&error))
}

#[tokio::test]
async fn parts_are_sent_again_after_what_passes() {
    let faults = [
        INTERNAL_ERROR,
        SLOW_DOWN,
        Fault::Cut,
        Fault::CutInUpload,
        Fault::DoneThenCut,
        Fault::DamagedInUpload,
    ];
    for fault in faults {
        let rig = rig().await;
        rig.s3.next(PART, [Fault::None, fault.clone()]);
        assert_eq!(put(&rig).await, Ok(Put::Created), "{fault:?}");
        assert_eq!(rig.s3.calls(PART), PARTS + 1, "{fault:?}");
        assert_eq!(rig.s3.calls(COMPLETE), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_upload_that_cannot_be_begun_or_filled_did_nothing_and_is_aborted() {
    for (operation, fault, tries, uploads) in [
        (CREATE, INTERNAL_ERROR, 4, 0),
        (CREATE, refused(403, "AccessDenied"), 1, 0),
        (CREATE, refused(200, ""), 4, 0),
        (PART, INTERNAL_ERROR, 0, 1),
        (PART, Fault::Cut, 0, 1),
        (PART, refused(404, "NoSuchUpload"), 0, 1),
        (PART, Fault::DamagedInUpload, 0, 1),
    ] {
        let rig = rig().await;
        rig.s3.always(operation, fault.clone());
        assert_eq!(put(&rig).await, Err(Kind::Determinate), "{operation:?} {fault:?}");
        assert!(rig.kept("a/b").is_none());
        if operation == CREATE {
            assert_eq!(rig.s3.calls(CREATE), tries, "{fault:?}");
        }
        assert_eq!(rig.s3.calls(ABORT), uploads, "{operation:?} {fault:?}");
        assert_eq!(rig.s3.calls(COMPLETE), 0);
    }
}

#[tokio::test]
async fn an_object_that_is_there_is_not_sent_again() {
    let rig = rig().await;
    rig.keep("a/b", object());
    assert_eq!(put(&rig).await, Ok(Put::AlreadyThere));
    assert_eq!(rig.s3.calls(CREATE), 0);
}

#[tokio::test]
async fn a_completion_does_not_replace_what_came_meanwhile() {
    let rig = rig().await;
    // At the first look nothing is there; at the completion something is.
    rig.s3.next(HEAD, [refused(404, "")]);
    rig.keep("a/b", "another's");
    let put = rig.store.put_if_absent("a/b", Payload::Bytes(object())).await;
    assert_eq!(put, Ok(Put::AlreadyThere));
    assert_eq!(rig.kept("a/b"), Some(Bytes::from_static(b"another's")));
    assert_eq!((rig.s3.calls(COMPLETE), rig.s3.calls(ABORT)), (1, 1));
    assert_eq!(rig.s3.open_uploads(), 0);
}

#[tokio::test]
async fn a_completion_in_conflict_has_all_parts_sent_anew() {
    const CONFLICT: Fault = refused(409, "ConditionalRequestConflict");
    let once = rig().await;
    once.s3.next(COMPLETE, [CONFLICT]);
    assert_eq!(put(&once).await, Ok(Put::Created));
    assert_eq!(
        (
            once.s3.calls(CREATE),
            once.s3.calls(PART),
            once.s3.calls(COMPLETE)
        ),
        (2, 2 * PARTS, 2)
    );
    let always = rig().await;
    always.s3.always(COMPLETE, CONFLICT);
    assert_eq!(put(&always).await, Err(Kind::Determinate));
    assert_eq!((always.s3.calls(CREATE), always.s3.calls(ABORT)), (3, 3));
    assert!(always.kept("a/b").is_none());
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_finds_the_object() {
    let lost = [
        Fault::DoneThenCut,
        Fault::DoneThenCutInBody,
        Fault::DoneThenRefused {
            status: 500,
            code: "InternalError",
        },
        Fault::DoneThenRefused {
            status: 200,
            code: "InternalError",
        },
    ];
    for fault in lost {
        let rig = rig().await;
        rig.s3.next(COMPLETE, [fault.clone()]);
        // The upload is gone by then: the second try hears NoSuchUpload.
        assert_eq!(put(&rig).await, Ok(Put::AlreadyThere), "{fault:?}");
        assert_eq!(rig.s3.calls(COMPLETE), 2, "{fault:?}");
        assert_eq!(rig.s3.calls(HEAD), 2, "{fault:?}");
        assert!(rig.kept("a/b").is_some());
    }
}

#[tokio::test]
async fn a_completion_that_never_says_how_it_ended_is_settled_by_looking() {
    for (fault, ends) in [
        (Fault::DoneThenCut, Ok(Put::AlreadyThere)),
        (Fault::Cut, Err(Kind::Indeterminate)),
        (INTERNAL_ERROR, Err(Kind::Indeterminate)),
        (refused(200, "InternalError"), Err(Kind::Indeterminate)),
        (refused(200, ""), Err(Kind::Indeterminate)),
    ] {
        let rig = rig().await;
        rig.s3.always(COMPLETE, fault.clone());
        assert_eq!(put(&rig).await, ends, "{fault:?}");
        assert_eq!(rig.kept("a/b").is_some(), ends.is_ok(), "{fault:?}");
    }
    let rig = Rig::with(|settings| {
        small_parts(settings);
        settings.answer_timeout = Duration::from_secs(10);
        settings.bytes_per_second_min = u64::MAX;
        settings.tries_max = 2;
    })
    .await;
    rig.s3.always(COMPLETE, Fault::Silent);
    assert_eq!(put(&rig).await, Err(Kind::Indeterminate));
}

/// The slowest line that is waited for is one thing, how long S3 may take to make an object of what it has another.
#[tokio::test]
async fn a_silent_completion_is_not_waited_for_as_long_as_its_bytes_would_take_on_the_slowest_line() {
    let rig = Rig::with(|settings| {
        small_parts(settings);
        settings.answer_timeout = Duration::from_secs(5);
        // 10 MiB take three hours on such a line.
        settings.bytes_per_second_min = 1 << 10;
        settings.tries_max = 2;
    })
    .await;
    rig.s3.always(COMPLETE, Fault::Silent);
    let ended = tokio::time::timeout(Duration::from_secs(240), put(&rig)).await;
    assert_eq!(ended, Ok(Err(Kind::Indeterminate)), "two tries of seconds");
    assert_eq!(rig.s3.calls(COMPLETE), 2);
}

#[tokio::test]
async fn a_file_that_is_not_read_back_as_it_was_written_is_put_neither_whole_nor_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (path, object) = (folder.path().join("file"), noise(6 << 20));
    let payload = || Payload::File {
        path: path.clone(),
        len: object.len() as u64,
        crc: Crc32c::of(&object),
    };
    for multipart_above in [1 << 20, 16 << 20] {
        let rig = Rig::with(|settings| {
            small_parts(settings);
            settings.multipart_above = multipart_above;
        })
        .await;
        for damaged in [0, object.len() / 2, object.len() - 1] {
            let mut rotten = object.to_vec();
            rotten[damaged] ^= 0x10;
            std::fs::write(&path, &rotten).unwrap();
            let put = rig.store.put_if_absent("a/b", payload()).await;
            assert_eq!(put.as_ref().map_err(kind), Err(Kind::File), "{put:?}");
            assert_eq!(rig.kept("a/b"), None);
        }
        assert_eq!((rig.s3.calls(COMPLETE), rig.s3.open_uploads()), (0, 0));
        std::fs::write(&path, &object).unwrap();
        assert_eq!(rig.store.put_if_absent("a/b", payload()).await, Ok(Put::Created));
        assert!(rig.kept("a/b") == Some(object.clone()));
    }
}

#[tokio::test]
async fn an_upload_that_is_gone_without_its_object_did_nothing() {
    let rig = rig().await;
    rig.s3.always(COMPLETE, refused(404, "NoSuchUpload"));
    assert_eq!(put(&rig).await, Err(Kind::Determinate));
    assert_eq!((rig.s3.calls(COMPLETE), rig.s3.calls(HEAD)), (1, 2));
    assert!(rig.kept("a/b").is_none());
}

#[tokio::test]
async fn a_completion_that_is_refused_did_nothing() {
    for (fault, tries) in [
        (refused(400, "InvalidPart"), 1),
        (refused(403, "AccessDenied"), 1),
        (SLOW_DOWN, 4),
        (refused(200, "SlowDown"), 4),
    ] {
        let rig = rig().await;
        rig.s3.always(COMPLETE, fault.clone());
        assert_eq!(put(&rig).await, Err(Kind::Determinate), "{fault:?}");
        assert_eq!(rig.s3.calls(COMPLETE), tries, "{fault:?}");
    }
}

#[tokio::test]
async fn an_abort_that_fails_hides_no_other_failure() {
    let rig = rig().await;
    rig.s3.always(PART, refused(403, "AccessDenied"));
    rig.s3.always(ABORT, refused(403, "AccessDenied"));
    let error = rig
        .store
        .put_if_absent("a/b", Payload::Bytes(object()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("UploadPart"), "{error}");
    assert_eq!(rig.s3.open_uploads(), 1, "the bucket's lifecycle rule sweeps it");
}

#[tokio::test]
async fn no_more_bytes_are_under_way_than_there_is_room_for() {
    let rig = Rig::with(|settings| {
        small_parts(settings);
        settings.parts_at_once = 8;
        settings.upload_bytes_max = 10 << 20;
    })
    .await;
    let (folder, object) = (tempfile::tempdir().unwrap(), noise(32 << 20));
    let path = folder.path().join("file");
    let file = RealDisk::shared().create_new(&path).unwrap();
    file.write_all_at(&object, 0).unwrap();
    let (len, crc) = (object.len() as u64, Crc32c::of(&object));
    let puts = ["a", "b", "c"].map(|key| {
        let (store, path) = (rig.store.clone(), path.clone());
        service::task::spawn("put", async move {
            store.put_if_absent(key, Payload::File { path, len, crc }).await
        })
    });
    for put in puts {
        assert_eq!(put.await.unwrap(), Ok(Put::Created));
    }
    for key in ["a", "b", "c"] {
        assert!(rig.kept(key) == Some(object.clone()), "{key}");
    }
    assert_eq!(rig.s3.calls(PART), 3 * 7);
    assert!(rig.s3.most_at_once(PART) <= 2, "two parts of 5 MiB fill 10 MiB");
}
