//! Brings the schema up to date: one process at a time, in one transaction, and without a lock where nothing is to do.

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::{Connections, Failure, limits};

/// Read from the catalogue's tables: `to_regclass` may answer from what this connection remembers from before it waited.
const HAS_VERSION: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND c.relname = 'schema_version')";

/// Tables of one purpose, in a schema of PostgreSQL of their own.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The schema's name: a plain word, for it is written into statements. Its version is a row in its table
    /// `schema_version`.
    pub name: &'static str,
    /// The number of the advisory lock behind which one process at a time migrates.
    pub lock: i64,
    /// Each entry brings the tables from the version of its place to the next one.
    pub migrations: &'static [&'static [&'static str]],
}

impl Connections {
    /// Migrates; refuses what a newer program wrote.
    ///
    /// # Errors
    /// [`Failure::Newer`] for newer tables; when the server cannot be reached, or refuses: then nothing was changed.
    pub async fn migrate(&self, schema: &Schema) -> Result<(), Failure> {
        migrate(self, schema).await
    }
}

async fn migrate(connections: &Connections, schema: &Schema) -> Result<(), Failure> {
    for attempt in 1.. {
        let mut client = connections.client().await?;
        match bring_up_to_date(&mut client, schema).await {
            Err(failure) if failure.is_passing() && attempt < limits::ATTEMPTS => drop(Object::take(client)),
            other => return other,
        }
    }
    unreachable!("the last attempt returns")
}

async fn bring_up_to_date(client: &mut ClientWrapper, schema: &Schema) -> Result<(), Failure> {
    // Whoever may read and insert need not be allowed to change tables.
    if schema.is_newest(version(client, schema).await?)? {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    let wait = format!(
        "SET LOCAL statement_timeout = {0}; SET LOCAL lock_timeout = {0}",
        limits::LONG_STATEMENT_TIMEOUT.as_millis()
    );
    transaction.batch_execute(&wait).await?;
    let lock = format!("SELECT pg_advisory_xact_lock({})", schema.lock);
    transaction.batch_execute(&lock).await?;
    let found = version(transaction.client(), schema).await?;
    if schema.is_newest(found)? {
        return Ok(());
    }
    // Made inside the lock too: `IF NOT EXISTS` alone fails when two make it at once.
    let versions = format!(
        "CREATE SCHEMA IF NOT EXISTS {0};
         CREATE TABLE IF NOT EXISTS {0}.schema_version (
             id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
             version INTEGER NOT NULL
         )",
        schema.name
    );
    transaction.batch_execute(&versions).await?;
    for migration in &schema.migrations[found as usize..] {
        for part in *migration {
            transaction.batch_execute(part).await?;
        }
    }
    let newest = i32::try_from(schema.newest()).expect("a handful of migrations");
    let set = format!(
        "INSERT INTO {}.schema_version (id, version) VALUES (1, $1) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version",
        schema.name
    );
    transaction.execute(&set, &[&newest]).await?;
    transaction.commit().await?;
    Ok(())
}

impl Schema {
    /// The version that this program writes.
    fn newest(&self) -> u32 {
        u32::try_from(self.migrations.len()).expect("a handful of migrations")
    }

    fn is_newest(&self, found: u32) -> Result<bool, Failure> {
        let known = self.newest();
        if found > known {
            return Err(Failure::Newer { found, known });
        }
        Ok(found == known)
    }
}

/// The schema's version; 0 when there is none.
async fn version(client: &Client, schema: &Schema) -> Result<u32, Failure> {
    let has = client
        .query_typed_one(HAS_VERSION, &[(&schema.name, Type::TEXT)])
        .await?;
    if !has.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let version = format!("SELECT version FROM {}.schema_version", schema.name);
    let row = client.query_typed_opt(&version, &[]).await?;
    let version = row.map_or(Ok(0), |row| row.try_get::<_, i32>(0))?;
    Ok(u32::try_from(version).unwrap_or(u32::MAX))
}
