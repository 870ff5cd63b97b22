//! Where the body stands in a line, found by brackets and quotes alone, 64 bytes at a time.
//!
//! Whether what stands inside is JSON is for the fold to find, as with a ping that came over HTTP.

use std::ops::Range;

/// Bytes looked at together: as many as a mask has bits.
const BLOCK: usize = 64;

/// The place of the member `body` in a line that is an object, if that is an object too. `None` for every line that is
/// not plain: then a parser judges it.
pub(super) fn body_of(line: &[u8]) -> Option<Range<usize>> {
    let mut body = None;
    let mut at = after(line, 0, b'{')?;
    loop {
        let key = after(line, at, b'"')?;
        let key = key..text_end(line, key)?;
        let start = after(line, key.end + 1, b':')?;
        let start = start + blanks(line, start);
        let end = match line.get(start)? {
            b'{' => object_end(line, start)?,
            b'"' => text_end(line, start + 1)? + 1,
            _ => return None,
        };
        if &line[key] == b"body" {
            if body.is_some() || line[start] != b'{' {
                return None;
            }
            body = Some(start..end);
        }
        let next = end + blanks(line, end);
        match line.get(next)? {
            b',' => at = next + 1,
            b'}' if next + 1 + blanks(line, next + 1) == line.len() => return body,
            _ => return None,
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

/// The quote that ends a text without escapes.
fn text_end(line: &[u8], start: usize) -> Option<usize> {
    let length = line[start..]
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\'))?;
    (line[start + length] == b'"').then_some(start + length)
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
                let found = body_of(line.as_bytes()).expect("a plain line");
                let part: Value = serde_json::from_str(&line[found]).expect("JSON");
                assert_eq!(part, whole["body"]);
            }
        }
    }

    #[test]
    fn a_line_that_is_not_plain_is_left_to_a_parser() {
        for line in [
            "",
            "{",
            "[]",
            r#"{"body":{}"#,
            r#"{"body":{}} x"#,
            r#"{"body":{}}{"#,
            r#"{"body":{]"#,
            r#"{"body":{"a":"}}"#,
            r#"{"body":1}"#,
            r#"{"body":"{}"}"#,
            r#"{"body":{},"body":{}}"#,
            r#"{"body":{},"x":1}"#,
            r#"{"b\u006fdy":{}}"#,
            r#"{"uri":"/x"}"#,
        ] {
            assert_eq!(body_of(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_line_that_was_cut_anywhere_is_left_to_a_parser() {
        let line = format!(r#"{{"uri":"/x","body":{}}}"#, body(30));
        for length in 0..line.len() {
            assert_eq!(body_of(&line.as_bytes()[..length]), None, "cut at {length}");
        }
    }
}
