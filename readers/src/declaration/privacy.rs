//! What is kept of a source, how long, and under which identity.

use super::fault::{Fault, short};
use super::limits::{KEEP_YEARS_MAX, PATHS_MAX};
use super::node::Node;
use super::path::Path;
use super::source::Source;
use super::table::{self, Faults, Table};

/// What is promised to the users of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Days that pings are kept; as long as the installation keeps them, if none.
    pub keep_pings: Option<i64>,
    /// Days that aggregates are kept; as long as the installation keeps them, if none.
    pub keep_aggregates: Option<i64>,
    /// Under which identity a client is known.
    pub clients: Clients,
    /// What is taken out of the stored ping.
    pub drop: Vec<Path>,
}

/// Under which identity a client is known in what is derived from its pings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clients {
    /// A keyed hash.
    #[default]
    Hashed,
    /// None: users are not counted.
    None,
    /// A hash with a key of the day, so that days cannot be joined.
    Daily,
}

const CLIENTS: [(&str, Clients); 3] = [
    ("hashed", Clients::Hashed),
    ("none", Clients::None),
    ("daily", Clients::Daily),
];

/// The keys that stand at the top of a file, and below a source of `by_source`.
pub(super) const KEYS: [&str; 3] = ["keep", "clients", "drop"];

impl Privacy {
    /// What is taken out of the stored ping in all: of a client that is known for a day only, the id, too.
    #[must_use]
    pub fn taken_out(&self, client_id: Option<&Path>) -> Vec<Path> {
        let id = client_id.filter(|_| self.clients == Clients::Daily);
        let id = id.filter(|id| !self.drop.contains(id));
        self.drop.iter().chain(id).cloned().collect()
    }

    /// What a table says, over what holds already.
    pub(super) fn read(table: Table<'_>, mut holds: Self, faults: &mut Faults) -> Self {
        if let Some(node) = table.get("keep") {
            holds.read_keep(node, faults);
        }
        if let Some(node) = table.get("clients") {
            holds.clients = table::one_of(node, "identity of clients", &CLIENTS, faults).unwrap_or_default();
        }
        if let Some(node) = table.get("drop") {
            holds.drop = read_paths(node, "`drop`", faults);
        }
        holds
    }

    fn read_keep(&mut self, node: &Node, faults: &mut Faults) {
        let Some(table) = Table::with_keys(node, "`keep`", &["pings", "aggregates"], faults) else {
            return;
        };
        if let Some(node) = table.get("pings") {
            self.keep_pings = days(node, "`keep`", faults);
        }
        if let Some(node) = table.get("aggregates") {
            self.keep_aggregates = days(node, "`keep`", faults);
        }
    }
}

/// What holds for each source.
pub(super) fn read_all(table: Table<'_>, sources: &[Source], faults: &mut Faults) -> Vec<Privacy> {
    let all = Privacy::read(table, Privacy::default(), faults);
    let mut each = vec![all.clone(); sources.len()];
    let Some(node) = table.get("by_source") else {
        return each;
    };
    let Some(by_source) = Table::of(node, "`by_source`", faults) else {
        return each;
    };
    let names: Vec<String> = sources.iter().map(ToString::to_string).collect();
    for (name, node) in by_source.entries {
        let Some(place) = names.iter().position(|known| *known == name.text) else {
            let known = names.iter().map(String::as_str);
            faults.push(Fault::unknown(name.at, "source", &name.text, known));
            continue;
        };
        if let Some(table) = Table::with_keys(node, "a source below `by_source`", &KEYS, faults) {
            each[place] = Privacy::read(table, all.clone(), faults);
        }
    }
    each
}

/// A list of paths.
pub(super) fn read_paths(node: &Node, what: &str, faults: &mut Faults) -> Vec<Path> {
    let items = table::list(node, what, PATHS_MAX, faults);
    items
        .iter()
        .filter_map(|item| table::path(item, what, faults))
        .collect()
}

/// Days of a length of time such as `7d`, `8w`, `2y`.
fn days(node: &Node, what: &str, faults: &mut Faults) -> Option<i64> {
    let word = table::text(node, what, faults)?;
    let read = word.char_indices().last().and_then(|(end, unit)| {
        let number: i64 = word[..end].parse().ok().filter(|number| *number > 0)?;
        let unit = match unit {
            'd' => 1,
            'w' => 7,
            'y' => 365,
            _ => return None,
        };
        number
            .checked_mul(unit)
            .filter(|days| *days <= KEEP_YEARS_MAX * 365)
    });
    if read.is_none() {
        let words = format!(
            "`{}` is no length of time: say days, weeks or years, as 7d, 8w, 2y, at most {KEEP_YEARS_MAX}y",
            short(word)
        );
        faults.push(Fault::new(node.at, words));
    }
    read
}
