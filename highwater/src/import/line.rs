//! A line of an import: a ping with its day and its URI.

use bytes::Bytes;
use ping::{Submission, SubmissionDate};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::outline;

/// Largest body in a line: what the edge would inflate at most.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Longest URI in a line: far more than the edge takes, far less than a record of the log holds beside its body.
const URI_BYTES_MAX: usize = 64 << 10;

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

/// What stands in the body's place while the rest of a line is read.
const PLACE_HOLDER: &[u8] = b"{}";

impl Line {
    /// Reads a line. The error says what is wrong with it. Of a body that is an object only its end is looked for: what
    /// stands in it is found out by whoever folds it, as with any other ping.
    pub(super) fn parse(line: &Bytes) -> Result<Self, String> {
        let Some(place) = outline::body_of(line) else {
            return Self::read(line, line, None);
        };
        let rest = [&line[..place.start], PLACE_HOLDER, &line[place.end..]].concat();
        Self::read(&rest, line, Some(line.slice(place)))
    }

    /// Reads the members of a line; its body may be known already.
    fn read(text: &[u8], line: &Bytes, body: Option<Bytes>) -> Result<Self, String> {
        let fields: Fields<'_> = serde_json::from_slice(text)
            .map_err(|error| format!("no line {{\"submissionDate\",\"uri\",\"body\"}}: {error}"))?;
        let date = fields
            .submission_date
            .parse()
            .map_err(|error| format!("submissionDate: {error}"))?;
        Submission::parse(&fields.uri).map_err(|error| format!("uri: {error}"))?;
        if fields.uri.len() > URI_BYTES_MAX {
            return Err(format!(
                "the uri has {} bytes, at most {URI_BYTES_MAX} are taken",
                fields.uri.len()
            ));
        }
        let body = body.unwrap_or_else(|| line.slice_ref(fields.body.get().as_bytes()));
        if body.len() > BODY_BYTES_MAX {
            return Err(format!(
                "the body has {} bytes, at most {BODY_BYTES_MAX} are taken",
                body.len()
            ));
        }
        Ok(Self {
            date,
            uri: fields.uri,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_as_long_as_the_log_can_hold_at_most() {
        let line = |bytes: usize| {
            let uri = format!("/submit/telemetry/x/main?{}", "y".repeat(bytes - 25));
            let line = format!(r#"{{"uri":"{uri}","submissionDate":"20170130","body":{{}}}}"#);
            Line::parse(&Bytes::from(line))
        };
        assert!(line(URI_BYTES_MAX).is_ok());
        let said = line(URI_BYTES_MAX + 1).expect_err("too long");
        assert!(said.contains("the uri has 65537 bytes"), "{said}");
    }

    #[test]
    fn a_line_keeps_its_body_as_it_is_written() {
        let line = br#"{"uri": "/submit/telemetry/x/main", "submissionDate": "20170130", "body": {"a": 1.50, "a": [ ]}}"#;
        let line = Line::parse(&Bytes::from_static(line)).expect("a line");
        assert_eq!(line.body, br#"{"a": 1.50, "a": [ ]}"#.as_slice());
        assert_eq!(
            (line.date.to_string().as_str(), line.uri.as_str()),
            ("20170130", "/submit/telemetry/x/main")
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_kept_as_it_is_written_too() {
        let line = Bytes::from_static(
            br#"{"uri": "/submit/telemetry/x/main", "body": [ 1.50 ], "submissionDate": "20170130"}"#,
        );
        assert_eq!(Line::parse(&line).expect("a line").body, b"[ 1.50 ]".as_slice());
    }

    #[test]
    fn a_line_that_was_cut_or_has_something_behind_it_is_a_bad_one() {
        let line = r#"{"uri":"/submit/telemetry/x/main","submissionDate":"20170130","body":{"a":{"b":"}"}}}"#;
        let parse = |text: &str| Line::parse(&Bytes::copy_from_slice(text.as_bytes()));
        assert!(parse(line).is_ok());
        for length in 0..line.len() {
            assert!(parse(&line[..length]).is_err(), "cut at {length}");
        }
        assert!(parse(&format!("{line}x")).is_err());
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        let wrong = |line: &str| Line::parse(&Bytes::copy_from_slice(line.as_bytes())).expect_err(line);
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
