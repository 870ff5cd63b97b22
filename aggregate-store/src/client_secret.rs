//! The door to the note with which secret the clients were hashed that are counted: what tells it from others, not the secret.

use std::fmt;

use async_trait::async_trait;

use crate::AggregateError;

/// Aggregates, as they know the secret by whose hashes they count users.
#[async_trait]
pub trait ClientSecrets: fmt::Debug + Send + Sync + 'static {
    /// What tells the noted secret from others; nothing, if none was noted.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn client_secret(&self) -> Result<Option<String>, AggregateError>;

    /// Notes the secret that is known by this text, once. Another one may take the place of the one that it `replaces` alone.
    ///
    /// # Errors
    /// [`AggregateError::OtherClientSecret`] when another one is noted; or when the database refused.
    async fn claim_client_secret(&self, given: &str, replaces: Option<&str>) -> Result<(), AggregateError>;
}

/// Whether a secret is to be noted where this one is known: not where it is that one.
///
/// # Errors
/// When it is another one, and may not take its place.
pub(crate) fn is_to_be_noted(
    known: Option<&str>,
    given: &str,
    replaces: Option<&str>,
) -> Result<bool, AggregateError> {
    match known {
        Some(known) if known == given => Ok(false),
        Some(known) if Some(known) != replaces => Err(AggregateError::OtherClientSecret {
            known: known.to_owned(),
            given: given.to_owned(),
        }),
        _ => Ok(true),
    }
}
