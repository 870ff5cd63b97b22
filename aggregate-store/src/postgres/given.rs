//! What is given to a statement, numbered as it comes.

use std::collections::HashMap;

use tokio_postgres::types::{ToSql, Type};

/// Values and their types.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
    /// Ids of texts that are known; `None` of what has none.
    known: HashMap<String, Option<i32>>,
}

impl Given {
    /// Nothing yet, to a statement for which the ids of these texts were looked up.
    pub(super) fn knowing(names: &HashMap<&str, Option<i32>>) -> Self {
        let known = names.iter().map(|(text, id)| ((*text).to_owned(), *id));
        Self {
            values: Vec::new(),
            known: known.collect(),
        }
    }

    /// What is known of a text's id: `None` where it was not looked up.
    pub(super) fn known(&self, text: &str) -> Option<Option<i32>> {
        self.known.get(text).copied()
    }

    /// Adds a value; answers what stands for it.
    pub(super) fn add(&mut self, value: impl ToSql + Sync + Send + 'static, of: Type) -> String {
        self.values.push((Box::new(value), of));
        format!("${}", self.values.len())
    }

    /// Adds a text.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.add(text.as_bytes().to_vec(), Type::BYTEA)
    }

    /// Adds a list of texts.
    pub(super) fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let texts: Vec<Vec<u8>> = texts.into_iter().map(|text| text.as_bytes().to_vec()).collect();
        self.add(texts, Type::BYTEA_ARRAY)
    }

    /// All of them, as the driver takes them.
    pub(super) fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let all = self.values.iter();
        all.map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone()))
            .collect()
    }
}
