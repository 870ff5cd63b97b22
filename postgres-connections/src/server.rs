//! Which server answers, and whether it is the one of before. A promoted standby may lack what the primary confirmed
//! last; a restored backup does; so what was remembered of the old one is worth nothing with the new one.

use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use tokio::sync::{Mutex, watch};

use crate::Failure;

/// Asks for everything that tells a server from another one, in words that need no special right. The timeline is that
/// of the log being written: `pg_control_checkpoint` tells the old one until the first checkpoint after a promotion.
const IDENTIFY: &str = "SELECT (SELECT system_identifier FROM pg_control_system()), \
     ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::BIT(32)::BIGINT, \
     (SELECT oid::BIGINT FROM pg_database WHERE datname = current_database()), \
     (pg_current_wal_flush_lsn() - '0/0')::BIGINT";

/// What remains of that where the log is none of ours to look at, as with some hosted servers.
const IDENTIFY_LESS: &str =
    "SELECT 0::BIGINT, 0::BIGINT, oid::BIGINT, 0::BIGINT FROM pg_database WHERE datname = current_database()";

/// What tells a server, and the database in it, from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerIdentity {
    /// What `initdb` drew; standbys and physical backups have it too. 0 where the server does not tell it.
    pub system: i64,
    /// Counts promotions and restores to a point in time. 0 where the server does not tell it.
    pub timeline: i64,
    /// The database's number in the server: another one after it was dropped and made again.
    pub database: i64,
}

/// The server that was seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenServer {
    /// Which it is.
    pub identity: ServerIdentity,
    /// How often another one was seen than before, since the database was opened. Whoever remembers anything that it
    /// said (verdicts, leases, what is settled) forgets it when this rises; for the index, reconcile runs before anything
    /// is called settled again.
    pub changes: u64,
}

/// The server now, and how far its log was; the watch tells whoever waits.
#[derive(Debug)]
pub(crate) struct Servers {
    seen: watch::Sender<Option<Seen>>,
    /// Held while a server is asked, so that what is noted later was asked later.
    asking: Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    server: SeenServer,
    /// How far the log was written, in bytes; it never goes back on one server and timeline.
    written: i64,
    /// Connections from before this are to a server of before.
    since: Option<Instant>,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self {
            seen: watch::Sender::new(None),
            asking: Mutex::new(()),
        }
    }

    /// Asks a new connection whose it is.
    pub(crate) async fn look(&self, client: &ClientWrapper, connected: Instant) -> Result<(), Failure> {
        let _one_at_a_time = self.asking.lock().await;
        let row = match client.query_typed_one(IDENTIFY, &[]).await.map_err(Failure::from) {
            Err(error) if error.is_withheld() => client.query_typed_one(IDENTIFY_LESS, &[]).await?,
            other => other?,
        };
        let number = |column: usize| row.try_get::<_, i64>(column);
        let identity = ServerIdentity {
            system: number(0)?,
            timeline: number(1)?,
            database: number(2)?,
        };
        self.note(identity, number(3)?, connected);
        Ok(())
    }

    fn note(&self, identity: ServerIdentity, written: i64, connected: Instant) {
        self.seen.send_if_modified(|seen| {
            let before = *seen;
            let went_back = |before: Seen| before.server.identity == identity && written < before.written;
            let is_other =
                before.is_some_and(|before| before.server.identity != identity || went_back(before));
            let changes = before.map_or(0, |before| before.server.changes) + u64::from(is_other);
            if is_other {
                tracing::warn!(
                    ?identity,
                    "PostgreSQL is another server than before, or went back in time: what was known of its \
                     tables is forgotten; for those of the index, reconcile has to run"
                );
            }
            *seen = Some(Seen {
                server: SeenServer { identity, changes },
                written,
                since: if is_other {
                    Some(connected)
                } else {
                    before.and_then(|before| before.since)
                },
            });
            is_other || before.is_none()
        });
    }

    /// Whether a connection of this age may still be used.
    pub(crate) fn admit(&self, connected: Instant) -> bool {
        let seen = *self.seen.borrow();
        seen.and_then(|seen| seen.since)
            .is_none_or(|since| connected >= since)
    }

    /// The server that was seen last.
    pub(crate) fn now(&self) -> Option<SeenServer> {
        self.seen.borrow().map(|seen| seen.server)
    }

    /// Returns when another server is seen than at `changes`.
    pub(crate) async fn changed(&self, changes: u64) -> SeenServer {
        let mut watch = self.seen.subscribe();
        let other = watch.wait_for(|seen| seen.is_some_and(|seen| seen.server.changes != changes));
        match other.await {
            Ok(seen) => seen.expect("it was waited for").server,
            Err(_) => unreachable!("the sender lives as long as this borrow"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_timeline_or_database_counts_and_so_does_a_log_that_went_back() {
        let servers = Servers::new();
        let one = ServerIdentity {
            system: 1,
            timeline: 1,
            database: 5,
        };
        let promoted = ServerIdentity { timeline: 2, ..one };
        let made_again = ServerIdentity {
            database: 6,
            ..promoted
        };
        let other = ServerIdentity {
            system: 2,
            ..made_again
        };
        let steps = [
            (one, 100, 0),
            (one, 100, 0),
            (one, 170, 0),
            (promoted, 160, 1),
            (promoted, 165, 1),
            (promoted, 164, 2),
            (made_again, 170, 3),
            (other, 10, 4),
            (other, 11, 4),
        ];
        let start = deadpool_postgres::Metrics::default().created;
        for (identity, written, changes) in steps {
            servers.note(identity, written, start);
            assert_eq!(servers.now(), Some(SeenServer { identity, changes }), "{written}");
        }
    }
}
