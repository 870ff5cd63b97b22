//! What a session tells of slow moments: statements that took long, and the modules that were loaded.
//!
//! Nobody aggregates these. They are texts that many pings share, which is what makes a chunk of real pings
//! compress better than one real ping.

use crate::dice::Dice;
use crate::json::Json;
use crate::names::{sentence, title};
use crate::session::Session;

/// Modules loaded on one operating system.
const MODULES: u64 = 125;

/// Statements that can be slow, and how many a ping names.
const STATEMENTS: u64 = 60;
const SLOW: u64 = 50;

/// Writes `payload.chromeHangs`: no hang, but the modules, which are the same on one operating system.
pub(crate) fn write_modules(session: &Session, json: &mut Json) {
    let mut dice = Dice::new(0, session.client.platform.os, 0);
    json.open();
    json.list("memoryMap", |json| {
        for _ in 0..MODULES {
            json.open_list();
            json.item_text(&format!("{}.pdb", sentence(&mut dice, 1).to_lowercase()));
            json.item_text(&format!("{:016X}{:016X}1", dice.bits(), dice.bits()));
            json.close_list();
        }
    });
    for member in [
        "stacks",
        "durations",
        "systemUptime",
        "firefoxUptime",
        "annotations",
    ] {
        json.list(member, |_| {});
    }
    json.close();
}

/// Writes `payload.slowSQL`: [times, milliseconds] by statement.
pub(crate) fn write_slow_statements(session: &Session, json: &mut Json) {
    let mut dice = session.dice("slow statements");
    json.open();
    json.object("mainThread", |_| {});
    json.object("otherThreads", |json| {
        for nth in 0..STATEMENTS {
            if dice.below(STATEMENTS) < SLOW {
                json.list(&statement(nth), |json| {
                    json.item_number(1 + dice.below(4) / 3);
                    json.item_number(dice.log_normal(120.0, 0.15) as u64);
                });
            }
        }
    });
    json.close();
}

fn statement(nth: u64) -> String {
    let mut dice = Dice::new(0, "statement", nth);
    let columns = sentence(&mut dice, 4).to_lowercase().replace(' ', ", ");
    let table = title(&sentence(&mut dice, 1));
    let parameter = sentence(&mut dice, 1).to_lowercase();
    format!("SELECT {columns} FROM moz_{table} WHERE {parameter} = :{parameter} /* {table}.sqlite */")
}
