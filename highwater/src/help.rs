//! Which settings the help of a command names. All commands take all, so that one file and one environment serve them; what
//! means nothing to a command that runs beside many others would only hide the few that do.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use clap::{Arg, Args, Command};

use crate::data::Data;

/// How any command logs.
const LOGGING: [&str; 2] = ["log_format", "log_filter"];

/// What every reader of a shared store needs.
const STORE: [&str; 4] = ["store", "endpoint_url", "region", "chunk_prefix"];

/// Groups of settings that a command uses, besides its own.
type Used = [&'static [&'static str]];

/// `highwater edge`.
pub(crate) const FOR_EDGES: [&[&str]; 5] = [
    &LOGGING,
    &STORE,
    &[
        "data_dir",
        "storage_class",
        "kms_key",
        "seal_age",
        "log_budget",
        "open_partitions",
        "new_partitions",
        "namespaces",
    ],
    &["dimension_schema", "seal_at_shutdown", "inflated_limit"],
    &["products", "client_secret_file", "client_secret_replaces"],
];

/// `highwater aggregate`.
pub(crate) const FOR_AGGREGATORS: [&[&str]; 6] = [
    &LOGGING,
    &STORE,
    &["index", "aggregates"],
    &["aggregates_memory", "persist_age"],
    &[
        "fold_types",
        "products",
        "definitions",
        "repeat_window_days",
        "parts_per_ping",
        "labels_per_metric",
    ],
    &["processes_per_ping", "bins_per_ping", "inflated_limit"],
];

/// `highwater query`.
pub(crate) const FOR_QUERIES: [&[&str]; 3] = [
    &LOGGING,
    &["index", "aggregates"],
    &["fold_types", "products", "definitions"],
];

/// `highwater index run` and `redrive`.
pub(crate) const FOR_INDEXERS: [&[&str]; 3] = [&LOGGING, &STORE, &["index"]];

/// `highwater index query`.
pub(crate) const FOR_INDEX_QUERIES: [&[&str]; 2] = [&LOGGING, &["data_dir", "index"]];

/// An argument, hidden if it is a setting of all commands of which this one makes no use.
pub(crate) fn only(arg: Arg, used: &Used) -> Arg {
    let id = arg.get_id().as_str();
    let is_used = used.iter().any(|group| group.contains(&id));
    let hides = common().contains(id) && !is_used;
    arg.hide(hides)
}

/// The settings that all commands take.
fn common() -> &'static BTreeSet<String> {
    static COMMON: OnceLock<BTreeSet<String>> = OnceLock::new();
    COMMON.get_or_init(|| {
        let data = Data::augment_args(Command::new("data"));
        data.get_arguments().map(|arg| arg.get_id().to_string()).collect()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The long help of a command, found by its names.
    fn help(names: &[&str]) -> String {
        let mut cli = Cli::command();
        let mut command = &mut cli;
        for name in names {
            command = command.find_subcommand_mut(name).expect("a command");
        }
        command.render_long_help().to_string()
    }

    #[test]
    fn what_a_command_uses_exists() {
        for used in [
            &FOR_EDGES[..],
            &FOR_AGGREGATORS,
            &FOR_QUERIES,
            &FOR_INDEXERS,
            &FOR_INDEX_QUERIES,
        ] {
            for id in used.iter().copied().flatten() {
                assert!(common().contains(*id), "{id}");
            }
        }
    }

    #[test]
    fn the_help_of_a_command_beside_many_others_names_what_it_uses_and_no_more() {
        for (names, has, lacks) in [
            (&["aggregate"][..], "--lease-time", "--keep-pings"),
            (&["aggregate"], "--fold-types", "--data-dir"),
            (&["query"], "--api-listen", "--store"),
            (&["edge"], "--seal-age", "--aggregates"),
            (&["edge"], "--products", "--definitions"),
            (&["index", "run"], "--every", "--persist-age"),
            (&["index", "query"], "--explain", "--seal-age"),
            (&["serve"], "--keep-pings", "--lease-time"),
        ] {
            let help = help(names);
            assert!(
                help.contains(&format!("{has} ")) || help.contains(&format!("{has}\n")),
                "{names:?} {has}"
            );
            assert!(!help.contains(&format!("{lacks} ")), "{names:?} {lacks}");
        }
    }
}
