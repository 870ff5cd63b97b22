//! The command: selected chunks are read, one at a time, and their records selected and printed.

use std::collections::BTreeMap;
use std::io;

use aggregate_store::{AggregateReads, ErroredRow};
use anyhow::Context;
use chunk::{ChunkReader, RecordRef, records};
use index_schema::{ChunkKind, IndexEntry, Selection};
use ping::{ChunkId, Partition, RecordId, sample_id};

use super::compact::append_compact;
use super::meta::client_id;
use super::printer::{Printer, Shape};
use super::select::{Select, admits};
use super::source::Source;
use crate::cli::Pings;
use crate::text::is_broken_pipe;

/// Index entries read at once. A database may sort all that it finds anew for each page.
const ENTRIES: usize = 10_000;

/// Error rows read at once.
const ERROR_ROWS: usize = 10_000;

/// Runs the command.
pub(crate) async fn run(command: &Pings) -> anyhow::Result<()> {
    if command.errors {
        let (source, aggregates) = Source::with_reasons(&command.data).await?;
        errors(&source, aggregates.as_ref(), &command.select).await
    } else {
        pings(&Source::open(&command.data).await?, &command.select).await
    }
}

/// What is printed of the records of a chunk: those that this accepts, until it says that no more are wanted.
struct Wanted<'a> {
    select: &'a Select,
    selection: &'a Selection,
}

impl Wanted<'_> {
    fn admits(&self, partition: &Partition, record: &RecordRef<'_>) -> bool {
        let uri = String::from_utf8_lossy(record.uri);
        let sampled = |sample: u8| {
            let mut body = String::new();
            append_compact(record.body, &mut body)
                .and_then(|_| client_id(&body))
                .is_some_and(|client| sample_id(&client) == sample)
        };
        admits(
            self.selection,
            partition,
            &uri,
            record.body,
            record.submission_date,
        ) && self.select.sample_id().is_none_or(sampled)
    }
}

async fn pings(source: &Source, select: &Select) -> anyhow::Result<()> {
    let selection = select.selection(ChunkKind::Pings);
    let mut printer = Printer::new(io::stdout(), Shape::Pings);
    let read = for_each_chunk(source, &selection, select, &mut printer).await;
    let read = match select.of_bodies(ChunkKind::Pings) {
        Some(others) => {
            read.and(for_each_other_chunk(source, &selection, &others, select, &mut printer).await)
        }
        None => read,
    };
    printer.finish()?;
    read
}

/// The chunks of a selection.
async fn for_each_chunk(
    source: &Source,
    selection: &Selection,
    select: &Select,
    printer: &mut Printer<io::Stdout>,
) -> anyhow::Result<()> {
    print_chunks(source, selection, selection, |_| true, select, printer).await
}

/// The chunks whose URIs do not say what is selected by, and that were not read for the selection itself.
async fn for_each_other_chunk(
    source: &Source,
    selection: &Selection,
    others: &Selection,
    select: &Select,
    printer: &mut Printer<io::Stdout>,
) -> anyhow::Result<()> {
    let is_unread = |entry: &IndexEntry| !selection.can_match(entry);
    print_chunks(source, selection, others, is_unread, select, printer).await
}

/// Prints the records of `selection` that lie in the chunks of `chunks` that are wanted.
async fn print_chunks(
    source: &Source,
    selection: &Selection,
    chunks: &Selection,
    is_wanted: impl Fn(&IndexEntry) -> bool,
    select: &Select,
    printer: &mut Printer<io::Stdout>,
) -> anyhow::Result<()> {
    let wanted = Wanted { select, selection };
    let (mut after, mut unread): (Option<String>, u64) = (None, 0);
    loop {
        let entries = source.index.select(chunks, after.as_deref(), ENTRIES).await?;
        for entry in entries.iter().filter(|entry| is_wanted(entry)) {
            let printed = print_chunk(source, entry, printer, select.limit(), |record, _| {
                wanted.admits(&entry.partition, record).then_some(None)
            })
            .await;
            match printed {
                Err(error) if !is_broken_pipe(&error) => {
                    eprintln!("left out a chunk or its rest: {error:#}");
                    unread += 1;
                }
                other => other?,
            }
            if printer.printed() >= select.limit() {
                return all_read(unread);
            }
        }
        match entries.last() {
            Some(last) if entries.len() == ENTRIES => after = Some(last.key.clone()),
            _ => return all_read(unread),
        }
    }
}

