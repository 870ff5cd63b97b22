//! What a question asks of cells, by ids.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::members::Members;
use super::names::id_of;
use crate::{AggregateError, CellQuery};

/// Which cells are asked for.
pub(super) struct Conditions {
    pub(super) metric: i64,
    /// The dimension sets.
    pub(super) sets: RoaringBitmap,
    label: Option<i64>,
    /// Ascending.
    processes: Option<Vec<i64>>,
}

impl Conditions {
    /// Those of a question; `None` when a name that is asked for is not stored at all.
    pub(super) fn of(connection: &Connection, query: &CellQuery) -> Result<Option<Self>, AggregateError> {
        let CellQuery {
            source,
            metric,
            filters,
            label,
            processes,
            group_by: _,
            by_process: _,
        } = query;
        let Some(metric) = id_of(connection, metric)? else {
            return Ok(None);
        };
        let label = match label {
            None => None,
            Some(label) => match id_of(connection, label)? {
                None => return Ok(None),
                known => known,
            },
        };
        let processes = processes.as_ref().map(|names| ids_of(connection, names));
        Ok(Some(Self {
            metric,
            sets: Members::matching(connection, source, filters)?,
            label,
            processes: processes.transpose()?,
        }))
    }

    /// Whether cells of this process and label are asked for.
    pub(super) fn want(&self, process: i64, label: i64) -> bool {
        let of_process = |ids: &Vec<i64>| ids.binary_search(&process).is_ok();
        self.label.is_none_or(|wanted| wanted == label) && self.processes.as_ref().is_none_or(of_process)
    }

    /// A condition in SQL on the cells `c`, with numbers only; that of the dimension sets is not in it.
    pub(super) fn sql(&self) -> String {
        let mut all = vec![format!("c.metric = {}", self.metric)];
        all.extend(self.label.map(|label| format!("c.label = {label}")));
        if let Some(processes) = &self.processes {
            let ids: Vec<String> = processes.iter().map(i64::to_string).collect();
            all.push(format!("c.process IN ({})", ids.join(",")));
        }
        all.join(" AND ")
    }
}

fn ids_of(connection: &Connection, texts: &[String]) -> Result<Vec<i64>, AggregateError> {
    let mut ids = Vec::new();
    for text in texts {
        ids.extend(id_of(connection, text)?);
    }
    ids.sort_unstable();
    Ok(ids)
}
