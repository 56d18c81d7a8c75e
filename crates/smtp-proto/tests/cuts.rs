//! A stream has no message boundaries: replies, events and outcomes are the same wherever the peer's octets are cut.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use address::{Domain, ForwardPath, Host, ReversePath};
use proptest::prelude::*;
use smtp_proto::client::{self, Envelope};
use smtp_proto::command::{BodyKind, EnvelopeId};
use smtp_proto::server::{self, Security};
use smtp_proto::{BodyFault, Dialect, Reply, replies};

/// The limit for a message in these sessions: small, so that the tests reach it often.
const MESSAGE_SIZE: u64 = 40;

const RECIPIENTS: usize = 3;

/// Hands out `octets` in pieces of the given sizes, the last of which is repeated.
struct Pieces<'o> {
    octets: &'o [u8],
    sizes: Vec<usize>,
    next: usize,
}

impl<'o> Pieces<'o> {
    fn new(octets: &'o [u8], sizes: &[usize]) -> Self {
        Self { octets, sizes: sizes.to_vec(), next: 0 }
    }

    /// Fills the beginning of `space` with the next piece, or with as much of it as fits. Returns the number of octets.
    fn fill(&mut self, space: &mut [u8]) -> usize {
        let size = self.sizes[self.next.min(self.sizes.len() - 1)];
        self.next += 1;
        let count = size.min(space.len()).min(self.octets.len());
        let (piece, rest) = self.octets.split_at(count);
        space[..count].copy_from_slice(piece);
        self.octets = rest;
        count
    }
}

/// An event of a server's session as a driver sees it, without the octets that it sends: a client that waits for each
/// reply gets them one by one.
#[derive(Debug, PartialEq)]
enum Seen {
    Body(String),
    Refused(BodyFault),
    Request(String),
    Reset,
    Closed,
}

