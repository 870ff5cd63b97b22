//! The import of a file, which begins anew in each process, and sends what it sent before.

use std::sync::Arc;
use std::time::Duration;

use edge::intake::{Accepted, Refusal};
use edge::{Edge, ImportedPing};
use ping::{Incarnation, Timestamp};
use service::task;

use crate::client::Pings;
use crate::life::Life;

/// The digest of the file.
const FILE: Incarnation = Incarnation::from_bytes([0xcd; 16]);

/// 2026-11-20T22:00:00Z; each line is received an hour after the one before it.
pub(crate) const FIRST_US: i64 = 1_795_212_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

/// Imports all lines.
pub(crate) async fn import(pings: Pings, edge: Arc<Edge>, life: Life) {
    let mut dice = life.dice("import");
    let all = pings.lines().len() as u64;
    while edge.import_progress(FILE) < all {
        task::sleep(dice.time(Duration::from_millis(1), Duration::from_secs(30))).await;
        let done = edge.import_progress(FILE);
        let from = dice.from(0..done + 1);
        let until = dice.from(done + 1..all + 1);
        let lines: Vec<ImportedPing> = (from..until).map(|at| line(&pings, at)).collect();
        life.note(format_args!("imports lines {from}..{until}, {done} are there"));
        let added = edge.import(FILE, lines).await;
        life.note(format_args!("imported: {added:?}"));
        if life.disk.is_off() {
            return;
        }
        match added {
            Ok(added) if added == until - done => {
                for line in &mut pings.lines()[usize_of(done)..usize_of(until)] {
                    line.taken = true;
                }
                life.befalls("imports");
            }
            Ok(added) => life.is_wrong(&format!("of lines {done}..{until} only {added} were new")),
            Err(Refusal::TooLarge) => return life.is_wrong("a small line is called too large"),
            Err(Refusal::BelowFloor) => return life.is_wrong("a line is called one below the floor"),
            Err(Refusal::Full { .. } | Refusal::Unavailable) => life.befalls("imports that fail"),
        }
    }
}

fn line(pings: &Pings, at: u64) -> ImportedPing {
    let sent = &mut pings.lines()[usize_of(at)];
    // However often it is sent, it is there once.
    sent.attempts = 1;
    let Accepted { uri, headers, body } = sent.accepted();
    let hours = i64::try_from(at).expect("a few");
    ImportedPing {
        line: at + 1,
        received: Timestamp::from_micros(FIRST_US + hours * HOUR_US),
        uri,
        headers,
        client_hash: None,
        body,
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).expect("a few")
}
