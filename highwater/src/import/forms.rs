//! The forms in which a line is taken: our own, what `highwater pings` prints, and that of gcp-ingestion.

use bytes::Bytes;
use ping::SubmissionDate;

use super::line::Line;
use super::object::{Object, is_json};
use super::{attribute_map, printed};

/// The forms, for whoever sent none of them.
const FORMS: &str = "a line is {\"submissionDate\": \"YYYYMMDD\", \"uri\": \"/submit/...\", \"body\": {...}}, or what `highwater \
                     pings` prints, or {\"attributeMap\": {\"uri\": ..., \"submission_timestamp\": ...}, \"payload\": \"base64\"}";

impl Line {
    /// Reads a line. The error says what is wrong with it. Of a body that is an object only its end is looked for: what
    /// stands in it is found out by whoever folds it, as with any other ping.
    pub(crate) fn parse(line: &Bytes) -> Result<Self, String> {
        let object = Object::of(line).ok_or_else(|| format!("this is no JSON object that ends: {FORMS}"))?;
        if object.value("attributeMap")?.is_some() {
            return attribute_map::read(&object);
        }
        match printed::Meta::of(&object)? {
            Some(meta) => printed::read(&object, &meta),
            None => own(&object),
        }
    }
}

/// `{"submissionDate", "uri", "body"}`, and whatever else.
fn own(object: &Object) -> Result<Line, String> {
    let explained = |error| format!("{error}: {FORMS}");
    let date: SubmissionDate = object
        .text("submissionDate")
        .map_err(explained)?
        .parse()
        .map_err(|error| format!("submissionDate: {error}"))?;
    let uri = object.text("uri").map_err(explained)?;
    let body = object
        .value("body")?
        .ok_or_else(|| explained("\"body\" is missing".to_owned()))?;
    if !body.starts_with(b"{") && !is_json(&body) {
        return Err("what stands under \"body\" is no JSON".to_owned());
    }
    object.check_others(&["submissionDate", "uri", "body"])?;
    Line::new(date.start(), uri, Vec::new(), body)
}

#[cfg(test)]
mod tests {
    use super::super::line::URI_BYTES_MAX;
    use super::*;

    #[test]
    fn a_uri_is_no_longer_than_its_bound() {
        let line = |bytes: usize| {
            let uri = format!("/submit/telemetry/x/main?{}", "y".repeat(bytes - 25));
            let line = format!(r#"{{"uri":"{uri}","submissionDate":"20170130","body":{{}}}}"#);
            Line::parse(&Bytes::from(line))
        };
        assert!(line(URI_BYTES_MAX).is_ok());
        let said = line(URI_BYTES_MAX + 1).expect_err("too long");
        let words = format!("the URI has {} bytes", URI_BYTES_MAX + 1);
        assert!(said.contains(&words), "{said}");
    }

    #[test]
    fn a_line_keeps_its_body_as_it_is_written() {
        let line = br#"{"uri": "/submit/telemetry/x/main", "submissionDate": "20170130", "body": {"a": 1.50, "a": [ ]}}"#;
        let line = Line::parse(&Bytes::from_static(line)).expect("a line");
        assert_eq!(line.body, br#"{"a": 1.50, "a": [ ]}"#.as_slice());
        assert_eq!(
            (
                line.received.submission_date().to_string().as_str(),
                line.uri.as_str()
            ),
            ("20170130", "/submit/telemetry/x/main")
        );
        let odd = b"{\"uri\":\"/submit/telemetry/x/main\",\"submissionDate\":\"20170130\",\"body\":{\"a\":\"\xe9\"}}";
        let odd = Line::parse(&Bytes::from_static(odd)).expect("a line");
        assert_eq!(odd.body, b"{\"a\":\"\xe9\"}".as_slice());
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
    fn a_bad_line_says_what_is_wrong_with_it_in_words_of_the_field() {
        let long = format!("/submit/telemetry/x/main/{}", "x".repeat(URI_BYTES_MAX));
        let long = format!(r#"{{"uri": "{long}", "submissionDate": "20170130", "body": 1}}"#);
        for (line, words) in [
            ("x", "submissionDate"),
            (r#"["uri"]"#, "submissionDate"),
            ("{}", "\"submissionDate\" is missing"),
            (
                r#"{"submissionDate": 20170130}"#,
                "\"submissionDate\" is not a text",
            ),
            (
                r#"{"uri": "/submit/telemetry/x", "submissionDate": "20170130"}"#,
                "\"body\" is missing",
            ),
            (
                r#"{"uri": "/elsewhere", "submissionDate": "20170130", "body": 1}"#,
                "/submit",
            ),
            (
                r#"{"uri": "/submit/telemetry/x", "submissionDate": "2017-01-30", "body": 1}"#,
                "YYYYMMDD",
            ),
            (
                r#"{"uri": "/submit/telemetry/x", "submissionDate": "20170130", "body": nothing}"#,
                "no JSON",
            ),
            (
                r#"{"uri": "/submit/telemetry/x", "submissionDate": "20170130", "body": {}, "x": nothing}"#,
                "no JSON",
            ),
            (
                r#"{"uri": "/submit/telemetry/x", "submissionDate": "20170130", "body": {}, "uri": "/submit/telemetry/y"}"#,
                "\"uri\" stands twice",
            ),
            (&long, "at most 8192"),
        ] {
            let said = Line::parse(&Bytes::copy_from_slice(line.as_bytes())).expect_err(line);
            assert!(said.contains(words), "{line}: {said}");
            for ours in ["struct", "Fields", "expected ", "Error("] {
                assert!(!said.contains(ours), "{line}: {said}");
            }
        }
    }
}
