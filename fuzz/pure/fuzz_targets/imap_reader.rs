//! IMAP commands: the same events, however the octets are cut.

#![no_main]

use imap_proto::MailboxName;
use imap_proto::command::Request;
use imap_proto::reader::{Event, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let (choices, octets) = octets.split_first().unwrap_or((&0, &[]));
    let whole = read(octets, octets.len().max(1), *choices);
    let pieces = read(octets, usize::from(choices % 5) + 1, *choices);
    assert_eq!(whole, pieces);

    if let Some(name) = MailboxName::decode(octets) {
        assert_eq!(MailboxName::decode(name.encode().as_bytes()), Some(name));
    }
});

/// The events of a session. `choices` decides which messages are accepted, so it is the same in each run.
fn read(octets: &[u8], size: usize, choices: u8) -> Vec<String> {
    let mut reader = Reader::new(4096);
    let mut events = Vec::new();
    let mut message = Vec::new();
    for piece in octets.chunks(size) {
        reader.feed(piece);
        while let Some(event) = reader.next_event() {
            match event {
                // A message comes in as many pieces as the connection makes of it.
                Event::Octets(octets) => message.extend_from_slice(octets),
                Event::Append(append) => {
                    events.push(format!("{append:?}"));
                    if choices & 0x80 == 0 { reader.accept_message() } else { reader.refuse_message() }
                }
                event => {
                    events.push(format!("{} {event:?}", message.escape_ascii()));
                    message.clear();
                    let expects_response = matches!(&event, Event::Command(command)
                        if matches!(command.request, Request::Idle | Request::Authenticate(_)));
                    if expects_response {
                        reader.expect_continuation_response();
                    }
                }
            }
        }
    }
    events
}
