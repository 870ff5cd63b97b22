//! In the end: a quiet start, and everything that is there held against what was acknowledged and against the oracle.

use std::time::Duration;

use serde_json::Value;

use super::ledger::Ledger;
use super::process::Process;
use super::stage::{Stage, path_text};
use super::stored::{Stored, stored};
use super::totals;
use crate::program::{now, thread_sleep};
use crate::run;

/// How long it may take until everything is sealed and counted.
const SETTLED_MAX: Duration = Duration::from_secs(1_800);

/// What is there in the end.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Objects in the store, and records in them.
    pub(super) chunks: u64,
    pub(super) records: u64,
    /// 200s for which no record is there.
    pub(super) lost: u64,
    /// Records beyond the 200s and what nothing is known of.
    pub(super) doubled: u64,
    /// How long it took until everything was counted.
    pub(super) settled: Duration,
}

/// Judges. What is wrong is noted on the stage.
pub(super) fn verdict(stage: &Stage, ledger: &Ledger, finish: impl FnOnce()) -> Verdict {
    if let Some(faults) = &stage.faults {
        faults.set_clock(0);
    }
    let process = match stage.start(&["--seal-age", "200ms"].map(str::to_owned)) {
        Ok(process) => process,
        Err(words) => {
            stage.wrong(format!("in the end it {words}"));
            return Verdict::default();
        }
    };
    finish();
    let begun = now();
    let status = settle(stage, &process);
    let settled = begun.elapsed();
    for gauge in ["highwater_edge_waiting_pings", "highwater_edge_open_partitions"] {
        // Published each second or so.
        let is_whole = || process.metric(gauge).is_some_and(|value| value == 0.0);
        if !(0..100).any(|_| {
            is_whole() || {
                thread_sleep(Duration::from_millis(100));
                false
            }
        }) {
            stage.wrong(format!("{gauge} is {:?} in the end", process.metric(gauge)));
        }
    }
    stage.terminate(process);
    let mut verdict = Verdict::default();
    match stored(&stage.data, true) {
        Ok(stored) => {
            verdict = held(&stored, ledger);
            counted(stage, &stored, &status);
            aggregated(stage, &stored);
        }
        Err(words) => stage.wrong(words),
    }
    let panics = stage.panics();
    if let Some(first) = panics.first() {
        stage.wrong(format!("{} panics in the log, such as {first}", panics.len()));
    }
    Verdict { settled, ..verdict }
}

/// What is set aside so long comes back by nobody but a person.
const ASIDE_MAX: Duration = Duration::from_secs(20);

/// Waits until everything is counted; the status then.
pub(super) fn settle(stage: &Stage, process: &Process) -> Value {
    let begun = now();
    let mut last = Value::Null;
    let mut whole = now();
    while begun.elapsed() < SETTLED_MAX && whole.elapsed() < ASIDE_MAX {
        if let Some(status) = process.status() {
            if status["settled"] == true {
                return status;
            }
            if status["set_aside"] == 0 {
                whole = now();
            }
            last = status;
        }
        thread_sleep(Duration::from_millis(200));
    }
    stage.wrong(format!("it does not settle: {last}\n{}", stage.last_lines()));
    last
}

/// What is stored against what was acknowledged.
pub(super) fn held(stored: &Stored, ledger: &Ledger) -> Verdict {
    let mut verdict = Verdict {
        chunks: stored.chunks,
        records: stored.records,
        doubled: stored.doubled_records + stored.foreign,
        ..Verdict::default()
    };
    let entries = ledger.entries();
    for (number, times) in &entries.documents {
        let found = stored.times.get(number).copied().unwrap_or(0);
        verdict.lost += u64::from(times.acknowledged.saturating_sub(found));
        verdict.doubled += u64::from(found.saturating_sub(times.acknowledged + times.unclear));
    }
    let unsent = stored
        .times
        .keys()
        .filter(|number| !entries.documents.contains_key(number));
    verdict.doubled += unsent.count() as u64;
    verdict
}

/// What the program says of its numbers.
pub(super) fn counted(stage: &Stage, stored: &Stored, status: &Value) {
    for words in miscounted(stored, 0, status) {
        stage.wrong(words);
    }
}

/// The numbers of a status that are not those of what is stored, in words. So many good pings more were deleted since, folded or not.
pub(super) fn miscounted(stored: &Stored, gone: u64, status: &Value) -> Vec<String> {
    let records = stored.records + gone;
    let counters = &stored.counters;
    let unfolded = status["unfolded"].as_u64().unwrap_or(0);
    let folded = u64::try_from(counters.folded).ok().map(|folded| folded + gone);
    let expected = [
        ("accepted", Some(records)),
        ("waiting", Some(0)),
        ("chunked", Some(records)),
        ("indexed", Some(records)),
        ("set_aside", Some(0)),
        ("deleted", Some(gone)),
        ("folded", folded.and_then(|folded| folded.checked_sub(unfolded))),
        ("repeated", u64::try_from(counters.repeated).ok()),
        ("stored_only", u64::try_from(counters.stored_only).ok()),
        ("errored_pings", u64::try_from(counters.errored_pings).ok()),
    ];
    let odd = expected
        .into_iter()
        .filter(|(name, number)| status[name].as_u64() != *number);
    odd.map(|(name, number)| {
        format!(
            "{name} is {}, and should be {}",
            status[name],
            number.unwrap_or(0)
        )
    })
    .collect()
}

/// The aggregates are those of the oracle, and a rebuild changes no byte.
fn aggregated(stage: &Stage, stored: &Stored) {
    let Some(dump) = command(stage, &["dump", "--all"]) else {
        return;
    };
    match totals::differs(&stage.data, stored, &dump) {
        Ok(None) => {}
        Ok(Some(words)) | Err(words) => stage.wrong(words),
    }
    if command(stage, &["rebuild"]).is_none() {
        return;
    }
    if let Some(again) = command(stage, &["dump", "--all"])
        && again != dump
    {
        let odd = dump.lines().zip(again.lines()).find(|(one, other)| one != other);
        stage.wrong(format!("a rebuild changes the dump, first at {odd:?}"));
    }
}

fn command(stage: &Stage, words: &[&str]) -> Option<String> {
    let data = path_text(&stage.data);
    let finished = run(&[words, &["--data-dir", &data]].concat());
    if !finished.success {
        stage.wrong(format!("{} in the end: {}", words[0], finished.stderr.trim()));
    }
    finished.success.then_some(finished.stdout)
}
