//! Connections to services of AWS, for every door that has a back end there: endpoint, region and credentials
//! ([`AwsSettings`]) with one TLS (rustls on ring), and the words of an error ([`words`]).
//!
//! What does not live here: any service, time-outs, tries, and any word of the domain.

mod settings;
mod words;

pub use settings::{AwsCredentials, AwsSettings};
pub use words::words;
