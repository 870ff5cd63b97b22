//! What the operating system says of this process.

use std::fs;

/// What a process takes. Absent where the system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Bytes of memory that are resident now.
    pub(crate) resident_bytes: Option<u64>,
    /// The most bytes that were resident at once.
    pub(crate) resident_max_bytes: Option<u64>,
    /// Threads.
    pub(crate) threads: Option<u64>,
    /// Open file descriptors.
    pub(crate) open_files: Option<u64>,
}

/// The figures now.
pub(crate) fn figures() -> Figures {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    };
    Figures {
        resident_bytes: field("VmRSS").map(|kib| kib * 1024),
        resident_max_bytes: field("VmHWM").map(|kib| kib * 1024),
        threads: field("Threads"),
        open_files: fs::read_dir("/proc/self/fd")
            .ok()
            .map(|files| files.count() as u64),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_files() {
        let Figures {
            resident_bytes,
            resident_max_bytes,
            threads,
            open_files,
        } = figures();
        assert!(resident_bytes > Some(100 << 10) && resident_max_bytes >= resident_bytes);
        assert!(threads >= Some(1) && open_files >= Some(3));
    }
}
