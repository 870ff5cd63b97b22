//! What the kernel says of this process: memory and processor time.

use std::fs;

/// Whether the long forms of tests are wanted.
pub(crate) fn soak() -> bool {
    std::env::var_os("HIGHWATER_SOAK").is_some()
}

/// The most memory that was resident since the start or the last [`reset_peak`].
pub(crate) fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("known");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number")
        * 1_024
}

/// Counts the peak from now on.
pub(crate) fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("the process may reset its own peak");
}

/// Nanoseconds that the threads of this process have run which are there now.
pub(crate) fn cpu_ns() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let ran = tasks.filter_map(|task| {
        let path = task.ok()?.path().join("schedstat");
        let text = fs::read_to_string(path).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    ran.sum()
}