fn text(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

/// Runs a server's session, and returns its output and its events. Every `refusing`th request is refused, none if it is
/// 0.
fn serve(dialect: Dialect, octets: &[u8], sizes: &[usize], refusing: usize) -> (String, Vec<Seen>) {
    let settings = server::Settings {
        dialect,
        hostname: Domain::parse("mail.example.org").unwrap(),
        message_size: MESSAGE_SIZE,
        recipients: 100,
        // Clear text after STARTTLS is dropped, however much of it has been read (RFC 3207 §4.2).
        starttls: false,
    };
    let mut session = server::Session::new(Arc::new(settings), Security::Tls);
    let mut pieces = Pieces::new(octets, sizes);
    let (mut sent, mut seen) = (String::new(), Vec::new());
    let mut requests = 0;
    let mut is_accepted = |seen: &mut Vec<Seen>, request: String| {
        seen.push(Seen::Request(request));
        requests += 1;
        refusing == 0 || requests % refusing != 0
    };
    loop {
        match session.next() {
            server::Event::Output => {
                sent.push_str(&text(session.output()));
                session.sent();
            }
            server::Event::Input if pieces.octets.is_empty() => {
                // A message without its end.
                seen.pop_if(|last| matches!(last, Seen::Body(_)));
                return (sent, seen);
            }
            server::Event::Input => {
                let count = pieces.fill(session.space());
                session.filled(count);
            }
            server::Event::Body(piece) => match seen.last_mut() {
                Some(Seen::Body(body)) => body.push_str(&text(piece)),
                _ => seen.push(Seen::Body(text(piece))),
            },
            server::Event::BodyRefused(fault) => {
                // The driver discards the octets of a refused message, so their number does not count.
                seen.pop_if(|last| matches!(last, Seen::Body(_)));
                seen.push(Seen::Refused(fault));
            }
            server::Event::Hello(request) if is_accepted(&mut seen, request.name.as_str().to_owned()) => {
                request.accept()
            }
            server::Event::Mail(request) if is_accepted(&mut seen, format!("{:?}", request.command)) => {
                request.accept()
            }
            server::Event::Rcpt(request) if is_accepted(&mut seen, format!("{:?}", request.command)) => {
                request.accept()
            }
            server::Event::Data(request)
                if is_accepted(&mut seen, format!("DATA {}", request.recipients)) =>
            {
                request.accept();
            }
            server::Event::Login(request) if is_accepted(&mut seen, request.credentials.login.clone()) => {
                request.accept()
            }
            server::Event::Message(request)
                if is_accepted(&mut seen, format!("message {}", request.size)) =>
            {
                request.answer(&replies::MESSAGE_ACCEPTED);
            }
            server::Event::Delivery(request)
                if is_accepted(&mut seen, format!("{} to {}", request.size, request.recipients)) =>
            {
                request.answer([replies::DELIVERED]);
            }
            server::Event::Rcpt(request) => request.refuse(&replies::UNKNOWN_RECIPIENT),
            // The session answers a request that is dropped.
            server::Event::Hello(_)
            | server::Event::Mail(_)
            | server::Event::Data(_)
            | server::Event::Login(_)
            | server::Event::Message(_)
            | server::Event::Delivery(_) => {}
            server::Event::StartTls(_) => unreachable!("not offered"),
            server::Event::Reset => seen.push(Seen::Reset),
            server::Event::Closed => {
                seen.push(Seen::Closed);
                return (sent, seen);
            }
        }
    }
}

/// Runs a client's session with a server that sends these octets, and returns its output and its outcomes.
fn run_client(dialect: Dialect, octets: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<String>) {
    let settings = client::Settings {
        dialect,
        hello_name: Host::parse("mx.example.org").unwrap(),
        tls: client::Tls::Never,
        login: None,
    };
    let mut session = client::Session::new(Arc::new(settings), Security::Clear);
    let mut pieces = Pieces::new(octets, sizes);
    let (mut sent, mut events) = (Vec::new(), Vec::new());
    loop {
        match session.next() {
            client::Event::Output => {
                sent.extend_from_slice(session.output());
                session.sent();
            }
            client::Event::Input if pieces.octets.is_empty() => {
                events.push(format!("{:?}", session.abandon(&replies::CONNECTION_LOST)));
                return (sent, events);
            }
            client::Event::Input => {
                let count = pieces.fill(session.space());
                session.filled(count);
            }
            client::Event::StartTls(_) => unreachable!("not requested"),
            client::Event::Ready(idle) => {
                sent.extend_from_slice(b"(envelope)");
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
            client::Event::Message(sending) => {
                sent.extend_from_slice(b"(message)");
                sending.done();
            }
            client::Event::Finished(outcomes) => events.push(format!("{outcomes:?}")),
            client::Event::Unusable(reply) | client::Event::LoginRefused(reply) => {
                events.push(Reply::to_string(&reply));
                return (sent, events);
            }
            client::Event::Closed => return (sent, events),
        }
    }
}

/// Compares a session that is fed everything at once with the same fed octet by octet, cut in two at every position
/// from `begin` on, and cut as given.
fn same_however_cut<T: PartialEq + std::fmt::Debug>(
    octets: &[u8],
    sizes: &[usize],
    begin: usize,
    play: impl Fn(&[u8], &[usize]) -> T,
) -> Result<(), TestCaseError> {
    let whole = play(octets, &[usize::MAX]);
    prop_assert_eq!(&whole, &play(octets, &[1]), "octet by octet: {}", octets.escape_ascii());
    prop_assert_eq!(&whole, &play(octets, sizes), "in pieces of {:?}: {}", sizes, octets.escape_ascii());
    for at in begin..octets.len() {
        prop_assert_eq!(&whole, &play(octets, &[at, usize::MAX]), "cut at {}: {}", at, octets.escape_ascii());
    }
    Ok(())
}

const BODY: [&[u8]; 12] = [
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"\0",
    b"a",
    b"\r\n.\r\n",
    b"\r\n..",
    b"\r\n.\r",
    b"\n.\n",
    b"abcdefghijklmnop",
    b"0123456789012345678901234567890123456789",
];

const COMMANDS: [&[u8]; 20] = [
    b"NOOP\r\n",
    b"RSET\r\n",
    b"MAIL FROM:<ann@example.org>\r\n",
    b"MAIL FROM:<> SIZE=99\r\n",
    b"RCPT TO:<bob@example.org>\r\n",
    b"DATA\r\n",
    b"QUIT\r\n",
    b"EHLO \xd0\x90\xfc\r\n",
    b"LHLO mx\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH PLAIN AGFubgB4\r\n",
    b"AGFubgB4\r\n",
    b"NO\0OP\r\n",
    b"FOO \r \n\r\n",
    b"BDAT 9\r\nA: b\r\n\r\nc",
    b"BDAT 3\r\n\n.\r",
    b"BDAT 4 LAST\r\n\r\n.\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 41\r\n0123456789012345678901234567890123456789\n",
    b"BDAT 999999999999999999\r\n",
];

const REPLIES: [&[u8]; 16] = [
    b"220 mx\r\n",
    b"250-mx\r\n",
    b"250-PIPELINING\r\n",
    b"250-CHUNKING\r\n",
    b"250-LIMITS RCPTMAX=2 MAILMAX=1\r\n",
    b"250 OK\r\n",
    b"250 2.1.5 OK\r\n",
    b"250-2.1.5 one\r\n",
    b"354 go on\r\n",
    b"451 4.3.0 later\r\n",
    b"550 5.1.1 unknown\r\n",
    b"421 bye\r\n",
    b"\r",
    b"\n",
    b"25",
    b"x\0\xff\r\n",
];

fn octets(parts: &'static [&'static [u8]], most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(parts), 0..most).prop_map(|parts| parts.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..30, 1..8)
}

