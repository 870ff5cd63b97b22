//! The directory store on a disk that forgets: whatever the moment of a power cut, what was answered is there whole, and
//! nothing is there in part. And each of its syncs is needed: without any one kind of them something is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, Moment, SimulatedDisk, SyncKind};
use store::{Blocking, DirectoryStore, Payload, Put, Store, StoreError};

const SEEDS: u64 = 12;

/// Chooses syncs to leave out.
type Choose = fn(&Path, SyncKind) -> bool;

/// What a world has been told: keys that are surely there, surely not there (deleted, or a put that surely failed), and all
/// that were ever put.
#[derive(Default)]
struct Told {
    created: BTreeSet<String>,
    absent: BTreeSet<String>,
    put: BTreeMap<String, Vec<u8>>,
}

fn store_on(disk: &SimulatedDisk) -> DirectoryStore {
    DirectoryStore::new(
        disk.shared(),
        PathBuf::from("/store"),
        PathBuf::from("/staging"),
        Blocking::Inline,
    )
}

fn object(key: &str, len: usize) -> Vec<u8> {
    key.bytes().cycle().take(len).collect()
}

/// What an edge does: small objects from memory, a big one from a file, one key twice, one deleted.
async fn work(disk: &SimulatedDisk, told: &mut Told) {
    let store = store_on(disk);
    for (key, len) in [
        ("a/b/1", 700),
        ("a/b/2", 100),
        ("a/c/3", 5000),
        ("a/b/1", 700),
        ("4", 1),
    ] {
        let payload = Payload::Bytes(Bytes::from(object(key, len)));
        put(&store, told, key, len, payload).await;
    }
    let path = PathBuf::from("/staging/file");
    let written = disk
        .create_new(&path)
        .and_then(|file| file.write_all_at(&object("d/e/5", 3000), 0));
    if written.is_ok() {
        put(
            &store,
            told,
            "d/e/5",
            3000,
            Payload::File {
                path: path.clone(),
                len: 3000,
            },
        )
        .await;
        let _ = disk.remove_file(&path);
    }
    told.created.remove("a/b/2");
    if store.delete("a/b/2").await.is_ok() {
        told.absent.insert("a/b/2".to_owned());
    }
}

async fn put(store: &DirectoryStore, told: &mut Told, key: &str, len: usize, payload: Payload) {
    let first = told.put.insert(key.to_owned(), object(key, len)).is_none();
    told.absent.remove(key);
    match store.put_if_absent(key, payload).await {
        Ok(_) => told.created.insert(key.to_owned()),
        Err(StoreError::Determinate { .. }) if first => told.absent.insert(key.to_owned()),
        Err(_) => false,
    };
}

/// What is wrong with a found disk.
async fn wrong(found: &SimulatedDisk, told: &Told) -> Option<String> {
    let store = store_on(found);
    let page = store.list("", None, 100).await.unwrap();
    let mut objects = BTreeMap::new();
    for meta in page.objects {
        objects.insert(meta.key.clone(), store.get(&meta.key).await.unwrap().to_vec());
    }
    let lost = told.created.iter().find(|key| !objects.contains_key(*key));
    let partial = objects
        .iter()
        .find(|(key, bytes)| told.put.get(*key) != Some(*bytes));
    let returned = told.absent.iter().find(|key| objects.contains_key(*key));
    lost.map(|key| format!("`{key}` was answered and is lost"))
        .or_else(|| partial.map(|(key, _)| format!("`{key}` is there in part")))
        .or_else(|| returned.map(|key| format!("`{key}` surely was not there and is")))
}

/// Cuts the power at every operation, before and after it, finds the disk in several ways, and tells what goes wrong.
/// `prepare` makes each disk, told what was put before.
async fn first_wrong(
    prepare: impl AsyncFn(&mut Told) -> SimulatedDisk,
    choose: impl Fn(&SimulatedDisk),
) -> Option<String> {
    let mut operation = 1;
    loop {
        let mut finished = false;
        for moment in [Moment::Before, Moment::After] {
            let mut told = Told::default();
            let disk = prepare(&mut told).await;
            choose(&disk);
            disk.fail_at(disk.operations() + operation, moment);
            work(&disk, &mut told).await;
            finished = !disk.is_off();
            for seed in 0..SEEDS {
                if let Some(wrong) = wrong(&disk.crash(seed), &told).await {
                    return Some(wrong);
                }
            }
        }
        if finished {
            return None;
        }
        operation += 1;
    }
}

