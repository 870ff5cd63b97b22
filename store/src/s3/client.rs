//! Opening: the SDK's client with its time-outs. Asks S3 nothing, so that a process starts while S3 is away.

use aws_connections::AwsSettings;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::StalledStreamProtectionConfig;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use disk::RealDisk;
use service::clock::SystemClock;
use service::random::SystemRandom;

use super::settings::{S3Settings, S3SettingsError};
use super::store::S3Store;

/// Why a store could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum S3OpenError {
    /// Something is set that cannot be.
    #[error(transparent)]
    Settings(#[from] S3SettingsError),
    /// Nobody said which region the bucket is in.
    #[error("nothing says in which region the bucket `{bucket}` is: set the region, or AWS_REGION")]
    NoRegion {
        /// The bucket.
        bucket: String,
    },
}

impl S3Store {
    /// Opens a store. Neither the bucket nor the credentials are asked for before the first call.
    ///
    /// # Errors
    /// What is set wrongly, or that no region is known.
    pub async fn open(settings: S3Settings) -> Result<Self, S3OpenError> {
        settings.check()?;
        let told = AwsSettings {
            endpoint_url: settings.endpoint_url.clone(),
            region: settings.region.clone(),
            credentials: settings.credentials.clone(),
        };
        let Some(shared) = told.load().await else {
            return Err(S3OpenError::NoRegion {
                bucket: settings.bucket,
            });
        };
        // Over TLS the body needs no signature of its own: the connection vouches for it, and its signed checksum.
        let endpoint = settings.endpoint_url.as_deref().or_else(|| shared.endpoint_url());
        let sign_bodies = endpoint.is_some_and(|endpoint| !endpoint.starts_with("https:"));
        let config = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(settings.path_style)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(settings.connect_timeout)
                    .build(),
            )
            // The caller has time-outs of its own, which also let a completion take its time.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Ok(Self::new(
            Client::from_conf(config.build()),
            settings,
            sign_bodies,
            RealDisk::shared(),
            SystemRandom::shared(),
            SystemClock::shared(),
        ))
    }
}
