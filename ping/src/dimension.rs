//! The dimensions that partition chunks, and a partition: their ordered values.

use std::fmt;

/// Stands for a value that the schema does not allow, or that is too long for a key.
pub const OTHER: &str = "OTHER";

/// Stands for a value that is absent or empty.
pub const UNKNOWN: &str = "UNKNOWN";

/// A named property of a submission by which chunks are partitioned. The set and its order are fixed in format v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// UTC day of receipt.
    SubmissionDate,
    /// The namespace, such as `telemetry`.
    SourceName,
    /// The version of the namespace's ping format.
    SourceVersion,
    /// The document type.
    DocType,
    /// The application.
    AppName,
    /// The update channel, as sent.
    AppUpdateChannel,
    /// The application's version, as sent.
    AppVersion,
    /// The application's build id, as sent.
    AppBuildId,
}

impl Dimension {
    /// All dimensions, in the order in which they stand in a chunk's key.
    pub const ALL: [Self; 8] = [
        Self::SubmissionDate,
        Self::SourceName,
        Self::SourceVersion,
        Self::DocType,
        Self::AppName,
        Self::AppUpdateChannel,
        Self::AppVersion,
        Self::AppBuildId,
    ];

    /// The dimension's name in keys, tables and schema files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SubmissionDate => "submission_date",
            Self::SourceName => "source_name",
            Self::SourceVersion => "source_version",
            Self::DocType => "doc_type",
            Self::AppName => "app_name",
            Self::AppUpdateChannel => "app_update_channel",
            Self::AppVersion => "app_version",
            Self::AppBuildId => "app_build_id",
        }
    }

    /// The dimension with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Its place in [`Dimension::ALL`].
    pub const fn position(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The ordered dimension values of a chunk: normalised, so each is an allowed value, `OTHER` or `UNKNOWN`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    values: [String; 8],
}

impl Partition {
    /// The partition with these values, in the order of [`Dimension::ALL`].
    pub const fn new(values: [String; 8]) -> Self {
        Self { values }
    }

    /// The value of one dimension.
    pub fn get(&self, dimension: Dimension) -> &str {
        &self.values[dimension.position()]
    }

    /// Replaces the value of one dimension.
    pub fn set(&mut self, dimension: Dimension, value: impl Into<String>) {
        self.values[dimension.position()] = value.into();
    }

    /// The values with their dimensions, in the order of [`Dimension::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Dimension, &str)> {
        Dimension::ALL
            .into_iter()
            .zip(self.values.iter().map(String::as_str))
    }
}
