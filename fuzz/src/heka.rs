//! Target: a file of Heka's frames. Its messages and what is damaged between them are parts of it; a message is refused or is
//! a ping.

use crate::import::{read_frames, read_message};

/// A file; and the same bytes as one message.
pub fn target(data: &[u8]) {
    let (messages, damaged) = read_frames(data);
    // A frame's head has five bytes at least.
    let framed: usize = messages.iter().map(|message| message.len() + 5).sum();
    let damaged = usize::try_from(damaged).expect("no more than there are");
    assert!(framed + damaged <= data.len());
    assert!(!messages.is_empty() || damaged == data.len());
    for message in &messages {
        read_message(message);
    }
    read_message(data);
}

/// A field of a message.
fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    prost::encoding::string::encode(1, &name.to_owned(), &mut field);
    prost::encoding::bytes::encode(4, &value.to_vec(), &mut field);
    field
}

/// Two frames, one packed; and a message.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut message = Vec::new();
    prost::encoding::int64::encode(2, &1_485_824_523_000_004_321, &mut message);
    prost::encoding::string::encode(6, &"{\"payload\":{}}".to_owned(), &mut message);
    for (name, value) in [
        ("documentId", "x"),
        ("docType", "main"),
        ("payload.histograms", "{}"),
        ("DNT", "1"),
    ] {
        prost::encoding::bytes::encode(10, &field(name, value.as_bytes()), &mut message);
    }
    let packed = snap::raw::Encoder::new().compress_vec(&message).expect("packed");
    let mut file = Vec::new();
    for message in [&message, &packed] {
        let mut header = vec![0x08];
        prost::encoding::encode_varint(message.len() as u64, &mut header);
        file.extend([0x1e, u8::try_from(header.len()).expect("short")]);
        file.extend(header);
        file.push(0x1f);
        file.extend(message);
    }
    vec![file, message, packed]
}
