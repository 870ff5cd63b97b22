//! Laying file and environment under the flags: they become the defaults of a `clap` command, which then does types,
//! messages and help.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Parser, value_parser};

use super::given::{Given, check, truth};
use super::keys::{CONFIG, Keys, key_of, variable_of};
use super::{SettingsError, environment, file};

/// Settings, and what was odd about them.
#[derive(Debug)]
pub struct Loaded<P> {
    /// The settings.
    pub settings: P,
    /// What to warn of, as soon as log lines have somewhere to go.
    pub warnings: Vec<String>,
    /// The keys that were given in any layer; all others have their defaults.
    pub given: BTreeSet<String>,
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
/// A key of another subcommand is no error, so that one file serves them all. Flags under the heading
/// [`OF_THIS_CALL`](super::OF_THIS_CALL) are flags only.
///
/// # Errors
/// See [`SettingsError`].
pub fn load<P: Parser>(
    arguments: Vec<OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded<P>, SettingsError> {
    let command = with_config(P::command());
    let keys = Keys::of(&command);
    let mut warnings = Vec::new();
    let (from_environment, config) = environment::read(variables, &keys, &command, &mut warnings)?;
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
    let mut command = apply(command, &given);
    let matches = command.try_get_matches_from_mut(arguments)?;
    let mut given: BTreeSet<String> = given.into_keys().collect();
    note_flags(&command, &matches, &mut given);
    Ok(Loaded {
        settings: P::from_arg_matches(&matches)?,
        warnings,
        given,
    })
}

/// Notes the keys of the flags that stand on the command line.
fn note_flags(command: &Command, matches: &ArgMatches, given: &mut BTreeSet<String>) {
    let stands = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    given.extend(command.get_arguments().filter(stands).filter_map(key_of));
    if let Some((name, matches)) = matches.subcommand()
        && let Some(command) = command.find_subcommand(name)
    {
        note_flags(command, matches, given);
    }
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
