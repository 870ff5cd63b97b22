//! When a process dies: counted calls, of which one is its last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use disk::{Moment, SimulatedDisk};

use super::gate::{Call, Gate, Shut};

/// Counts calls. At a chosen one the process dies: that is, its disk's power goes, and every later call of anything ends
/// badly and without effect. It dies alike when the power of the disk goes for another reason.
#[derive(Debug)]
pub struct CrashPoints {
    calls: AtomicU64,
    at: u64,
    moment: Moment,
    power: SimulatedDisk,
}

impl CrashPoints {
    /// No death but that of this disk.
    pub fn none(power: &SimulatedDisk) -> Arc<Self> {
        Self::at(power, u64::MAX, Moment::Before)
    }

    /// Death before or after the `call`th call takes effect. The first is 1.
    pub fn at(power: &SimulatedDisk, call: u64, moment: Moment) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicU64::new(0),
            at: call,
            moment,
            power: power.clone(),
        })
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), Shut> {
        if self.power.is_off() {
            Err(Shut::Dead)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Gate for CrashPoints {
    async fn before(&self, _: Call<'_>) -> Result<(), Shut> {
        self.alive()?;
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.at && self.moment == Moment::Before {
            self.power.power_off();
        }
        self.alive()
    }

    /// A call dies after it when it has the chosen number, or a later one began beside it.
    async fn after(&self, _: Call<'_>, _: bool) -> Result<(), Shut> {
        if self.moment == Moment::After && self.calls() >= self.at {
            self.power.power_off();
        }
        self.alive()
    }
}
