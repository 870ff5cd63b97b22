//! A line of an import: a ping with its day and its URI.

use bytes::Bytes;
use ping::{Submission, SubmissionDate};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Largest body in a line: what the edge would inflate at most.
const BODY_BYTES_MAX: usize = 32 << 20;

/// A ping to import. Its receive time is the first moment of its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) date: SubmissionDate,
    pub(super) uri: String,
    pub(super) body: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    submission_date: String,
    uri: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Line {
    /// Reads a line. The error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let fields: Fields<'_> = serde_json::from_slice(bytes)
            .map_err(|error| format!("no line {{\"submissionDate\",\"uri\",\"body\"}}: {error}"))?;
        let date = fields
            .submission_date
            .parse()
            .map_err(|error| format!("submissionDate: {error}"))?;
        Submission::parse(&fields.uri).map_err(|error| format!("uri: {error}"))?;
        let body = fields.body.get();
        if body.len() > BODY_BYTES_MAX {
            return Err(format!(
                "the body has {} bytes, at most {BODY_BYTES_MAX} are taken",
                body.len()
            ));
        }
        Ok(Self {
            date,
            uri: fields.uri,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_body_as_it_is_written() {
        let line = br#"{"uri": "/submit/telemetry/x/main", "submissionDate": "20170130", "body": {"a": 1.50, "a": [ ]}}"#;
        let line = Line::parse(line).expect("a line");
        assert_eq!(line.body, br#"{"a": 1.50, "a": [ ]}"#.as_slice());
        assert_eq!(
            (line.date.to_string().as_str(), line.uri.as_str()),
            ("20170130", "/submit/telemetry/x/main")
        );
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        let wrong = |line: &str| Line::parse(line.as_bytes()).expect_err(line);
        assert!(wrong("x").contains("submissionDate"));
        assert!(wrong(r#"{"uri": "/submit/telemetry/x", "submissionDate": "20170130"}"#).contains("body"));
        assert!(
            wrong(r#"{"uri": "/elsewhere", "submissionDate": "20170130", "body": 1}"#).contains("/submit")
        );
        assert!(
            wrong(r#"{"uri": "/submit/telemetry/x", "submissionDate": "2017-01-30", "body": 1}"#)
                .contains("YYYYMMDD")
        );
    }
}
