//! The back ends of the door to objects.

mod back_ends;
#[cfg(feature = "s3")]
mod s3;
