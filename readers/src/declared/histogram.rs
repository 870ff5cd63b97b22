//! Numbers that stand in a body as a pair, a list, or a histogram.

use super::limits::ITEMS_PER_PING_MAX;
use super::number;
use super::take::{Slot, since};
use super::walk::{BodyError, Walk};
use crate::declaration::GivenAs;
use crate::json::{Cursor, JsonError, Leaf, Once};
use crate::values::{Place, Rule, Values};

impl<V: Values> Walk<'_, V> {
    pub(super) fn distribution(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        match (slot.plan.metric.given_as, json.peek()?) {
            (GivenAs::Samples, b'[') => {
                json.enter()?;
                json.elements_by(|json| self.one(slot, json))
            }
            (GivenAs::Samples, _) => self.one(slot, json),
            (GivenAs::Map, b'{') => self.map(slot, json),
            (GivenAs::Pairs, b'[') => {
                json.enter()?;
                json.elements_by(|json| self.pair(slot, json))
            }
            (GivenAs::Arrays, b'{') => self.arrays(slot, json),
            _ => {
                let start = json.at();
                let leaf = json.leaf()?;
                self.wrong(slot, leaf, since(start, json));
                Ok(())
            }
        }
    }

    fn one(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.peek()?;
        let start = json.at();
        let leaf = json.leaf()?;
        self.number(slot, leaf, since(start, json));
        Ok(())
    }

    fn map(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.enter()?;
        if json.closes(b'}')? {
            return Ok(());
        }
        loop {
            json.peek()?;
            let start = json.at();
            let key = json.key()?;
            let samples = json.leaf()?;
            let place = since(start, json);
            self.bin(slot, number::in_text(key.as_key().text), samples, place);
            if !json.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    fn pair(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let is_list = json.peek()? == b'[';
        let start = json.at();
        if !is_list {
            let leaf = json.leaf()?;
            self.wrong(slot, leaf, since(start, json));
            return Ok(());
        }
        let mut ends = [None; 2];
        let mut length = 0_usize;
        json.enter()?;
        json.elements_by(|json| {
            let leaf = json.leaf()?;
            if let Some(end) = ends.get_mut(length) {
                *end = Some(leaf);
            }
            length += 1;
            Ok::<_, JsonError>(())
        })?;
        let place = since(start, json);
        match ends {
            [Some(value), Some(samples)] if length == 2 => self.bin(slot, Some(value), samples, place),
            _ => self.note(Rule::WrongType, slot.subject(), place),
        }
        Ok(())
    }

    fn arrays(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let start = json.at();
        let mut kept = std::mem::take(&mut self.room.columns);
        kept.iter_mut().for_each(Vec::clear);
        let mut columns = Columns {
            kept: &mut kept,
            lengths: [None; 2],
        };
        let read = columns.read(json);
        let (fit, length) = (columns.fit(), columns.lengths[0].unwrap_or_default());
        let place = since(start, json);
        if read.is_ok() && fit {
            for (&value, &samples) in kept[0].iter().zip(&kept[1]) {
                self.bin(slot, Some(value), samples, place);
            }
        }
        self.room.columns = kept;
        read?;
        if !fit {
            self.note(Rule::WrongType, slot.subject(), place);
        } else if length > ITEMS_PER_PING_MAX {
            self.note(Rule::TooManySamples, slot.subject(), place);
        }
        Ok(())
    }

    /// Takes up a bin: a value, and how many samples have it.
    fn bin(&mut self, slot: Slot<'_>, value: Option<Leaf>, samples: Leaf, place: Place) {
        let metric = &slot.plan.metric;
        let value = match value.filter(|leaf| *leaf != Leaf::Null) {
            Some(leaf) => match number::whole(leaf, metric.factor, metric.kind.may_be_negative()) {
                Err(Rule::WrongType) | Ok(None) => Err(Rule::BinNotANumber),
                Ok(Some(value)) => Ok(value),
                Err(rule) => Err(rule),
            },
            None => Err(Rule::BinNotANumber),
        };
        match value.and_then(|value| Ok((value, number::samples(samples)?))) {
            Ok((_, 0)) => {}
            Ok((value, samples)) => {
                let bin = slot.plan.bin_of(value);
                self.samples(slot, (bin, value), samples, place);
            }
            Err(rule) => self.note(rule, slot.subject(), place),
        }
    }

    /// Reads numerator and denominator, each a number of its own.
    pub(super) fn rate(&mut self, slot: Slot<'_>, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        let start = json.at();
        if !json.enter_object()? {
            let leaf = json.leaf()?;
            self.wrong(slot, leaf, since(start, json));
            return Ok(());
        }
        if json.closes(b'}')? {
            return Ok(());
        }
        let mut once = Once::default();
        loop {
            let key = json.key()?;
            match place_of(["numerator", "denominator"], key.as_key().text) {
                Some(part) if once.again(part) => return Err(BodyError::DuplicateKey),
                Some(part) => {
                    let listed = slot.listed + u32::from(part == 1);
                    self.one(Slot { listed, ..slot }, json)?;
                }
                None => json.skip()?,
            }
            if !json.goes_on(b'}')? {
                return Ok(());
            }
        }
    }
}

/// The two columns of a histogram that is given as arrays.
struct Columns<'a> {
    kept: &'a mut [Vec<Leaf>; 2],
    lengths: [Option<usize>; 2],
}

impl Columns<'_> {
    /// Whether both are there, and of one length.
    fn fit(&self) -> bool {
        self.lengths[0].is_some() && self.lengths[0] == self.lengths[1]
    }

    fn read(&mut self, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        json.enter()?;
        if json.closes(b'}')? {
            return Ok(());
        }
        let mut once = Once::default();
        loop {
            let key = json.key()?;
            match place_of(["bins", "counts"], key.as_key().text) {
                Some(column) if once.again(column) => return Err(BodyError::DuplicateKey),
                Some(column) => self.column(column, json)?,
                None => json.skip()?,
            }
            if !json.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    fn column(&mut self, column: usize, json: &mut Cursor<'_>) -> Result<(), BodyError> {
        if json.peek()? != b'[' {
            return Ok(json.skip()?);
        }
        let (kept, mut length) = (&mut self.kept[column], 0);
        json.enter()?;
        json.elements(|json| {
            let leaf = json.leaf()?;
            if length < ITEMS_PER_PING_MAX {
                kept.push(leaf);
            }
            length += 1;
            Ok(())
        })?;
        self.lengths[column] = Some(length);
        Ok(())
    }
}

fn place_of(words: [&str; 2], word: &str) -> Option<usize> {
    words.iter().position(|known| *known == word)
}
