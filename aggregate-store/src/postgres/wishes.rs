//! Rebuilds under way: what is wished, and in place of what.

use ping::{ChunkId, SubmissionDate};
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::column;
use super::in_use::numbers;
use super::listing::{text, utf8};
use super::{chunks, epochs};
use crate::stored::unstored;
use crate::{AggregateError, Days, FoldVersion, Rebuild, RebuildWish};

const ALL: &str = "SELECT epoch, source, first_day, last_day, rules, fold_code, fold_settings \
     FROM highwater_aggregates.rebuild ORDER BY epoch";
const ADD: &str = "INSERT INTO highwater_aggregates.rebuild \
     (source, first_day, last_day, rules, fold_code, fold_settings) VALUES ($1, $2, $3, $4, $5, $6) RETURNING epoch";
const REMOVE: &str = "DELETE FROM highwater_aggregates.rebuild WHERE epoch = $1";

/// All of them, ascending.
pub(super) async fn all(client: &Client) -> Result<Vec<Rebuild>, Failure> {
    client.query_typed(ALL, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Rebuild, Failure> {
    let day = |at: usize| -> Result<Option<SubmissionDate>, Failure> {
        let day: i32 = row.try_get(at)?;
        Ok(SubmissionDate::from_yyyymmdd(unstored(day.into())?))
    };
    let maybe_text = |at: usize| -> Result<Option<String>, Failure> {
        row.try_get::<_, Option<_>>(at)?.map(utf8).transpose()
    };
    let code: Option<i64> = row.try_get(5)?;
    let code = code.map(unstored).transpose()?;
    Ok(Rebuild {
        epoch: unstored(row.try_get::<_, i32>(0)?.into())?,
        wish: RebuildWish {
            source: Some(text(row, 1)?).filter(|source| !source.is_empty()),
            days: Days {
                first: day(2)?,
                last: day(3)?,
            },
            rules: maybe_text(4)?,
            version: code
                .zip(maybe_text(6)?)
                .map(|(code, settings)| FoldVersion { code, settings }),
        },
    })
}

/// Begins a rebuild, in place of others of its source.
pub(super) async fn begin(client: &Client, wish: &RebuildWish) -> Result<Rebuild, Failure> {
    for under_way in all(client).await? {
        if under_way.wish == *wish {
            return Ok(under_way);
        }
        if wish.source.is_some() && under_way.wish.source.is_none() {
            return Err(AggregateError::RebuildUnderWay.into());
        }
        if wish.source.is_none() || under_way.wish.source == wish.source {
            end(client, under_way.epoch).await?;
        }
    }
    check_counts(client, wish.source.as_deref(), wish.days).await?;
    Ok(Rebuild {
        epoch: add(client, wish).await?,
        wish: wish.clone(),
    })
}

/// Has those rebuilds that are under way and have folded one of these chunks begin with nothing, under other numbers.
pub(super) async fn begin_anew_those_of(client: &Client, chunks: &[ChunkId]) -> Result<(), Failure> {
    if chunks.is_empty() {
        return Ok(());
    }
    for rebuild in all(client).await? {
        let rebuilt = chunks::are_folded(client, Some(rebuild.epoch), chunks).await?;
        if rebuilt.contains(&true) {
            end(client, rebuild.epoch).await?;
            add(client, &rebuild.wish).await?;
        }
    }
    Ok(())
}

async fn add(client: &Client, wish: &RebuildWish) -> Result<u32, Failure> {
    let (first, last) = numbers(wish.days)?;
    let version = wish.version.as_ref();
    let given: [(&(dyn ToSql + Sync), Type); 6] = [
        (
            &wish.source.as_deref().unwrap_or_default().as_bytes(),
            Type::BYTEA,
        ),
        (&first, Type::INT4),
        (&last, Type::INT4),
        (&wish.rules.as_ref().map(String::as_bytes), Type::BYTEA),
        (&version.map(|version| i64::from(version.code)), Type::INT8),
        (&version.map(|version| version.settings.as_bytes()), Type::BYTEA),
    ];
    let epoch: i32 = client.query_typed_one(ADD, &given).await?.try_get(0)?;
    Ok(unstored(epoch.into())?)
}

/// Refuses to replace a part of what is counted where nobody knows which part that is.
pub(super) async fn check_counts(client: &Client, source: Option<&str>, days: Days) -> Result<(), Failure> {
    if source.is_none() && days == Days::ALL || epochs::are_counted_by_source(client).await? {
        return Ok(());
    }
    Err(match source {
        Some(_) => AggregateError::NotCountedBySource.into(),
        None => AggregateError::NotCountedByDay.into(),
    })
}

/// Whatever became of it, it is not under way any more.
pub(super) async fn end(client: &Client, epoch: u32) -> Result<(), Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&column(epoch)?, Type::INT4)];
    client.execute_typed(REMOVE, &given).await?;
    Ok(())
}
