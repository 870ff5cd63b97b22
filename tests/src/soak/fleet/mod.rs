//! Many processes of the program that share S3 and PostgreSQL, under load, while parts of it fail; and in the end everything
//! that was acknowledged held against what is stored, indexed and counted. S3 is the project's own on loopback, which
//! fails by script; PostgreSQL is real.
//!
//! What does not live here: the Lambda, which needs LocalStack; here a process indexes.

mod judge;
mod mixed;
mod processes;
mod retaining;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use loopback_s3::LoopbackS3;
use postgres_for_tests::Postgres;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::document::document;
use super::ledger::Ledger;
use super::load::{Load, StopAtLast, Target};
use crate::program::thread_sleep;
use processes::Processes;

pub use mixed::mixed_fleet;

/// The S3 bucket.
const BUCKET: &str = "chunks";

/// Connections of the load to each edge.
const SENDERS: usize = 8;

/// Pings a second to each edge.
const RATE: f64 = 40.0;

/// The second edge gets what the first one got so many tickets ago: repeats, at another edge, of all but the newest.
const BEHIND: u64 = 20;

/// A process of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The first edge.
    North,
    /// The second edge.
    South,
    /// Who indexes.
    Indexer,
    /// The first aggregator.
    East,
    /// The second aggregator.
    West,
    /// Who answers questions.
    Query,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::North,
        Self::South,
        Self::Indexer,
        Self::East,
        Self::West,
        Self::Query,
    ];
    /// Those that take pings.
    pub const EDGES: [Self; 2] = [Self::North, Self::South];
    /// Those that fold.
    pub const AGGREGATORS: [Self; 2] = [Self::East, Self::West];
}

/// All of it, up.
pub struct Fleet {
    /// S3, to be made to fail.
    pub s3: LoopbackS3,
    /// PostgreSQL, likewise.
    pub postgres: Arc<Postgres>,
    /// What documents are drawn from.
    pub seed: u64,
    database: String,
    processes: Mutex<Processes>,
    ledger: Ledger,
    next: Mutex<u64>,
    /// Pings that retention deleted.
    gone: Mutex<u64>,
    folder: TempDir,
    // Ends S3, so it goes last.
    _runtime: Runtime,
}

impl Fleet {
    /// Starts it by this program, which must have the feature `aws`. `None`, and a line about it, where there is no
    /// PostgreSQL.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn up(program: &Path, seed: u64) -> Option<Self> {
        let postgres = Postgres::shared()?;
        let database = postgres.database();
        Some(Self::over(program, seed, postgres, database))
    }

    /// The same over a database of this server.
    ///
    /// # Panics
    /// As [`up`](Self::up).
    pub fn over(program: &Path, seed: u64, postgres: Arc<Postgres>, database: String) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let s3 = runtime.block_on(LoopbackS3::start(&[BUCKET])).expect("loopback");
        let folder = tempfile::tempdir().expect("a folder");
        let processes = Processes::start(
            program,
            folder.path(),
            &s3.endpoint_url(),
            &postgres.tcp_url(&database),
        );
        Self {
            s3,
            postgres,
            seed,
            database,
            processes: Mutex::new(processes),
            ledger: Ledger::new(Duration::from_secs(60)),
            next: Mutex::new(0),
            gone: Mutex::new(0),
            folder,
            _runtime: runtime,
        }
    }

    /// Sends pings to both edges for as long as `meanwhile` takes. What the second gets, the first got before.
    ///
    /// # Panics
    /// When `meanwhile` does.
    pub fn under_load(&self, meanwhile: impl FnOnce()) {
        let first = *self.next.lock().expect("no panic here");
        let targets: Vec<Target> = self.edges().iter().map(|address| Target::at(address)).collect();
        let loads = [
            Load::new(&targets[0], &self.ledger, Some(RATE), first + BEHIND),
            Load::new(&targets[1], &self.ledger, Some(RATE), first),
        ];
        thread::scope(|scope| {
            let stops: Vec<StopAtLast<'_, '_>> = loads.iter().map(StopAtLast).collect();
            for (load, first) in loads.iter().zip([first + BEHIND, first]) {
                for _ in 0..SENDERS {
                    scope.spawn(move || load.send(first, |ticket| document(self.seed, ticket)));
                }
            }
            meanwhile();
            drop(stops);
        });
        *self.next.lock().expect("no panic here") = loads.iter().map(Load::next).max().unwrap_or(first);
    }

    /// Lets it go on for a while.
    pub fn pause(&self, length: Duration) {
        thread_sleep(length);
    }

    /// Kill -9, and a new start.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn kill_and_start(&self, role: Role) {
        let mut processes = self.processes();
        processes.of(role).kill();
        processes.start_again(role);
    }

    /// Kill -9.
    pub fn kill(&self, role: Role) {
        self.processes().of(role).kill();
    }

    /// Starts what was ended.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn start(&self, role: Role) {
        self.processes().start_again(role);
    }

    /// Sends a signal.
    pub fn signal(&self, role: Role, signal: rustix::process::Signal) {
        self.processes().of(role).signal(signal);
    }

    /// What a process has logged.
    pub fn log(&self, role: Role) -> String {
        self.processes().of(role).log()
    }

    /// A metric of a process.
    pub fn metric(&self, role: Role, name: &str) -> Option<f64> {
        self.processes().of(role).metric(name)
    }

    /// Runs a command over the shared store, index and aggregates; what it says on its standard error.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn run(&self, arguments: &[&str]) -> String {
        let finished = self.processes().run(arguments);
        assert!(finished.success, "{arguments:?}: {}", finished.stderr);
        finished.stderr
    }

    /// What statements print that are asked of the database.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn try_sql(&self, statements: &str) -> Result<String, String> {
        self.postgres.try_sql(&self.database, statements)
    }

    /// Ends the connections of all transactions that are under way.
    pub fn kill_transactions(&self) {
        let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
        // It may be away, too.
        let _ = self.try_sql(statement);
    }

    /// How many 200s there were.
    pub fn acknowledged(&self) -> u64 {
        self.ledger.entries().acknowledged()
    }

    /// Once everything works again: has what waits sealed, waits until all of it is counted, and judges.
    ///
    /// # Panics
    /// When anything is wrong: the words say what, and with which seed.
    pub fn judge(&self) {
        let wrong = self.wrong();
        assert!(wrong.is_empty(), "seed {}: {}", self.seed, wrong.join("\n"));
    }

    fn edges(&self) -> [String; 2] {
        let mut processes = self.processes();
        Role::EDGES.map(|edge| processes.of(edge).address().to_owned())
    }

    fn processes(&self) -> MutexGuard<'_, Processes> {
        // Who panicked while it held them has its words; they are ended all the same.
        self.processes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Where the objects are written for who reads them as files.
    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }
}
