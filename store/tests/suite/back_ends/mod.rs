//! Every back end passes the one suite, and the directory keeps its word through power cuts.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod law;
mod power_cut;
mod syncs;
mod unreliable;
