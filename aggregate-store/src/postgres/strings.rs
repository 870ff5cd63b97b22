//! Ids of texts, for writing: those that are new get rows.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::ids::in_order;
use super::slices::slices;
use crate::AggregateError;

const FIND: &str = "SELECT u.number, s.id FROM unnest($1) WITH ORDINALITY AS u (bytes, number) \
     JOIN highwater_aggregates.string s ON sha256(s.bytes) = sha256(u.bytes)";
const ADD: &str = "INSERT INTO highwater_aggregates.string (bytes) SELECT * FROM unnest($1)";

/// The ids of these texts, in their order; no text may be there twice.
pub(super) async fn ids(client: &Client, texts: &[&str]) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::with_capacity(texts.len());
    for slice in slices(texts, |text| text.len()) {
        let mut found = find(client, slice).await?;
        let new = || slice.iter().zip(&found).filter(|(_, id)| id.is_none());
        let new: Vec<&str> = new().map(|(text, _)| *text).collect();
        if !new.is_empty() {
            let bytes: Vec<&[u8]> = new.iter().map(|text| text.as_bytes()).collect();
            client.execute_typed(ADD, &[(&bytes, Type::BYTEA_ARRAY)]).await?;
            let mut added = find(client, &new).await?.into_iter();
            for id in found.iter_mut().filter(|id| id.is_none()) {
                *id = added.next().flatten();
            }
        }
        let all: Option<Vec<i32>> = found.into_iter().collect();
        ids.extend(
            all.ok_or_else(|| AggregateError::Damaged("a text that was added is missing".to_owned()))?,
        );
    }
    Ok(ids)
}

async fn find(client: &Client, texts: &[&str]) -> Result<Vec<Option<i32>>, Failure> {
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let rows = client.query_typed(FIND, &[(&bytes, Type::BYTEA_ARRAY)]).await?;
    in_order(&rows, texts.len())
}
