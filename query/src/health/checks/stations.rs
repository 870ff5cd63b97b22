//! What can be wrong behind the log: seals, index, fold, what is set aside or errored, partitions.

use std::time::Duration;

use super::super::numbers::{FoldingNumbers, HealthNumbers};
use super::super::verdict::{Severity, Verdict};
use super::super::words::{count, counted, lasting, percent};

/// How far beyond its seal age the oldest ping may wait.
const SEAL_PATIENCE: Duration = Duration::from_secs(60);

/// How long chunks may wait to be indexed.
const INDEX_PATIENCE: Duration = Duration::from_secs(60);

/// How far, beyond the seal age, the newest number may be behind while chunks wait to be folded.
const FOLD_PATIENCE: Duration = Duration::from_secs(60);

/// How long chunks must wait to be folded at every look before that is behind, not busy.
const FOLD_LOOKS: Duration = Duration::from_secs(30);

/// How long a chunk may be out of reach: most are read at the second or third try.
const READ_PATIENCE: Duration = Duration::from_secs(10);

/// The reason of pings that would displace a copy which cannot be read.
const DISPLACED_UNREADABLE: &str = "displaced_unreadable";

/// Errored pings below this share are ordinary; Mozilla's pipeline saw about as many.
const ERRORED_PERCENT: u64 = 1;
/// Fewer errored pings say nothing of a share.
const ERRORED_MIN: u64 = 100;

pub(super) fn sealing(numbers: &HealthNumbers) -> Option<Verdict> {
    let log = &numbers.log;
    let waited = log.oldest_waiting?;
    let behind = waited > log.seal_age.saturating_mul(2).saturating_add(SEAL_PATIENCE);
    // What is known to be behind it is said by its own verdict.
    let explained = numbers.store.failing_since.is_some() || !log.writable;
    (behind && !explained).then(|| {
        Verdict::new(
            "sealing_behind",
            Severity::Warning,
            format!(
                "Chunks are sealed late: the oldest ping waits for {}, the seal age is {}. With this disk it would be lost.",
                lasting(waited),
                lasting(log.seal_age)
            ),
            "See whether a processor or the disk is at its limit, and whether the log tells of gathers or puts that are \
             tried again.",
        )
    })
}

pub(super) fn stuck(numbers: &HealthNumbers) -> Option<Verdict> {
    let log = &numbers.log;
    let age = log.oldest_stuck.unwrap_or_default();
    let since = i64::try_from(age.as_micros()).unwrap_or(0);
    // A store that refuses everything is said by its own verdict.
    (log.stuck_plans > 0 && numbers.store.failing_since.is_none()).then(|| {
        Verdict::new(
            "plans_stuck",
            Severity::Warning,
            format!(
                "{} cannot be put while others can: their pings stay in the log, which is not freed beyond them.",
                counted(log.stuck_plans as u64, "chunk", "chunks")
            ),
            "Look at the log lines that bear their keys: they have the store's answer (is something else in the way of the key?), \
             or say that this program cannot read the key, since another version wrote it. They are tried for ever.",
        )
        .since(Some(numbers.now().saturating_add_micros(-since)))
    })
}

pub(super) fn indexing(numbers: &HealthNumbers) -> Option<Verdict> {
    let since = numbers.index.behind_since?;
    let counts = &numbers.counts;
    let missing = counts.chunked.saturating_sub(counts.indexed);
    let late = numbers.now().micros_since(since) > i64::try_from(INDEX_PATIENCE.as_micros()).unwrap_or(0);
    (late && missing > 0 && counts.set_aside == 0).then(|| {
        Verdict::new(
            "indexing_behind",
            Severity::Warning,
            format!(
                "{} in chunks are not in the index.",
                counted(missing, "ping", "pings")
            ),
            "Run `highwater reconcile`; if that changes nothing, it names the chunks that it cannot read.",
        )
        .since(Some(since))
    })
}

pub(super) fn folding(numbers: &HealthNumbers) -> Option<Verdict> {
    let since = numbers.folding.pending_since?;
    let waits = Duration::from_micros(u64::try_from(numbers.now().micros_since(since)).unwrap_or(0));
    let lag = numbers.newest_age().unwrap_or(waits);
    let patience = numbers.log.seal_age.saturating_add(FOLD_PATIENCE);
    // Chunks that cannot be read wait for no machine.
    let FoldingNumbers {
        pending_chunks,
        unreadable_chunks,
        ..
    } = numbers.folding;
    let explained = numbers.folding.stopped.is_some()
        || numbers.store.failing_since.is_some()
        || (unreadable_chunks > 0 && unreadable_chunks >= pending_chunks);
    (waits > FOLD_LOOKS && lag > patience && !explained).then(|| {
        Verdict::new(
            "folding_behind",
            Severity::Warning,
            format!(
                "Folding is behind: {} to be folded, the newest number is {} old; {} pings are folded a second.",
                counted(pending_chunks, "chunk waits", "chunks wait"),
                lasting(lag),
                count(numbers.rates.folded.max(0.0) as u64)
            ),
            "After an import, a reconcile or a pause it catches up by itself: watch the number of waiting chunks fall. If it \
             rises, this machine is too small for the load; if nothing is folded, the log says why.",
        )
        .since(Some(since))
    })
}

