//! The frames of a file of Heka: `1E`, the header's length, a header in protobuf that says how long the message is, `1F`, the
//! message. After damage, reading goes on at the next `1E` that begins a frame.

use std::io::{self, Read};
use std::ops::Range;

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::heka::{MESSAGE_BYTES_MAX, is_message};

/// Begins a frame.
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;
/// Ends a header.
const UNIT_SEPARATOR: u8 = 0x1f;

/// Bytes before a message at most: separator, length, header, separator.
const HEAD_BYTES_MAX: usize = 2 + 255 + 1;

/// What stands next in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message, by its place in the buffer.
    Message(Range<usize>),
    /// So many bytes that are no frame.
    Damaged(u64),
}

/// A file of frames.
pub(super) struct Frames<R> {
    bytes: R,
    /// Bytes that were read, from `at` on no part of what was answered: at most two messages and what stands around them.
    ahead: Vec<u8>,
    at: usize,
}

impl<R: Read> Frames<R> {
    pub(super) const fn new(bytes: R) -> Self {
        Self {
            bytes,
            ahead: Vec::new(),
            at: 0,
        }
    }

    /// Appends the next message to `buffer`, or passes what is no frame. `None` at the end.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        let mut damaged = 0;
        loop {
            if self.fill(1)? == 0 {
                return Ok((damaged > 0).then_some(Frame::Damaged(damaged)));
            }
            match self.message()? {
                // What is damaged comes first; the frame is found again.
                Some(_) if damaged > 0 => return Ok(Some(Frame::Damaged(damaged))),
                Some(message) => {
                    let start = buffer.len();
                    buffer.extend_from_slice(&self.ahead[self.at + message.start..self.at + message.end]);
                    self.at += message.end;
                    return Ok(Some(Frame::Message(start..buffer.len())));
                }
                None => damaged += self.pass()?,
            }
        }
    }

    /// Where the message of the frame lies that begins here, if one does. If neither another frame nor the end is behind it,
    /// the damage may be there, in the message or in its length: it is one if no other begins inside of it and it can be taken
    /// apart.
    fn message(&mut self) -> io::Result<Option<Range<usize>>> {
        let known = self.fill(HEAD_BYTES_MAX)?;
        let head = &self.ahead[self.at..self.at + known];
        let Some((start, length)) = head_of(head) else {
            return Ok(None);
        };
        let end = start + length;
        let known = self.fill(end + 1)?;
        let rest = &self.ahead[self.at..];
        let is_bounded = rest.get(end).is_none_or(|byte| *byte == RECORD_SEPARATOR);
        let is_one = known >= end
            && (is_bounded || !has_head(&rest[start..], length) && is_message(&rest[start..end]));
        Ok(is_one.then_some(start..end))
    }

    /// Passes a byte, and on to the next that may begin a frame. Answers how many.
    fn pass(&mut self) -> io::Result<u64> {
        let mut passed = 1;
        self.at += 1;
        while self.fill(1)? > 0 {
            let rest = &self.ahead[self.at..];
            let next = rest.iter().position(|byte| *byte == RECORD_SEPARATOR);
            let step = next.unwrap_or(rest.len());
            self.at += step;
            passed += step as u64;
            if next.is_some() {
                break;
            }
        }
        Ok(passed)
    }

    /// Reads on until so many bytes are known from here, or the file ends; answers how many are, at most as many.
    fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        let known = self.ahead.len() - self.at;
        if known < wanted {
            // Only when it is the larger part: else a file of heads without messages would be moved again and again.
            if self.at > known {
                self.ahead.drain(..self.at);
                self.at = 0;
            }
            let missing = (wanted - known) as u64;
            self.bytes.by_ref().take(missing).read_to_end(&mut self.ahead)?;
        }
        Ok(wanted.min(self.ahead.len() - self.at))
    }
}

/// Whether a frame may begin in the first `length` of these bytes.
fn has_head(bytes: &[u8], length: usize) -> bool {
    let places = bytes.iter().take(length).enumerate();
    let mut places = places.filter(|(_, byte)| **byte == RECORD_SEPARATOR);
    places.any(|(at, _)| head_of(&bytes[at..]).is_some())
}

