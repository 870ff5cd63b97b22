//! Where the database is and how long it is waited for; the URL as it is written, both with what the driver reads of it
//! and with what it does not (`sslmode=verify-full`, `sslrootcert`).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::limits;
use crate::tls::Check;

/// Where the database is, and how long it is waited for.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=…`, as libpq reads it; several hosts by commas.
    ///
    /// `sslmode` is `disable`, `prefer` (the default: encrypted where the server can), `require` (encrypted, but whoever
    /// answers is believed), `verify-ca` (its certificate is checked) or `verify-full` (and the name in it). Certificates
    /// are checked against those of the file `sslrootcert`, else against the machine's.
    pub url: String,
    /// Connections at most. One is enough for a Lambda.
    pub pool_size: usize,
    /// How long a call waits for a connection, tries to connect included: a restart of the server is waited out so long.
    pub connect_timeout: Duration,
    /// After which the server ends a statement.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock that another process holds.
    pub lock_timeout: Duration,
    /// Certificates that are trusted (PEM), in the place of those of the URL's `sslrootcert`.
    pub root_certificates: Option<PathBuf>,
    /// By what name the server's lists show the connections.
    pub application_name: String,
}

impl PostgresSettings {
    /// Settings with every default, for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_size: limits::POOL_SIZE,
            connect_timeout: limits::CONNECT_TIMEOUT,
            statement_timeout: limits::STATEMENT_TIMEOUT,
            lock_timeout: limits::LOCK_TIMEOUT,
            root_certificates: None,
            application_name: "highwater".to_owned(),
        }
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url: _,
            pool_size,
            connect_timeout,
            statement_timeout,
            lock_timeout,
            root_certificates,
            application_name,
        } = self;
        // The URL may hold a password.
        f.debug_struct("PostgresSettings")
            .field("pool_size", pool_size)
            .field("connect_timeout", connect_timeout)
            .field("statement_timeout", statement_timeout)
            .field("lock_timeout", lock_timeout)
            .field("root_certificates", root_certificates)
            .field("application_name", application_name)
            .finish_non_exhaustive()
    }
}

/// The settings cannot be used: whoever wrote them mends them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub(crate) String);

/// What the settings come to for the driver.
pub(crate) struct Target {
    /// How to connect.
    pub(crate) config: Config,
    /// What to check of the server's certificate.
    pub(crate) check: Check,
    /// Host, port and database, for messages: no user, no password.
    pub(crate) name: String,
}

impl Target {
    /// Reads the settings.
    pub(crate) fn read(settings: &PostgresSettings) -> Result<Self, SettingsError> {
        let (url, mode, mut roots) = split(&settings.url)?;
        // The driver's message names the part that is wrong, and nothing of the URL.
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            refuse(&cause.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(refuse("it names no host"));
        }
        if settings.pool_size == 0 {
            return Err(SettingsError(
                "a pool of no connections serves nobody: 1 is the least".to_owned(),
            ));
        }
        roots = settings.root_certificates.clone().or(roots);
        let check = match mode.as_deref() {
            None | Some("disable" | "prefer") => Check::Nothing,
            // As libpq: whoever gives certificates to trust wants them asked for.
            Some("require") if roots.is_none() => Check::Nothing,
            Some("require" | "verify-ca") => Check::Certificate(roots),
            Some("verify-full") => Check::CertificateAndName(roots),
            Some(other) => {
                return Err(refuse(&format!(
                    "sslmode `{other}` is none of disable, prefer, require, verify-ca, verify-full"
                )));
            }
        };
        config
            .ssl_mode(match mode.as_deref() {
                Some("disable") => SslMode::Disable,
                None | Some("prefer") => SslMode::Prefer,
                Some(_) => SslMode::Require,
            })
            .application_name(&settings.application_name)
            .connect_timeout(settings.connect_timeout)
            // A server that is gone without a word is noticed by these, whoever of the two waits for the other.
            .tcp_user_timeout(limits::SILENCE)
            .keepalives_idle(limits::SILENCE / 3)
            .keepalives_interval(limits::SILENCE / 3)
            .keepalives_retries(2);
        let name = name(&config);
        Ok(Self { config, check, name })
    }
}

fn refuse(why: &str) -> SettingsError {
    SettingsError(format!(
        "the address of PostgreSQL cannot be used: {why}. Write it as postgres://user:password@host:5432/database?sslmode=verify-full"
    ))
}

/// Takes out of a URL what the driver does not know: the mode of TLS, and the file of certificates.
fn split(url: &str) -> Result<(String, Option<String>, Option<PathBuf>), SettingsError> {
    if !["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Err(refuse("it does not begin with postgres://"));
    }
    let Some((front, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None, None));
    };
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", "system")) => {}
            Some(("sslrootcert", value)) => {
                let path = percent_decode_str(value)
                    .decode_utf8()
                    .map_err(|_| refuse("its sslrootcert is no text"))?;
                roots = Some(PathBuf::from(path.into_owned()));
            }
            _ => rest.push(part),
        }
    }
    let url = if rest.is_empty() {
        front.to_owned()
    } else {
        format!("{front}?{}", rest.join("&"))
    };
    Ok((url, mode, roots))
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let host = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    };
    let hosts: Vec<_> = config.get_hosts().iter().enumerate().map(host).collect();
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or("");
    format!("{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, SettingsError> {
        Target::read(&PostgresSettings::new(url))
    }

    #[test]
    fn each_mode_of_tls_says_what_is_encrypted_and_what_is_checked() {
        let file = || Some(PathBuf::from("/ca.pem"));
        let cases = [
            ("", SslMode::Prefer, Check::Nothing),
            ("?sslmode=disable", SslMode::Disable, Check::Nothing),
            ("?sslmode=prefer", SslMode::Prefer, Check::Nothing),
            ("?sslmode=require", SslMode::Require, Check::Nothing),
            (
                "?sslmode=require&sslrootcert=%2Fca.pem",
                SslMode::Require,
                Check::Certificate(file()),
            ),
            ("?sslmode=verify-ca", SslMode::Require, Check::Certificate(None)),
            (
                "?connect_timeout=3&sslrootcert=/ca.pem&sslmode=verify-full",
                SslMode::Require,
                Check::CertificateAndName(file()),
            ),
            (
                "?sslmode=verify-full&sslrootcert=system",
                SslMode::Require,
                Check::CertificateAndName(None),
            ),
        ];
        for (query, mode, check) in cases {
            let read = target(&format!("postgres://joe@db.example/index{query}")).expect(query);
            assert_eq!((read.config.get_ssl_mode(), read.check), (mode, check), "{query}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_says_how_to_write_it_and_never_the_password() {
        for url in [
            "index.sqlite",
            "postgres://joe:secret@db/index?sslmode=full",
            "postgres://joe:secret@db:port/index",
            "postgres://joe:secret@db/index?no_such=1",
            "postgres://joe:secret@/index",
        ] {
            let error = target(url).err().expect(url).to_string();
            assert!(error.contains("Write it as postgres://"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", PostgresSettings::new("postgres://joe:secret@db")).contains("secret"));
    }

    #[test]
    fn a_database_is_named_by_host_port_and_database_alone() {
        let read = target("postgresql://joe:secret@one,two:6000/index").expect("an address");
        assert_eq!(read.name, "one:5432,two:6000/index");
        let read = target("postgres:///index?host=/run/postgresql&user=joe").expect("an address");
        assert_eq!(read.name, "/run/postgresql:5432/index");
    }
}
