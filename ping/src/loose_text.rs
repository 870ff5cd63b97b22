//! What stands between the quotes of a JSON text, read whatever it is: no client's odd byte costs a ping its numbers.

/// A text as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LooseText {
    /// The text. U+FFFD stands where something could not be read.
    pub text: String,
    /// Whether something could not be read: bytes that are no UTF-8, half a surrogate pair, an escape that JSON does not
    /// know, a control character as it is. A U+FFFD that was sent is nothing of that kind.
    pub is_repaired: bool,
}

impl LooseText {
    /// Reads the bytes between two quotes. For what JSON admits there, it reads what any parser does.
    pub fn read(between: &[u8]) -> Self {
        let mut read = Self {
            text: String::with_capacity(between.len()),
            is_repaired: false,
        };
        let mut rest = between;
        while let Some(first) = rest.first() {
            let passed = match first {
                b'\\' => read.escape(rest),
                0..0x20 => read.replace(1),
                _ => read.run(rest),
            };
            rest = &rest[passed..];
        }
        read
    }

    /// Reads what stands before the next escape or control character.
    fn run(&mut self, rest: &[u8]) -> usize {
        let ends = |byte: &u8| *byte == b'\\' || *byte < 0x20;
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        for chunk in rest[..length].utf8_chunks() {
            self.text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.replace(0);
            }
        }
        length
    }

    /// Reads an escape; answers how many bytes it has.
    fn escape(&mut self, rest: &[u8]) -> usize {
        let char = match rest.get(1) {
            Some(b'u') => return self.unicode(rest),
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(*same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(0x20..0x80) => return self.replace(2),
            // What follows is read for itself.
            _ => return self.replace(1),
        };
        self.text.push(char);
        2
    }

    /// Reads `\uXXXX`, or two of them that are a surrogate pair.
    fn unicode(&mut self, rest: &[u8]) -> usize {
        let Some(unit) = unit_at(rest) else {
            return self.replace(2);
        };
        if let Some(char) = char::from_u32(unit.into()) {
            self.text.push(char);
            return 6;
        }
        let pair = unit_at(&rest[6..]).map(|second| [unit, second]);
        match pair.and_then(|pair| char::decode_utf16(pair).next()?.ok()) {
            Some(char) => {
                self.text.push(char);
                12
            }
            None => self.replace(6),
        }
    }

    /// Notes that so many bytes cannot be read.
    fn replace(&mut self, bytes: usize) -> usize {
        self.text.push(char::REPLACEMENT_CHARACTER);
        self.is_repaired = true;
        bytes
    }
}

/// The number of `\uXXXX` at the front.
fn unit_at(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_read_is_replaced_and_the_rest_stays() {
        for (sent, text) in [
            (b"Carte gr\xe2phique".as_slice(), "Carte gr\u{fffd}phique"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"\\ud800", "\u{fffd}"),
            (b"\\ud800x\\udc00", "\u{fffd}x\u{fffd}"),
            (b"\\ud83d\\ud83d\\ude00", "\u{fffd}\u{1f600}"),
            (b"\\ud83d\\u0041", "\u{fffd}A"),
            (b"a\0b\nc", "a\u{fffd}b\u{fffd}c"),
            (b"\\q\\u12\\u+123", "\u{fffd}\u{fffd}12\u{fffd}+123"),
            ("\\é".as_bytes(), "\u{fffd}é"),
            (b"\\", "\u{fffd}"),
        ] {
            let read = LooseText::read(sent);
            assert_eq!((read.text.as_str(), read.is_repaired), (text, true), "{sent:?}");
        }
        let honest = LooseText::read("a\u{fffd}\\ufffd".as_bytes());
        assert_eq!(
            (honest.text.as_str(), honest.is_repaired),
            ("a\u{fffd}\u{fffd}", false)
        );
    }

    proptest! {
        #[test]
        fn what_json_admits_is_read_as_any_parser_reads_it(text: String) {
            let quoted = serde_json::to_string(&text).expect("a text");
            let read = LooseText::read(&quoted.as_bytes()[1..quoted.len() - 1]);
            prop_assert_eq!(read, LooseText { text, is_repaired: false });
        }

        #[test]
        fn a_text_is_repaired_exactly_if_a_parser_refuses_it(pieces in prop::collection::vec(0..22_usize, 0..8)) {
            const PIECES: [&[u8]; 22] = [
                b"a", b"\\u", b"\\ud800", b"\\udc00", b"\\uD83D\\uDE00", b"\\n", b"\\/", b"\\\"", b"\\\\", b"\\x", b"\x01",
                b"\xff", b"\xc3", b"\xa9", "é".as_bytes(), "日".as_bytes(), b"0", b"12", b"f", b"\\u0000", b"\xed\xa0\x80", b"\x7f",
            ];
            let sent = pieces.into_iter().flat_map(|piece| PIECES[piece]).copied().collect::<Vec<u8>>();
            let quoted = [b"\"", sent.as_slice(), b"\""].concat();
            let parsed: Option<String> = serde_json::from_slice(&quoted).ok();
            let read = LooseText::read(&sent);
            prop_assert_eq!(parsed.is_none(), read.is_repaired);
            if let Some(parsed) = parsed {
                prop_assert_eq!(read.text, parsed);
            }
        }
    }
}
