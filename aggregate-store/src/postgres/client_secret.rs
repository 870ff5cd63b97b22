//! With which secret the clients were hashed that are counted here: what tells it from others.

use async_trait::async_trait;
use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::PostgresAggregates;
use super::listing::utf8;
use crate::client_secret::is_to_be_noted;
use crate::{AggregateError, ClientSecrets};

const GET: &str = "SELECT client_secret FROM highwater_aggregates.about";
const PUT: &str = "UPDATE highwater_aggregates.about SET client_secret = $1";

/// Whoever notes one waits for batches under way, and they for it.
#[async_trait]
impl ClientSecrets for PostgresAggregates {
    async fn client_secret(&self) -> Result<Option<String>, AggregateError> {
        self.read("look up the client secret", (), |client, ()| {
            Box::pin(known(client))
        })
        .await
    }

    async fn claim_client_secret(&self, given: &str, replaces: Option<&str>) -> Result<(), AggregateError> {
        let given = (given, replaces);
        self.write(
            "note the client secret",
            given,
            |transaction, (given, replaces)| Box::pin(claim(transaction.client(), given, *replaces)),
        )
        .await
    }
}

async fn known(client: &Client) -> Result<Option<String>, Failure> {
    let row = client.query_typed_one(GET, &[]).await?;
    row.try_get::<_, Option<_>>(0)?.map(utf8).transpose()
}

async fn claim(client: &Client, given: &str, replaces: Option<&str>) -> Result<(), Failure> {
    if !is_to_be_noted(known(client).await?.as_deref(), given, replaces)? {
        return Ok(());
    }
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&given.as_bytes(), Type::BYTEA)];
    client.execute_typed(PUT, &given).await?;
    Ok(())
}
