//! The metrics of this crate, all of them.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{Retained, RetentionError};

/// Runs by `outcome`: `done`, `failed` (gone on from by the next run: look at the log line).
pub const RUNS_TOTAL: &str = "highwater_retention_runs_total";

/// Objects deleted.
pub const OBJECTS_TOTAL: &str = "highwater_retention_objects_total";

/// Bytes of deleted objects, as stored.
pub const OBJECTS_BYTES: &str = "highwater_retention_objects_bytes_total";

/// Cells and user sketches deleted.
pub const AGGREGATES_TOTAL: &str = "highwater_retention_aggregates_total";

/// Floor dates as numbers YYYYMMDD by `of`: `pings`, `errors`, `aggregates`; 0 for none. Jumps when the clock does.
pub const FLOOR_DATE: &str = "highwater_retention_floor_date";

/// Bytes above the budgets that cannot go, since they are today's or of the newest day: raise the budget, or send less.
pub const OVER_BUDGET_BYTES: &str = "highwater_retention_over_budget_bytes";

/// Deletions that wait for `highwater retain --yes`, since they take much at once: of pings, errors, aggregates, copies.
pub const HELD: &str = "highwater_retention_held_rules";

/// Gives the recorder the descriptions. Call it once, after the recorder is in place.
pub fn describe() {
    describe_counter!(RUNS_TOTAL, Unit::Count, "Runs of retention by outcome");
    describe_counter!(
        OBJECTS_TOTAL,
        Unit::Count,
        "Objects deleted by retention, or forgotten"
    );
    describe_counter!(
        OBJECTS_BYTES,
        Unit::Bytes,
        "Bytes of objects deleted by retention, or forgotten"
    );
    describe_counter!(
        AGGREGATES_TOTAL,
        Unit::Count,
        "Cells and user sketches deleted by retention"
    );
    describe_gauge!(FLOOR_DATE, "Floor dates as numbers YYYYMMDD, 0 for none");
    describe_gauge!(HELD, Unit::Count, "Deletions that wait for a person");
    describe_gauge!(
        OVER_BUDGET_BYTES,
        Unit::Bytes,
        "Bytes above the budgets that are today's, or of the newest day, and stay"
    );
}

pub(crate) fn count(outcome: &Result<Retained, RetentionError>) {
    let Ok(retained) = outcome else {
        counter!(RUNS_TOTAL, "outcome" => "failed").increment(1);
        return;
    };
    counter!(RUNS_TOTAL, "outcome" => "done").increment(1);
    counter!(OBJECTS_TOTAL).increment(retained.gone.objects);
    counter!(OBJECTS_BYTES).increment(retained.gone.stored_bytes);
    counter!(AGGREGATES_TOTAL).increment(retained.gone.aggregates);
    for (of, floor) in [
        ("pings", retained.floors.pings),
        ("errors", retained.floors.errors),
        ("aggregates", retained.floors.aggregates),
    ] {
        gauge!(FLOOR_DATE, "of" => of).set(floor.map_or(0.0, |floor| f64::from(floor.as_yyyymmdd())));
    }
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(OVER_BUDGET_BYTES).set(retained.over_budget_bytes as f64);
    #[expect(clippy::cast_precision_loss, reason = "four at the most")]
    gauge!(HELD).set(retained.held.len() as f64);
}
