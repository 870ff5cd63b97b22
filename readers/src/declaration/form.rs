//! What of a dimension's value counts: `as` in a declaration.

use std::fmt::Write as _;

use super::dimension::Form;
use crate::dates::{build_date, leading_date};
use crate::texts::{host, major, major_minor, push_lower};
use crate::values::Rule;

/// What counts of a text, which is not empty; made in `room`, where it is no part of the text.
pub(crate) fn apply<'a>(form: Form, text: &'a str, room: &'a mut String) -> Result<&'a str, Rule> {
    room.clear();
    match form {
        Form::Text => return Ok(text),
        Form::Major => return major(text).ok_or(Rule::NotAVersion),
        Form::MajorMinor => return major_minor(text).ok_or(Rule::NotAVersion),
        Form::Date => {
            let date = leading_date(text).or_else(|| build_date(text));
            let date = date.ok_or(Rule::NotADate)?;
            // A text takes all that is written to it.
            let _ = write!(room, "{date}");
        }
        Form::Lower => push_lower(text, room),
        Form::Host => push_lower(host(text).ok_or(Rule::NoHost)?, room),
    }
    Ok(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_keeps_what_it_says() {
        for (form, text, kept) in [
            (Form::Text, "As Sent", Ok("As Sent")),
            (Form::Major, "12.3.4", Ok("12")),
            (Form::Major, "7-beta", Ok("7")),
            (Form::Major, "v7", Err(Rule::NotAVersion)),
            (Form::MajorMinor, "12.3.4", Ok("12.3")),
            (Form::MajorMinor, "12", Ok("12")),
            (Form::MajorMinor, "12.x", Ok("12")),
            (Form::Date, "2026-10-01T10:00:00Z", Ok("20261001")),
            (Form::Date, "20261001123456", Ok("20261001")),
            (Form::Date, "yesterday", Err(Rule::NotADate)),
            (Form::Lower, "LiNux ÄÖ", Ok("linux äö")),
            (
                Form::Host,
                "https://me:pw@Example.ORG:8080/a?b",
                Ok("example.org"),
            ),
            (Form::Host, "http://[::1]:80/", Ok("[::1]")),
            (Form::Host, "example.org/a", Err(Rule::NoHost)),
            (Form::Host, "file:///etc", Err(Rule::NoHost)),
        ] {
            assert_eq!(apply(form, text, &mut String::new()), kept, "{form:?} of {text}");
        }
    }
}
