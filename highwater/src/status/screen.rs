//! A status as lines for a person: the verdicts in words, the counts with their rates, the budgets. Pure.

use std::time::Duration;

use query::health::{bytes, count, lasting};
use serde_json::Value;

/// No line of sentences is longer: what a terminal shows at least.
const COLUMNS: usize = 78;

/// A verdict's word takes so much before its sentence.
const MARGIN: usize = 9;

/// Columns of a bar.
const BAR: u64 = 16;

/// The status as lines.
pub(super) fn lines(status: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for verdict in status["verdicts"].as_array().into_iter().flatten() {
        lines.extend(verdict_lines(verdict));
    }
    lines.push(String::new());
    lines.extend(pings(status));
    lines.extend(places(status));
    lines.extend(named(status));
    lines
}

/// The status as one line, for a log or a pipe.
pub(super) fn line(status: &Value) -> String {
    let rates = &status["rates"];
    let newest = match status["newest_age_seconds"].as_f64() {
        Some(seconds) => format!("{seconds:.1}s"),
        None => "none".to_owned(),
    };
    let first = &status["verdicts"][0];
    format!(
        "{} {} accepted={} accepted_per_second={} waiting={} folded={} errored={} newest_age={newest} log_bytes={} {}",
        status["at"].as_str().unwrap_or("-"),
        status["severity"].as_str().unwrap_or("-"),
        number(&status["accepted"]),
        rates["accepted_per_second"].as_f64().unwrap_or(0.0),
        number(&status["waiting"]),
        number(&status["folded"]),
        number(&status["errored_pings"]),
        number(&status["log"]["bytes"]),
        first["what"].as_str().unwrap_or(""),
    )
}

fn verdict_lines(verdict: &Value) -> Vec<String> {
    let word = |name: &str| verdict[name].as_str().unwrap_or("");
    let age = match verdict["seconds"].as_u64() {
        Some(seconds) => format!(" (For {}.)", lasting(Duration::from_secs(seconds))),
        None => String::new(),
    };
    let sentence = format!("{}{age} {}", word("what"), word("advice"));
    let name = word("severity").to_uppercase();
    let mut lines = Vec::new();
    for (at, part) in wrapped(&sentence, COLUMNS - MARGIN).into_iter().enumerate() {
        let margin = if at == 0 { name.as_str() } else { "" };
        lines.push(format!("{margin:<MARGIN$}{part}"));
    }
    if word("severity") != "well" && !["not_running", "shared"].contains(&word("name")) {
        let section = word("section");
        lines.push(format!("{:<MARGIN$}See docs/operations.md#{section}", ""));
    }
    lines
}

fn pings(status: &Value) -> Vec<String> {
    let rate = |name: &str| match status["rates"][name].as_f64() {
        Some(rate) => format!("{rate:.1} a second"),
        None => String::new(),
    };
    let waits = match status["log"]["oldest_waiting_seconds"].as_f64() {
        Some(seconds) => format!(
            "the oldest for {}",
            lasting(Duration::from_secs_f64(seconds.max(0.0)))
        ),
        None => String::new(),
    };
    let newest = match status["newest_age_seconds"].as_f64() {
        Some(seconds) => format!("{} old", lasting(Duration::from_secs_f64(seconds.max(0.0)))),
        None => status["newest_receive_time"]
            .as_str()
            .unwrap_or("none yet")
            .to_owned(),
    };
    let of = |name: &str| count(number(&status[name]));
    vec![
        row("accepted", &of("accepted"), &rate("accepted_per_second")),
        row("waiting", &of("waiting"), &waits),
        row("chunked", &of("chunked"), &rate("chunked_per_second")),
        row("indexed", &of("indexed"), ""),
        row("folded", &of("folded"), &rate("folded_per_second")),
        row("repeated", &of("repeated"), ""),
        row("stored_only", &of("stored_only"), ""),
        row("errored_pings", &of("errored_pings"), ""),
        row("newest number", "", &newest),
        row(
            "settled",
            "",
            if status["settled"] == true { "yes" } else { "no" },
        ),
    ]
}