pub(super) fn unreadable(numbers: &HealthNumbers) -> Option<Verdict> {
    let folding = &numbers.folding;
    let since = folding.unreadable_since?;
    let lasts = numbers.now().micros_since(since) >= i64::try_from(READ_PATIENCE.as_micros()).unwrap_or(0);
    // A store that refuses everything is said by its own verdict.
    (lasts && folding.unreadable_chunks > 0 && numbers.store.failing_since.is_none()).then(|| {
        let error = folding.unreadable_error.as_deref().unwrap_or("it gives no answer");
        Verdict::new(
            "chunks_unreadable",
            Severity::Warning,
            format!(
                "{} cannot be read, though the store answers otherwise: their pings are in no number yet. The last said: {error}.",
                counted(folding.unreadable_chunks, "chunk", "chunks")
            ),
            "Look at the rights of the objects that the log names, and whether they are archived, or lie on a bad part of the \
             disk. They are tried again each minute at the latest; the others are folded first.",
        )
        .since(Some(since))
    })
}

pub(super) fn set_aside(numbers: &HealthNumbers) -> Option<Verdict> {
    let objects = numbers.counts.set_aside.saturating_sub(numbers.log.damaged);
    (objects > 0).then(|| {
        Verdict::new(
            "set_aside",
            Severity::Warning,
            format!(
                "{} set aside: {} in no number until repaired.",
                counted(objects, "chunk is", "chunks are"),
                if objects == 1 { "its pings are" } else { "their pings are" }
            ),
            "Look at the keys and reasons (`highwater status`, the health page), and at each file with `highwater chunk \
             verify`. Put a good copy in its place and run `highwater reconcile`, then `highwater rebuild`.",
        )
    })
}

pub(super) fn errored(numbers: &HealthNumbers) -> Option<Verdict> {
    let counts = &numbers.counts;
    let share = percent(counts.errored_pings, counts.chunked.max(1));
    let most = counts.errored_by_reason.iter().max_by_key(|(_, pings)| **pings);
    (share > ERRORED_PERCENT && counts.errored_pings >= ERRORED_MIN).then(|| {
        let most = most
            .map(|(reason, pings)| format!(", most often for `{reason}` ({})", count(*pings)))
            .unwrap_or_default();
        Verdict::new(
            "many_errored",
            Severity::Notice,
            format!(
                "{} could not be read or folded, {share} % of all{most}.",
                counted(counts.errored_pings, "ping", "pings")
            ),
            "They are kept. `highwater pings --errors` prints them with their reasons: most often one client version sends \
             what no other does.",
        )
    })
}

pub(super) fn displaced(numbers: &HealthNumbers) -> Option<Verdict> {
    let pings = *numbers.counts.errored_by_reason.get(DISPLACED_UNREADABLE)?;
    (pings > 0).then(|| {
        Verdict::new(
            "displaced_unreadable",
            Severity::Notice,
            format!(
                "{} not counted: copies that count were received later, and cannot be read to be taken back. Nothing is \
                 counted twice.",
                counted(pings, "ping is", "pings are")
            ),
            "`highwater replay-errors` takes them once the chunks of these copies can be read again; the log names the chunks. \
             Where a copy was deleted on purpose (by --keep-errors or --keep-pings), only a `highwater rebuild` takes them.",
        )
    })
}

pub(super) fn partitions(numbers: &HealthNumbers) -> Option<Verdict> {
    let log = &numbers.log;
    (log.open_partitions_max > 0 && log.open_partitions >= log.open_partitions_max).then(|| {
        Verdict::new(
            "partitions_capped",
            Severity::Notice,
            format!(
                "{} partitions are open, as many as may be: version and build id of further ones are kept under OTHER.",
                count(log.open_partitions as u64)
            ),
            "Nothing is lost and every selection still finds it. A dimension schema with fewer allowed values makes fewer \
             partitions; --open-partitions admits more.",
        )
    })
}
