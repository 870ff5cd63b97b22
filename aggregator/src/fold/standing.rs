//! How the rules of a program stand to stored ones: which fold versions differ in nothing but higher caps.

use aggregate_store::FoldVersion;
use serde_json::Value;

use super::caps::INFLATED_BYTES;
use super::settings::{FOLD_ACCEPTS_MORE_SINCE, FOLD_RULES, FoldSettings};
use crate::limits;

/// The caps that can be raised without a change to any ping that was accepted.
const RAISABLE: [&str; 5] = [
    "parts_per_ping",
    "labels_per_metric",
    "processes_per_ping",
    "bins_per_ping",
    INFLATED_BYTES,
];

/// How the rules of a program stand to those under which aggregates were folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are the same; at most the program's cap on inflated bodies is lower, which is the edge's business alone.
    Same,
    /// They accept more pings, and change nothing that was accepted: a replay of errored pings may put these rules in
    /// place.
    AcceptMore(FoldVersion),
    /// Only a rebuild helps.
    Other,
}

impl FoldSettings {
    /// How these settings, in this program, stand to the stored rules.
    pub fn standing(&self, stored: &FoldVersion) -> Standing {
        let ours = self.beside(stored);
        if ours == *stored {
            return Standing::Same;
        }
        let code = FOLD_ACCEPTS_MORE_SINCE..=FOLD_RULES;
        if code.contains(&stored.code) && accepts_more(&stored.settings, &ours.settings) {
            Standing::AcceptMore(ours)
        } else {
            Standing::Other
        }
    }

    /// Our rules where these are stored: a cap on inflated bodies that was reached once stays, for what was folded under
    /// it is there.
    pub fn beside(&self, stored: &FoldVersion) -> FoldVersion {
        let mut settings = self.clone();
        settings.caps.inflated_bytes = settings.caps.inflated_bytes.max(inflated_bytes_of(stored));
        settings.version()
    }
}

/// The cap on inflated bodies under stored rules.
pub fn inflated_bytes_of(stored: &FoldVersion) -> u64 {
    let settings: Value = serde_json::from_str(&stored.settings).unwrap_or_default();
    settings["caps"][INFLATED_BYTES]
        .as_u64()
        .unwrap_or(limits::INFLATED_BYTES_MAX)
}

fn accepts_more(stored: &str, ours: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (mut stored, mut ours) = (parse(stored), parse(ours));
    let not_lower = RAISABLE.into_iter().all(|cap| {
        let (stored, ours) = (take(&mut stored, cap), take(&mut ours, cap));
        stored.is_some() && stored <= ours
    });
    not_lower && stored == ours
}

/// Takes a cap out of settings.
fn take(settings: &mut Value, cap: &str) -> Option<u64> {
    let caps = settings.get_mut("caps").and_then(Value::as_object_mut)?;
    match caps.remove(cap) {
        None if cap == INFLATED_BYTES => Some(limits::INFLATED_BYTES_MAX),
        value => value?.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::caps::Caps;

    fn settings(change: impl Fn(&mut Caps)) -> FoldSettings {
        let mut settings = FoldSettings::default();
        change(&mut settings.caps);
        settings
    }

    #[test]
    fn raised_caps_accept_more_and_anything_else_wants_a_rebuild() {
        let stored = FoldSettings::default().version();
        let standing = |change: &dyn Fn(&mut Caps)| settings(change).standing(&stored);
        assert_eq!(standing(&|_| ()), Standing::Same);
        let raises: [&dyn Fn(&mut Caps); 5] = [
            &|caps| caps.parts_per_ping += 1,
            &|caps| caps.labels_per_metric += 1,
            &|caps| caps.processes_per_ping += 1,
            &|caps| caps.bins_per_ping += 1,
            &|caps| caps.inflated_bytes += 1,
        ];
        for raise in raises {
            let ours = settings(raise);
            assert_eq!(ours.standing(&stored), Standing::AcceptMore(ours.version()));
            let mixed = settings(|caps| {
                raise(caps);
                caps.parts_per_ping -= 2;
            });
            assert_eq!(mixed.standing(&stored), Standing::Other);
        }
        let mut other = settings(|caps| caps.labels_per_metric += 1);
        other.repeat_window *= 2;
        assert_eq!(other.standing(&stored), Standing::Other);
        let newer = FoldVersion {
            code: FOLD_RULES + 1,
            ..stored.clone()
        };
        assert_eq!(FoldSettings::default().standing(&newer), Standing::Other);
        let odd = FoldVersion {
            settings: "{}".to_owned(),
            ..stored
        };
        assert_eq!(FoldSettings::default().standing(&odd), Standing::Other);
    }

    #[test]
    fn a_lower_cap_on_inflated_bodies_leaves_the_rules_as_they_are() {
        let stored = settings(|caps| caps.inflated_bytes *= 2).version();
        assert_eq!(FoldSettings::default().standing(&stored), Standing::Same);
        assert_eq!(FoldSettings::default().beside(&stored), stored);
        let lowered = settings(|caps| caps.inflated_bytes = 7);
        assert_eq!(
            lowered.standing(&FoldSettings::default().version()),
            Standing::Same
        );
    }
}
