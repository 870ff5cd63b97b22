//! What a running process uses, as the kernel counts it: CPU time, memory, and which processes it started.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

/// Linux counts the CPU time of a process in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU nanoseconds that living threads have used, by thread.
#[derive(Debug)]
pub(crate) struct ThreadTimes(BTreeMap<u32, f64>);

impl ThreadTimes {
    /// Those of some processes.
    pub(crate) fn of(processes: &[u32]) -> Result<Self> {
        let mut times = BTreeMap::new();
        for process in processes {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let thread = thread?;
                let number = thread.file_name().to_string_lossy().parse::<u32>()?;
                // A thread that has ended since it was listed is as good as gone.
                let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else {
                    continue;
                };
                let nanos = text.split(' ').next().context("no schedstat")?;
                times.insert(number, nanos.parse::<f64>()?);
            }
        }
        Ok(Self(times))
    }

    /// CPU seconds since earlier times, to the nanosecond. What threads did that have ended since is not in it: such as
    /// ended had been idle for ten seconds.
    pub(crate) fn seconds_since(&self, earlier: &Self) -> f64 {
        let since = |(thread, nanos): (&u32, &f64)| nanos - earlier.0.get(thread).copied().unwrap_or(0.0);
        self.0.iter().map(since).sum::<f64>() / 1e9
    }

    /// CPU seconds of all of them.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.values().sum::<f64>() / 1e9
    }
}

/// CPU seconds that a process has used, user and system, all threads, in steps of 10 ms. Also of one that ended and was
/// not waited for.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    two_times(process, 11)
}

/// CPU seconds of all processes that a process waited for, and that these waited for.
pub(crate) fn children_cpu_seconds(process: u32) -> Result<f64> {
    two_times(process, 13)
}

/// The sum of two fields of a process's state, which are times: first user and system time, then those of children.
fn two_times(process: u32, first: usize) -> Result<f64> {
    let ticks: Vec<f64> = stat(process)?
        .iter()
        .skip(first)
        .take(2)
        .map(|ticks| ticks.parse())
        .collect::<Result<_, _>>()?;
    ensure!(ticks.len() == 2, "no CPU time in the process state");
    Ok((ticks[0] + ticks[1]) / TICKS_PER_SECOND)
}

/// The most resident memory that a process ever had, in megabytes.
pub(crate) fn peak_megabytes(process: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.trim().split(' ').next())
        .context("no VmHWM")?;
    Ok(kib.parse::<f64>()? * 1024.0 / 1e6)
}

/// The processes that a process started and that live.
pub(crate) fn children(process: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(number) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // It may be gone by now.
        let parent = stat(number)
            .ok()
            .and_then(|fields| fields.get(1)?.parse::<u32>().ok());
        if parent == Some(process) {
            children.push(number);
        }
    }
    Ok(children)
}

/// The fields of a process's state that stand behind its name, from `state` on: the name may hold anything.
fn stat(process: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = text.rsplit_once(')').context("no process state")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, id};

    #[test]
    fn this_process_has_memory_and_what_it_computes_costs_time() {
        let before = ThreadTimes::of(&[id()]).expect("it lives");
        let mut sum = 0_u64;
        for number in 0..50_000_000_u64 {
            sum = std::hint::black_box(sum ^ number);
        }
        let after = ThreadTimes::of(&[id()]).expect("it lives");
        assert!(after.seconds_since(&before) > 0.001);
        assert!(after.seconds() >= after.seconds_since(&before));
        assert!(peak_megabytes(id()).expect("told") > 0.1 && cpu_seconds(id()).expect("told") >= 0.0);
    }

    #[test]
    fn a_child_is_among_the_children() {
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("cat starts");
        let children = children(id()).expect("listed");
        drop(child.stdin.take());
        child.wait().expect("it ends");
        assert!(children.contains(&child.id()), "{children:?}");
    }
}
