//! The directory store on a disk that forgets: whatever the moment of a power cut, what was answered is there whole, and
//! nothing is there in part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use disk::{Disk, Moment, SimulatedDisk, SyncKind};
use store::{Blocking, Crc32c, DirectoryStore, Payload, Put, Store, StoreError};

const SEEDS: u64 = 12;

/// What a world has been told: keys that are surely there, surely not there (deleted, or a put that surely failed), and all
/// that were ever put.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) created: BTreeSet<String>,
    pub(crate) absent: BTreeSet<String>,
    pub(crate) put: BTreeMap<String, Vec<u8>>,
}

pub(crate) fn store_on(disk: &SimulatedDisk) -> DirectoryStore {
    DirectoryStore::new(
        disk.shared(),
        PathBuf::from("/store"),
        PathBuf::from("/staging"),
        Blocking::Inline,
    )
}

pub(crate) fn object(key: &str, len: usize) -> Vec<u8> {
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
                crc: Crc32c::of(&object("d/e/5", 3000)),
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

pub(crate) async fn put(store: &DirectoryStore, told: &mut Told, key: &str, len: usize, payload: Payload) {
    let first = told.put.insert(key.to_owned(), object(key, len)).is_none();
    told.absent.remove(key);
    match store.put_if_absent(key, payload).await {
        Ok(_) => told.created.insert(key.to_owned()),
        Err(StoreError::Determinate { .. } | StoreError::File { .. }) if first => {
            told.absent.insert(key.to_owned())
        }
        Err(_) => false,
    };
}

/// What is wrong with a found disk.
pub(crate) async fn wrong(found: &SimulatedDisk, told: &Told) -> Option<String> {
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
pub(crate) async fn first_wrong(
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

pub(crate) async fn empty(_: &mut Told) -> SimulatedDisk {
    SimulatedDisk::new()
}

#[tokio::test]
async fn no_power_cut_takes_what_was_answered() {
    assert_eq!(first_wrong(empty, |_| {}).await, None);
}

/// File systems of their own at these folders of the store.
async fn mounted_at(folders: &[&str]) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    for folder in ["/store", "/store/a"] {
        disk.create_dir(Path::new(folder)).unwrap();
        disk.sync_dir(Path::new(folder).parent().unwrap()).unwrap();
        if folders.contains(&folder) {
            disk.mount(Path::new(folder)).unwrap();
        }
    }
    disk
}

#[tokio::test]
async fn no_power_cut_takes_what_was_answered_where_the_store_or_a_folder_of_it_is_mounted() {
    for folders in [&["/store"][..], &["/store/a"], &["/store", "/store/a"]] {
        let mounted = async |_: &mut Told| mounted_at(folders).await;
        assert_eq!(first_wrong(mounted, |_| {}).await, None, "{folders:?}");
        let mut told = Told::default();
        let disk = mounted_at(folders).await;
        work(&disk, &mut told).await;
        let created: Vec<&str> = told.created.iter().map(String::as_str).collect();
        assert_eq!(
            created,
            ["4", "a/b/1", "a/c/3", "d/e/5"],
            "{folders:?}: all are put"
        );
    }
}

/// What a killed process left in a staging folder of the store does not stay, and is no object.
#[tokio::test]
async fn what_was_left_in_a_staging_folder_of_the_store_goes_with_the_next_process_that_needs_it() {
    let mut killed_at = 1;
    loop {
        let disk = mounted_at(&["/store"]).await;
        disk.fail_at(disk.operations() + killed_at, Moment::After);
        work(&disk, &mut Told::default()).await;
        let (finished, found) = (!disk.is_off(), disk.kill());
        let mut told = Told::default();
        let store = store_on(&found);
        let payload = Payload::Bytes(Bytes::from(object("last", 10)));
        put(&store, &mut told, "last", 10, payload).await;
        assert!(told.created.contains("last"), "killed at {killed_at}");
        let left = found.read_dir(Path::new("/store/.highwater-staging")).unwrap();
        assert_eq!(left, [], "killed at {killed_at}");
        let page = store.list("", None, 100).await.unwrap();
        assert!(page.objects.iter().all(|object| !object.key.contains("staging")));
        if finished {
            break;
        }
        killed_at += 1;
    }
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

/// The kernel marks what a failed sync did not write as clean: the next sync of the same file says yes to bytes that are lost.
/// So the store says whose fault it was, and whoever puts writes another file.
#[tokio::test]
async fn a_file_whose_sync_failed_is_told_apart_and_another_file_of_the_same_bytes_is_durable() {
    let bytes = object("k", 9000);
    let mut trusted_too_much = 0;
    for seed in 0..20 {
        let (disk, mut failures) = (SimulatedDisk::new(), 0);
        disk.fail_syncs(move |path, _| {
            failures += u64::from(path == Path::new("/staging/first"));
            path == Path::new("/staging/first") && failures == 1
        });
        let store = store_on(&disk);
        disk.create_dir(Path::new("/staging")).unwrap();
        let file = |name: &str| {
            let path = PathBuf::from(name);
            let file = disk.create_new(&path).unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            Payload::File {
                path,
                len: 9000,
                crc: Crc32c::of(&bytes),
            }
        };
        let first = file("/staging/first");
        let failed = store.put_if_absent("k", first.clone()).await;
        assert!(matches!(failed, Err(StoreError::File { .. })), "{failed:?}");
        assert_eq!(store.head("k").await, Ok(None));
        let told = Told {
            created: BTreeSet::from(["k".to_owned()]),
            put: BTreeMap::from([("k".to_owned(), bytes.clone())]),
            ..Told::default()
        };
        if seed % 2 == 0 {
            // What the disk of this test is for: the same file once more is answered, and lost.
            assert_eq!(store.put_if_absent("k", first).await, Ok(Put::Created));
            trusted_too_much += u64::from(wrong(&disk.crash(seed), &told).await.is_some());
        } else {
            let second = file("/staging/second");
            assert_eq!(store.put_if_absent("k", second).await, Ok(Put::Created));
            assert_eq!(wrong(&disk.crash(seed), &told).await, None, "seed {seed}");
        }
    }
    assert!(trusted_too_much > 5, "{trusted_too_much} of 10");
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

/// Objects put together: in folders that are new, that are shared, at a place that is taken, and twice at one place.
fn put_together(disk: &SimulatedDisk, told: &mut Told) {
    let store = store_on(disk);
    for group in [
        &["a/1"][..],
        &["a/1", "a/2", "b/c/3", "4", "b/d/5", "b/d/5", "6/7"],
    ] {
        let puts: Vec<(String, Bytes)> = group
            .iter()
            .map(|key| ((*key).to_owned(), Bytes::from(object(key, 700))))
            .collect();
        let first: Vec<bool> = puts
            .iter()
            .map(|(key, bytes)| told.put.insert(key.clone(), bytes.to_vec()).is_none())
            .collect();
        for (((key, _), ended), first) in puts.iter().zip(store.put_together(&puts)).zip(first) {
            match ended {
                Ok(_) => {
                    told.created.insert(key.clone());
                }
                Err(StoreError::Determinate { .. }) if first => {
                    told.absent.insert(key.clone());
                }
                Err(_) => {}
            }
        }
    }
    told.absent.retain(|key| !told.created.contains(key));
}

/// Cuts the power at every operation of groups that are put, without the chosen syncs.
async fn first_wrong_of_groups(left_out: fn(&Path, SyncKind) -> bool) -> Option<String> {
    for operation in 1.. {
        for moment in [Moment::Before, Moment::After] {
            let (disk, mut told) = (SimulatedDisk::new(), Told::default());
            disk.omit_syncs(left_out);
            disk.fail_at(operation, moment);
            put_together(&disk, &mut told);
            for seed in 0..SEEDS {
                if let Some(wrong) = wrong(&disk.crash(seed), &told).await {
                    return Some(wrong);
                }
            }
            if !disk.is_off() {
                return None;
            }
        }
    }
    None
}

#[tokio::test]
async fn no_power_cut_takes_what_was_answered_to_a_group() {
    assert_eq!(first_wrong_of_groups(|_, _| false).await, None);
}

#[tokio::test]
async fn each_kind_of_sync_of_a_group_is_needed() {
    let kinds: [fn(&Path, SyncKind) -> bool; 3] = [
        |_, kind| kind == SyncKind::File,
        |path, kind| kind == SyncKind::Folder && path == Path::new("/store/b/d"),
        |path, kind| kind == SyncKind::Folder && path == Path::new("/store/b"),
    ];
    for left_out in kinds {
        assert!(first_wrong_of_groups(left_out).await.is_some());
    }
}

#[tokio::test]
async fn one_put_that_cannot_succeed_holds_up_no_other_of_its_group() {
    let disk = SimulatedDisk::new();
    let store = store_on(&disk);
    let puts =
        ["a/1", "a/1/below", "../out", "b/2"].map(|key| (key.to_owned(), Bytes::from_static(b"object")));
    for _ in 0..2 {
        let ended = store.put_together(&puts);
        assert!(ended[0].is_ok() && ended[3].is_ok(), "{ended:?}");
        assert!(ended[1].is_err() && ended[2].is_err(), "{ended:?}");
    }
    let listed = store.list("", None, 10).await.unwrap();
    let keys: Vec<&str> = listed.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["a/1", "b/2"]);
    assert!(disk.read_dir(Path::new("/staging")).unwrap().is_empty());
}

/// Whoever comes while another is put waits for the next group: all are answered, each for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn puts_at_one_time_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(DirectoryStore::new(
        disk::RealDisk::shared(),
        folder.path().join("store"),
        folder.path().join("staging"),
        Blocking::Pool,
    ));
    let puts: Vec<_> = (0..200)
        .map(|number| {
            let store = std::sync::Arc::clone(&store);
            // Every key twice, in forty folders.
            let key = format!("{}/{}", number % 40, number % 100);
            service::task::spawn("put", async move {
                let payload = Payload::Bytes(Bytes::from(object(&key, 300)));
                store.put_if_absent(&key, payload).await
            })
        })
        .collect();
    let mut created = 0;
    for put in puts {
        created += usize::from(put.await.unwrap().unwrap() == Put::Created);
    }
    let listed = store.list("", None, 1_000).await.unwrap().objects;
    let distinct: BTreeSet<String> = (0..200)
        .map(|number| format!("{}/{}", number % 40, number % 100))
        .collect();
    assert_eq!((created, listed.len()), (distinct.len(), distinct.len()));
    assert!(
        std::fs::read_dir(folder.path().join("staging"))
            .unwrap()
            .next()
            .is_none()
    );
}
