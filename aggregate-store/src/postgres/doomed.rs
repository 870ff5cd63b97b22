//! Dimension sets of which nothing stays: the users, the cells and the sets themselves are removed a slice at a time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use postgres_connections::Failure;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::given::Given;
use super::ids::number;
use super::in_use::SourceDays;
use super::limits::{DELETED_CELLS, DELETED_ROWS};
use super::listing::text;
use super::sets::unpaired;
use super::{dictionary, listing, strings};
use crate::listing::{Listing, SetIds};
use crate::stored::{date, unstored};
use crate::{AggregateError, Dimension, DimensionSet, Source};

/// What tells them.
pub(super) struct Doomed {
    given: Given,
    /// Their ids, as a query.
    sets: String,
}

impl Doomed {
    /// Those of days before this one.
    pub(super) fn below(day: i32) -> Self {
        let mut given = Given::default();
        let day = given.add(day, Type::INT4);
        let sets =
            format!("SELECT s.id FROM highwater_aggregates.dimension_set s WHERE s.submission_date < {day}");
        Self { given, sets }
    }

    /// Those of sources on these days.
    pub(super) fn on(days: SourceDays) -> Self {
        let mut given = Given::default();
        let sets = format!(
            "SELECT s.id FROM {} AS d (source, first_day, last_day) JOIN highwater_aggregates.dimension_set s \
             ON s.source = d.source AND s.submission_date BETWEEN d.first_day AND d.last_day",
            days.rows(&mut given)
        );
        Self { given, sets }
    }

    /// Removes users under them.
    pub(super) async fn remove_users(&self, client: &Client) -> Result<u64, Failure> {
        self.execute(
            client,
            &format!(
                "DELETE FROM highwater_aggregates.union_value WHERE ctid = ANY (ARRAY( \
                 SELECT u.ctid FROM ({}) s JOIN highwater_aggregates.union_value u ON u.dimension_set = s.id \
                 LIMIT {DELETED_ROWS}))",
                self.sets
            ),
        )
        .await
    }

    /// Removes cells under them. These are counted by what lists count them by.
    pub(super) async fn remove_cells(&self, client: &Client) -> Result<u64, Failure> {
        let sql = format!(
            "WITH doomed AS ( \
                 SELECT c.ctid FROM ({}) s JOIN highwater_aggregates.cell c ON c.dimension_set = s.id LIMIT {DELETED_CELLS} \
             ), gone AS ( \
                 DELETE FROM highwater_aggregates.cell c WHERE c.ctid = ANY (ARRAY(SELECT ctid FROM doomed)) \
                 RETURNING c.dimension_set, c.metric, c.process \
             ), counted AS ( \
                 SELECT dimension_set, metric, process, COUNT(*) AS cells FROM gone GROUP BY 1, 2, 3 \
             ) SELECT s.id, o.name, s.submission_date, s.pairs, g.metric, g.process, g.cells, o.epoch FROM counted g \
             JOIN highwater_aggregates.dimension_set s ON s.id = g.dimension_set \
             JOIN highwater_aggregates.source o ON o.id = s.source",
            self.sets
        );
        let rows = client.query_typed(&sql, &self.given.typed()).await?;
        let sets = sets_of(client, &rows).await?;
        let (mut listed, mut removed) = (Listing::default(), 0);
        for row in &rows {
            let id = |at: usize| -> Result<u32, Failure> { Ok(number(row.try_get(at)?)?) };
            let cells: i64 = row.try_get(6)?;
            listed.count(&sets[&id(0)?], id(4)?, id(5)?, -cells);
            removed += unstored::<u64>(cells)?;
        }
        listing::write(client, listed).await?;
        Ok(removed)
    }

    /// Removes those under which nothing is left.
    pub(super) async fn remove_sets(&self, client: &Client) -> Result<u64, Failure> {
        self.execute(
            client,
            &format!(
                "DELETE FROM highwater_aggregates.dimension_set d WHERE d.id = ANY (ARRAY( \
                 SELECT s.id FROM ({}) s \
                 WHERE NOT EXISTS (SELECT FROM highwater_aggregates.cell c WHERE c.dimension_set = s.id) \
                 AND NOT EXISTS (SELECT FROM highwater_aggregates.union_value u WHERE u.dimension_set = s.id) \
                 LIMIT {DELETED_ROWS}))",
                self.sets
            ),
        )
        .await
    }

    async fn execute(&self, client: &Client, sql: &str) -> Result<u64, Failure> {
        Ok(client.execute_typed(sql, &self.given.typed()).await?)
    }
}

/// The sets of removed cells by their ids, with what lists count them by.
async fn sets_of(client: &Client, rows: &[Row]) -> Result<HashMap<u32, Arc<SetIds>>, Failure> {
    let (mut pairs, mut ids) = (BTreeMap::new(), BTreeSet::new());
    for row in rows {
        let of_set: Vec<i64> = row.try_get(3)?;
        if let Entry::Vacant(entry) = pairs.entry(row.try_get::<_, i32>(0)?) {
            let of_set = of_set.into_iter().map(unpaired);
            let of_set = of_set.collect::<Result<Vec<(i32, i32)>, AggregateError>>()?;
            ids.extend(of_set.iter().flat_map(|(dimension, value)| [*dimension, *value]));
            entry.insert((row, of_set));
        }
    }
    let texts = strings::texts(client, ids).await?;
    let name = |id: i32| {
        let missing = || AggregateError::Damaged(format!("string {id} is missing"));
        texts.get(&id).ok_or_else(missing)
    };
    let mut sets = Vec::with_capacity(pairs.len());
    for (row, of_set) in pairs.into_values() {
        let mut values = Vec::with_capacity(of_set.len());
        for (dimension, value) in of_set {
            values.push((Dimension::named(name(dimension)?), name(value)?.clone()));
        }
        let day = date(row.try_get::<_, i32>(2)?.into())?;
        let source = Source::named(&text(row, 1)?).in_epoch(unstored(row.try_get::<_, i32>(7)?.into())?);
        sets.push(DimensionSet::new(source, day, values));
    }
    let sets: Vec<&DimensionSet> = sets.iter().collect();
    let ids = dictionary::set_ids(client, &sets).await?;
    Ok(ids.into_iter().map(|set| (set.id, set)).collect())
}
