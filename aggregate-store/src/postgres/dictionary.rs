//! Ids of all names that the cells or users of a batch use. They are asked for anew in each transaction: behind the gate
//! nobody else makes or removes any.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use postgres_connections::Failure;
use sketch::Layout;
use tokio_postgres::Client;

use super::ids::{column, number};
use super::sets::{StoredSet, pair};
use super::{layouts, sets, sources, strings};
use crate::listing::SetIds;
use crate::{AggregateError, Batch, Dimension, DimensionSet, Source};

/// Texts with their ids.
pub(super) struct Texts<'a> {
    texts: Vec<&'a str>,
    ids: Vec<i32>,
}

impl<'a> Texts<'a> {
    /// Asks for ids, and makes those that are new.
    pub(super) async fn of(client: &Client, texts: BTreeSet<&'a str>) -> Result<Self, Failure> {
        let texts: Vec<&str> = texts.into_iter().collect();
        let ids = strings::ids(client, &texts).await?;
        Ok(Self { texts, ids })
    }

    /// The id of one of the texts.
    pub(super) fn id(&self, text: &str) -> Result<i32, AggregateError> {
        let at = self.texts.binary_search(&text);
        let at = at.map_err(|_| AggregateError::Damaged(format!("no id was asked for `{text}`")))?;
        Ok(self.ids[at])
    }
}

/// Ids by position in the tables of a batch; 0 for what no cell uses.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) metrics: Vec<i32>,
    pub(super) processes: Vec<i32>,
    pub(super) labels: Vec<i32>,
    pub(super) layouts: Vec<i32>,
    pub(super) sets: Vec<Arc<SetIds>>,
}

/// Which positions of the tables of a batch its cells use.
struct Used {
    metrics: Vec<bool>,
    processes: Vec<bool>,
    labels: Vec<bool>,
    layouts: Vec<bool>,
    sets: Vec<bool>,
}

impl Used {
    fn of(batch: &Batch) -> Result<Self, AggregateError> {
        let mut used = Self {
            metrics: vec![false; batch.metrics.len()],
            processes: vec![false; batch.processes.len()],
            labels: vec![false; batch.labels.len()],
            layouts: vec![false; batch.layouts.len()],
            sets: vec![false; batch.dimension_sets.len()],
        };
        for (address, _) in batch.cells.iter() {
            for (table, position) in [
                (&mut used.metrics, address.metric),
                (&mut used.processes, address.process),
                (&mut used.labels, address.label),
                (&mut used.layouts, address.layout),
                (&mut used.sets, address.dimension_set),
            ] {
                let entry = table.get_mut(position as usize);
                *entry.ok_or(AggregateError::Batch(
                    "a cell names a position beyond a table's end",
                ))? = true;
            }
        }
        Ok(used)
    }
}

impl Tables {
    /// Asks for the ids of everything that the cells of a batch use, and makes those that are new.
    pub(super) async fn of(client: &Client, batch: &Batch) -> Result<Self, Failure> {
        let used = Used::of(batch)?;
        let texts = texts_of(batch, &used);
        let texts = Texts::of(client, texts).await?;
        Ok(Self {
            metrics: ids_of(&batch.metrics, &used.metrics, &texts)?,
            processes: ids_of(&batch.processes, &used.processes, &texts)?,
            labels: ids_of(&batch.labels, &used.labels, &texts)?,
            layouts: layout_ids(client, &batch.layouts, &used.layouts).await?,
            sets: chosen_set_ids(client, &batch.dimension_sets, &used.sets, &texts).await?,
        })
    }
}

fn chosen<'a, T>(items: &'a [T], used: &'a [bool]) -> impl Iterator<Item = (usize, &'a T)> {
    let all = items.iter().enumerate().zip(used);
    all.filter_map(|(item, used)| used.then_some(item))
}

fn texts_of<'a>(batch: &'a Batch, used: &'a Used) -> BTreeSet<&'a str> {
    let mut texts = BTreeSet::new();
    for (table, used) in [
        (&batch.metrics, &used.metrics),
        (&batch.processes, &used.processes),
        (&batch.labels, &used.labels),
    ] {
        texts.extend(chosen(table, used).map(|(_, text)| text.as_str()));
    }
    for (_, set) in chosen(&batch.dimension_sets, &used.sets) {
        texts.extend(texts_of_set(set));
    }
    texts
}

fn ids_of(table: &[String], used: &[bool], texts: &Texts<'_>) -> Result<Vec<i32>, AggregateError> {
    let mut ids = vec![0; table.len()];
    for (position, text) in chosen(table, used) {
        ids[position] = texts.id(text)?;
    }
    Ok(ids)
}

