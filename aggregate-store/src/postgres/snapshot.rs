//! Answers from the epochs in use: which these are, and what they hold, is of one moment.

use futures_util::future::try_join;
use postgres_connections::{Failure, Pending};
use tokio_postgres::Client;

use super::epochs;
use super::known::Tables;
use crate::{Epochs, Piece, Source};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What is asked of one epoch of a source, by one statement; and how answers of several become one.
pub(super) struct Question<'a, G, T> {
    pub(super) source: &'a Source,
    pub(super) given: G,
    pub(super) ask: for<'c> fn(&'c Client, &'c Piece, &'c G) -> Pending<'c, T>,
    pub(super) unite: fn(Vec<T>, &G) -> T,
}

/// What is asked under all epochs.
pub(super) type AskAll<G, T> = for<'c> fn(&'c Client, &'c Epochs, &'c G) -> Pending<'c, T>;

/// An answer of one epoch as it is, of several made of theirs. One takes two round trips.
pub(super) async fn of_pieces<G: Sync, T: Send>(
    client: &Client,
    question: &Question<'_, G, T>,
) -> Result<T, Failure> {
    ended(client, ask_pieces(client, question).await).await
}

/// An answer to what looks at the epochs of all sources.
pub(super) async fn of_all<G: Sync, T: Send>(
    client: &Client,
    given: &G,
    ask: AskAll<G, T>,
) -> Result<T, Failure> {
    ended(client, ask_all(client, given, ask).await).await
}

/// Begins a snapshot. Answers which epochs of a source are in use in it, and whose tables they are.
pub(super) async fn begin(client: &Client, source: &Source) -> Result<(Epochs, Tables), Failure> {
    let ((), told) = try_join(run(client, BEGIN), epochs::of_and_tables(client, source)).await?;
    Ok(told)
}

/// Ends it.
pub(super) async fn end(client: &Client) -> Result<(), Failure> {
    run(client, COMMIT).await
}

async fn ask_pieces<G: Sync, T: Send>(client: &Client, question: &Question<'_, G, T>) -> Result<T, Failure> {
    let Question {
        source,
        given,
        ask,
        unite,
    } = question;
    // Each is on its way before the one before is answered; the first that fails is told.
    let ((), epochs) = try_join(run(client, BEGIN), epochs::of(client, source)).await?;
    let pieces = epochs.pieces(source);
    if let [piece] = pieces.as_slice() {
        let (answer, ()) = try_join(ask(client, piece, given), run(client, COMMIT)).await?;
        return Ok(answer);
    }
    let mut answers = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        answers.push(ask(client, piece, given).await?);
    }
    run(client, COMMIT).await?;
    Ok(unite(answers, given))
}

async fn ask_all<G: Sync, T: Send>(client: &Client, given: &G, ask: AskAll<G, T>) -> Result<T, Failure> {
    let ((), epochs) = try_join(run(client, BEGIN), epochs::all(client)).await?;
    let answer = ask(client, &epochs, given).await?;
    run(client, COMMIT).await?;
    Ok(answer)
}

/// After a failure that leaves the connection to others: the transaction ends, too. Outside of one nothing happens.
pub(super) async fn ended<T>(client: &Client, outcome: Result<T, Failure>) -> Result<T, Failure> {
    if let Err(Failure::Postgres(_) | Failure::Other(_)) = &outcome {
        run(client, ROLLBACK).await?;
    }
    outcome
}

async fn run(client: &Client, statement: &str) -> Result<(), Failure> {
    Ok(client.batch_execute(statement).await?)
}
