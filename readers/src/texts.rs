//! What is taken of a text: the numbers of a version, the host of a URL. Pure functions.

/// The digits that a version begins with; none where it begins otherwise.
pub(crate) fn major(version: &str) -> Option<&str> {
    let (digits, _) = version.split_at(digits(version));
    (!digits.is_empty()).then_some(digits)
}

/// The first two numbers of a version with the point between them, or the one that there is.
pub(crate) fn major_minor(version: &str) -> Option<&str> {
    let major = major(version)?.len();
    let minor = version[major..].strip_prefix('.').map_or(0, digits);
    let end = if minor == 0 { major } else { major + 1 + minor };
    Some(&version[..end])
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The host of a URL as it is written, without user and port; none where there is none.
pub(crate) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.find(']') {
        Some(end) if host.starts_with('[') => &host[..=end],
        _ => host.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// Appends a text in lower case.
pub(crate) fn push_lower(text: &str, to: &mut String) {
    to.extend(text.chars().flat_map(char::to_lowercase));
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
            ("https://:80/", None),
            ("", None),
        ] {
            let lower = host(url).map(|host| {
                let mut lower = String::new();
                push_lower(host, &mut lower);
                lower
            });
            assert_eq!(lower.as_deref(), expected, "{url}");
        }
    }
}
