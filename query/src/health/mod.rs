//! How the pipeline is: the numbers, and the sentences that a person on call is told. Pure; who measures is elsewhere.

mod checks;
mod declared;
mod defined;
mod memory;
mod numbers;
mod report;
mod verdict;
mod words;

pub use checks::judge;
pub use declared::DeclarationNumbers;
pub use defined::{DefinitionNumbers, Named, RefusedFiles};
pub use memory::{Gone, Memory};
pub use numbers::{
    DiskNumbers, FoldingNumbers, HealthNumbers, IndexNumbers, LogNumbers, Rates, RetentionNumbers,
    StoreNumbers,
};
pub use report::{ErroredSample, HealthReport, HealthSource, SetAsideObject};
pub use verdict::{NAMES, Severity, Verdict};
pub use words::{bytes, count, lasting};
