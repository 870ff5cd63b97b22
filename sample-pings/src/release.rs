//! Channels, and the builds that came out on them: one a day for twenty days.

use ping::SubmissionDate;

/// Builds of one channel; build 0 is the oldest.
pub const BUILDS: usize = 20;

/// A release channel and its train of versions.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) name: &'static str,
    /// Clients out of all weights' sum.
    pub(crate) weight: u64,
    /// The share of clients whose pages run in processes of their own.
    pub(crate) e10s: f64,
    /// (first build, version), ascending.
    versions: &'static [(usize, &'static str)],
    /// When its builds start, as HHMMSS.
    time: &'static str,
    /// The build at which the regression lands, and the one with its fix. Nightly sees both first.
    pub(crate) regression: (usize, usize),
    /// Its pings have the old shape: alphabetical order, children in `childPayloads`.
    pub(crate) old_shape: bool,
}

/// One build of one channel.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) number: usize,
    pub(crate) id: String,
    pub(crate) version: &'static str,
    /// The day of the build.
    pub(crate) date: SubmissionDate,
}

impl Channel {
    /// Build `number` of this channel, when the newest one is of `newest`.
    pub(crate) fn build(&self, number: usize, newest: SubmissionDate) -> Build {
        let date = newest.plus_days(number as i64 - (BUILDS as i64 - 1));
        let version = self.versions.iter().rfind(|(first, _)| *first <= number);
        Build {
            number,
            id: format!("{date}{}", self.time),
            version: version.map_or(self.versions[0].1, |(_, version)| version),
            date,
        }
    }

    /// Does the regression slow this build down?
    pub(crate) fn is_slow(&self, build: usize) -> bool {
        (self.regression.0..self.regression.1).contains(&build)
    }
}

/// Every channel.
pub(crate) const CHANNELS: &[Channel] = &[
    Channel {
        name: "nightly",
        weight: 49,
        e10s: 0.97,
        versions: &[(0, "55.0a1"), (12, "56.0a1")],
        time: "030204",
        regression: (6, 12),
        old_shape: false,
    },
    Channel {
        name: "aurora",
        weight: 7,
        e10s: 0.93,
        versions: &[(0, "54.0a2"), (12, "55.0a2")],
        time: "004016",
        regression: (9, 14),
        old_shape: false,
    },
    Channel {
        name: "beta",
        weight: 31,
        e10s: 0.88,
        versions: &[(0, "54.0")],
        time: "184329",
        regression: (11, 16),
        old_shape: false,
    },
    Channel {
        name: "release",
        weight: 10,
        e10s: 0.8,
        versions: &[(0, "53.0"), (7, "53.0.2"), (15, "53.0.3")],
        time: "120817",
        regression: (14, 18),
        old_shape: false,
    },
    Channel {
        name: "esr",
        weight: 3,
        e10s: 0.5,
        versions: &[(0, "45.9.0")],
        time: "205527",
        regression: (BUILDS, BUILDS),
        old_shape: true,
    },
];
