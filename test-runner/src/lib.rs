//! Test executables as cargo built them: run beside each other, read while they run, and told in the end. The executables
//! are libtest's; what is known of its lines stands in `lines`.

mod beside;
mod dependents;
mod executable;
mod lines;
mod load;
mod report;
mod run;
mod schedule;
mod tally;

pub use beside::run_beside;
pub use dependents::dependents;
pub use executable::{Built, Executable};
pub use lines::{Read, TestResult, Verdict};
pub use load::Load;
pub use report::{Slowest, closing, sentence};
pub use run::{Outcome, Wish, run};
pub use schedule::{Schedule, of_real_processes, outdated, waits_for_time};
pub use tally::{Entry, Tally};
