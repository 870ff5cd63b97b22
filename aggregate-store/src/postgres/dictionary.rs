//! Ids of all names that the cells or users of a batch use. They are asked for anew in each transaction: behind the gate
//! nobody else makes or removes any.

use std::collections::{BTreeMap, BTreeSet};

use postgres_connections::Failure;
use sketch::Layout;
use tokio_postgres::Client;

use super::ids::number;
use super::{layouts, sets, strings};
use crate::listing::SetIds;
use crate::{AggregateError, Batch, DimensionSet};

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
    pub(super) sets: Vec<SetIds>,
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
            sets: set_ids(client, &batch.dimension_sets, &used.sets, &texts).await?,
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
        texts.extend(values(set));
    }
    texts
}

fn values(set: &DimensionSet) -> [&str; 8] {
    let DimensionSet {
        submission_date: _,
        channel,
        version,
        build_date,
        application,
        architecture,
        os,
        os_version,
        e10s,
    } = set;
    [
        channel,
        version,
        build_date,
        application,
        architecture,
        os,
        os_version,
        e10s,
    ]
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

async fn set_ids(
    client: &Client,
    table: &[DimensionSet],
    used: &[bool],
    texts: &Texts<'_>,
) -> Result<Vec<SetIds>, Failure> {
    let mut ids = vec![SetIds::default(); table.len()];
    for (position, set) in chosen(table, used) {
        ids[position] = values_of(set, texts)?;
    }
    let rows = || chosen(&ids, used).map(|(_, set)| sets::columns(set));
    let distinct: BTreeSet<[i32; 9]> = rows().collect::<Result<_, _>>()?;
    let distinct: Vec<[i32; 9]> = distinct.into_iter().collect();
    let found = sets::ids(client, &distinct).await?;
    let by_row: BTreeMap<[i32; 9], i32> = distinct.into_iter().zip(found).collect();
    for (set, _) in ids.iter_mut().zip(used).filter(|(_, used)| **used) {
        set.id = number(by_row[&sets::columns(set)?])?;
    }
    Ok(ids)
}

/// The ids of a set's values; its own is not known yet.
fn values_of(set: &DimensionSet, texts: &Texts<'_>) -> Result<SetIds, AggregateError> {
    let id = |text: &str| number(texts.id(text)?);
    Ok(SetIds {
        id: 0,
        channel: id(&set.channel)?,
        version: id(&set.version)?,
        submission_date: set.submission_date.as_yyyymmdd(),
        build_date: id(&set.build_date)?,
        application: id(&set.application)?,
        architecture: id(&set.architecture)?,
        os: id(&set.os)?,
        os_version: id(&set.os_version)?,
        e10s: id(&set.e10s)?,
    })
}
