//! From numbers to verdicts: one function for each thing that can be wrong. Here: process, log, disk, store, databases; what
//! lies behind the log stands in [`stations`], what is kept in [`keeping`], what metrics are by their
//! definitions in [`defined`], and what products are by their declarations in [`declared`].

mod declared;
mod defined;
mod keeping;
mod stations;

use std::time::Duration;

use super::numbers::{DiskNumbers, HealthNumbers};
use super::verdict::{Severity, Verdict};
use super::words::{bytes, counted, lasting, percent};
use stations::{displaced, errored, folding, indexing, partitions, sealing, set_aside, stuck, unreadable};

/// At four fifths of its budget the log presses for seals, so it often stays there; above this it still grows.
const LOG_FILLING_PERCENT: u64 = 90;

/// Less free than this part of a file system is a warning, and less than a fifth of that part an alarm.
const DISK_FREE_PERCENT: u64 = 10;

/// A failure of the store shorter than this is a notice: retries settle most.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// What these numbers mean: worst first, in the order of the road otherwise; never empty.
pub fn judge(numbers: &HealthNumbers) -> Vec<Verdict> {
    let checks: [fn(&HealthNumbers) -> Option<Verdict>; 26] = [
        process,
        log_place,
        log_writes,
        log_room,
        disk_room,
        store,
        damage,
        databases,
        rules,
        keeping::below_floor,
        stuck,
        sealing,
        indexing,
        folding,
        unreadable,
        set_aside,
        keeping::held,
        keeping::failing,
        errored,
        displaced,
        defined::refused,
        declared::crowded,
        defined::expired,
        defined::undeclared,
        defined::never_seen,
        declared::never_seen,
    ];
    let mut verdicts: Vec<Verdict> = checks.iter().filter_map(|check| check(numbers)).collect();
    verdicts.extend(partitions(numbers));
    if verdicts
        .iter()
        .all(|verdict| verdict.severity < Severity::Warning)
    {
        verdicts.push(well(numbers));
    }
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.severity));
    verdicts
}

fn well(numbers: &HealthNumbers) -> Verdict {
    let counts = &numbers.counts;
    if counts.accepted == 0 {
        return Verdict::new(
            "nothing_received",
            Severity::Well,
            "All is well. No ping has been accepted yet.",
            "",
        );
    }
    let newest = numbers
        .newest_age()
        .map(|age| format!(", the newest counted one received {} ago", lasting(age)))
        .unwrap_or_default();
    let accepted = counted(counts.accepted, "ping", "pings");
    let uncounted = match (counts.stored_only, counts.folded + counts.repeated) {
        (0, _) => String::new(),
        (_, 0) => ". None is of a counted type: they are stored, and in no number".to_owned(),
        (stored, _) => format!(
            ". Of types that are stored and not counted: {}",
            counted(stored, "ping", "pings")
        ),
    };
    Verdict::new(
        "well",
        Severity::Well,
        format!("All is well. {accepted} accepted{newest}{uncounted}."),
        "",
    )
}

fn process(numbers: &HealthNumbers) -> Option<Verdict> {
    if let Some(failed) = &numbers.failed {
        return Some(Verdict::new(
            "process_failing",
            Severity::Alarm,
            format!("The process cannot go on: {failed}."),
            "The process ends by itself and loses nothing; see that it is started again, and keep its log for a bug report.",
        ));
    }
    numbers.ending.then(|| {
        Verdict::new(
            "ending",
            Severity::Notice,
            "The process was told to end. What is not in a chunk stays in the log.",
            "",
        )
    })
}

fn log_place(numbers: &HealthNumbers) -> Option<Verdict> {
    let lost = numbers.log.lost.as_ref()?;
    Some(Verdict::new(
        "log_gone",
        Severity::Alarm,
        format!(
            "The write-ahead log is not as it was: {lost}. Pings are answered 503, and clients come again."
        ),
        "Put back what was moved, or unmount what was mounted over it: pings are taken again by themselves. Do not end the \
         process before nothing waits any more: what is gone from the disk lives in its open files, and is sealed from there.",
    ))
}

