//! What a declaration promises to a product's users and is carried out before a ping is stored: members are taken out of its
//! body, and a keyed hash stands for the client. Pure.

mod redaction;
mod rules;
mod secret;
mod stored;
#[cfg(test)]
mod tests;

pub use redaction::{Redacted, Redactor};
pub use rules::{Declared, Rules, SourceRules};
pub use secret::{ClientHasher, ClientSecret, Fingerprint};
pub use stored::{RuleSet, StoredRulesError};
