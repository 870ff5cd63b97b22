//! What was so before: so that a verdict knows since when it holds, and the log tells of its begin and its end once.

use std::collections::BTreeMap;
use std::time::Duration;

use ping::Timestamp;

use super::verdict::{Severity, Verdict};

/// Which verdicts hold, and since when.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    held: BTreeMap<&'static str, (Timestamp, Severity)>,
}

/// A verdict that holds no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its name.
    pub name: &'static str,
    /// How long it held.
    pub lasted: Duration,
}

impl Memory {
    /// Takes note of the verdicts that hold now, and tells those that do not say it themselves since when. Answers which
    /// of them are new or worse than before, and which hold no more. What is well is not remembered.
    pub fn update(&mut self, verdicts: &mut [Verdict], now: Timestamp) -> (Vec<Verdict>, Vec<Gone>) {
        let mut held = BTreeMap::new();
        let mut fresh = Vec::new();
        for verdict in verdicts
            .iter_mut()
            .filter(|verdict| verdict.severity > Severity::Well)
        {
            let before = self.held.get(verdict.name).copied();
            let first = before.map_or(now, |(since, _)| since.min(now));
            let since = *verdict.since.get_or_insert(first);
            if before.is_none_or(|(_, severity)| severity < verdict.severity) {
                fresh.push(verdict.clone());
            }
            held.insert(verdict.name, (since, verdict.severity));
        }
        let before = std::mem::replace(&mut self.held, held);
        let gone = before
            .into_iter()
            .filter(|(name, _)| !self.held.contains_key(name))
            .map(|(name, (since, _))| Gone {
                name,
                lasted: Duration::from_micros(u64::try_from(now.micros_since(since)).unwrap_or(0)),
            })
            .collect();
        (fresh, gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn full(severity: Severity) -> Verdict {
        Verdict::new("log_full", severity, "It is full.", "Empty it.")
    }

    #[test]
    fn a_verdict_is_new_once_and_again_when_it_gets_worse_and_its_end_says_how_long_it_held() {
        let mut memory = Memory::default();
        let mut verdicts = [full(Severity::Warning)];
        let (fresh, gone) = memory.update(&mut verdicts, at(10));
        assert_eq!((fresh.len(), gone), (1, Vec::new()));
        let mut verdicts = [full(Severity::Warning)];
        let (fresh, _) = memory.update(&mut verdicts, at(20));
        assert_eq!((fresh, verdicts[0].since), (Vec::new(), Some(at(10))));
        let (fresh, _) = memory.update(&mut [full(Severity::Alarm)], at(30));
        assert_eq!(fresh.len(), 1);
        let (fresh, gone) = memory.update(&mut [], at(40));
        let lasted = Duration::from_secs(30);
        assert_eq!(
            (fresh, gone),
            (
                Vec::new(),
                vec![Gone {
                    name: "log_full",
                    lasted
                }]
            )
        );
    }

    #[test]
    fn a_clock_that_steps_back_makes_no_time_before_now() {
        let mut memory = Memory::default();
        memory.update(&mut [full(Severity::Alarm)], at(100));
        let mut verdicts = [full(Severity::Alarm)];
        memory.update(&mut verdicts, at(50));
        assert_eq!(verdicts[0].age(at(50)), Some(Duration::ZERO));
    }
}
