//! What is wrong with a declaration, and where.

use std::fmt;

/// Known words that a fault names where none is near.
const NAMED_MAX: usize = 30;

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// One thing that is wrong with a declaration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What, and what to do about it.
    pub words: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.at.line, self.at.column, self.words
        )
    }
}

impl Fault {
    pub(crate) fn new(at: Position, words: impl Into<String>) -> Self {
        Self {
            at,
            words: words.into(),
        }
    }

    /// A word that is none of those known here, and the one that was meant, if one is near.
    pub(crate) fn unknown<'a>(
        at: Position,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let meant = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => there_are(&known),
        };
        Self::new(at, format!("unknown {what} `{}`: {meant}", short(word)))
    }
}

/// The first of what is known.
fn there_are(known: &[&str]) -> String {
    let first: Vec<String> = known.iter().take(NAMED_MAX).map(|word| short(word)).collect();
    let more = match known.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there are: {}{more}", first.join(", "))
}

/// The known word that is nearest to one that is unknown, if it is near enough to have been meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let far = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let near = known.into_iter().map(|known| (far(known), known));
    let (distance, near) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + word.chars().count() / 3).then_some(near)
}

/// The beginning of a text that may be long.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_is_found() {
        let known = ["counter", "quantity", "timing_distribution"];
        assert_eq!(nearest("Countr", known), Some("counter"));
        assert_eq!(nearest("quantitiy", known), Some("quantity"));
        assert_eq!(nearest("histogram", known), None);
        let fault = Fault::unknown(Position { line: 3, column: 9 }, "type", "conter", known);
        assert_eq!(
            fault.to_string(),
            "line 3, column 9: unknown type `conter`: did you mean `counter`?"
        );
        let many: Vec<String> = (100..140).map(|number| format!("word_{number}")).collect();
        let fault = Fault::unknown(Position::default(), "type", "x", many.iter().map(String::as_str));
        assert!(
            fault
                .words
                .starts_with("unknown type `x`: there are: word_100, word_101, "),
            "{fault}"
        );
        assert!(fault.words.ends_with(", word_129 and 10 more"), "{fault}");
    }
}
