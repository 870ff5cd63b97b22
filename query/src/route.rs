//! Which route a path names. Pure; no path makes it panic.

use aggregate_store::DateClock;

use crate::limits::CHANNEL_BYTES_MAX;
use crate::parameters::{Repeated, decode};

/// A route with what its path says. A slash at the end makes no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/aggregates_by/<clock>/channels/`
    Channels(DateClock),
    /// `/aggregates_by/<clock>/channels/<channel>/dates/`
    Dates(DateClock, String),
    /// `/aggregates_by/<clock>/channels/<channel>/`
    Aggregates(DateClock, String),
    /// `/filters/`
    Filters,
    /// `/api/v1/status`
    Status,
    /// `/api/v1/health`
    Health,
    /// `/api/v1/partitions`
    Partitions,
    /// `/api/v1/engagement`
    Engagement,
    /// `/api/v1/products`
    Products,
    /// `/api/v1/values`
    Values,
    /// `/api/v1/aggregates`
    GenericAggregates,
    /// `/api/v1/openapi.json`
    OpenApi,
    /// `/api/v1/metrics`
    Metrics,
    /// `/api/v1/sources`
    Sources,
    /// `/api/v1/pings`
    Pings,
    /// `/api/v1/catalogue.json`
    Catalogue,
    /// `/`, or `/page/<file>`
    Page(String),
}

impl Route {
    /// The route of a path as sent.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self::Page("index.html".to_owned()));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<&str> = path.split('/').take(6).collect();
        match segments[..] {
            ["health"] => Some(Self::Page("health.html".to_owned())),
            ["manual"] => Some(Self::Page("manual.html".to_owned())),
            ["page", file] => Some(Self::Page(file.to_owned())),
            ["filters"] => Some(Self::Filters),
            ["api", "v1", "status"] => Some(Self::Status),
            ["api", "v1", "health"] => Some(Self::Health),
            ["api", "v1", "partitions"] => Some(Self::Partitions),
            ["api", "v1", "engagement"] => Some(Self::Engagement),
            ["api", "v1", "values"] => Some(Self::Values),
            ["api", "v1", "aggregates"] => Some(Self::GenericAggregates),
            ["api", "v1", "openapi.json"] => Some(Self::OpenApi),
            ["api", "v1", "metrics"] => Some(Self::Metrics),
            ["api", "v1", "sources"] => Some(Self::Sources),
            ["api", "v1", "pings"] => Some(Self::Pings),
            ["api", "v1", "catalogue.json"] => Some(Self::Catalogue),
            ["api", "v1", "products"] => Some(Self::Products),
            ["aggregates_by", clock, "channels"] => Some(Self::Channels(clock_of(clock)?)),
            ["aggregates_by", clock, "channels", channel] => {
                Some(Self::Aggregates(clock_of(clock)?, name_of(channel)?))
            }
            ["aggregates_by", clock, "channels", channel, "dates"] => {
                Some(Self::Dates(clock_of(clock)?, name_of(channel)?))
            }
            _ => None,
        }
    }

    /// What becomes of a repeated parameter: the original's routes go by the original's rule.
    pub(crate) const fn repeated(&self) -> Repeated {
        match self.is_originals() {
            true => Repeated::FirstCounts,
            false => Repeated::Refused,
        }
    }

    /// Whether the original had it.
    pub(crate) const fn is_originals(&self) -> bool {
        matches!(
            self,
            Self::Channels(_) | Self::Dates(..) | Self::Aggregates(..) | Self::Filters
        )
    }

    /// Whether the answer is at hand: then it needs no turn, and is there however many questions wait.
    pub(crate) const fn is_at_hand(&self) -> bool {
        matches!(self, Self::Status | Self::Health | Self::OpenApi | Self::Page(_))
    }

    /// Its name in metrics.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Channels(_) => "channels",
            Self::Dates(..) => "dates",
            Self::Aggregates(..) => "aggregates",
            Self::Filters => "filters",
            Self::Status => "status",
            Self::Health => "health",
            Self::Partitions => "partitions",
            Self::Engagement => "engagement",
            Self::Products => "products",
            Self::Pings => "pings",
            Self::Catalogue => "catalogue",
            Self::Values => "values",
            Self::GenericAggregates => "generic_aggregates",
            Self::Metrics => "metrics",
            Self::OpenApi => "openapi",
            Self::Sources => "sources",
            Self::Page(_) => "page",
        }
    }
}

