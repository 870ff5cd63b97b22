//! How a call goes through a connection: bounded in time, begun anew when the connection is lost, and, when it was lost
//! in the commit, with an answer to whether that happened.

use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::tokio_postgres::IsolationLevel;
use deadpool_postgres::{ClientWrapper, Object, Transaction};
use service::task;
use tokio::time::timeout;

use crate::{Connections, Failure, limits};

const TRANSACTION_ID: &str = "SELECT pg_current_xact_id()::TEXT::BIGINT";
const TRANSACTION_STATUS: &str = "SELECT pg_xact_status($1::BIGINT::TEXT::XID8)";

/// What every transaction that writes takes first, so that it stands beside those it may stand beside and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The statement that takes it, for as long as the transaction lasts.
    pub lock: &'static str,
    /// Whether it may change, or wait for who changes, a great deal: then its statements have minutes.
    pub is_long: bool,
}

impl Gate {
    fn statements(self) -> String {
        if !self.is_long {
            return self.lock.to_owned();
        }
        format!("{}; {}", long(), self.lock)
    }
}

fn long() -> String {
    format!(
        "SET LOCAL statement_timeout = {0}; SET LOCAL idle_in_transaction_session_timeout = {0}",
        limits::LONG_STATEMENT_TIMEOUT.as_millis()
    )
}

/// What is under way.
pub type Pending<'c, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'c>>;

/// What reads. It captures nothing (what it needs is given), so that the compiler sees that its future may move to another
/// thread: of closures that borrow, it cannot tell.
pub type Reads<G, T> = for<'c> fn(&'c ClientWrapper, &'c G) -> Pending<'c, T>;

/// What changes something, in a transaction.
pub type Writes<G, T> = for<'c> fn(&'c Transaction<'c>, &'c G) -> Pending<'c, T>;

/// The same of what is given little by little, and so only once.
pub type Feeds<G, T> = for<'c> fn(&'c Transaction<'c>, &'c mut G) -> Pending<'c, T>;

/// How a try of a transaction ended.
enum Tried<T> {
    Done(T),
    Failed(Failure),
    /// The commit was sent and its answer was not received.
    Unclear {
        answer: T,
        transaction: i64,
    },
}