fn all_read(unread: u64) -> anyhow::Result<()> {
    anyhow::ensure!(
        unread == 0,
        "{unread} chunks could not be read, all others were: restore them in the store"
    );
    Ok(())
}

/// Prints the records of a chunk for which `choose` (record, position) gives a reason or none, up to the limit.
async fn print_chunk<'r>(
    source: &Source,
    entry: &IndexEntry,
    printer: &mut Printer<io::Stdout>,
    limit: u64,
    mut choose: impl FnMut(&RecordRef<'_>, u32) -> Option<Option<&'r str>>,
) -> anyhow::Result<()> {
    let bytes = source.store.get(&entry.key).await?;
    let damaged = || {
        format!(
            "{} is damaged: look at it with `highwater chunk verify`",
            entry.key
        )
    };
    let mut reader = ChunkReader::new(bytes).with_context(damaged)?;
    let (mut raw, mut position) = (Vec::new(), 0);
    for number in 0..reader.frames().len() {
        reader.frame_into(number, &mut raw).with_context(damaged)?;
        for record in records(&raw) {
            let record = record.map_err(anyhow::Error::from).with_context(damaged)?;
            if printer.printed() >= limit {
                return Ok(());
            }
            if let Some(reason) = choose(&record, position) {
                printer.print(&record, reason)?;
            }
            position += 1;
        }
    }
    Ok(())
}

/// Errored pings: the records of error chunks, and those that failed in the fold, which lie in ordinary chunks.
async fn errors(source: &Source, aggregates: &dyn AggregateReads, select: &Select) -> anyhow::Result<()> {
    let selection = select.selection(ChunkKind::Errors);
    if select.of_bodies(ChunkKind::Errors).is_some() {
        eprintln!(
            "errored pings of other namespaces than telemetry are selected by app, channel, version and build id only where \
             their bodies can be read: leave these out to see all"
        );
    }
    let mut printer = Printer::new(io::stdout(), Shape::Errors);
    let read = for_each_chunk(source, &selection, select, &mut printer).await;
    let wanted = Wanted {
        select,
        selection: &selection,
    };
    for (chunk, rows) in errored_by_chunk(aggregates).await? {
        let Some(entry) = source.index.entry(chunk).await? else {
            continue;
        };
        let reasons: BTreeMap<u32, &str> = rows
            .iter()
            .map(|row| (row.position, row.reason.as_str()))
            .collect();
        print_chunk(
            source,
            &entry,
            &mut printer,
            select.limit(),
            |record, position| {
                reasons
                    .get(&position)
                    .filter(|_| wanted.admits(&entry.partition, record))
                    .map(|reason| Some(*reason))
            },
        )
        .await?;
    }
    printer.finish()?;
    read
}

async fn errored_by_chunk(
    aggregates: &dyn AggregateReads,
) -> anyhow::Result<BTreeMap<ChunkId, Vec<ErroredRow>>> {
    let mut by_chunk: BTreeMap<ChunkId, Vec<ErroredRow>> = BTreeMap::new();
    let mut after: Option<RecordId> = None;
    loop {
        let rows = aggregates.errored(after, ERROR_ROWS).await?;
        let full = rows.len() == ERROR_ROWS;
        after = rows.last().map(|row| row.record);
        for row in rows {
            by_chunk.entry(row.chunk).or_default().push(row);
        }
        if !full {
            return Ok(by_chunk);
        }
    }
}
