//! What stands before a door and decides about each call. Not here: what it decides.

use std::fmt;

use async_trait::async_trait;

/// A call of an outside thing.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Which thing.
    pub door: &'static str,
    /// What is asked of it.
    pub verb: &'static str,
    /// Of what, if it is one object.
    pub key: &'a str,
}

/// How a call ends that is not let through, or whose answer is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// The process is dead.
    Dead,
    /// It did not happen, and says so.
    Refused,
    /// It may have happened.
    Unclear,
}

/// Decides about calls.
#[async_trait]
pub trait Gate: fmt::Debug + Send + Sync + 'static {
    /// Before a call takes effect.
    async fn before(&self, call: Call<'_>) -> Result<(), Shut>;

    /// After it took effect, well or not.
    async fn after(&self, call: Call<'_>, well: bool) -> Result<(), Shut>;
}

/// Makes a call through a gate.
pub(super) async fn through<T, E>(
    gate: &dyn Gate,
    call: Call<'_>,
    work: impl Future<Output = Result<T, E>> + Send,
    error: impl Fn(Shut) -> E,
) -> Result<T, E> {
    gate.before(call).await.map_err(&error)?;
    let result = work.await;
    gate.after(call, result.is_ok()).await.map_err(&error)?;
    result
}
