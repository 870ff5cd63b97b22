//! Limits of the index in PostgreSQL.

use std::time::Duration;

/// How often an insert is begun anew after it made the month that was missing, before that is an error.
pub(super) const ATTEMPTS: u32 = 4;

/// How long the drop of a month waits for running questions, since new ones wait behind it.
pub(super) const DROP_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Rows of ids of dropped months that one transaction removes.
pub(super) const SWEEP: i64 = 20_000;
