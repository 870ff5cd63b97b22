//! Under what a cell and a user sketch are kept. Not here: how a ping's fields become these values (the fold's part).

use ping::SubmissionDate;
use sketch::Layout;

/// What a cell is kept under beside its metric: both clocks, and every dimension that a question can filter by.
///
/// Values are as the ping stated them; one it did not state is [`ping::UNKNOWN`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DimensionSet {
    /// The UTC day on which the ping was received.
    pub submission_date: SubmissionDate,
    /// The update channel, such as `nightly`.
    pub channel: String,
    /// The major version, such as `41`.
    pub version: String,
    /// The first eight characters of the build id, `YYYYMMDD`, or [`ping::UNKNOWN`].
    pub build_date: String,
    /// The application, such as `Firefox`.
    pub application: String,
    /// The architecture, such as `x86-64`.
    pub architecture: String,
    /// The operating system's name, such as `Windows_NT`.
    pub os: String,
    /// The operating system's version, such as `6.1` or `5.15`.
    pub os_version: String,
    /// Whether the application ran in several processes: `true`, `false` or [`ping::UNKNOWN`].
    pub e10s: String,
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

impl DimensionSet {
    /// The operating system's version as the original counted it.
    #[must_use]
    pub fn original_os_version(&self) -> &str {
        original_os_version(&self.os, &self.os_version)
    }

    /// Its date by one of the clocks: `YYYYMMDD`, or [`ping::UNKNOWN`] for a build date that was not stated.
    #[must_use]
    pub fn date(&self, clock: DateClock) -> String {
        match clock {
            DateClock::BuildDate => self.build_date.clone(),
            DateClock::SubmissionDate => self.submission_date.to_string(),
        }
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

/// What a user sketch is kept under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserKey {
    /// The UTC day on which the pings were received.
    pub submission_date: SubmissionDate,
    /// The application.
    pub application: String,
    /// The update channel.
    pub channel: String,
    /// The major version.
    pub version: String,
    /// The operating system's name.
    pub os: String,
}

impl UserKey {
    /// Its value of one dimension.
    #[must_use]
    pub fn value(&self, dimension: UserDimension) -> &str {
        match dimension {
            UserDimension::Application => &self.application,
            UserDimension::Channel => &self.channel,
            UserDimension::Version => &self.version,
            UserDimension::Os => &self.os,
        }
    }
}

/// A dimension by which users can be grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserDimension {
    /// The application.
    Application,
    /// The update channel.
    Channel,
    /// The major version.
    Version,
    /// The operating system's name.
    Os,
}
