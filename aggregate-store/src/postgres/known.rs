//! What is known of the names of a database: texts and layouts by their ids. None is ever removed or changed, and no id is given
//! twice, so what was read once stays true for as long as the same tables answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postgres_connections::Failure;
use sketch::Layout;
use tokio_postgres::{Client, Row};

use super::limits::{KNOWN_BYTES, KNOWN_LAYOUTS, KNOWN_TEXTS};
use super::{layouts, strings};

/// What tells tables, as further columns of a row of `about a`. They are others when they were made anew or filled anew, and may be others
/// when the server was started since: by a restore, or because it is another one.
macro_rules! tables {
    () => {
        ", a.incarnation, pg_relation_filenode('highwater_aggregates.string')::BIGINT, \
         (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::BIGINT"
    };
}
pub(super) use tables;

/// Which tables answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tables {
    incarnation: Vec<u8>,
    strings: i64,
    server_started: i64,
}

impl Tables {
    /// Reads which they are, from this column on.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self, Failure> {
        Ok(Self {
            incarnation: row.try_get(first)?,
            strings: row.try_get(first + 1)?,
            server_started: row.try_get(first + 2)?,
        })
    }
}

/// Names of one database. Full, it forgets all of them, and is filled anew by what is asked for.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    /// Whose names they are.
    tables: Option<Tables>,
    ids: HashMap<Arc<str>, i32>,
    texts: HashMap<i32, Arc<str>>,
    layouts: HashMap<i32, Layout>,
    bytes: usize,
}

impl Known {
    /// The ids of these texts, `None` for what has none; what is not known is looked up, in the snapshot that is open.
    pub(super) async fn ids<'a>(
        &self,
        client: &Client,
        tables: &Tables,
        texts: BTreeSet<&'a str>,
    ) -> Result<HashMap<&'a str, Option<i32>>, Failure> {
        let mut ids = HashMap::with_capacity(texts.len());
        let mut unknown = Vec::new();
        {
            let names = self.names(tables);
            for text in texts {
                match names.ids.get(text) {
                    Some(id) => {
                        ids.insert(text, Some(*id));
                    }
                    None => unknown.push(text),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(ids);
        }
        let found = strings::stored_ids(client, &unknown).await?;
        let mut names = self.names(tables);
        for (text, id) in unknown.into_iter().zip(found) {
            if let Some(id) = id {
                names.learn(id, text);
            }
            ids.insert(text, id);
        }
        Ok(ids)
    }

    /// The text of an id, if it is known.
    pub(super) fn text(&self, tables: &Tables, id: i32) -> Option<Arc<str>> {
        self.names(tables).texts.get(&id).cloned()
    }

    /// The texts of these ids; what is not known is looked up.
    pub(super) async fn texts(
        &self,
        client: &Client,
        tables: &Tables,
        ids: BTreeSet<i32>,
    ) -> Result<HashMap<i32, Arc<str>>, Failure> {
        let mut texts = HashMap::with_capacity(ids.len());
        let mut unknown = BTreeSet::new();
        {
            let names = self.names(tables);
            for id in ids {
                match names.texts.get(&id) {
                    Some(text) => {
                        texts.insert(id, Arc::clone(text));
                    }
                    None => {
                        unknown.insert(id);
                    }
                }
            }
        }
        if unknown.is_empty() {
            return Ok(texts);
        }
        let found = strings::texts(client, unknown).await?;
        let mut names = self.names(tables);
        for (id, text) in found {
            texts.insert(id, names.learn(id, &text));
        }
        Ok(texts)
    }

    /// The layouts of these ids; what is not known is looked up.
    pub(super) async fn layouts(
        &self,
        client: &Client,
        tables: &Tables,
        ids: BTreeSet<i32>,
    ) -> Result<HashMap<i32, Layout>, Failure> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut unknown = Vec::new();
        {
            let names = self.names(tables);
            for id in ids {
                match names.layouts.get(&id) {
                    Some(layout) => {
                        found.insert(id, *layout);
                    }
                    None => unknown.push(id),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let read = layouts::of_ids(client, &unknown).await?;
        let mut names = self.names(tables);
        for (id, layout) in read {
            names.learn_layout(id, layout);
            found.insert(id, layout);
        }
        Ok(found)
    }

    /// Those of these tables: what was known of other ones is forgotten.
    fn names(&self, tables: &Tables) -> MutexGuard<'_, Names> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.tables.as_ref() != Some(tables) {
            *names = Names {
                tables: Some(tables.clone()),
                ..Names::default()
            };
        }
        names
    }
}

impl Names {
    fn learn(&mut self, id: i32, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(&id) {
            return Arc::clone(known);
        }
        if self.texts.len() >= KNOWN_TEXTS || self.bytes + text.len() > KNOWN_BYTES {
            self.ids.clear();
            self.texts.clear();
            self.bytes = 0;
        }
        let text: Arc<str> = Arc::from(text);
        self.bytes += text.len();
        self.ids.insert(Arc::clone(&text), id);
        self.texts.insert(id, Arc::clone(&text));
        text
    }

    fn learn_layout(&mut self, id: i32, layout: Layout) {
        if self.layouts.len() >= KNOWN_LAYOUTS {
            self.layouts.clear();
        }
        self.layouts.insert(id, layout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(strings: i64) -> Tables {
        Tables {
            incarnation: vec![1; 16],
            strings,
            server_started: 1,
        }
    }

    #[test]
    fn what_is_known_of_tables_is_forgotten_as_soon_as_others_answer() {
        let known = Known::default();
        known.names(&tables(1)).learn(7, "Linux");
        assert_eq!(known.text(&tables(1), 7).as_deref(), Some("Linux"));
        assert_eq!(known.text(&tables(2), 7), None);
        assert_eq!(known.text(&tables(1), 7), None, "they were not asked in between");
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_answers_by_what_it_holds() {
        let known = Known::default();
        let number = i32::try_from(KNOWN_TEXTS).expect("a small number") * 2;
        for id in 0..number {
            known.names(&tables(1)).learn(id, &format!("text {id}"));
        }
        let long = "x".repeat(KNOWN_BYTES / 3);
        for id in number..number + 7 {
            known.names(&tables(1)).learn(id, &format!("{long}{id}"));
        }
        let names = known.names(&tables(1));
        let bytes: usize = names.texts.values().map(|text| text.len()).sum();
        assert!(names.texts.len() <= KNOWN_TEXTS && bytes <= KNOWN_BYTES);
        assert_eq!((bytes, names.texts.len()), (names.bytes, names.ids.len()));
        for (id, text) in &names.texts {
            assert_eq!(names.ids.get(text), Some(id));
        }
        assert!(names.texts.contains_key(&(number + 6)), "what came last is known");
    }
}
