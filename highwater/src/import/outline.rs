//! Where the members of a line stand, found by brackets and quotes alone, 64 bytes at a time.
//!
//! Whether what stands inside is JSON is for the fold to find, as with a ping that came over HTTP.

use std::ops::Range;

/// Bytes looked at together: as many as a mask has bits.
const BLOCK: usize = 64;

/// Members of a line; a body has about twelve.
const MEMBERS_MAX: usize = 10_000;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name as it is spelled, without the quotes.
    pub(super) name: Range<usize>,
    /// Its value.
    pub(super) value: Range<usize>,
}

/// The members of a line that is one object. `None` for every other line, and for one of very many members. What the values
/// are is not looked at; brackets close each other whatever their kind.
pub(super) fn members(line: &[u8]) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut at = after(line, 0, b'{')?;
    if let Some(end) = after(line, at, b'}') {
        return (end + blanks(line, end) == line.len()).then_some(members);
    }
    loop {
        let start = after(line, at, b'"')?;
        let name = start..text_end(line, start)?;
        let start = after(line, name.end + 1, b':')?;
        let start = start + blanks(line, start);
        let value = start..value_end(line, start)?;
        let next = value.end + blanks(line, value.end);
        members.push(Member { name, value });
        match line.get(next)? {
            b',' if members.len() < MEMBERS_MAX => at = next + 1,
            b'}' if next + 1 + blanks(line, next + 1) == line.len() => return Some(members),
            _ => return None,
        }
    }
}

/// The place behind a value.
fn value_end(line: &[u8], start: usize) -> Option<usize> {
    match line.get(start)? {
        b'{' | b'[' => object_end(line, start),
        b'"' => text_end(line, start + 1).map(|end| end + 1),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
            let length = line[start..].iter().position(ends)?;
            (length > 0).then_some(start + length)
        }
    }
}

/// The place behind `byte`, which is the next that is not blank.
fn after(line: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = at + blanks(line, at);
    (line.get(at) == Some(&byte)).then_some(at + 1)
}

fn blanks(line: &[u8], at: usize) -> usize {
    let rest = line.iter().skip(at);
    rest.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .count()
}

/// The quote that ends a text.
fn text_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let rest = line.get(at..)?;
        at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if line[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The place behind the bracket that closes the one at `start`, whatever its kind.
fn object_end(line: &[u8], start: usize) -> Option<usize> {
    let (mut walk, mut at) = (Walk::default(), start);
    while at < line.len() {
        let block = line[at..].first_chunk::<BLOCK>();
        if block.is_some_and(|block| walk.pass(block)) {
            at += BLOCK;
            continue;
        }
        let end = line.len().min(at + BLOCK);
        for byte in &line[at..end] {
            at += 1;
            if walk.step(*byte) {
                return Some(at);
            }
        }
    }
    None
}

/// What is known at a place: how many brackets are open, and whether it is inside a text.
#[derive(Default)]
struct Walk {
    depth: u32,
    in_text: bool,
    escaped: bool,
}

impl Walk {
    /// Takes one byte; whether it closes the last bracket.
    const fn step(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
        } else if self.in_text {
            match byte {
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    return self.depth == 0;
                }
                _ => {}
            }
        }
        false
    }

    /// Takes a block, if it has no escape and cannot close the last bracket.
    fn pass(&mut self, block: &[u8; BLOCK]) -> bool {
        let marks = Marks::of(block);
        if self.escaped || marks.escapes != 0 {
            return false;
        }
        let before = if self.in_text { u64::MAX } else { 0 };
        let inside = in_texts(marks.quotes) ^ before;
        let closed = (marks.closing & !inside).count_ones();
        if self.depth <= closed {
            return false;
        }
        self.depth += (marks.opening & !inside).count_ones();
        self.depth -= closed;
        self.in_text = inside >> (BLOCK - 1) == 1;
        true
    }
}

/// Bits of the bytes behind an odd number of quotes, the opening one included.
const fn in_texts(mut quotes: u64) -> u64 {
    let mut shift = 1;
    while shift < BLOCK {
        quotes ^= quotes << shift;
        shift *= 2;
    }
    quotes
}

/// Bits of the bytes of a block that mean something.
#[derive(Debug, Default, PartialEq, Eq)]
struct Marks {
    quotes: u64,
    escapes: u64,
    opening: u64,
    closing: u64,
}

