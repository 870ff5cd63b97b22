//! Limits of connections and calls.

use std::time::Duration;

/// Connections of one process: writers wait for the disk, not for each other; a server has some hundred in all.
pub(crate) const POOL_SIZE: usize = 8;

/// How long a call waits for a connection, tries included: a server that restarts is back by then.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After which the server ends a statement: what reads a whole table takes seconds at 10 million rows.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for what changes a whole table, or waits for who does: minutes at 10 million rows.
pub(crate) const LONG_STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a statement waits for a lock: what runs alone takes at most seconds.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// A call is given up, and its connection closed, after so many times the statement time-out: it has that many statements at most.
pub(crate) const STATEMENTS: u32 = 8;

/// How long a server may be silent on the network before its connection counts as lost.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// How often a call is begun anew after a lost connection or a deadlock, before that is an error.
pub(crate) const ATTEMPTS: u32 = 4;

/// The first wait before another try to connect; it doubles up to the next limit.
pub(crate) const FIRST_WAIT: Duration = Duration::from_millis(25);

/// The longest wait between two tries to connect.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(1);
