//! A line of gcp-ingestion: what its edge knew of a request as `attributeMap`, the body as base64 in `payload`, mostly packed
//! with gzip.

use bytes::Bytes;
use ping::Timestamp;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::line::Line;
use super::object::Object;
use super::printing::HEADERS;

/// Reads a line. Addresses of clients (`remote_addr`, `x_forwarded_for`) are not looked at.
pub(super) fn read(object: &Object) -> Result<Line, String> {
    let attributes: Map<String, Value> = object.read("attributeMap", "an object")?;
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let needed = |name: &str| text(name).ok_or_else(|| format!("\"attributeMap\" has no text \"{name}\""));
    let mut uri = needed("uri")?.to_owned();
    if let Some(args) = text("args").filter(|args| !args.is_empty())
        && !uri.contains('?')
    {
        uri.push('?');
        uri.push_str(args);
    }
    let moment = needed("submission_timestamp")?;
    let received = OffsetDateTime::parse(moment, &Rfc3339)
        .ok()
        .and_then(|moment| i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000)).ok())
        .ok_or_else(|| {
            format!("\"submission_timestamp\" is {moment:?}, not a moment such as 2017-01-31T01:02:03.456Z")
        })?;
    let body = object.base64("payload")?;
    object.check_others(&["attributeMap", "payload"])?;
    let headers = HEADERS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != "content-encoding")
        .filter_map(|name| Some((name.to_owned(), text(&name.replace('-', "_"))?.to_owned())));
    let headers = encoding_of(&body).into_iter().chain(headers).collect();
    Line::new(Timestamp::from_micros(received), uri, headers, body)
}

/// The header of a packed body. Told by its first bytes: other pipelines inflate some bodies and keep the header, or lose it.
pub(super) fn encoding_of(body: &Bytes) -> Option<(String, String)> {
    let is_packed = body.starts_with(&[0x1f, 0x8b]);
    is_packed.then(|| ("content-encoding".to_owned(), "gzip".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Line, String> {
        Line::parse(&Bytes::copy_from_slice(line.as_bytes()))
    }

    #[test]
    fn a_line_is_the_request_that_it_was_without_an_address() {
        let line = parse(
            r#"{"attributeMap": {"args": "v=4", "method": "POST", "host": "example.org", "remote_addr": "203.0.113.7",
                "x_forwarded_for": "203.0.113.7, 10.0.0.1", "submission_timestamp": "2017-01-31T01:02:03.000004Z", "dnt": "1",
                "user_agent": "pingsender/1.0", "uri": "/submit/telemetry/a/main/Firefox"}, "payload": "H4sIAAD/"}"#,
        );
        let line = line.expect("a line");
        assert_eq!(line.uri, "/submit/telemetry/a/main/Firefox?v=4");
        assert_eq!(line.received.as_micros(), 1_485_824_523_000_004);
        assert_eq!(line.body, b"\x1f\x8b\x08\x00\x00\xff".as_slice());
        let mut headers = line.headers.clone();
        headers.sort();
        let expected = [
            ("content-encoding", "gzip"),
            ("dnt", "1"),
            ("host", "example.org"),
            ("user-agent", "pingsender/1.0"),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(!format!("{line:?}").contains("203.0.113"));
    }

    #[test]
    fn a_plain_body_and_an_offset_are_taken_too() {
        let line = parse(
            r#"{"attributeMap":{"uri":"/submit/telemetry/a/main?v=4","args":"v=5","submission_timestamp":"2017-01-31T01:02:03+02:00"},"payload":"e30="}"#,
        );
        let line = line.expect("a line");
        assert_eq!(
            (line.uri.as_str(), line.body.as_ref()),
            ("/submit/telemetry/a/main?v=4", b"{}".as_slice())
        );
        assert_eq!(line.received.submission_date().to_string(), "20170130");
        assert!(line.headers.is_empty());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (line, words) in [
            (r#"{"attributeMap":7}"#, "\"attributeMap\" is not an object"),
            (r#"{"attributeMap":{}}"#, "no text \"uri\""),
            (
                r#"{"attributeMap":{"uri":"/submit/a"}}"#,
                "no text \"submission_timestamp\"",
            ),
            (
                r#"{"attributeMap":{"uri":"/submit/a","submission_timestamp":"yesterday"}}"#,
                "2017-01-31T01:02:03.456Z",
            ),
            (
                r#"{"attributeMap":{"uri":"/submit/a","submission_timestamp":"2017-01-31T01:02:03Z"}}"#,
                "\"payload\" is missing",
            ),
            (
                r#"{"attributeMap":{"uri":"/submit/a","submission_timestamp":"2017-01-31T01:02:03Z"},"payload":"?"}"#,
                "no base64",
            ),
            (
                r#"{"attributeMap":{"uri":"/a","submission_timestamp":"2017-01-31T01:02:03Z"},"payload":""}"#,
                "/submit",
            ),
        ] {
            let said = parse(line).expect_err(line);
            assert!(said.contains(words), "{line}: {said}");
        }
    }
}
