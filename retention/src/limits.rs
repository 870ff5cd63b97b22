//! Limits of deletion, each with its reason.

/// Objects between two transactions of the index: a crash deletes so many again, which is harmless, and indexing waits for
/// one transaction of so many rows.
pub const OBJECTS_AT_ONCE: usize = 200;

/// After so many objects that could not be deleted a run looks at no more: the store refuses them all, perhaps slowly.
pub const FAILURES_MAX: u64 = 2_000;

/// Days that copies are kept beyond the repeat window: the window is not bound to midnight.
pub const COPIES_MARGIN_DAYS: i64 = 1;

/// Days that an age may delete at once, from the oldest day that is there: a process that was away for so long goes on by
/// itself. Further ones wait for a person, for a clock that is ahead looks alike. One day always goes.
pub const DAYS_AT_ONCE: i64 = 7;

/// Several days go at once only when they are no more than this part of what is there, a tenth: an age or a size that was
/// mistyped takes more.
pub const SHARE_AT_ONCE: u64 = 10;

/// Days without anything known of them, after which a clock is not believed: one that is ahead has such a pause before it, as has
/// an installation that was away.
pub const PAUSE_DAYS_MAX: i64 = 7;

/// Days of its own runs that a process remembers: as many as a year has.
pub const RAN_DAYS_MAX: usize = 366;

/// How often a run looks at what is there until no other day comes before a floor is raised.
pub const LOOKS_MAX: usize = 3;
