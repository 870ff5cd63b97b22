//! The index in SQLite and in a PostgreSQL of its own, filled with generated entries: how fast it takes chunks, and how long it
//! takes to answer.

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "chunks indexed one by one by PostgreSQL";

/// Measures both, in a full run or when asked for: filling takes minutes.
#[cfg(feature = "aws")]
pub(crate) fn measure(options: &Options, _: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rows = runtime.block_on(with::measure(options.pairs));
    Ok(rows.unwrap_or_else(|error| vec![Row::left_out(WORK, format!("{error:#}"))]))
}

/// Says what is missing.
#[cfg(not(feature = "aws"))]
pub(crate) fn measure(_: &Options, _: &Sample) -> Result<Vec<Row>> {
    super::without_aws::left_out(WORK)
}

#[cfg(feature = "aws")]
mod entries;
#[cfg(feature = "aws")]
mod with {
    use std::sync::Arc;

    use anyhow::{Context, Result};
    use index_schema::{Index, PostgresIndex, PostgresSettings, SqliteIndex};
    use postgres_for_tests::Postgres;
    use service::clock::{Clock, SystemClock};
    use service::task;

    use super::WORK;
    use super::entries::{DAYS, Generator, questions};
    use crate::outcome::{Bar, Row};
    use crate::pairs::Pairs;

    /// Entries in the index when it is asked.
    const ENTRIES: u64 = 1_000_000;
    /// Entries of one call while the index is filled.
    const BATCH: u64 = 1_000;
    /// Chunks that are inserted one by one in one run, and by how many at once.
    const SINGLES: u64 = 2_000;
    const AT_ONCE: u64 = 16;
    /// Milliseconds that all but one answer in a hundred take at most.
    const BAR_MS: f64 = 10.0;

    pub(super) async fn measure(pairs: usize) -> Result<Vec<Row>> {
        let clock = SystemClock::shared();
        let folder = tempfile::tempdir()?;
        let sqlite: Arc<dyn Index> = SqliteIndex::open(&folder.path().join("index.sqlite"))?;
        // As much as the entries take: a server of its own has a quarter of the machine's memory.
        let settings = ["fsync=on", "shared_buffers=1GB", "max_wal_size=4GB"];
        let server = Postgres::start(&settings).context("PostgreSQL is not installed")?;
        let database = server.database();
        let settings = PostgresSettings {
            pool_size: AT_ONCE as usize,
            ..PostgresSettings::new(server.url(&database))
        };
        let postgres: Arc<dyn Index> = PostgresIndex::open(settings).await?;
        let mut rows = Vec::new();
        for (name, index) in [("SQLite", &sqlite), ("PostgreSQL", &postgres)] {
            fill(&**index).await?;
            // What filling left to do is not timed: the questions are put to an index at rest.
            if name == "PostgreSQL" {
                server.sql(&database, "VACUUM ANALYZE");
                server.sql(&database, "CHECKPOINT");
            }
            rustix::fs::sync();
            for (question, selections) in questions(7) {
                let mut times = Vec::new();
                let mut most = 0;
                for selection in &selections {
                    let start = clock.monotonic();
                    let found = index.select(selection, None, 1_000).await?;
                    times.push(clock.monotonic() - start);
                    most = most.max(found.len());
                }
                times.sort_unstable();
                let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
                let work = format!("{name}, 10^6 entries, {question}: p99");
                let note = format!(
                    "{} questions, p50 {:.2} ms, slowest {:.1} ms, at most {most} entries in an answer",
                    times.len(),
                    at(50),
                    at(100)
                );
                rows.push(Row::figure(work, at(99), "ms", Some(BAR_MS)).note(note));
            }
        }
        let (mut taken, mut seed) = (Pairs::default(), 1_000);
        for _ in 0..pairs {
            let theirs = singles(&sqlite, &clock, &mut seed).await?;
            taken.push(singles(&postgres, &clock, &mut seed).await?, theirs);
        }
        let note = format!(
            "{AT_ONCE} at once, one chunk and its pending row a call, both synced; PostgreSQL on this machine, by its socket"
        );
        // Nothing is aimed at: what is more than SQLite's is for what one machine cannot.
        let row = Row::compared(WORK, "by SQLite", Bar::AtLeast(0.0), "chunks/s", taken);
        rows.push(Row { bar: None, ..row }.note(note));
        Ok(rows)
    }

    async fn fill(index: &dyn Index) -> Result<()> {
        let mut generator = Generator::new(1);
        for batch in 0..ENTRIES / BATCH {
            let day = batch * BATCH * DAYS / ENTRIES;
            let some: Vec<_> = (0..BATCH).map(|_| generator.entry(day)).collect();
            index.insert(&some).await?;
            let ids: Vec<_> = some.iter().map(|entry| entry.id).collect();
            index.settle(&ids).await?;
        }
        Ok(())
    }

    /// Chunks a second, one in each call.
    async fn singles(index: &Arc<dyn Index>, clock: &Arc<dyn Clock>, seed: &mut u64) -> Result<f64> {
        let start = clock.monotonic();
        let mut inserting = Vec::new();
        for _ in 0..AT_ONCE {
            *seed += 1;
            let (index, mut generator) = (index.clone(), Generator::new(*seed));
            inserting.push(task::spawn("inserter", async move {
                for _ in 0..SINGLES / AT_ONCE {
                    index.insert(&[generator.entry(DAYS - 1)]).await?;
                }
                anyhow::Ok(())
            }));
        }
        for inserter in inserting {
            inserter.await??;
        }
        Ok(SINGLES as f64 / (clock.monotonic() - start).as_secs_f64())
    }
}
