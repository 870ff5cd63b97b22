//! Whether a body is a ping at all, of whatever type: a JSON object. For bodies that nothing else looks into.

use serde::de::IgnoredAny;

use super::ping_error::PingError;

/// Looks whether a body is one JSON object. What stands between quotes may be any bytes, as in a ping that is folded; keys,
/// depth and sizes are not looked at.
///
/// # Errors
/// [`PingError::NotJson`], [`PingError::NotAnObject`].
pub(crate) fn check_object(body: &[u8]) -> Result<(), PingError> {
    serde_json::from_slice::<IgnoredAny>(&without_texts(body)).map_err(|_| PingError::NotJson)?;
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => Ok(()),
        _ => Err(PingError::NotAnObject),
    }
}

/// The same with blanks for what stands between quotes: serde would look at control characters and escapes there, and the fold
/// passes them.
fn without_texts(body: &[u8]) -> Vec<u8> {
    let mut blanked = body.to_vec();
    let mut bytes = blanked.iter_mut();
    while let Some(byte) = bytes.next() {
        if *byte != b'"' {
            continue;
        }
        while let Some(byte) = bytes.next() {
            match *byte {
                b'"' => break,
                b'\\' => {
                    *byte = b' ';
                    if let Some(escaped) = bytes.next() {
                        *escaped = b' ';
                    }
                }
                _ => *byte = b' ',
            }
        }
    }
    blanked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_json_object_is_a_ping() {
        let objects: [&[u8]; 8] = [
            b"{}",
            b" \n{\"a\": [1, {\"b\": null}]}\r\n",
            b"{\"a\":1,\"a\":2}",
            b"{\"latin-1\":\"caf\xe9\",\"half\":\"\\ud800\"}",
            b"{\"large\":1e999}",
            b"{\"control\":\"a\x00\nb\",\"escape\":\"\\q\\\"{\"}",
            b"{\"a\\\\\":{},\"\\\"\":[]}",
            b"{\"\":\"\"}",
        ];
        for body in objects {
            assert_eq!(check_object(body), Ok(()), "{}", String::from_utf8_lossy(body));
        }
        let none: [&[u8]; 10] = [
            b"",
            b"hello",
            b"{",
            b"{}{}",
            b"{\"a\":}",
            b"\xef\xbb\xbf{\"a\":1}",
            b"\x1f\x8b\x08",
            b"{'a':1}",
            b"{\"a\":\"}",
            b"{\"a\":\"\\\"}",
        ];
        for body in none {
            let text = String::from_utf8_lossy(body);
            assert_eq!(check_object(body), Err(PingError::NotJson), "{text}");
        }
        for body in ["[]", "\"hello\"", " 5", "null", "[{}]"] {
            assert_eq!(
                check_object(body.as_bytes()),
                Err(PingError::NotAnObject),
                "{body}"
            );
        }
    }

    #[test]
    fn a_deep_body_is_looked_at_without_a_deep_stack() {
        let depth = 1_000_000;
        let body = ["{\"a\":".repeat(depth), "1".to_owned(), "}".repeat(depth)].concat();
        assert_eq!(check_object(body.as_bytes()), Ok(()));
    }
}
