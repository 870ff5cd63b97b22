//! How the project's store is told of LocalStack.

use store::{S3Credentials, S3Settings};
use tests::aws::{LocalStack, REGION};

/// The store at this address, `s3://bucket/prefix`, in LocalStack.
pub(crate) fn store_settings(localstack: &LocalStack, store: &str) -> S3Settings {
    S3Settings {
        endpoint_url: Some(localstack.url()),
        path_style: true,
        region: Some(REGION.to_owned()),
        credentials: Some(S3Credentials {
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
        }),
        ..S3Settings::parse(store).expect("an address that the store reads")
    }
}