/// Where the message begins behind a frame's head, and how long it is.
fn head_of(head: &[u8]) -> Option<(usize, usize)> {
    let [RECORD_SEPARATOR, length, rest @ ..] = head else {
        return None;
    };
    let length = usize::from(*length);
    let mut header = rest.get(..length)?;
    if rest.get(length) != Some(&UNIT_SEPARATOR) {
        return None;
    }
    let mut message = None;
    while header.has_remaining() {
        let (tag, wire) = decode_key(&mut header).ok()?;
        if (tag, wire) == (1, WireType::Varint) {
            message = usize::try_from(decode_varint(&mut header).ok()?).ok();
        } else {
            skip_field(wire, tag, &mut header, DecodeContext::default()).ok()?;
        }
    }
    message
        .filter(|message| *message <= MESSAGE_BYTES_MAX)
        .map(|message| (2 + length + 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut header = vec![0x08];
        prost::encoding::encode_varint(message.len() as u64, &mut header);
        let head = [
            &[RECORD_SEPARATOR, header.len() as u8],
            header.as_slice(),
            &[UNIT_SEPARATOR],
        ]
        .concat();
        [head.as_slice(), message].concat()
    }

    /// The messages of a file, and how many bytes were damaged between them.
    fn read(file: &[u8]) -> Vec<Result<Vec<u8>, u64>> {
        let (mut frames, mut buffer, mut found) = (Frames::new(file), Vec::new(), Vec::new());
        while let Some(frame) = frames.next(&mut buffer).expect("readable") {
            found.push(match frame {
                Frame::Message(place) => Ok(buffer[place].to_vec()),
                Frame::Damaged(bytes) => Err(bytes),
            });
        }
        found
    }

    #[test]
    fn frames_are_read_one_behind_the_other() {
        let messages: [&[u8]; 4] = [b"", b"a", &[RECORD_SEPARATOR; 300], &[7; 100_000]];
        let file: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
        assert_eq!(read(&file), messages.map(|message| Ok(message.to_vec())));
        assert_eq!(read(b""), []);
    }

    #[test]
    fn a_header_may_say_more_than_the_length() {
        let mut header = vec![0x08, 3, 0x18, 1];
        prost::encoding::string::encode(4, &"signer".to_owned(), &mut header);
        let file = [
            &[RECORD_SEPARATOR, header.len() as u8],
            header.as_slice(),
            &[UNIT_SEPARATOR],
            b"abc",
        ]
        .concat();
        assert_eq!(read(&file), [Ok(b"abc".to_vec())]);
    }

    #[test]
    fn reading_goes_on_behind_any_damage() {
        let texts = ["first", "second", "third"].map(|text| {
            let mut message = Vec::new();
            prost::encoding::string::encode(6, &text.to_owned(), &mut message);
            message
        });
        let [first, second, third] = texts.each_ref().map(|message| frame(message));
        let file = [first.as_slice(), &second, &third].concat();
        let messages = |found: &[Result<Vec<u8>, u64>]| -> Vec<Vec<u8>> {
            found.iter().filter_map(|frame| frame.clone().ok()).collect()
        };
        for at in first.len()..first.len() + second.len() {
            for byte in [0, 0x1e, 0x1f, 0x7f, 0xff] {
                let mut broken = file.clone();
                broken[at] = byte;
                let found = messages(&read(&broken));
                assert!(
                    found.first() == Some(&texts[0]) && found.last() == Some(&texts[2]),
                    "{byte} at {at}: {found:?}"
                );
            }
            let mut cut = file.clone();
            cut.remove(at);
            let found = messages(&read(&cut));
            assert_eq!((found.first(), found.last()), (Some(&texts[0]), Some(&texts[2])));
        }
        let found = read(&file[..file.len() - 1]);
        assert_eq!(messages(&found), texts[..2]);
        assert!(matches!(found.last(), Some(Err(bytes)) if *bytes == third.len() as u64 - 1));
    }

    #[test]
    fn a_message_that_is_too_long_is_not_waited_for() {
        let mut header = vec![0x08];
        prost::encoding::encode_varint(MESSAGE_BYTES_MAX as u64 + 1, &mut header);
        let head = [
            &[RECORD_SEPARATOR, header.len() as u8],
            header.as_slice(),
            &[UNIT_SEPARATOR],
        ]
        .concat();
        let file = [head, frame(b"next")].concat();
        assert_eq!(read(&file).last(), Some(&Ok(b"next".to_vec())));
    }
}
