//! Keys as they came: most objects of one kind state theirs in the order of the last one, and a key that comes where it came
//! then costs one comparison of bytes; it is neither searched for its end nor looked up.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::cursor::Cursor;
use super::error::JsonError;
use super::scan;

/// About what a key takes besides its text, which is kept twice.
const KEY_BYTES: usize = size_of::<Known>() + 80;

/// Keys of objects of one kind, kept from one object to the next.
#[derive(Debug, Default)]
pub struct Keys {
    ids: HashMap<Box<str>, u32, RandomState>,
    known: Vec<Known>,
    last: u32,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    /// The key as programs write it: between quotes, and a colon. Behind a byte that is no quote where it must be escaped.
    written: Box<str>,
    /// The object in which it stood last.
    object: u64,
    /// The key that came behind it the last time.
    next: u32,
}

/// A key that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenKey {
    /// Its number among those that are kept.
    pub id: u32,
    /// Whether it stood in the same object before. One that was repaired never did.
    pub again: bool,
    /// Whether something in it could not be read and was replaced.
    pub is_repaired: bool,
}

impl Keys {
    /// Reads a key and its colon in the object of this number.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn read(&mut self, json: &mut Cursor<'_>, object: u64) -> Result<SeenKey, JsonError> {
        json.peek()?;
        let before = self.last as usize;
        let guess = self.known.get(before).map_or(0, |known| known.next);
        let expected = self.known.get(guess as usize);
        let (id, is_repaired) = if expected.is_some_and(|known| json.pass(known.written.as_bytes())) {
            (guess, false)
        } else {
            let key = json.key()?;
            let id = self.id(&key.text);
            if let Some(before) = self.known.get_mut(before) {
                before.next = id;
            }
            (id, key.as_key().is_repaired)
        };
        self.last = id;
        let known = &mut self.known[id as usize];
        let again = !is_repaired && known.object == object;
        if !is_repaired {
            known.object = object;
        }
        Ok(SeenKey {
            id,
            again,
            is_repaired,
        })
    }

    /// The text of a key.
    #[must_use]
    pub fn text(&self, id: u32) -> &str {
        let written = &self.known[id as usize].written;
        &written[1..written.len() - 2]
    }

    /// How many keys are kept.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// About how much memory they take.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn id(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = u32::try_from(self.known.len()).expect("keys are forgotten long before there are 2^32");
        let is_plain = scan::plain_bytes(text.as_bytes()) == text.len();
        let quote = if is_plain { '"' } else { '\u{1}' };
        self.known.push(Known {
            written: format!("{quote}{text}\":").into(),
            object: 0,
            next: 0,
        });
        self.ids.insert(text.into(), id);
        self.bytes += KEY_BYTES + 2 * text.len();
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Keys as sent, and what they are. The last two cannot be read whole, and come out alike.
    const SENT: [(&[u8], &str); 9] = [
        (b"a", "a"),
        (b"ab", "ab"),
        (b"\\u0061", "a"),
        (b"", ""),
        (b"a\\\"", "a\""),
        (b"\\n", "\n"),
        ("größe".as_bytes(), "größe"),
        (b"\xff", "\u{fffd}"),
        (b"\xfe", "\u{fffd}"),
    ];

    proptest! {
        #[test]
        fn a_key_is_its_text_and_is_told_when_it_comes_again(
            objects in prop::collection::vec(prop::collection::vec((0..SENT.len(), 0..4_usize), 0..8), 0..12),
        ) {
            let mut keys = Keys::default();
            for (object, sent) in (1..).zip(objects) {
                let mut seen = BTreeSet::new();
                for (sent, spaces) in sent {
                    let (sent, text) = SENT[sent];
                    let space = [b"".as_slice(), b" ", b"\n", b""][spaces];
                    let body = [space, b"\"", sent, b"\"", space, b":1"].concat();
                    let mut json = Cursor::new(&body);
                    let key = keys.read(&mut json, object).expect("a key");
                    prop_assert_eq!(json.at(), body.len() - 1);
                    prop_assert_eq!(keys.text(key.id), text);
                    prop_assert_eq!(key.is_repaired, text == "\u{fffd}");
                    prop_assert_eq!(key.again, !key.is_repaired && !seen.insert(text));
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_is_none_whatever_was_kept() {
        let mut keys = Keys::default();
        keys.read(&mut Cursor::new(b"\"a\":"), 1).expect("a key");
        for body in [b"a\":".as_slice(), b"\"a\"", b"\"a\",", b"1", b"", b"\x01a\":"] {
            assert!(keys.read(&mut Cursor::new(body), 2).is_err(), "{body:?}");
        }
    }
}