/// Whether scripts of every origin may read what is said below this path: what the original answered, and only that.
pub(crate) fn is_open_to_scripts(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
    matches!(first, Some("aggregates_by" | "filters"))
}

fn clock_of(word: &str) -> Option<DateClock> {
    match word {
        "build_id" => Some(DateClock::BuildDate),
        "submission_date" => Some(DateClock::SubmissionDate),
        _ => None,
    }
}

fn name_of(segment: &str) -> Option<String> {
    Some(decode(segment)).filter(|name| name.len() <= CHANNEL_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_route_is_named_with_and_without_a_slash_at_the_end() {
        use DateClock::{BuildDate, SubmissionDate};
        let beta = || "beta".to_owned();
        let expected = [
            ("/aggregates_by/build_id/channels", Route::Channels(BuildDate)),
            (
                "/aggregates_by/submission_date/channels",
                Route::Channels(SubmissionDate),
            ),
            (
                "/aggregates_by/build_id/channels/beta",
                Route::Aggregates(BuildDate, beta()),
            ),
            (
                "/aggregates_by/submission_date/channels/beta/dates",
                Route::Dates(SubmissionDate, beta()),
            ),
            ("/filters", Route::Filters),
            ("/api/v1/status", Route::Status),
            ("/api/v1/health", Route::Health),
            ("/api/v1/partitions", Route::Partitions),
            ("/health", Route::Page("health.html".to_owned())),
            ("/manual", Route::Page("manual.html".to_owned())),
            ("/api/v1/engagement", Route::Engagement),
            ("/api/v1/products", Route::Products),
            ("/api/v1/values", Route::Values),
            ("/api/v1/aggregates", Route::GenericAggregates),
            ("/api/v1/metrics", Route::Metrics),
            ("/api/v1/sources", Route::Sources),
            ("/api/v1/pings", Route::Pings),
            ("/api/v1/catalogue.json", Route::Catalogue),
            ("/api/v1/openapi.json", Route::OpenApi),
            ("/page/main.js", Route::Page("main.js".to_owned())),
        ];
        for (path, route) in expected {
            assert_eq!(Route::parse(path).as_ref(), Some(&route), "{path}");
            assert_eq!(Route::parse(&format!("{path}/")), Some(route), "{path}/");
        }
        assert_eq!(Route::parse("/"), Some(Route::Page("index.html".to_owned())));
    }

    #[test]
    fn a_channel_is_decoded_once() {
        let route = Route::parse("/aggregates_by/build_id/channels/nightly-cck%2Fa%2520b/");
        let channel = "nightly-cck/a%20b".to_owned();
        assert_eq!(route, Some(Route::Aggregates(DateClock::BuildDate, channel)));
    }

    #[test]
    fn other_paths_have_no_route() {
        let long = format!("/aggregates_by/build_id/channels/{}/", "a".repeat(300));
        for path in [
            "",
            "//",
            "/page",
            "/filters//",
            "/aggregates_by/receipt/channels/",
            "/aggregates_by/build_id/channels/a/dates/b",
            "/aggregates_by/build_id/channels/a/dates/b/c/d",
            "/api/v2/status",
            "*",
            &long,
        ] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "\\PC{0,100}|(/|%|[a-z_]{1,12}|aggregates_by|build_id|channels){0,12}") {
            let _ = Route::parse(&path);
        }
    }
}
