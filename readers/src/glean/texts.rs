//! What is taken of a text: the numbers of a version, the host of a URL, the encoded sides of a dual label. Pure functions.

use std::borrow::Cow;

/// The digits that a version begins with; none where it begins otherwise.
pub(super) fn major(version: &str) -> Option<&str> {
    let (digits, _) = version.split_at(digits(version));
    (!digits.is_empty()).then_some(digits)
}

/// The first two numbers of a version with the point between them, or the one that there is.
pub(super) fn major_minor(version: &str) -> Option<&str> {
    let major = major(version)?.len();
    let minor = version[major..].strip_prefix('.').map_or(0, digits);
    let end = if minor == 0 { major } else { major + 1 + minor };
    Some(&version[..end])
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The host of a URL, in lower case, without user and port; none where there is none.
pub(super) fn host(url: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = url.split_once("://")?;
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(named) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[').and_then(|address| address.find(']')) {
        Some(end) => &host[..end + 2],
        None => host.split(':').next()?,
    };
    let is_lower = host
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let host = if is_lower {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(host.to_lowercase())
    };
    (!host.is_empty()).then_some(host)
}

/// Appends one side of a dual label, with `/` and `%` percent-encoded, so that `key/category` can be taken apart again.
pub(super) fn push_encoded(side: &str, to: &mut String) {
    for character in side.chars() {
        match character {
            '/' => to.push_str("%2F"),
            '%' => to.push_str("%25"),
            other => to.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_by_its_leading_digits() {
        for (version, expected) in [
            ("1.2.3", Some("1")),
            ("2.0b3", Some("2")),
            ("128", Some("128")),
            ("v3", None),
            ("", None),
            ("inaccessible", None),
        ] {
            assert_eq!(major(version), expected, "{version}");
        }
    }

    #[test]
    fn a_systems_version_counts_by_its_first_two_numbers() {
        for (version, expected) in [
            ("10.0.19045", Some("10.0")),
            ("14", Some("14")),
            ("17.4.1", Some("17.4")),
            ("5.15-generic", Some("5.15")),
            ("9.", Some("9")),
            ("9.x", Some("9")),
            (".5", None),
            ("NT 10.0", None),
        ] {
            assert_eq!(major_minor(version), expected, "{version}");
        }
    }

    #[test]
    fn a_url_counts_by_its_host_in_lower_case_without_port() {
        for (url, expected) in [
            (
                "https://Notes.example.org:8443/start?u=1",
                Some("notes.example.org"),
            ),
            ("http://a.example", Some("a.example")),
            ("ftp://user:pass@w@rd@a.example:21#x", Some("a.example")),
            ("https://[2001:DB8::1]:443/", Some("[2001:db8::1]")),
            ("https://a.example?x=https://b.example", Some("a.example")),
            ("custom+x://Host\\path", Some("host")),
            ("https://ÖL.example/", Some("öl.example")),
            ("file:///etc/passwd", None),
            ("about:blank", None),
            ("mailto:a@b.example", None),
            ("no url://a.example", None),
            ("https://:80/", None),
            ("", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_side_of_a_dual_label_is_encoded_so_that_the_slash_between_two_is_the_only_one() {
        let mut label = String::new();
        push_encoded("a/b%", &mut label);
        label.push('/');
        push_encoded("größe", &mut label);
        assert_eq!(label, "a%2Fb%25/größe");
    }
}
