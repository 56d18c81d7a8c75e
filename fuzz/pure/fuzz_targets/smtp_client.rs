//! SMTP sessions of the client, with a server that says anything: each recipient gets one outcome.

#![no_main]

use std::sync::Arc;

use address::{ForwardPath, Host, ReversePath};
use libfuzzer_sys::fuzz_target;
use smtp_proto::client::{Envelope, Event, Session, Settings, Tls};
use smtp_proto::command::{BodyKind, EnvelopeId};
use smtp_proto::server::Security;
use smtp_proto::{Dialect, replies};

const RECIPIENTS: usize = 3;

fuzz_target!(|octets: &[u8]| {
    let (choices, mut octets) = octets.split_first().map_or((0, octets), |(first, rest)| (*first, rest));
    let settings = Settings {
        dialect: if choices & 1 == 0 { Dialect::Smtp } else { Dialect::Lmtp },
        hello_name: Host::parse("mail.example.org").expect("it is a host"),
        tls: if choices & 2 == 0 { Tls::WhenOffered } else { Tls::Never },
        login: None,
    };
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    let mut under_way = false;
    loop {
        match session.next() {
            Event::Output => session.sent(),
            Event::Input if octets.is_empty() => break,
            Event::Input => {
                let space = session.space();
                let count = space.len().min(octets.len()).min(usize::from(choices) + 1);
                space[..count].copy_from_slice(&octets[..count]);
                octets = &octets[count..];
                session.filled(count);
            }
            Event::StartTls(handshake) => handshake.done(),
            Event::Ready(idle) => {
                assert!(!under_way, "an envelope has no end");
                under_way = true;
                idle.send(Envelope {
                    sender: ReversePath::Null,
                    recipients: vec![ForwardPath::Postmaster; RECIPIENTS],
                    size: 100,
                    body: BodyKind::SevenBit,
                    has_utf8_header: false,
                    requires_tls: false,
                    id: EnvelopeId::new("01jd9e8h0w3abcdef"),
                    is_junk: false,
                });
            }
            Event::Message(sending) => sending.done(),
            Event::Finished(outcomes) => {
                assert!(std::mem::take(&mut under_way));
                assert_eq!(outcomes.len(), RECIPIENTS);
            }
            Event::Unusable(_) | Event::LoginRefused(_) | Event::Closed => break,
        }
    }
    if let Some(outcomes) = session.abandon(&replies::LOCAL_ERROR) {
        assert!(under_way);
        assert_eq!(outcomes.len(), RECIPIENTS);
    }
});
