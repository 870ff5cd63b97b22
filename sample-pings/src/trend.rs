//! The headline metrics: what a person looks at first, with a regression to find and its fix.

use crate::client::Client;
use crate::layout::Kind;
use crate::parameters::Parameters;
use crate::release::Build;

/// A metric whose distribution differs visibly between builds and operating systems.
pub(crate) struct Trend {
    pub(crate) name: &'static str,
    pub(crate) parameters: Parameters,
    pub(crate) median: f64,
    pub(crate) spread: f64,
    pub(crate) points: f64,
    pub(crate) weight: f64,
    /// Its values grow by this factor while the regression is in.
    slow: f64,
    /// Its values on macOS and on Linux, Windows being 1.
    darwin: f64,
    linux: f64,
    /// What each build gains on the one before: 0.99 is one percent.
    per_build: f64,
    /// Content processes report it too.
    pub(crate) in_content: bool,
}

impl Trend {
    /// How much larger than usual this client's values are with this build.
    pub(crate) fn factor(&self, client: &Client, build: &Build) -> f64 {
        let system = match (client.platform.os, client.platform.version) {
            ("Darwin", _) => self.darwin,
            ("Linux", _) => self.linux,
            (_, "10.0") => 1.0,
            _ => 1.25,
        };
        let regression = if client.channel.is_slow(build.number) {
            self.slow
        } else {
            1.0
        };
        system * regression * self.per_build.powi(build.number as i32)
    }
}

const fn trend(
    name: &'static str,
    (low, high, bins): (u64, u64, u64),
    (median, spread): (f64, f64),
    (slow, per_build): (f64, f64),
    (darwin, linux): (f64, f64),
    in_content: bool,
) -> Trend {
    Trend {
        name,
        parameters: Parameters {
            kind: Kind::Exponential,
            low,
            high,
            bins,
        },
        median,
        spread,
        points: 12.0,
        weight: 20.0,
        slow,
        darwin,
        linux,
        per_build,
        in_content,
    }
}

/// Every headline metric. Names and layouts are those Firefox had in April 2017; the values are invented.
pub(crate) const TRENDS: &[Trend] = &[
    trend(
        "GC_MS",
        (1, 10_000, 50),
        (110.0, 0.7),
        (1.9, 0.995),
        (0.75, 0.9),
        true,
    ),
    trend(
        "FX_PAGE_LOAD_MS",
        (1, 10_000, 20),
        (1_400.0, 0.8),
        (1.3, 0.985),
        (0.8, 0.95),
        false,
    ),
    trend(
        "MEMORY_TOTAL",
        (32_768, 16_777_216, 100),
        (620_000.0, 0.5),
        (1.25, 1.004),
        (1.3, 0.85),
        true,
    ),
    trend(
        "CYCLE_COLLECTOR_MAX_PAUSE",
        (1, 10_000, 50),
        (22.0, 0.9),
        (2.4, 0.99),
        (0.8, 0.9),
        true,
    ),
    trend(
        "INPUT_EVENT_RESPONSE_MS",
        (1, 10_000, 50),
        (9.0, 1.1),
        (1.5, 0.98),
        (0.7, 1.1),
        true,
    ),
    trend(
        "FX_NEW_WINDOW_MS",
        (1, 10_000, 20),
        (310.0, 0.6),
        (1.2, 0.99),
        (1.4, 0.8),
        false,
    ),
    trend(
        "COMPOSITE_TIME",
        (1, 1_000, 50),
        (3.5, 0.8),
        (1.0, 0.97),
        (1.6, 1.8),
        false,
    ),
    trend(
        "TIME_TO_NON_BLANK_PAINT_MS",
        (1, 100_000, 100),
        (1_900.0, 0.7),
        (1.6, 0.99),
        (0.9, 1.0),
        true,
    ),
];
