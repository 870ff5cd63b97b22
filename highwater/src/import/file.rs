//! Takes the pings of one file, inside the process that holds the log.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use edge::intake::Refusal;
use edge::{Edge, ImportedPing};
use ping::Incarnation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::task;

use super::heka;
use super::line::Line;
use super::source::{Piece, Source};

/// Bad lines that are reported one by one; the rest is only counted.
const BAD_SHOWN: usize = 1_000;

/// Lines taken at once: enough that a sync costs little, few enough that memory stays small.
const GROUP_BYTES: usize = 4 << 20;

/// As many at most, however short.
const GROUP_PIECES: usize = 100_000;

/// A line's or frame's number, and the ping in it or what is wrong with it.
type NumberedLine = (u64, Result<Line, String>);

/// When the log is full: the time that a few chunks take.
const PAUSE: Duration = Duration::from_millis(200);

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// Pings that are new.
    pub taken: u64,
    /// Lines that an earlier import of the same bytes had taken.
    pub known: u64,
    /// Lines that are no pings.
    pub bad: u64,
    /// Their numbers, and what is wrong with them; the first thousand.
    pub first_bad: Vec<(u64, String)>,
}

/// Takes a file. What was taken of the same bytes before is not taken again. When the log is full, it waits.
pub(crate) async fn import_file(
    edge: &Edge,
    path: &Path,
    mut say: impl FnMut(Value) + Send,
) -> anyhow::Result<Imported> {
    let owned = path.to_owned();
    let opened = task::blocking(move || Source::open(&owned)).await;
    let mut source = opened.with_context(|| format!("cannot read {}", path.display()))?;
    let (file, known_up_to) = (source.incarnation(), edge.import_progress(source.incarnation()));
    anyhow::ensure!(
        edge.admits_import(file),
        "{} files were imported here, and no more can be remembered: join what is left into larger files, or import it into another \
         data directory",
        edge::IMPORTED_FILES_MAX
    );
    let (mut imported, mut buffer) = (Imported::default(), Vec::new());
    loop {
        let (rest, read) = task::blocking(move || {
            let group = read_group(&mut source, buffer);
            (source, group)
        })
        .await;
        source = rest;
        let (group, bytes) = read.with_context(|| format!("cannot read {}", path.display()))?;
        if group.is_empty() {
            return Ok(imported);
        }
        let mut pings = Vec::new();
        for (line, parsed) in group {
            match parsed {
                Ok(_) if line <= known_up_to => imported.known += 1,
                Ok(ping) => pings.push(imported_ping(line, ping)),
                Err(reason) => {
                    imported.bad += 1;
                    if imported.first_bad.len() < BAD_SHOWN {
                        imported.first_bad.push((line, reason));
                    }
                }
            }
        }
        let count = pings.len() as u64;
        let added = take(edge, file, pings).await?;
        buffer = emptied(bytes);
        imported.taken += added;
        imported.known += count - added;
        let (read, whole) = source.progress();
        say(json!({"read": read, "bytes": whole, "taken": imported.taken, "bad": imported.bad}));
        anyhow::ensure!(
            edge.import_progress(file) >= known_up_to,
            "the log forgot lines of this file"
        );
    }
}

/// Lines with their numbers, some megabytes of them; none at the end. All lie in the buffer, which is handed back.
fn read_group(source: &mut Source, mut buffer: Vec<u8>) -> std::io::Result<(Vec<NumberedLine>, Bytes)> {
    let mut pieces = Vec::new();
    while buffer.len() < GROUP_BYTES {
        let Some((number, piece)) = source.next(&mut buffer)? else {
            break;
        };
        pieces.push((number, piece));
        if pieces.len() == GROUP_PIECES {
            break;
        }
    }
    let bytes = Bytes::from(buffer);
    let read = |piece| match piece {
        Piece::Line(place) => Line::parse(&bytes.slice(place)),
        Piece::Message(place) => heka::read(&bytes.slice(place)),
        Piece::Bad(why) => Err(why),
    };
    let lines = pieces.into_iter().map(|(number, piece)| (number, read(piece)));
    Ok((lines.collect(), bytes))
}

/// The memory of a group that nobody holds any more, to be used again.
fn emptied(bytes: Bytes) -> Vec<u8> {
    let memory = bytes.try_into_mut().map(Vec::from);
    let mut memory = memory.unwrap_or_default();
    memory.clear();
    memory.shrink_to(2 * GROUP_BYTES);
    memory
}

fn imported_ping(line: u64, ping: Line) -> ImportedPing {
    let Line {
        received,
        uri,
        headers,
        client_hash,
        body,
    } = ping;
    ImportedPing {
        line,
        received,
        uri: Bytes::from(uri),
        headers,
        client_hash,
        body,
    }
}

