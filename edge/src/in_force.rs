//! The privacy rules in force, which are exchanged beside pings that come and chunks that are made.

use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard};

use crate::privacy::{NumberedRules, Privacy};

/// The rules in force.
#[derive(Debug)]
pub(crate) struct InForce {
    privacy: RwLock<Privacy>,
}

/// For as long as this is kept, no other rules come into force.
pub(crate) struct Unchanged<'p> {
    _privacy: RwLockReadGuard<'p, Privacy>,
}

impl InForce {
    /// These, until they are exchanged.
    pub(crate) fn new(privacy: Privacy) -> Self {
        Self {
            privacy: RwLock::new(privacy),
        }
    }

    /// By which a chunk is gathered that is begun now.
    pub(crate) async fn current(&self) -> Option<Arc<NumberedRules>> {
        self.privacy.read().await.current().cloned()
    }

    /// Holds these rules in force while a plan is logged that names them; `None` where others are in force by now.
    pub(crate) async fn still(&self, rules: Option<&NumberedRules>) -> Option<Unchanged<'_>> {
        let privacy = self.privacy.read().await;
        let number = |rules: Option<&NumberedRules>| rules.map(|rules| rules.number);
        let is_same = number(privacy.current().map(AsRef::as_ref)) == number(rules);
        is_same.then_some(Unchanged { _privacy: privacy })
    }

    /// Has other rules in force: when this returns, no plan is logged any more that names those of before.
    pub(crate) async fn exchange(&self, privacy: Privacy) {
        *self.privacy.write().await = privacy;
    }
}
