//! What somebody who knows SQL well does with the same partial aggregates in the same PostgreSQL: a table whose rows have lists of bins,
//! and one statement that adds a staged batch to it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aggregate_store::Batch;
use anyhow::{Result, anyhow};
use postgres_for_tests::Postgres;
use service::clock::{Clock, SystemClock};
use sketch::Cell;

/// Staged rows need not outlive a crash: they can be staged again.
const TABLES: &str = "CREATE TABLE expert (dimension_set INTEGER NOT NULL, metric INTEGER NOT NULL, process INTEGER NOT NULL, \
     label INTEGER NOT NULL, layout INTEGER NOT NULL, count BIGINT NOT NULL, sum NUMERIC NOT NULL, bounds BIGINT[] NOT NULL, \
     samples BIGINT[] NOT NULL, PRIMARY KEY (dimension_set, metric, process, label, layout)); \
     CREATE UNLOGGED TABLE staged (LIKE expert)";
/// One call, two transactions: what is staged, and what is added.
const MERGE: &str = "BEGIN; TRUNCATE staged; COPY staged FROM 'staged.tsv'; COMMIT; \
     INSERT INTO expert AS e SELECT * FROM staged ORDER BY dimension_set, metric, process, label, layout \
     ON CONFLICT (dimension_set, metric, process, label, layout) DO UPDATE SET \
     count = e.count + excluded.count, sum = e.sum + excluded.sum, \
     (bounds, samples) = (SELECT COALESCE(array_agg(bound ORDER BY bound), '{}'), COALESCE(array_agg(sample ORDER BY bound), '{}') FROM \
     (SELECT bound, sum(sample)::BIGINT AS sample FROM (SELECT * FROM unnest(e.bounds, e.samples) \
     UNION ALL SELECT * FROM unnest(excluded.bounds, excluded.samples)) AS one (bound, sample) GROUP BY bound) AS added)";

/// The table and the numbers of names in it.
pub(super) struct Expert<'a> {
    server: &'a Postgres,
    database: &'a str,
    clock: Arc<dyn Clock>,
    numbers: HashMap<String, usize>,
}

impl<'a> Expert<'a> {
    /// Makes the tables, which are empty.
    pub(super) fn begin(server: &'a Postgres, database: &'a str) -> Result<Self> {
        let made = server.try_sql(database, TABLES);
        made.map_err(|error| anyhow!("the peer's tables: {error}"))?;
        Ok(Self {
            server,
            database,
            clock: SystemClock::shared(),
            numbers: HashMap::new(),
        })
    }

    /// Adds a batch; answers the seconds from its rows, written out in a file, to the end of the transaction. That names have
    /// numbers already costs nothing here.
    pub(super) fn merge(&mut self, batch: &Batch) -> Result<f64> {
        let lines = self.lines(batch)?;
        self.server.put_file("staged.tsv", &lines);
        let begun = self.clock.monotonic();
        let merged = self.server.try_sql(self.database, MERGE);
        let took = self.clock.monotonic() - begun;
        merged.map_err(|error| anyhow!("the peer's merge: {error}"))?;
        Ok(took.as_secs_f64())
    }

    fn lines(&mut self, batch: &Batch) -> Result<String> {
        let sets: Vec<usize> = batch
            .dimension_sets
            .iter()
            .map(|set| self.number(&format!("{set:?}")))
            .collect();
        let layouts: Vec<usize> = batch
            .layouts
            .iter()
            .map(|layout| self.number(&format!("{layout:?}")))
            .collect();
        let [metrics, processes, labels] = [&batch.metrics, &batch.processes, &batch.labels]
            .map(|names| names.iter().map(|name| self.number(name)).collect::<Vec<usize>>());
        let mut lines = String::new();
        for (address, bytes) in batch.cells.iter() {
            let cell = Cell::decode(bytes)?;
            let list = |of: fn(&(i64, i128)) -> i128| {
                let numbers: Vec<String> = cell.bins().iter().map(|bin| of(bin).to_string()).collect();
                numbers.join(",")
            };
            writeln!(
                lines,
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{{{}}}\t{{{}}}",
                sets[address.dimension_set as usize],
                metrics[address.metric as usize],
                processes[address.process as usize],
                labels[address.label as usize],
                layouts[address.layout as usize],
                cell.count(),
                cell.sum(),
                list(|(bound, _)| i128::from(*bound)),
                list(|(_, samples)| *samples),
            )?;
        }
        Ok(lines)
    }

    fn number(&mut self, name: &str) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(name.to_owned()).or_insert(next)
    }
}
