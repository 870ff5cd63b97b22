//! The dimensions that are read from a ping, by name, so that they can be gone through.

use aggregate_store::DimensionSet;

/// A dimension of a [`DimensionSet`] that the ping states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Channel,
    Version,
    BuildDate,
    Application,
    Architecture,
    Os,
    OsVersion,
    E10s,
}

impl Dimension {
    pub(super) const ALL: [Self; 8] = [
        Self::Channel,
        Self::Version,
        Self::BuildDate,
        Self::Application,
        Self::Architecture,
        Self::Os,
        Self::OsVersion,
        Self::E10s,
    ];

    /// Its value in a set.
    pub(super) const fn of(self, set: &mut DimensionSet) -> &mut String {
        match self {
            Self::Channel => &mut set.channel,
            Self::Version => &mut set.version,
            Self::BuildDate => &mut set.build_date,
            Self::Application => &mut set.application,
            Self::Architecture => &mut set.architecture,
            Self::Os => &mut set.os,
            Self::OsVersion => &mut set.os_version,
            Self::E10s => &mut set.e10s,
        }
    }
}

/// A set of which only the day is stated, with empty values.
pub(super) fn empty_set(submission_date: ping::SubmissionDate) -> DimensionSet {
    DimensionSet {
        submission_date,
        channel: String::new(),
        version: String::new(),
        build_date: String::new(),
        application: String::new(),
        architecture: String::new(),
        os: String::new(),
        os_version: String::new(),
        e10s: String::new(),
    }
}
