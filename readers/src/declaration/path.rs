//! Where something stands in a body: a JSON Pointer in which `*` stands for any member or element.

use std::fmt;

use super::fault::{Fault, Position, short};
use super::limits::{PATH_BYTES_MAX, PATH_STEPS_MAX, STARS_MAX};

/// A path. Two are equal if they lead to the same places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The member of this key, or the element of this number.
    Member(String),
    /// Any member or element.
    Any,
}

impl Path {
    /// The steps, of which there is at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The path of these steps, if there are any.
    pub(crate) fn of(steps: &[Step]) -> Option<Self> {
        (!steps.is_empty()).then(|| Self {
            steps: steps.to_vec(),
        })
    }

    /// Reads a path; none if the text is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::parse(text, Position::default()).ok()
    }

    /// How many steps are `*`.
    #[must_use]
    pub fn stars(&self) -> usize {
        self.steps.iter().filter(|step| **step == Step::Any).count()
    }

    /// Whether a place that `other` leads to is one that this path leads to, or lies below one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let pairs = self.steps.iter().zip(&other.steps);
        self.steps.len() <= other.steps.len() && pairs.into_iter().all(|(mine, theirs)| mine.meets(theirs))
    }

    pub(super) fn parse(text: &str, at: Position) -> Result<Self, Fault> {
        let fault = |words: String| Err(Fault::new(at, words));
        if text.len() > PATH_BYTES_MAX {
            return fault(format!("a path of more than {PATH_BYTES_MAX} bytes"));
        }
        let Some(inside) = text.strip_prefix('/') else {
            return fault(format!(
                "`{}` is no path: it begins with `/`, as `/{}` does",
                short(text),
                short(text)
            ));
        };
        let steps: Option<Vec<_>> = inside.split('/').map(Step::parse).collect();
        let Some(steps) = steps else {
            return fault(format!(
                "`{}`: in a path `~` is written `~0`, and `/` inside a key `~1`",
                short(text)
            ));
        };
        let path = Self { steps };
        if path.steps.len() > PATH_STEPS_MAX {
            return fault(format!("a path of more than {PATH_STEPS_MAX} steps"));
        }
        if path.stars() > STARS_MAX {
            return fault(format!("a path of more than {STARS_MAX} `*`"));
        }
        Ok(path)
    }
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let mut key = String::with_capacity(text.len());
        let mut pieces = text.split('~');
        key.push_str(pieces.next()?);
        for piece in pieces {
            let (sign, rest) = piece.split_at_checked(1)?;
            key.push(match sign {
                "0" => '~',
                "1" => '/',
                _ => return None,
            });
            key.push_str(rest);
        }
        Some(Self::Member(key))
    }

    fn meets(&self, other: &Self) -> bool {
        *self == Self::Any || *other == Self::Any || self == other
    }
}

/// A key as a step of a path.
#[must_use]
pub fn as_step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(key) => write!(f, "/{}", as_step(key)),
            Step::Any => f.write_str("/*"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text, Position::default()).expect(text)
    }

    #[test]
    fn a_path_is_a_json_pointer_with_stars() {
        for text in ["/a", "/", "/a/*/b", "/a~1b/~0", "/0/1", "/ä ö"] {
            assert_eq!(path(text).to_string(), text);
        }
        assert_eq!(
            path("/a~1b/*").steps(),
            [Step::Member("a/b".to_owned()), Step::Any]
        );
        for text in ["", "a", "a/b", "/~", "/~2", "/a~", "/*/*/*/*/*", &"/a".repeat(17)] {
            assert!(Path::parse(text, Position::default()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_covers_what_lies_at_and_below_it() {
        assert!(path("/a").covers(&path("/a/b")));
        assert!(path("/a/*").covers(&path("/a/b/c")));
        assert!(path("/a/b").covers(&path("/a/*")));
        assert!(!path("/a/*").covers(&path("/a")));
        assert!(!path("/a/b").covers(&path("/a/c")));
    }
}
