//! Deletions under faults.

use loopback_s3::{Fault, Operation};
use store::Store;

use super::rig::{INTERNAL_ERROR, Kind, Rig, SLOW_DOWN, kind, refused};

const DELETE: Operation = Operation::DeleteObject;

#[tokio::test]
async fn a_deletion_is_tried_again_and_finds_nothing_left() {
    for fault in [INTERNAL_ERROR, SLOW_DOWN, Fault::Cut, Fault::DoneThenCut] {
        let rig = Rig::new().await;
        rig.keep("a", "x");
        rig.s3.next(DELETE, [fault.clone()]);
        assert_eq!(rig.store.delete("a").await, Ok(()), "{fault:?}");
        assert_eq!((rig.s3.calls(DELETE), rig.kept("a")), (2, None), "{fault:?}");
    }
}

#[tokio::test]
async fn a_deletion_says_whether_it_may_have_happened() {
    for (fault, ends, tries) in [
        (INTERNAL_ERROR, Kind::Indeterminate, 4),
        (Fault::DoneThenCut, Kind::Indeterminate, 4),
        (SLOW_DOWN, Kind::Determinate, 4),
        (refused(403, "AccessDenied"), Kind::Determinate, 1),
    ] {
        let rig = Rig::new().await;
        rig.keep("a", "x");
        rig.s3.always(DELETE, fault.clone());
        let error = rig.store.delete("a").await.unwrap_err();
        assert_eq!((kind(&error), rig.s3.calls(DELETE)), (ends, tries), "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_404_has_nothing_to_delete() {
    let rig = Rig::new().await;
    rig.s3.always(DELETE, refused(404, "NoSuchKey"));
    assert_eq!(rig.store.delete("a").await, Ok(()));
}
