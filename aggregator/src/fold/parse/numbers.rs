//! Plain numbers: scalars and simple measurements. Each is one sample of its layout.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf};
use sketch::Layout;

use super::admission::admit;
use super::section::not_an_object;
use crate::fold::refusal::Refusal;
use crate::fold::staged::Stage;
use crate::fold::vocabulary::NO_LABEL;

/// Scalars that the original leaves out on purpose begin so.
pub(super) const IGNORED_SCALARS: &str = "browser.engagement.navigation";

/// The number to count, or why there is none. A boolean is a number; fractions are cut off.
fn number_of(leaf: Leaf) -> Result<i64, Refusal> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    match leaf {
        Leaf::Bool(value) => Ok(i64::from(value)),
        Leaf::Whole(number) if number >= 0 => Ok(number),
        Leaf::Whole(_) => Err(Refusal::NumberNegative),
        Leaf::Fraction(number) if number < 0.0 => Err(Refusal::NumberNegative),
        Leaf::Fraction(number) if number < END => Ok(number as i64),
        Leaf::Beyond | Leaf::Fraction(_) => Err(Refusal::NumberTooLarge),
        Leaf::Null | Leaf::Text | Leaf::List | Leaf::Object => Err(Refusal::NumberNotANumber),
    }
}

/// Reads a scalar by its key, under a label or none. Whether it was a text that counts: one of a scalar that a definition calls a string.
pub(super) fn read_scalar(
    json: &mut Cursor<'_>,
    stage: &mut Stage,
    (key, process, label): (u32, u32, u32),
) -> Result<bool, JsonError> {
    // Nobody asks for the texts.
    if stage.strings.is_empty() {
        let leaf = json.leaf()?;
        let metric = stage.vocabulary.scalar(key);
        scalar(leaf, stage, metric, process, label);
        return Ok(false);
    }
    let read = json.text_or_leaf()?;
    let metric = stage.vocabulary.scalar(key);
    let is_string = stage.strings.contains(&**stage.vocabulary.metrics.text(metric));
    match read {
        Ok(text) if is_string => stage.push_text(metric, process, label, text.as_key()),
        Ok(_) => return Ok(false),
        Err(leaf) => {
            scalar(leaf, stage, metric, process, label);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes up a scalar. Texts are kept in the chunk only, as in the original; null is no scalar.
fn scalar(leaf: Leaf, stage: &mut Stage, metric: u32, process: u32, label: u32) {
    match number_of(leaf) {
        Ok(number) => stage.push_number(metric, process, label, Layout::COUNT, number),
        Err(_) if matches!(leaf, Leaf::Text | Leaf::Null) => {}
        Err(refusal) => stage.refused.note(refusal, 1),
    }
}

/// Takes up a simple measurement. Whatever is no number describes the session and is not counted.
fn simple(leaf: Leaf, stage: &mut Stage, metric: u32, process: u32) {
    match number_of(leaf) {
        Ok(number) => stage.push_number(metric, process, NO_LABEL, Layout::SIMPLE, number),
        Err(Refusal::NumberNotANumber) => {}
        Err(refusal) => stage.refused.note(refusal, 1),
    }
}

/// `scalars`: numbers by metric.
pub(super) struct ScalarMap<'a> {
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
}

impl<'a> ScalarMap<'a> {
    pub(super) fn new(process: u32, stage: &'a mut Stage) -> Self {
        let serial = stage.vocabulary.next_serial();
        Self {
            process,
            stage,
            serial,
        }
    }

    fn admit(&mut self, key: Key<'_>) -> Option<u32> {
        let serial = self.serial;
        let admitted = admit(key, self.stage, |vocabulary| {
            vocabulary.scalar_keys.see(key, serial)
        });
        admitted.filter(|_| !key.text.starts_with(IGNORED_SCALARS))
    }
}

impl Fields for ScalarMap<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Some(key) = self.admit(key) else {
            return json.skip();
        };
        if read_scalar(json, self.stage, (key, self.process, NO_LABEL))? {
            let metric = self.stage.vocabulary.scalar(key);
            self.stage.count_texts(metric, self.process);
        }
        Ok(())
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// `simpleMeasurements`: numbers by name, and objects of numbers one level down.
pub(super) struct SimpleMap<'a> {
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
}

impl<'a> SimpleMap<'a> {
    pub(super) fn new(process: u32, stage: &'a mut Stage) -> Self {
        let serial = stage.vocabulary.next_serial();
        Self {
            process,
            stage,
            serial,
        }
    }
}

impl Fields for SimpleMap<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Self {
            process,
            stage,
            serial,
        } = self;
        let Some(outer) = admit(key, stage, |vocabulary| vocabulary.simple_keys.see(key, *serial)) else {
            return json.skip();
        };
        let serial = stage.vocabulary.next_serial();
        json.value(SimpleValue {
            outer,
            process: *process,
            stage,
            serial,
        })
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        not_an_object(leaf, self.stage);
    }
}

/// What stands under one name of `simpleMeasurements`.
struct SimpleValue<'a> {
    outer: u32,
    process: u32,
    stage: &'a mut Stage,
    serial: u64,
}

impl Fields for SimpleValue<'_> {
    type Done = ();

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let Self {
            outer,
            process,
            stage,
            serial,
        } = self;
        let Some(inner) = admit(key, stage, |vocabulary| vocabulary.inner_keys.see(key, *serial)) else {
            return json.skip();
        };
        let leaf = json.leaf()?;
        let metric = stage.vocabulary.nested_simple(*outer, inner);
        simple(leaf, stage, metric, *process);
        Ok(())
    }

    fn end(self) {}

    fn other(self, leaf: Leaf) {
        let metric = self.stage.vocabulary.simple(self.outer);
        simple(leaf, self.stage, metric, self.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_cut_off_and_what_does_not_fit_is_refused() {
        assert_eq!(number_of(Leaf::Fraction(2.9)), Ok(2));
        assert_eq!(number_of(Leaf::Fraction(-0.0)), Ok(0));
        assert_eq!(number_of(Leaf::Bool(true)), Ok(1));
        assert_eq!(number_of(Leaf::Fraction(-0.5)), Err(Refusal::NumberNegative));
        assert_eq!(number_of(Leaf::Fraction(9.3e18)), Err(Refusal::NumberTooLarge));
        assert_eq!(number_of(Leaf::Beyond), Err(Refusal::NumberTooLarge));
    }
}
