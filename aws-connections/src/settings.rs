//! Where a service is and who asks it. Nobody is asked anything here, so that a process starts while AWS is away.

use std::fmt;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls;

/// What a region is called where it does not matter.
const ANY_REGION: &str = "us-east-1";

/// What is told; the SDK's chain (environment, profile, container, instance) says the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsSettings {
    /// Another endpoint than AWS's, such as `http://127.0.0.1:4566`.
    pub endpoint_url: Option<String>,
    /// The region. With an endpoint that is not AWS's nobody has to say it.
    pub region: Option<String>,
    /// Credentials that do not come from the chain: for tests, and for whoever gets them in another way.
    pub credentials: Option<AwsCredentials>,
}

/// A pair of keys.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsCredentials {
    /// The key's id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
}

impl AwsSettings {
    /// What the clients of services are made of; `None` when nothing says the region.
    pub async fn load(&self) -> Option<SdkConfig> {
        let shared = self.loader().load().await;
        shared.region().is_some().then_some(shared)
    }

    fn loader(&self) -> ConfigLoader {
        // Without a connector the SDK fails at the first request, not here.
        let connector = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(connector);
        if let Some(endpoint) = &self.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        match (&self.region, &self.endpoint_url) {
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
        if let Some(credentials) = &self.credentials {
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
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AwsCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let credentials = AwsCredentials {
            access_key_id: "AKID".to_owned(),
            secret_access_key: "hush".to_owned(),
        };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
