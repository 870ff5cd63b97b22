//! What is written of a place: `s3://...`, `postgres://...` and the URL of a queue.

use std::str::FromStr;

/// Where chunks are kept: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreUrl(pub(super) String);

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("s3://") {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "a store elsewhere is s3://BUCKET/PREFIX; without --store it is a folder of the data directory"
                .to_owned(),
        )
    }
}

/// The queue in which S3 announces chunks: `https://sqs...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueUrl(pub(crate) String);

impl FromStr for QueueUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if ["https://", "http://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            return Ok(Self(text.to_owned()));
        }
        Err("a queue is the URL that SQS gave it: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME".to_owned())
    }
}

/// Where index or aggregates are kept: `postgres://...`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PostgresUrl(pub(super) String);

impl FromStr for PostgresUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["postgres://", "postgresql://"];
        if known.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self(text.to_owned()));
        }
        Err("a database elsewhere is postgres://USER@HOST/DATABASE; without one, index and aggregates are files of the data directory".to_owned())
    }
}

/// Where it is, without who may enter: the URL may hold a password.
impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let place = place.split_once('?').map_or(place, |(place, _)| place);
        write!(formatter, "{scheme}://{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_elsewhere_is_a_bucket_of_s3() {
        assert!("s3://pings/a".parse::<StoreUrl>().is_ok());
        for text in ["gs://pings", "file:///srv", "/srv/chunks", ""] {
            assert!(text.parse::<StoreUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_queue_is_named_by_its_url() {
        assert!(
            "https://sqs.eu-west-1.amazonaws.com/1/letters"
                .parse::<QueueUrl>()
                .is_ok()
        );
        for text in ["arn:aws:sqs:eu-west-1:1:letters", "letters", ""] {
            assert!(text.parse::<QueueUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_index_elsewhere_is_postgresql_and_its_password_is_not_shown() {
        for text in ["mysql://a/b", "index.sqlite", ""] {
            assert!(text.parse::<PostgresUrl>().is_err(), "{text:?}");
        }
        let url: PostgresUrl = "postgres://me:hush@db.example:5432/pings?sslmode=require"
            .parse()
            .expect("well formed");
        assert_eq!(format!("{url:?}"), "postgres://db.example:5432/pings");
    }
}
