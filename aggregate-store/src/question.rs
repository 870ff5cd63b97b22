//! Questions that the store answers, and the answers. Not here: what the HTTP API makes of them.

use std::collections::{BTreeMap, BTreeSet};

use ping::{SubmissionDate, Timestamp, UNKNOWN};
use sketch::{Cell, Layout, UserSketch};

use crate::{Dimension, DimensionSet, Source};

/// What stands between the items of a list that is a dimension's value: no item has it.
pub const LIST_SEPARATOR: &str = ",";

/// Asks for one metric's cells, summed over every dimension that is not grouped by, and over processes unless these are
/// kept apart; label and layout stay apart always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellQuery {
    /// Where the pings came from.
    pub source: Source,
    /// The metric as it is stored.
    pub metric: String,
    /// What must hold of the dimension sets: all of these.
    pub filters: Vec<Filter>,
    /// The label; that of a plain metric is empty. `None` asks for all.
    pub label: Option<String>,
    /// The processes: one of these. `None` asks for all.
    pub processes: Option<Vec<String>>,
    /// The dimensions whose values have rows of their own, the day of submission among them.
    pub group_by: Vec<Dimension>,
    /// Whether each process has rows of its own, too.
    pub by_process: bool,
}

/// What must hold of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Which one; the day of submission, too.
    pub dimension: Dimension,
    /// Its values that are asked for.
    pub wanted: Wanted,
}

/// Values of a dimension that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Any of these; [`ping::UNKNOWN`] asks for what was not stated.
    AnyOf(Vec<String>),
    /// From one text to another, both included and compared by bytes; an end that is `None` is open. What was not stated lies in no
    /// such range.
    Between {
        /// The first.
        from: Option<String>,
        /// The last.
        to: Option<String>,
    },
    /// Lists, kept as texts with [`LIST_SEPARATOR`] between their items, that have any of these items; [`ping::UNKNOWN`] asks for what
    /// was not stated.
    AnyItemOf(Vec<String>),
    /// A version of an operating system as the original counted it: [`DimensionSet::original_os_version`].
    OriginalOsVersion(String),
}

impl Filter {
    /// One value.
    #[must_use]
    pub fn is(dimension: &str, value: &str) -> Self {
        Self::any_of(dimension, vec![value.to_owned()])
    }

    /// Any of these values.
    #[must_use]
    pub fn any_of(dimension: &str, values: Vec<String>) -> Self {
        Self {
            dimension: Dimension::named(dimension),
            wanted: Wanted::AnyOf(values),
        }
    }

    /// The lists that have any of these items; see [`Wanted::AnyItemOf`].
    #[must_use]
    pub fn any_item_of(dimension: &str, items: Vec<String>) -> Self {
        Self {
            dimension: Dimension::named(dimension),
            wanted: Wanted::AnyItemOf(items),
        }
    }

    /// The values from one to another; see [`Wanted::Between`].
    #[must_use]
    pub fn between(dimension: &str, from: Option<String>, to: Option<String>) -> Self {
        Self {
            dimension: Dimension::named(dimension),
            wanted: Wanted::Between { from, to },
        }
    }

    /// A version of an operating system as the original counted it.
    #[must_use]
    pub fn original_os_version(version: &str) -> Self {
        Self {
            dimension: Dimension::named(Dimension::OS_VERSION),
            wanted: Wanted::OriginalOsVersion(version.to_owned()),
        }
    }

    /// Whether it holds of a set.
    #[must_use]
    pub fn holds(&self, set: &DimensionSet) -> bool {
        match &self.wanted {
            Wanted::AnyOf(values) => {
                let value = set.any_value(self.dimension.as_str());
                values.contains(&value)
            }
            Wanted::Between { from, to } => {
                let value = set.any_value(self.dimension.as_str());
                value != UNKNOWN
                    && from.as_ref().is_none_or(|from| *from <= value)
                    && to.as_ref().is_none_or(|to| value <= *to)
            }
            Wanted::AnyItemOf(items) => {
                let list = set.any_value(self.dimension.as_str());
                list.split(LIST_SEPARATOR)
                    .any(|item| items.iter().any(|wanted| wanted == item))
            }
            Wanted::OriginalOsVersion(version) => set.original_os_version() == version,
        }
    }
}

