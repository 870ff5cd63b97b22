//! The pings that a declaration is tried on: from files of JSON, and from lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use ping::{Submission, SubmissionDate};
use readers::declaration::Source;
use serde::de::IgnoredAny;

use crate::import::Line;

/// Bytes of one file: it lies in memory.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A ping to be explained.
pub(super) struct Sent {
    /// The file's name, and the line's number.
    pub(super) name: String,
    pub(super) body: Bytes,
    /// What its URI says, if it states one.
    pub(super) submission: Option<Submission>,
    /// Its source, if its URI says it.
    pub(super) source: Option<Source>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) received: Option<SubmissionDate>,
}

/// Reads a file; `-` is the standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Sent>> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = if name == "-" {
        io::stdin()
            .lock()
            .take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read {name}"))?;
    anyhow::ensure!(
        bytes.len() as u64 <= FILE_BYTES_MAX,
        "{name} has more than {FILE_BYTES_MAX} bytes: try some of its pings"
    );
    let bytes = Bytes::from(bytes);
    if !has_lines(path, &bytes) {
        return Ok(vec![Sent::of(name, bytes)]);
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = (1_u64..).zip(lines.map(<[u8]>::trim_ascii));
    let lines = lines.filter(|(_, line)| !line.is_empty());
    Ok(lines
        .map(|(number, line)| Sent::of(format!("{name}, line {number}"), bytes.slice_ref(line)))
        .collect())
}

/// Whether each line is a ping: by the file's name; else, if all of it is not one JSON value, and its first line is one. Of the standard
/// input whatever its first line is.
fn has_lines(path: &Path, bytes: &[u8]) -> bool {
    let ending = path.extension().unwrap_or_default();
    if ["ndjson", "jsonl"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
    {
        return true;
    }
    let bytes = bytes.trim_ascii();
    let is_value = |bytes: &[u8]| serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    !is_value(bytes) && (path.as_os_str() == "-" || is_value(&bytes[..end]))
}

impl Sent {
    /// A ping in one of the forms that `highwater import` takes, or a body alone.
    fn of(name: String, bytes: Bytes) -> Self {
        match Line::parse(&bytes) {
            Ok(line) => {
                let submission = Submission::parse(&line.uri).ok();
                Self {
                    name,
                    source: submission.as_ref().and_then(Source::of),
                    submission,
                    received: Some(line.received.submission_date()),
                    headers: line.headers,
                    body: line.body,
                }
            }
            Err(_) => Self {
                name,
                body: bytes,
                submission: None,
                source: None,
                headers: Vec::new(),
                received: None,
            },
        }
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The value of a header, its name in lower case.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(name: &str, text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let sent = read(&path).expect("readable");
        sent.iter()
            .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
            .collect()
    }

    #[test]
    fn a_file_of_json_is_one_ping_and_a_line_of_ndjson_is_one() {
        assert_eq!(bodies("one.json", "{\n \"a\": 1\n}").len(), 1);
        assert_eq!(
            bodies("two.ndjson", "{\"a\":1}\n\n{\"a\":2}\n"),
            ["{\"a\":1}", "{\"a\":2}"]
        );
    }

    #[test]
    fn lines_are_known_whatever_the_file_is_called() {
        for name in ["a.nd", "a.NDJSON", "a.ndj", "a.log", "a.json", "a"] {
            assert_eq!(bodies(name, "{\"a\":1}\n{\"a\":\n").len(), 2, "{name}");
            assert_eq!(bodies(name, "\n{\"a\":1}\n").len(), 1, "{name}");
        }
        // One ping that is cut.
        for text in ["{\n \"a\": 1,\n", "{\"a\":1", "{\"a\":\n1"] {
            assert_eq!(bodies("a.nd", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_line_may_say_its_uri_and_day() {
        let line =
            br#"{"uri": "/submit/inkpress/pages/1/x", "submissionDate": "20261101", "body": {"a": 1}}"#;
        let sent = Sent::of("x".to_owned(), Bytes::from_static(line));
        assert_eq!(
            sent.source.map(|source| source.to_string()).as_deref(),
            Some("inkpress/pages")
        );
        assert_eq!(
            sent.received.map(|day| day.to_string()).as_deref(),
            Some("20261101")
        );
        assert_eq!(sent.body, br#"{"a": 1}"#.as_slice());
    }
}
