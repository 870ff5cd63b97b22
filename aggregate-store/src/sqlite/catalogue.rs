//! What a source has, with what is held: from the members of its values, and from the lists of what has cells.

use std::collections::BTreeSet;

use ping::SubmissionDate;
use rusqlite::{Connection, OptionalExtension, params};

use super::epochs;
use super::listing::{self, Stored};
use super::members::Members;
use super::names::{Names, id_of};
use super::present;
use super::sets::{DAY, source_id};
use crate::catalogue::EXAMPLES_MAX;
use crate::layer::Part;
use crate::stored::date;
use crate::{AboutSource, AggregateError, Listed, Source, StoredMetric};

/// Sources that have cells, ascending; of more than `limit` the first ones.
pub(super) fn sources(
    connection: &Connection,
    held: &[&Part],
    limit: usize,
) -> Result<Listed<Source>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, epoch FROM source WHERE EXISTS (SELECT 1 FROM listing WHERE listing.source = source.id)",
    )?;
    let stored = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    let epochs = epochs::read(connection)?;
    let mut sources = BTreeSet::new();
    for source in stored {
        let (name, epoch) = source?;
        let source = Source::named(&name);
        let mut pieces = epochs.pieces(&source).into_iter();
        if pieces.any(|piece| piece.source.epoch() == epoch) {
            sources.insert(source);
        }
    }
    let sets = held.iter().flat_map(|part| part.sets());
    sources.extend(sets.map(|(set, _)| set.source().in_epoch(0)));
    let left_out = sources.len().saturating_sub(limit) as u64;
    Ok(Listed {
        values: sources.into_iter().take(limit).collect(),
        left_out,
    })
}

/// Dimensions and days of a source; `None` when nothing of it is there.
pub(super) fn about(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
) -> Result<Option<AboutSource>, AggregateError> {
    let (mut dimensions, mut days) = (BTreeSet::new(), BTreeSet::new());
    if let Some(id) = source_id(connection, source)? {
        dimensions = stated(connection, id)?;
        for end in ["min", "max"] {
            let sql = format!("SELECT {end}(value) FROM set_value WHERE source = ?1 AND dimension = {DAY}");
            let day: Option<i64> = connection
                .prepare_cached(&sql)?
                .query_row([id], |row| row.get(0))?;
            days.extend(day.map(date).transpose()?);
        }
    }
    for (set, _) in held.iter().flat_map(|part| part.sets()) {
        if set.source() == source {
            days.insert(set.submission_date());
            dimensions.extend(set.values().iter().map(|(name, _)| name.as_str().to_owned()));
        }
    }
    let ends: Option<(SubmissionDate, SubmissionDate)> = days.first().copied().zip(days.last().copied());
    Ok(ends.map(|(first_day, last_day)| AboutSource {
        dimensions: dimensions.into_iter().collect(),
        first_day,
        last_day,
    }))
}

/// The dimensions that sets of a source state: from one to the next, past all values of each.
fn stated(connection: &Connection, source: i64) -> Result<BTreeSet<String>, AggregateError> {
    let mut next = connection
        .prepare_cached("SELECT min(dimension) FROM set_value WHERE source = ?1 AND dimension > ?2")?;
    let mut names = Names::new(connection);
    let (mut found, mut last) = (BTreeSet::new(), DAY);
    while let Some(dimension) = next.query_row(params![source, last], |row| row.get::<_, Option<i64>>(0))? {
        found.insert(names.string(dimension)?.to_string());
        last = dimension;
    }
    Ok(found)
}

/// Metrics of a source that have cells, ascending, those after `after`; fewer than `limit` are the last.
pub(super) fn metrics(
    connection: &Connection,
    held: &[&Part],
    source: &Source,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<StoredMetric>, AggregateError> {
    let mut after = after.map(str::to_owned);
    let mut names = Vec::new();
    while names.len() < limit {
        // One look at what is stored bears at most `limit` names; what is held lies among them or behind the last.
        let stored: Stored = listing::metrics_of(connection, source, after.as_deref(), limit)?;
        let last = match stored.values.len() == limit {
            true => stored.values.keys().next_back().map(|(_, name, _)| name.clone()),
            false => None,
        };
        let is_within = |name: &String| {
            after.as_ref().is_none_or(|after| name > after) && last.as_ref().is_none_or(|last| name <= last)
        };
        let present = present::metrics(connection, held, source, stored)?;
        names.extend(present.into_iter().filter(is_within));
        if last.is_none() {
            break;
        }
        after = last;
    }
    names.truncate(limit);
    let mut forms = Forms::new(connection, source)?;
    let forms = names.into_iter().map(|metric| {
        let examples = match forms.stored(&metric)? {
            found if found.is_empty() => held_examples(held, source, &metric),
            found => found,
        };
        let examples = examples.into_iter().collect();
        Ok(StoredMetric { metric, examples })
    });
    forms.collect()
}

type Examples = BTreeSet<(String, sketch::Layout)>;

/// Labels and layouts of stored cells.
struct Forms<'a> {
    connection: &'a Connection,
    names: Names<'a>,
    sets: roaring::RoaringBitmap,
}

impl<'a> Forms<'a> {
    fn new(connection: &'a Connection, source: &Source) -> Result<Self, AggregateError> {
        Ok(Self {
            connection,
            names: Names::new(connection),
            sets: Members::matching(connection, source, &[])?,
        })
    }

    /// Those under the first set of the source that has cells of the metric; by turns the next set of the one and of the other is looked for.
    fn stored(&mut self, metric: &str) -> Result<Examples, AggregateError> {
        let Some(metric) = id_of(self.connection, metric)? else {
            return Ok(Examples::new());
        };
        let mut next = self.connection.prepare_cached(
            "SELECT dimension_set FROM cell WHERE metric = ?1 AND dimension_set >= ?2 ORDER BY dimension_set LIMIT 1",
        )?;
        let mut from = self.sets.min();
        while let Some(wanted) = from {
            let found: Option<u32> = next
                .query_row(params![metric, wanted], |row| row.get(0))
                .optional()?;
            let Some(found) = found else { break };
            if self.sets.contains(found) {
                return self.under(metric, found);
            }
            from = self.sets.range(found..).next();
        }
        Ok(Examples::new())
    }

    fn under(&mut self, metric: i64, set: u32) -> Result<Examples, AggregateError> {
        let mut cells = self.connection.prepare_cached(
            "SELECT DISTINCT label, layout FROM cell WHERE metric = ?1 AND dimension_set = ?2 LIMIT ?3",
        )?;
        let mut rows = cells.query(params![metric, set, EXAMPLES_MAX as i64])?;
        let mut examples = Examples::new();
        while let Some(row) = rows.next()? {
            let label = self.names.string(row.get(0)?)?.to_string();
            examples.insert((label, self.names.layout(row.get(1)?)?));
        }
        Ok(examples)
    }
}

/// Those of held cells under one set.
fn held_examples(held: &[&Part], source: &Source, metric: &str) -> Examples {
    for part in held {
        let cells = part.batch().cells.iter().map(|(address, _)| part.name(address));
        let of_metric = cells.filter(|name| name.metric == metric && name.dimensions.source() == source);
        let mut of_metric = of_metric.peekable();
        if let Some(first) = of_metric.peek().map(|name| name.dimensions) {
            let under = of_metric.filter(|name| name.dimensions == first);
            let under = under.map(|name| (name.label.to_owned(), name.layout));
            return under.take(EXAMPLES_MAX).collect();
        }
    }
    Examples::new()
}
