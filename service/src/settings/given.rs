//! A value set outside the command line, and the check that its flag could take it.

use clap::error::ErrorKind;
use clap::{ArgAction, Command};

use super::SettingsError;
use super::keys::key_of;

/// A value set outside the command line.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) values: Vec<String>,
    /// Where: file and line, or a variable.
    pub(super) origin: String,
    pub(super) from_environment: bool,
}

/// Checks a value by letting the flag of its key parse it, so that an error can name where the value stands.
pub(super) fn check(command: &Command, key: &str, given: &Given) -> Result<(), SettingsError> {
    for subcommand in command.get_subcommands() {
        check(subcommand, key, given)?;
    }
    let Some(arg) = command
        .get_arguments()
        .find(|arg| key_of(arg).as_deref() == Some(key))
    else {
        return Ok(());
    };
    let wrong = |message: String| SettingsError::Value {
        origin: given.origin.clone(),
        message,
    };
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return truth(given)
            .map(drop)
            .ok_or_else(|| wrong(format!("{key} must be true or false")));
    }
    if given.values.len() != 1 && !matches!(arg.get_action(), ArgAction::Append) {
        return Err(wrong(format!("{key} takes one value")));
    }
    let flag = arg.get_long().unwrap_or_default();
    let line = given.values.iter().map(|value| format!("--{flag}={value}"));
    let alone = command
        .clone()
        .subcommand_required(false)
        .arg_required_else_help(false);
    let alone = alone
        .mut_args(|arg| arg.required(false))
        .ignore_errors(false)
        .no_binary_name(true);
    match alone.try_get_matches_from(line) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
            Err(wrong(said(&error)))
        }
        _ => Ok(()),
    }
}

/// What clap says of a value, without its frame.
fn said(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("For more information"));
    lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a value of a flag without one says.
pub(super) fn truth(given: &Given) -> Option<bool> {
    match given.values.as_slice() {
        [value] if value == "true" || (given.from_environment && value == "1") => Some(true),
        [value] if value == "false" || (given.from_environment && (value == "0" || value.is_empty())) => {
            Some(false)
        }
        _ => None,
    }
}
