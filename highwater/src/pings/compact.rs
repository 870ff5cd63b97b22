//! A body on one line: every token as it was sent, the white space between tokens left out, and the names of its own
//! members kept apart from those that are added. What is no JSON inside of a text is replaced, as the fold does it.

use ping::LooseText;

use super::names::{OWN, would_hide};

/// A body that was made one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compacted {
    /// Whether something in its texts had to be replaced.
    pub(super) is_repaired: bool,
}

/// Appends a body without the white space between its tokens. Numbers, escapes and the order of keys stay as they are. `None`
/// for what cannot be JSON: a text that does not end, bytes between texts that are no ASCII. Whether the rest is well-formed
/// is for a parser to say.
pub(super) fn append_compact(body: &[u8], out: &mut String) -> Option<Compacted> {
    let mut compacted = Compacted { is_repaired: false };
    let (mut at, mut depth, mut before) = (0, 0_u32, b' ');
    while let Some(&byte) = body.get(at) {
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'"' => {
                let inside = text_at(body, at)?;
                at += inside.len() + 1;
                let is_own_name = depth == 1 && matches!(before, b'{' | b',');
                out.push('"');
                compacted.is_repaired |= push_text(inside, is_own_name, out);
                out.push('"');
            }
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                out.push(byte.into());
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                out.push(byte.into());
            }
            0x80.. => return None,
            _ => out.push(byte.into()),
        }
        before = byte;
    }
    Some(compacted)
}

/// What stands in the text whose quote was passed.
fn text_at(body: &[u8], start: usize) -> Option<&[u8]> {
    let mut at = start;
    loop {
        match body.get(at)? {
            b'"' => return Some(&body[start..at]),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Appends what stands between quotes. Whether something was replaced.
fn push_text(inside: &[u8], is_own_name: bool, out: &mut String) -> bool {
    let is_plain = |text: &str| text.bytes().all(|byte| byte >= 0x20 && byte != b'\\');
    let sent = std::str::from_utf8(inside).ok();
    if let Some(plain) = sent.filter(|text| is_plain(text)) {
        if is_own_name && would_hide(plain) {
            out.push_str(OWN);
        }
        out.push_str(plain);
        return false;
    }
    let LooseText { text, is_repaired } = LooseText::read(inside);
    if is_own_name && would_hide(&text) {
        out.push_str(OWN);
    }
    match sent {
        Some(sent) if !is_repaired => out.push_str(sent),
        _ => out.push_str(&escaped(&text)),
    }
    is_repaired
}

/// A text as it stands between quotes.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::names::own_name;
    use super::*;

    fn compact(body: &[u8]) -> Option<(String, bool)> {
        let mut out = String::new();
        let Compacted { is_repaired } = append_compact(body, &mut out)?;
        Some((out, is_repaired))
    }

    fn whole(body: &str) -> String {
        let (text, is_repaired) = compact(body.as_bytes()).expect("a body");
        assert!(!is_repaired, "{body}");
        text
    }

    #[test]
    fn white_space_goes_only_between_tokens() {
        assert_eq!(
            whole("{ \"a b\" :\t[1.50e3,\r\n \"\\\" \\\\\" , 18446744073709551616 ] }"),
            "{\"a b\":[1.50e3,\"\\\" \\\\\",18446744073709551616]}"
        );
        assert_eq!(whole(" \"é ü\\u00e9\" "), "\"é ü\\u00e9\"");
        for body in [
            b"\"open \\".as_slice(),
            b"\"open",
            b"{\"a\":\xe9}",
            b"\xef\xbb\xbf{}",
        ] {
            assert_eq!(compact(body), None);
        }
    }

    #[test]
    fn the_same_document_is_meant() {
        let document = "{\"b\": [1, {\"c\": \" \"}],\n\n \"a\": null}";
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&whole(document)), value(document));
    }

    #[test]
    fn what_is_no_json_inside_of_a_text_is_replaced() {
        for inside in [b"gr\xe2ph".as_slice(), b"\\ud800", b"\\x", b"\0", b"a\nb"] {
            let body = [b"{\"a\":\"", inside, b"\",\"", inside, b"\":1}"].concat();
            let (text, is_repaired) = compact(&body).expect("a body");
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert!(is_repaired && value["a"].as_str().is_some_and(|text| text.contains('\u{fffd}')));
        }
    }

    #[test]
    fn a_body_s_own_meta_has_another_name_and_gets_it_back() {
        for (own, printed) in [
            ("meta", "body_meta"),
            ("body_meta", "body_body_meta"),
            ("body_body_meta", "body_body_body_meta"),
            ("\\u006deta", "body_\\u006deta"),
            ("Meta", "Meta"),
            ("body_", "body_"),
            ("metadata", "metadata"),
        ] {
            let body = format!(
                "{{\"{own}\":{{\"meta\":[\"meta\",{{\"meta\":\"meta\"}}]}},\"x\":\"meta\",\"{own}\":\"meta\"}}"
            );
            let expected = format!(
                "{{\"{printed}\":{{\"meta\":[\"meta\",{{\"meta\":\"meta\"}}]}},\"x\":\"meta\",\"{printed}\":\"meta\"}}"
            );
            assert_eq!(whole(&body), expected);
            let read = |name: &str| LooseText::read(name.as_bytes()).text;
            assert_eq!(own_name(&read(printed)), read(own));
        }
    }
}
