//! Texts interned to dense ids, and keys as sent, each with what it becomes. Looking one up costs a hash with a secret
//! seed (so that nobody can choose names that collide), or less: most objects state their keys in the order of the last.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use readers::json::Key;

/// About what a name takes besides its text.
const NAME_BYTES: usize = 80;
/// What a key takes besides its name.
const KEY_BYTES: usize = size_of::<KeyState>();

/// Interned texts.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: HashMap<Arc<str>, u32, RandomState>,
    texts: Vec<Arc<str>>,
    bytes: usize,
}

impl Names {
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = u32::try_from(self.texts.len()).expect("a batch ends long before 2^32 names");
        let text: Arc<str> = Arc::from(text);
        self.bytes += 2 * text.len() + NAME_BYTES;
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    pub(super) fn text(&self, id: u32) -> &Arc<str> {
        &self.texts[id as usize]
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.texts.iter().map(ToString::to_string).collect()
    }

    /// About how much memory they take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// In which order texts came: most pings of a source tell theirs in the order of the last one, and a text that comes where it
/// came then costs a comparison.
#[derive(Debug, Default)]
pub(super) struct Order {
    last: usize,
    /// By id: the one that came next.
    next: Vec<u32>,
}

impl Order {
    /// The id of a text among `names`.
    pub(super) fn intern(&mut self, names: &mut Names, text: &str) -> u32 {
        let guess = self.next.get(self.last).copied().unwrap_or(u32::MAX);
        let known = names.texts.get(guess as usize);
        let id = if known.is_some_and(|known| **known == *text) {
            guess
        } else {
            let id = names.intern(text);
            if self.last >= self.next.len() {
                self.next.resize(self.last + 1, u32::MAX);
            }
            self.next[self.last] = id;
            id
        };
        self.last = id as usize;
        id
    }

    /// About how much memory it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.next.capacity() * size_of::<u32>()
    }
}

/// Keys as sent, each with the object it stood in last, and what it becomes in at most two forms.
#[derive(Debug, Default)]
pub(super) struct Keys {
    names: Names,
    states: Vec<KeyState>,
    last: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct KeyState {
    /// The object it stood in last.
    stamp: u64,
    /// The key that followed it the last time it was asked.
    next: u32,
    derived: [Option<u32>; 2],
}

impl Keys {
    /// The key's id, and whether it stood in the object `serial` before. One that was repaired never did.
    pub(super) fn see(&mut self, key: Key<'_>, serial: u64) -> (u32, bool) {
        let id = self.find(key.text);
        if key.is_repaired {
            return (id, false);
        }
        let state = &mut self.states[id as usize];
        let again = state.stamp == serial;
        state.stamp = serial;
        (id, again)
    }

    /// What the key becomes in a form, made by `make` from its text the first time.
    pub(super) fn derive(&mut self, id: u32, form: usize, make: impl FnOnce(&str) -> u32) -> u32 {
        let known = &mut self.states[id as usize].derived[form];
        *known.get_or_insert_with(|| make(self.names.text(id)))
    }

    /// The key's text.
    pub(super) fn text(&self, id: u32) -> &Arc<str> {
        self.names.text(id)
    }

    /// About how much memory they take.
    pub(super) const fn bytes(&self) -> usize {
        self.names.bytes() + KEY_BYTES * self.states.len()
    }

    /// The key's id. That of the key that followed the last one before is tried first.
    fn find(&mut self, key: &str) -> u32 {
        let before = self.last as usize;
        let guess = self.states.get(before).map_or(0, |state| state.next);
        let known = self.names.texts.get(guess as usize);
        if known.is_some_and(|known| **known == *key) {
            self.last = guess;
            return guess;
        }
        let id = self.names.intern(key);
        // Also after a panic between the two, every id has its state.
        if id as usize >= self.states.len() {
            self.states.resize(id as usize + 1, KeyState::default());
        }
        self.states[before].next = id;
        self.last = id;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_id_in_whatever_order_texts_come() {
        let (mut names, mut order) = (Names::default(), Order::default());
        let mut ids = HashMap::new();
        for text in "abcabcabdcbaaabbccdabcd".chars().map(|text| text.to_string()) {
            let id = order.intern(&mut names, &text);
            assert_eq!(*ids.entry(text.clone()).or_insert(id), id, "{text}");
            assert_eq!(**names.text(id), text);
            assert_eq!(names.intern(&text), id);
        }
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn a_key_has_one_id_in_whatever_order_keys_come() {
        let mut keys = Keys::default();
        let orders = ["abcabc", "cba", "aabbcc", "bd", "dddd", "abcd"];
        let mut ids = HashMap::new();
        for (serial, order) in (1..).zip(orders) {
            let mut seen = Vec::new();
            for key in order.chars() {
                let sent = |text, is_repaired| Key { text, is_repaired };
                let text = key.to_string();
                let (repaired, repeats) = keys.see(sent(&text, true), serial);
                assert!(!repeats, "a repaired {key} of {order}");
                let (id, again) = keys.see(sent(&text, false), serial);
                assert_eq!(id, repaired);
                assert_eq!(again, seen.contains(&key), "{key} of {order}");
                assert_eq!(*ids.entry(key).or_insert(id), id, "{key} of {order}");
                assert_eq!(**keys.text(id), key.to_string());
                seen.push(key);
            }
        }
        let mut distinct: Vec<u32> = ids.into_values().collect();
        distinct.sort_unstable();
        assert_eq!(distinct, [0, 1, 2, 3]);
    }
}
