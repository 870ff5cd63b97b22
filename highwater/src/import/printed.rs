//! A line that `highwater pings` printed: the body with our `meta` in it, or an errored ping with its body as base64.

use bytes::{BufMut, Bytes, BytesMut};
use ping::{ClientHash, SubmissionDate, Timestamp};
use serde_json::{Map, Value};

use super::line::Line;
use super::object::{Object, decoded};
use super::printing::{BASE64, BODY, CLIENT_HASH, HEADERS, META, OWN, SENT_BODY, own_name};

/// What the member that `pings` adds says of a ping.
pub(super) struct Meta(Map<String, Value>);

impl Meta {
    /// That of a printed line; `None` when the line is none. Only ours names a record.
    pub(super) fn of(object: &Object) -> Result<Option<Self>, String> {
        let is_there = object.members().any(|(name, ..)| name == META);
        if !is_there {
            return Ok(None);
        }
        let meta: Value = object.read(META, "JSON")?;
        match meta {
            Value::Object(meta) if meta.contains_key("recordId") => Ok(Some(Self(meta))),
            _ => Ok(None),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn needed(&self, name: &str) -> Result<&str, String> {
        self.text(name)
            .ok_or_else(|| format!("the \"meta\" of this line has no \"{name}\""))
    }

    /// When the ping was received: to the microsecond, if that is told, and of the day that is told.
    fn received(&self) -> Result<Timestamp, String> {
        let date: SubmissionDate = self
            .needed("submissionDate")?
            .parse()
            .map_err(|error| format!("submissionDate: {error}"))?;
        let nanoseconds = match self.0.get("Timestamp") {
            None => return Ok(date.start()),
            // Printed for moments that no 64 bits of nanoseconds hold.
            Some(number) if number.as_i64() == Some(i64::MAX) => return Ok(date.start()),
            Some(number) => number
                .as_i64()
                .ok_or("the \"Timestamp\" of this line is no whole number of nanoseconds")?,
        };
        let received = Timestamp::from_micros(nanoseconds.div_euclid(1_000));
        if received.submission_date() == date {
            Ok(received)
        } else {
            Err(format!(
                "the \"Timestamp\" of this line is of {}, its \"submissionDate\" says {date}",
                received.submission_date()
            ))
        }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let told = HEADERS.iter();
        let told = told.filter_map(|(name, shown)| Some(((*name).to_owned(), self.text(shown)?.to_owned())));
        told.collect()
    }
}

/// Reads a printed line.
pub(super) fn read(object: &Object, meta: &Meta) -> Result<Line, String> {
    let body = if meta.text(BODY) == Some(BASE64) {
        object.base64("body")?
    } else if let Some(sent) = meta.text(SENT_BODY) {
        decoded(SENT_BODY, sent)?
    } else {
        body_of(object)
    };
    let line = Line::new(
        meta.received()?,
        meta.needed("uri")?.to_owned(),
        meta.headers(),
        body,
    )?;
    let client_hash = match meta.text(CLIENT_HASH) {
        None => None,
        Some(hex) => Some(
            ClientHash::from_hex(hex)
                .ok_or_else(|| format!("the \"{CLIENT_HASH}\" of this line has not 32 hexadecimal digits"))?,
        ),
    };
    Ok(Line { client_hash, ..line })
}

/// The body in which `meta` was put, as it was but for white space.
fn body_of(object: &Object) -> Bytes {
    let mut body = BytesMut::new();
    for (name, spelled, value) in object.members().filter(|(name, ..)| *name != META) {
        body.put_u8(if body.is_empty() { b'{' } else { b',' });
        body.put_u8(b'"');
        let own = own_name(name);
        if own.len() == name.len() {
            body.put_slice(spelled);
        } else if let Some(own) = spelled.strip_prefix(OWN.as_bytes()) {
            body.put_slice(own);
        } else {
            // Another program spelled it with escapes. The name itself needs none.
            body.put_slice(own.as_bytes());
        }
        body.put_slice(b"\":");
        body.put_slice(value);
    }
    if body.is_empty() {
        body.put_u8(b'{');
    }
    body.put_u8(b'}');
    body.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const META_TEXT: &str = r#"{"submissionDate":"20170130","Timestamp":1485819100278123000,"uri":"/submit/telemetry/x/main?v=4","recordId":"1","DNT":"1","Content-Encoding":"gzip""#;

    fn parse(line: &str) -> Result<Line, String> {
        Line::parse(&Bytes::copy_from_slice(line.as_bytes()))
    }

    #[test]
    fn a_printed_ping_is_the_ping_it_was() {
        for (printed, body) in [
            (r#"{"a":1.50,"a":[],"#, r#"{"a":1.50,"a":[]}"#),
            ("{", "{}"),
            (
                r#"{"body_meta":{"meta":1},"body_body_meta":2,"x":"meta","#,
                r#"{"meta":{"meta":1},"body_meta":2,"x":"meta"}"#,
            ),
            (r#"{"body_\u006deta":1,"#, r#"{"\u006deta":1}"#),
            (r#"{"b\u006fdy_meta":1,"#, r#"{"meta":1}"#),
            (
                r#"{"body":"eyJh","uri":7,"reason":"x","#,
                r#"{"body":"eyJh","uri":7,"reason":"x"}"#,
            ),
        ] {
            let line = parse(&format!("{printed}\"meta\":{META_TEXT}}}}}")).expect("a line");
            assert_eq!(line.body, body.as_bytes(), "{printed}");
            assert_eq!(line.received.as_micros(), 1_485_819_100_278_123);
            assert_eq!(line.uri, "/submit/telemetry/x/main?v=4");
            let headers = [("content-encoding", "gzip"), ("dnt", "1")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(line.headers, headers);
        }
    }

    #[test]
    fn bytes_that_were_printed_as_base64_come_back() {
        let errored =
            format!(r#"{{"reason":"gzip_cut","body":"H4sIAAD/","meta":{META_TEXT},"body":"base64"}}}}"#);
        assert_eq!(
            parse(&errored).expect("a line").body,
            b"\x1f\x8b\x08\x00\x00\xff".as_slice()
        );
        let repaired = format!("{{\"a\":\"\u{fffd}\",\"meta\":{META_TEXT},\"sentBody\":\"eyJhIjoi6SJ9\"}}}}");
        assert_eq!(
            parse(&repaired).expect("a line").body,
            b"{\"a\":\"\xe9\"}".as_slice()
        );
    }

    #[test]
    fn a_meta_that_is_not_ours_says_nothing_and_ours_says_what_it_lacks() {
        let own =
            r#"{"submissionDate":"20170130","uri":"/submit/telemetry/x/main","body":{"a":1},"meta":{"x":1}}"#;
        assert_eq!(parse(own).expect("a line").body, br#"{"a":1}"#.as_slice());
        for (meta, words) in [
            (r#"{"recordId":"1"}"#, "submissionDate"),
            (r#"{"recordId":"1","submissionDate":"20170130"}"#, "\"uri\""),
            (
                r#"{"recordId":"1","submissionDate":"20170129","uri":"/submit/a","Timestamp":1485819100278123000}"#,
                "20170130",
            ),
            (
                r#"{"recordId":"1","submissionDate":"20170130","uri":"/submit/a","Timestamp":"now"}"#,
                "nanoseconds",
            ),
            (
                r#"{"recordId":"1","submissionDate":"20170130","uri":"/submit/a","body":"base64"}"#,
                "\"body\" is missing",
            ),
            (
                r#"{"recordId":"1","submissionDate":"20170130","uri":"/submit/a","sentBody":"?"}"#,
                "no base64",
            ),
        ] {
            let said = parse(&format!("{{\"a\":1,\"meta\":{meta}}}")).expect_err(meta);
            assert!(said.contains(words), "{meta}: {said}");
        }
    }
}
