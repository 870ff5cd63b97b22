//! What declarations of products say and pings do not: metrics that never came, dimensions with too many values.

use serde_json::{Value, json};

use super::defined::Named;

/// What was found when declarations were last held against what arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclarationNumbers {
    /// Metrics of sources whose pings arrive, which never came.
    pub never_seen: Named,
    /// Dimensions with more values than a dimension should have.
    pub crowded: Named,
}

impl DeclarationNumbers {
    pub(super) fn to_json(&self) -> Value {
        let Self { never_seen, crowded } = self;
        json!({"never_seen": never_seen.to_json(), "crowded": crowded.to_json()})
    }
}
