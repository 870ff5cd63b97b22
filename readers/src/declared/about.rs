//! Whose ping it is: the client, and the dimensions.

use ping::OTHER;

use super::edition::Guard;
use super::limits::CLIENT_BYTES_MAX;
use super::take::since;
use super::walk::{BodyError, Walk};
use crate::declaration::{Dimension, VALUE_BYTES_MAX, apply};
use crate::identifier::is_identifier;
use crate::json::{Cursor, Leaf};
use crate::values::{Note, Place, Rule, Subject, Values};

impl<V: Values> Walk<'_, V> {
    pub(super) fn client(&mut self, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.peek()?;
        let start = json.at();
        let read = json.text_or_leaf()?;
        let place = since(start, json);
        match read {
            Ok(sent) if sent.text.len() > CLIENT_BYTES_MAX => {
                self.note(Rule::TextTooLong, Subject::Client, place);
            }
            Ok(sent) => {
                if sent.as_key().is_repaired {
                    self.note(Rule::TextRepaired, Subject::Client, place);
                }
                self.sink.client(&sent.text);
            }
            Err(Leaf::Null) => {}
            Err(_) => self.note(Rule::WrongType, Subject::Client, place),
        }
        Ok(())
    }

    pub(super) fn dimension(&mut self, dimension: u32, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.peek()?;
        let start = json.at();
        let read = json.text_or_leaf()?;
        let place = since(start, json);
        let subject = Subject::Dimension(dimension);
        match read {
            Ok(sent) => {
                if sent.as_key().is_repaired {
                    self.note(Rule::TextRepaired, subject, place);
                }
                self.tell(dimension, &sent.text, Some(place));
            }
            Err(Leaf::Bool(value)) => {
                self.tell(dimension, if value { "true" } else { "false" }, Some(place));
            }
            Err(Leaf::Whole(_)) => {
                // A whole number stands in the body as it is written in decimal.
                let number = std::str::from_utf8(json.since(start)).unwrap_or_default();
                self.tell(dimension, number, Some(place));
            }
            // `-0` is read as a double, the only one that keeps its sign.
            Err(Leaf::Fraction(number)) if number.to_bits() == (-0.0_f64).to_bits() => {
                self.tell(dimension, "0", Some(place));
            }
            Err(Leaf::Null) => {}
            Err(_) => {
                self.room.stated |= 1 << dimension;
                self.note(Rule::WrongType, subject, place);
            }
        }
        Ok(())
    }

    /// Tells a dimension's value, in its form. An empty one is none.
    pub(super) fn tell(&mut self, place: u32, sent: &str, at: Option<Place>) {
        if sent.is_empty() {
            return;
        }
        self.room.stated |= 1 << place;
        let dimension: &Dimension = &self.reader.dimensions[place as usize];
        let mut room = std::mem::take(&mut self.room.text);
        let rule = match apply(dimension.form, sent, &mut room) {
            Err(rule) => Some(rule),
            Ok(value) if value.len() > VALUE_BYTES_MAX => {
                self.sink.dimension(place, OTHER);
                Some(Rule::TextTooLong)
            }
            Ok(value)
                if !dimension.values.is_empty() && !dimension.values.iter().any(|known| known == value) =>
            {
                self.sink.dimension(place, OTHER);
                Some(Rule::ValueNotDeclared)
            }
            Ok(_) if self.is_kept_out(place, sent) => {
                self.sink.dimension(place, OTHER);
                Some(Rule::LooksLikeAnId)
            }
            Ok(value) => {
                self.sink.dimension(place, value);
                None
            }
        };
        self.room.text = room;
        if let Some(rule) = rule {
            self.sink.note(Note {
                rule,
                subject: Subject::Dimension(place),
                place: at,
            });
        }
    }

    /// Whether a value that was sent is an identifier where none may be. What `as` changes of one leaves it one.
    fn is_kept_out(&self, place: u32, sent: &str) -> bool {
        match self.reader.guards[place as usize] {
            Guard::Open => false,
            Guard::Identifiers => is_identifier(sent, false),
            Guard::IdentifiersButVersions => is_identifier(sent, true),
        }
    }
}
