//! Which sources have privacy rules, and what these say.

use std::collections::BTreeMap;

use ping::Submission;

use crate::declaration::{Clients, Declaration, Path};

/// What is done with the pings of one source before they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRules {
    /// What is taken out of the body; never nothing.
    pub(super) drop: Vec<Path>,
    /// Where the client's id is, if a hash is to stand for it: it is taken out.
    pub(super) client: Option<Path>,
    /// Whether the hash is another one each day.
    pub(super) daily: bool,
    /// Whether a hash goes that a ping bears already: nobody's users are counted, and nothing is to lead from a client to a ping.
    pub(super) forgets_clients: bool,
}

/// The rules of all sources that have any, by namespace and document type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub(super) sources: BTreeMap<(String, String), SourceRules>,
}

/// What the declarations that a program was given say of each of their sources: the rules, or that it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    sources: BTreeMap<(String, String), Option<SourceRules>>,
}

impl SourceRules {
    /// Those of the source at this place of a declaration; none where its pings are stored as they are.
    #[must_use]
    pub fn of(declaration: &Declaration, place: usize) -> Option<Self> {
        let privacy = declaration.privacy.get(place)?;
        let client = declaration.client_id.as_ref();
        let drop = privacy.taken_out(client);
        if drop.is_empty() {
            return None;
        }
        let is_dropped = |id: &&Path| drop.iter().any(|path| path.covers(id));
        let client = client
            .filter(|_| privacy.clients != Clients::None)
            .filter(is_dropped)
            .cloned();
        Some(Self {
            daily: client.is_some() && privacy.clients == Clients::Daily,
            forgets_clients: privacy.clients == Clients::None,
            drop,
            client,
        })
    }

    /// Whether a hash stands for the client.
    #[must_use]
    pub const fn hashes(&self) -> bool {
        self.client.is_some()
    }

    /// Whether the hash is another one each day.
    #[must_use]
    pub const fn is_daily(&self) -> bool {
        self.daily
    }

    /// Whether a hash goes that a ping bears already.
    #[must_use]
    pub const fn forgets_clients(&self) -> bool {
        self.forgets_clients
    }

    /// What is taken out.
    #[must_use]
    pub fn taken_out(&self) -> &[Path] {
        &self.drop
    }
}

impl Declared {
    /// What these declarations say.
    #[must_use]
    pub fn of<'d>(declarations: impl IntoIterator<Item = &'d Declaration>) -> Self {
        let mut sources = BTreeMap::new();
        for declaration in declarations {
            for (place, source) in declaration.sources.iter().enumerate() {
                let key = (source.namespace.clone(), source.document_type.clone());
                sources.insert(key, SourceRules::of(declaration, place));
            }
        }
        Self { sources }
    }
}

impl Rules {
    /// These rules after what was declared: that of a declared source is in force, and a source that is not declared keeps its own,
    /// so that a program that is started without its declarations keeps the promise.
    #[must_use]
    pub fn after(mut self, declared: &Declared) -> Self {
        for (source, rules) in &declared.sources {
            match rules {
                Some(rules) => drop(self.sources.insert(source.clone(), rules.clone())),
                None => drop(self.sources.remove(source)),
            }
        }
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether a hash stands for any client.
    #[must_use]
    pub fn hash(&self) -> bool {
        self.sources.values().any(SourceRules::hashes)
    }

    /// The rules of a submission's source.
    #[must_use]
    pub fn of(&self, submission: &Submission) -> Option<&SourceRules> {
        let document_type = submission.document_type.as_ref()?;
        let key = (submission.namespace.clone(), document_type.clone());
        self.sources.get(&key)
    }

    /// Whether any source of a namespace has rules.
    #[must_use]
    pub fn have(&self, namespace: &str) -> bool {
        self.sources.keys().any(|(known, _)| known == namespace)
    }

    /// Each source with its rules, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &SourceRules)> {
        let sources = self.sources.iter();
        sources.map(|((namespace, document_type), rules)| (namespace.as_str(), document_type.as_str(), rules))
    }
}
