//! What the server or the way to it refused: whether to try again, and what to tell whoever must act.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Why a call did not come through.
#[derive(Debug)]
pub enum Failure {
    /// The driver's word.
    Postgres(Error),
    /// Our own: whether the connection is whole is not known.
    Said(String),
    /// The tables are of a newer program.
    Newer {
        /// The version found.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The process is ending.
    Closed,
    /// A word of the door's own, for it to take out again. The connection is whole, the transaction rolled back.
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// The same, said before an answer was read to its end: the connection is closed.
    Unfinished(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

impl Failure {
    /// A failure that is told in our own words.
    pub fn of(message: impl Into<String>) -> Self {
        Self::Said(message.into())
    }

    /// Whether the connection was lost, or never came about.
    pub(crate) fn is_lost(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        // What TLS refuses comes as an error of the connection too, and stays refused.
        let is_lost = |cause: &io::Error| cause.get_ref().is_none_or(|cause| !cause.is::<rustls::Error>());
        let is_io = error
            .source()
            .and_then(|cause| cause.downcast_ref::<io::Error>())
            .is_some_and(is_lost);
        error.is_closed() || is_io || error.code().is_some_and(|code| LOST.contains(code))
    }

    /// Whether the same call may succeed when it is simply begun anew.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        let collided = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        self.is_lost() || error.code().is_some_and(|code| collided.contains(code))
    }

    /// Whether the server has something and does not give it to this role, or to nobody.
    pub(crate) fn is_withheld(&self) -> bool {
        let withheld = [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::UNDEFINED_FUNCTION,
        ];
        matches!(self, Self::Postgres(error) if error.code().is_some_and(|code| withheld.contains(code)))
    }

    /// The same in words for whoever called, with the database's name and what to do.
    pub fn told(&self, name: &str) -> String {
        let error = match self {
            Self::Postgres(error) => error,
            Self::Said(message) => return format!("PostgreSQL at {name}: {message}"),
            Self::Newer { found, known } => {
                return format!(
                    "PostgreSQL at {name}: its tables have version {found}, this program knows {known}"
                );
            }
            Self::Closed => return format!("PostgreSQL at {name}: the process is ending"),
            Self::Other(error) | Self::Unfinished(error) => return format!("PostgreSQL at {name}: {error}"),
        };
        let said = match (error.as_db_error(), error.source()) {
            (Some(error), _) => format!("{} ({})", error.message(), error.code().code()),
            (None, Some(cause)) => format!("{error}: {cause}"),
            (None, None) => error.to_string(),
        };
        let what = advice(error).map_or_else(String::new, |advice| format!(": {advice}"));
        format!("PostgreSQL at {name}: {said}{what}")
    }
}

/// Codes that say that the server ends this connection, or takes none now.
const LOST: [SqlState; 10] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::IDLE_SESSION_TIMEOUT,
    SqlState::CONNECTION_EXCEPTION,
    SqlState::CONNECTION_DOES_NOT_EXIST,
    SqlState::CONNECTION_FAILURE,
    SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
];

fn advice(error: &Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        let is_tls = error.to_string().contains("TLS");
        return Some(if is_tls {
            "look at sslmode and sslrootcert of its address"
        } else {
            "is it running, and reachable from here? The next call tries again"
        });
    };
    let known = [
        (SqlState::INVALID_PASSWORD, "mend user or password in its address"),
        (
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            "mend the user in its address, or pg_hba.conf of the server",
        ),
        (
            SqlState::INVALID_CATALOG_NAME,
            "make the database (createdb --encoding=UTF8), or mend its address",
        ),
        (
            SqlState::INSUFFICIENT_PRIVILEGE,
            "grant this role what docs/sql.md lists",
        ),
        (
            SqlState::TOO_MANY_CONNECTIONS,
            "make pools smaller or fewer, or raise max_connections of the server",
        ),
        (
            SqlState::DISK_FULL,
            "make room on the server's disk; what was asked was not done",
        ),
        (
            SqlState::QUERY_CANCELED,
            "it took longer than the statement time-out: raise that, or ask for less",
        ),
        (
            SqlState::LOCK_NOT_AVAILABLE,
            "another process holds what it needs, as a rebuild or a migration does: try again when that is over",
        ),
        (
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this is a standby, or is being promoted: name the primary, or all servers with target_session_attrs=read-write",
        ),
        (
            SqlState::READ_ONLY_SQL_TRANSACTION,
            "this is a standby: name the primary, or all servers with target_session_attrs=read-write",
        ),
        (
            SqlState::UNDEFINED_TABLE,
            "this database lacks tables: was it restored in part? Put it right; or make it anew, and reconcile the index or rebuild the aggregates",
        ),
    ];
    let found = known.into_iter().find(|(known, _)| known == code);
    let is_lost = LOST.contains(code);
    found.map(|(_, advice)| advice).or_else(|| {
        is_lost.then_some("the server ended the connection or is starting: the next call tries again")
    })
}
