//! What is kept and for how long. Floors are raised first, then objects go, then rows: a crash between any two is gone
//! on from at the next run, and nothing below a floor comes back.

mod error;
mod forget;
pub mod limits;
pub mod metrics;
mod plan;
mod report;
mod retainer;
mod rule;
mod source_look;
mod source_run;
mod source_steps;
mod step;
mod today;

pub use error::RetentionError;
pub use plan::{Rules, RulesBySource, SourceRules};
pub use report::{Gone, Retained};
pub use retainer::{Parts, Retainer, Standstill, look};
pub use rule::{RetentionRule, RuleError};
pub use step::{Consent, Held, Kind, in_words};
