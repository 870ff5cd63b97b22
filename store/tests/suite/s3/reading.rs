//! Reads under every fault: either the right bytes, or an error; never others, and never "not there" for want of an answer.

use bytes::Bytes;
use loopback_s3::{Fault, Operation};
use store::{Store, StoreError};

use super::rig::{BUCKET, INTERNAL_ERROR, Kind, Rig, SLOW_DOWN, bytes, impatient, kind, noise, refused};

const GET: Operation = Operation::GetObject;
const HEAD: Operation = Operation::HeadObject;

fn object() -> Bytes {
    noise(1 << 20)
}

/// A store with an object at `a`, put by itself, so that its checksum is known.
async fn rig() -> Rig {
    let rig = Rig::with(impatient).await;
    let put = rig
        .store
        .put_if_absent("a", store::Payload::Bytes(object()))
        .await;
    put.unwrap();
    rig
}

#[tokio::test]
async fn what_was_read_in_part_or_damaged_is_read_again() {
    let faults = [
        INTERNAL_ERROR,
        SLOW_DOWN,
        Fault::Cut,
        Fault::DoneThenCutInBody,
        Fault::DoneThenDamaged,
        Fault::DoneThenStalled,
        Fault::Silent,
    ];
    for fault in faults {
        let rig = rig().await;
        rig.s3.next(GET, [fault.clone()]);
        assert!(rig.store.get("a").await.unwrap() == object(), "{fault:?}");
        assert_eq!(rig.s3.calls(GET), 2, "{fault:?}");
    }
    let rig = rig().await;
    rig.s3.next(GET, [Fault::DoneThenCutInBody]);
    let range = rig.store.get_range("a", 1_000..900_000).await.unwrap();
    assert!(range == object().slice(1_000..900_000));
    rig.s3.next(GET, [Fault::DoneThenCutInBody]);
    let (tail, len) = rig.store.get_tail("a", 500_000).await.unwrap();
    assert!((tail, len) == (object().slice((1 << 20) - 500_000..), 1 << 20));
    assert_eq!(rig.s3.calls(GET), 4);
}

#[tokio::test]
async fn a_read_that_fails_to_the_end_says_so_and_brings_nothing() {
    for (fault, tries) in [
        (INTERNAL_ERROR, 4),
        (SLOW_DOWN, 4),
        (Fault::Cut, 4),
        (Fault::DoneThenCutInBody, 4),
        (Fault::DoneThenDamaged, 4),
        (refused(403, "AccessDenied"), 1),
        (refused(403, "RequestTimeTooSkewed"), 1),
        (refused(404, "NoSuchBucket"), 1),
    ] {
        let rig = rig().await;
        rig.s3.always(GET, fault.clone());
        let error = rig.store.get("a").await.unwrap_err();
        assert_eq!(kind(&error), Kind::Determinate, "{fault:?}: {error}");
        assert_eq!(rig.s3.calls(GET), tries, "{fault:?}");
    }
}

#[tokio::test]
async fn a_tail_takes_one_request_also_of_an_empty_object() {
    let rig = rig().await;
    let (tail, len) = rig.store.get_tail("a", 10).await.unwrap();
    assert!((tail, len) == (object().slice((1 << 20) - 10..), 1 << 20));
    assert_eq!(rig.s3.calls(GET), 1);
    rig.keep("empty", "");
    assert_eq!(rig.store.get_tail("empty", 10).await, Ok((Bytes::new(), 0)));
    assert_eq!(rig.s3.calls(GET), 2);
    assert_eq!(rig.s3.calls(HEAD), 0);
}

#[tokio::test]
async fn a_bucket_that_is_away_does_not_say_that_its_objects_are_gone() {
    let rig = rig().await;
    rig.s3.remove_bucket(BUCKET);
    for error in [
        rig.store.get("a").await.unwrap_err(),
        rig.store.get_tail("a", 1).await.unwrap_err(),
        rig.store.get_tail("a", 0).await.unwrap_err(),
        rig.store.get_range("a", 0..1).await.unwrap_err(),
        rig.store.get_range("a", 1..1).await.unwrap_err(),
        rig.store.head("a").await.unwrap_err(),
        rig.store.list("", None, 1).await.unwrap_err(),
        rig.store.delete("a").await.unwrap_err(),
        rig.store.put_if_absent("b", bytes("x")).await.unwrap_err(),
    ] {
        assert_eq!(kind(&error), Kind::Determinate, "{error}");
        assert!(error.to_string().contains("make the bucket"), "{error}");
    }
}

#[tokio::test]
async fn only_s3_itself_says_that_an_object_is_not_there() {
    let rig = rig().await;
    let not_found = StoreError::NotFound { key: "b".to_owned() };
    assert_eq!(rig.store.get("b").await, Err(not_found));
    assert_eq!(rig.store.head("b").await, Ok(None));
    assert_eq!(
        (rig.s3.calls(GET), rig.s3.calls(HEAD)),
        (1, 1),
        "and is asked once"
    );
    for fault in [INTERNAL_ERROR, refused(403, ""), Fault::Cut, refused(400, "")] {
        let rig = self::rig().await;
        rig.s3.always(HEAD, fault.clone());
        let error = rig.store.head("b").await.unwrap_err();
        assert_eq!(kind(&error), Kind::Determinate, "{fault:?}: {error}");
    }
}
