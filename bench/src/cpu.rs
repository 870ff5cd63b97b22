//! CPU time of this process, user and system, all threads. Not here: that of a child (`rows/process.rs`).

use rustix::time::{ClockId, clock_gettime};

/// Linux counts system time alone in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds this process has used.
pub(crate) fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// CPU seconds that `work` takes, and what it answers. Nothing else may run in this process meanwhile.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = seconds();
    let answer = work();
    (seconds() - before, answer)
}

/// CPU seconds this process has spent in the kernel so far, in steps of 10 ms; NaN where that is not told.
pub(crate) fn system_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = text
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.split_whitespace().nth(12));
    ticks
        .and_then(|ticks| ticks.parse::<f64>().ok())
        .map_or(f64::NAN, |ticks| ticks / TICKS_PER_SECOND)
}
