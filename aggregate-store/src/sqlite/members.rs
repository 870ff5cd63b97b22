//! Finds dimension sets by their values.

use ping::{SubmissionDate, UNKNOWN};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use super::names::id_of;
use super::sets::{DAY, members_of, source_id};
use crate::dimensions::{LINUX, LINUX_VERSION_CHARS};
use crate::{AggregateError, Dimension, Filter, LIST_SEPARATOR, Source, Wanted, original_os_version};

/// Finds sets by their values.
pub(super) struct Members<'a> {
    connection: &'a Connection,
    source: i64,
}

impl<'a> Members<'a> {
    /// Of a source; `None` when nothing of it is stored.
    pub(super) fn of(connection: &'a Connection, source: &Source) -> Result<Option<Self>, AggregateError> {
        let source = source_id(connection, source)?;
        Ok(source.map(|source| Self { connection, source }))
    }

    /// The sets of a source of which all of these hold.
    pub(super) fn matching(
        connection: &Connection,
        source: &Source,
        filters: &[Filter],
    ) -> Result<RoaringBitmap, AggregateError> {
        let Some(members) = Members::of(connection, source)? else {
            return Ok(RoaringBitmap::new());
        };
        let mut matching: Option<RoaringBitmap> = None;
        for filter in filters {
            let of_filter = members.of_filter(filter)?;
            let left = match matching {
                Some(matching) => matching & of_filter,
                None => of_filter,
            };
            if left.is_empty() {
                return Ok(left);
            }
            matching = Some(left);
        }
        matching.map_or_else(|| members.all(), Ok)
    }

    /// The sets of these days, both included.
    pub(super) fn of_days(
        &self,
        from: SubmissionDate,
        to: SubmissionDate,
    ) -> Result<RoaringBitmap, AggregateError> {
        self.united(
            "SELECT members FROM set_value WHERE source = ?1 AND dimension = ?2 AND value BETWEEN ?3 AND ?4",
            params![self.source, DAY, from.as_yyyymmdd(), to.as_yyyymmdd()],
        )
    }

    fn all(&self) -> Result<RoaringBitmap, AggregateError> {
        self.stating(DAY)
    }

    /// The sets that state a dimension.
    fn stating(&self, dimension: i64) -> Result<RoaringBitmap, AggregateError> {
        self.united(
            "SELECT members FROM set_value WHERE source = ?1 AND dimension = ?2",
            params![self.source, dimension],
        )
    }

    fn bearing(&self, dimension: i64, value: i64) -> Result<RoaringBitmap, AggregateError> {
        self.united(
            "SELECT members FROM set_value WHERE source = ?1 AND dimension = ?2 AND value = ?3",
            params![self.source, dimension, value],
        )
    }

    fn united(&self, sql: &str, params: impl rusqlite::Params) -> Result<RoaringBitmap, AggregateError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut united = RoaringBitmap::new();
        while let Some(row) = rows.next()? {
            united |= members_of(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        }
        Ok(united)
    }

    pub(super) fn of_filter(&self, filter: &Filter) -> Result<RoaringBitmap, AggregateError> {
        let dimension = filter.dimension.as_str();
        match &filter.wanted {
            Wanted::AnyOf(values) => self.any_of(dimension, values),
            Wanted::Between { from, to } => self.between(dimension, from.as_deref(), to.as_deref()),
            Wanted::AnyItemOf(items) => self.any_item_of(dimension, items),
            Wanted::OriginalOsVersion(version) => self.original_os_version(version),
        }
    }

    fn any_of(&self, dimension: &str, values: &[String]) -> Result<RoaringBitmap, AggregateError> {
        let mut found = RoaringBitmap::new();
        if dimension == Dimension::SUBMISSION_DATE {
            let days = values
                .iter()
                .filter_map(|text| text.parse::<SubmissionDate>().ok());
            for day in days {
                found |= self.bearing(DAY, day.as_yyyymmdd().into())?;
            }
            return Ok(found);
        }
        let name = id_of(self.connection, dimension)?;
        for value in values {
            if value == UNKNOWN {
                let stating = name.map_or_else(|| Ok(RoaringBitmap::new()), |name| self.stating(name))?;
                found |= self.all()? - stating;
            } else if let (Some(name), Some(value)) = (name, id_of(self.connection, value)?) {
                found |= self.bearing(name, value)?;
            }
        }
        Ok(found)
    }

    /// The sets that state a list with one of these items.
    fn any_item_of(&self, dimension: &str, items: &[String]) -> Result<RoaringBitmap, AggregateError> {
        let mut found = RoaringBitmap::new();
        let name = id_of(self.connection, dimension)?;
        for item in items {
            if item == UNKNOWN {
                found |= self.any_of(dimension, std::slice::from_ref(item))?;
            }
            // No item has the separator: with one it would be found where two stand side by side.
            if let Some(name) = name
                && !item.contains(LIST_SEPARATOR)
            {
                found |= self.united(
                    &format!(
                        "SELECT members FROM set_value JOIN string ON string.id = set_value.value
                         WHERE source = ?1 AND dimension = ?2
                           AND instr('{LIST_SEPARATOR}' || text || '{LIST_SEPARATOR}', '{LIST_SEPARATOR}' || ?3 || '{LIST_SEPARATOR}') > 0"
                    ),
                    params![self.source, name, item],
                )?;
            }
        }
        Ok(found)
    }

    /// The sets that state a value of this range.
    fn between(
        &self,
        dimension: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<RoaringBitmap, AggregateError> {
        const RANGE: &str = "(?3 IS NULL OR text >= ?3) AND (?4 IS NULL OR text <= ?4)";
        let (from_table, name) = match dimension {
            Dimension::SUBMISSION_DATE => (
                "(SELECT members, dimension, source, CAST(value AS TEXT) AS text FROM set_value)",
                Some(DAY),
            ),
            _ => (
                "set_value JOIN string ON string.id = set_value.value",
                id_of(self.connection, dimension)?,
            ),
        };
        let Some(name) = name else {
            return Ok(RoaringBitmap::new());
        };
        self.united(
            &format!("SELECT members FROM {from_table} WHERE source = ?1 AND dimension = ?2 AND {RANGE}"),
            params![self.source, name, from, to],
        )
    }

    /// The sets that have this version of their operating system, as the original counted it.
    fn original_os_version(&self, wanted: &str) -> Result<RoaringBitmap, AggregateError> {
        let of = |dimension, value: &str| self.any_of(dimension, &[value.to_owned()]);
        let linux = of(Dimension::OS, LINUX)?;
        let exact = of(Dimension::OS_VERSION, wanted)?;
        let mut cut = RoaringBitmap::new();
        if wanted.chars().count() < LINUX_VERSION_CHARS {
            cut = exact.clone();
        } else if let Some(name) = id_of(self.connection, Dimension::OS_VERSION)? {
            // No text that is stored has a NUL before the end of a version's beginning.
            cut = self.united(
                &format!(
                    "SELECT members FROM set_value JOIN string ON string.id = set_value.value
                     WHERE source = ?1 AND dimension = ?2 AND substr(text, 1, {LINUX_VERSION_CHARS}) = ?3"
                ),
                params![self.source, name, wanted],
            )?;
        }
        if original_os_version(LINUX, UNKNOWN) == wanted {
            cut |= of(Dimension::OS_VERSION, UNKNOWN)?;
        }
        Ok((exact - &linux) | (cut & linux))
    }
}
