//! The settings file: flat TOML, each key with the line it stands on.

use std::path::{Path, PathBuf};

use toml::Value;
use toml::de::DeTable;

use super::SettingsError;
use super::keys::Keys;

/// One key of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSetting {
    /// The key.
    pub key: String,
    /// Its values as a flag would have them; more than one for an array.
    pub values: Vec<String>,
    /// The line, from 1.
    pub line: usize,
}

/// Takes the text of a settings file apart and checks its keys. The path only serves error messages.
///
/// # Errors
/// [`SettingsError::Syntax`], [`SettingsError::UnknownKey`], [`SettingsError::Value`].
pub fn read_file(path: &Path, text: &str, keys: &Keys) -> Result<Vec<FileSetting>, SettingsError> {
    let line_of = |at: usize| {
        text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1
    };
    let syntax = |error: toml::de::Error| SettingsError::Syntax {
        path: path.to_owned(),
        line: line_of(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    };
    let spans = DeTable::parse(text).map_err(syntax)?;
    let table: toml::Table = toml::from_str(text).map_err(syntax)?;
    let mut settings = Vec::new();
    for key in spans.get_ref().keys() {
        let line = line_of(key.span().start);
        let key = key.get_ref().to_string();
        if !keys.contains(&key) {
            let hint = keys.hint(&key, |nearest| format!("{nearest:?}"));
            return Err(SettingsError::UnknownKey {
                path: path.to_owned(),
                line,
                key,
                hint,
            });
        }
        let values = values_of(&table[&key]).ok_or_else(|| SettingsError::Value {
            origin: origin(path, line),
            message: format!("{key} must be a text, a number, true, false, or a list of these"),
        })?;
        settings.push(FileSetting { key, values, line });
    }
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

pub(super) fn origin(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

pub(super) fn open(path: PathBuf) -> Result<(PathBuf, String), SettingsError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(source) => Err(SettingsError::Unreadable { path, source }),
    }
}

fn values_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(value_of).collect(),
        other => value_of(other).map(|value| vec![value]),
    }
}

fn value_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}
