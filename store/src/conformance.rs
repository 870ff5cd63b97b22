//! The suite that every back end must pass: call [`every_back_end_keeps_the_law`] with an empty store from a test with a
//! tokio runtime. Panics with what was broken.
//!
//! What does not live here: durability, which a back end's own tests show by cutting its power.

mod listing;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::Disk;

use crate::{Crc32c, ObjectMeta, Payload, Put, Store, StoreError};

/// What a server behind a back end may be unable to do. Each is left out by name, where the reason is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Of puts to one key at the same time, only one creates.
    ConcurrentPuts,
    /// What begins the key of an object, up to a slash, is no object.
    BeginningsOfKeys,
    /// A tail may be longer than its object.
    LongTails,
    /// A key may be long.
    LongKeys,
    /// Lists go on behind keys that have to be encoded in an address.
    EncodedKeys,
}

/// All parts of the law, on an empty store. Files to be put are made on `disk` in `folder`, which must be there.
pub async fn every_back_end_keeps_the_law(store: Arc<dyn Store>, disk: Arc<dyn Disk>, folder: &Path) {
    the_law_is_kept_but_for(&[], store, disk, folder).await;
}

/// The same for a back end whose server cannot do all of it.
pub async fn the_law_is_kept_but_for(
    left_out: &[LeftOut],
    store: Arc<dyn Store>,
    disk: Arc<dyn Disk>,
    folder: &Path,
) {
    let holds = |part| !left_out.contains(&part);
    nothing_is_there_before_the_first_put(&*store).await;
    a_put_never_overwrites(&*store).await;
    if holds(LeftOut::BeginningsOfKeys) {
        what_begins_or_goes_on_a_key_is_no_object(&*store).await;
    }
    if holds(LeftOut::ConcurrentPuts) {
        of_concurrent_puts_one_wins(&store).await;
    }
    ranges_end_where_the_object_ends(&*store).await;
    tails_end_the_object(&*store, holds(LeftOut::LongTails)).await;
    a_deleted_object_is_gone_and_its_key_free(&*store).await;
    keys_may_be_strange_but_not_dangerous(&*store).await;
    if holds(LeftOut::LongKeys) {
        a_segment_may_be_as_long_as_a_file_name(&*store).await;
    }
    a_big_file_is_put_whole(&*store, &*disk, folder).await;
    a_file_of_another_length_than_announced_is_not_put(&*store, &*disk, folder).await;
    listing::is_in_byte_order_of_keys(&*store, holds(LeftOut::EncodedKeys)).await;
}

fn bytes(text: &'static str) -> Payload {
    Payload::Bytes(Bytes::from_static(text.as_bytes()))
}

fn not_found(key: &str) -> StoreError {
    StoreError::NotFound { key: key.to_owned() }
}

async fn put(store: &dyn Store, key: &str, payload: Payload) -> Put {
    let put = store.put_if_absent(key, payload).await;
    put.unwrap_or_else(|error| panic!("a put to `{key}` must do: {error}"))
}

async fn nothing_is_there_before_the_first_put(store: &dyn Store) {
    for key in ["none", "no/such/folder"] {
        assert_eq!(store.get(key).await, Err(not_found(key)));
        assert_eq!(store.get_range(key, 0..1).await, Err(not_found(key)));
        assert_eq!(store.get_tail(key, 1).await, Err(not_found(key)));
        assert_eq!(store.head(key).await, Ok(None));
        assert_eq!(store.delete(key).await, Ok(()), "deleting nothing is no error");
    }
    let page = store
        .list("", None, 10)
        .await
        .expect("an empty store can be listed");
    assert_eq!((page.objects.len(), page.more), (0, false));
}

