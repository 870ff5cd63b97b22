//! The settings of an environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

use super::SettingsError;
use super::given::Given;
use super::keys::{CONFIG, Keys, PREFIX, key_of, variable_of};

/// What an environment sets, and the file that it names.
pub(super) type Environment = (BTreeMap<String, Given>, Option<PathBuf>);

/// Reads an environment; what sets nothing is warned of.
pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    keys: &Keys,
    command: &Command,
    warnings: &mut Vec<String>,
) -> Result<Environment, SettingsError> {
    let (mut given, mut config) = (BTreeMap::new(), None);
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let key = name[PREFIX.len()..].to_lowercase();
        if key == CONFIG {
            config = (!value.is_empty()).then(|| PathBuf::from(value));
            continue;
        }
        if !keys.contains(&key) {
            let hint = keys.hint(&key, variable_of);
            warnings.push(format!("{name} in the environment sets nothing; {hint}"));
            continue;
        }
        let value = value.into_string().map_err(|_| SettingsError::Value {
            origin: name.to_owned(),
            message: "the value is not UTF-8".to_owned(),
        })?;
        let values = if is_repeatable(command, &key) {
            value
                .split(',')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        } else {
            vec![value]
        };
        given.insert(
            key,
            Given {
                values,
                origin: name.to_owned(),
                from_environment: true,
            },
        );
    }
    Ok((given, config))
}

fn is_repeatable(command: &Command, key: &str) -> bool {
    let here =
        |arg: &Arg| key_of(arg).as_deref() == Some(key) && matches!(arg.get_action(), ArgAction::Append);
    command.get_arguments().any(here) || command.get_subcommands().any(|sub| is_repeatable(sub, key))
}
