//! Which executable runs next, and with how many threads: most tests wait, for processes, disks and clocks, so more of them
//! run than there are processors; the longest begin first.

use crate::Executable;

/// Threads of tests that may run at a time, for each processor.
const THREADS_PER_PROCESSOR: usize = 4;

/// Threads of an executable that is not listed.
const THREADS: usize = 2;

/// An executable that takes long.
#[derive(Clone, Copy)]
struct Long {
    name: &'static str,
    /// Tests of it that run beside each other.
    threads: usize,
    /// Whether it starts real processes and speaks to them.
    real_processes: bool,
    /// Whether what it shows hangs on figures or times: of memory, of processors, of clocks.
    figures: bool,
}

const fn long(name: &'static str, threads: usize) -> Long {
    Long {
        name,
        threads,
        real_processes: true,
        figures: false,
    }
}

const fn with_figures(long: Long) -> Long {
    Long {
        figures: true,
        ..long
    }
}

const fn in_one_process(long: Long) -> Long {
    Long {
        real_processes: false,
        ..long
    }
}

/// The longest first, as they were measured: an executable that stands here too late only makes the end wait.
const LONGEST: &[Long] = &[
    with_figures(long("tests street", 4)),
    long("highwater world", 2),
    in_one_process(long("tests inside", 2)),
    with_figures(long("store suite", 2)),
    long("tests aws", 2),
    in_one_process(long("simulation simulation", 1)),
    long("aggregate-store postgres", 2),
    long("index-schema suite", 2),
    in_one_process(long("sample-pings suite", 2)),
    in_one_process(long("aggregator (unit)", 2)),
    with_figures(in_one_process(long("edge suite", 2))),
    with_figures(in_one_process(long("service suite", 2))),
    long("highwater highwater (unit)", 2),
    long("postgres-connections (unit)", 2),
    long("postgres-for-tests server", 2),
];

fn known(executable: &Executable) -> Option<(usize, &'static Long)> {
    let name = executable.name();
    LONGEST.iter().enumerate().find(|(_, long)| long.name == name)
}

/// Names that stand in the list of the longest and that none of these has: the list is outdated.
pub fn outdated(executables: &[Executable]) -> Vec<&'static str> {
    let names: Vec<String> = executables.iter().map(Executable::name).collect();
    let gone = LONGEST
        .iter()
        .filter(|long| !names.iter().any(|name| name == long.name));
    gone.map(|long| long.name).collect()
}

/// Whether it starts real processes and speaks to them.
pub fn of_real_processes(executable: &Executable) -> bool {
    known(executable).is_some_and(|(_, long)| long.real_processes)
}

/// Whether what it shows hangs on figures or times.
pub fn waits_for_time(executable: &Executable) -> bool {
    known(executable).is_some_and(|(_, long)| long.figures)
}

/// Executables that wait for their turn.
#[derive(Debug)]
pub struct Schedule {
    waiting: Vec<Executable>,
    free: usize,
    total: usize,
}

impl Schedule {
    /// All of these, on so many processors.
    pub fn new(mut executables: Vec<Executable>, processors: usize) -> Self {
        executables.sort_by_key(|executable| {
            let place = known(executable).map_or(LONGEST.len(), |(place, _)| place);
            // Folders of tests take longer than unit tests.
            (place, executable.is_unit, executable.name())
        });
        executables.reverse();
        let total = processors.max(1) * THREADS_PER_PROCESSOR;
        Self {
            waiting: executables,
            free: total,
            total,
        }
    }

    /// The next one that may begin now, and its threads; `None` until another one ends, or when none is left.
    pub fn begin(&mut self) -> Option<(Executable, usize)> {
        let threads = self.threads_of(self.waiting.last()?);
        if threads > self.free {
            return None;
        }
        self.free -= threads;
        self.waiting.pop().map(|executable| (executable, threads))
    }

    /// Whether all have begun.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Gives back the threads of one that ended.
    pub fn end(&mut self, threads: usize) {
        self.free += threads;
    }

    fn threads_of(&self, executable: &Executable) -> usize {
        known(executable)
            .map_or(THREADS, |(_, long)| long.threads)
            .min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable(package: &str, target: &str) -> Executable {
        Executable {
            package: package.into(),
            target: target.into(),
            is_unit: package == target,
            is_program: false,
            path: "/t".into(),
            folder: "/p".into(),
        }
    }

    #[test]
    fn the_longest_begins_first_and_all_have_their_turn_within_the_bound() {
        let all = vec![
            executable("ping", "ping"),
            executable("chunk", "suite"),
            executable("tests", "street"),
            executable("aggregate-store", "postgres"),
            executable("query", "query"),
        ];
        let count = all.len();
        let mut schedule = Schedule::new(all, 1);
        let mut begun = Vec::new();
        let mut running: Vec<usize> = Vec::new();
        while begun.len() < count {
            match schedule.begin() {
                Some((executable, threads)) => {
                    begun.push(executable.name());
                    running.push(threads);
                    assert!(
                        running.iter().sum::<usize>() <= THREADS_PER_PROCESSOR,
                        "{running:?}"
                    );
                }
                None => schedule.end(running.remove(0)),
            }
        }
        assert_eq!(schedule.begin(), None);
        assert_eq!(
            &begun[..3],
            ["tests street", "aggregate-store postgres", "chunk suite"]
        );
    }
}
