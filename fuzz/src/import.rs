//! The readers of an import: they lie in the program, which is no library.

#[path = "../../highwater/src/import/attribute_map.rs"]
mod attribute_map;
#[path = "../../highwater/src/import/forms.rs"]
mod forms;
#[path = "../../highwater/src/import/heka.rs"]
mod heka;
#[path = "../../highwater/src/import/heka_frames.rs"]
mod heka_frames;
#[path = "../../highwater/src/import/line.rs"]
mod line;
#[path = "../../highwater/src/import/object.rs"]
mod object;
#[path = "../../highwater/src/import/outline.rs"]
mod outline;
#[path = "../../highwater/src/import/printed.rs"]
mod printed;
#[path = "../../highwater/src/pings/names.rs"]
mod printing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ping::Submission;
use serde_json::{Map, json};

use heka_frames::{Frame, Frames};
use line::Line;

/// Reads a line, if it is one.
pub(crate) fn read_line(data: &[u8]) -> Option<(Vec<u8>, String)> {
    let line = Line::parse(&Bytes::copy_from_slice(data)).ok()?;
    check(&line);
    Some((line.body.to_vec(), line.received.submission_date().to_string()))
}

/// Reads a file of frames to its end. Answers messages, and how many bytes were damaged.
pub(crate) fn read_frames(data: &[u8]) -> (Vec<Vec<u8>>, u64) {
    let (mut frames, mut buffer) = (Frames::new(data), Vec::new());
    let (mut messages, mut damaged) = (Vec::new(), 0);
    while let Some(frame) = frames.next(&mut buffer).expect("memory is readable") {
        match frame {
            Frame::Message(place) => messages.push(buffer[place].to_vec()),
            Frame::Damaged(bytes) => damaged += bytes,
        }
    }
    (messages, damaged)
}

/// Reads a message, if it is one.
pub(crate) fn read_message(data: &[u8]) {
    if let Ok(line) = heka::read(&Bytes::copy_from_slice(data)) {
        check(&line);
    }
}

/// What holds of every ping that is read: its URI is one, and printed with its bytes as base64 it is the same again.
fn check(line: &Line) {
    assert!(Submission::parse(&line.uri).is_ok());
    let Some(nanoseconds) = line.received.as_micros().checked_mul(1_000) else {
        return;
    };
    let mut meta = Map::new();
    let told = [
        (
            "submissionDate",
            json!(line.received.submission_date().to_string()),
        ),
        ("Timestamp", json!(nanoseconds)),
        ("uri", json!(line.uri)),
        ("recordId", json!("")),
        (printing::BODY, json!(printing::BASE64)),
    ];
    meta.extend(told.map(|(name, value)| (name.to_owned(), value)));
    for (name, shown) in printing::HEADERS {
        let mut headers = line.headers.iter();
        if let Some((_, value)) = headers.find(|(header, _)| header == name) {
            meta.insert(shown.to_owned(), json!(value));
        }
    }
    let printed = json!({"reason": "", "body": STANDARD.encode(&line.body), "meta": meta}).to_string();
    assert_eq!(Line::parse(&Bytes::from(printed)).as_ref(), Ok(line));
}
