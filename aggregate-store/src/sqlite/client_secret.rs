//! With which secret the clients were hashed that are counted here: one row of `meta`.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::SqliteAggregates;
use crate::client_secret::is_to_be_noted;
use crate::{AggregateError, ClientSecrets};

const NAME: &str = "client_secret";

#[async_trait]
impl ClientSecrets for SqliteAggregates {
    async fn client_secret(&self) -> Result<Option<String>, AggregateError> {
        self.read("look up the client secret", known).await
    }

    async fn claim_client_secret(&self, given: &str, replaces: Option<&str>) -> Result<(), AggregateError> {
        let (given, replaces) = (given.to_owned(), replaces.map(str::to_owned));
        self.write("note the client secret", move |writer| {
            claim(&mut writer.connection, &given, replaces.as_deref())
        })
        .await
    }
}

fn known(connection: &Connection) -> Result<Option<String>, AggregateError> {
    let known = connection.query_row("SELECT value FROM meta WHERE name = ?1", [NAME], |row| row.get(0));
    Ok(known.optional()?)
}

fn claim(connection: &mut Connection, given: &str, replaces: Option<&str>) -> Result<(), AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_to_be_noted(known(&transaction)?.as_deref(), given, replaces)? {
        return Ok(());
    }
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        params![NAME, given],
    )?;
    transaction.commit()?;
    Ok(())
}
