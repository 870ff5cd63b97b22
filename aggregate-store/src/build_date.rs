//! What a ping's build date says, as it is stored. Pure.

use ping::SubmissionDate;

/// A stored build date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuildDate {
    /// The ping stated none.
    Unstated,
    /// Eight digits, `YYYYMMDD`.
    On(u32),
    /// Anything else.
    Odd,
}

impl BuildDate {
    /// Reads a stored text.
    pub(crate) fn of(text: &str) -> Self {
        if text == ping::UNKNOWN {
            return Self::Unstated;
        }
        let is_date = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(date) if is_date => Self::On(date),
            _ => Self::Odd,
        }
    }

    /// Whether it can be the build of a ping that was received on this day: nothing is sent before it is built. A build that
    /// was not stated can be.
    pub(crate) fn is_plausible(self, received: SubmissionDate) -> bool {
        match self {
            Self::Unstated => true,
            Self::On(date) => date <= received.as_yyyymmdd(),
            Self::Odd => false,
        }
    }
}

/// What the builds of the cells of one sum say.
#[derive(Debug, Default)]
pub(crate) struct Builds {
    plausible: i64,
    newest: Option<u32>,
}

impl Builds {
    /// Notes a cell of `count` pings of this build, received on this day.
    pub(crate) fn note(&mut self, build: BuildDate, received: SubmissionDate, count: i64) {
        if !build.is_plausible(received) {
            return;
        }
        self.plausible = self.plausible.wrapping_add(count);
        if let BuildDate::On(date) = build {
            self.newest = self.newest.max(Some(date));
        }
    }

    /// Pings of plausible builds.
    pub(crate) const fn plausible(&self) -> i64 {
        self.plausible
    }

    /// The newest plausible build date that was stated, else [`ping::UNKNOWN`].
    pub(crate) fn newest(&self) -> String {
        self.newest
            .map_or_else(|| ping::UNKNOWN.to_owned(), |date| format!("{date:08}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_after_the_day_it_was_received_on_is_not_plausible() {
        let day: SubmissionDate = "20170102".parse().expect("a day");
        for (text, plausible) in [
            ("20170102", true),
            ("20170103", false),
            ("20991231", false),
            ("00000000", true),
            (ping::UNKNOWN, true),
            ("2017010", false),
            ("abcdefgh", false),
            ("", false),
        ] {
            assert_eq!(BuildDate::of(text).is_plausible(day), plausible, "{text}");
        }
    }
}