async fn a_put_never_overwrites(store: &dyn Store) {
    assert_eq!(put(store, "once/a", bytes("first")).await, Put::Created);
    assert_eq!(put(store, "once/a", bytes("second")).await, Put::AlreadyThere);
    assert_eq!(put(store, "once/empty", bytes("")).await, Put::Created);
    assert_eq!(store.get("once/a").await, Ok(Bytes::from_static(b"first")));
    assert_eq!(store.get("once/empty").await, Ok(Bytes::new()));
    let meta = ObjectMeta {
        key: "once/a".to_owned(),
        len: 5,
    };
    assert_eq!(store.head("once/a").await, Ok(Some(meta)));
}

async fn what_begins_or_goes_on_a_key_is_no_object(store: &dyn Store) {
    put(store, "part/a", bytes("x")).await;
    for key in ["part", "part/a/b"] {
        assert_eq!(store.head(key).await, Ok(None), "{key}");
        assert_eq!(store.get(key).await, Err(not_found(key)));
        assert_eq!(store.delete(key).await, Ok(()), "{key}");
    }
    assert_eq!(store.get("part/a").await, Ok(Bytes::from_static(b"x")));
}

async fn of_concurrent_puts_one_wins(store: &Arc<dyn Store>) {
    let tasks: Vec<_> = (0..8_u8)
        .map(|number| {
            let store = Arc::clone(store);
            let object = Bytes::from(vec![number; 10_000]);
            service::task::spawn("conformance-put", async move {
                (
                    number,
                    store.put_if_absent("race/x/y", Payload::Bytes(object)).await,
                )
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (number, put) = task.await.expect("a put does not panic");
        if put.expect("a put beside others must do") == Put::Created {
            winners.push(number);
        }
    }
    assert_eq!(winners.len(), 1, "of concurrent puts exactly one creates");
    assert_eq!(
        store.get("race/x/y").await,
        Ok(Bytes::from(vec![winners[0]; 10_000]))
    );
}

async fn ranges_end_where_the_object_ends(store: &dyn Store) {
    const OBJECT: &[u8] = b"0123456789";
    put(store, "range", Payload::Bytes(Bytes::from_static(OBJECT))).await;
    let edges = [0, 1, 5, 9, 10, 11, 1000, u64::MAX];
    let within = |at: u64| usize::try_from(at).map_or(10, |at| at.min(10));
    for start in edges {
        for end in edges {
            let expected = OBJECT.get(within(start)..within(end)).unwrap_or_default();
            let got = store.get_range("range", start..end).await;
            assert_eq!(got, Ok(Bytes::from_static(expected)), "range {start}..{end}");
        }
    }
    put(store, "range-of-nothing", bytes("")).await;
    for range in [0..0, 0..1, 1..2, 0..u64::MAX] {
        let got = store.get_range("range-of-nothing", range.clone()).await;
        assert_eq!(got, Ok(Bytes::new()), "range {range:?} of an empty object");
    }
}

async fn tails_end_the_object(store: &dyn Store, with_long_ones: bool) {
    const OBJECT: &[u8] = b"0123456789";
    put(store, "tail", Payload::Bytes(Bytes::from_static(OBJECT))).await;
    put(store, "tail-of-nothing", bytes("")).await;
    let mut lens = vec![0, 1, 5, 9, 10];
    if with_long_ones {
        lens.extend([11, 1000, u64::MAX]);
    }
    for len in lens {
        let start = usize::try_from(len).map_or(0, |len| OBJECT.len().saturating_sub(len));
        let tail = Bytes::from_static(&OBJECT[start..]);
        assert_eq!(store.get_tail("tail", len).await, Ok((tail, 10)), "tail of {len}");
        if len == 0 || with_long_ones {
            let tail = store.get_tail("tail-of-nothing", len).await;
            assert_eq!(tail, Ok((Bytes::new(), 0)), "tail of {len} of an empty object");
        }
    }
}

async fn a_deleted_object_is_gone_and_its_key_free(store: &dyn Store) {
    put(store, "gone/a", bytes("old")).await;
    assert_eq!(store.delete("gone/a").await, Ok(()));
    assert_eq!(store.delete("gone/a").await, Ok(()));
    assert_eq!(store.get("gone/a").await, Err(not_found("gone/a")));
    assert_eq!(put(store, "gone/a", bytes("new")).await, Put::Created);
    assert_eq!(store.get("gone/a").await, Ok(Bytes::from_static(b"new")));
}

async fn keys_may_be_strange_but_not_dangerous(store: &dyn Store) {
    let strange = [
        "strange/ ",
        "strange/...",
        "strange/%2F=~",
        "strange/ä\u{1F980}",
        "strange/\n\t\"'\\*?",
        "-",
    ];
    for key in strange {
        assert_eq!(put(store, key, bytes("x")).await, Put::Created, "{key:?}");
        assert_eq!(store.get(key).await, Ok(Bytes::from_static(b"x")), "{key:?}");
        assert_eq!(store.delete(key).await, Ok(()), "{key:?}");
    }
    let too_long = "l".repeat(256);
    for key in [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "a/../../b",
        "a/./b",
        "a\0b",
        &too_long,
    ] {
        let put = store.put_if_absent(key, bytes("x")).await;
        assert!(
            matches!(put, Err(StoreError::Determinate { .. })),
            "{key:?} must be refused: {put:?}"
        );
    }
}

async fn a_segment_may_be_as_long_as_a_file_name(store: &dyn Store) {
    let segment = "l".repeat(255);
    for key in [segment.clone(), format!("{segment}/{segment}/{segment}")] {
        assert_eq!(put(store, &key, bytes("x")).await, Put::Created);
        assert_eq!(store.get(&key).await, Ok(Bytes::from_static(b"x")));
        assert_eq!(store.delete(&key).await, Ok(()));
    }
}

async fn a_big_file_is_put_whole(store: &dyn Store, disk: &dyn Disk, folder: &Path) {
    let object: Vec<u8> = (0..3_000_001_u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let path = folder.join("to-be-put");
    let file = disk.create_new(&path).expect("the folder takes a file");
    file.write_all_at(&object, 0).expect("the folder has room");
    let payload = || Payload::File {
        path: path.clone(),
        len: object.len() as u64,
        crc: Crc32c::of(&object),
    };
    assert_eq!(put(store, "big/file", payload()).await, Put::Created);
    assert_eq!(put(store, "big/file", payload()).await, Put::AlreadyThere);
    let left = disk.file_len(&path).expect("the folder can be read");
    assert_eq!(
        left,
        Some(object.len() as u64),
        "the caller's name is the caller's to remove"
    );
    disk.remove_file(&path)
        .expect("the caller's own name can be removed");
    let (tail, len) = store.get_tail("big/file", 70_000).await.expect("it was put");
    assert_eq!(
        (&tail[..], len),
        (&object[object.len() - 70_000..], object.len() as u64)
    );
    let whole = store.get("big/file").await.expect("it was put");
    assert!(whole == object, "the object must be the file's bytes");
}

async fn a_file_of_another_length_than_announced_is_not_put(
    store: &dyn Store,
    disk: &dyn Disk,
    folder: &Path,
) {
    let path = folder.join("too-short");
    let file = disk.create_new(&path).expect("the folder takes a file");
    file.write_all_at(b"four", 0).expect("the folder has room");
    for payload in [
        Payload::File {
            path: path.clone(),
            len: 5,
            crc: Crc32c::of(b"fours"),
        },
        Payload::File {
            path: folder.join("none"),
            len: 0,
            crc: Crc32c::default(),
        },
    ] {
        let put = store.put_if_absent("short/file", payload).await;
        assert!(
            matches!(put, Err(StoreError::File { .. })),
            "must be refused: {put:?}"
        );
        assert_eq!(store.head("short/file").await, Ok(None));
    }
    disk.remove_file(&path)
        .expect("the caller's own name can be removed");
}
