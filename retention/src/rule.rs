//! How long and how much is kept, as it is written in settings: `forever`, `180d`, `500GB`, or `180d,500GB`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use service::quantity::{Age, ByteSize};

/// What is kept: no older than the age, and no more than the bytes. The default keeps everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionRule {
    /// What is older goes; whole days.
    pub age: Option<Duration>,
    /// When there is more, the oldest days go; today never does.
    pub bytes: Option<u64>,
}

/// It could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It has no such form.
    #[error(
        "`{0}` is not what is kept: write forever, an age in days, a size, or both, each with its unit, as 180d,500GB"
    )]
    Form(String),
    /// It keeps nothing.
    #[error(
        "`{0}` would keep nothing of the days before today: write 1d or more, a size above 0, or forever"
    )]
    Nothing(String),
}

const FOREVER: &str = "forever";

impl RetentionRule {
    /// Whether nothing is ever deleted.
    pub const fn is_forever(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }
}

impl FromStr for RetentionRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let refused = || RuleError::Form(text.to_owned());
        let mut keep = Self::default();
        if text.trim() == FOREVER {
            return Ok(keep);
        }
        for part in text.split(',').map(str::trim) {
            // `1h` is refused, not taken for a day: what goes is whole days.
            let days = part.strip_suffix('d').and_then(|_| part.parse::<Age>().ok());
            let known = match (days, part.parse::<ByteSize>()) {
                (Some(Age(age)), _) => keep.age.replace(age).is_some(),
                (None, Ok(ByteSize(bytes))) => keep.bytes.replace(bytes).is_some(),
                (None, Err(_)) => return Err(refused()),
            };
            if known {
                return Err(refused());
            }
        }
        if keep.age.is_some_and(|age| age.is_zero()) || keep.bytes == Some(0) {
            return Err(RuleError::Nothing(text.to_owned()));
        }
        Ok(keep)
    }
}

impl fmt::Display for RetentionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.age, self.bytes) {
            (None, None) => f.write_str(FOREVER),
            (Some(age), None) => Age(age).fmt(f),
            (None, Some(bytes)) => ByteSize(bytes).fmt(f),
            (Some(age), Some(bytes)) => write!(f, "{},{}", Age(age), ByteSize(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_is_written() {
        for text in ["forever", "180d", "500GB", "180d,500GB", "1d,1MiB"] {
            let keep: RetentionRule = text.parse().expect(text);
            assert_eq!(keep.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_form_to_write() {
        for text in [
            "",
            "1h",
            "d",
            "180",
            "0",
            "500",
            "180d,500",
            "-1d",
            "1d,2d",
            "1GB,2GB",
            "forever,1d",
            "1GB,",
        ] {
            let refused = text.parse::<RetentionRule>().expect_err(text);
            assert!(refused.to_string().contains("180d,500GB"), "{text}");
        }
    }

    #[test]
    fn a_rule_that_keeps_nothing_is_refused_with_words() {
        for text in ["0d", "0B", "0GB", "0d,500GB", "180d,0MiB"] {
            let refused = text.parse::<RetentionRule>().expect_err(text);
            assert_eq!(refused, RuleError::Nothing(text.to_owned()));
        }
    }
}
