//! A set of rules as it is kept: JSON, with a version. A plan names it by number, so what stands in it never changes.

use serde::{Deserialize, Serialize};

use super::rules::{Rules, SourceRules};
use super::secret::Fingerprint;
use crate::declaration::Path;

/// The version that is written.
const VERSION: u32 = 1;

/// Rules, and of which secret the hashes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// The rules.
    pub rules: Rules,
    /// The fingerprint of the secret, once one was needed.
    pub secret: Option<Fingerprint>,
}

/// Why a kept set is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredRulesError {
    /// A newer program wrote it.
    #[error("it has version {0}, which a newer program wrote: start that one")]
    Newer(u32),
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    sources: Vec<StoredSource>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSource {
    namespace: String,
    document_type: String,
    drop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    daily: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forgets_clients: bool,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl RuleSet {
    /// As it is kept.
    ///
    /// # Panics
    /// Never: texts and lists can be written as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let sources = self
            .rules
            .iter()
            .map(|(namespace, document_type, rules)| StoredSource {
                namespace: namespace.to_owned(),
                document_type: document_type.to_owned(),
                drop: rules.drop.iter().map(ToString::to_string).collect(),
                client: rules.client.as_ref().map(ToString::to_string),
                daily: rules.daily,
                forgets_clients: rules.forgets_clients,
            });
        let stored = Stored {
            version: VERSION,
            secret: self.secret.map(|secret| secret.to_string()),
            sources: sources.collect(),
        };
        serde_json::to_string(&stored).expect("texts and lists")
    }

    /// Reads what is kept.
    ///
    /// # Errors
    /// See [`StoredRulesError`].
    pub fn parse(text: &[u8]) -> Result<Self, StoredRulesError> {
        let damaged = |what: &dyn ToString| StoredRulesError::Damaged(what.to_string());
        let version = serde_json::from_slice(text).map_err(|error| damaged(&error));
        let Version { version } = version?;
        if version != VERSION {
            return Err(StoredRulesError::Newer(version));
        }
        let stored: Stored = serde_json::from_slice(text).map_err(|error| damaged(&error))?;
        let path = |text: &String| Path::read(text).ok_or_else(|| damaged(&format!("`{text}` is no path")));
        let mut rules = Rules::default();
        for source in stored.sources {
            let drop: Vec<Path> = source.drop.iter().map(path).collect::<Result<_, _>>()?;
            let client = source.client.as_ref().map(path).transpose()?;
            let key = (source.namespace, source.document_type);
            let rule = SourceRules {
                drop,
                client,
                daily: source.daily,
                forgets_clients: source.forgets_clients,
            };
            rules.sources.insert(key, rule);
        }
        let secret = stored.secret.map(|text| {
            Fingerprint::parse(&text).ok_or_else(|| damaged(&format!("`{text}` is no fingerprint")))
        });
        Ok(Self {
            rules,
            secret: secret.transpose()?,
        })
    }
}
