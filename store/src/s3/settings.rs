//! What can be set: where the objects lie, how they are stored, what a request may cost.

use std::time::Duration;

pub use aws_connections::AwsCredentials as S3Credentials;

use super::limits;
use crate::{KeyError, check_key};

/// Where and how objects are kept. Credentials come from the SDK's own chain: environment, profile, container, instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket. It must be there.
    pub bucket: String,
    /// What all names of objects begin with, without slashes at its ends; empty for none. A `/` follows it.
    pub prefix: String,
    /// Another endpoint than AWS's, such as `http://127.0.0.1:4566`. Else the SDK's chain (`AWS_ENDPOINT_URL_S3`) is asked.
    pub endpoint_url: Option<String>,
    /// Whether the bucket stands in the path of a URL (`endpoint/bucket`), not in its host: for endpoints other than AWS's.
    pub path_style: bool,
    /// The bucket's region. Else the SDK's chain is asked; with an endpoint that is not AWS's it may stay open.
    pub region: Option<String>,
    /// The storage class of what is put, such as `INTELLIGENT_TIERING`; else that of the bucket, `STANDARD`.
    pub storage_class: Option<String>,
    /// How what is put is encrypted.
    pub server_side_encryption: S3Encryption,
    /// Objects longer than this many bytes are put in parts.
    pub multipart_above: u64,
    /// Bytes of a part, at least 5 MiB.
    pub part_bytes: u64,
    /// Parts of one object that are sent at once.
    pub parts_at_once: usize,
    /// Bytes of all uploads under way; at least a part and `multipart_above`.
    pub upload_bytes_max: u64,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take beyond what its bytes are allowed, and how long its body may stand still.
    pub answer_timeout: Duration,
    /// The slowest transfer that is waited for, in bytes per second.
    pub bytes_per_second_min: u64,
    /// Tries of one request, the first included.
    pub tries_max: u32,
    /// The longest first wait before a request is tried again; it doubles.
    pub retry_wait: Duration,
    /// The longest wait that it doubles to.
    pub retry_wait_max: Duration,
    /// Tries again that all requests together may make before one succeeds.
    pub retry_budget: u32,
    /// Credentials that do not come from the SDK's chain: for tests, and for whoever gets them in another way.
    pub credentials: Option<S3Credentials>,
}

/// How what is put is encrypted by S3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum S3Encryption {
    /// As the bucket says; AWS encrypts with keys of its own.
    #[default]
    BucketDefault,
    /// With keys of S3's own, whatever the bucket says (SSE-S3).
    S3,
    /// With a key in the key service (SSE-KMS).
    Kms {
        /// The key's id or ARN; else that of the account for S3.
        key_id: Option<String>,
    },
}

/// Why a URL or a setting is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum S3SettingsError {
    /// The URL is of another form.
    #[error("`{url}` names no bucket: write s3://bucket or s3://bucket/prefix")]
    Url {
        /// As it was given.
        url: String,
    },
    /// No bucket is called so.
    #[error("`{bucket}` cannot be a bucket: take 3 to 63 of a-z, 0-9, `.` and `-`")]
    Bucket {
        /// As it was given.
        bucket: String,
    },
    /// The prefix would make names that no other back end takes.
    #[error("`{prefix}` cannot be a prefix: {source}")]
    Prefix {
        /// As it was given.
        prefix: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A number makes no sense beside another.
    #[error("{what}")]
    Number {
        /// What it is and what to set.
        what: &'static str,
    },
}

