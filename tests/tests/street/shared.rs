//! Store, index and aggregates that many processes share: S3 on loopback and a real PostgreSQL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use loopback_s3::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
use postgres_for_tests::Postgres;
use serde_json::Value;
use tests::{Finished, Member, Wish, free_address, gzip, highwater, pause};
use tokio::runtime::Runtime;

/// Where chunks lie in S3.
pub(crate) const BUCKET: &str = "chunks";
const STORE: &str = "s3://chunks/below";

/// All three, and a folder for what the processes leave.
pub(crate) struct Shared {
    folder: tempfile::TempDir,
    pub(crate) s3: LoopbackS3,
    pub(crate) postgres: Arc<Postgres>,
    pub(crate) database: String,
    /// On which S3 lives.
    runtime: Arc<Runtime>,
}

impl Shared {
    /// `None` where there is no PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        let postgres = Postgres::shared()?;
        let runtime = Runtime::new().expect("a runtime");
        let s3 = runtime.block_on(LoopbackS3::start(&[BUCKET])).expect("loopback");
        Some(Self {
            folder: tempfile::tempdir().expect("a folder"),
            s3,
            database: postgres.database(),
            postgres,
            runtime: Arc::new(runtime),
        })
    }

    /// A file that its owner alone may read.
    pub(crate) fn secret(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("permitted");
        path.display().to_string()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(highwater());
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .args(arguments)
            .args(["--store", STORE, "--region", "us-east-1"])
            .args(["--endpoint-url", &self.s3.endpoint_url()]);
        command
    }

    fn databases(&self, database: &str) -> [String; 4] {
        let url = self.postgres.tcp_url(database);
        ["--index", &url, "--aggregates", &url].map(str::to_owned)
    }

    /// A command over all three.
    pub(crate) fn shared(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.args(self.databases(&self.database));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        finished(self.shared(arguments))
    }

    /// What a command printed that ended well.
    pub(crate) fn well(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert!(finished.success, "{arguments:?}: {}", finished.stderr);
        finished.stdout
    }

    pub(crate) fn dump(&self) -> String {
        self.well(&["dump"])
    }

    /// Posts these pings to an edge, which leaves all of them in chunks, and indexes those.
    pub(crate) fn send(&self, pings: &[(String, Value)]) {
        self.send_by(pings, &[]);
    }

    /// The same, by an edge with these settings.
    pub(crate) fn send_by(&self, pings: &[(String, Value)], more: &[&str]) {
        let (data, address) = (self.folder.path().join("edge"), free_address());
        let data = data.display().to_string();
        let mut edge = self.member(
            "edge",
            self.command(
                &[
                    &["edge", "--data-dir", &data, "--edge-listen", &address][..],
                    &["--seal-at-shutdown", "--inflated-limit", "4KiB"],
                    more,
                ]
                .concat(),
            ),
            Some(&address),
        );
        for (uri, body) in pings {
            let body = gzip(body.to_string().as_bytes());
            let answer = edge.client().post(uri, &[("Content-Encoding", "gzip")], &body);
            assert_eq!(answer.expect("an answer").status, 200, "{uri}");
        }
        edge.terminate();
        self.index();
    }

    /// Indexes what lies in S3.
    fn index(&self) {
        let mut reconcile = self.command(&["reconcile"]);
        reconcile.args(&self.databases(&self.database)[..2]);
        let said = finished(reconcile);
        assert!(said.success, "{}", said.stderr);
    }

    pub(crate) fn member(&self, name: &str, command: Command, address: Option<&str>) -> Member {
        let wish = Wish {
            command,
            address: address.map(str::to_owned),
            log: self.folder.path().join(name).with_extension("log"),
        };
        Member::start(wish).unwrap_or_else(|end| panic!("{name}: {end}"))
    }

    pub(crate) fn aggregator(&self, name: &str, more: &[&str]) -> Member {
        let address = free_address();
        let arguments = ["aggregate", "--lease-time", "2s", "--listen", &address];
        let command = self.shared(&[&arguments[..], more].concat());
        self.member(name, command, Some(&address))
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.well(&["status", "--json"])).expect("the status as JSON")
    }

    pub(crate) fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3_000 {
            let status = self.status();
            if condition(&status) {
                return status;
            }
            pause(Duration::from_millis(200));
        }
        panic!("waited in vain for {what}: {}", self.status());
    }

    pub(crate) fn settled(&self) -> Value {
        self.wait_for("everything to be counted", |status| status["settled"] == true)
    }

    /// What one aggregator with these settings makes of all chunks, from nothing.
    pub(crate) fn fresh(&self, more: &[&str]) -> (String, Value) {
        let fresh = Self {
            folder: tempfile::tempdir().expect("a folder"),
            s3: self.s3.clone(),
            postgres: Arc::clone(&self.postgres),
            database: self.postgres.database(),
            runtime: Arc::clone(&self.runtime),
        };
        fresh.index();
        let mut aggregator = fresh.aggregator("fresh", more);
        let status = fresh.settled();
        aggregator.terminate();
        (fresh.dump(), status)
    }
}

fn finished(mut command: Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished {
        success: output.status.success(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
