//! The server does what tests ask of it, and ends with them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use postgres_for_tests::{Postgres, Stop};

#[test]
fn a_server_is_started_stopped_and_started_again_with_its_data() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let database = server.database();
    server.sql(&database, "CREATE TABLE t (n INT); INSERT INTO t VALUES (7)");
    for how in [Stop::Fast, Stop::Immediate] {
        server.stop(how);
        assert!(server.try_sql(&database, "SELECT 1").is_err());
        server.start_again();
        assert_eq!(server.sql(&database, "SELECT n FROM t"), "7");
    }
}

#[test]
fn a_promoted_server_has_a_new_timeline_and_a_replaced_one_another_identity() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let identity = || server.sql("postgres", "SELECT system_identifier FROM pg_control_system()");
    let timeline = || {
        server.sql(
            "postgres",
            "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)",
        )
    };
    let before = identity();
    assert_eq!(timeline(), "00000001");
    server.stop(Stop::Fast);
    server.promote();
    assert_eq!((identity(), timeline()), (before.clone(), "00000002".to_owned()));
    server.stop(Stop::Fast);
    server.replace();
    assert_ne!(identity(), before);
}

#[test]
fn running_tests_share_a_server_with_a_database_each() {
    let Some(one) = Postgres::shared() else { return };
    let other = Postgres::shared().expect("it is there");
    assert_eq!(one.url("x"), other.url("x"));
    assert_ne!(one.database(), other.database());
}

#[test]
#[ignore = "a part of the next test, which runs it in a process of its own and kills that"]
fn it_holds_a_server_until_it_is_killed() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let process = server.sql(
        "postgres",
        "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)",
    );
    println!("\nserver {process}");
    std::io::stdin().read_line(&mut String::new()).expect("held");
}

#[test]
fn a_server_ends_when_the_process_that_started_it_is_killed() {
    let mut holder = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "it_holds_a_server_until_it_is_killed",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(holder.stdout.take().expect("its output")).lines();
    let server = lines.find_map(|line| line.expect("text").strip_prefix("server ").map(str::to_owned));
    holder.kill().expect("killed");
    holder.wait().expect("it is gone");
    let Some(server) = server else { return };
    let process = Path::new("/proc").join(server);
    while process.exists() {
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test waits for a process of another program"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
