//! Names of metrics that no ping bears: what is kept of the pings themselves, beside their values.
//!
//! Each is a category. A ping that bears such a name all the same changes nothing but numbers of its own source, and counts once there.

/// Counts every ping, so that it is known how many stand behind a value of a dimension.
pub const PINGS: &str = "pings:";

/// Its values are what pings were sent with and is left out, or counts otherwise than it was sent: subject and rule.
pub const LEFT_OUT: &str = "left_out:";

/// Before the name of a metric that stays in the ping and is in no number: counts the pings that have it.
pub const STORED: &str = "stored:";

/// Before the name of a metric of events: its values are the rates at which sessions were sampled in which they happened.
pub const SAMPLED: &str = "sampled:";

/// Different subjects and rules that are kept of one ping: the first ones, in the order of the ping.
pub const LEFT_OUT_A_PING_MAX: usize = 32;

/// Between a subject and a rule.
const RULE: char = ' ';

/// The value under which a subject and a rule are kept.
pub fn write_left_out(value: &mut String, subject: &str, rule: &str) {
    value.clear();
    value.push_str(subject);
    value.push(RULE);
    value.push_str(rule);
}

/// Subject and rule of such a value.
#[must_use]
pub fn left_out(value: &str) -> Option<(&str, &str)> {
    value.rsplit_once(RULE)
}

/// Whether a metric is such a one.
#[must_use]
pub fn is_beside(metric: &str) -> bool {
    [PINGS, LEFT_OUT].contains(&metric) || metric.starts_with(SAMPLED) || metric.starts_with(STORED)
}

/// The name of the metric that stays in pings, where this counts the pings that have it.
#[must_use]
pub fn only_stored(metric: &str) -> Option<&str> {
    metric.strip_prefix(STORED)
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;

    #[test]
    fn what_pings_bear_is_told_from_what_is_kept_of_them() {
        for metric in [
            "pings:",
            "left_out:",
            "stored:docs.note",
            "sampled:events:ui.saved",
        ] {
            assert!(is_beside(metric), "{metric}");
        }
        for metric in [
            "pings",
            "docs.pings:",
            "events:ui.saved",
            "left_out",
            "notes.stored",
        ] {
            assert!(!is_beside(metric) && only_stored(metric).is_none(), "{metric}");
        }
        assert_eq!(only_stored("stored:docs.note"), Some("docs.note"));
    }

    #[test]
    fn subject_and_rule_are_read_as_they_were_written_whatever_the_subject_is() {
        for subject in ["", "visit.basket", "a b", "x=y", " ", "not_a_date"] {
            for rule in Rule::ALL {
                let mut value = "before".to_owned();
                write_left_out(&mut value, subject, rule.word());
                assert_eq!(left_out(&value), Some((subject, rule.word())));
            }
        }
    }
}
