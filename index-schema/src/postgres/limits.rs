//! Limits of the index in PostgreSQL.

use std::time::Duration;

/// Connections of one process: writers wait for the disk, not for each other; a server has some hundred in all.
pub(super) const POOL_SIZE: usize = 8;

/// How long a call waits for a connection, tries included: a server that restarts is back by then.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After which the server ends a statement: what reads the whole index (sums by partition) takes seconds at 10 million entries.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for what changes the whole index (a rebuild's pending rows, a migration): minutes at 10 million entries.
pub(super) const LONG_STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a statement waits for a lock: what holds the index alone takes at most seconds.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the drop of a month waits for running questions, since new ones wait behind it.
pub(super) const DROP_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A call is given up, and its connection closed, after so many times the statement time-out: it has that many statements at most.
pub(super) const STATEMENTS: u32 = 8;

/// How long a server may be silent on the network before its connection counts as lost.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// How often a call is begun anew after a lost connection, a deadlock or a new month, before that is an error.
pub(super) const ATTEMPTS: u32 = 4;

/// The first wait before another try to connect; it doubles up to the next limit.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(25);

/// The longest wait between two tries to connect.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Rows of ids of dropped months that one transaction removes.
pub(super) const SWEEP: i64 = 20_000;
