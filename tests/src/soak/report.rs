//! What a soak prints.

use std::fmt::Write as _;

use super::ledger::{Entries, Ledger};
use super::mixed::MEMORY_MAX;
use super::stage::Stage;
use super::verdict::Verdict;

/// What came of a soak.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The table.
    pub table: String,
    /// How many 200s there were.
    pub acknowledged: u64,
    /// What is wrong, in words: nothing.
    pub wrong: Vec<String>,
}

/// Prints a line at once.
#[expect(clippy::print_stdout, reason = "a soak tells how it goes")]
pub(super) fn say(line: &str) {
    println!("{line}");
}

/// The table of a mixed soak.
pub(super) fn mixed(stage: Stage, ledger: &Ledger, verdict: &Verdict) -> Outcome {
    finish(stage, ledger, verdict, MEMORY_MAX, "minute")
}

/// The table of any soak; what is wrong is kept for who looks into it.
pub(super) fn finish(
    stage: Stage,
    ledger: &Ledger,
    verdict: &Verdict,
    memory_max: u64,
    slice: &str,
) -> Outcome {
    let entries = ledger.entries();
    let highest = stage.diary().peaks.iter().copied().max().unwrap_or(0);
    if highest > memory_max {
        stage.wrong(format!("{highest} bytes of memory, {memory_max} are the bound"));
    }
    if verdict.lost > 0 {
        stage.wrong(format!("{} pings that were answered 200 are lost", verdict.lost));
    }
    if verdict.doubled > 0 {
        stage.wrong(format!(
            "{} records nobody sent, or not so often",
            verdict.doubled
        ));
    }
    for words in &entries.wrong {
        stage.wrong(words.clone());
    }
    let mut table = table(&stage, &entries, verdict, memory_max);
    latencies(&mut table, &entries, slice);
    let wrong = stage.diary().wrong.clone();
    for words in &wrong {
        writeln!(table, "WRONG  {words}").expect("text");
    }
    if !wrong.is_empty() {
        writeln!(table, "what is left lies in {}", stage.keep().display()).expect("text");
    }
    Outcome {
        table,
        acknowledged: entries.acknowledged(),
        wrong,
    }
}

fn table(stage: &Stage, entries: &Entries, verdict: &Verdict, memory_max: u64) -> String {
    let mut table = String::new();
    let mut row = |name: &str, value: String| writeln!(table, "{name:<28} {value}").expect("text");
    let diary = stage.diary();
    row("seconds", format!("{:.0}", stage.seconds()));
    row("lives", diary.peaks.len().to_string());
    for (action, times) in &diary.actions {
        row(action, times.to_string());
    }
    for left_out in &diary.left_out {
        row("left out", left_out.clone());
    }
    for (seen, times) in &entries.seen {
        row(&format!("seen: {seen}"), times.to_string());
    }
    row("acknowledged", entries.acknowledged().to_string());
    row(
        "records stored, in chunks",
        format!("{}, {}", verdict.records, verdict.chunks),
    );
    row("lost", verdict.lost.to_string());
    row("doubled", verdict.doubled.to_string());
    let highest = diary.peaks.iter().copied().max().unwrap_or(0);
    row(
        "memory, highest VmHWM",
        format!("{} MB of {} MB", highest / 1_000_000, memory_max / 1_000_000),
    );
    row("slowest start", format!("{:.1} s", diary.slowest_start));
    row(
        "until all was counted",
        format!("{:.1} s", verdict.settled.as_secs_f64()),
    );
    table
}

/// Latencies of the 200s, by slices of time.
fn latencies(table: &mut String, entries: &Entries, slice: &str) {
    writeln!(
        table,
        "{slice:>10} {:>9} {:>9} {:>9} {:>9}   of the 200s, ms",
        "200s", "p50", "p99", "max"
    )
    .expect("text");
    for (at, latencies) in &entries.latencies {
        let [p50, p99, max] = quantiles(latencies);
        let number = latencies.len();
        writeln!(table, "{at:>10} {number:>9} {p50:>9.1} {p99:>9.1} {max:>9.1}").expect("text");
    }
}

/// Median, 99th percentile and highest.
pub(super) fn quantiles(latencies: &[f32]) -> [f32; 3] {
    let mut sorted = latencies.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    [at(0.5), at(0.99), at(1.0)]
}
