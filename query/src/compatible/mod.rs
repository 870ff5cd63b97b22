//! The routes that clients of the original speak: their answers, word for word in the original's form.

mod answer;
mod usable;
mod use_counters;

pub use answer::{Answer, DataPoint, Series, TooManyBins, answer, saturate};
pub use usable::{is_usable_date, is_usable_key, is_usable_name};
pub use use_counters::{denominator_of, is_use_counter, with_denominator};