/// Has the log take lines, waiting while it is full.
async fn take(edge: &Edge, file: Incarnation, pings: Vec<ImportedPing>) -> anyhow::Result<u64> {
    let mut added = 0;
    loop {
        let done = edge.import_progress(file);
        let left: Vec<ImportedPing> = pings.iter().filter(|ping| ping.line > done).cloned().collect();
        if left.is_empty() {
            return Ok(added);
        }
        let count = left.len() as u64;
        match edge.import(file, left).await {
            Ok(new) => return Ok(added + new),
            Err(Refusal::Full { .. }) => {
                edge.seal_all();
                task::sleep(PAUSE).await;
            }
            Err(Refusal::TooLarge) => {
                let lines =
                    pings.first().map_or(0, |ping| ping.line)..=pings.last().map_or(0, |ping| ping.line);
                anyhow::bail!(
                    "one of the lines {} to {} is larger than the write-ahead log may become: raise --log-budget, or split the ping",
                    lines.start(),
                    lines.end()
                )
            }
            Err(Refusal::Unavailable | Refusal::BelowFloor) => {
                anyhow::bail!("the write-ahead log cannot be written: look at its disk, then import again")
            }
        }
        let left_now = pings
            .iter()
            .filter(|ping| ping.line > edge.import_progress(file))
            .count() as u64;
        added += count - left_now;
    }
}

#[cfg(test)]
mod tests {
    use ping::{RecordId, Timestamp};
    use sample_pings::{Mutation, Options, Population};

    use super::*;
    use crate::pings::{Printer, Shape};

    const RECEIVED: Timestamp = Timestamp::from_micros(1_485_824_523_000_004);
    const URI: &str = "/submit/telemetry/x/main/Firefox/54.0a1/nightly/20170130030205?v=4";

    /// The line that is printed of a body, if one is.
    fn printed(shape: Shape, body: &[u8], error: Option<&str>) -> Option<String> {
        let record = chunk::RecordRef {
            id: RecordId {
                incarnation: Incarnation::from_bytes([1; 16]),
                sequence: 7,
            },
            received: RECEIVED,
            submission_date: RECEIVED.submission_date(),
            uri: URI.as_bytes(),
            received_bytes: 4,
            error,
            client_hash: None,
            body,
            encoded: b"",
        };
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, shape);
        printer.print(&record, None).expect("printed");
        printer.finish().expect("printed");
        let text = String::from_utf8(out).expect("text");
        (!text.is_empty()).then_some(text)
    }

    /// A body without what stands between its tokens: slow and obvious.
    fn without_white_space(body: &[u8]) -> Vec<u8> {
        let (mut out, mut in_text, mut escaped) = (Vec::new(), false, false);
        for byte in body {
            if !in_text && byte.is_ascii_whitespace() {
                continue;
            }
            if in_text {
                in_text = escaped || *byte != b'"';
                escaped = !escaped && *byte == b'\\';
            } else {
                in_text = *byte == b'"';
            }
            out.push(*byte);
        }
        out
    }

    #[test]
    fn what_is_printed_is_imported_as_the_ping_it_was() {
        let population = Population::new(5, Options::default());
        let shape = population.ping(3, RECEIVED).body;
        let own = br#"{"body_meta" : {"meta": 1}, "meta":["x"], "m\u0065ta":null, "a" : 1.50,"a":[ ]}"#;
        let mut bodies = vec![own.to_vec(), b"{}".to_vec(), b" { } ".to_vec()];
        for (number, mutation) in Mutation::ALL.into_iter().enumerate() {
            for seed in 0..3 {
                bodies.push(mutation.apply(seed * 100 + number as u64, &shape).1);
            }
        }
        let (mut taken, mut repaired, mut left_out) = (0, 0, 0);
        for body in bodies {
            let text = String::from_utf8_lossy(&body);
            let Some(line) = printed(Shape::Pings, &body, None) else {
                left_out += 1;
                continue;
            };
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            let read = Line::parse(&Bytes::from(line.into_bytes())).expect("a line");
            assert_eq!((read.received, read.uri.as_str()), (RECEIVED, URI));
            if value["meta"]["sentBody"].is_string() {
                repaired += 1;
                assert!(read.body == body, "{text}");
            } else {
                taken += 1;
                assert!(read.body == without_white_space(&body), "{text}");
            }
        }
        assert!(
            taken > 20 && repaired > 2 && left_out > 0,
            "{taken} {repaired} {left_out}"
        );
    }

    #[test]
    fn errored_pings_are_imported_byte_for_byte() {
        for body in [b"\x1f\x8b\x08cut".as_slice(), b"", b"hello", b"{\"a\":\"\xe9\"}"] {
            let line = printed(Shape::Errors, body, Some("gzip_cut")).expect("a line");
            let read = Line::parse(&Bytes::from(line.into_bytes())).expect("a line");
            assert!(read.body == body && read.received == RECEIVED && read.uri == URI);
        }
    }
}
