//! How far a floor may be raised at once. No clock is trusted alone: what goes is compared with the data that is there, and
//! what is more than a day or two of it waits for a person. Pure: the day and the sizes are told.
//!
//! What this holds against: a clock that is ahead once, or was behind when pings came; a size or an age that was mistyped. What
//! it does not: a clock that is ahead by less than [`PAUSE_DAYS_MAX`](crate::limits::PAUSE_DAYS_MAX) deletes so much earlier, a
//! day at once or a small part.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use index_schema::ChunkKind;
use ping::SubmissionDate;
use service::quantity::{Age, ByteSize};

use crate::RetentionRule;
use crate::limits::{DAYS_AT_ONCE, SHARE_AT_ONCE};
use crate::today::{Today, days_between};

const DAY: u64 = 86_400;

/// A day, and what is kept of it in bytes.
pub(crate) type Day = (SubmissionDate, u64);

/// Whether a person said that everything may go that the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody did: what is too much at once waits.
    Bounded,
    /// Somebody did.
    Given,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Chunks of pings.
    Pings,
    /// Chunks of errored pings.
    Errors,
    /// Cells and user sketches.
    Aggregates,
    /// Copies of pings, by which repeats are known.
    Copies,
}

impl From<ChunkKind> for Kind {
    fn from(kind: ChunkKind) -> Self {
        match kind {
            ChunkKind::Pings => Self::Pings,
            ChunkKind::Errors => Self::Errors,
        }
    }
}

/// A deletion that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of what.
    pub of: Kind,
    /// Of which source, if not of all.
    pub source: Option<String>,
    /// The rule that says so.
    pub keep: RetentionRule,
    /// The day by this machine's clock.
    pub today: SubmissionDate,
    /// From which day on is kept then.
    pub floor: SubmissionDate,
    /// The oldest day that is there.
    pub oldest: SubmissionDate,
    /// The newest one.
    pub newest: SubmissionDate,
    /// Days that go.
    pub days: u64,
    /// Bytes that go.
    pub bytes: u64,
    /// Bytes that are there.
    pub of_bytes: u64,
}

/// What a rule says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The first day that is kept; `None` when nothing has to go, or may.
    pub(crate) floor: Option<SubmissionDate>,
    /// What waits.
    pub(crate) held: Option<Held>,
    /// The days that were there.
    pub(crate) seen: BTreeSet<SubmissionDate>,
}

impl Step {
    /// What a rule says of what is there, the oldest day first, of which nothing lies below the floor as it stands.
    pub(crate) fn of(
        (of, keep): (Kind, &RetentionRule),
        days: &[Day],
        today: &Today,
        consent: Consent,
    ) -> Self {
        let (Some((oldest, _)), Some((newest, _))) = (days.first(), days.last()) else {
            // A floor that nothing lies below keeps nothing away that was deleted, only what is to come.
            return Self::default();
        };
        let of_bytes = sum(days);
        let held = |floor: SubmissionDate| {
            let gone = below(days, floor);
            Held {
                of,
                source: None,
                keep: *keep,
                today: today.day,
                floor,
                oldest: *oldest,
                newest: *newest,
                days: gone.len() as u64,
                bytes: sum(gone),
                of_bytes,
            }
        };
        let by_age = floor_by_age(keep, today.day)
            .filter(|floor| floor > oldest)
            .map(|floor| {
                let (goes, kept) = (days_between(*oldest, floor), days_between(floor, today.day));
                let is_little =
                    goes <= 1 || goes <= DAYS_AT_ONCE && is_small(sum(below(days, floor)), of_bytes);
                let may = is_little && today.is_vouched_for(kept, days.iter().map(|(day, _)| *day));
                // Whatever this clock says, pings of later days than the newest stay above the floor.
                (floor.min(newest.plus_days(1)), may)
            });
        let by_size = floor_by_size(keep, days, today.day).map(|floor| {
            let gone = below(days, floor);
            (floor, gone.len() <= 1 || is_small(sum(gone), of_bytes))
        });
        let mut step = Self {
            seen: days.iter().map(|(day, _)| *day).collect(),
            ..Self::default()
        };
        for (floor, may) in [by_age, by_size].into_iter().flatten() {
            if may || consent == Consent::Given {
                step.floor = step.floor.max(Some(floor));
            } else {
                let before = step.held.as_ref().map(|held| held.floor);
                if before.is_none_or(|before| before < floor) {
                    step.held = Some(held(floor));
                }
            }
        }
        step.held = step.held.take().filter(|held| step.floor < Some(held.floor));
        step
    }
}

/// What is older goes.
fn floor_by_age(keep: &RetentionRule, today: SubmissionDate) -> Option<SubmissionDate> {
    Some(today.plus_days(-days_of(keep)?))
}

/// The day on which a rule by age says this floor.
pub(crate) fn by_which(floor: SubmissionDate, keep: &RetentionRule) -> Option<SubmissionDate> {
    Some(floor.plus_days(days_of(keep)?))
}

/// Days of its age.
fn days_of(keep: &RetentionRule) -> Option<i64> {
    Some(i64::try_from(keep.age?.as_secs() / DAY).unwrap_or(i64::MAX / 2))
}

/// The oldest days go until the rest fits, but never today, nor the newest day that is there, nor what lies after either.
fn floor_by_size(keep: &RetentionRule, days: &[Day], today: SubmissionDate) -> Option<SubmissionDate> {
    let bytes = keep.bytes?;
    let stays = days.last().map_or(today, |(newest, _)| today.min(*newest));
    let mut left = sum(days);
    let mut floor = None;
    for (day, taken) in days {
        if left <= bytes || *day >= stays {
            break;
        }
        left -= taken;
        floor = Some(day.plus_days(1));
    }
    floor
}

/// The days below a floor.
fn below(days: &[Day], floor: SubmissionDate) -> &[Day] {
    &days[..days.partition_point(|(day, _)| *day < floor)]
}

fn sum(days: &[Day]) -> u64 {
    days.iter().map(|(_, bytes)| bytes).sum()
}

const fn is_small(part: u64, whole: u64) -> bool {
    part <= whole / SHARE_AT_ONCE
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pings => "pings",
            Self::Errors => "errored pings",
            Self::Aggregates => "aggregates",
            Self::Copies => "copies of pings",
        })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            of,
            source,
            keep,
            today,
            floor,
            oldest,
            newest,
            days,
            bytes,
            of_bytes,
        } = self;
        let share = u128::from(*bytes) * 100 / u128::from((*of_bytes).max(1));
        let source = source.as_ref().map(|source| format!(" of {source}"));
        write!(
            f,
            "{of}{} of {days} {} before {floor} ({share} % of what is there, which is of {oldest} to {newest}) by `{keep}`, \
             when today is {today}",
            source.unwrap_or_default(),
            if *days == 1 { "day" } else { "days" },
        )
    }
}

/// What a size or an age of a rule says in words, for who checks settings.
pub fn in_words(keep: &RetentionRule, today: SubmissionDate) -> String {
    let age = floor_by_age(keep, today).map(|floor| {
        let RetentionRule { age, .. } = keep;
        format!(
            "for {}: what was received before {floor} goes",
            Age(age.unwrap_or(Duration::ZERO))
        )
    });
    let size = keep.bytes.map(|bytes| {
        format!(
            "up to {}: the oldest days go while there is more",
            ByteSize(bytes)
        )
    });
    match (age, size) {
        (None, None) => "for ever".to_owned(),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(age), Some(size)) => format!("{age}; {size}"),
    }
}

#[cfg(test)]
mod tests;
