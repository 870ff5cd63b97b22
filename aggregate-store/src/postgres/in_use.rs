//! On which days stored sources are in use, or are not: columns of a statement. What says so is [`Epochs`].

use ping::SubmissionDate;
use tokio_postgres::types::{ToSql, Type};

use super::given::Given;
use super::ids::column;
use super::sources::Stored;
use crate::{AggregateError, Days, Epochs};

/// Before all days, and behind that under which all days are counted that were deleted.
const FIRST_DAY: i32 = 1;
/// Behind all days.
const LAST_DAY: i32 = 99_999_999;
/// Under which all days are counted that were deleted.
const DELETED: i32 = 0;

/// Both ends as they are stored.
pub(super) fn numbers(days: Days) -> Result<(i32, i32), AggregateError> {
    let number = |day: SubmissionDate| column(day.as_yyyymmdd());
    Ok((
        days.first.map_or(Ok(FIRST_DAY), number)?,
        days.last.map_or(Ok(LAST_DAY), number)?,
    ))
}

/// Sources by their ids, each on days from one to another, both included.
#[derive(Debug, Default)]
pub(super) struct SourceDays {
    ids: Vec<i32>,
    firsts: Vec<i32>,
    lasts: Vec<i32>,
}

impl SourceDays {
    /// Those on which each is in use.
    pub(super) fn used<'a>(
        epochs: &Epochs,
        sources: impl IntoIterator<Item = &'a Stored>,
    ) -> Result<Self, AggregateError> {
        Self::of(epochs, sources, true)
    }

    /// Those on which another epoch of it is.
    pub(super) fn unused<'a>(
        epochs: &Epochs,
        sources: impl IntoIterator<Item = &'a Stored>,
    ) -> Result<Self, AggregateError> {
        Self::of(epochs, sources, false)
    }

    fn of<'a>(
        epochs: &Epochs,
        sources: impl IntoIterator<Item = &'a Stored>,
        is_used: bool,
    ) -> Result<Self, AggregateError> {
        let mut days = Self::default();
        for (id, source) in sources {
            for piece in epochs.pieces(source) {
                if (piece.source == *source) == is_used {
                    let (first, last) = numbers(piece.days)?;
                    days.push(*id, first, last);
                }
            }
        }
        Ok(days)
    }

    /// Those of these sources before a day.
    pub(super) fn below(ids: &[i32], day: SubmissionDate) -> Result<Self, AggregateError> {
        let mut days = Self::default();
        let last = column(day.plus_days(-1).as_yyyymmdd())?;
        for id in ids {
            days.push(*id, FIRST_DAY, last);
        }
        Ok(days)
    }

    fn push(&mut self, id: i32, first: i32, last: i32) {
        self.ids.push(id);
        self.firsts.push(first);
        self.lasts.push(last);
    }

    /// Of them only those among these.
    pub(super) fn within(&self, days: Days) -> Result<Self, AggregateError> {
        let (from, to) = numbers(days)?;
        let mut within = Self::default();
        for ((id, first), last) in self.ids.iter().zip(&self.firsts).zip(&self.lasts) {
            let (first, last) = (*first.max(&from), *last.min(&to));
            if first <= last {
                within.push(*id, first, last);
            }
        }
        Ok(within)
    }

    /// And the days that were deleted: what is counted of them was in use then.
    pub(super) fn and_deleted<'a>(mut self, sources: impl IntoIterator<Item = &'a Stored>) -> Self {
        for (id, _) in sources {
            self.push(*id, DELETED, DELETED);
        }
        self
    }

    /// As a statement takes them.
    pub(super) fn typed(&self) -> [(&(dyn ToSql + Sync), Type); 3] {
        [&self.ids, &self.firsts, &self.lasts].map(|column| (column as &(dyn ToSql + Sync), Type::INT4_ARRAY))
    }

    /// Rows of source, first_day and last_day, given to a statement.
    pub(super) fn rows(self, given: &mut Given) -> String {
        let columns = [self.ids, self.firsts, self.lasts];
        let columns = columns.map(|column| given.add(column, Type::INT4_ARRAY));
        format!("unnest({})", columns.join(", "))
    }

    /// The same, written out: for a statement that is given nothing.
    pub(super) fn literal(&self) -> String {
        let columns = [&self.ids, &self.firsts, &self.lasts].map(|column| {
            let numbers: Vec<String> = column.iter().map(i32::to_string).collect();
            format!("'{{{}}}'::INTEGER[]", numbers.join(","))
        });
        format!("unnest({})", columns.join(", "))
    }
}
