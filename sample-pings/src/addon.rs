//! Add-ons: some ninety invented ones, of which every client has some.

use crate::dice::Dice;
use crate::json::Json;
use crate::names::{sentence, title};
use crate::session::Session;

/// Invented add-ons there are.
const ADDONS: u64 = 90;

struct Addon {
    id: String,
    name: String,
    description: String,
    version: String,
}

impl Addon {
    /// Add-on `number`, the same for every client.
    fn new(number: u64) -> Self {
        let mut dice = Dice::new(0, "add-on", number);
        let name = sentence(&mut dice, 2);
        let id = match dice.below(3) {
            0 => format!("{{{}}}", dice.uuid()),
            _ => format!(
                "{}-{number}@addons.example",
                name.to_lowercase().replace(' ', "-")
            ),
        };
        let words = dice.between(4, 12);
        let version = format!("{}.{}.{}", dice.below(9), dice.below(20), dice.below(10));
        Self {
            id,
            name,
            description: format!("{}.", sentence(&mut dice, words)),
            version,
        }
    }
}

/// The client's add-ons, the popular ones more often, each once.
fn addons_of(session: &Session) -> Vec<Addon> {
    let mut dice = Dice::new(session.client.seed, "add-ons", 0);
    let mut numbers: Vec<u64> = (0..dice.between(5, 18))
        .map(|_| (dice.unit().powi(3) * ADDONS as f64) as u64)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(Addon::new).collect()
}

/// Writes `environment.addons`.
pub(crate) fn write_addons(session: &Session, json: &mut Json) {
    let mut dice = Dice::new(session.client.seed, "add-on dates", 0);
    json.open();
    json.object("activeAddons", |json| {
        for addon in addons_of(session) {
            json.object(&addon.id, |json| {
                json.boolean("blocklisted", false);
                json.text("description", &addon.description);
                json.text("name", &addon.name);
                json.boolean("userDisabled", false);
                json.boolean("appDisabled", false);
                json.text("version", &addon.version);
                json.number("scope", 1);
                json.text("type", "extension");
                json.boolean("foreignInstall", dice.chance(0.2));
                json.boolean("hasBinaryComponents", false);
                json.number("installDay", dice.between(16_000, 17_200));
                json.number("updateDay", dice.between(16_900, 17_270));
                json.number("signedState", 2);
                json.boolean("isSystem", false);
            });
        }
    });
    json.object("theme", |json| {
        json.text("id", "{2f5c1e6a-0d1f-4d70-9a21-6f8e5c1b7a90}");
        json.boolean("blocklisted", false);
        json.text("name", "Default");
        json.boolean("userDisabled", false);
        json.number("scope", 4);
    });
    json.list("activePlugins", |json| {
        json.open();
        json.text("name", &title("flash player"));
        json.text("version", "25.0.0.148");
        json.boolean("blocklisted", false);
        json.boolean("clicktoplay", true);
        json.number("updateDay", dice.between(17_200, 17_270));
        json.close();
    });
    json.object("activeGMPlugins", |json| {
        json.object("gmp-video", |json| json.text("version", "1.6"));
    });
    json.object("activeExperiment", |_| {});
    json.raw_member("persona", "null");
    json.close();
}

/// Writes `payload.addonDetails`: how long each took to start and to stop.
pub(crate) fn write_details(session: &Session, json: &mut Json) {
    let mut dice = session.dice("add-on details");
    json.open();
    json.object("XPI", |json| {
        for addon in addons_of(session) {
            json.object(&addon.id, |json| {
                json.number("scan_items", 1);
                json.number("scan_MS", dice.below(3));
                json.text("location", "app-profile");
                json.number("startup_MS", dice.log_normal(9.0, 1.0) as u64);
                json.number("shutdown_MS", dice.log_normal(5.0, 1.0) as u64);
            });
        }
    });
    json.close();
}
