//! What is given to a statement, numbered as it comes.

use tokio_postgres::types::{ToSql, Type};

/// Values and their types.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(Box<dyn ToSql + Sync + Send>, Type)>);

impl Given {
    /// Adds a value; answers what stands for it.
    pub(super) fn add(&mut self, value: impl ToSql + Sync + Send + 'static, of: Type) -> String {
        self.0.push((Box::new(value), of));
        format!("${}", self.0.len())
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
        let all = self.0.iter();
        all.map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone()))
            .collect()
    }
}
