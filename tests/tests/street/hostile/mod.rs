//! Clients that mean harm, or do it: what they cost stays bounded, and honest clients are served beside them. And disks,
//! files and signals that do: what was acknowledged is kept, and what is wrong is said.

mod broken;
mod crowd;
mod cut;
mod deaf;
mod disk;
mod judge;
mod machine;
mod odd_bytes;
mod on_disk;
mod process;
mod slow;
