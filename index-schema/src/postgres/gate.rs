//! Beside whom a transaction runs. Each one that writes takes the gate first, so that what looks at all rows, or changes
//! what others go by, sees no other half way.

use postgres_connections::Gate;

/// Beside others that touch only the rows they name.
pub(super) const SHARED: Gate = Gate {
    lock: "LOCK TABLE highwater_index.floor IN ROW SHARE MODE",
    is_long: false,
};

/// Alone among writers.
pub(super) const ALONE: Gate = Gate {
    lock: "LOCK TABLE highwater_index.floor IN EXCLUSIVE MODE",
    is_long: true,
};
