//! Beside whom a transaction runs that writes.

use postgres_connections::Gate;

/// Alone among those that write aggregates: each waits for the one before for as long as a long statement may take. So at
/// READ COMMITTED every statement behind the gate sees all that was committed before, and what it reads stays so.
pub(super) const ALONE: Gate = Gate {
    lock: "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(8606217354014312)",
    is_long: true,
};

/// Alone among those that claim leases; they wait for no batch.
pub(super) const LEASES: Gate = Gate {
    lock: "SELECT pg_advisory_xact_lock(8606217354014313)",
    is_long: false,
};
