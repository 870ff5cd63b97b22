//! A name as it was sent.

/// A name as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The name.
    pub text: &'a str,
    /// Whether something in it could not be read and was replaced. Two such names of one text may have been sent as two, so
    /// neither repeats the other: what lies under them adds up.
    pub is_repaired: bool,
}
