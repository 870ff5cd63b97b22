//! With any one kind of sync taken out, a power cut somewhere in the whole pipeline loses something.
//!
//! Which sync is shown to be needed where:
//! - a commit group, the spare before it becomes a segment, the log's folder, the folder that one is in, a removed
//!   segment: `edge/src/log/tests`, over the log alone; here over the whole;
//! - the staged bytes of a put, the file that is put (large chunks), each folder of an object's key, the object's own folder,
//!   and each of them one at a time: `store/tests/back_ends/syncs.rs`; here over the whole;
//! - the data directory's identity: `service/tests/directory.rs`;
//! - index and aggregates: SQLite's own (`journal_mode = WAL`, `synchronous = FULL`), not simulated.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use disk::{Moment, SyncKind};

use crate::client::{Client, FEW};
use crate::life::{live, run};
use crate::verdict::go_on;
use crate::world::World;

/// Chooses syncs.
type Choose = fn(&Path, SyncKind) -> bool;

/// Found disks looked at for each crash point.
const SEEDS: u64 = 6;

/// Cuts the power after every operation until something is lost or doubled without these syncs.
#[expect(
    clippy::print_stdout,
    reason = "what was lost is for who reads the test's output"
)]
fn assert_needed(what: &str, left_out: Choose) {
    for point in 1.. {
        let (world, mut client) = (World::empty(), Client::new(FEW));
        let omitted = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&omitted);
        world.disk.omit_syncs(move |path, kind| {
            let left_out = left_out(path, kind);
            seen.fetch_or(left_out, Ordering::SeqCst);
            left_out
        });
        let made = world.disk.operations();
        world.disk.fail_at(made + point, Moment::After);
        let ended = run(live(&world, &mut client)).is_some();
        // Until one is left out, everything is as the tests of crashes have it.
        let seeds = if omitted.load(Ordering::SeqCst) { SEEDS } else { 0 };
        for seed in 0..seeds {
            let verdict = run(go_on(&world.found(world.disk.crash(seed)), client.clone()));
            if !verdict.is_fine() {
                println!("without the sync of {what}, operation {point}, seed {seed}: {verdict:?}");
                return;
            }
        }
        assert!(!ended, "without the sync of {what} nothing is lost");
    }
}

fn is_file(path: &Path, kind: SyncKind, holds: impl Fn(&str) -> bool) -> bool {
    kind == SyncKind::File && holds(&path.to_string_lossy())
}

fn is_folder(path: &Path, kind: SyncKind, holds: impl Fn(&str) -> bool) -> bool {
    kind == SyncKind::Folder && holds(&path.to_string_lossy())
}

fn commit_groups(path: &Path, kind: SyncKind) -> bool {
    is_file(path, kind, |path| path.ends_with(".log"))
}

fn spares(path: &Path, kind: SyncKind) -> bool {
    is_file(path, kind, |path| path.ends_with("/spare"))
}

fn remembered_starts(path: &Path, kind: SyncKind) -> bool {
    is_file(path, kind, |path| path == "/log-starts.new")
}

fn log_folder(path: &Path, kind: SyncKind) -> bool {
    is_folder(path, kind, |path| path == "/log")
}

fn root(path: &Path, kind: SyncKind) -> bool {
    is_folder(path, kind, |path| path == "/")
}

fn staged_bytes(path: &Path, kind: SyncKind) -> bool {
    is_file(path, kind, |path| path.starts_with("/staging/put-"))
}

fn staged_chunks(path: &Path, kind: SyncKind) -> bool {
    is_file(path, kind, |path| path.starts_with("/staging/seal-"))
}

fn object_folders(path: &Path, kind: SyncKind) -> bool {
    is_folder(path, kind, |path| path.contains("/app_build_id="))
}

fn folders_between(path: &Path, kind: SyncKind) -> bool {
    is_folder(path, kind, |path| {
        path.starts_with("/store") && !path.contains("/app_build_id=")
    })
}

#[test]
fn every_sync_of_a_life_is_of_one_of_these_kinds() {
    let kinds: [Choose; 9] = [
        commit_groups,
        spares,
        log_folder,
        root,
        staged_bytes,
        staged_chunks,
        object_folders,
        folders_between,
        remembered_starts,
    ];
    let (world, mut client) = (World::empty(), Client::new(FEW));
    let (counts, other) = (Arc::new(Mutex::new([0; 9])), Arc::new(Mutex::new(Vec::new())));
    let (seen, odd) = (Arc::clone(&counts), Arc::clone(&other));
    world.disk.omit_syncs(move |path, kind| {
        match kinds.iter().position(|is| is(path, kind)) {
            Some(at) => seen.lock().expect("counts")[at] += 1,
            None => odd.lock().expect("paths").push(path.to_owned()),
        }
        false
    });
    assert!(run(live(&world, &mut client)).is_some());
    let (counts, other) = (counts.lock().expect("counts"), other.lock().expect("paths"));
    assert!(
        other.is_empty() && counts.iter().all(|count| *count > 0),
        "{counts:?}, {other:?}"
    );
}

#[test]
fn a_segments_data_must_be_synced() {
    assert_needed("a commit group", commit_groups);
}

#[test]
fn a_new_segment_must_be_synced_before_it_gets_its_name() {
    assert_needed("the spare", spares);
}

#[test]
fn the_logs_folder_must_be_synced() {
    assert_needed("the log's folder", log_folder);
}

#[test]
fn the_folder_of_the_logs_folder_must_be_synced() {
    assert_needed("the folder that the log's folder is in", root);
}

#[test]
fn the_bytes_of_a_put_must_be_synced() {
    assert_needed("the staged bytes", staged_bytes);
}

#[test]
fn the_file_of_a_large_chunk_must_be_synced() {
    assert_needed("the file of a large chunk", staged_chunks);
}

#[test]
fn an_objects_folder_must_be_synced() {
    assert_needed("an object's folder", object_folders);
}

#[test]
fn the_folders_above_an_objects_folder_must_be_synced() {
    assert_needed("the folders between", folders_between);
}
