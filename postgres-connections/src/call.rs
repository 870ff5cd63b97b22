//! How a call goes through a connection: bounded in time, begun anew when the connection is lost, and, when it was lost
//! in the commit, with an answer to whether that happened.

use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::tokio_postgres::error::SqlState;
use deadpool_postgres::tokio_postgres::{IsolationLevel, Row};
use deadpool_postgres::{ClientWrapper, Object, Transaction};
use service::task;
use tokio::time::timeout;

use crate::{Connections, Failure, limits};

/// Since when the server has counted, in microseconds: it begins anew when it has crashed, and only then.
macro_rules! life {
    () => {
        "COALESCE((EXTRACT(EPOCH FROM stats_reset) * 1000000)::BIGINT, 0) FROM pg_stat_bgwriter"
    };
}

const TRANSACTION: &str = concat!("SELECT pg_current_xact_id()::TEXT::BIGINT, ", life!());
const TRANSACTION_STATUS: &str = concat!("SELECT pg_xact_status($1::BIGINT::TEXT::XID8), ", life!());

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
        transaction: Numbered,
    },
}

/// What a transaction is asked after by. A server that crashes gives the numbers once more of which nothing had reached its
/// log, so a number tells a transaction from others only as long as the server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbered {
    number: i64,
    life: i64,
}

impl Numbered {
    /// Reads both from the first columns of a row.
    fn read(row: &Row) -> Result<Self, Failure> {
        Ok(Self {
            number: row.try_get(0)?,
            life: row.try_get(1)?,
        })
    }
}

