//! CPU time of this process, user and system, all threads. Not here: that of a child (`rows/process.rs`).

use rustix::time::{ClockId, clock_gettime};

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
