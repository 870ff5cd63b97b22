//! The rules under which everything here was folded.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::listing::text;
use crate::stored::unstored;
use crate::{AggregateError, FoldVersion};

const GET: &str = "SELECT code, settings FROM highwater_aggregates.fold_version";
const PUT: &str = "INSERT INTO highwater_aggregates.fold_version (id, code, settings) VALUES (1, $1, $2) \
     ON CONFLICT (id) DO UPDATE SET code = excluded.code, settings = excluded.settings";

/// The rules, if they were set.
pub(super) async fn get(client: &Client) -> Result<Option<FoldVersion>, Failure> {
    let Some(row) = client.query_typed_opt(GET, &[]).await? else {
        return Ok(None);
    };
    Ok(Some(FoldVersion {
        code: unstored(row.try_get(0)?)?,
        settings: text(&row, 1)?,
    }))
}

/// Sets the rules, once.
pub(super) async fn set(client: &Client, version: &FoldVersion) -> Result<(), Failure> {
    match get(client).await? {
        Some(stored) if stored == *version => Ok(()),
        Some(stored) => Err(AggregateError::OtherFoldVersion { stored }.into()),
        None => put(client, version).await,
    }
}

/// Puts other rules in the place of known ones.
pub(super) async fn replace(
    client: &Client,
    known: &FoldVersion,
    version: &FoldVersion,
) -> Result<(), Failure> {
    match get(client).await? {
        Some(stored) if stored == *version => Ok(()),
        Some(stored) if stored == *known => put(client, version).await,
        Some(stored) => Err(AggregateError::OtherFoldVersion { stored }.into()),
        None => Err(AggregateError::Batch("no rules were set that others could replace").into()),
    }
}

/// Puts these rules in the place of any.
pub(super) async fn put(client: &Client, version: &FoldVersion) -> Result<(), Failure> {
    let FoldVersion { code, settings } = version;
    let given: [(&(dyn ToSql + Sync), Type); 2] = [
        (&i64::from(*code), Type::INT8),
        (&settings.as_bytes(), Type::BYTEA),
    ];
    client.execute_typed(PUT, &given).await?;
    Ok(())
}