async fn empty(_: &mut Told) -> SimulatedDisk {
    SimulatedDisk::new()
}

#[tokio::test]
async fn no_power_cut_takes_what_was_answered() {
    assert_eq!(first_wrong(empty, |_| {}).await, None);
}

/// A process that was killed somewhere in the same work leaves folders, links and objects that are there but not synced.
#[tokio::test]
async fn no_power_cut_after_a_kill_takes_what_was_answered() {
    let mut killed_at = 1;
    loop {
        let worked = SimulatedDisk::new();
        worked.fail_at(killed_at, Moment::After);
        work(&worked, &mut Told::default()).await;
        let after_kill = async |told: &mut Told| {
            let disk = SimulatedDisk::new();
            disk.fail_at(killed_at, Moment::After);
            work(&disk, told).await;
            let killed = disk.kill();
            let _ = killed.remove_file(Path::new("/staging/file"));
            killed
        };
        assert_eq!(
            first_wrong(after_kill, |_| {}).await,
            None,
            "killed at {killed_at}"
        );
        if !worked.is_off() {
            break;
        }
        killed_at += 7;
    }
}

#[tokio::test]
async fn each_sync_is_needed() {
    let kinds: [(&str, Choose); 6] = [
        ("of the staged bytes", |path, kind| {
            kind == SyncKind::File && path.to_string_lossy().contains("/put-")
        }),
        ("of the file that is put", |path, kind| {
            kind == SyncKind::File && path == Path::new("/staging/file")
        }),
        ("of the root's parent", |path, kind| {
            kind == SyncKind::Folder && path == Path::new("/")
        }),
        ("of the root", |path, kind| {
            kind == SyncKind::Folder && path == Path::new("/store")
        }),
        ("of a folder between", |path, kind| {
            kind == SyncKind::Folder && path == Path::new("/store/d")
        }),
        ("of the object's folder", |path, kind| {
            kind == SyncKind::Folder && path == Path::new("/store/a/b")
        }),
    ];
    for (name, left_out) in kinds {
        let wrong = first_wrong(empty, |disk| disk.omit_syncs(left_out)).await;
        assert!(wrong.is_some(), "without the sync {name} something must be lost");
    }
}

/// One sync at a time: whichever call of the work it is, leaving out that one alone is found.
#[tokio::test]
async fn each_single_sync_of_a_put_is_needed() {
    let mut left_out = 0;
    loop {
        let mut found = None;
        let mut reached = false;
        for seed in 0..60 {
            let disk = SimulatedDisk::new();
            let mut number = 0;
            let omitted = Arc::new(std::sync::atomic::AtomicBool::new(false));
            let seen = Arc::clone(&omitted);
            disk.omit_syncs(move |_, _| {
                number += 1;
                seen.fetch_or(number == left_out + 1, std::sync::atomic::Ordering::SeqCst);
                number == left_out + 1
            });
            let mut told = Told::default();
            put(
                &store_on(&disk),
                &mut told,
                "x/y/z",
                2000,
                Payload::Bytes(Bytes::from(object("x/y/z", 2000))),
            )
            .await;
            reached = omitted.load(std::sync::atomic::Ordering::SeqCst);
            found = found.or(wrong(&disk.crash(seed), &told).await);
        }
        if !reached {
            break;
        }
        assert!(
            found.is_some(),
            "sync {left_out} of a first put can be left out and nothing is lost"
        );
        left_out += 1;
    }
    assert_eq!(left_out, 5, "three folders' names, the bytes, the object's name");
}

