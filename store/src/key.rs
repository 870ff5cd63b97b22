//! What may be a key, the same for every back end, so that an object can move between them.
//!
//! What does not live here: what keys mean.

/// The longest key in bytes: that of S3.
pub const KEY_BYTES: usize = 1024;

/// The longest segment in bytes: that of a file name.
pub const SEGMENT_BYTES: usize = 255;

/// Checks a key: `/`-separated segments, none of them empty, `.` or `..`, no NUL, within the lengths above.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn check_key(key: &str) -> Result<(), KeyError> {
    if key.len() > KEY_BYTES {
        return Err(KeyError::TooLong { len: key.len() });
    }
    if key.contains('\0') {
        return Err(KeyError::Nul);
    }
    for segment in key.split('/') {
        match segment {
            "" | "." | ".." => {
                return Err(KeyError::Segment {
                    segment: segment.to_owned(),
                });
            }
            _ if segment.len() > SEGMENT_BYTES => return Err(KeyError::LongSegment { len: segment.len() }),
            _ => {}
        }
    }
    Ok(())
}

/// Why something is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The whole is too long.
    #[error("a key has at most {KEY_BYTES} bytes, this one {len}: shorten it")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A segment is too long for a file name.
    #[error("a segment of a key has at most {SEGMENT_BYTES} bytes, this one {len}: shorten it")]
    LongSegment {
        /// Its length in bytes.
        len: usize,
    },
    /// A segment that a folder cannot hold.
    #[error("`{segment}` cannot be a segment of a key: leave out empty segments, `.` and `..`")]
    Segment {
        /// The segment.
        segment: String,
    },
    /// A zero byte.
    #[error("a key holds no zero byte: take it out")]
    Nul,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_strange_names_are_keys() {
        for key in ["a", "a/b", "a=%2F/b~c", "...", " ", "ä/ö", &"x".repeat(255)] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
    }

    #[test]
    fn what_could_leave_the_root_or_has_no_file_name_is_refused() {
        for key in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.",
            "a\0b",
            &"x".repeat(256),
            &"x/".repeat(600),
        ] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
    }
}
