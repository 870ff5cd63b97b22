//! Brings the schema up to date: one process at a time, in one transaction, and without a lock where nothing is to do.

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::Client;

use super::failure::Failure;
use super::limits;
use super::pool::Connections;
use super::schema::MIGRATIONS;
use crate::IndexError;

/// The version that this program writes.
const NEWEST: u32 = MIGRATIONS.len() as u32;

const VERSION: &str = "SELECT version FROM highwater_index.schema_version";
/// Read from the catalogue's tables: `to_regclass` may answer from what this connection remembers from before it waited.
const HAS_VERSION: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = 'highwater_index' AND c.relname = 'schema_version')";

/// The schema is made inside the lock too: `IF NOT EXISTS` alone fails when two make it at once.
const BEGIN: &str = "SELECT pg_advisory_xact_lock(7595436872450728)";
const VERSIONS: &str = "CREATE SCHEMA IF NOT EXISTS highwater_index;
CREATE TABLE IF NOT EXISTS highwater_index.schema_version (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
);";
const SET_VERSION: &str = "INSERT INTO highwater_index.schema_version (id, version) VALUES (1, $1) \
     ON CONFLICT (id) DO UPDATE SET version = excluded.version";

/// Migrates; refuses what a newer program wrote.
pub(super) async fn migrate(connections: &Connections) -> Result<(), Failure> {
    for attempt in 1.. {
        let mut client = connections.client().await?;
        match bring_up_to_date(&mut client).await {
            Err(failure) if failure.is_passing() && attempt < limits::ATTEMPTS => drop(Object::take(client)),
            other => return other,
        }
    }
    unreachable!("the last attempt returns")
}

async fn bring_up_to_date(client: &mut ClientWrapper) -> Result<(), Failure> {
    // Whoever may read and insert need not be allowed to change tables.
    if is_newest(version(client).await?)? {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    let wait = format!(
        "SET LOCAL statement_timeout = {0}; SET LOCAL lock_timeout = {0}",
        limits::LONG_STATEMENT_TIMEOUT.as_millis()
    );
    transaction.batch_execute(&wait).await?;
    transaction.batch_execute(BEGIN).await?;
    let found = version(transaction.client()).await?;
    if is_newest(found)? {
        return Ok(());
    }
    transaction.batch_execute(VERSIONS).await?;
    for migration in &MIGRATIONS[found as usize..] {
        for part in *migration {
            transaction.batch_execute(part).await?;
        }
    }
    let newest = i32::try_from(NEWEST).expect("a handful of migrations");
    transaction.execute(SET_VERSION, &[&newest]).await?;
    transaction.commit().await?;
    Ok(())
}

fn is_newest(found: u32) -> Result<bool, Failure> {
    if found > NEWEST {
        return Err(IndexError::Newer { found, known: NEWEST }.into());
    }
    Ok(found == NEWEST)
}

/// The schema's version; 0 when there is none.
async fn version(client: &Client) -> Result<u32, Failure> {
    let has: bool = client.query_typed_one(HAS_VERSION, &[]).await?.try_get(0)?;
    if !has {
        return Ok(0);
    }
    let row = client.query_typed_opt(VERSION, &[]).await?;
    let version = row.map_or(Ok(0), |row| row.try_get::<_, i32>(0))?;
    Ok(u32::try_from(version).unwrap_or(u32::MAX))
}
