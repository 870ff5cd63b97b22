//! The conditions of a run: without them a figure is an anecdote.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// Processor, cores, load average and commit, in one line.
pub(super) fn conditions() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches(['\t', ' ', ':'])
        });
    let load: Vec<String> = read("/proc/loadavg")
        .split(' ')
        .take(3)
        .map(str::to_owned)
        .collect();
    format!(
        "{model}, {} cores, load average {}, commit {}",
        available_parallelism().map_or(0, usize::from),
        load.join(" "),
        commit()
    )
}

fn commit() -> String {
    let output = Command::new("git")
        .args(["rev-parse", "--short=10", "HEAD"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
