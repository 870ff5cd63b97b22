//! The dimensions that are read from a ping of `telemetry/main`, by name, and a ping's values of them while it is taken apart.

use aggregate_store::{Dimension as Name, DimensionSet, Source, USER_DIMENSIONS};
use ping::{SubmissionDate, Timestamp};

/// A dimension that the ping states; the number is its place in a [`StagedSet`].
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

/// A ping's day and values, every dimension in its place: a set is made of it once, where it is met first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StagedSet {
    pub(super) submission_date: SubmissionDate,
    values: [String; Dimension::ALL.len()],
}

impl Default for StagedSet {
    fn default() -> Self {
        Self {
            submission_date: Timestamp::default().submission_date(),
            values: Default::default(),
        }
    }
}

impl StagedSet {
    /// Forgets all values.
    pub(super) fn clear(&mut self, submission_date: SubmissionDate) {
        self.submission_date = submission_date;
        self.values.iter_mut().for_each(String::clear);
    }

    /// The value of a dimension.
    pub(super) const fn value(&mut self, dimension: Dimension) -> &mut String {
        &mut self.values[dimension as usize]
    }

    /// The system's name, and its version.
    pub(super) const fn os(&mut self) -> (&String, &mut String) {
        let [.., os, os_version, _] = &mut self.values;
        (os, os_version)
    }

    /// The set that the store keeps.
    pub(super) fn set(self) -> DimensionSet {
        let values = Dimension::ALL.into_iter().zip(self.values);
        DimensionSet::new(
            Source::telemetry_main(),
            self.submission_date,
            values.map(|(dimension, value)| (Name::named(dimension.name()), value)),
        )
    }
}

/// Under what the users of a set are counted.
pub(super) fn users_of(set: &DimensionSet) -> DimensionSet {
    set.projected(&USER_DIMENSIONS)
}
