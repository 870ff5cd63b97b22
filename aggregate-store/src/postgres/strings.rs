//! Ids of texts, for writing: those that are new get rows. And texts of ids.

use std::collections::{BTreeSet, HashMap};

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::ids::in_order;
use super::limits::ROWS;
use super::listing::text;
use super::slices::slices;
use crate::AggregateError;

const FIND: &str = "SELECT u.number, s.id FROM unnest($1) WITH ORDINALITY AS u (bytes, number) \
     JOIN highwater_aggregates.string s ON sha256(s.bytes) = sha256(u.bytes)";
const ADD: &str = "INSERT INTO highwater_aggregates.string (bytes) SELECT * FROM unnest($1)";
const TEXTS: &str = "SELECT id, bytes FROM highwater_aggregates.string WHERE id = ANY ($1)";

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

/// The ids of these texts, in their order; `None` for those that have none.
pub(super) async fn stored_ids(client: &Client, texts: &[&str]) -> Result<Vec<Option<i32>>, Failure> {
    let mut ids = Vec::with_capacity(texts.len());
    for slice in slices(texts, |text| text.len()) {
        ids.extend(find(client, slice).await?);
    }
    Ok(ids)
}

async fn find(client: &Client, texts: &[&str]) -> Result<Vec<Option<i32>>, Failure> {
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let rows = client.query_typed(FIND, &[(&bytes, Type::BYTEA_ARRAY)]).await?;
    in_order(&rows, texts.len())
}

/// The texts of these ids, as far as there are such. None is ever removed or changed.
pub(super) async fn texts(client: &Client, ids: BTreeSet<i32>) -> Result<HashMap<i32, String>, Failure> {
    let ids: Vec<i32> = ids.into_iter().collect();
    let mut texts = HashMap::with_capacity(ids.len());
    for slice in ids.chunks(ROWS) {
        for row in client.query_typed(TEXTS, &[(&slice, Type::INT4_ARRAY)]).await? {
            texts.insert(row.try_get(0)?, text(&row, 1)?);
        }
    }
    Ok(texts)
}
