//! Raw pings for the API: found by the readers of the fold, each as the line that `highwater pings` prints.

use std::fmt;
use std::io::{self, Sink};
use std::sync::Arc;

use aggregator::fold::FoldSettings;
use aggregator::{PingsWanted, RawPings, TakePing};
use async_trait::async_trait;
use chunk::RecordRef;
use index_schema::Index;
use query::{FindPings, FindPingsError, PingsAsked, PingsFound};
use serde_json::{Map, Value};
use service::current::Current;
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pings::{Printer, Shape};

/// Finds them, one question after the other: each holds a frame in memory.
pub(super) struct Finder {
    store: Arc<dyn Store>,
    index: Arc<dyn Index>,
    /// Exchanged when declarations change.
    settings: Arc<Current<FoldSettings>>,
    /// Taken while one looks, on whatever thread.
    turn: Arc<Semaphore>,
}

impl fmt::Debug for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}

impl Finder {
    pub(super) fn of(
        store: Arc<dyn Store>,
        index: Arc<dyn Index>,
        settings: Arc<Current<FoldSettings>>,
    ) -> Self {
        Self {
            store,
            index,
            settings,
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

#[async_trait]
impl FindPings for Finder {
    async fn find(&self, asked: PingsAsked) -> Result<PingsFound, FindPingsError> {
        let PingsAsked {
            source,
            filters,
            sample_id,
            limit,
            bytes,
            fields,
        } = asked;
        let turn = Arc::clone(&self.turn).try_acquire_owned();
        let turn = turn.map_err(|_| FindPingsError::Busy)?;
        let wanted = PingsWanted {
            source,
            filters,
            sample_id,
        };
        let lines = Lines {
            printer: Printer::new(io::sink(), Shape::Pings),
            fields,
            limit,
            bytes,
            found: 0,
            lines: Vec::new(),
            _turn: turn,
        };
        let settings = self.settings.get().as_ref().clone();
        let pings = RawPings::new(Arc::clone(&self.store), Arc::clone(&self.index), settings);
        let (lines, looked) = pings.walk(wanted, lines).await.map_err(FindPingsError::new)?;
        Ok(PingsFound {
            lines: lines.lines,
            is_cut: looked.is_cut,
            unread: looked.unread,
        })
    }
}

/// The lines so far.
struct Lines {
    printer: Printer<Sink>,
    fields: Vec<String>,
    limit: usize,
    bytes: usize,
    found: usize,
    lines: Vec<u8>,
    /// Who asked may be gone while a frame is read: then this is what others wait for.
    _turn: OwnedSemaphorePermit,
}

impl TakePing for Lines {
    fn take(&mut self, record: &RecordRef<'_>) -> bool {
        let Some(line) = self.printer.line(record) else {
            return true;
        };
        let picked = match self.fields.as_slice() {
            [] => None,
            fields => Some(picked(&serde_json::from_str(line).unwrap_or_default(), fields)),
        };
        let line = picked.as_deref().unwrap_or(line).as_bytes();
        if self.found == self.limit || self.lines.len() + line.len() > self.bytes {
            return false;
        }
        self.lines.extend_from_slice(line);
        self.found += 1;
        true
    }
}

/// What is named of a ping, as a line.
fn picked(ping: &Value, fields: &[String]) -> String {
    let named = fields.iter().filter_map(|field| {
        let value = match field.starts_with('/') {
            true => ping.pointer(field),
            false => ping.get(field),
        };
        Some((field.clone(), value?.clone()))
    });
    let mut line = Value::Object(named.collect::<Map<_, _>>()).to_string();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_members_or_pointers_and_what_is_not_there_is_left_away() {
        let ping = json!({"a": {"b/c": [1, 2]}, "d": null, "/a": 3});
        let of = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            picked(&ping, &fields)
        };
        assert_eq!(
            of(&["d", "/a/b~1c/1", "none", "/none"]),
            "{\"/a/b~1c/1\":2,\"d\":null}\n"
        );
        assert_eq!(of(&["none"]), "{}\n");
    }
}
