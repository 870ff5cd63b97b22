//! Lists under faults: every object once, in order, or an error.

use loopback_s3::{Fault, Operation};
use store::Store;

use super::rig::{BUCKET, INTERNAL_ERROR, Kind, Rig, kind, refused};

const LIST: Operation = Operation::ListObjectsV2;

fn key(number: usize) -> String {
    format!("{number:05}")
}

/// A store with so many objects.
async fn rig(objects: usize) -> Rig {
    let rig = Rig::new().await;
    for number in 0..objects {
        rig.keep(&key(number), "123");
    }
    rig
}

async fn listed(rig: &Rig, limit: usize) -> Vec<String> {
    let page = rig.store.list("", None, limit).await.unwrap();
    page.objects.into_iter().map(|object| object.key).collect()
}

#[tokio::test]
async fn a_list_goes_on_after_what_passes() {
    for fault in [
        INTERNAL_ERROR,
        Fault::Cut,
        Fault::DoneThenCutInBody,
        refused(200, "InternalError"),
        Fault::DoneThenLastAnswer,
    ] {
        let rig = rig(2_500).await;
        rig.s3.next(LIST, [Fault::None, fault.clone()]);
        let all: Vec<String> = (0..2_500).map(key).collect();
        assert_eq!(listed(&rig, 3_000).await, all, "{fault:?}");
        assert_eq!(rig.s3.calls(LIST), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn a_page_that_comes_again_and_again_ends_in_an_error_not_in_a_list_without_end() {
    let rig = rig(2_500).await;
    rig.s3.next(LIST, [Fault::None]);
    rig.s3.always(LIST, Fault::DoneThenLastAnswer);
    let error = rig.store.list("", None, usize::MAX).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Determinate);
    assert!(error.to_string().contains("does not ascend"), "{error}");
    assert_eq!(rig.s3.calls(LIST), 1 + 4);
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_list_is_an_error_and_no_short_list() {
    let rig = rig(1_500).await;
    rig.s3.next(LIST, [Fault::None]);
    rig.s3.always(LIST, refused(200, "InternalError"));
    let error = rig.store.list("", None, 2_000).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Determinate, "{error}");
}

#[tokio::test]
async fn pages_are_as_long_as_asked_for() {
    let rig = rig(3).await;
    for (limit, calls) in [(1, 1), (2, 1), (3, 1), (4, 1)] {
        let before = rig.s3.calls(LIST);
        let page = rig.store.list("", None, limit).await.unwrap();
        assert_eq!((page.objects.len(), page.more), (limit.min(3), limit < 3));
        assert_eq!(rig.s3.calls(LIST) - before, calls);
    }
}

#[tokio::test]
async fn objects_that_no_store_put_are_passed_over() {
    let rig = rig(2).await;
    // Folders as consoles make them, and a neighbour whose name begins alike.
    for name in [
        "below/here/",
        "below/here//x",
        "below/here/00000/",
        "below/hereafter",
        "below/here/./x",
    ] {
        rig.s3.put(BUCKET, name, "".into());
    }
    for limit in [1, 2, 10] {
        let page = rig.store.list("", None, limit).await.unwrap();
        let keys: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
        assert_eq!(keys, (0..limit.min(2)).map(key).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn names_that_xml_cannot_hold_are_listed_as_they_are() {
    let rig = Rig::new().await;
    let mut odd = [
        "a+b",
        "a b",
        "a%2Fb",
        "a&b<c>\"d'",
        "\u{1}\u{2}",
        "\u{7f}",
        "ä/\u{1F980}",
        "*~(!)",
    ]
    .map(str::to_owned);
    odd.sort();
    for key in &odd {
        rig.keep(key, "x");
    }
    assert_eq!(listed(&rig, 10).await, odd);
    for key in &odd {
        assert_eq!(
            rig.store.get(key).await.as_deref(),
            Ok(b"x".as_slice()),
            "{key:?}"
        );
    }
    let after = rig.store.list("", Some(&odd[3]), 10).await.unwrap();
    let keys: Vec<String> = after.objects.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, odd[4..]);
}
