//! Where pings of one shape come from: namespace and document type.

use std::fmt;
use std::sync::Arc;

/// A source by its true name, `<namespace>/<document type>`, as in the submission URI: `telemetry/main`; in one of its epochs.
///
/// An epoch is what one fold of all its pings made: the first has number 0, and each rebuild makes another one. Who asks names the first
/// and is answered from the [epochs in use](crate::Epochs).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    name: Arc<str>,
    epoch: u32,
}

impl Source {
    /// The source over which the original's routes are a fixed view.
    pub const TELEMETRY_MAIN: &str = "telemetry/main";

    /// The source of this name, in its first epoch.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: Arc::from(name),
            epoch: 0,
        }
    }

    /// The same source in another epoch.
    #[must_use]
    pub fn in_epoch(&self, epoch: u32) -> Self {
        Self {
            name: Arc::clone(&self.name),
            epoch,
        }
    }

    /// The number of its epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// [`Self::TELEMETRY_MAIN`].
    #[must_use]
    pub fn telemetry_main() -> Self {
        Self::named(Self::TELEMETRY_MAIN)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
