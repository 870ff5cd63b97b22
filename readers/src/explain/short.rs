//! The beginning of a text that strangers chose, as a line shows it.

/// Characters of a value that a line shows.
const VALUE_CHARS_MAX: usize = 60;

/// The beginning of a text, on one line. What would move a terminal's cursor or turn its direction of writing is a space.
#[must_use]
pub fn short(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let is_shown = |sign: char| !sign.is_control() && !is_direction(sign);
    let mut shown: String = text
        .chars()
        .take(VALUE_CHARS_MAX)
        .map(|sign| if is_shown(sign) { sign } else { ' ' })
        .collect();
    if text.chars().nth(VALUE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a sign sets the direction of writing: Unicode's bidirectional formatting characters.
const fn is_direction(sign: char) -> bool {
    matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_strangers_neither_leaves_its_line_nor_turns_it() {
        assert_eq!(short("a\u{1b}[31mb\0c\n\u{202e}d".as_bytes()), "a [31mb c  d");
        assert_eq!(short("é".repeat(60).as_bytes()), "é".repeat(60));
        assert_eq!(short("é".repeat(61).as_bytes()), format!("{}…", "é".repeat(60)));
    }
}
