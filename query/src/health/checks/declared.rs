//! What is told of products whose pings are otherwise than they are declared. Nothing of it keeps a ping from being counted.

use super::super::defined::Named;
use super::super::numbers::HealthNumbers;
use super::super::verdict::{Severity, Verdict};
use super::super::words::counted;
use crate::problem;

fn verdict(
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

pub(super) fn crowded(numbers: &HealthNumbers) -> Option<Verdict> {
    verdict(
        ("dimensions_crowded", Severity::Warning),
        numbers.declarations.as_ref().map(|found| &found.crowded),
        [
            "declared dimension has more than 1,000 values",
            "declared dimensions have more than 1,000 values",
        ],
        "Every value is stored apart, with all that is counted of it, and answers get slow. In the declaration, name those that matter in \
         `values` (all others are OTHER then), take a coarser `as`, or leave the dimension out; its source is folded anew at the next \
         start.",
    )
}

pub(super) fn never_seen(numbers: &HealthNumbers) -> Option<Verdict> {
    verdict(
        ("declared_never_seen", Severity::Notice),
        numbers.declarations.as_ref().map(|found| &found.never_seen),
        [
            "declared metric has never arrived, though pings of its source do",
            "declared metrics have never arrived, though pings of their sources do",
        ],
        "Does a release send them yet, and at this path? `highwater mapping check` shows what a ping becomes, and why a value is left \
         out. What nothing sends any more can go from the declaration.",
    )
}
