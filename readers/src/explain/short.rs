//! The beginning of a value.

/// Characters of a value that a line shows.
const VALUE_CHARS_MAX: usize = 60;

/// The beginning of a value, on one line.
pub(super) fn short(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut shown: String = text
        .chars()
        .take(VALUE_CHARS_MAX)
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    if text.chars().nth(VALUE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
