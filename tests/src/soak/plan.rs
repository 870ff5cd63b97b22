//! What befalls the program, and when: drawn from a seed, never from what happened before.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What befalls the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `kill -9`, and a start with other settings.
    Kill,
    /// SIGTERM, and the same.
    Terminate,
    /// The store's folder is away for so long; then perhaps `kill -9` before it is back.
    StoreAway(Duration, bool),
    /// The file system is full for so long; then perhaps `kill -9` before there is room.
    DiskFull(Duration, bool),
    /// From now on the clock of the day is off by so many seconds.
    Clock(i64),
    /// SIGSTOP, so long nothing, SIGCONT.
    Pause(Duration),
    /// A command beside the program.
    Command(&'static str),
    /// An import of so many lines.
    Import(u64),
}

/// Actions by how many of a hundred they are.
const KINDS: [(u32, &str); 11] = [
    (22, "kill"),
    (10, "terminate"),
    (14, "store away"),
    (10, "disk full"),
    (8, "clock"),
    (8, "pause"),
    (5, "reconcile"),
    (6, "rebuild"),
    (4, "replay-errors"),
    (12, "import"),
    (1, "dump"),
];

/// The clock's steps in seconds: none, an hour, a day.
const STEPS: [i64; 5] = [0, 3_600, -3_600, 86_400, -86_400];

/// A plan without end.
pub(super) struct Plan {
    dice: ChaCha8Rng,
}

impl Plan {
    /// The plan of this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The next action, and what it waits before.
    pub(super) fn next(&mut self) -> (Duration, Action) {
        let pause = self.millis(50, 3_000);
        let mut at = self.dice.random_range(0..KINDS.iter().map(|(of, _)| of).sum());
        let kind = KINDS.iter().find_map(|(of, kind)| match at < *of {
            true => Some(*kind),
            false => {
                at -= of;
                None
            }
        });
        let action = match kind.expect("less than the sum") {
            "kill" => Action::Kill,
            "terminate" => Action::Terminate,
            "store away" => Action::StoreAway(self.millis(300, 8_000), self.dice.random_bool(0.3)),
            "disk full" => Action::DiskFull(self.millis(300, 5_000), self.dice.random_bool(0.3)),
            "clock" => Action::Clock(STEPS[self.dice.random_range(0..STEPS.len())]),
            "pause" => Action::Pause(self.millis(100, 3_000)),
            "import" => Action::Import(self.dice.random_range(1..200)),
            command => Action::Command(command),
        };
        (pause, action)
    }

    /// The settings of the next life.
    pub(super) fn settings(&mut self) -> Vec<String> {
        let mut draw = |values: &[&str]| values[self.dice.random_range(0..values.len())].to_owned();
        let pairs = [
            ("--seal-age", draw(&["100ms", "500ms", "2s", "5s"])),
            ("--log-budget", draw(&["8MiB", "32MiB", "256MiB"])),
            ("--persist-age", draw(&["200ms", "1s", "10s"])),
            ("--aggregates-memory", draw(&["16MiB", "64MiB", "256MiB"])),
            ("--reconcile-every", draw(&["5s", "1h"])),
        ];
        pairs
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
    }

    fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.dice.random_range(least..most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_plan() {
        let (mut one, mut other) = (Plan::new(3), Plan::new(3));
        for _ in 0..500 {
            assert_eq!(one.next(), other.next());
            assert_eq!(one.settings(), other.settings());
        }
    }
}
