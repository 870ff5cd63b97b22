//! `payload.threadHangStats`: histograms that nobody aggregates, with a layout of their own. A real ping has them.

use crate::dice::Dice;
use crate::json::Json;
use crate::names::title;
use crate::session::Session;

const THREADS: &[&str] = &["Gecko", "Compositor", "ImageBridge", "Timer", "Socket"];

const FRAMES: &[&str] = &[
    "(content script)",
    "(chrome script)",
    "js::RunScript",
    "nsTimer::Fire",
    "PContent::Dispatch",
];

/// Writes `payload.threadHangStats`.
pub(crate) fn write_hangs(session: &Session, json: &mut Json) {
    let mut dice = session.dice("hangs");
    json.open_list();
    for thread in THREADS {
        json.open();
        json.text("name", &title(thread));
        json.key("activity");
        write_activity(&mut dice, 0, json);
        json.list("hangs", |json| {
            for _ in 0..dice.between(3, 7) {
                json.open();
                json.list("stack", |json| {
                    json.item_text("Startup::Main");
                    for _ in 0..dice.between(2, 5) {
                        json.item_text(dice.pick(FRAMES));
                    }
                });
                json.key("histogram");
                write_activity(&mut dice, 6, json);
                json.close();
            }
        });
        json.close();
    }
    json.close_list();
}

/// Powers of two, from 2^`from` milliseconds.
fn write_activity(dice: &mut Dice, from: u32, json: &mut Json) {
    json.raw("{\"range\":[1,0],\"bucket_count\":33,\"histogram_type\":0,\"values\":{");
    let steps = if from == 0 { 8 } else { 2 };
    for step in 0..steps {
        let usual = if from == 0 {
            200_000.0 / f64::from(1_u32 << (2 * step))
        } else {
            2.0
        };
        json.number_of((1 << (from + step)) - 1, dice.log_normal(usual, 0.4) as u64);
    }
    json.number_of((1 << (from + steps)) - 1, 0);
    json.close();
    json.number("sum", 0);
    json.close();
}
