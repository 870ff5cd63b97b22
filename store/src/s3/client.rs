//! Opening: the SDK's client with its HTTP connector, region and credentials. Asks S3 nothing, so that a process starts
//! while S3 is away.

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls;
use disk::RealDisk;
use service::clock::SystemClock;
use service::random::SystemRandom;

use super::settings::{S3Settings, S3SettingsError};
use super::store::S3Store;

/// What a region is called where it does not matter.
const ANY_REGION: &str = "us-east-1";

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
        let shared = loader(&settings).load().await;
        if shared.region().is_none() {
            return Err(S3OpenError::NoRegion {
                bucket: settings.bucket,
            });
        }
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

fn loader(settings: &S3Settings) -> ConfigLoader {
    // Without a connector the SDK fails at the first request, not here.
    let connector = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(connector);
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    match (&settings.region, &settings.endpoint_url) {
        (Some(region), _) => loader = loader.region(Region::new(region.clone())),
        // Not asked: the instance's own region, which takes seconds where there is none.
        (None, Some(_)) => {
            loader = loader.region(
                RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                    .or_else(ProfileFileRegionProvider::new())
                    .or_else(Region::from_static(ANY_REGION)),
            );
        }
        (None, None) => {}
    }
    if let Some(credentials) = &settings.credentials {
        loader = loader.credentials_provider(Credentials::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            None,
            None,
            "settings",
        ));
    }
    loader
}
