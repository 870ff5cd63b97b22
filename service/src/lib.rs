//! What every process needs once: clock, randomness, shutdown, named tasks, logs, metrics, HTTP listener, settings.

pub mod backoff;
pub mod clock;
pub mod control;
pub mod current;
pub mod directory;
pub mod dockerflow;
pub mod http;
pub mod lock;
pub mod metrics;
mod process;
pub mod quantity;
pub mod random;
pub mod settings;
pub mod shutdown;
pub mod task;
pub mod telemetry;
