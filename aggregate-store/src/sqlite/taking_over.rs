//! Takes over what tables of version 3 hold, with nine fixed dimensions, into those of version 4: one source, and lists.

use ping::UNKNOWN;
use rusqlite::{Connection, params};

use super::dictionary::Dictionary;
use super::names::Names;
use super::sets::{SetRow, pack, write_members};
use super::users::{CLIENTS, NO_METRIC, USERS};
use crate::listing::{METRIC, PROCESS, SUBMISSION_DATE};
use crate::stored::{date, unstored};
use crate::{AggregateError, Dimension, DimensionSet, STANDARD_DIMENSIONS, Source};

/// The columns of a dimension set of version 3, in the order of [`STANDARD_DIMENSIONS`].
const COLUMNS: &str = "channel, version, build_date, application, architecture, os, os_version, e10s";

/// Kinds of the list of version 3, and what stands in their place.
const KINDS: [(i64, Result<i64, &str>); 8] = [
    (1, Ok(METRIC)),
    (2, Err(Dimension::APPLICATION)),
    (3, Err(Dimension::ARCHITECTURE)),
    (4, Err(Dimension::OS)),
    (5, Ok(PROCESS)),
    (6, Err(Dimension::E10S)),
    (7, Err(Dimension::BUILD_DATE)),
    (8, Ok(SUBMISSION_DATE)),
];

/// Fills the new tables. The sets keep their ids, so that cells stay as they are.
pub(super) fn take_over(connection: &Connection) -> Result<(), AggregateError> {
    let mut dictionary = Dictionary::default();
    connection.execute("INSERT INTO source (name) VALUES (?1)", [Source::TELEMETRY_MAIN])?;
    let source = unstored(connection.last_insert_rowid())?;
    dictionary.know_source(Source::telemetry_main(), source);
    take_over_sets(connection, &mut dictionary, source)?;
    let mut list = connection.prepare(
        "INSERT INTO listing_4 (source, channel, version, dimension, value, detail, cells)
         SELECT ?1, channel, version, ?2, value, detail, cells FROM listing WHERE kind = ?3",
    )?;
    for (kind, place) in KINDS {
        let dimension = match place {
            Ok(dimension) => dimension,
            Err(name) => dictionary.string(connection, name)?.into(),
        };
        list.execute(params![source, dimension, kind])?;
    }
    take_over_users(connection, &mut dictionary)
}

fn take_over_sets(
    connection: &Connection,
    dictionary: &mut Dictionary,
    source: u32,
) -> Result<(), AggregateError> {
    let unknown = dictionary.string(connection, UNKNOWN)?;
    let mut names = [0; STANDARD_DIMENSIONS.len()];
    for (id, name) in names.iter_mut().zip(STANDARD_DIMENSIONS) {
        *id = dictionary.string(connection, name)?;
    }
    let mut find = connection.prepare(&format!(
        "SELECT id, submission_date, {COLUMNS} FROM dimension_set"
    ))?;
    let mut put = connection.prepare(
        "INSERT INTO dimension_set_4 (id, source, submission_date, packed) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut rows = find.query([])?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        let mut pairs = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            pairs.push((*name, row.get::<_, u32>(at + 2)?));
        }
        pairs.retain(|(_, value)| *value != unknown);
        pairs.sort_unstable();
        let set = SetRow {
            id: unstored(row.get(0)?)?,
            source,
            submission_date: unstored(row.get(1)?)?,
            pairs,
        };
        put.execute(params![set.id, source, set.submission_date, pack(&set.pairs)])?;
        sets.push(set);
        if sets.len() == SETS_AT_A_TIME {
            write_members(connection, &std::mem::take(&mut sets))?;
        }
    }
    write_members(connection, &sets)
}

/// Sets whose members are noted together: so many are held in memory.
const SETS_AT_A_TIME: usize = 100_000;

fn take_over_users(connection: &Connection, dictionary: &mut Dictionary) -> Result<(), AggregateError> {
    let mut find =
        connection.prepare("SELECT submission_date, application, channel, version, os, image FROM users")?;
    let mut put = connection.prepare(
        "INSERT INTO union_value (kind, projection, dimension_set, metric, image) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut rows = find.query([])?;
    let mut names = Names::new(connection);
    while let Some(row) = rows.next()? {
        let dimensions = [
            Dimension::APPLICATION,
            Dimension::CHANNEL,
            Dimension::VERSION,
            Dimension::OS,
        ];
        let mut values = Vec::new();
        for (at, name) in (1..).zip(dimensions) {
            values.push((Dimension::named(name), names.string(row.get(at)?)?.to_string()));
        }
        let set = DimensionSet::new(Source::telemetry_main(), date(row.get(0)?)?, values);
        let set = dictionary.dimension_set_in(connection, "dimension_set_4", &set)?;
        let image = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        put.execute(params![CLIENTS, USERS, set.id, NO_METRIC, image])?;
    }
    dictionary.write_members(connection)?;
    Ok(())
}
