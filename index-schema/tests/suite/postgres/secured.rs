//! TLS: what each mode encrypts, and whom it believes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use index_schema::{Index, IndexError, PostgresIndex, PostgresSettings};
use postgres_for_tests::{Postgres, Stop};

use super::test_database::TestDatabase;

/// A certificate for 127.0.0.1 that vouches for itself, and its key, made by openssl.
fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    );
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=for-tests", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs (infra/install/postgres.sh installs it)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (certificate, key)
}

struct Secured {
    place: TestDatabase,
    folder: tempfile::TempDir,
}

impl Secured {
    fn new() -> Option<Self> {
        let server = Arc::new(Postgres::start(&["ssl=off"])?);
        let folder = tempfile::tempdir().expect("a folder");
        let place = TestDatabase::on(server);
        Some(Self { place, folder })
    }

    /// Restarts the server with TLS, and takes only that by TCP.
    fn with_tls(&self) {
        let (certificate, key) = certificate(self.folder.path(), "server");
        let read = |path: &Path| std::fs::read_to_string(path).expect("readable");
        let server = &self.place.server;
        server.put_file("server.crt", &read(&certificate));
        server.put_file("server.key", &read(&key));
        server.put_file(
            "pg_hba.conf",
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
        );
        server.set_options(&["ssl=on"]);
        server.stop(Stop::Fast);
        server.start_again();
    }

    async fn open(&self, host: &str, query: &str, trusted: Option<&str>) -> Result<bool, IndexError> {
        let place = &self.place;
        let url = place.server.tcp_url(&place.database).replace("127.0.0.1", host);
        let settings = PostgresSettings {
            root_certificates: trusted.map(|name| self.folder.path().join(name)),
            connect_timeout: Duration::from_secs(60),
            application_name: format!("{host} {query} {}", trusted.unwrap_or_default()),
            ..PostgresSettings::new(format!("{url}?{query}"))
        };
        let name = settings.application_name.clone();
        let index = PostgresIndex::open(settings).await?;
        index.totals().await?;
        let is_encrypted = format!(
            "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = '{name}'"
        );
        Ok(place.sql(&is_encrypted) == "t")
    }
}

#[tokio::test]
async fn each_mode_encrypts_and_believes_what_it_says() {
    let Some(secured) = Secured::new() else { return };
    for mode in ["disable", "prefer"] {
        let opened = secured.open("127.0.0.1", &format!("sslmode={mode}"), None).await;
        assert!(matches!(opened, Ok(false)), "{mode} without TLS: {opened:?}");
    }
    for mode in ["require", "verify-full"] {
        let error = secured.open("127.0.0.1", &format!("sslmode={mode}"), None).await;
        let error = error.expect_err("the server has no TLS").to_string();
        assert!(error.contains("TLS"), "{mode}: {error}");
    }
    secured.with_tls();
    certificate(secured.folder.path(), "stranger");
    let trusted = Some("server.crt");
    let stranger = Some("stranger.crt");
    let cases = [
        ("127.0.0.1", "disable", None, false),
        ("127.0.0.1", "prefer", None, true),
        ("127.0.0.1", "require", None, true),
        ("127.0.0.1", "require", stranger, false),
        ("127.0.0.1", "verify-ca", trusted, true),
        ("localhost", "verify-ca", trusted, true),
        ("127.0.0.1", "verify-ca", stranger, false),
        ("127.0.0.1", "verify-full", trusted, true),
        ("localhost", "verify-full", trusted, false),
        ("127.0.0.1", "verify-full", stranger, false),
        ("127.0.0.1", "verify-full", None, false),
        ("127.0.0.1", "require&channel_binding=require", None, true),
    ];
    for (host, mode, roots, opens) in cases {
        let opened = secured.open(host, &format!("sslmode={mode}"), roots).await;
        assert_eq!(
            matches!(opened, Ok(true)),
            opens,
            "{host} {mode} {roots:?}: {opened:?}"
        );
        assert!(opens || opened.is_err(), "{host} {mode} {roots:?}");
    }
    let error = secured
        .open("127.0.0.1", "sslmode=verify-full", Some("none.crt"))
        .await;
    let error = error.expect_err("no such file").to_string();
    assert!(error.contains("none.crt"), "{error}");
}
