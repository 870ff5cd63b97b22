//! Where pings of one shape come from: namespace and document type.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A source by its true name, `<namespace>/<document type>`, as in the submission URI: `telemetry/main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Arc<str>);

impl Source {
    /// The source over which the original's routes are a fixed view.
    pub const TELEMETRY_MAIN: &str = "telemetry/main";

    /// The source of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// [`Self::TELEMETRY_MAIN`].
    #[must_use]
    pub fn telemetry_main() -> Self {
        Self::named(Self::TELEMETRY_MAIN)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A source is found by its name alone.
impl Borrow<str> for Source {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
