//! The server restarts, connections are cut, answers are lost, locks are held: what was asked is done once, or the error
//! says what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use index_schema::conformance::{Dice, expired};
use index_schema::{Index, PostgresIndex, PostgresSettings};
use postgres_for_tests::Stop;
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::beside::over_months;
use super::test_database::TestDatabase;

/// Waits until a question is answered so; there is no end to waiting but the end of patience with the whole test.
async fn until(place: &TestDatabase, question: &str, answer: &str) {
    while place.server.try_sql(&place.database, question).as_deref() != Ok(answer) {
        task::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_server_is_waited_out_and_each_entry_added_once() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    let index = place.index().await;
    let entries = over_months(1, 120);
    let stopped = Arc::new(AtomicBool::new(false));
    let inserting = task::spawn("inserter", {
        let (index, entries, stopped) = (index.clone(), entries.clone(), stopped.clone());
        async move {
            let (mut added, mut untold) = (0, 0);
            while !stopped.load(Ordering::SeqCst) {
                for some in entries.chunks(3) {
                    match index.insert(some).await {
                        Ok(inserted) => added += inserted.added,
                        // Only a server that crashed cannot tell.
                        Err(error) if error.to_string().contains("asking again is harmless") => untold += 1,
                        Err(error) => panic!("{error}"),
                    }
                    index.pending(3).await.expect("answered");
                }
            }
            (added, untold)
        }
    });
    for how in [Stop::Fast, Stop::Immediate, Stop::Fast] {
        place.server.stop(how);
        place.server.start_again();
        until(&place, "SELECT 1", "1").await;
    }
    stopped.store(true, Ordering::SeqCst);
    let (added, untold) = inserting.await.expect("it ended");
    let added = added + index.insert(&entries).await.expect("inserted").added;
    assert!(
        added <= 120 && added + 3 * untold >= 120,
        "{added} added, {untold} times untold"
    );
    assert_eq!(index.totals().await.expect("totals").pending_chunks, 120);
    assert_eq!(index.server().changes, 0, "a restarted server is the same server");
    place.assert_whole();
}

/// Runs an insert that waits inside its transaction, behind a lock of ours; then what `meanwhile` does; then lets it go on.
async fn interrupted(place: &TestDatabase, meanwhile: &str) {
    let index = place.index().await;
    let entries = Dice::new(2).entries(6);
    index.insert(&entries[..1]).await.expect("inserted");
    let ours = place.client().await;
    let hold = "BEGIN; LOCK TABLE highwater_index.pending IN SHARE MODE";
    ours.batch_execute(hold).await.expect("locked");
    let inserting = task::spawn("inserter", {
        let (index, entries) = (index.clone(), entries.clone());
        async move { index.insert(&entries).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'highwater' AND wait_event_type = 'Lock' \
                 AND datname = current_database()";
    until(place, waits, "1").await;
    place.sql(meanwhile);
    ours.batch_execute("ROLLBACK").await.expect("released");
    let inserted = inserting.await.expect("it ended").expect("inserted");
    assert_eq!((inserted.added, inserted.known), (5, 1));
    assert_eq!(index.pending(9).await.expect("pending").len(), 6);
    place.assert_whole();
}

#[tokio::test]
async fn an_insert_whose_connection_is_cut_inside_the_transaction_is_begun_anew() {
    let Some(place) = TestDatabase::new() else { return };
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'highwater' \
               AND datname = current_database() AND state = 'active'";
    interrupted(&place, cut).await;
}

#[tokio::test]
async fn a_statement_that_waits_too_long_for_a_lock_fails_with_words_and_changes_nothing() {
    let Some(place) = TestDatabase::new() else { return };
    let settings = PostgresSettings {
        lock_timeout: Duration::from_millis(50),
        ..place.settings()
    };
    let index = PostgresIndex::open(settings).await.expect("opened");
    let entries = Dice::new(3).entries(2);
    index.insert(&entries[..1]).await.expect("inserted");
    let ours = place.client().await;
    let hold = "BEGIN; LOCK TABLE highwater_index.pending IN EXCLUSIVE MODE";
    ours.batch_execute(hold).await.expect("locked");
    let error = index.insert(&entries).await.expect_err("it waits in vain");
    assert!(
        error.to_string().contains("try again when that is over"),
        "{error}"
    );
    ours.batch_execute("ROLLBACK").await.expect("released");
    assert_eq!(index.totals().await.expect("totals").chunks, 1);
    assert_eq!(index.insert(&entries).await.expect("inserted").added, 1);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_the_server_with_words() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    index.insert(&Dice::new(4).entries(3)).await.expect("inserted");
    let slow = PostgresSettings {
        statement_timeout: Duration::from_millis(100),
        lock_timeout: Duration::from_secs(60),
        ..place.settings()
    };
    let slow = TestDatabase::impatient(slow).await;
    let ours = place.client().await;
    let hold = "BEGIN; LOCK TABLE highwater_index.chunk IN ACCESS EXCLUSIVE MODE";
    ours.batch_execute(hold).await.expect("locked");
    let selection = index_schema::Selection::default();
    let error = slow.select(&selection, None, 9).await.expect_err("too slow");
    assert!(error.to_string().contains("statement time-out"), "{error}");
    ours.batch_execute("ROLLBACK").await.expect("released");
    let found = loop {
        // On a busy machine any statement may take too long.
        if let Ok(found) = slow.select(&selection, None, 9).await {
            break found;
        }
    };
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be_away_and_served_again_when_it_is_back() {
    let Some(place) = TestDatabase::alone() else {
        return;
    };
    let settings = PostgresSettings {
        connect_timeout: Duration::from_millis(300),
        ..place.settings()
    };
    let index = TestDatabase::impatient(settings).await;
    place.server.stop(Stop::Fast);
    let error = index.totals().await.expect_err("nobody answers");
    assert!(error.to_string().contains("is it running"), "{error}");
    place.server.start_again();
    loop {
        // The first calls may find the server still starting.
        if index.totals().await.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let Some(place) = TestDatabase::new() else { return };
    let open_within = async |connect_timeout, url: String| {
        let settings = PostgresSettings {
            connect_timeout,
            ..PostgresSettings::new(url)
        };
        PostgresIndex::open(settings)
            .await
            .expect_err("it cannot be opened")
            .to_string()
    };
    // A server that answers does so at some time, however busy the machine is.
    let open = async |url| open_within(Duration::from_secs(60), url).await;
    let error = open(place.server.url("no_such")).await;
    assert!(error.contains("createdb"), "{error}");
    let wrong = place
        .server
        .tcp_url(&place.database)
        .replace(":for-tests@", ":secret@");
    let error = open(wrong).await;
    assert!(
        error.contains("mend user or password") && !error.contains("secret"),
        "{error}"
    );
    let nowhere = "postgres://joe@127.0.0.1:9/index".to_owned();
    let error = open_within(Duration::from_millis(300), nowhere).await;
    assert!(
        error.contains("is it running") && error.contains("127.0.0.1:9/index"),
        "{error}"
    );
    place.sql("CREATE DATABASE latin_one ENCODING 'LATIN1' TEMPLATE template0");
    let error = open(place.server.url("latin_one")).await;
    assert!(error.contains("--encoding=UTF8"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_in_use_for_too_long_says_so() {
    let Some(place) = TestDatabase::new() else { return };
    let settings = PostgresSettings {
        connect_timeout: Duration::from_millis(300),
        ..place.clone().with_pool(1).settings()
    };
    let index = TestDatabase::impatient(settings).await;
    let ours = place.client().await;
    let hold = "BEGIN; LOCK TABLE highwater_index.pending IN EXCLUSIVE MODE";
    ours.batch_execute(hold).await.expect("locked");
    let holding = task::spawn("holder", {
        let index = index.clone();
        // As often as it takes: on a busy machine its connection may be late, too.
        async move { while index.settle(&[Dice::new(1).entries(1)[0].id]).await.is_err() {} }
    });
    until(&place, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'highwater' AND wait_event_type = 'Lock' \
          AND datname = current_database()", "1").await;
    let error = index.totals().await.expect_err("no connection is free");
    assert!(error.to_string().contains("make the pool larger"), "{error}");
    ours.batch_execute("ROLLBACK").await.expect("released");
    holding.await.expect("it ended");
}

/// Stands between the index and the server, and keeps back the answers that begin with the next commit: the server has
/// committed then, and the connection is cut.
async fn lossy_proxy(port: u32, lose: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("bound").port();
    task::spawn("proxy", async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port as u16))
                .await
                .expect("connected");
            task::spawn("proxied", forward(client, server, lose.clone()));
        }
    });
    own
}

async fn forward(mut client: TcpStream, mut server: TcpStream, lose: Arc<AtomicBool>) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            biased;
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return };
                let sent = &up[..read];
                server.write_all(sent).await.expect("sent");
                let commits = sent.windows(7).any(|word| word == b"COMMIT\0");
                if commits && lose.swap(false, Ordering::SeqCst) {
                    // The answer is there, so the commit is.
                    let answered = server.read(&mut down).await.expect("answered");
                    assert!(down[..answered].windows(7).any(|word| word == b"COMMIT\0"));
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&down[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_out_about_and_not_done_twice() {
    let Some(place) = TestDatabase::new() else { return };
    let lose = Arc::new(AtomicBool::new(false));
    let port = lossy_proxy(place.server.port(), lose.clone()).await;
    let url = place.server.tcp_url(&place.database);
    let url = url.replace(&format!(":{}/", place.server.port()), &format!(":{port}/"));
    let settings = PostgresSettings {
        url,
        ..place.settings()
    };
    let index = PostgresIndex::open(settings).await.expect("opened");
    let entries = Dice::new(5).entries(3);
    index.insert(&entries[..1]).await.expect("inserted");
    lose.store(true, Ordering::SeqCst);
    assert_eq!(
        index.insert(&entries).await.expect("inserted").added,
        2,
        "as it was, not as it would be again"
    );
    lose.store(true, Ordering::SeqCst);
    assert_eq!(index.fail(entries[0].id, "once").await.expect("noted"), 1);
    assert_eq!(index.fail(entries[0].id, "twice").await.expect("noted"), 2);
    assert!(!lose.load(Ordering::SeqCst));
    place.assert_whole();
}

#[tokio::test]
async fn a_commit_that_did_not_come_through_is_made_again() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let entries = Dice::new(6).entries(4);
    // The commit waits for a lock of ours, and its connection is cut while it does.
    place.sql(
        "CREATE FUNCTION wait() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON highwater_index.pending DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let ours = place.client().await;
    ours.batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .expect("locked");
    let inserting = task::spawn("inserter", {
        let (index, entries) = (index.clone(), entries.clone());
        async move { index.insert(&entries).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'advisory' \
                 AND datname = current_database()";
    until(&place, waits, "1").await;
    place.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND datname = current_database()",
    );
    ours.batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .expect("released");
    assert_eq!(inserting.await.expect("it ended").expect("inserted").added, 4);
    assert_eq!(index.totals().await.expect("totals").pending_chunks, 4);
    place.assert_whole();
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_leaves_no_transaction_behind() {
    let Some(place) = TestDatabase::new() else { return };
    let index = PostgresIndex::open(place.clone().with_pool(1).settings())
        .await
        .expect("opened");
    let entries = Dice::new(7).entries(4);
    index.insert(&entries[..1]).await.expect("inserted");
    let ours = place.client().await;
    let hold = "BEGIN; LOCK TABLE highwater_index.pending IN EXCLUSIVE MODE";
    ours.batch_execute(hold).await.expect("locked");
    let given_up = tokio::time::timeout(Duration::from_millis(200), index.insert(&entries)).await;
    assert!(given_up.is_err());
    ours.batch_execute("ROLLBACK").await.expect("released");
    assert_eq!(index.totals().await.expect("totals").chunks, 1);
    assert_eq!(index.insert(&entries).await.expect("inserted").added, 3);
    assert_eq!(expired(&*index, 9).await, []);
}