/// The sums that a question asks for, and how far what is counted reaches, both of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// Ascending by group, label and layout.
    pub rows: Vec<SeriesRow>,
    /// When the newest ping was received that is counted, of whatever source.
    pub newest_received: Option<Timestamp>,
}

/// The sum of the cells of one group, label and layout. It is never a zero cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRow {
    /// The values of the dimensions grouped by, in their order; then the process, where these are kept apart.
    pub group: Vec<String>,
    /// The label.
    pub label: String,
    /// The bins' layout.
    pub layout: Layout,
    /// Pings of builds that are plausible: not dated after the day on which the ping was received. A ping that states no
    /// build is among them, one whose build is no date is not.
    pub plausible: i64,
    /// The newest plausible build date among the cells; [`ping::UNKNOWN`] when none stated one.
    pub newest_build: String,
    /// The sum.
    pub cell: Cell,
}

/// A version and a date that have data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionDate {
    /// The major version.
    pub version: String,
    /// The date by the clock that was asked for.
    pub date: String,
}

/// A list that may be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is listed.
    pub values: Vec<T>,
    /// How many more there are.
    pub left_out: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            left_out: 0,
        }
    }
}

/// What of the cells that match is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOf {
    /// Their values of this dimension, the day of submission among them.
    Dimension(Dimension),
    /// Their processes.
    Process,
}

/// Which values have data in one channel and version. Each list is ascending by bytes, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOptions {
    /// Metrics as they are stored.
    pub metrics: Vec<String>,
    /// Processes.
    pub processes: Vec<String>,
    /// Operating systems: name and version.
    pub os: Vec<(String, String)>,
    /// All other dimensions by name, less channel, version and dates; one without any data is absent.
    pub others: BTreeMap<String, Vec<String>>,
    /// How many values of all lists together are left out.
    pub left_out: u64,
}

impl FilterOptions {
    /// Whether nothing has data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.os.is_empty() && self.others.is_empty()
    }

    /// The values of one of the other dimensions.
    #[must_use]
    pub fn of(&self, dimension: &str) -> &[String] {
        self.others.get(dimension).map_or(&[], Vec::as_slice)
    }
}

/// Asks for the users of each day from `from` to `to`, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserQuery {
    /// Where their pings came from.
    pub source: Source,
    /// The first day.
    pub from: SubmissionDate,
    /// The last day.
    pub to: SubmissionDate,
    /// What else must hold, of [`USER_DIMENSIONS`](crate::USER_DIMENSIONS).
    pub filters: Vec<Filter>,
    /// The dimension whose values have answers of their own; `None` unites all in the group with the empty name.
    pub group_by: Option<Dimension>,
    /// The groups that have answers of their own, all others being united in one ([`UserDay::is_rest`]); `None` is all.
    pub own_groups: Option<BTreeSet<String>>,
}

impl UserQuery {
    /// The group by which users with this value of the dimension are answered, and whether it is that of all others.
    pub(crate) fn group_of<'a>(&self, value: &'a str) -> (bool, &'a str) {
        match &self.own_groups {
            Some(own) if !own.contains(value) => (true, ""),
            _ => (false, value),
        }
    }

    /// The group of the users of a set, before own groups are looked at.
    pub(crate) fn value_of<'a>(&self, set: &'a DimensionSet) -> &'a str {
        self.group_by
            .as_ref()
            .map_or("", |dimension| set.value(dimension.as_str()))
    }

    /// Whether the users of this set are asked for.
    pub(crate) fn holds(&self, set: &DimensionSet) -> bool {
        *set.source() == self.source
            && (self.from..=self.to).contains(&set.submission_date())
            && self.filters.iter().all(|filter| filter.holds(set))
    }
}

/// The users of one day and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDay {
    /// The day.
    pub date: SubmissionDate,
    /// The value of the dimension grouped by, else empty.
    pub group: String,
    /// Whether these are the users of all groups that have no answers of their own; `group` is empty then.
    pub is_rest: bool,
    /// The users.
    pub users: UserSketch,
}
