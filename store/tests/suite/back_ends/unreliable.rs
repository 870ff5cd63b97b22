//! The unreliable store does what it says of itself.

use std::sync::Arc;

use bytes::Bytes;
use store::{
    Ends, MemoryStore, Moment, ObservedStore, Odds, Payload, Put, Store, StoreError, UnreliableStore,
};

fn payload() -> Payload {
    Payload::Bytes(Bytes::from_static(b"object"))
}

#[tokio::test]
async fn each_call_ends_in_one_of_four_ways_and_is_counted() {
    let inner = Arc::new(MemoryStore::default());
    let odds = Odds {
        refused: 0.2,
        answer_lost: 0.2,
        call_lost: 0.2,
    };
    let store = UnreliableStore::new(Arc::clone(&inner) as Arc<dyn Store>, 1, odds);
    let mut seen = Ends::default();
    for number in 0..400 {
        let key = format!("key-{number}");
        let put = store.put_if_absent(&key, payload()).await;
        let count = match (put, inner.head(&key).await.unwrap().is_some()) {
            (Ok(Put::Created), true) => &mut seen.answered,
            (Err(StoreError::Determinate { .. }), false) => &mut seen.refused,
            (Err(StoreError::Indeterminate { .. }), true) => &mut seen.answers_lost,
            (Err(StoreError::Indeterminate { .. }), false) => &mut seen.calls_lost,
            other => panic!("no such end: {other:?}"),
        };
        *count += 1;
    }
    assert_eq!((store.ends(), store.calls()), (seen, 400));
    for count in [
        seen.answered / 2,
        seen.refused,
        seen.answers_lost,
        seen.calls_lost,
    ] {
        assert!((40..130).contains(&count), "{seen:?}");
    }
    store.set_odds(Odds::default());
    assert_eq!(store.put_if_absent("last", payload()).await, Ok(Put::Created));
}

#[tokio::test]
async fn from_the_crash_point_on_nothing_happens() {
    for (moment, happened) in [(Moment::Before, false), (Moment::After, true)] {
        let inner = Arc::new(MemoryStore::default());
        let store = UnreliableStore::new(Arc::clone(&inner) as Arc<dyn Store>, 1, Odds::default());
        store.fail_at(2, moment);
        assert_eq!(store.put_if_absent("first", payload()).await, Ok(Put::Created));
        assert!(store.put_if_absent("second", payload()).await.is_err());
        assert!(store.put_if_absent("third", payload()).await.is_err());
        assert!(store.get("first").await.is_err());
        assert_eq!(
            inner.head("second").await.unwrap().is_some(),
            happened,
            "{moment:?}"
        );
        assert_eq!(inner.head("third").await.unwrap(), None);
    }
}

#[tokio::test]
async fn observing_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = ObservedStore::new(Arc::new(MemoryStore::default()));
    store::conformance::every_back_end_keeps_the_law(
        Arc::new(store),
        disk::RealDisk::shared(),
        folder.path(),
    )
    .await;
}
