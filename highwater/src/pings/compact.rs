//! A JSON document on one line: every token as it was sent, the white space between tokens left out.

/// Appends a document without the white space between its tokens. Numbers, escapes and the order of keys stay as they
/// are. The document must be well-formed JSON; what is not comes out as it went in, less white space.
pub(super) fn append_compact(document: &str, out: &mut String) {
    let bytes = document.as_bytes();
    let mut kept_from = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(&document[kept_from..at]);
                at += 1;
                kept_from = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(&document[kept_from..]);
}

/// The index behind the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(document: &str) -> String {
        let mut out = String::new();
        append_compact(document, &mut out);
        out
    }

    #[test]
    fn white_space_goes_only_between_tokens() {
        assert_eq!(
            compact("{ \"a b\" :\t[1.50e3,\r\n \"\\\" \\\\\" , 18446744073709551616 ] }"),
            "{\"a b\":[1.50e3,\"\\\" \\\\\",18446744073709551616]}"
        );
        assert_eq!(compact(" \"é ü\" "), "\"é ü\"");
        assert_eq!(compact("\"open \\"), "\"open \\");
    }

    #[test]
    fn the_same_document_is_meant() {
        let document = "{\"b\": [1, {\"c\": \" \"}],\n\n \"a\": null}";
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&compact(document)), value(document));
    }
}
