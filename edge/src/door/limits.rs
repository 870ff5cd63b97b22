//! What a submission may be, each default with its reason.

use service::http::BodyLimits;

/// The limits of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorLimits {
    /// The longest path and query, in bytes: the original's edge took 1,024.
    pub uri_bytes_max: usize,
    /// The longest value of a stored header, in bytes: the original's edge took 1,024.
    pub header_bytes_max: usize,
    /// Length and speed of a body. Clients cap themselves at 1 MiB; the original took 8 MB. No body is taken that is longer
    /// than [`crate::BODY_BYTES_MAX`].
    pub body: BodyLimits,
    /// Memory for all bodies that are being read or wait for the log, in bytes; also for those whose client is gone.
    pub bodies_bytes_max: usize,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            uri_bytes_max: 1024,
            header_bytes_max: 1024,
            body: BodyLimits::default(),
            bodies_bytes_max: 256 << 20,
        }
    }
}
