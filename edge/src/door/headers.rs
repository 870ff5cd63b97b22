//! Which headers are stored with a ping, and how their bytes become text.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Whether a header is stored. The original's list without the one that bears the client's address
/// (X-Forwarded-For; Forwarded, X-Real-IP and the like never were on it), and with the two that say how to read the
/// body. X-Foxsec-IP-Reputation is a score and X-Pipeline-Proxy a time: neither bears an address.
pub(super) fn is_stored(name: &HeaderName) -> bool {
    stores_header(name.as_str())
}

/// Whether the header of this name, in lower case, is stored with a ping.
#[must_use]
pub fn stores_header(name: &str) -> bool {
    matches!(
        name,
        "content-encoding"
            | "content-length"
            | "content-type"
            | "date"
            | "dnt"
            | "user-agent"
            | "x-debug-id"
            | "x-foxsec-ip-reputation"
            | "x-lb-tags"
            | "x-pingsender-version"
            | "x-pipeline-proxy"
            | "x-source-tags"
            | "x-telemetry-agent"
    )
}

/// The headers that are stored: names in lower case, in the order of the request; a repeated one once for each value.
pub(crate) fn stored(headers: &HeaderMap) -> Vec<(String, String)> {
    let stored = headers.iter().filter(|(name, _)| is_stored(name));
    stored
        .map(|(name, value)| (name.as_str().to_owned(), decode(value)))
        .collect()
}

/// Text in UTF-8, else every byte is taken for a character of ISO-8859-1.
fn decode(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pairs: &[(&'static str, &[u8])]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        stored(&headers)
    }

    #[test]
    fn no_header_that_bears_an_address_is_stored() {
        let address: &[u8] = b"203.0.113.7";
        for name in [
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "x-client-ip",
            "true-client-ip",
            "cf-connecting-ip",
            "x-cluster-client-ip",
            "via",
            "cookie",
            "authorization",
            "host",
        ] {
            assert_eq!(kept(&[(name, address)]), [], "{name}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_decoded_as_latin_1() {
        let raw: Vec<u8> = (0x80..=0xff).collect();
        let expected: String = ('\u{80}'..='\u{ff}').collect();
        assert_eq!(
            kept(&[("user-agent", &raw)]),
            [("user-agent".to_owned(), expected)]
        );
        let text = "Größe";
        assert_eq!(
            kept(&[("x-debug-id", text.as_bytes())]),
            [("x-debug-id".to_owned(), text.to_owned())]
        );
    }

    #[test]
    fn a_repeated_header_is_stored_once_for_each_value() {
        let expected = [
            ("x-lb-tags".to_owned(), "a".to_owned()),
            ("x-lb-tags".to_owned(), "b".to_owned()),
        ];
        assert_eq!(kept(&[("x-lb-tags", b"a"), ("x-lb-tags", b"b")]), expected);
    }
}
