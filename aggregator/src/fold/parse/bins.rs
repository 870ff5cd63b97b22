//! What a histogram is made of: `values` (samples by the bin's lower bound) and `range`.

use readers::json::{Cursor, Fields, JsonError, Key, Leaf};

use crate::fold::refusal::{Refusal, RefusalCounts};
use crate::limits::{BIN_SAMPLES_MAX, BINS_PER_HISTOGRAM_MAX};

/// Reads `values` onto the end of the stage's bins.
pub(super) struct Bins<'a> {
    bins: &'a mut Vec<(i64, i64)>,
    stated: usize,
    values: Values,
}

/// What `values` held besides its bins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    no_object: bool,
    too_many: bool,
    negative: bool,
    too_large: bool,
    odd_keys: i64,
    odd_values: i64,
}

impl Values {
    /// Why the histogram is refused for its bins, if it is.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let refusals = [
            (self.no_object, Refusal::ValuesNotAnObject),
            (self.too_many, Refusal::HistogramTooManyBins),
            (self.negative, Refusal::BinNegative),
            (self.too_large, Refusal::BinTooLarge),
        ];
        let first = refusals.into_iter().find(|(holds, _)| *holds);
        first.map_or(Ok(()), |(_, refusal)| Err(refusal))
    }

    /// Counts what was passed over in a histogram that counts.
    pub(super) fn note_odd(&self, refused: &mut RefusalCounts) {
        refused.note(Refusal::BinKeyNotAnInteger, self.odd_keys);
        refused.note(Refusal::BinValueNotAnInteger, self.odd_values);
    }
}

impl<'a> Bins<'a> {
    pub(super) fn onto(bins: &'a mut Vec<(i64, i64)>) -> Self {
        Self {
            bins,
            stated: 0,
            values: Values::default(),
        }
    }

    /// Reads `values`, or whatever stands in its place.
    pub(super) fn read(mut self, json: &mut Cursor<'_>) -> Result<Values, JsonError> {
        if !json.enter_object()? {
            return json.value(self);
        }
        if json.closes(b'}')? {
            return Ok(self.values);
        }
        loop {
            if let Some((bound, samples)) = json.plain_bin() {
                self.push(Some(bound), Leaf::Whole(samples));
            } else {
                let key = json.key()?;
                self.entry(key.as_key(), json)?;
            }
            if !json.goes_on(b'}')? {
                return Ok(self.values);
            }
        }
    }

    fn push(&mut self, bound: Option<i64>, samples: Leaf) {
        self.stated = self.stated.saturating_add(1);
        let values = &mut self.values;
        values.too_many |= self.stated > BINS_PER_HISTOGRAM_MAX;
        let Some(bound) = bound else {
            values.odd_keys += 1;
            return;
        };
        let samples = match samples {
            Leaf::Whole(samples) => samples,
            Leaf::Beyond => i64::MAX,
            _ => {
                values.odd_values += 1;
                0
            }
        };
        values.negative |= samples < 0;
        values.too_large |= samples > BIN_SAMPLES_MAX;
        if !values.too_many {
            self.bins.push((bound, samples));
        }
    }
}

impl Fields for Bins<'_> {
    type Done = Values;

    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        let samples = json.leaf()?;
        self.push(bound_of(key.text), samples);
        Ok(())
    }

    fn end(self) -> Values {
        self.values
    }

    fn other(mut self, _leaf: Leaf) -> Values {
        self.values.no_object = true;
        self.values
    }
}

/// The integer that a bin's key is, written as a program writes it: no plus sign, no leading zero. So each bin has one
/// key, and a repeated bin is a repeated key.
fn bound_of(key: &str) -> Option<i64> {
    let digits = key.strip_prefix('-').unwrap_or(key);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == key.len(),
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    if canonical { key.parse().ok() } else { None }
}

/// Reads `range`: exactly two integers.
pub(super) struct Range;

impl Fields for Range {
    type Done = Option<(i64, i64)>;

    fn list(self, json: &mut Cursor<'_>) -> Result<Self::Done, JsonError> {
        let mut ends = [None; 2];
        let mut length = 0_usize;
        json.elements(|json| {
            if let (Leaf::Whole(end), Some(place)) = (json.leaf()?, ends.get_mut(length)) {
                *place = Some(end);
            }
            length += 1;
            Ok(())
        })?;
        Ok(ends[0].zip(ends[1]).filter(|_| length == 2))
    }

    fn entry(&mut self, _key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError> {
        json.skip()
    }

    fn end(self) -> Self::Done {
        None
    }

    fn other(self, _leaf: Leaf) -> Self::Done {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_one_key() {
        for (key, bound) in [
            ("0", Some(0)),
            ("-5", Some(-5)),
            ("10000", Some(10_000)),
            ("-9223372036854775808", Some(i64::MIN)),
        ] {
            assert_eq!(bound_of(key), bound, "{key}");
        }
        for key in [
            "",
            "-",
            "-0",
            "01",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "9223372036854775808",
        ] {
            assert_eq!(bound_of(key), None, "{key}");
        }
    }
}
