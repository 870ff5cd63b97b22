//! One try that failed: its reason, and what was said, taken from the SDK's errors.

use std::error::Error;

use aws_connections::words;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStreamError, DateTime, DateTimeFormat};
use hyper_util::client::legacy;

use super::reason::Reason;

/// How one try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    /// In words, without anything secret.
    pub(super) said: String,
    /// The time on the server's clock, in seconds since 1970, when it refused for the clocks' sake.
    pub(super) server_time: Option<i64>,
}

impl Failure {
    pub(super) fn new(reason: Reason, said: impl Into<String>) -> Self {
        Self {
            reason,
            said: said.into(),
            server_time: None,
        }
    }

    /// Of a request that failed before an output was made of its answer.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => Self::of_answer(service.err(), service.raw()),
            // The answer had no form that the SDK knows.
            SdkError::ResponseError(_) => Self::new(Reason::BadAnswer, words(error)),
            _ if is_of_credentials(error) => Self::new(Reason::NoCredentials, words(error)),
            // The request could not even be built.
            SdkError::ConstructionFailure(_) => Self::new(Reason::Refused, words(error)),
            _ if is_of_connecting(error) => Self::new(Reason::Unreachable, words(error)),
            _ => Self::new(Reason::NoAnswer, words(error)),
        }
    }

    /// Of an answer's body that could not be read to its end.
    pub(super) fn of_body(error: &ByteStreamError) -> Self {
        // A checksum that does not fit is an error of this kind as well; either way the bytes are asked for anew.
        Self::new(
            Reason::NoAnswer,
            format!("the answer broke off: {}", words(error)),
        )
    }

    fn of_answer(error: &dyn ProvideErrorMetadata, response: &HttpResponse) -> Self {
        let status = response.status().as_u16();
        let meta = error.meta();
        let reason = Reason::of_answer(status, meta.code());
        let said = [meta.code(), meta.message()];
        let said: Vec<&str> = said.into_iter().flatten().collect();
        let server_time = match (reason, response.headers().get("date")) {
            (Reason::ClockSkew, Some(date)) => DateTime::from_str(date, DateTimeFormat::HttpDate).ok(),
            _ => None,
        };
        Self {
            reason,
            said: format!("{status} {}", said.join(": ")).trim_end().to_owned(),
            server_time: server_time.map(|time| time.secs()),
        }
    }
}

/// Whether an error, or one that caused it, is of this kind.
fn caused_by<'a, C: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a C> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(cause) = error.downcast_ref::<C>() {
            return Some(cause);
        }
        next = error.source();
    }
    None
}

fn is_of_connecting(error: &(dyn Error + 'static)) -> bool {
    caused_by::<legacy::Error>(error).is_some_and(legacy::Error::is_connect)
}

fn is_of_credentials(error: &(dyn Error + 'static)) -> bool {
    caused_by::<aws_credential_types::provider::error::CredentialsError>(error).is_some()
}
