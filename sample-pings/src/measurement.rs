//! Single numbers: simple measurements and scalars.

use crate::dice::Dice;
use crate::json::Json;
use crate::metric::Tier;
use crate::names::Names;
use crate::session::Session;

/// The names of all simple measurements and scalars, the same for every seed.
pub(crate) struct Measurements {
    simple: Vec<String>,
    nested: Vec<String>,
    scalars: Vec<String>,
    labels: Vec<String>,
}

/// Start-up times by their real names.
const KNOWN: &[&str] = &[
    "start",
    "main",
    "firstPaint",
    "sessionRestored",
    "createTopLevelWindow",
    "firstLoadURI",
];

impl Measurements {
    pub(crate) fn new() -> Self {
        let mut names = Names::new("measurements");
        let mut list = |count, make: fn(&mut Names) -> String| -> Vec<String> {
            (0..count).map(|_| make(&mut names)).collect()
        };
        Self {
            simple: list(14, Names::camel),
            nested: list(5, Names::camel),
            scalars: list(24, Names::scalar),
            labels: list(6, Names::camel),
        }
    }

    /// Writes `payload.simpleMeasurements`: numbers, a boolean, texts, and one level below.
    pub(crate) fn write_simple(&self, session: &Session, json: &mut Json) {
        let mut dice = session.dice("simple");
        json.open();
        json.number("totalTime", session.length);
        json.number("uptime", session.length / 60);
        let mut time = 20.0;
        for name in KNOWN {
            time += dice.log_normal(250.0 * session.client.slowness, 0.6);
            json.number(name, time as u64);
        }
        for name in &self.simple {
            json.number(name, dice.log_normal(900.0, 1.2) as u64);
        }
        json.object("addonManager", |json| {
            json.boolean("default_providers", true);
            json.text("load_state", "loaded");
            for name in &self.nested {
                json.number(name, dice.log_normal(12.0, 1.0) as u64);
            }
        });
        json.object("js", |json| {
            json.number("setProto", dice.below(9));
            json.number("customIter", dice.below(30));
        });
        json.boolean("debuggerAttached", false);
        json.number("maximalNumberOfConcurrentThreads", dice.between(40, 180));
        json.close();
    }

    /// Writes the members `scalars` and `keyedScalars` of a process.
    pub(crate) fn write_scalars(&self, session: &Session, process: &str, json: &mut Json) {
        let mut dice = session.dice(if process == "parent" {
            "parent scalars"
        } else {
            "content scalars"
        });
        let all = process == "parent";
        let count = if all { self.scalars.len() } else { 6 };
        json.object("scalars", |json| {
            for (nth, name) in self.scalars[..count].iter().enumerate() {
                write_scalar(nth, name, session, &mut dice, json);
            }
        });
        json.object("keyedScalars", |json| {
            if all {
                json.object("browser.sample.actions", |json| {
                    for (nth, label) in self.labels.iter().enumerate() {
                        write_scalar(nth, label, session, &mut dice, json);
                    }
                });
            }
        });
    }
}

/// A scalar: mostly a number, now and then a truth value or a text.
fn write_scalar(nth: usize, name: &str, session: &Session, dice: &mut Dice, json: &mut Json) {
    let client = &session.client;
    if !Tier::Kin(0.8).reports(nth as u64 + 100_000, client.seed, client.kin) {
        return;
    }
    match nth % 9 {
        7 => json.boolean(name, dice.chance(0.5)),
        8 => json.text(name, dice.pick(&["hardware", "software", "none"])),
        _ => json.number(name, dice.log_normal(40.0 * client.use_of_it, 1.4) as u64),
    }
}

/// Writes the simple measurements of one content process, as old pings tell them.
pub(crate) fn write_child_measurements(session: &Session, child: u64, json: &mut Json) {
    let mut dice = Dice::new(session.seed, "child", child);
    json.open();
    json.number("totalTime", session.length - dice.below(session.length / 2));
    json.number("uptime", session.length / 60);
    json.number("main", 0);
    json.number("firstLoadURI", dice.log_normal(2_400.0, 0.5) as u64);
    json.object("js", |json| {
        json.number("setProto", dice.below(4));
        json.number("customIter", dice.below(9));
    });
    json.number("maximalNumberOfConcurrentThreads", dice.between(20, 40));
    json.close();
}
