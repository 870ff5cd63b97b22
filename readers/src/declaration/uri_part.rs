//! A part of a submission's URI that a dimension may be: what telemetry's have behind the document type.

use ping::Submission;

/// A part of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UriPart {
    /// The application's name.
    Application,
    /// Its version.
    Version,
    /// Its update channel.
    Channel,
    /// The id of its build.
    BuildId,
}

impl UriPart {
    /// Every part with its word.
    pub const ALL: [(&'static str, Self); 4] = [
        ("application", Self::Application),
        ("version", Self::Version),
        ("channel", Self::Channel),
        ("build_id", Self::BuildId),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let named = Self::ALL.into_iter().find(|(_, known)| *known == self);
        named.map_or("", |(word, _)| word)
    }

    /// What it is in a submission.
    #[must_use]
    pub fn of(self, submission: &Submission) -> Option<&str> {
        let part = match self {
            Self::Application => &submission.app_name,
            Self::Version => &submission.app_version,
            Self::Channel => &submission.app_update_channel,
            Self::BuildId => &submission.app_build_id,
        };
        part.as_deref()
    }
}