fn log_writes(numbers: &HealthNumbers) -> Option<Verdict> {
    (!numbers.log.writable).then(|| {
        Verdict::new(
            "log_unwritable",
            Severity::Alarm,
            "The write-ahead log cannot be written: pings are answered 503, and clients come again.",
            "Look at the disk of the data directory (dmesg; is it mounted read-only?). What was acknowledged is safe; \
             the log is tried again by itself.",
        )
    })
}

fn log_room(numbers: &HealthNumbers) -> Option<Verdict> {
    let log = &numbers.log;
    if log.budget_bytes == 0 {
        return None;
    }
    let (used, whole) = (bytes(log.bytes), bytes(log.budget_bytes));
    let share = percent(log.bytes, log.budget_bytes);
    if !log.has_room {
        return Some(Verdict::new(
            "log_full",
            Severity::Alarm,
            format!(
                "The disk room for pings is used up: the log holds {used} of {whole} ({share} %). Pings are answered 507, \
                 and clients come again."
            ),
            "Mend what keeps the log from draining (the store, or a full disk), or raise --log-budget where the disk has \
             room. Pings are taken again by themselves.",
        ));
    }
    let left = log.budget_bytes.saturating_sub(log.bytes);
    (share >= LOG_FILLING_PERCENT).then(|| {
        let until = until_full(left, numbers.rates.log_bytes);
        Verdict::new(
            "log_filling",
            Severity::Warning,
            format!("The disk room for pings is nearly used: the log holds {used} of {whole} ({share} %){until}."),
            "Chunks are sealed more slowly than pings come, or cannot be put: look at the store and the disk, or raise \
             --log-budget.",
        )
    })
}

/// `, full in about 12 min at this rate`, where it grows.
fn until_full(left_bytes: u64, bytes_per_second: f64) -> String {
    if bytes_per_second < 1.0 {
        return String::new();
    }
    let seconds = (left_bytes as f64 / bytes_per_second).min(1e9);
    format!(
        ", full in about {} at this rate",
        lasting(Duration::from_secs_f64(seconds))
    )
}

fn disk_room(numbers: &HealthNumbers) -> Option<Verdict> {
    let disk = numbers.disk?;
    let share = percent(disk.free_bytes, disk.size_bytes.max(1));
    let wanted = numbers.log.budget_bytes.saturating_sub(numbers.log.bytes);
    if disk.is_out_of_inodes {
        return Some(out_of_inodes(disk));
    }
    let severity = match share {
        0..DISK_FREE_PERCENT if share < DISK_FREE_PERCENT / 5 => Severity::Alarm,
        0..DISK_FREE_PERCENT => Severity::Warning,
        _ if disk.free_bytes < wanted => Severity::Notice,
        _ => return None,
    };
    let (free, whole) = (bytes(disk.free_bytes), bytes(disk.size_bytes));
    Some(Verdict::new(
        "disk_nearly_full",
        severity,
        format!(
            "The disk of the data directory has {free} free of {whole} ({share} %); the log may still take {}.",
            bytes(wanted)
        ),
        "Make room on the disk or give it a larger one. With no room at all pings are answered 507; nothing acknowledged \
         is lost.",
    ))
}

/// Each partition makes eight files and folders a day, so it may come before the bytes are used.
fn out_of_inodes(disk: DiskNumbers) -> Verdict {
    let (free, whole) = (bytes(disk.free_bytes), bytes(disk.size_bytes));
    Verdict::new(
        "disk_nearly_full",
        Severity::Alarm,
        format!(
            "The file system of the data directory has no inode left, though {free} of {whole} are free: it takes no new file."
        ),
        "Remove files that are not needed (df -i), or give the data directory a file system with more inodes. As on a full disk \
         pings are answered 507; nothing acknowledged is lost.",
    )
}

