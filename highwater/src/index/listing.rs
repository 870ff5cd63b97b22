//! Chunks as lines: JSON for programs, columns for a person.

use std::io::{self, Write};

use index_schema::{ChunkKind, IndexEntry};
use ping::Dimension;
use serde_json::{Map, Value, json};

use crate::cli::QueryFormat;
use crate::text::moment;

/// The columns of a table, and how wide each is at least, its head included; a longer value pushes the rest of its line.
const COLUMNS: [(Dimension, usize); 6] = [
    (Dimension::SubmissionDate, 15),
    (Dimension::DocType, 13),
    (Dimension::AppName, 10),
    (Dimension::AppUpdateChannel, 18),
    (Dimension::AppVersion, 11),
    (Dimension::AppBuildId, 14),
];

/// Prints entries.
#[derive(Debug)]
pub(super) struct Listing<W: Write> {
    output: W,
    format: QueryFormat,
    chunks: u64,
    records: u64,
    stored_bytes: u64,
}

impl<W: Write> Listing<W> {
    /// Begins; a table with its head.
    pub(super) fn new(mut output: W, format: QueryFormat) -> io::Result<Self> {
        if format == QueryFormat::Table {
            let head = COLUMNS.map(|(dimension, width)| format!("{:width$}", dimension.to_string()));
            writeln!(
                output,
                "{}  {:>9}  {:>13}  object_key",
                head.join("  "),
                "records",
                "stored_bytes"
            )?;
        }
        Ok(Self {
            output,
            format,
            chunks: 0,
            records: 0,
            stored_bytes: 0,
        })
    }

    /// One line.
    pub(super) fn print(&mut self, entry: &IndexEntry) -> io::Result<()> {
        self.chunks += 1;
        self.records = self.records.saturating_add(entry.records);
        self.stored_bytes = self.stored_bytes.saturating_add(entry.stored_bytes);
        match self.format {
            QueryFormat::Ndjson => writeln!(self.output, "{}", object(entry)),
            QueryFormat::Table => {
                let cells = COLUMNS.map(|(dimension, width)| {
                    // A value from a client may hold what a terminal obeys.
                    format!(
                        "{:width$}",
                        entry.partition.get(dimension).escape_debug().to_string()
                    )
                });
                let (records, stored) = (entry.records, entry.stored_bytes);
                writeln!(
                    self.output,
                    "{}  {records:>9}  {stored:>13}  {}",
                    cells.join("  "),
                    entry.key
                )
            }
        }
    }

    /// Ends; a table with its sums.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.format == QueryFormat::Table {
            let (chunks, records, bytes) = (self.chunks, self.records, self.stored_bytes);
            let noun = if chunks == 1 { "chunk" } else { "chunks" };
            writeln!(self.output, "{chunks} {noun}, {records} records, {bytes} bytes")?;
        }
        self.output.flush()
    }
}

fn object(entry: &IndexEntry) -> Value {
    let mut object = Map::new();
    object.insert("object_key".to_owned(), json!(entry.key));
    object.insert("chunk_id".to_owned(), json!(entry.id.to_string()));
    let kind = match entry.kind {
        ChunkKind::Pings => "pings",
        ChunkKind::Errors => "errors",
    };
    object.insert("kind".to_owned(), json!(kind));
    for dimension in Dimension::ALL {
        object.insert(dimension.to_string(), json!(entry.partition.get(dimension)));
    }
    for (name, count) in [
        ("records", entry.records),
        ("raw_bytes", entry.raw_bytes),
        ("stored_bytes", entry.stored_bytes),
        ("received_bytes", entry.received_bytes),
    ] {
        object.insert(name.to_owned(), json!(count));
    }
    for (name, time) in [
        ("received_first", entry.received_min),
        ("received_last", entry.received_max),
        ("sealed", entry.sealed),
    ] {
        object.insert(name.to_owned(), json!(moment(time)));
    }
    if entry.kind == ChunkKind::Errors {
        object.insert("error_reasons".to_owned(), json!(entry.error_reasons));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use index_schema::conformance::Dice;

    use super::*;

    fn printed(format: QueryFormat, entries: &[IndexEntry]) -> String {
        let mut bytes = Vec::new();
        let mut listing = Listing::new(&mut bytes, format).expect("begun");
        for entry in entries {
            listing.print(entry).expect("printed");
        }
        listing.finish().expect("ended");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn each_chunk_is_a_json_object_with_what_the_entry_says() {
        let entries = Dice::new(1).entries(20);
        let text = printed(QueryFormat::Ndjson, &entries);
        assert_eq!(text.lines().count(), 20);
        for (line, entry) in text.lines().zip(&entries) {
            let object: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(object["object_key"], entry.key);
            assert_eq!(object["records"], entry.records);
            for dimension in Dimension::ALL {
                assert_eq!(object[dimension.to_string()], entry.partition.get(dimension));
            }
        }
    }

    #[test]
    fn the_head_of_each_column_stands_above_its_values() {
        for (dimension, width) in COLUMNS {
            assert!(dimension.to_string().len() <= width, "{dimension}");
        }
    }

    #[test]
    fn a_table_has_a_head_a_line_a_chunk_and_their_sums() {
        let entries = Dice::new(2).entries(7);
        let text = printed(QueryFormat::Table, &entries);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 7 + 1);
        let records: u64 = entries.iter().map(|entry| entry.records).sum();
        assert!(
            lines[8].starts_with(&format!("7 chunks, {records} records, ")),
            "{}",
            lines[8]
        );
    }
}