#[tokio::test]
async fn what_is_already_there_is_durable_before_it_is_answered() {
    let disk = SimulatedDisk::new();
    let payload = || Payload::Bytes(Bytes::from(object("k/1", 10)));
    disk.fail_syncs(|path, _| path == Path::new("/store/k"));
    let unclear = store_on(&disk).put_if_absent("k/1", payload()).await;
    assert!(
        matches!(unclear, Err(StoreError::Indeterminate { .. })),
        "it is linked, not durable: {unclear:?}"
    );
    let refused = store_on(&disk).put_if_absent("k/1", payload()).await;
    assert!(
        matches!(refused, Err(StoreError::Determinate { .. })),
        "it is still not durable: {refused:?}"
    );
    disk.heal();
    assert_eq!(
        store_on(&disk).put_if_absent("k/1", payload()).await,
        Ok(Put::AlreadyThere)
    );
    for seed in 0..50 {
        assert_eq!(
            disk.crash(seed).file_len(Path::new("/store/k/1")).unwrap(),
            Some(10)
        );
    }
}

#[tokio::test]
async fn a_killed_put_and_a_delete_need_their_folder_synced() {
    let folder = Path::new("/store/k");
    let payload = || Payload::Bytes(Bytes::from(object("k/1", 10)));
    let there = |disk: &SimulatedDisk| -> BTreeSet<bool> {
        let found = |seed| disk.crash(seed).file_len(&folder.join("1")).unwrap().is_some();
        (0..50).map(found).collect()
    };
    for omitted in [false, true] {
        let disk = SimulatedDisk::new();
        disk.fail_syncs(|path, _| path == Path::new("/store/k"));
        assert!(store_on(&disk).put_if_absent("k/1", payload()).await.is_err());
        let disk = disk.kill();
        disk.omit_syncs(move |path, _| omitted && path == Path::new("/store/k"));
        assert_eq!(
            store_on(&disk).put_if_absent("k/1", payload()).await,
            Ok(Put::AlreadyThere)
        );
        let expected = if omitted {
            BTreeSet::from([false, true])
        } else {
            BTreeSet::from([true])
        };
        assert_eq!(
            there(&disk),
            expected,
            "already there, its folder's sync left out: {omitted}"
        );

        disk.heal();
        disk.sync_dir(folder).unwrap();
        disk.omit_syncs(move |_, _| omitted);
        store_on(&disk).delete("k/1").await.unwrap();
        let expected = if omitted {
            BTreeSet::from([false, true])
        } else {
            BTreeSet::from([false])
        };
        assert_eq!(
            there(&disk),
            expected,
            "deleted, its folder's sync left out: {omitted}"
        );
    }
}

#[tokio::test]
async fn a_failed_sync_of_the_bytes_creates_nothing_and_a_new_put_writes_them_anew() {
    let disk = SimulatedDisk::new();
    let store = store_on(&disk);
    let payload = || Payload::Bytes(Bytes::from(object("k", 9000)));
    disk.fail_syncs(|_, kind| kind == SyncKind::File);
    let failed = store.put_if_absent("k", payload()).await;
    assert!(
        matches!(failed, Err(StoreError::Determinate { .. })),
        "{failed:?}"
    );
    assert_eq!(store.head("k").await, Ok(None));
    disk.heal();
    assert_eq!(store.put_if_absent("k", payload()).await, Ok(Put::Created));
    let told = Told {
        created: BTreeSet::from(["k".to_owned()]),
        put: BTreeMap::from([("k".to_owned(), object("k", 9000))]),
        ..Told::default()
    };
    for seed in 0..50 {
        assert_eq!(wrong(&disk.crash(seed), &told).await, None);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_leaves_nothing_behind() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(1000);
    let store = store_on(&disk);
    let put = store
        .put_if_absent("k", Payload::Bytes(Bytes::from(object("k", 1001))))
        .await;
    assert!(matches!(put, Err(StoreError::Determinate { .. })), "{put:?}");
    assert_eq!(
        disk.free_bytes(Path::new("/")).unwrap(),
        1000,
        "what was staged is removed"
    );
    assert_eq!(
        store
            .put_if_absent("k", Payload::Bytes(Bytes::from(object("k", 999))))
            .await,
        Ok(Put::Created)
    );
}
