//! Which names clients of the original can use. They put a channel into a path as it is, join it with a version by a slash,
//! and read dates as days: one name that does not bear that, and they list nothing at all. So it is with names that every
//! object of JavaScript has: they keep what they read in plain objects, under the names that were sent.

use ping::SubmissionDate;

/// What every object of JavaScript has: a name among these is there before it is read, or is in the way of asking.
const NAMES_OF_OBJECTS: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Whether an object of JavaScript can keep something under a name, beside what it has itself.
pub fn is_usable_key(name: &str) -> bool {
    !NAMES_OF_OBJECTS.contains(&name)
}

/// Whether a channel or version can stand in a path as it is: of RFC 3986's unreserved characters, and no dots alone; and
/// be a key.
pub fn is_usable_name(name: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(name, "" | "." | "..") && name.bytes().all(is_unreserved) && is_usable_key(name)
}

/// Whether a date is a day.
pub fn is_usable_date(date: &str) -> bool {
    date.parse::<SubmissionDate>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_a_path_or_is_no_day_is_not_usable() {
        for name in ["nightly", "release-cck-x.y_z~1", "41", "...", "UNKNOWN"] {
            assert!(is_usable_name(name), "{name}");
        }
        for name in [
            "release/cck",
            "a?b",
            "a#b",
            "a%2Fb",
            "a b",
            "",
            ".",
            "..",
            "\u{e4}",
            "a\\b",
            "a\nb",
            "a&b",
            "a+b",
            "\"",
            "__proto__",
            "constructor",
            "hasOwnProperty",
            "toString",
            "valueOf",
        ] {
            assert!(!is_usable_name(name), "{name}");
        }
        for date in ["20170130", "20240229"] {
            assert!(is_usable_date(date), "{date}");
        }
        for date in [
            ping::UNKNOWN,
            "20170230",
            "2017-01-30",
            "",
            "99999999",
            "201701300",
        ] {
            assert!(!is_usable_date(date), "{date}");
        }
    }
}
