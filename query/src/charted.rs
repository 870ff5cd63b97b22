//! Whether the pings of a product are charted, or only stored.

use index_schema::ProductCount;

/// Whether the pings of a product are folded; the fold's settings say.
pub type Charted = dyn Fn(&ProductCount) -> bool + Send + Sync;
