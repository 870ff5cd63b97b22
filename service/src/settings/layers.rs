//! Laying file and environment under the flags: they become the defaults of a `clap` command, which then does types,
//! messages and help.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, Parser, value_parser};

use super::keys::{CONFIG, Keys, PREFIX, key_of, variable_of};
use super::{SettingsError, file};

/// Settings, and what was odd about them.
#[derive(Debug)]
pub struct Loaded<P> {
    /// The settings.
    pub settings: P,
    /// What to warn of, as soon as log lines have somewhere to go.
    pub warnings: Vec<String>,
}

/// A value set outside the command line.
#[derive(Clone, Debug)]
struct Given {
    values: Vec<String>,
    /// Where: file and line, or a variable.
    origin: String,
    from_environment: bool,
}

/// Settings of this process: its arguments, its environment, and the file that they name.
///
/// # Errors
/// See [`SettingsError`]; call its `exit`.
pub fn load_process<P: Parser>() -> Result<Loaded<P>, SettingsError> {
    load(std::env::args_os().collect(), std::env::vars_os())
}

/// Settings from arguments (the program's name first), an environment, and the file named by `--config` or
/// `HIGHWATER_CONFIG`. Each flag `--seal-age` of the parser or its subcommands is also the key `seal_age` of the file
/// and the variable `HIGHWATER_SEAL_AGE`; a flag that may be repeated takes a TOML array, or values parted by commas.
/// A key of another subcommand is no error, so that one file serves them all.
///
/// # Errors
/// See [`SettingsError`].
pub fn load<P: Parser>(
    arguments: Vec<OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded<P>, SettingsError> {
    let command = with_config(P::command());
    let keys = Keys::of(&command);
    let mut warnings = Vec::new();
    let (from_environment, config) = read_environment(environment, &keys, &command, &mut warnings)?;
    let mut given = BTreeMap::new();
    if let Some(path) = config_argument(&arguments).or(config) {
        let (path, text) = file::open(path)?;
        for setting in file::read_file(&path, &text, &keys)? {
            let origin = file::origin(&path, setting.line);
            let value = Given {
                values: setting.values,
                origin,
                from_environment: false,
            };
            given.insert(setting.key, value);
        }
    }
    given.extend(from_environment);
    for (key, value) in &given {
        check(&command, key, value)?;
    }
    let matches = apply(command, &given).try_get_matches_from(arguments)?;
    Ok(Loaded {
        settings: P::from_arg_matches(&matches)?,
        warnings,
    })
}

fn with_config(command: Command) -> Command {
    if command.get_arguments().any(|arg| arg.get_long() == Some(CONFIG)) {
        return command;
    }
    let help = "TOML file with settings: each long flag is a key, with _ for -";
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .global(true)
        .help(help);
    command.arg(config.value_parser(value_parser!(PathBuf)))
}

fn config_argument(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments
        .iter()
        .take_while(|argument| *argument != OsStr::new("--"));
    while let Some(argument) = arguments.next() {
        if argument == OsStr::new("--config") {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

type Environment = (BTreeMap<String, Given>, Option<PathBuf>);

fn read_environment(
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
            config = Some(PathBuf::from(value));
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

/// Checks a value by letting the flag of its key parse it, so that an error can name where the value stands.
fn check(command: &Command, key: &str, given: &Given) -> Result<(), SettingsError> {
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

fn truth(given: &Given) -> Option<bool> {
    match given.values.as_slice() {
        [value] if value == "true" || (given.from_environment && value == "1") => Some(true),
        [value] if value == "false" || (given.from_environment && (value == "0" || value.is_empty())) => {
            Some(false)
        }
        _ => None,
    }
}

/// Makes what was given the defaults of the flags, and names each flag's variable in its help.
fn apply(command: Command, given: &BTreeMap<String, Given>) -> Command {
    command
        .mut_args(|arg| match key_of(&arg) {
            Some(key) => {
                let value = given.get(&key);
                with_default(with_variable(arg, &key), value)
            }
            None => arg,
        })
        .mut_subcommands(|subcommand| apply(subcommand, given))
}

fn with_default(arg: Arg, given: Option<&Given>) -> Arg {
    let Some(given) = given else {
        return arg;
    };
    match arg.get_action() {
        ArgAction::SetTrue if truth(given) != Some(true) => arg,
        ArgAction::SetTrue => arg.required(false).default_value("true"),
        _ => arg.required(false).default_values(given.values.clone()),
    }
}

fn with_variable(arg: Arg, key: &str) -> Arg {
    let named = |help: &dyn std::fmt::Display| format!("{help} [env: {}]", variable_of(key));
    let short = arg.get_help().map_or_else(|| named(&""), |help| named(help));
    let long = arg.get_long_help().map(|help| named(help));
    let arg = arg.help(short.trim_start().to_owned());
    match long {
        Some(long) => arg.long_help(long),
        None => arg,
    }
}
