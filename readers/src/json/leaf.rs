//! A value read for itself: its kind, and its number if it is one.

/// A value's kind, and its number if it is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaf {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits with sign.
    Whole(i64),
    /// An integer above 2^63 - 1 that has 64 bits.
    Beyond,
    /// Any other number.
    Fraction(f64),
    /// A text.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl Leaf {
    /// A number as `serde_json` reads it.
    #[must_use]
    pub fn of(number: &serde_json::Number) -> Self {
        if let Some(whole) = number.as_i64() {
            Self::Whole(whole)
        } else if number.is_u64() {
            Self::Beyond
        } else {
            Self::Fraction(number.as_f64().unwrap_or(f64::INFINITY))
        }
    }
}