async fn layout_ids(client: &Client, table: &[Layout], used: &[bool]) -> Result<Vec<i32>, Failure> {
    let distinct: BTreeSet<Layout> = chosen(table, used).map(|(_, layout)| *layout).collect();
    let distinct: Vec<Layout> = distinct.into_iter().collect();
    let found = layouts::ids(client, &distinct).await?;
    let by_layout: BTreeMap<Layout, i32> = distinct.into_iter().zip(found).collect();
    let mut ids = vec![0; table.len()];
    for (position, layout) in chosen(table, used) {
        ids[position] = by_layout[layout];
    }
    Ok(ids)
}

async fn chosen_set_ids(
    client: &Client,
    table: &[DimensionSet],
    used: &[bool],
    texts: &Texts<'_>,
) -> Result<Vec<Arc<SetIds>>, Failure> {
    let used_sets: Vec<&DimensionSet> = chosen(table, used).map(|(_, set)| set).collect();
    let found = set_ids_by(client, &used_sets, texts).await?;
    let mut ids = vec![Arc::default(); table.len()];
    for ((position, _), set) in chosen(table, used).zip(found) {
        ids[position] = set;
    }
    Ok(ids)
}

/// The ids of these sets, in their order; those that are new get rows.
pub(super) async fn set_ids(client: &Client, sets: &[&DimensionSet]) -> Result<Vec<Arc<SetIds>>, Failure> {
    let texts = sets.iter().flat_map(|set| texts_of_set(set)).collect();
    let texts = Texts::of(client, texts).await?;
    set_ids_by(client, sets, &texts).await
}

async fn set_ids_by(
    client: &Client,
    sets: &[&DimensionSet],
    texts: &Texts<'_>,
) -> Result<Vec<Arc<SetIds>>, Failure> {
    let named: BTreeSet<&Source> = sets.iter().map(|set| set.source()).collect();
    let named: Vec<&Source> = named.into_iter().collect();
    let found = sources::ids(client, &named).await?;
    let sources: HashMap<&Source, i32> = named.into_iter().zip(found).collect();
    let mut rows = Vec::with_capacity(sets.len());
    for set in sets {
        rows.push(stored(set, sources[set.source()], texts)?);
    }
    let distinct: BTreeSet<&StoredSet> = rows.iter().collect();
    let distinct: Vec<StoredSet> = distinct.into_iter().cloned().collect();
    let found = sets::ids(client, &distinct).await?;
    let by_row: BTreeMap<&StoredSet, i32> = distinct.iter().zip(found).collect();
    let mut ids = Vec::with_capacity(sets.len());
    for (set, row) in sets.iter().zip(&rows) {
        ids.push(Arc::new(listed(set, row, by_row[row], texts)?));
    }
    Ok(ids)
}

/// All texts that a set is stored and listed by.
fn texts_of_set(set: &DimensionSet) -> Vec<&str> {
    let mut texts = vec![set.value(Dimension::CHANNEL), set.value(Dimension::VERSION)];
    for (dimension, value) in set.values() {
        texts.extend([dimension.as_str(), value]);
    }
    for (dimension, value, detail) in set.listed() {
        texts.extend([dimension, value]);
        texts.extend(detail);
    }
    texts
}

fn stored(set: &DimensionSet, source: i32, texts: &Texts<'_>) -> Result<StoredSet, AggregateError> {
    let values = set.values().iter();
    let pairs = values.map(|(dimension, value)| Ok(pair(texts.id(dimension.as_str())?, texts.id(value)?)));
    let mut pairs = pairs.collect::<Result<Vec<i64>, AggregateError>>()?;
    pairs.sort_unstable();
    Ok(StoredSet {
        source,
        submission_date: column(set.submission_date().as_yyyymmdd())?,
        pairs,
    })
}

fn listed(set: &DimensionSet, row: &StoredSet, id: i32, texts: &Texts<'_>) -> Result<SetIds, AggregateError> {
    let id_of = |text: &str| number(texts.id(text)?);
    let mut listed = Vec::new();
    for (dimension, value, detail) in set.listed() {
        listed.push((id_of(dimension)?, id_of(value)?, detail.map_or(Ok(0), id_of)?));
    }
    Ok(SetIds {
        id: number(id)?,
        source: number(row.source)?,
        submission_date: set.submission_date().as_yyyymmdd(),
        channel: id_of(set.value(Dimension::CHANNEL))?,
        version: id_of(set.value(Dimension::VERSION))?,
        listed,
    })
}
