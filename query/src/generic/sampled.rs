//! Whether the events that a row counts were thinned: the rates at which their sessions were sampled. Pure.

use readers::glean::EVENTS;
use readers::values::beside::SAMPLED;
use serde_json::{Value, json};

/// The metric whose values are the rates of another one; none of what is never thinned.
pub(crate) fn rates_of(metric: &str) -> Option<String> {
    metric.starts_with(EVENTS).then(|| format!("{SAMPLED}{metric}"))
}

/// The lowest and the highest rate of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampled {
    lowest: f64,
    highest: f64,
}

impl Sampled {
    /// Of the rates that pings state, and whether there are pings that state none: these were not thinned.
    pub(crate) fn of<'a>(rates: impl IntoIterator<Item = &'a str>, are_others: bool) -> Option<Self> {
        let rates = rates.into_iter().filter_map(|rate| rate.parse::<f64>().ok());
        let both = |rate| (rate, rate);
        let (lowest, highest) = rates.map(both).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(Self {
            lowest,
            highest: if are_others { 1.0 } else { highest },
        })
    }

    /// One number, or both where they differ.
    pub(crate) fn json(self) -> Value {
        if self.lowest < self.highest {
            json!([self.lowest, self.highest])
        } else {
            json!(self.lowest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_one_rate_or_both_ends_and_nothing_where_no_session_was_thinned() {
        let said =
            |rates: &[&str], are_others| Sampled::of(rates.iter().copied(), are_others).map(Sampled::json);
        assert_eq!(said(&["0.25"], false), Some(json!(0.25)));
        assert_eq!(said(&["0.25", "0.125", "0.2"], false), Some(json!([0.125, 0.25])));
        assert_eq!(said(&["0.25"], true), Some(json!([0.25, 1.0])));
        assert_eq!((said(&[], true), said(&["OTHER"], false)), (None, None));
    }

    #[test]
    fn only_counts_of_events_have_rates() {
        assert_eq!(
            rates_of("events:ui.saved").as_deref(),
            Some("sampled:events:ui.saved")
        );
        assert_eq!(rates_of("notes.pinned"), None);
    }
}