impl Marks {
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self::default();
        let (words, _) = block.as_chunks::<8>();
        for (at, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            // Square and curly brackets of a kind differ in one bit: [ and {, ] and }.
            let folded = word | every(0x20);
            marks.quotes |= equal(word, b'"') << (8 * at);
            marks.escapes |= equal(word, b'\\') << (8 * at);
            marks.opening |= equal(folded, b'{') << (8 * at);
            marks.closing |= equal(folded, b'}') << (8 * at);
        }
        marks
    }
}

const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight bits: which bytes of a word are this one, the lowest first.
const fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ every(byte);
    // The high bit of each byte that is not zero, without a carry from one byte to the next.
    let differs = ((other & every(0x7f)) + every(0x7f)) | other;
    let equals = (!differs & every(0x80)) >> 7;
    equals.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn marks_are_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                let bit = |hit: bool| u64::from(hit) << place;
                let slow = Marks {
                    quotes: bit(byte == b'"'),
                    escapes: bit(byte == b'\\'),
                    opening: bit(byte == b'{' || byte == b'['),
                    closing: bit(byte == b'}' || byte == b']'),
                };
                assert_eq!(Marks::of(&block), slow, "{byte} at {place}");
            }
        }
    }

    /// A body with texts, escapes and brackets in texts, of some length.
    fn body(length: usize) -> String {
        let mut body = String::from("[");
        for n in 0..length {
            body.push_str(match n % 7 {
                0 => r#"{"a":["}]{"]},"#,
                1 => r#""\"}","#,
                2 => r#"{"\\":"\\\\"},"#,
                3 => "[[1],[]],",
                4 => r#""","#,
                5 => "12345678901234567890,",
                _ => r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","#,
            });
        }
        body.push_str("0]");
        format!(r#"{{"list":{body}}}"#)
    }

    #[test]
    fn the_body_is_what_a_parser_takes_for_it_wherever_it_stands() {
        for length in 0..60 {
            let body = body(length);
            let others = [
                r#""uri": "/x""#.to_owned(),
                r#""submissionDate":"20170130""#.to_owned(),
            ];
            for place in 0..3 {
                let mut members = others.to_vec();
                members.insert(place, format!(r#""body" :  {body}"#));
                let line = format!(" {{{}}}\r\n", members.join(" , "));
                let whole: Value = serde_json::from_str(&line).expect("JSON");
                let found = super::members(line.as_bytes()).expect("an object");
                let part: Value = serde_json::from_str(&line[found[place].value.clone()]).expect("JSON");
                assert_eq!(part, whole["body"]);
            }
        }
    }

    #[test]
    fn what_is_not_one_object_has_no_members() {
        for line in [
            "",
            "{",
            "[]",
            "7",
            r#"{"body":{}"#,
            r#"{"body":{}} x"#,
            r#"{"body":{}}{"#,
            r#"{"body":{]"#,
            r#"{"body":{"a":"}}"#,
            r#"{"body":}"#,
            r#"{"body"}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":"\"}"#,
        ] {
            assert_eq!(members(line.as_bytes()), None, "{line}");
        }
        let many = vec![r#""":1"#; MEMBERS_MAX + 1].join(",");
        assert_eq!(members(format!("{{{many}}}").as_bytes()), None);
    }

    #[test]
    fn members_are_what_a_parser_takes_for_them() {
        let line = r#" { "a" : 1.5e3 ,"b":null,"c\"\\":"x\"}","d":[{"e":["]"]}], "" : {} } "#;
        let whole: serde_json::Map<String, Value> = serde_json::from_str(line).expect("JSON");
        let found = members(line.as_bytes()).expect("an object");
        assert_eq!(found.len(), whole.len());
        for Member { name, value } in found {
            let name: String = serde_json::from_str(&format!("\"{}\"", &line[name])).expect("a text");
            let value: Value = serde_json::from_str(&line[value]).expect("a value");
            assert_eq!(whole.get(&name), Some(&value), "{name}");
        }
        assert_eq!(members(b" {  } "), Some(Vec::new()));
    }

    #[test]
    fn a_line_that_was_cut_anywhere_has_no_members() {
        let line = format!(r#"{{"uri":"/x","body":{}}}"#, body(30));
        for length in 0..line.len() {
            assert_eq!(members(&line.as_bytes()[..length]), None, "cut at {length}");
        }
    }
}
