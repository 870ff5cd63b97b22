//! Texts that hold whatever bytes, made such that a strict parser reads the body: each with a mark before it that says
//! whether anything in it was replaced.

/// What stands before a text of which nothing was replaced.
const WHOLE: char = 'w';
/// What stands before one of which something was.
const REPAIRED: char = 'r';

/// A text, and whether anything in it was replaced by U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) is_repaired: bool,
}

impl Text {
    /// A text of a body that [`marked`] made.
    pub(super) fn of(marked: &str) -> Self {
        let mut chars = marked.chars();
        let is_repaired = chars.next() == Some(REPAIRED);
        Self {
            text: chars.collect(),
            is_repaired,
        }
    }
}

/// The body with all that stands between quotes made good, and marked.
pub(super) fn marked(body: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = body.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'"' {
            // What is not ASCII is no JSON outside of texts.
            out.push(if byte.is_ascii() {
                byte.into()
            } else {
                char::REPLACEMENT_CHARACTER
            });
            continue;
        }
        let (mut inside, mut is_closed) = (Vec::new(), false);
        while let Some(byte) = rest.next() {
            if byte == b'"' {
                is_closed = true;
                break;
            }
            inside.push(byte);
            if byte == b'\\' {
                inside.extend(rest.next());
            }
        }
        if !is_closed {
            out.push('"');
            break;
        }
        let (text, is_repaired) = read(&inside);
        let mark = if is_repaired { REPAIRED } else { WHOLE };
        out.push_str(&serde_json::to_string(&format!("{mark}{text}")).expect("a text"));
    }
    out
}

/// What the bytes between quotes say, and whether anything was replaced: by way of UTF-16, in which half a surrogate pair
/// can stand.
fn read(inside: &[u8]) -> (String, bool) {
    const REPLACED: u16 = 0xfffd;
    let lossy = String::from_utf8_lossy(inside);
    let mut is_repaired = std::str::from_utf8(inside).is_err();
    let chars: Vec<char> = lossy.chars().collect();
    let mut units: Vec<u16> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let escaped = chars.get(at + 1).copied();
        let digits: String = chars.iter().skip(at + 2).take(4).collect();
        let is_unit = digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let (unit, length) = match (chars[at], escaped) {
            ('\\', Some('u')) if is_unit => (u16::from_str_radix(&digits, 16).ok(), 6),
            ('\\', Some('"')) => (Some(0x22), 2),
            ('\\', Some('\\')) => (Some(0x5c), 2),
            ('\\', Some('/')) => (Some(0x2f), 2),
            ('\\', Some('b')) => (Some(8), 2),
            ('\\', Some('f')) => (Some(12), 2),
            ('\\', Some('n')) => (Some(10), 2),
            ('\\', Some('r')) => (Some(13), 2),
            ('\\', Some('t')) => (Some(9), 2),
            ('\\', Some(' '..='\u{7f}')) => (None, 2),
            ('\\', _) | ('\0'..='\u{1f}', _) => (None, 1),
            (char, _) => {
                units.extend(char.encode_utf16(&mut [0; 2]).iter());
                at += 1;
                continue;
            }
        };
        is_repaired |= unit.is_none();
        units.push(unit.unwrap_or(REPLACED));
        at += length;
    }
    let chars: Vec<Result<char, _>> = char::decode_utf16(units).collect();
    is_repaired |= chars.iter().any(Result::is_err);
    let text = chars
        .into_iter()
        .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER));
    (text.collect(), is_repaired)
}
