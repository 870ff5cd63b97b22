//! A question that gets no data: the status, one word for programs, one sentence that says what to do.

use std::fmt::Write as _;

use aggregate_store::AggregateError;
use http::StatusCode;
use serde_json::json;

use crate::limits::NAMES_IN_A_SENTENCE;

/// Why there is no data, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// No such path.
    NotFound,
    /// The method is not one of those a path answers.
    Method,
    /// A parameter that the route does not know.
    UnknownParameter,
    /// A parameter that is no dimension of the source that is asked.
    StrangeParameter,
    /// A parameter whose value cannot be.
    InvalidParameter,
    /// Too long a query string, or too many values.
    TooLong,
    /// A parameter without which the question says nothing.
    MissingParameter,
    /// Nothing was folded yet.
    NothingReceived,
    /// Nothing of this source is counted.
    SourceUnknown,
    /// No data of this channel.
    ChannelUnknown,
    /// No data of this version in this channel.
    VersionUnknown,
    /// No data of this metric in this channel and version.
    MetricUnknown,
    /// Data of this metric, but not at these dates.
    DatesWithoutData,
    /// Data at these dates, but not under these filters.
    FiltersExclude,
    /// The metric is on the list of those not shown.
    Withheld,
    /// Raw pings are not answered here.
    PingsClosed,
    /// The answer would be larger than one may be.
    TooLarge,
    /// Too many questions at a time, or this one took too long.
    Busy,
    /// The store could not answer.
    Unavailable,
}

impl Reason {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::UnknownParameter | Self::StrangeParameter => "unknown_parameter",
            Self::InvalidParameter => "invalid_parameter",
            Self::TooLong => "too_long",
            Self::MissingParameter => "missing_parameter",
            Self::NothingReceived => "nothing_received",
            Self::SourceUnknown => "source_unknown",
            Self::ChannelUnknown => "channel_unknown",
            Self::VersionUnknown => "version_unknown",
            Self::MetricUnknown => "metric_unknown",
            Self::DatesWithoutData => "dates_without_data",
            Self::FiltersExclude => "filters_exclude",
            Self::Withheld => "withheld",
            Self::PingsClosed => "pings_closed",
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    /// The same for people, in a few words.
    const fn title(self) -> &'static str {
        match self {
            Self::NotFound => "There is no such path",
            Self::Method => "Not with this method",
            Self::UnknownParameter | Self::StrangeParameter => "Unknown parameter",
            Self::InvalidParameter => "Invalid parameter",
            Self::TooLong => "Too long a question",
            Self::MissingParameter => "Incomplete question",
            Self::NothingReceived => "Nothing received yet",
            Self::SourceUnknown => "No data of this source",
            Self::ChannelUnknown => "No data of this channel",
            Self::VersionUnknown => "No data of this version",
            Self::MetricUnknown => "No data of this metric",
            Self::DatesWithoutData => "No data at these dates",
            Self::FiltersExclude => "No data under these filters",
            Self::Withheld => "Withheld",
            Self::PingsClosed => "Raw pings are not answered here",
            Self::TooLarge => "Too large an answer",
            Self::Busy => "Busy",
            Self::Unavailable => "Unavailable",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Method | Self::UnknownParameter => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidParameter | Self::StrangeParameter => StatusCode::BAD_REQUEST,
            Self::PingsClosed => StatusCode::FORBIDDEN,
            Self::TooLong => StatusCode::URI_TOO_LONG,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::NOT_FOUND,
        }
    }
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Why.
    pub(crate) reason: Reason,
    /// What to do.
    pub(crate) description: String,
    /// What is allowed, where the reason is a method or a parameter.
    pub(crate) allow: Option<String>,
}

impl Problem {
    pub(crate) fn new(reason: Reason, description: impl Into<String>) -> Self {
        Self {
            reason,
            description: description.into(),
            allow: None,
        }
    }

    pub(crate) fn nothing_received() -> Self {
        Self::new(
            Reason::NothingReceived,
            "No ping has been folded yet: none was received, or none of a type that is counted. /api/v1/products lists what is stored; to have a number, POST a main ping to /submit/telemetry/... of the edge.",
        )
    }

    pub(crate) fn missing(names: &[&str]) -> Self {
        let names = names.join(", ");
        Self::new(
            Reason::MissingParameter,
            format!("The question is incomplete: add {names} to the query string."),
        )
    }

    /// The answer would have more than `limit` of something.
    pub(crate) fn too_large(what: &str, limit: usize) -> Self {
        Self::new(
            Reason::TooLarge,
            format!(
                "The answer would have more than {limit} {what}. Ask for less: fewer dates, one label, or with a filter."
            ),
        )
    }

    /// There is no room for this question now.
    pub(crate) fn busy(sentence: &str) -> Self {
        Self::new(Reason::Busy, sentence)
    }

    /// The store failed: the log has the cause.
    pub(crate) fn unavailable(what: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(what, %error, "a question could not be answered and got 503");
        Self::new(
            Reason::Unavailable,
            format!("The {what} could not be read. Ask again; if it stays so, the server's log says why."),
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.reason.status()
    }

    /// The body, a problem of RFC 9457: `{"type", "title", "status", "detail"}`, and the same as `{"code", "reason",
    /// "description"}`. `type` and `reason` are one word.
    pub(crate) fn body(&self) -> String {
        let Self {
            reason,
            description,
            allow: _,
        } = self;
        let code = self.status().as_u16();
        json!({
            "type": reason.word(), "title": reason.title(), "status": code, "detail": description,
            "code": code, "reason": reason.word(), "description": description,
        })
        .to_string()
    }
}

impl From<AggregateError> for Problem {
    fn from(error: AggregateError) -> Self {
        match error {
            AggregateError::TooLarge { what, limit } => Self::too_large(what, limit),
            error => Self::unavailable("aggregates", &error),
        }
    }
}

/// Names for a sentence: `a, b, c and 7 more`. `left_out` are not among them, and counted.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>, left_out: u64) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = &names[..names.len().min(NAMES_IN_A_SENTENCE)];
    let mut sentence = shown.join(", ");
    let more = (names.len() - shown.len()) as u64 + left_out;
    if more > 0 {
        let _ = write!(sentence, " and {more} more");
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_ends_in_a_number() {
        let names: Vec<String> = (0..15).map(|n| n.to_string()).collect();
        let listed = list(names.iter().map(String::as_str), 0);
        assert!(listed.ends_with("10, 11 and 3 more"), "{listed}");
        assert_eq!(list(["a", "b"], 0), "a, b");
        assert_eq!(list(["a", "b"], 4), "a, b and 4 more");
        assert_eq!(list([], 0), "");
    }

    #[test]
    fn the_body_is_json_whatever_the_description_holds() {
        let body = Problem::new(Reason::MetricUnknown, "no \"X\"\n").body();
        let read: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            read,
            json!({
                "type": "metric_unknown", "title": "No data of this metric", "status": 404, "detail": "no \"X\"\n",
                "code": 404, "reason": "metric_unknown", "description": "no \"X\"\n",
            })
        );
    }
}
