//! SMTP, submission and LMTP sessions of the server: the same replies and the same messages, however the octets are
//! cut.

#![no_main]

use std::sync::Arc;

use address::Domain;
use libfuzzer_sys::fuzz_target;
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Dialect, replies};

fuzz_target!(|octets: &[u8]| {
    let (choices, octets) = octets.split_first().unwrap_or((&0, &[]));
    let whole = run(octets, usize::MAX, *choices);
    let pieces = run(octets, usize::from(choices % 5) + 1, *choices);
    assert_eq!(whole, pieces);
});

/// The octets sent to the peer, and the accepted messages.
fn run(mut octets: &[u8], size: usize, choices: u8) -> (Vec<u8>, Vec<Vec<u8>>) {
    let dialect = [Dialect::Smtp, Dialect::Submission, Dialect::Lmtp][usize::from(choices % 3)];
    let settings = Settings {
        dialect,
        hostname: Domain::parse("mail.example.org").expect("it is a domain"),
        // Small, so that a message is soon too large and faulty too: which of the two is reported must not depend on
        // the cuts.
        message_size: u64::from(choices / 4),
        recipients: usize::from(choices / 16),
        // What came behind STARTTLS in the clear is forgotten, and how much that is depends on the cuts.
        starttls: false,
    };
    let mut session = Session::new(Arc::new(settings), Security::Tls);
    let (mut sent, mut messages, mut message) = (Vec::new(), Vec::new(), Vec::new());
    let mut questions = 0_u8;
    // Every fourth question or so is refused.
    let mut agrees = || {
        questions = questions.wrapping_add(1);
        choices == 0 || questions % (choices % 4 + 1) == 0
    };
    loop {
        match session.next() {
            Event::Output => {
                sent.extend_from_slice(session.output());
                session.sent();
            }
            Event::Input if octets.is_empty() => break,
            Event::Input => {
                let space = session.space();
                let count = size.min(space.len()).min(octets.len());
                space[..count].copy_from_slice(&octets[..count]);
                octets = &octets[count..];
                session.filled(count);
            }
            Event::Body(piece) => message.extend_from_slice(piece),
            Event::BodyRefused(_) => message.clear(),
            Event::Hello(request) if agrees() => request.accept(),
            Event::Mail(request) if agrees() => request.accept(),
            Event::Rcpt(request) if agrees() => request.accept(),
            Event::Data(request) if agrees() => request.accept(),
            Event::Login(request) if agrees() => request.accept(),
            // A dropped request is answered by the session.
            Event::Hello(_) | Event::Mail(_) | Event::Rcpt(_) | Event::Data(_) | Event::Login(_) => {}
            Event::Message(request) => {
                messages.push(std::mem::take(&mut message));
                request.answer(&replies::accepted_as("x"));
            }
            Event::Delivery(request) => {
                messages.push(std::mem::take(&mut message));
                request.answer([]);
            }
            Event::StartTls(_) => unreachable!("it is not offered"),
            Event::Reset => {}
            Event::Closed => break,
        }
    }
    (sent, messages)
}
