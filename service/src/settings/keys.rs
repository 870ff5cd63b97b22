//! The keys that may be set: the long flags of a command and its subcommands, in snake case.

use std::collections::BTreeSet;

use clap::{Arg, Command};

/// The flag that names the settings file, and so cannot be set in it.
pub(super) const CONFIG: &str = "config";

/// What environment variables begin with.
pub(super) const PREFIX: &str = "HIGHWATER_";

/// The heading in the help of flags that are no settings: they say what one call asks for, so neither a file nor a variable
/// of the environment changes what it finds.
pub const OF_THIS_CALL: &str = "Of this call";

/// A key must be at least this similar (Jaro-Winkler) to be proposed instead of a wrong one.
const SIMILAR: f64 = 0.7;

/// The keys of a program.
#[derive(Clone, Debug)]
pub struct Keys(BTreeSet<String>);

impl Keys {
    /// The keys of a command: every long flag of it and of its subcommands except `--config` and those [`OF_THIS_CALL`].
    pub fn of(command: &Command) -> Self {
        let mut keys = BTreeSet::new();
        collect(command, &mut keys);
        keys.remove(CONFIG);
        Self(keys)
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    /// All keys, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// What to write instead of a key that does not exist.
    pub(super) fn hint(&self, wrong: &str, write: impl Fn(&str) -> String) -> String {
        let similarity = |key: &&String| strsim::jaro_winkler(&wrong.to_lowercase(), key);
        let nearest = self
            .0
            .iter()
            .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        match nearest.filter(|key| similarity(key) >= SIMILAR) {
            Some(key) => format!("did you mean {}?", write(key)),
            None => "see --help for all there are".to_owned(),
        }
    }
}

fn collect(command: &Command, keys: &mut BTreeSet<String>) {
    keys.extend(command.get_arguments().filter_map(key_of));
    for subcommand in command.get_subcommands() {
        collect(subcommand, keys);
    }
}

/// The key of an argument, if it has a long flag and is a setting.
pub(super) fn key_of(arg: &Arg) -> Option<String> {
    let is_setting = arg.get_help_heading() != Some(OF_THIS_CALL);
    arg.get_long()
        .filter(|_| is_setting)
        .map(|long| long.replace('-', "_"))
}

/// The variable of a key.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}
