//! What can be wrong with what is kept: deletions that wait or fail, and floors above what comes.

use ping::SubmissionDate;

use super::super::numbers::HealthNumbers;
use super::super::verdict::{Severity, Verdict};
use super::super::words::counted;

pub(super) fn held(numbers: &HealthNumbers) -> Option<Verdict> {
    let held = &numbers.retention.held;
    (!held.is_empty()).then(|| {
        Verdict::new(
            "retention_held",
            Severity::Warning,
            format!(
                "More would be deleted at once than is without a person's word: {}.",
                held.join("; ")
            ),
            "Is this machine's clock right, and is the rule what you meant? Then `highwater retain --yes` deletes it (--dry-run \
             tells it before); else set the clock right, or correct --keep-pings, --keep-errors, --keep-aggregates or \
             --keep-copies. Nothing of it is deleted until then.",
        )
    })
}

pub(super) fn failing(numbers: &HealthNumbers) -> Option<Verdict> {
    numbers.retention.failed.as_ref().map(|error| {
        Verdict::new(
            "retention_failing",
            Severity::Warning,
            format!("Not everything is deleted that is not to be kept: {error}."),
            "What could be deleted is; the rest is tried again by itself, a minute after a run of the process's own, within an hour \
             after `highwater retain`. Look at the rights of this process on the object or \
             folder that is named (is it locked, or owned by another user?).",
        )
    })
}

pub(super) fn below_floor(numbers: &HealthNumbers) -> Option<Verdict> {
    const ADVICE: &str = "Is this machine's clock right? If it is behind, set it: what is kept waits for nothing else. If it is right, it \
                          was ahead once, and raised the floors: `highwater retain --lower-floors TODAY` lowers them, and what \
                          came meanwhile is indexed and counted.";
    let retention = &numbers.retention;
    let today = numbers.now().submission_date();
    let is_above = |floor: &SubmissionDate| *floor > today;
    let pings = match numbers.log.is_there() {
        true => "Pings are answered 503, and clients come again",
        false => "What is received now is stored and in no index",
    };
    let what = if let Some(floor) = retention.objects_floor.filter(is_above) {
        format!(
            "{pings}: by this machine's clock today is {today}, and nothing of before {floor} is indexed any more."
        )
    } else if let Some(floor) = retention.aggregates_floor.filter(is_above) {
        format!(
            "Pings are stored and not counted: by this machine's clock today is {today}, and nothing of before {floor} is \
             counted any more."
        )
    } else if let Some((refused, floor)) = retention.refused_lately.zip(retention.objects_floor) {
        format!(
            "{} came of days before {floor}, before which nothing is indexed any more: their pings are stored, and in no \
             number.",
            counted(refused, "chunk", "chunks")
        )
    } else {
        return None;
    };
    let advice = match numbers.log.is_there() || retention.objects_floor.is_some_and(|floor| floor > today) {
        true => ADVICE,
        false => {
            "Is the clock right of each machine that takes pings, or were old pings imported? `highwater retain --lower-floors DAY` \
             has them indexed and counted, if they are wanted."
        }
    };
    Some(Verdict::new("below_floor", Severity::Alarm, what, advice))
}
