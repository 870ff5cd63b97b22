//! The URI of a submission, parsed at the door.
//!
//! Two shapes are spoken. Telemetry: `/submit/telemetry/<id>/<type>/<app>/<version>/<channel>/<build>?v=4`, of which
//! the oldest clients send only a beginning. Every other namespace:
//! `/submit/<namespace>/<type>/<version>/<id>`, where a lone third part that looks like a UUID is taken for the id.
//! Repeated slashes collapse, but an empty segment right after the namespace is kept as an empty first part.

use crate::{DocumentKey, SubmissionDate};

/// The namespace whose URIs carry application, version, channel and build id.
const TELEMETRY: &str = "telemetry";

/// A submission's URI, decoded and taken apart. Absent and empty parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submission {
    /// The product line that the ping belongs to; matches `[a-z0-9][a-z0-9-]{0,63}`.
    pub namespace: String,
    /// The document id as sent; empty when there is none. It need not be a UUID.
    pub document_id: String,
    /// The document type, such as `main`.
    pub document_type: Option<String>,
    /// The ping format's version: the query's `v` for telemetry, the path's version for the others.
    pub document_version: Option<String>,
    /// The application (telemetry only).
    pub app_name: Option<String>,
    /// The application's version (telemetry only).
    pub app_version: Option<String>,
    /// The application's update channel (telemetry only).
    pub app_update_channel: Option<String>,
    /// The application's build id (telemetry only).
    pub app_build_id: Option<String>,
}

/// Why a path is no submission. Each is answered 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// The path does not begin with `/submit/`.
    #[error("not below /submit: POST to /submit/<namespace>/...")]
    NotASubmission,
    /// The namespace does not match `[a-z0-9][a-z0-9-]{0,63}`.
    #[error("unknown namespace: it must match [a-z0-9][a-z0-9-]{{0,63}}, as in /submit/telemetry/...")]
    Namespace,
}

impl Submission {
    /// Takes a request target (path and query) apart.
    ///
    /// # Errors
    /// When the path does not lie below `/submit`, or the namespace is malformed. Nothing else is refused: a 404 makes
    /// a client drop its ping for ever.
    pub fn parse(uri: &str) -> Result<Self, SubmissionError> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path = path.split('#').next().unwrap_or(path);
        let mut segments = path.split('/').peekable();
        skip_empty(&mut segments);
        if segments.next() != Some("submit") {
            return Err(SubmissionError::NotASubmission);
        }
        skip_empty(&mut segments);
        let namespace = segments.next().map(decode).unwrap_or_default();
        if namespace.is_empty() {
            return Err(SubmissionError::NotASubmission);
        }
        if !is_namespace(&namespace) {
            return Err(SubmissionError::Namespace);
        }
        let mut parts: Vec<String> = Vec::new();
        if let Some(first) = segments.next() {
            parts.push(decode(first));
        }
        parts.extend(segments.filter(|segment| !segment.is_empty()).map(decode));
        Ok(if namespace == TELEMETRY {
            Self::telemetry(&parts, query)
        } else {
            Self::generic(namespace, &parts)
        })
    }

    /// The key under which copies of this document are known, if its id makes one.
    pub fn document_key(&self) -> Option<DocumentKey> {
        DocumentKey::of(self)
    }

    fn telemetry(parts: &[String], query: &str) -> Self {
        let part = |at: usize| parts.get(at).filter(|part| !part.is_empty()).cloned();
        Self {
            namespace: TELEMETRY.to_owned(),
            document_id: part(0).unwrap_or_default(),
            document_type: part(1),
            document_version: argument(query, "v"),
            app_name: part(2),
            app_version: part(3),
            app_update_channel: part(4),
            app_build_id: part(5),
        }
    }

    fn generic(namespace: String, parts: &[String]) -> Self {
        let part = |at: usize| parts.get(at).filter(|part| !part.is_empty()).cloned();
        let id_in_place_of_version =
            parts.len() == 2 && parts[1].len() == 36 && parts[1].matches('-').count() == 4;
        let (version, id) = if id_in_place_of_version {
            (None, part(1))
        } else {
            (part(1), part(2))
        };
        Self {
            namespace,
            document_id: id.unwrap_or_default(),
            document_type: part(0),
            document_version: version,
            ..Self::default()
        }
    }
}

