//! The dimensions that are read from a ping of `telemetry/main`, by name, so that they can be gone through.

use aggregate_store::Dimension as Name;

/// A dimension that the ping states; the number is its place in a staged set.
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

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Channel => Name::CHANNEL,
            Self::Version => Name::VERSION,
            Self::BuildDate => Name::BUILD_DATE,
            Self::Application => Name::APPLICATION,
            Self::Architecture => Name::ARCHITECTURE,
            Self::Os => Name::OS,
            Self::OsVersion => Name::OS_VERSION,
            Self::E10s => Name::E10S,
        }
    }
}