fn store(numbers: &HealthNumbers) -> Option<Verdict> {
    let (log, store) = (&numbers.log, &numbers.store);
    let left = log.budget_bytes.saturating_sub(log.bytes);
    let room = match log.has_room {
        true if !log.is_there() => "What waits to be folded waits for it.".to_owned(),
        true => format!(
            "Pings are accepted and wait in the log, which has {} left{}.",
            bytes(left),
            until_full(left, numbers.rates.log_bytes)
        ),
        false => "The log has no room to wait for it.".to_owned(),
    };
    if let Some(since) = store.failing_since {
        let age = Duration::from_micros(u64::try_from(numbers.now().micros_since(since)).unwrap_or(0));
        let severity = match age < STORE_PATIENCE {
            true => Severity::Notice,
            false => Severity::Alarm,
        };
        let error = store.error.as_deref().unwrap_or("it did not answer");
        let what = format!("The store is gone: {error}. {room}");
        let advice = if numbers.log.is_there() {
            "Bring the store back (is its folder there, mounted, writable, the disk full; does the bucket exist, may this \
             process write to it?). Chunks are put again by themselves; nothing is lost while the log has room."
        } else {
            "Bring the store back (does the bucket exist, is it reachable from here, may this process read it?). Nothing is \
             lost: what is not folded waits in the index."
        };
        return Some(Verdict::new("store_gone", severity, what, advice).since(Some(since)));
    }
    store.is_empty.then(|| {
        Verdict::new(
            "store_empty",
            Severity::Alarm,
            format!(
                "The store lists nothing, though the index knows {}: it is gone, or another one is in its place. {room}",
                counted(numbers.index.chunks, "chunk", "chunks")
            ),
            "Mount the right folder at store/ of the data directory. New chunks would be written into the wrong one: stop \
             the process if that takes longer.",
        )
    })
}

fn damage(numbers: &HealthNumbers) -> Option<Verdict> {
    (numbers.log.damaged > 0).then(|| {
        Verdict::new(
            "log_damaged",
            Severity::Warning,
            format!(
                "{} of the write-ahead log did not read back as written: acknowledged pings may be lost.",
                counted(numbers.log.damaged, "piece", "pieces"),
            ),
            "Check the disk (smartctl, dmesg) and replace it if it lies. The log says of each piece where it is: set aside in \
             damaged/ of the data directory (move it away once it is looked at), or, where that failed, still in its segment, \
             which stays until the piece can be set aside: make room.",
        )
    })
}

fn databases(numbers: &HealthNumbers) -> Option<Verdict> {
    let (what, advice) = if numbers.log.is_there() {
        (
            "Pings are accepted; counts and charts stand still.",
            "Look at the disk of the data directory, or at PostgreSQL where they lie there. A damaged index is made again by \
             `highwater reconcile` once index.sqlite* is moved away, damaged aggregates by `highwater rebuild`.",
        )
    } else {
        (
            "Counts and charts stand still.",
            "Look at PostgreSQL, and at the way to it from here. It goes on by itself once they answer: nothing is lost, what \
             is not folded waits.",
        )
    };
    numbers.databases.as_ref().map(|error| {
        let what = format!("The databases cannot be asked: {error}. {what}");
        Verdict::new("database_gone", Severity::Alarm, what, advice)
    })
}

fn rules(numbers: &HealthNumbers) -> Option<Verdict> {
    let folding = &numbers.folding;
    let name = match folding.replay_suffices {
        true => "replay_needed",
        false => "rebuild_needed",
    };
    let advice = match (numbers.log.is_there(), folding.replay_suffices) {
        (true, true) => {
            "Run `highwater replay-errors` beside the process: it folds what was errored under the lower limits, and folding \
             goes on. Or go back to the settings of before. Pings are taken meanwhile, and wait."
        }
        (true, false) => "Run `highwater rebuild` beside the process, or go back to the settings of before.",
        (false, true) => {
            "Run `highwater replay-errors` with this process's --store, --index, --aggregates and settings of the fold (its log has \
             the whole command), or go back to the settings of before. Pings are taken meanwhile, and wait."
        }
        (false, false) => {
            "Run `highwater rebuild` with this process's --store, --index, --aggregates and settings of the fold (its log has the \
             whole command), or go back to the program or the settings of before. Pings are taken meanwhile, and wait."
        }
    };
    folding.stopped.as_ref().map(|why| {
        let what = format!("Nothing is folded: {why}.");
        Verdict::new(name, Severity::Alarm, what, advice)
    })
}

#[cfg(test)]
mod tests;
