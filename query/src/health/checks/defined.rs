//! What is told of metrics that arrive otherwise than they are defined. Nothing of it keeps a ping from being counted.

use super::super::defined::Named;
use super::super::numbers::HealthNumbers;
use super::super::verdict::{Severity, Verdict};
use super::super::words::counted;
use crate::problem;

/// Of one of these things, or many, with the first names.
pub(super) fn of_named(
    (name, severity): (&'static str, Severity),
    named: Option<&Named>,
    [one, many]: [&str; 2],
    advice: &str,
) -> Option<Verdict> {
    let named = named.filter(|named| named.number() > 0)?;
    let left_out = named.number() - named.first().len() as u64;
    let names = problem::list(named.first().iter().map(String::as_str), left_out);
    let what = format!("{}: {names}.", counted(named.number(), one, many));
    Some(Verdict::new(name, severity, what, advice))
}

pub(super) fn refused(numbers: &HealthNumbers) -> Option<Verdict> {
    let refused = numbers.refused_files.as_ref()?;
    let (which, in_force) = match refused.at_start {
        true => ("Files", "what was accepted before the last start"),
        false => ("Changed files", "what was declared before"),
    };
    let what = format!(
        "{which} of --products or --definitions are refused: {}. All of {in_force} stays in force.",
        refused.words.trim_end_matches('.')
    );
    Some(Verdict::new(
        "declarations_refused",
        Severity::Warning,
        what,
        "Mend the file, or put back the one of before: it is read within seconds, and nothing of it is taken up before all is right. \
         `highwater mapping check FILE` says all that is wrong with a declaration, `highwater serve --check` with all of them.",
    ))
}

pub(super) fn undeclared(numbers: &HealthNumbers) -> Option<Verdict> {
    of_named(
        ("metrics_undeclared", Severity::Notice),
        numbers.definitions.as_ref().map(|found| &found.undeclared),
        [
            "metric arrives that no definition says anything about",
            "metrics arrive that no definition says anything about",
        ],
        "They are counted all the same. Give the metrics.yaml that defines them, of the application's newest version or of a library of \
         its, by --definitions, too; one that is defined for other pings needs these in its `send_in_pings`.",
    )
}

pub(super) fn expired(numbers: &HealthNumbers) -> Option<Verdict> {
    of_named(
        ("metrics_expired", Severity::Notice),
        numbers.definitions.as_ref().map(|found| &found.expired),
        [
            "metric arrived within the last week although its definition has expired",
            "metrics arrived within the last week although their definitions have expired",
        ],
        "They are counted all the same. Renew `expires` in metrics.yaml where the metric is still wanted, and take it out of the \
         application where it is not.",
    )
}

pub(super) fn never_seen(numbers: &HealthNumbers) -> Option<Verdict> {
    of_named(
        ("metrics_never_seen", Severity::Notice),
        numbers.definitions.as_ref().map(|found| &found.never_seen),
        [
            "metric is defined and has never arrived",
            "metrics are defined and have never arrived",
        ],
        "Is there a release yet that records them, and is the ping submitted in which they are sent? A metric that nothing records any \
         more can go from metrics.yaml.",
    )
}