impl Connections {
    /// Runs what only reads, with what is given to it.
    ///
    /// # Errors
    /// When it could not be answered.
    pub async fn read<G: Sync, T>(&self, given: G, work: Reads<G, T>) -> Result<T, Failure> {
        let limit = self.statement_timeout * limits::STATEMENTS;
        for attempt in 1.. {
            let client = Reading(Some(self.client().await?));
            let answer = timeout(limit, work(client.connection(), &given)).await;
            let client = client.give_back();
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
    async fn was_committed(&self, transaction: Numbered) -> Result<bool, Failure> {
        let mut waited = Duration::ZERO;
        while waited < self.connect_timeout {
            let client = self.client().await.map_err(|_| unknown())?;
            match status(&client, transaction).await {
                // Its process has not noticed yet that nobody listens any more.
                Ok(Status::InProgress) => drop(client),
                Ok(Status::Committed) => return Ok(true),
                Ok(Status::Aborted) => return Ok(false),
                Ok(Status::Forgotten) => return Err(unknown()),
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

/// A connection that is asked something. When whoever asked goes before the answer is there it is closed: then the server
/// ends the statement, and nobody else waits for the rest of the answer.
struct Reading(Option<Object>);

impl Reading {
    fn connection(&self) -> &ClientWrapper {
        self.0.as_ref().expect("it is there until it is given back")
    }

    /// The connection, of use to others.
    fn give_back(mut self) -> Object {
        self.0.take().expect("it is given back once")
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    InProgress,
    Committed,
    Aborted,
    /// The server cannot tell any more.
    Forgotten,
}

async fn status(client: &ClientWrapper, transaction: Numbered) -> Result<Status, Failure> {
    let row = client.query_one(TRANSACTION_STATUS, &[&transaction.number]).await;
    let row = match row.map_err(Failure::from) {
        // A number that the server has not given yet: it crashed, and nothing of the transaction had reached its log.
        Err(Failure::Postgres(error)) if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
            return Ok(Status::Aborted);
        }
        other => other?,
    };
    let (status, life): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match status.as_deref() {
        Some("aborted") => Status::Aborted,
        Some("committed") if life == transaction.life => Status::Committed,
        // Ours, or the one that was given our number after a crash.
        Some("committed") | None => Status::Forgotten,
        Some(_) => Status::InProgress,
    })
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
async fn begin(client: &mut ClientWrapper, gate: Gate) -> Result<(Transaction<'_>, Numbered), Failure> {
    let lock = gate.statements();
    let builder = client.build_transaction();
    let transaction = builder
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await?;
    let number = transaction.prepare_cached(TRANSACTION).await?;
    let (locked, number) = tokio::join!(
        transaction.batch_execute(&lock),
        transaction.query_one(&number, &[])
    );
    // Why the first failed, and not that the second did because of it.
    locked?;
    Ok((transaction, Numbered::read(&number?)?))
}

async fn finish<T>(transaction: Transaction<'_>, numbered: Numbered, answer: T, limit: Duration) -> Tried<T> {
    match timeout(limit, transaction.commit())
        .await
        .map(|done| done.map_err(Failure::from))
    {
        Ok(Ok(())) => Tried::Done(answer),
        Ok(Err(failure)) if !failure.is_lost() => Tried::Failed(failure),
        Ok(Err(_)) | Err(_) => Tried::Unclear {
            answer,
            transaction: numbered,
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

#[cfg(test)]
mod tests {
    use postgres_for_tests::{Postgres, Stop};

    use super::*;
    use crate::PostgresSettings;

    const GATE: Gate = Gate {
        lock: "SELECT 1",
        is_long: false,
    };

    /// A number of a transaction that is not committed when the server stops.
    async fn interrupted(connections: &Connections, server: &Postgres, how: Stop) -> Numbered {
        let mut client = connections.client().await.expect("connected");
        let (transaction, ours) = begin(&mut client, GATE).await.expect("begun");
        server.stop(how);
        drop(transaction);
        drop(Object::take(client));
        server.start_again();
        ours
    }

    /// Others commit transactions until one of them has this number or a later one.
    fn others_reach(server: &Postgres, database: &str, number: i64) {
        let next = || {
            server
                .sql(database, "SELECT pg_current_xact_id()")
                .trim()
                .parse::<i64>()
        };
        while next().expect("a number") < number {}
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_number_that_a_crashed_server_gave_to_another_transaction_is_not_taken_for_ours() {
        let Some(server) = Postgres::start(&[]) else {
            return;
        };
        let database = server.database();
        let connections = Connections::new(&PostgresSettings::new(server.url(&database))).expect("settings");
        let ours = interrupted(&connections, &server, Stop::Immediate).await;
        let at_once = connections.was_committed(ours).await.expect("told");
        assert!(!at_once, "nothing of it had reached the log");
        others_reach(&server, &database, ours.number);
        let client = connections.client().await.expect("connected");
        let said = client
            .query_one(TRANSACTION_STATUS, &[&ours.number])
            .await
            .expect("told");
        assert_eq!(
            said.get::<_, Option<String>>(0).as_deref(),
            Some("committed"),
            "the number was given again"
        );
        drop(client);
        let told = connections
            .was_committed(ours)
            .await
            .expect_err("nobody can tell");
        assert!(told.told("the database").contains("asking again is harmless"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn after_a_stop_in_good_order_numbers_stay_what_they_were() {
        let Some(server) = Postgres::start(&[]) else {
            return;
        };
        let database = server.database();
        let connections = Connections::new(&PostgresSettings::new(server.url(&database))).expect("settings");
        let mut client = connections.client().await.expect("connected");
        let (transaction, committed) = begin(&mut client, GATE).await.expect("begun");
        transaction.commit().await.expect("committed");
        drop(client);
        let ours = interrupted(&connections, &server, Stop::Fast).await;
        others_reach(&server, &database, ours.number + 1);
        assert!(!connections.was_committed(ours).await.expect("told"));
        assert!(connections.was_committed(committed).await.expect("told"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_statement_that_nobody_waits_for_any_more_ends_and_its_connection_is_closed() {
        let Some(server) = Postgres::start(&[]) else {
            return;
        };
        let database = server.database();
        let settings = PostgresSettings::new(server.url(&database));
        let connections = std::sync::Arc::new(Connections::new(&settings).expect("settings"));
        let sleeping = || {
            let running =
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(9%'
                AND pid <> pg_backend_pid()";
            server.sql(&database, running).trim().to_owned()
        };
        let asked = {
            let connections = std::sync::Arc::clone(&connections);
            task::spawn("question", async move {
                let sleep: Reads<(), u64> = |client, ()| {
                    Box::pin(async move { Ok(client.execute("SELECT pg_sleep(900)", &[]).await?) })
                };
                connections.read((), sleep).await
            })
        };
        while sleeping() != "1" {
            task::sleep(Duration::from_millis(20)).await;
        }
        asked.abort();
        // Well before the statement time-out.
        for _ in 0..100 {
            if sleeping() == "0" {
                return;
            }
            task::sleep(Duration::from_millis(100)).await;
        }
        panic!("the statement goes on");
    }
}