/// The submission date is part of every partition, but no part of the URI: it is fixed when the ping is received.
pub(crate) fn date_value(date: SubmissionDate) -> String {
    date.to_string()
}

fn skip_empty<'a>(segments: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) {
    while segments.peek().is_some_and(|segment| segment.is_empty()) {
        segments.next();
    }
}

fn is_namespace(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 64
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().all(|byte| allowed(byte) || byte == b'-')
}

fn argument(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| decode(value))
}

/// Percent-decoding; what is no escape stays, what is no UTF-8 becomes U+FFFD.
fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(hex_byte);
        decoded.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(digits[0])? * 16 + digit(digits[1])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_firefox_uri_names_all_its_parts() {
        let uri = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/61.0a1/nightly/20180328030202?v=4";
        let expected = Submission {
            namespace: "telemetry".to_owned(),
            document_id: "ce39b608-f595-4c69-b6a6-f7a436604648".to_owned(),
            document_type: some("main"),
            document_version: some("4"),
            app_name: some("Firefox"),
            app_version: some("61.0a1"),
            app_update_channel: some("nightly"),
            app_build_id: some("20180328030202"),
        };
        assert_eq!(Submission::parse(uri), Ok(expected.clone()));
        assert_eq!(
            Submission::parse(&uri.replace('/', "//").replace("telemetry//", "telemetry/")),
            Ok(expected)
        );
    }

    #[test]
    fn an_empty_segment_after_the_namespace_is_an_empty_document_id() {
        let parsed = Submission::parse("/submit/telemetry//update/Firefox/61.0a1").expect("a submission");
        assert_eq!(
            (parsed.document_id.as_str(), parsed.document_type),
            ("", some("update"))
        );
    }

    #[test]
    fn a_generic_uri_has_type_version_and_id() {
        let parsed = Submission::parse("/submit/eng-workflow/hgpush/1/2c3a0767-d84a-4d02-8a92-fa54a3376049")
            .expect("a submission");
        assert_eq!(parsed.document_type, some("hgpush"));
        assert_eq!(parsed.document_version, some("1"));
        assert_eq!(parsed.document_id, "2c3a0767-d84a-4d02-8a92-fa54a3376049");
        let without = Submission::parse("/submit/eng-workflow/hgpush/2c3a0767-d84a-4d02-8a92-fa54a3376049")
            .expect("a submission");
        assert_eq!((without.document_version, without.document_id.len()), (None, 36));
    }

    #[test]
    fn the_oldest_clients_send_only_the_beginning() {
        for (uri, id) in [
            ("/submit/telemetry/x", "x"),
            ("/submit/telemetry/", ""),
            ("/submit/telemetry", ""),
        ] {
            let parsed = Submission::parse(uri).expect("a submission");
            assert_eq!(
                (parsed.document_id.as_str(), parsed.document_type),
                (id, None),
                "{uri}"
            );
        }
    }

    #[test]
    fn a_malformed_namespace_is_refused() {
        for uri in [
            "/submit/Telemetry/x",
            "/submit/-a/x",
            "/submit/a_b/x",
            &format!("/submit/{}/x", "a".repeat(65)),
        ] {
            assert_eq!(Submission::parse(uri), Err(SubmissionError::Namespace), "{uri}");
        }
        for uri in [
            "/",
            "",
            "/submit",
            "/submit/",
            "/submit//",
            "/submitted/telemetry",
            "submit2",
        ] {
            assert_eq!(
                Submission::parse(uri),
                Err(SubmissionError::NotASubmission),
                "{uri}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(uri in "\\PC{0,200}") {
            let _ = Submission::parse(&uri);
            let _ = Submission::parse(&format!("/submit/telemetry/{uri}"));
        }

        #[test]
        fn every_byte_survives_percent_encoding(text in "[^/?#]{1,40}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let parsed = Submission::parse(&format!("/submit/telemetry/{encoded}")).expect("a submission");
            prop_assert_eq!(parsed.document_id, text);
        }
    }
}
