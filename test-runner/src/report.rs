//! What is told of many executables: the slowest tests, and the closing line.

use crate::{Outcome, Verdict};

/// The slowest tests of all.
#[derive(Debug, Default)]
pub struct Slowest {
    found: Vec<(f64, String)>,
}

impl Slowest {
    /// How many are told.
    const TOLD: usize = 10;

    /// Looks at one more executable.
    pub fn look(&mut self, outcome: &Outcome) {
        for result in &outcome.read.results {
            let Some(seconds) = result.seconds else { continue };
            self.found
                .push((seconds, format!("{}: {}", outcome.name, result.name)));
        }
        self.found.sort_by(|one, other| other.0.total_cmp(&one.0));
        self.found.truncate(Self::TOLD);
    }

    /// A line for each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(seconds, name): &(f64, String)| format!("{seconds:>8.1} s  {name}");
        self.found.iter().map(line).collect()
    }
}

/// One executable in a line, and whether it is well.
pub fn sentence(outcome: &Outcome) -> String {
    let seconds = outcome.seconds;
    match (&outcome.read.closing, outcome.ended_well) {
        (Some(closing), true) => format!("{}, in {seconds:.1} s: {closing}", outcome.name),
        (Some(closing), false) => format!(
            "{}, in {seconds:.1} s: FAILED ({}): {closing}",
            outcome.name, outcome.end
        ),
        (None, true) => format!("{}, in {seconds:.1} s: no test", outcome.name),
        (None, false) => format!("{}, in {seconds:.1} s: FAILED: {}", outcome.name, outcome.end),
    }
}

/// The closing line of all of them: tests that held, that did not (an executable that ended badly without one counts as
/// one), and that were left out by their source.
pub fn closing(outcomes: &[Outcome]) -> String {
    let count = |verdict| -> usize { outcomes.iter().map(|outcome| outcome.read.count(verdict)).sum() };
    let broken = outcomes
        .iter()
        .filter(|outcome| !outcome.ended_well && outcome.read.count(Verdict::Failed) == 0)
        .count();
    format!(
        "{} passed, {} failed, {} skipped",
        count(Verdict::Ok),
        count(Verdict::Failed) + broken,
        count(Verdict::Ignored)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Read;

    fn outcome(lines: &[&str], ended_well: bool) -> Outcome {
        let mut read = Read::default();
        for line in lines {
            read.take(line);
        }
        Outcome {
            name: "edge".into(),
            read,
            ended_well,
            end: "signal 9".into(),
            seconds: 1.0,
            failures: String::new(),
        }
    }

    #[test]
    fn an_executable_that_is_killed_is_a_failure() {
        let outcomes = [
            outcome(&["test a ... ok <0.1s>", "test b ... ignored"], true),
            outcome(&["test c ... ok <2.0s>"], false),
            outcome(&["test d ... FAILED <3.0s>"], false),
        ];
        assert_eq!(closing(&outcomes), "2 passed, 2 failed, 1 skipped");
        assert!(sentence(&outcomes[1]).ends_with("FAILED: signal 9"));
    }

    #[test]
    fn the_slowest_are_told_in_order() {
        let mut slowest = Slowest::default();
        for number in 0..20 {
            slowest.look(&outcome(&[&format!("test t{number} ... ok <{number}.5s>")], true));
        }
        let lines = slowest.lines();
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[0], "    19.5 s  edge: t19");
        assert_eq!(lines[9], "    10.5 s  edge: t10");
    }
}
