//! A million aggregates of one channel and version in a PostgreSQL of their own: how long answers take of them through HTTP, by one
//! asker, and how fast partial aggregates are merged into them.

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "answers from a million aggregates in PostgreSQL, and merges into them";

/// Measures both, in a full run or when asked for: making the aggregates takes minutes.
#[cfg(feature = "aws")]
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(reason) = super::process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let rows = with::measure(options, sample);
    Ok(rows.unwrap_or_else(|error| vec![Row::failed(WORK, format!("{error:#}"))]))
}

/// Says what is missing.
#[cfg(not(feature = "aws"))]
pub(crate) fn measure(_: &Options, _: &Sample) -> Result<Vec<Row>> {
    super::without_aws::left_out(WORK)
}

#[cfg(feature = "aws")]
mod with {
    use std::fs::File;
    use std::io::{BufWriter, Write as _};
    use std::path::Path;
    use std::sync::Arc;

    use aggregate_store::{AggregateStore as _, Batch, Committed, PostgresAggregates};
    use anyhow::{Context, Result, ensure};
    use index_schema::{PostgresIndex, PostgresSettings};
    use postgres_for_tests::Postgres;
    use service::clock::SystemClock;
    use tokio::runtime::Runtime;

    use super::super::asking::{self, Asking, Bars, Kind, PINGS};
    use super::super::chunks::ChunkMaker;
    use super::super::expert::Expert;
    use super::super::fold::fold;
    use super::super::persist::batch;
    use super::super::process::Process;
    use crate::million::{self, Asked};
    use crate::options::Options;
    use crate::outcome::{Bar, Row};
    use crate::pairs::Pairs;
    use crate::sample::Sample;

    /// Pings of each batch that is merged.
    const MERGED: usize = 500;
    /// Questions of each kind in a round.
    const QUESTIONS: usize = 400;
    /// Aggregates a second.
    const BAR: Bar = Bar::AtLeast(50_000.0);
    /// As in use: what is confirmed is on the disk. A server of its own has a quarter of the machine's memory.
    const SETTINGS: [&str; 3] = ["fsync=on", "shared_buffers=1GB", "max_wal_size=4GB"];

    const fn bars(kind: Kind) -> Bars {
        match kind {
            Kind::Filtered => (Some(1.5), Some(5.0)),
            Kind::Grouped => (None, None),
            Kind::Labelled => (Some(5.0), None),
        }
    }

