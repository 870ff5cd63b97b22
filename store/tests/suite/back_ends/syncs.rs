//! Each sync of the directory store is needed: with any one of them left out, something is lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, SimulatedDisk, SyncKind};
use store::{Payload, Put, Store};

use super::power_cut::{Told, empty, first_wrong, object, put, store_on, wrong};

/// Chooses syncs to leave out.
type Choose = fn(&Path, SyncKind) -> bool;

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
