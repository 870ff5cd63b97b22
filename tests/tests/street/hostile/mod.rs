//! Clients that mean harm, or do it: what they cost stays bounded, and honest clients are served beside them.

mod broken;
mod crowd;
mod cut;
mod deaf;
mod odd_bytes;
mod slow;
