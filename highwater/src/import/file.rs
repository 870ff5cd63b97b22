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

use super::line::Line;
use super::source::Source;

/// Bad lines that are reported one by one; the rest is only counted.
const BAD_SHOWN: usize = 1_000;

/// Lines taken at once: enough that a sync costs little, few enough that memory stays small.
const GROUP_BYTES: usize = 4 << 20;

/// A line's number, and the line or what is wrong with it.
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
    let mut places = Vec::new();
    while buffer.len() < GROUP_BYTES {
        let Some((number, place)) = source.next_line(&mut buffer)? else {
            break;
        };
        places.push((number, place));
    }
    let bytes = Bytes::from(buffer);
    let lines = places.into_iter();
    let lines = lines.map(|(number, place)| (number, Line::parse(&bytes.slice(place))));
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
    let Line { date, uri, body } = ping;
    ImportedPing {
        line,
        received: date.start(),
        uri: Bytes::from(uri),
        headers: Vec::new(),
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
            Err(Refusal::Unavailable) => {
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