impl Connections {
    /// Runs what only reads, with what is given to it.
    ///
    /// # Errors
    /// When it could not be answered.
    pub async fn read<G: Sync, T>(&self, given: G, work: Reads<G, T>) -> Result<T, Failure> {
        let limit = self.statement_timeout * limits::STATEMENTS;
        for attempt in 1.. {
            let client = self.client().await?;
            let connection: &ClientWrapper = &client;
            let answer = timeout(limit, work(connection, &given)).await;
            match answer.unwrap_or_else(|_| Err(silent(limit))) {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.after(client, failure, attempt)?,
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Runs a transaction: all of it happened when this answers, nothing of it when it fails, unless the error says that
    /// this is not known.
    ///
    /// # Errors
    /// When the server refused, or `work` did.
    pub async fn write<G: Sync, T: Send>(
        &self,
        gate: Gate,
        given: G,
        work: Writes<G, T>,
    ) -> Result<T, Failure> {
        let statement = match gate.is_long {
            false => self.statement_timeout,
            true => limits::LONG_STATEMENT_TIMEOUT,
        };
        let limit = statement * limits::STATEMENTS;
        for attempt in 1.. {
            let mut client = self.client().await?;
            let server = self.servers.now();
            match attempt_once(&mut client, gate, limit, &given, work).await {
                Tried::Done(answer) => return Ok(answer),
                Tried::Failed(failure) => self.after(client, failure, attempt)?,
                Tried::Unclear { answer, transaction } => {
                    drop(Object::take(client));
                    let committed = self.was_committed(transaction).await?;
                    // Another server knows nothing of the transactions of this one.
                    if self.servers.now() != server || (!committed && attempt >= limits::ATTEMPTS) {
                        return Err(unknown());
                    }
                    if committed {
                        return Ok(answer);
                    }
                }
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Runs a transaction of what is given little by little, on a connection outside of the pool, so that it may last. It
    /// is tried once; else as [`write`](Self::write).
    ///
    /// # Errors
    /// When the server refused, or `work` did.
    pub async fn write_once<G: Send, T: Send>(
        &self,
        gate: Gate,
        mut given: G,
        work: Feeds<G, T>,
    ) -> Result<T, Failure> {
        let mut client = Object::take(self.client().await?);
        let server = self.servers.now();
        let (transaction, number) = begin(&mut client, gate).await?;
        let answer = work(&transaction, &mut given).await?;
        match finish(transaction, number, answer, limits::LONG_STATEMENT_TIMEOUT).await {
            Tried::Done(answer) => Ok(answer),
            Tried::Failed(failure) => Err(failure),
            Tried::Unclear { answer, transaction } => {
                drop(client);
                let committed = self.was_committed(transaction).await?;
                if self.servers.now() != server {
                    return Err(unknown());
                }
                match committed {
                    true => Ok(answer),
                    false => Err(Failure::of("the connection was lost, and nothing was done")),
                }
            }
        }
    }

    /// Runs what reads with several statements, all of one moment, or what may last, as the reading of whole tables does: on
    /// a connection outside of the pool, tried once.
    ///
    /// # Errors
    /// When it could not be answered.
    pub async fn snapshot<G: Sync, T>(&self, given: G, work: Writes<G, T>) -> Result<T, Failure> {
        let mut client = Object::take(self.client().await?);
        let transaction = begin_reading(&mut client).await?;
        transaction.batch_execute(&long()).await?;
        work(&transaction, &given).await
    }

    /// What follows a failure: another attempt (then this is `Ok`), or the end. The connection is closed unless it is
    /// surely whole.
    fn after(&self, client: Object, failure: Failure, attempt: u32) -> Result<(), Failure> {
        if failure.is_lost() || !matches!(failure, Failure::Postgres(_) | Failure::Other(_)) {
            drop(Object::take(client));
        }
        if failure.is_passing() && attempt < limits::ATTEMPTS {
            tracing::debug!(attempt, "a call of PostgreSQL is begun anew: {failure:?}");
            return Ok(());
        }
        Err(failure)
    }

    /// Whether the transaction came through whose commit was not answered.
    async fn was_committed(&self, transaction: i64) -> Result<bool, Failure> {
        let mut waited = Duration::ZERO;
        while waited < self.connect_timeout {
            let client = self.client().await.map_err(|_| unknown())?;
            let row = client.query_one(TRANSACTION_STATUS, &[&transaction]).await;
            let status = row.and_then(|row| row.try_get::<_, Option<String>>(0));
            match status.map_err(Failure::from) {
                Ok(status) => match status.as_deref() {
                    Some("committed") => return Ok(true),
                    Some("aborted") => return Ok(false),
                    // Its process has not noticed yet that nobody listens any more.
                    Some(_) => drop(client),
                    None => return Err(unknown()),
                },
                // One of the pool that was lost with the other and not noticed yet, or the server went once more.
                Err(failure) if !failure.is_lost() => return Err(unknown()),
                Err(_) => drop(Object::take(client)),
            }
            task::sleep(limits::FIRST_WAIT).await;
            waited += limits::FIRST_WAIT;
        }
        Err(unknown())
    }
}

async fn attempt_once<G: Sync, T: Send>(
    client: &mut Object,
    gate: Gate,
    limit: Duration,
    given: &G,
    work: Writes<G, T>,
) -> Tried<T> {
    let run = async move {
        let (transaction, number) = begin(client, gate).await?;
        let answer = work(&transaction, given).await?;
        Ok::<_, Failure>((transaction, number, answer))
    };
    let (transaction, number, answer) = match timeout(limit, run).await {
        Ok(Ok(run)) => run,
        Ok(Err(failure)) => return Tried::Failed(failure),
        Err(_) => return Tried::Failed(silent(limit)),
    };
    finish(transaction, number, answer, limit).await
}

/// Begins a transaction and takes the gate. Answers it with its number.
async fn begin(client: &mut ClientWrapper, gate: Gate) -> Result<(Transaction<'_>, i64), Failure> {
    let lock = gate.statements();
    let builder = client.build_transaction();
    let transaction = builder
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await?;
    let number = transaction.prepare_cached(TRANSACTION_ID).await?;
    let (locked, number) = tokio::join!(
        transaction.batch_execute(&lock),
        transaction.query_one(&number, &[])
    );
    // Why the first failed, and not that the second did because of it.
    locked?;
    let number: i64 = number?.try_get(0)?;
    Ok((transaction, number))
}

async fn finish<T>(transaction: Transaction<'_>, number: i64, answer: T, limit: Duration) -> Tried<T> {
    match timeout(limit, transaction.commit())
        .await
        .map(|done| done.map_err(Failure::from))
    {
        Ok(Ok(())) => Tried::Done(answer),
        Ok(Err(failure)) if !failure.is_lost() => Tried::Failed(failure),
        Ok(Err(_)) | Err(_) => Tried::Unclear {
            answer,
            transaction: number,
        },
    }
}

async fn begin_reading(client: &mut ClientWrapper) -> Result<Transaction<'_>, Failure> {
    let builder = client.build_transaction();
    let builder = builder
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true);
    Ok(builder.start().await?)
}

fn silent(limit: Duration) -> Failure {
    Failure::of(format!(
        "no answer within {} s: the connection was given up, and the next call opens another",
        limit.as_secs_f32()
    ))
}

fn unknown() -> Failure {
    Failure::of(
        "the connection was lost while the change was confirmed, and whether it was made could not be found out: \
         asking again is harmless",
    )
}
