//! What is told of products whose pings are otherwise than they are declared. Nothing of it keeps a ping from being counted.

use super::super::numbers::HealthNumbers;
use super::super::verdict::{Severity, Verdict};
use super::defined::of_named;

pub(super) fn crowded(numbers: &HealthNumbers) -> Option<Verdict> {
    of_named(
        ("dimensions_crowded", Severity::Warning),
        numbers.declarations.as_ref().map(|found| &found.crowded),
        [
            "declared dimension has more than 1,000 values",
            "declared dimensions have more than 1,000 values",
        ],
        "Every value is stored apart, with all that is counted of it, and answers get slow. In the declaration, name those that matter in \
         `values` (all others are OTHER then), take a coarser `as`, or leave the dimension out; the changed file is taken up, and its source \
         folded anew.",
    )
}

pub(super) fn never_seen(numbers: &HealthNumbers) -> Option<Verdict> {
    of_named(
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