impl S3Settings {
    /// The defaults, for the whole of a bucket of AWS's.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: String::new(),
            endpoint_url: None,
            path_style: false,
            region: None,
            storage_class: None,
            server_side_encryption: S3Encryption::BucketDefault,
            multipart_above: limits::MULTIPART_ABOVE,
            part_bytes: limits::PART_BYTES,
            parts_at_once: limits::PARTS_AT_ONCE,
            upload_bytes_max: limits::UPLOAD_BYTES_MAX,
            connect_timeout: limits::CONNECT_TIMEOUT,
            answer_timeout: limits::ANSWER_TIMEOUT,
            bytes_per_second_min: limits::BYTES_PER_SECOND_MIN,
            tries_max: limits::TRIES_MAX,
            retry_wait: limits::RETRY_WAIT,
            retry_wait_max: limits::RETRY_WAIT_MAX,
            retry_budget: limits::RETRY_BUDGET,
            credentials: None,
        }
    }

    /// The defaults, for what lies below `s3://bucket/prefix`. Slashes at the end are left out.
    ///
    /// # Errors
    /// What is wrong with it and how it is written.
    pub fn parse(url: &str) -> Result<Self, S3SettingsError> {
        let rest = url
            .strip_prefix("s3://")
            .ok_or_else(|| S3SettingsError::Url { url: url.to_owned() })?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(S3SettingsError::Url { url: url.to_owned() });
        }
        let settings = Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            ..Self::new(bucket)
        };
        settings.check()?;
        Ok(settings)
    }

    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// The first thing that is wrong, and what to set.
    pub fn check(&self) -> Result<(), S3SettingsError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        // An access point's name may stand for a bucket's.
        let is_arn = self.bucket.starts_with("arn:");
        let is_named = (3..=63).contains(&self.bucket.len()) && self.bucket.bytes().all(plain);
        if !(is_arn || is_named) {
            return Err(S3SettingsError::Bucket {
                bucket: self.bucket.clone(),
            });
        }
        if !self.prefix.is_empty() {
            check_key(&self.prefix).map_err(|source| S3SettingsError::Prefix {
                prefix: self.prefix.clone(),
                source,
            })?;
        }
        self.check_numbers()
            .map_err(|what| S3SettingsError::Number { what })
    }

    fn check_numbers(&self) -> Result<(), &'static str> {
        let largest = self.part_bytes.max(self.multipart_above);
        if self.part_bytes < limits::PART_BYTES_MIN {
            Err("parts of less than 5 MiB are refused by S3: set `part_bytes` higher")
        } else if self.upload_bytes_max < largest {
            Err("`upload_bytes_max` must hold one part, and one object that is put whole: set it higher")
        } else if self.parts_at_once == 0 || self.tries_max == 0 || self.bytes_per_second_min == 0 {
            Err("`parts_at_once`, `tries_max` and `bytes_per_second_min` are at least 1")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_bucket_and_prefix() {
        for (url, bucket, prefix) in [
            ("s3://pings", "pings", ""),
            ("s3://pings/", "pings", ""),
            ("s3://pings.example/a", "pings.example", "a"),
            ("s3://pings/a/b=c/", "pings", "a/b=c"),
        ] {
            let settings = S3Settings::parse(url).expect("it is well formed");
            assert_eq!(
                (settings.bucket.as_str(), settings.prefix.as_str()),
                (bucket, prefix)
            );
        }
    }

    #[test]
    fn a_url_of_another_form_is_refused_with_the_right_form() {
        for url in ["", "pings", "s3:/pings", "s3://", "s3:///a", "file:///a"] {
            let error = S3Settings::parse(url).expect_err(url);
            assert!(error.to_string().contains("s3://bucket/prefix"), "{error}");
        }
        for url in ["s3://Pings", "s3://pi", "s3://pings:80/a", "s3://user@pings"] {
            let error = S3Settings::parse(url).expect_err(url);
            assert!(matches!(error, S3SettingsError::Bucket { .. }), "{error}");
        }
        for url in ["s3://pings//a", "s3://pings/a/../b", "s3://pings/a//b"] {
            let error = S3Settings::parse(url).expect_err(url);
            assert!(matches!(error, S3SettingsError::Prefix { .. }), "{error}");
        }
    }

    #[test]
    fn numbers_that_contradict_each_other_are_refused() {
        let good = S3Settings::new("pings");
        assert_eq!(good.check(), Ok(()));
        let bad = [
            S3Settings {
                part_bytes: 1 << 20,
                ..good.clone()
            },
            S3Settings {
                upload_bytes_max: 8 << 20,
                ..good.clone()
            },
            S3Settings {
                multipart_above: 1 << 30,
                ..good.clone()
            },
            S3Settings {
                tries_max: 0,
                ..good.clone()
            },
        ];
        for settings in bad {
            assert!(matches!(settings.check(), Err(S3SettingsError::Number { .. })));
        }
    }
}
