//! Under what a cell and a user sketch are kept: a source, a day, and a list of values by dimension. Not here: how a ping's
//! fields become these values (the fold's part).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use ping::{SubmissionDate, UNKNOWN};
use sketch::Layout;

use crate::Source;

/// The name of a dimension, such as `channel`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dimension(Arc<str>);

impl Dimension {
    /// The UTC day on which the ping was received. Every source has it; it stands beside the list of a set.
    pub const SUBMISSION_DATE: &str = "submission_date";
    /// The update channel, such as `nightly`.
    pub const CHANNEL: &str = "channel";
    /// The major version, such as `41`.
    pub const VERSION: &str = "version";
    /// The day on which the application was built, `YYYYMMDD`.
    pub const BUILD_DATE: &str = "build_date";
    /// The application, such as `Firefox`.
    pub const APPLICATION: &str = "application";
    /// The architecture, such as `x86-64`.
    pub const ARCHITECTURE: &str = "architecture";
    /// The operating system's name, such as `Windows_NT`.
    pub const OS: &str = "os";
    /// The operating system's version, such as `6.1` or `5.15`.
    pub const OS_VERSION: &str = "os_version";
    /// Whether the application ran in several processes: `true` or `false`.
    pub const E10S: &str = "e10s";

    /// The dimension of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The dimensions of `telemetry/main`, in the order of the dump. What has some of these names elsewhere means the same.
pub const STANDARD_DIMENSIONS: [&str; 8] = [
    Dimension::CHANNEL,
    Dimension::VERSION,
    Dimension::BUILD_DATE,
    Dimension::APPLICATION,
    Dimension::ARCHITECTURE,
    Dimension::OS,
    Dimension::OS_VERSION,
    Dimension::E10S,
];

/// The dimensions under which users are kept.
pub const USER_DIMENSIONS: [&str; 4] = [
    Dimension::APPLICATION,
    Dimension::CHANNEL,
    Dimension::VERSION,
    Dimension::OS,
];

/// What a cell is kept under beside its metric, process, label and layout; and a user sketch.
///
/// Values are as the ping stated them; what it did not state ([`UNKNOWN`]) is left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DimensionSet {
    source: Source,
    submission_date: SubmissionDate,
    /// Ascending by name, none twice, none [`UNKNOWN`].
    values: Vec<(Dimension, String)>,
}

