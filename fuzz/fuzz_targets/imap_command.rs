//! What a client sends never ends the reader, never makes it hold more than its bound, and means the same however the
//! network cuts it.

#![no_main]

use imap_proto::command::{Malformed, Request};
use imap_proto::reader::{Event, Reader};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 4096;

#[derive(Debug, PartialEq)]
enum Seen {
    Request(Request),
    Malformed(Malformed),
    Continue,
    Append(u64),
    Message(Vec<u8>),
    AppendEnd(bool),
    Answer(Vec<u8>),
}

fn play<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut reader = Reader::new(LIMIT);
    let mut seen = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        read_all(&mut reader, &mut seen);
    }
    seen
}

fn read_all(reader: &mut Reader, seen: &mut Vec<Seen>) {
    while let Some(event) = reader.next_event() {
        match event {
            Event::Command(command) => {
                let answers = matches!(command.request, Request::Idle | Request::Authenticate(_));
                seen.push(Seen::Request(command.request));
                if answers {
                    reader.expect_answer();
                }
            }
            Event::Malformed(malformed) => seen.push(Seen::Malformed(malformed)),
            Event::Continue => seen.push(Seen::Continue),
            Event::Append(append) => {
                seen.push(Seen::Append(append.message.size));
                if append.message.size % 2 == 0 { reader.take_message() } else { reader.refuse_message() }
            }
            Event::Octets(octets) => match seen.last_mut() {
                Some(Seen::Message(message)) => message.extend_from_slice(octets),
                _ => seen.push(Seen::Message(octets.to_vec())),
            },
            Event::AppendEnd(end) => seen.push(Seen::AppendEnd(end.is_ok())),
            Event::Answer(line) => seen.push(Seen::Answer(line)),
        }
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((size, text)) = octets.split_first() else { return };
    let whole = play(std::iter::once(text));
    let cut = play(text.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, cut);
});
