//! What the function is told by its environment.

use index_schema::{ChunkKey, DEFAULT_PREFIX};
use lambda_indexer::StoreLocation;
use store::S3Settings;

/// Where objects and index are.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The store. Endpoint, region and credentials come from the SDK's own variables.
    pub(crate) store: S3Settings,
    /// The index's address. It may hold a password.
    pub(crate) index: String,
    /// What the keys of chunks begin with.
    pub(crate) chunk_prefix: String,
    /// Connections to the database.
    pub(crate) index_connections: usize,
}

/// Connections of one environment: an insert takes milliseconds, the objects beside it wait for S3 meanwhile.
const INDEX_CONNECTIONS: usize = 1;

/// A setting that cannot be used, and what to write.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub(crate) struct SettingsError {
    name: &'static str,
    why: String,
}

impl Settings {
    /// Reads them from variables: HIGHWATER_STORE, HIGHWATER_INDEX, HIGHWATER_CHUNK_PREFIX, HIGHWATER_INDEX_CONNECTIONS,
    /// and AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3, which the SDK reads, too: another endpoint than AWS's has the S3 bucket
    /// in the path.
    ///
    /// # Errors
    /// The first that is missing or cannot be used.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let refuse = |name, why: String| SettingsError { name, why };
        let needed = |name, like: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| refuse(name, format!("is not set: write it like {like}")))
        };
        let store = needed("HIGHWATER_STORE", "s3://bucket or s3://bucket/prefix")?;
        let mut store =
            S3Settings::parse(&store).map_err(|error| refuse("HIGHWATER_STORE", error.to_string()))?;
        let elsewhere = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
        store.path_style = elsewhere.iter().any(|name| variable(name).is_some());
        let index = needed("HIGHWATER_INDEX", "postgres://user:password@host/database")?;
        if !is_postgres(&index) {
            return Err(refuse("HIGHWATER_INDEX", NO_FILE.to_owned()));
        }
        let chunk_prefix = variable("HIGHWATER_CHUNK_PREFIX").filter(|prefix| !prefix.is_empty());
        let chunk_prefix = chunk_prefix.unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        ChunkKey::check_prefix(&chunk_prefix)
            .map_err(|error| refuse("HIGHWATER_CHUNK_PREFIX", error.to_string()))?;
        let connections = variable("HIGHWATER_INDEX_CONNECTIONS").map(|text| text.parse::<usize>().ok());
        let Some(index_connections) = connections.unwrap_or(Some(INDEX_CONNECTIONS)).filter(|n| *n > 0)
        else {
            let why = "write a number, 1 or more".to_owned();
            return Err(refuse("HIGHWATER_INDEX_CONNECTIONS", why));
        };
        Ok(Self {
            store,
            index,
            chunk_prefix,
            index_connections,
        })
    }

    /// The place of the store's objects, as notifications name it.
    pub(crate) fn place(&self) -> StoreLocation {
        StoreLocation {
            s3_bucket: self.store.bucket.clone(),
            prefix: self.store.prefix.clone(),
        }
    }
}

const NO_FILE: &str = "it must begin with postgres://. An index in a file (SQLite) cannot be shared: each environment of \
                       a Lambda has a disk of its own, which goes with it, so that every one would fill another index";

fn is_postgres(address: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: (&str, &str) = ("HIGHWATER_STORE", "s3://chunks/below");
    const INDEX: (&str, &str) = ("HIGHWATER_INDEX", "postgres://joe:hush@db/highwater");

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Settings::read(|name| of(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn store_and_index_suffice() {
        let settings = read(&[STORE, INDEX]).expect("complete");
        assert_eq!(
            (
                settings.chunk_prefix.as_str(),
                settings.index_connections,
                settings.store.path_style
            ),
            ("pings", 1, false)
        );
        let place = settings.place();
        assert_eq!(
            (place.s3_bucket.as_str(), place.prefix.as_str()),
            ("chunks", "below")
        );
        let local = read(&[STORE, INDEX, ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]).expect("complete");
        assert!(
            local.store.path_style,
            "LocalStack and its like have no host for each S3 bucket"
        );
    }

    #[test]
    fn an_index_in_a_file_is_refused_with_the_reason() {
        for file in ["/tmp/index.sqlite", "sqlite:///tmp/index", "index.sqlite"] {
            let error = read(&[STORE, ("HIGHWATER_INDEX", file)]).expect_err(file);
            assert!(
                error.contains("SQLite") && error.contains("postgres://"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_no_password_with_it() {
        for (variables, name) in [
            (vec![INDEX], "HIGHWATER_STORE"),
            (vec![STORE], "HIGHWATER_INDEX"),
            (vec![("HIGHWATER_STORE", "chunks"), INDEX], "HIGHWATER_STORE"),
            (
                vec![STORE, INDEX, ("HIGHWATER_CHUNK_PREFIX", "/a/")],
                "HIGHWATER_CHUNK_PREFIX",
            ),
            (
                vec![STORE, INDEX, ("HIGHWATER_INDEX_CONNECTIONS", "0")],
                "HIGHWATER_INDEX_CONNECTIONS",
            ),
            (
                vec![STORE, INDEX, ("HIGHWATER_INDEX_CONNECTIONS", "many")],
                "HIGHWATER_INDEX_CONNECTIONS",
            ),
        ] {
            let error = read(&variables).expect_err(name);
            assert!(error.starts_with(name) && !error.contains("hush"), "{error}");
        }
    }
}
