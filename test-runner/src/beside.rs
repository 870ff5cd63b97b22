//! Running executables beside each other: most of them wait more than they compute.

use std::sync::mpsc;
use std::thread;

use crate::{Executable, Outcome, Schedule};

/// Runs executables by `run`, which is told how many threads each has, as the schedule lets them begin, and tells the end of
/// each, in the order of their ends. None begins after `goes_on` says no; answers whether all have begun.
///
/// # Errors
/// A thread could not be started, or what `ended` answers: then the others are waited for.
pub fn run_beside(
    mut schedule: Schedule,
    goes_on: impl Fn() -> bool,
    run: impl Fn(&Executable, usize) -> anyhow::Result<Outcome> + Sync,
    mut ended: impl FnMut(Outcome) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let (sender, ends) = mpsc::channel();
    let run = &run;
    thread::scope(|scope| {
        let mut running = 0;
        loop {
            while goes_on()
                && let Some((executable, threads)) = schedule.begin()
            {
                let sender = sender.clone();
                running += 1;
                thread::Builder::new()
                    .name("suite".into())
                    .spawn_scoped(scope, move || {
                        let outcome = run(&executable, threads);
                        let outcome =
                            outcome.unwrap_or_else(|error| Outcome::unstarted(&executable.name(), &error));
                        // The receiver is there until all have ended.
                        let _ = sender.send((threads, outcome));
                    })?;
            }
            if running == 0 {
                return Ok(schedule.is_empty());
            }
            let (threads, outcome) = ends.recv()?;
            running -= 1;
            schedule.end(threads);
            ended(outcome)?;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    fn executables(count: usize) -> Vec<Executable> {
        let executable = |number| Executable {
            package: format!("package-{number}"),
            target: "suite".into(),
            is_unit: false,
            is_program: false,
            path: "/t".into(),
            folder: "/p".into(),
        };
        (0..count).map(executable).collect()
    }

    #[test]
    fn each_is_run_once_those_that_do_not_start_are_told_and_none_begins_after_the_end_is_wished() {
        for begun_at_most in [0, 1, 7, 20] {
            let all = executables(20);
            let names: BTreeSet<String> = all.iter().map(Executable::name).collect();
            let (run, asked) = (Mutex::new(Vec::new()), Cell::new(0));
            let mut told = Vec::new();
            let is_done = run_beside(
                Schedule::new(all, 2),
                || {
                    asked.set(asked.get() + 1);
                    run.lock().expect("no panic").len() < begun_at_most
                },
                |executable, _| {
                    run.lock().expect("no panic").push(executable.name());
                    Err(anyhow::anyhow!("it is not there"))
                },
                |outcome| {
                    assert!(!outcome.ended_well, "{outcome:?}");
                    told.push(outcome.name);
                    Ok(())
                },
            );
            let run = run.into_inner().expect("no panic");
            let once: BTreeSet<String> = run.iter().cloned().collect();
            assert_eq!(once.len(), run.len(), "one was run twice");
            told.sort();
            assert_eq!(told, once.into_iter().collect::<Vec<_>>(), "each end is told");
            let is_done = is_done.expect("all are waited for");
            assert_eq!(is_done, run.len() == names.len());
            assert!(begun_at_most < 20 || is_done);
            assert!(begun_at_most > 0 || run.is_empty());
            assert!(asked.get() > 0);
        }
    }
}
