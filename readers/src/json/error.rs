//! Why a body is no JSON that can be read.

/// What ends the walk over a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum JsonError {
    /// Objects and arrays are nested deeper than 128.
    #[error("objects and arrays are nested deeper than 128")]
    TooDeep,
    /// The body is no JSON, or a number is out of range. What stands between quotes may be any bytes.
    #[error("not JSON, or a number is out of range")]
    NotJson,
}
