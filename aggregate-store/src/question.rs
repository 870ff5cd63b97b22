//! Questions that the store answers, and the answers. Not here: what the HTTP API makes of them.

use std::collections::BTreeSet;

use ping::SubmissionDate;
use sketch::{Cell, Layout, UserSketch};

#[cfg(doc)]
use crate::DimensionSet;
use crate::{DateClock, UserDimension};

/// Asks for one metric's cells, summed over everything but version, date, label and layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellQuery {
    /// Which date a row bears, and what `dates` means.
    pub clock: DateClock,
    /// The channel.
    pub channel: String,
    /// The major version; `None` asks for all, each in rows of its own.
    pub version: Option<String>,
    /// The dates as they are stored (`YYYYMMDD` or [`ping::UNKNOWN`]); `None` asks for all.
    pub dates: Option<Vec<String>>,
    /// The metric as it is stored.
    pub metric: String,
    /// What else must hold.
    pub filters: Filters,
}

/// What else must hold of the cells that are summed; `None` asks for all values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The application.
    pub application: Option<String>,
    /// The architecture.
    pub architecture: Option<String>,
    /// The operating system's name.
    pub os: Option<String>,
    /// The operating system's version.
    pub os_version: Option<String>,
    /// The operating system's version as the original counted it: [`DimensionSet::original_os_version`].
    pub original_os_version: Option<String>,
    /// Whether the application ran in several processes.
    pub e10s: Option<String>,
    /// The label; that of a plain metric is empty.
    pub label: Option<String>,
    /// The processes: one of these.
    pub processes: Option<Vec<String>>,
}

/// The sum of the cells of one version, date, label and layout. It is never a zero cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRow {
    /// The major version.
    pub version: String,
    /// The date by the clock that was asked for.
    pub date: String,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueOf {
    /// Their dates, by the question's clock.
    Date,
    /// Their processes.
    Process,
}

/// Which values have data in one channel and version. Each list is ascending by bytes, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterOptions {
    /// Metrics as they are stored.
    pub metrics: Vec<String>,
    /// Applications.
    pub applications: Vec<String>,
    /// Architectures.
    pub architectures: Vec<String>,
    /// Operating systems: name and version.
    pub os: Vec<(String, String)>,
    /// Processes.
    pub processes: Vec<String>,
    /// Whether the application ran in several processes.
    pub e10s: Vec<String>,
    /// How many values of all lists together are left out.
    pub left_out: u64,
}

/// Asks for the users of each day from `from` to `to`, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserQuery {
    /// The first day.
    pub from: SubmissionDate,
    /// The last day.
    pub to: SubmissionDate,
    /// What else must hold.
    pub filters: UserFilters,
    /// The dimension whose values have answers of their own; `None` unites all in the group with the empty name.
    pub group_by: Option<UserDimension>,
    /// The groups that have answers of their own, all others being united in one ([`UserDay::is_rest`]); `None` is all.
    pub own_groups: Option<BTreeSet<String>>,
}

impl UserQuery {
    /// The group by which users with this value of the dimension are answered, and whether it is that of all others.
    pub(crate) fn group_of<T: AsRef<str> + Default>(&self, value: T) -> (bool, T) {
        match &self.own_groups {
            Some(own) if !own.contains(value.as_ref()) => (true, T::default()),
            _ => (false, value),
        }
    }
}

/// What must hold of the sketches that are united; `None` asks for all values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilters {
    /// The application.
    pub application: Option<String>,
    /// The update channel.
    pub channel: Option<String>,
    /// The major version.
    pub version: Option<String>,
    /// The operating system's name.
    pub os: Option<String>,
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
