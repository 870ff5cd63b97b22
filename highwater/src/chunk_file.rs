//! `highwater chunk`: looks into one chunk on disk.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;
use chunk::{ChunkReader, records, verify};
use index_schema::ChunkKind;

use crate::cli::Chunk;
use crate::pings::{Printer, Shape};

/// Runs the command.
pub(crate) fn run(command: &Chunk) -> anyhow::Result<()> {
    match command {
        Chunk::Info(chunk) => info(&chunk.file),
        Chunk::Verify(chunk) => check(&chunk.file),
        Chunk::Cat(chunk) => cat(&chunk.file),
    }
}

fn read(path: &Path) -> anyhow::Result<Bytes> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Bytes::from(bytes))
}

fn open(path: &Path) -> anyhow::Result<ChunkReader> {
    ChunkReader::new(read(path)?).with_context(|| format!("{} is no chunk that can be read", path.display()))
}

fn info(path: &Path) -> anyhow::Result<()> {
    let reader = open(path)?;
    let tail = reader.tail();
    let summary = &tail.summary;
    let mut out = io::stdout().lock();
    let mut line = |name: &str, value: String| writeln!(out, "{name:<20} {value}");
    line("chunk id", tail.id.to_string())?;
    line(
        "format",
        format!("{}.{}", summary.format_major, summary.format_minor),
    )?;
    line("written by", summary.writer.clone())?;
    line(
        "holds",
        if tail.kind == ChunkKind::Errors {
            "errored pings".to_owned()
        } else {
            "pings".to_owned()
        },
    )?;
    for (dimension, value) in tail.partition.iter() {
        line(dimension.name(), value.to_owned())?;
    }
    line("records", summary.records.to_string())?;
    line("frames", tail.data_frames.len().to_string())?;
    line("bytes received", summary.received_bytes.to_string())?;
    line("bytes raw", summary.raw_bytes.to_string())?;
    line("bytes stored", summary.data_bytes.to_string())?;
    line("received from", moment(summary.received_min_us))?;
    line("received to", moment(summary.received_max_us))?;
    line("sealed", moment(summary.sealed_us))?;
    for reason in &summary.error_reasons {
        line("errors", format!("{} {}", reason.records, reason.reason))?;
    }
    Ok(())
}

fn check(path: &Path) -> anyhow::Result<()> {
    match verify(&read(path)?) {
        Ok(verified) => {
            let summary = verified.tail.summary;
            writeln!(
                io::stdout(),
                "{}: whole: {} records, {} raw bytes",
                path.display(),
                summary.records,
                summary.raw_bytes
            )?;
            Ok(())
        }
        Err(damage) => bail!("{} is damaged: {damage}", path.display()),
    }
}

fn cat(path: &Path) -> anyhow::Result<()> {
    let mut reader = open(path)?;
    let shape = if reader.tail().kind == ChunkKind::Errors {
        Shape::Errors
    } else {
        Shape::Pings
    };
    let mut printer = Printer::new(io::stdout().lock(), shape);
    let mut raw = Vec::new();
    for number in 0..reader.frames().len() {
        reader
            .frame_into(number, &mut raw)
            .with_context(|| format!("{} is damaged", path.display()))?;
        for record in records(&raw) {
            printer.print(&record.map_err(|error| anyhow::anyhow!("{error}"))?, None)?;
        }
    }
    printer.finish()
}

fn moment(micros: i64) -> String {
    crate::text::moment(ping::Timestamp::from_micros(micros))
}
