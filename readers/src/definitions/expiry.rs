//! Until when a metric is recorded.

use std::fmt;

use ping::SubmissionDate;

use crate::dates::leading_date;
use crate::declaration::fault::Fault;
use crate::declaration::node::{Node, Value};
use crate::declaration::table::{Faults, expected};

/// Until when a metric is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// For ever.
    Never,
    /// No longer.
    Expired,
    /// Up to this major version, which does not record it.
    Version(i64),
    /// Up to this day, on which it is not recorded.
    Date(SubmissionDate),
}

impl fmt::Display for Expiry {
    /// As a definition says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Expired => f.write_str("expired"),
            Self::Version(version) => write!(f, "{version}"),
            Self::Date(day) => {
                let digits = day.to_string();
                let (year, rest) = digits.split_at_checked(4).unwrap_or((&digits, ""));
                let (month, day) = rest.split_at_checked(2).unwrap_or((rest, ""));
                write!(f, "{year}-{month}-{day}")
            }
        }
    }
}

impl Expiry {
    pub(super) fn read(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.value {
            Value::Whole(version) => Some(Self::Version(*version)),
            Value::Text(text) => {
                let read = Self::of(text);
                if read.is_none() {
                    let words =
                        format!("`expires` is `{text}`, and should be never, expired, a version or a date");
                    faults.push(Fault::new(node.at, words));
                }
                read
            }
            _ => {
                expected(node, "`expires`", "never, expired, a version or a date", faults);
                None
            }
        }
    }

    fn of(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "expired" => Some(Self::Expired),
            _ if text.len() == 10 => leading_date(text).map(Self::Date),
            _ => text.parse().ok().map(Self::Version),
        }
    }
}
