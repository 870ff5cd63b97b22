//! Whether an alarm of `infra/prometheus/alerts.yaml` would fire: its expression as it stands there, computed over what was
//! scraped. How long an alarm asks that its condition holds is not waited for.

mod evaluation;
mod expression;
mod scrapes;

use std::fs;
use std::path::Path;

use evaluation::Evaluation;
use expression::Expression;
pub use scrapes::{Labels, Scrapes};

/// An alarm of the rules.
#[derive(Debug)]
pub struct Alarm {
    name: String,
    condition: Expression,
}

impl Alarm {
    /// All alarms of the rules.
    ///
    /// # Panics
    /// When the rules cannot be read, or ask for what [`Expression`] does not know.
    pub fn all() -> Vec<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the project");
        let rules = fs::read_to_string(project.join("infra/prometheus/alerts.yaml")).expect("the rules");
        let alarms = rules.split("- alert:").skip(1).map(|rule| {
            let (name, rest) = rule.trim_start().split_once('\n').expect("a name on its line");
            let from = rest.split_once("expr:").expect("an expression").1;
            let ends = ["for:", "labels:"]
                .iter()
                .filter_map(|key| from.find(&format!("\n        {key}")));
            let text = &from[..ends.min().expect("a key behind the expression")];
            let text = text.trim_start().trim_start_matches(">-");
            Self {
                name: name.trim().to_owned(),
                condition: Expression::parse(text),
            }
        });
        alarms.collect()
    }

    /// The alarm of this name.
    ///
    /// # Panics
    /// When the rules have none.
    pub fn named(name: &str) -> Self {
        let found = Self::all().into_iter().find(|alarm| alarm.name == name);
        found.unwrap_or_else(|| panic!("the rules have no alarm {name}"))
    }

    /// What the rules call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For which labels its condition holds at the last scrape: none when it does not hold.
    ///
    /// # Panics
    /// Where Prometheus would answer with an error.
    pub fn holds_for(&self, scrapes: &Scrapes) -> Vec<Labels> {
        Evaluation::of(scrapes).vector(&self.condition)
    }
}
