//! `gc` of a process: its worst garbage collections, slice by slice. Not aggregated by anyone; a real ping has it.

use crate::dice::Dice;
use crate::json::Json;
use crate::session::Session;

const PHASES: &[&str] = &[
    "wait_background_thread",
    "mark",
    "mark_roots",
    "mark_compartments",
    "unmark",
    "sweep",
    "sweep_atoms",
    "sweep_object",
    "sweep_script",
    "sweep_shape",
    "finalize_end_callback",
    "deallocate",
    "minor_gcs_to_evict_nursery",
];

const REASONS: &[&str] = &[
    "USER_INACTIVE",
    "INTER_SLICE_GC",
    "CC_WAITING",
    "ALLOC_TRIGGER",
    "PAGE_HIDE",
];

/// Writes the member `gc`.
pub(crate) fn write_collections(session: &Session, process: &str, json: &mut Json) {
    let mut dice = session.dice(process);
    json.object("gc", |json| {
        json.list("random", |_| {});
        json.list("worst", |json| {
            for _ in 0..2 {
                write_collection(&mut dice, json);
            }
        });
    });
}

fn write_collection(dice: &mut Dice, json: &mut Json) {
    json.open();
    json.decimal("timestamp", dice.below(5_000_000_000));
    json.decimal("max_pause", dice.log_normal(60_000.0, 0.7) as u64);
    json.decimal("total_time", dice.log_normal(200_000.0, 0.6) as u64);
    json.number("zones_collected", dice.between(1, 20));
    json.number("total_zones", 20);
    json.number("total_compartments", dice.between(90, 700));
    json.number("minor_gcs", dice.below(30));
    json.number("store_buffer_overflows", 0);
    json.text("nonincremental_reason", "None");
    json.number("allocated", dice.between(20, 400));
    json.list("slices", |json| {
        for slice in 0..dice.between(2, 3) {
            write_slice(slice, dice, json);
        }
    });
    json.close();
}

fn write_slice(slice: u64, dice: &mut Dice, json: &mut Json) {
    json.open();
    json.number("slice", slice);
    json.decimal("pause", dice.log_normal(25_000.0, 0.8) as u64);
    json.decimal("when", slice * 90_000 + dice.below(80_000));
    json.text("reason", dice.pick(REASONS));
    json.text("budget", dice.pick(&["10ms", "40ms", "unlimited"]));
    json.number("page_faults", dice.below(900));
    json.object("times", |json| {
        for phase in PHASES {
            json.decimal(phase, dice.log_normal(300.0, 2.0) as u64);
        }
    });
    json.close();
}
