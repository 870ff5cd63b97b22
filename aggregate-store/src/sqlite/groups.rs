//! By what the cells of one question are told apart: the group of each set, its day and its build.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::fast::RandomState;
use ping::{SubmissionDate, UNKNOWN};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use super::decoded::KnownSets;
use super::names::{Names, id_of};
use super::sets::{DAY, StoredSet, members_of, source_id};
use crate::build_date::BuildDate;
use crate::stored::{date, unstored};
use crate::{AggregateError, CellQuery, Dimension, Source};

/// From so many sets on what they are is learned of all at once.
const LEARNED_SETS: u64 = 16;

/// What a set is to the cells that are summed.
#[derive(Clone, Copy)]
pub(super) struct SetInfo {
    pub(super) group: usize,
    pub(super) day: SubmissionDate,
    pub(super) build: BuildDate,
}

/// The groups that were met, by the ids of their values; a day by its number, what was not stated by none.
pub(super) struct Groups {
    /// The ids of the names of what is grouped by; [`None`] for one that no set states.
    by: Vec<Option<i64>>,
    build_date: Option<i64>,
    builds: HashMap<Option<i64>, BuildDate, RandomState>,
    known: HashMap<Vec<Option<i64>>, usize, RandomState>,
    /// The values of the set that is looked at.
    met: Vec<Option<i64>>,
    values: Vec<Vec<Option<i64>>>,
    /// Sets of which all is known, ascending.
    learned: Vec<(u32, SetInfo)>,
    /// All sets of the source, where they are kept.
    sets: Option<Arc<KnownSets>>,
}

impl Groups {
    pub(super) fn of(connection: &Connection, query: &CellQuery) -> Result<Self, AggregateError> {
        let by = query.group_by.iter().map(|dimension| match dimension.as_str() {
            Dimension::SUBMISSION_DATE => Ok(Some(DAY)),
            name => id_of(connection, name),
        });
        Ok(Self {
            by: by.collect::<Result<_, AggregateError>>()?,
            build_date: id_of(connection, Dimension::BUILD_DATE)?,
            builds: HashMap::default(),
            known: HashMap::default(),
            met: Vec::new(),
            values: Vec::new(),
            learned: Vec::new(),
            sets: None,
        })
    }

    /// Learns what many sets are from the members of each value, which are few reads where few values are told apart. Else, and of
    /// few sets, each is looked up where it is met.
    pub(super) fn learn(
        &mut self,
        connection: &Connection,
        source: &Source,
        sets: &RoaringBitmap,
        names: &mut Names<'_>,
    ) -> Result<(), AggregateError> {
        let Some(source) = source_id(connection, source)?.filter(|_| sets.len() >= LEARNED_SETS) else {
            return Ok(());
        };
        let sets_of_all: Vec<u32> = sets.iter().collect();
        let mut told: HashMap<i64, Vec<Option<i64>>> = HashMap::new();
        let mut left = sets_of_all.len();
        for dimension in self
            .by
            .iter()
            .flatten()
            .copied()
            .chain(self.build_date)
            .chain([DAY])
        {
            if let Entry::Vacant(place) = told.entry(dimension) {
                let Some(values) =
                    values_of(connection, (source, dimension), (sets, &sets_of_all), &mut left)?
                else {
                    return Ok(());
                };
                place.insert(values);
            }
        }
        for (at, set) in sets_of_all.iter().enumerate() {
            let value = |dimension: i64| told.get(&dimension).and_then(|values| values[at]);
            let day = value(DAY).ok_or_else(|| AggregateError::Damaged(format!("set {set} has no day")))?;
            let info = self.info((date(day)?, value), names)?;
            self.learned.push((*set, info));
        }
        Ok(())
    }

    /// Takes what sets are from those that are kept.
    pub(super) fn know(&mut self, sets: Arc<KnownSets>) {
        self.sets = Some(sets);
    }

    /// What a set is.
    pub(super) fn of_set(
        &mut self,
        connection: &Connection,
        id: i64,
        names: &mut Names<'_>,
    ) -> Result<SetInfo, AggregateError> {
        if let Some(sets) = self.sets.clone()
            && let Some(place) = sets.place(unstored(id)?)
        {
            let value = |dimension| sets.value(place, u32::try_from(dimension).ok()?).map(i64::from);
            return self.info((date(sets.day(place).into())?, value), names);
        }
        let learned = self.learned.binary_search_by_key(&id, |(set, _)| i64::from(*set));
        if let Ok(at) = learned {
            return Ok(self.learned[at].1);
        }
        let set = StoredSet::find(connection, id)?;
        self.info((set.submission_date, |dimension| set.value(dimension)), names)
    }

    fn info(
        &mut self,
        (day, value): (SubmissionDate, impl Fn(i64) -> Option<i64>),
        names: &mut Names<'_>,
    ) -> Result<SetInfo, AggregateError> {
        let by = self.by.iter();
        self.met.clear();
        self.met.extend(by.map(|dimension| match *dimension {
            Some(DAY) => Some(day.as_yyyymmdd().into()),
            Some(dimension) => value(dimension),
            None => None,
        }));
        let group = match self.known.get(&self.met) {
            Some(&group) => group,
            None => {
                self.values.push(self.met.clone());
                self.known.insert(self.met.clone(), self.values.len() - 1);
                self.values.len() - 1
            }
        };
        let build = self.build_date.and_then(value);
        let build = match (self.builds.get(&build), build) {
            (Some(known), _) => *known,
            (None, Some(id)) => *self
                .builds
                .entry(build)
                .or_insert(BuildDate::of(&names.string(id)?)),
            (None, None) => BuildDate::of(UNKNOWN),
        };
        Ok(SetInfo { group, day, build })
    }

    /// The values of a group.
    pub(super) fn named(&self, group: usize, names: &mut Names<'_>) -> Result<Vec<String>, AggregateError> {
        let values = self.by.iter().zip(&self.values[group]);
        values
            .map(|(dimension, value)| match (dimension, value) {
                (_, None) => Ok(UNKNOWN.to_owned()),
                (Some(DAY), Some(day)) => Ok(date(*day)?.to_string()),
                (_, Some(value)) => Ok(names.string(*value)?.to_string()),
            })
            .collect()
    }
}

/// By the places of the sets: the value of a dimension of a source. None if it has so many values that looking each set up is less to read.
fn values_of(
    connection: &Connection,
    (source, dimension): (i64, i64),
    (wanted, sets): (&RoaringBitmap, &[u32]),
    left: &mut usize,
) -> Result<Option<Vec<Option<i64>>>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT value, members FROM set_value WHERE source = ?1 AND dimension = ?2 LIMIT ?3",
    )?;
    let limit = i64::try_from(*left + 1).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![source, dimension, limit])?;
    let mut values = vec![None; sets.len()];
    while let Some(row) = rows.next()? {
        let Some(one_less) = left.checked_sub(1) else {
            return Ok(None);
        };
        *left = one_less;
        let value: i64 = row.get(0)?;
        let members = members_of(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        for set in members & wanted {
            if let Ok(at) = sets.binary_search(&set) {
                values[at] = Some(value);
            }
        }
    }
    Ok(Some(values))
}