fn places(status: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let (log, disk, index) = (&status["log"], &status["disk"], &status["index"]);
    if log.is_object() {
        lines.push(row(
            "log",
            "",
            &budget(number(&log["bytes"]), number(&log["budget_bytes"])),
        ));
        let open = count(number(&log["open_partitions"]));
        lines.push(row("open partitions", &open, ""));
    }
    if disk.is_object() {
        let (free, size) = (number(&disk["free_bytes"]), number(&disk["size_bytes"]));
        lines.push(row("disk", "", &budget(size.saturating_sub(free), size)));
    }
    if index.is_object() {
        let pending = number(&status["folding"]["pending_chunks"]);
        let stored = bytes(number(&index["stored_bytes"]));
        let more = format!("{stored} stored, {} to be folded", count(pending));
        lines.push(row("chunks", &count(number(&index["chunks"])), &more));
    }
    lines
}

fn named(status: &Value) -> Vec<String> {
    let mut lines = vec![row("set_aside", &count(number(&status["set_aside"])), "")];
    for aside in status["set_aside_objects"].as_array().into_iter().flatten() {
        let text = |name: &str| aside[name].as_str().unwrap_or("");
        lines.push(format!("  {}: {}", text("key"), text("reason")));
    }
    for name in ["errored_by_reason", "refused_by_reason"] {
        for (reason, pings) in status[name].as_object().into_iter().flatten() {
            lines.push(row(name, &count(number(pings)), reason));
        }
    }
    lines
}

fn row(name: &str, number: &str, more: &str) -> String {
    format!("{name:<18}{number:>14}  {more}").trim_end().to_owned()
}

/// `[####............] 1.0 GiB of 4.0 GiB, 25 %`
fn budget(used: u64, whole: u64) -> String {
    let share = |of: u64| match whole {
        0 => 0,
        whole => u64::try_from(u128::from(used) * u128::from(of) / u128::from(whole)).unwrap_or(of),
    };
    let filled = share(BAR).min(BAR);
    let bar: String = (0..BAR).map(|at| if at < filled { '#' } else { '.' }).collect();
    format!("[{bar}] {} of {}, {} %", bytes(used), bytes(whole), share(100))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// A sentence in lines of at most so many columns; a longer word has a line of its own.
fn wrapped(sentence: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > columns {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_reads_as_verdicts_counts_and_budgets() {
        let status = json!({
            "severity": "alarm", "at": "2026-11-23T15:26:00.000000Z", "accepted": 1_234_567, "folded": 9, "settled": false,
            "verdicts": [{"name": "store_gone", "severity": "alarm", "what": "The store is gone: put: no such disk.",
                "advice": "Bring the store back, and see that nobody takes it away again, for pings wait for it.",
                "seconds": 720, "section": "store-gone"}],
            "rates": {"accepted_per_second": 51.5}, "log": {"bytes": 1 << 30, "budget_bytes": 4_u64 << 30},
            "newest_age_seconds": 1.5, "errored_by_reason": {"gzip": 3}, "set_aside": 1,
            "set_aside_objects": [{"key": "pings/a.zst", "reason": "torn"}],
        });
        let text = lines(&status).join("\n");
        for words in [
            "ALARM    The store is gone: put: no such disk. (For 12 min.) Bring the store",
            "See docs/operations.md#store-gone",
            "accepted               1,234,567  51.5 a second",
            "[####............] 1.0 GiB of 4.0 GiB, 25 %",
            "  pings/a.zst: torn",
            "3  gzip",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= COLUMNS + 2),
            "{text}"
        );
        let one = line(&status);
        assert!(
            one.starts_with("2026-11-23T15:26:00.000000Z alarm accepted=1234567"),
            "{one}"
        );
        assert!(
            one.ends_with("The store is gone: put: no such disk.") && !one.contains('\n'),
            "{one}"
        );
    }

    #[test]
    fn a_long_word_keeps_a_line_of_its_own() {
        assert_eq!(wrapped("a bb cccccc d", 4), ["a bb", "cccccc", "d"]);
    }
}