impl DimensionSet {
    /// The set of these values, in any order; of two for one dimension the first counts.
    #[must_use]
    pub fn new(
        source: Source,
        submission_date: SubmissionDate,
        values: impl IntoIterator<Item = (Dimension, String)>,
    ) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        // Stable: of two for one dimension the first stays the first.
        values.sort_by(|a, b| a.0.cmp(&b.0));
        values.dedup_by(|later, first| later.0 == first.0);
        values.retain(|(_, value)| value != UNKNOWN);
        Self {
            source,
            submission_date,
            values,
        }
    }

    /// The same by the names of dimensions.
    #[must_use]
    pub fn stating(source: Source, submission_date: SubmissionDate, values: &[(&str, &str)]) -> Self {
        let values = values.iter();
        Self::new(
            source,
            submission_date,
            values.map(|(name, value)| (Dimension::named(name), (*value).to_owned())),
        )
    }

    /// The same with another value of a dimension.
    #[must_use]
    pub fn with(self, dimension: &str, value: &str) -> Self {
        let changed = [(Dimension::named(dimension), value.to_owned())];
        Self::new(
            self.source,
            self.submission_date,
            changed.into_iter().chain(self.values),
        )
    }

    /// The same in another epoch of its source.
    #[must_use]
    pub fn in_epoch(mut self, epoch: u32) -> Self {
        self.source = self.source.in_epoch(epoch);
        self
    }

    /// Where its pings come from.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The UTC day on which its pings were received.
    #[must_use]
    pub const fn submission_date(&self) -> SubmissionDate {
        self.submission_date
    }

    /// What the pings stated, ascending by name.
    #[must_use]
    pub fn values(&self) -> &[(Dimension, String)] {
        &self.values
    }

    /// The value of a dimension as text; [`UNKNOWN`] where the pings stated none. The day is no part of it.
    #[must_use]
    pub fn value(&self, dimension: &str) -> &str {
        self.values
            .iter()
            .find(|(name, _)| name.as_str() == dimension)
            .map_or(UNKNOWN, |(_, value)| value)
    }

    /// The value of any dimension, the day among them.
    #[must_use]
    pub fn any_value(&self, dimension: &str) -> String {
        match dimension {
            Dimension::SUBMISSION_DATE => self.submission_date.to_string(),
            _ => self.value(dimension).to_owned(),
        }
    }

    /// What is listed of it beside channel and version: dimension, value, detail. A version of an operating system is a detail
    /// of its name; of `telemetry/main` what was not stated is listed, too.
    pub(crate) fn listed(&self) -> Vec<(&str, &str, Option<&str>)> {
        let apart = [
            Dimension::CHANNEL,
            Dimension::VERSION,
            Dimension::OS,
            Dimension::OS_VERSION,
        ];
        let is_main = self.source.as_str() == Source::TELEMETRY_MAIN;
        let states = |name: &str| self.values.iter().any(|(stated, _)| stated.as_str() == name);
        let plain = self
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str(), None));
        let mut listed: Vec<_> = plain.filter(|(name, ..)| !apart.contains(name)).collect();
        if is_main || states(Dimension::OS) || states(Dimension::OS_VERSION) {
            let version = self.value(Dimension::OS_VERSION);
            listed.push((Dimension::OS, self.value(Dimension::OS), Some(version)));
        }
        let unstated = STANDARD_DIMENSIONS
            .into_iter()
            .filter(|name| is_main && !apart.contains(name) && !states(name));
        listed.extend(unstated.map(|name| (name, UNKNOWN, None)));
        listed
    }

    /// The same, of these dimensions alone.
    #[must_use]
    pub fn projected(&self, dimensions: &[&str]) -> Self {
        let values = self.values.iter();
        let kept = values.filter(|(name, _)| dimensions.contains(&name.as_str()));
        Self {
            source: self.source.clone(),
            submission_date: self.submission_date,
            values: kept.cloned().collect(),
        }
    }

    /// By what users are ordered in a dump: source, day, their dimensions in the order of [`USER_DIMENSIONS`], then all.
    pub(crate) fn users_order(&self, other: &Self) -> Ordering {
        let days = (&self.source, self.submission_date).cmp(&(&other.source, other.submission_date));
        let values = |set: &Self| USER_DIMENSIONS.map(|name| set.value(name).to_owned());
        days.then_with(|| values(self).cmp(&values(other)))
            .then_with(|| self.cmp(other))
    }

    /// The operating system's version as the original counted it.
    #[must_use]
    pub fn original_os_version(&self) -> &str {
        original_os_version(self.value(Dimension::OS), self.value(Dimension::OS_VERSION))
    }
}

/// By source and day, then by the standard dimensions in their order, then by all others by name.
impl Ord for DimensionSet {
    fn cmp(&self, other: &Self) -> Ordering {
        let standard = || {
            let mut values = STANDARD_DIMENSIONS.into_iter();
            values
                .find_map(|name| Some(self.value(name).cmp(other.value(name))).filter(|found| found.is_ne()))
        };
        self.source
            .cmp(&other.source)
            .then(self.submission_date.cmp(&other.submission_date))
            .then_with(|| standard().unwrap_or(Ordering::Equal))
            .then_with(|| self.values.cmp(&other.values))
    }
}

impl PartialOrd for DimensionSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The system of whose versions the original counted the beginning.
pub(crate) const LINUX: &str = "Linux";

/// How many characters that beginning has.
pub(crate) const LINUX_VERSION_CHARS: usize = 3;

/// A version of an operating system as the original counted it: of Linux its first three characters, so that 5.15 is 5.1.
#[must_use]
pub fn original_os_version<'a>(os: &str, os_version: &'a str) -> &'a str {
    let end = os_version.char_indices().nth(LINUX_VERSION_CHARS);
    match end {
        Some((end, _)) if os == LINUX => &os_version[..end],
        _ => os_version,
    }
}

/// The full name of a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The metric, such as `GC_MS` or `[[COUNT]]_PROCESS_CRASHES`.
    pub metric: String,
    /// The dimensions.
    pub dimensions: DimensionSet,
    /// The process, such as `parent` or `content`.
    pub process: String,
    /// The key of a keyed metric, else empty.
    pub label: String,
    /// The bins' layout: two layouts of one metric are two cells.
    pub layout: Layout,
}

/// By which date a question counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateClock {
    /// By the day on which the application was built.
    BuildDate,
    /// By the day on which the ping was received.
    SubmissionDate,
}

impl DateClock {
    /// The dimension that is this date.
    #[must_use]
    pub const fn dimension(self) -> &'static str {
        match self {
            Self::BuildDate => Dimension::BUILD_DATE,
            Self::SubmissionDate => Dimension::SUBMISSION_DATE,
        }
    }
}
