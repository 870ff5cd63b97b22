//! The server: made, started, stopped and started again, promoted to a new timeline, replaced by another one.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use std::{fs, thread};

use loopback_ports::free_port;
use tempfile::TempDir;

use crate::guardian::Guardian;
use crate::programs::Programs;

/// How often is looked whether a server has started, and how long to go on looking.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = 6_000;

/// The superuser, and the password that it needs over TCP; on the socket, which lies in the folder, it needs none.
const USER: &str = "postgres";
const PASSWORD: &str = "for-tests";

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Connections are cut, transactions rolled back, everything is written: what `systemctl restart` does.
    Fast,
    /// All processes end at once; the next start recovers from the log.
    Immediate,
}

/// A PostgreSQL server of a test's own.
#[derive(Debug)]
pub struct Postgres {
    programs: Programs,
    folder: TempDir,
    port: u32,
    options: Mutex<Vec<String>>,
    guardian: Mutex<Option<Guardian>>,
    databases: AtomicU32,
}

impl Postgres {
    /// The server that the running tests of this process share: started by the first, ended with the last. `None`,
    /// said in one line, when no PostgreSQL is installed.
    ///
    /// # Panics
    /// When it cannot be started; when it is missing and `HIGHWATER_POSTGRES` says `required`.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("no test panics while it starts a server");
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Self::start(&[])?);
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    /// A server for one test, with settings of its own (`name=value`).
    ///
    /// # Panics
    /// As [`shared`](Self::shared).
    pub fn start(options: &[&str]) -> Option<Self> {
        let programs = Programs::find()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        programs.give(folder.path());
        let mut server = Self {
            programs,
            folder,
            port: 0,
            options: Mutex::default(),
            guardian: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        server.set_options(options);
        server.initialise();
        let started = (0..50).any(|_| {
            server.port = free_port();
            server.run()
        });
        assert!(started, "no server came up:\n{}", server.log());
        Some(server)
    }

    /// Sets the settings of its own (`name=value`) that the next start is with.
    ///
    /// # Panics
    /// Never.
    pub fn set_options(&self, options: &[&str]) {
        let mut own = self.options.lock().expect("nobody panics holding it");
        *own = options.iter().map(|option| (*option).to_owned()).collect();
    }

    /// The port that it listens on, on loopback.
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// The address of a database by the Unix socket, as superuser.
    pub fn url(&self, database: &str) -> String {
        let socket = self.folder.path().display();
        format!(
            "postgres:///{database}?host={socket}&port={}&user={USER}",
            self.port
        )
    }

    /// The address of a database by TCP on loopback, as superuser, with a password.
    pub fn tcp_url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and answers its name.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The same, all of whose tables lie in this folder, which is empty.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn database_in(&self, folder: &Path) -> String {
        self.programs.give(folder);
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let place = folder.display();
        self.sql(
            "postgres",
            &format!("CREATE TABLESPACE {name} LOCATION '{place}'"),
        );
        self.sql("postgres", &format!("CREATE DATABASE {name} TABLESPACE {name}"));
        name
    }

    /// Runs statements by `psql`, as superuser, and answers what they print: rows as lines, columns by `|`.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.try_sql(database, statements)
            .unwrap_or_else(|error| panic!("{statements}: {error}"))
    }

    /// As [`sql`](Self::sql), for statements that may fail.
    ///
    /// # Errors
    /// What `psql` says.
    ///
    /// # Panics
    /// When `psql` does not run.
    pub fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        let output = Command::new(self.programs.path("psql"))
            .arg(self.url(database))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .output()
            .expect("psql runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Stops the server, and waits until it is gone.
    ///
    /// # Panics
    /// When it was not running.
    pub fn stop(&self, how: Stop) {
        let running = self.guardian.lock().expect("nobody panics holding it").take();
        running
            .expect("the server runs")
            .end(if how == Stop::Fast { "INT" } else { "QUIT" });
    }

    /// Starts the server again after [`stop`](Self::stop), at the same addresses.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&self) {
        assert!(self.run(), "the server did not come up again:\n{}", self.log());
    }

    /// Starts the stopped server on a new timeline, as a standby begins one that is promoted.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn promote(&self) {
        self.put_file("recovery.signal", "");
        self.start_again();
        for _ in 0..LOOKS {
            if self.try_sql("postgres", "SELECT pg_is_in_recovery()") == Ok("f".to_owned()) {
                return;
            }
            pause();
        }
        panic!("the server is still in recovery:\n{}", self.log());
    }

    /// Starts the stopped server as a standby, which may be read and not written.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_standby(&self) {
        self.put_file("standby.signal", "");
        self.start_again();
    }

    /// Puts another, empty server in the place of the stopped one, at the same addresses.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn replace(&self) {
        fs::remove_dir_all(self.data()).expect("removed");
        self.initialise();
        self.start_again();
    }

    /// Puts a file into the folder of the data, as a certificate; only the server may read it.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn put_file(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.data().join(name);
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        self.programs.give(&path);
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    fn initialise(&self) {
        let secret = self.folder.path().join("password");
        fs::write(&secret, PASSWORD).expect("written");
        self.programs.give(&secret);
        let output = self
            .programs
            .command(&self.programs.path("initdb"))
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&secret)
            .args(["--username", USER, "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .current_dir(self.folder.path())
            .output()
            .expect("initdb runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {said}");
    }

    /// Starts the server; whether it came up, or ended by itself.
    fn run(&self) -> bool {
        let folder = self.folder.path();
        let mut options = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", folder.display()),
            "fsync=off".to_owned(),
            "max_connections=100".to_owned(),
            // The end of the log is where recovery for a new timeline ends.
            "restore_command=false".to_owned(),
        ];
        options.extend_from_slice(&self.options.lock().expect("nobody panics holding it"));
        let before = self.log().len();
        let mut guardian = Guardian::start(&self.programs, folder, &options);
        let status = self.data().join("postmaster.pid");
        for _ in 0..LOOKS {
            // Its eighth line says how far the server is.
            if is_ready(&status) && self.try_sql("postgres", "SELECT 1").is_ok() {
                *self.guardian.lock().expect("nobody panics holding it") = Some(guardian);
                return true;
            }
            if !guardian.is_running() || self.log()[before..].contains("could not bind") {
                break;
            }
            pause();
        }
        // A guardian that is only dropped takes the folder with it.
        guardian.end("INT");
        false
    }
}

fn is_ready(status: &Path) -> bool {
    let text = fs::read_to_string(status).unwrap_or_default();
    text.lines()
        .nth(7)
        .is_some_and(|word| ["ready", "standby"].contains(&word.trim()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test waits for a process of another program"
)]
fn pause() {
    thread::sleep(LOOK_EVERY);
}
