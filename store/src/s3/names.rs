//! Names of objects: keys below a prefix, and back. Pure.

use percent_encoding::percent_decode_str;

use crate::{KEY_BYTES, check_key};

/// How keys become names of objects in the bucket.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Empty, or ending in a slash.
    before: String,
}

impl Names {
    /// Below this prefix, which has no slash at its ends.
    pub(super) fn below(prefix: &str) -> Self {
        let before = match prefix {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Self { before }
    }

    /// The name of the object of this key.
    ///
    /// # Errors
    /// Why it is no key, or has no name here.
    pub(super) fn of(&self, key: &str) -> Result<String, String> {
        check_key(key).map_err(|error| error.to_string())?;
        let name = self.beginning(key);
        match name.len() {
            0..=KEY_BYTES => Ok(name),
            len => Err(format!(
                "with the prefix it has {len} bytes, a name has at most {KEY_BYTES}: shorten the prefix or the key"
            )),
        }
    }

    /// What the names of all objects begin with whose keys begin with this.
    pub(super) fn beginning(&self, beginning: &str) -> String {
        format!("{}{beginning}", self.before)
    }

    /// The key of an object by its name, or `None` for an object that no key leads to: it was not put by a store.
    pub(super) fn key(&self, name: &str) -> Option<String> {
        let key = name.strip_prefix(&self.before)?;
        check_key(key).ok().map(|()| key.to_owned())
    }
}

/// A name from a list with encoded names, in which some servers write a space as `+`, others as `%20`; `None` when it is
/// not encoded as it should be.
pub(super) fn decoded(name: &str) -> Option<String> {
    let spaced = name.replace('+', " ");
    let name = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_name_below_the_prefix_and_comes_back_from_it() {
        for (prefix, key, name) in [("", "a/b", "a/b"), ("p/q", "a/b", "p/q/a/b"), ("p", "p", "p/p")] {
            let names = Names::below(prefix);
            assert_eq!(names.of(key).as_deref(), Ok(name));
            assert_eq!(names.key(name).as_deref(), Some(key));
        }
    }

    #[test]
    fn what_is_no_key_has_no_name_and_the_reverse() {
        let names = Names::below("p");
        for key in ["", "/a", "a/", "a/../b"] {
            assert!(names.of(key).is_err(), "{key}");
        }
        for name in ["", "p", "p/", "q/a", "pa", "p//a", "p/a/"] {
            assert_eq!(names.key(name), None, "{name}");
        }
        let long = "x/".repeat(511) + "x";
        assert!(Names::below("").of(&long).is_ok());
        assert!(names.of(&long).is_err_and(|error| error.contains("1025")));
    }

    #[test]
    fn names_in_lists_are_decoded_whichever_way_a_space_is_written() {
        for (encoded, name) in [
            ("a/b", "a/b"),
            ("a+b%20c", "a b c"),
            ("a%2Bb%25", "a+b%"),
            ("%C3%A4%F0%9F%A6%80", "ä\u{1F980}"),
            ("ä", "ä"),
        ] {
            assert_eq!(decoded(encoded).as_deref(), Some(name), "{encoded}");
        }
        assert_eq!(decoded("%FF"), None);
    }
}