/// The commands up to the first octet of a message.
fn opening(dialect: Dialect) -> &'static [u8] {
    match dialect {
        Dialect::Smtp => b"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n",
        Dialect::Submission => {
            b"EHLO me\r\nAUTH PLAIN AGFubgB4\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
        }
        Dialect::Lmtp => {
            b"LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
        }
    }
}

const DIALECTS: [Dialect; 3] = [Dialect::Smtp, Dialect::Submission, Dialect::Lmtp];

proptest! {
    // Each case is many sessions.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_message_is_read_the_same_however_it_is_cut(
        dialect in prop::sample::select(&DIALECTS[..]),
        body in octets(&BODY, 14),
        sizes in sizes(),
    ) {
        let octets = [opening(dialect), &body, b"\r\n.\r\nNOOP\r\n"].concat();
        same_however_cut(&octets, &sizes, opening(dialect).len(), |octets, sizes| serve(dialect, octets, sizes, 0))?;
    }

    #[test]
    fn commands_are_answered_the_same_however_they_are_cut(
        dialect in prop::sample::select(&DIALECTS[..]),
        commands in octets(&COMMANDS, 14),
        body in octets(&BODY, 6),
        long in prop::sample::select(&[0_usize, 2_040, 2_050][..]),
        sizes in sizes(),
        refusing in 0_usize..4,
    ) {
        let long = [b"AUTH ".repeat(long.min(1)), b"x".repeat(long), b"\r\n".to_vec()].concat();
        let octets = [b"EHLO me\r\n", &commands[..], &body, b"\r\n.\r\n", &commands, &long].concat();
        let whole = serve(dialect, &octets, &[usize::MAX], refusing);
        for sizes in [&sizes[..], &[1], &[7]] {
            prop_assert_eq!(&whole, &serve(dialect, &octets, sizes, refusing), "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn a_client_reads_the_same_replies_however_they_are_cut(
        dialect in prop::sample::select(&[Dialect::Smtp, Dialect::Lmtp][..]),
        replies in octets(&REPLIES, 20),
        long in prop::sample::select(&[0_usize, 2_040, 2_050, 5_000][..]),
        sizes in sizes(),
    ) {
        let octets =
            [b"220 mx\r\n250-mx\r\n250 PIPELINING\r\n", &replies[..], b"250 ", &b"x".repeat(long), b"\r\n"].concat();
        let whole = run_client(dialect, &octets, &[usize::MAX]);
        for sizes in [&sizes[..], &[1], &[7]] {
            prop_assert_eq!(&whole, &run_client(dialect, &octets, sizes), "{}", octets.escape_ascii());
        }
    }
}

/// Two faults in one message, and the one that is reported.
#[test]
fn the_first_fault_is_reported_however_the_message_is_cut() {
    let long = "x".repeat(usize::try_from(MESSAGE_SIZE).unwrap());
    for (body, fault) in [
        (format!("{long}x\0\r\n.\r\n"), BodyFault::TooBig),
        (format!("\0{long}\r\n.\r\n"), BodyFault::Nul),
        (format!("{long}\0\r\n.\r\n"), BodyFault::TooBig),
        (format!("\n{long}\0\r\n.\r\n"), BodyFault::BareLf),
        (format!("{long}\n\0\r\n.\r\n"), BodyFault::TooBig),
        (format!("a\rb\n{long}\r\n.\r\n"), BodyFault::BareCr),
        (format!("{long}\r\n.\r.\r\n.\r\n"), BodyFault::TooBig),
    ] {
        for step in 1..=body.len() {
            let octets = [opening(Dialect::Smtp), body.as_bytes()].concat();
            let cuts = [opening(Dialect::Smtp).len(), step];
            let (_, seen) = serve(Dialect::Smtp, &octets, &cuts, 0);
            assert!(seen.contains(&Seen::Refused(fault)), "{body:?} in pieces of {step}: {seen:?}");
        }
    }
}