    pub(super) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let server = Postgres::start(&SETTINGS).context("PostgreSQL is not installed")?;
        let database = server.database();
        let url = server.url(&database);
        let store = runtime.block_on(async {
            PostgresIndex::open(PostgresSettings::new(url.clone())).await?;
            anyhow::Ok(PostgresAggregates::open(PostgresSettings::new(url.clone())).await?)
        })?;
        let mut maker = ChunkMaker::new()?;
        let whole = folded(&mut maker, sample, 0, PINGS)?;
        let (asked, aggregates) = (Asked::of(&whole)?, whole.cells.len());
        let folder = tempfile::tempdir()?;
        let rows = folder.path().join("rows.ndjson");
        write_rows(&whole, &rows)?;
        let engine = asking::engine(options, &rows, &asked)?;
        std::fs::remove_file(&rows)?;
        let mut expert = Expert::begin(&server, &database)?;
        expert.merge(&whole)?;
        commit(&runtime, &store, whole)?;
        // What filling left to do is not timed.
        server.sql(&database, "VACUUM ANALYZE");
        server.sql(&database, "CHECKPOINT");
        rustix::fs::sync();
        let bytes = "SELECT pg_total_relation_size('highwater_aggregates.cell')";
        let bytes: u64 = server.sql(&database, bytes).trim().parse()?;
        let program = &options.highwater;
        let process = runtime.block_on(Process::query(program, &["--index", &url, "--aggregates", &url]))?;
        let asking = Asking {
            options,
            place: "PostgreSQL: ",
            address: &process.api,
            asked: &asked,
            questions: QUESTIONS,
            engine: engine.as_ref(),
        };
        let mut table = Vec::new();
        for kind in Kind::ALL {
            table.extend(asking.ask(kind, bars(kind))?);
        }
        let bytes_of_million = bytes as f64 / aggregates as f64;
        table.push(
            Row::figure(
                "PostgreSQL: bytes of 1,000,000 aggregates",
                bytes_of_million,
                "MB",
                None,
            )
            .note(asking::describe(&asked, aggregates, bytes)),
        );
        drop(process);
        let mut merging = Merging {
            runtime: &runtime,
            store: &store,
            expert,
            maker,
            sample,
            pings: PINGS,
        };
        match merging.measure(options) {
            Ok(rows) => table.extend(rows),
            Err(error) => table.push(Row::failed(
                "PostgreSQL: merge into 1,000,000 aggregates",
                format!("{error:#}"),
            )),
        }
        Ok(table)
    }

    fn write_rows(batch: &Batch, path: &Path) -> Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        million::write_rows(batch, &mut file)?;
        Ok(file.flush()?)
    }

    /// The batch of one chunk of pings from one number on.
    fn folded(maker: &mut ChunkMaker, sample: &Sample, first: usize, pings: usize) -> Result<Batch> {
        let mut failed = None;
        // A copy of an earlier ping adds nothing.
        let numbers = sample.first_numbers(first + pings).filter(|n| *n >= first);
        let made = numbers.map_while(|n| {
            let ping = million::ping(sample, n);
            ping.map_err(|error| failed = Some(error)).ok()
        });
        let chunk = maker.write_owned(made)?;
        match failed {
            Some(error) => Err(error),
            None => batch(fold(&chunk)?, &chunk, first as u64),
        }
    }

    /// Seconds that it takes to commit a batch.
    fn commit(runtime: &Runtime, store: &Arc<PostgresAggregates>, batch: Batch) -> Result<f64> {
        let clock = SystemClock::shared();
        let begun = clock.monotonic();
        let committed = runtime.block_on(store.commit(batch))?;
        let took = clock.monotonic() - begun;
        ensure!(
            committed == Committed::Written,
            "a new chunk is written: {committed:?}"
        );
        Ok(took.as_secs_f64())
    }

    struct Merging<'a> {
        runtime: &'a Runtime,
        store: &'a Arc<PostgresAggregates>,
        expert: Expert<'a>,
        maker: ChunkMaker,
        sample: &'a Sample,
        /// That were made so far.
        pings: usize,
    }

    impl Merging<'_> {
        /// Merges batch after batch, each by both; the first warms up.
        fn measure(&mut self, options: &Options) -> Result<[Row; 2]> {
            let mut pairs = Pairs::default();
            let mut rows = Vec::new();
            for pair in 0..=options.pairs {
                let batch = folded(&mut self.maker, self.sample, self.pings, MERGED)?;
                self.pings += MERGED;
                let cells = batch.cells.len();
                let (ours, theirs) = match pair % 2 == 0 {
                    true => {
                        let ours = commit(self.runtime, self.store, batch.clone())?;
                        (ours, self.expert.merge(&batch)?)
                    }
                    false => {
                        let theirs = self.expert.merge(&batch)?;
                        (commit(self.runtime, self.store, batch)?, theirs)
                    }
                };
                if pair > 0 {
                    pairs.push(cells as f64 / ours, cells as f64 / theirs);
                    rows.push(cells);
                }
            }
            let note = format!(
                "batches of {MERGED} pings, {rows:?} aggregates, into the million, through the door of the store: with names, copies and \
                 counters, in one transaction that is on the disk. The peer is given numbers of names; it stages by COPY into a table \
                 without a log and adds by INSERT ... SELECT ... ON CONFLICT"
            );
            let work = "PostgreSQL: merge into 1,000,000 aggregates";
            let rate = Row::figure(work, pairs.ours().median, "/s", None);
            let work = "PostgreSQL: the same beside expert SQL";
            let beside = Row::compared(work, "expert SQL in the same server", BAR, "aggregates/s", pairs);
            Ok([
                Row {
                    bar: Some(BAR),
                    ..rate
                }
                .note(note),
                Row { bar: None, ..beside },
            ])
        }
    }
}
