//! The connections: how they are set up, how many there are, and how long one is waited for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Metrics, Object, Pool, PoolError,
    RecyclingMethod, Runtime, TimeoutType,
};
use service::backoff::Backoff;
use service::clock::{Clock, SystemClock};
use service::task;
use tokio_postgres::types::Type;

use crate::server::Servers;
use crate::settings::Target;
use crate::{Failure, PostgresSettings, SeenServer, SettingsError, limits, tls};

/// Sets what a connection goes by. A database that confirms before it has written is told not to do so here. From version 14
/// on a server on Linux looks every second whether anybody still waits for a statement.
const SET_UP: &str = "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), \
     set_config('idle_in_transaction_session_timeout', $1, false), set_config('jit', 'off', false), \
     CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END, \
     current_setting('server_encoding'), \
     (SELECT set_config(name, '1s', false) FROM pg_catalog.pg_settings WHERE name = 'client_connection_check_interval' \
     AND version() LIKE '%linux%')";

/// A bounded set of connections to one database.
pub struct Connections {
    pool: Pool,
    pub(crate) name: String,
    pub(crate) servers: Arc<Servers>,
    clock: Arc<dyn Clock>,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
}

impl Connections {
    /// Prepares them; the first call connects.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: &PostgresSettings) -> Result<Self, SettingsError> {
        let Target { config, check, name } = Target::read(settings)?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config, tls::connector(&check)?, recycling);
        let servers = Arc::new(Servers::new());
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size)
            .wait_timeout(Some(settings.connect_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .runtime(Runtime::Tokio1)
            .post_create(set_up(settings, servers.clone()))
            .pre_recycle(leave_old(servers.clone()))
            .build()
            .map_err(|error| SettingsError(format!("PostgreSQL at {name}: {error}")))?;
        Ok(Self {
            pool,
            name,
            servers,
            clock: SystemClock::shared(),
            connect_timeout: settings.connect_timeout,
            statement_timeout: settings.statement_timeout,
        })
    }

    /// Host, port and database, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that was seen last; `None` before the first connection.
    pub fn server(&self) -> Option<SeenServer> {
        self.servers.now()
    }

    /// Returns when another server is seen than at `changes`.
    pub async fn server_changed(&self, changes: u64) -> SeenServer {
        self.servers.changed(changes).await
    }

    /// A connection, once there is one; a server that is away is tried until the time is up.
    pub(crate) async fn client(&self) -> Result<Object, Failure> {
        let start = self.clock.monotonic();
        let mut backoff = Backoff::new(limits::FIRST_WAIT, limits::LONGEST_WAIT);
        loop {
            let failure = match self.pool.get().await {
                Ok(client) => return Ok(client),
                Err(error) => self.failure(error),
            };
            let passed = self.clock.monotonic().saturating_sub(start);
            if !failure.is_lost() || passed + backoff.next_wait() > self.connect_timeout {
                return Err(failure);
            }
            if self.servers.now().is_none() && backoff.next_wait() == limits::FIRST_WAIT {
                let seconds = self.connect_timeout.as_secs();
                tracing::warn!(seconds, "{}: tried again for so long", failure.told(&self.name));
            }
            task::sleep(backoff.grow()).await;
        }
    }

    fn failure(&self, error: PoolError) -> Failure {
        let waited = self.connect_timeout.as_secs_f32();
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            PoolError::PostCreateHook(HookError::Message(message)) => Failure::of(message),
            PoolError::Timeout(TimeoutType::Wait) => Failure::of(format!(
                "all connections were in use for {waited} s: ask for less at a time, or make the pool larger"
            )),
            PoolError::Timeout(_) => Failure::of(format!(
                "no connection within {waited} s: is it running, and reachable from here?"
            )),
            PoolError::Closed | PoolError::NoRuntimeSpecified => Failure::Closed,
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool knows the password.
        f.debug_struct("Connections")
            .field("name", &self.name)
            .field("server", &self.servers.now())
            .finish_non_exhaustive()
    }
}

/// What each new connection goes through.
fn set_up(settings: &PostgresSettings, servers: Arc<Servers>) -> Hook {
    let statement = settings.statement_timeout.as_millis().to_string();
    let lock = settings.lock_timeout.as_millis().to_string();
    Hook::async_fn(move |client: &mut ClientWrapper, metrics: &Metrics| {
        let (statement, lock, servers) = (statement.clone(), lock.clone(), servers.clone());
        let connected = metrics.created;
        Box::pin(async move {
            let set = async {
                let row = client
                    .query_typed_one(SET_UP, &[(&statement, Type::TEXT), (&lock, Type::TEXT)])
                    .await?;
                let encoding: String = row.try_get(5)?;
                if encoding != "UTF8" {
                    return Err(Failure::of(format!(
                        "the database is encoded in {encoding}: make one with `createdb --encoding=UTF8`"
                    )));
                }
                servers.look(client, connected).await
            };
            set.await.map_err(|failure| match failure {
                Failure::Postgres(error) => HookError::Backend(error),
                Failure::Said(message) => HookError::Message(message.into()),
                other => HookError::Message(other.told("the server").into()),
            })
        })
    })
}

/// Connections to a server of before are not used again: it may still be running, and believe itself the primary.
fn leave_old(servers: Arc<Servers>) -> Hook {
    Hook::sync_fn(move |_: &mut ClientWrapper, metrics: &Metrics| {
        servers
            .admit(metrics.created)
            .then_some(())
            .ok_or_else(|| HookError::message("it leads to a server of before"))
    })
}
