//! The dimensions of a Glean ping, in the order in which the sink is told them.

/// A dimension; its number is its place in [`GleanDimension::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum GleanDimension {
    /// The namespace of the URI.
    Application,
    /// The day of the build, `YYYYMMDD`.
    BuildDate,
    /// The update channel; names are the product's own.
    Channel,
    /// The leading digits of the version.
    Version,
    /// The architecture.
    Architecture,
    /// The operating system.
    Os,
    /// The first two numbers of its version.
    OsVersion,
    /// The locale.
    Locale,
    /// Why the ping was sent.
    PingReason,
    /// The tags of the source: a list.
    SourceTags,
}

impl GleanDimension {
    /// Every dimension, in the order of the numbers.
    pub const ALL: [Self; 10] = [
        Self::Application,
        Self::BuildDate,
        Self::Channel,
        Self::Version,
        Self::Architecture,
        Self::Os,
        Self::OsVersion,
        Self::Locale,
        Self::PingReason,
        Self::SourceTags,
    ];

    /// Its place in the list, by which a sink is told it.
    #[must_use]
    pub const fn place(self) -> u32 {
        self as u32
    }

    /// Its name in questions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::BuildDate => "build_date",
            Self::Channel => "channel",
            Self::Version => "version",
            Self::Architecture => "architecture",
            Self::Os => "os",
            Self::OsVersion => "os_version",
            Self::Locale => "locale",
            Self::PingReason => "ping_reason",
            Self::SourceTags => "source_tags",
        }
    }

    /// Whether a ping may have several values of it.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::SourceTags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_is_known_by_its_place() {
        for (place, dimension) in (0..).zip(GleanDimension::ALL) {
            assert_eq!(dimension.place(), place);
        }
    }
}
