//! Sources in their epochs, and their ids. For writing: those that are new get rows.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ping::OTHER;
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::{column, in_order};
use super::listing::text;
use super::slices::slices;
use crate::limits::COUNTED_SOURCES_MAX;
use crate::stored::unstored;
use crate::{AggregateError, Source};

const FIND: &str = "SELECT u.number, s.id FROM unnest($1, $2) WITH ORDINALITY AS u (name, epoch, number) \
     JOIN highwater_aggregates.source s ON sha256(s.name) = sha256(u.name) AND s.epoch = u.epoch";
const ADD: &str = "INSERT INTO highwater_aggregates.source (name, epoch) SELECT * FROM unnest($1, $2)";
const COUNT: &str = "SELECT count(*) FROM highwater_aggregates.source WHERE epoch = $1";
const ALL: &str = "SELECT id, name, epoch FROM highwater_aggregates.source";

/// A source that is stored: its id, and in which epoch.
pub(super) type Stored = (i32, Source);

/// The ids of these, in their order; none may be there twice.
pub(super) async fn ids(client: &Client, sources: &[&Source]) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::with_capacity(sources.len());
    for slice in slices(sources, |source| source.as_str().len()) {
        let mut found = find(client, slice).await?;
        if found.contains(&None) {
            let new = slice.iter().zip(&found).filter(|(_, id)| id.is_none());
            let new = Columns::of(new.map(|(source, _)| *source))?;
            client.execute_typed(ADD, &new.typed()).await?;
            found = find(client, slice).await?;
        }
        let all: Option<Vec<i32>> = found.into_iter().collect();
        let missing = || AggregateError::Damaged("a source that was added is missing".to_owned());
        ids.extend(all.ok_or_else(missing)?);
    }
    Ok(ids)
}

/// The ids of these for counting: what is new when there are too many counts under [`OTHER`].
pub(super) async fn counted<'a>(
    client: &Client,
    sources: BTreeSet<&'a Source>,
) -> Result<HashMap<&'a Source, i32>, Failure> {
    let sources: Vec<&Source> = sources.into_iter().collect();
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    let mut by_counted: BTreeMap<Source, Vec<&'a Source>> = BTreeMap::new();
    for slice in slices(&sources, |source| source.as_str().len()) {
        for (source, known) in slice.iter().zip(find(client, slice).await?) {
            let is_counted = known.is_some() || has_place(client, &mut places, source.epoch()).await?;
            let counted = match is_counted {
                true => (*source).clone(),
                false => Source::named(OTHER).in_epoch(source.epoch()),
            };
            by_counted.entry(counted).or_default().push(source);
        }
    }
    let named: Vec<&Source> = by_counted.keys().collect();
    let ids = ids(client, &named).await?;
    let mut counted = HashMap::with_capacity(sources.len());
    for (id, sources) in ids.into_iter().zip(by_counted.into_values()) {
        counted.extend(sources.into_iter().map(|source| (source, id)));
    }
    Ok(counted)
}

/// Whether one more source of an epoch is counted by name: then its place is taken.
async fn has_place(client: &Client, places: &mut BTreeMap<u32, u32>, epoch: u32) -> Result<bool, Failure> {
    let left = match places.entry(epoch) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => {
            let many = count(client, epoch).await?;
            unknown.insert(COUNTED_SOURCES_MAX.saturating_sub(many))
        }
    };
    let has_place = *left > 0;
    *left = left.saturating_sub(1);
    Ok(has_place)
}

/// All that are stored.
pub(super) async fn all(client: &Client) -> Result<Vec<Stored>, Failure> {
    client.query_typed(ALL, &[]).await?.iter().map(read).collect()
}

/// Reads an id, a name and an epoch.
pub(super) fn read(row: &Row) -> Result<Stored, Failure> {
    let epoch: i32 = row.try_get(2)?;
    let source = Source::named(&text(row, 1)?).in_epoch(unstored(epoch.into())?);
    Ok((row.try_get(0)?, source))
}

async fn count(client: &Client, epoch: u32) -> Result<u32, Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&column(epoch)?, Type::INT4)];
    Ok(unstored(
        client.query_typed_one(COUNT, &given).await?.try_get(0)?,
    )?)
}

async fn find(client: &Client, sources: &[&Source]) -> Result<Vec<Option<i32>>, Failure> {
    let columns = Columns::of(sources.iter().copied())?;
    in_order(&client.query_typed(FIND, &columns.typed()).await?, sources.len())
}

/// Sources as columns of a statement.
#[derive(Debug, Default)]
struct Columns<'a> {
    names: Vec<&'a [u8]>,
    epochs: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(sources: impl Iterator<Item = &'a Source>) -> Result<Self, AggregateError> {
        let mut columns = Self::default();
        for source in sources {
            columns.names.push(source.as_str().as_bytes());
            columns.epochs.push(column(source.epoch())?);
        }
        Ok(columns)
    }

    fn typed(&self) -> [(&(dyn ToSql + Sync), Type); 2] {
        [(&self.names, Type::BYTEA_ARRAY), (&self.epochs, Type::INT4_ARRAY)]
    }
}
