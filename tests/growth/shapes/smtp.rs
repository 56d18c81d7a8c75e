//! Shapes for `smtp-proto`.

use std::hint::black_box;
use std::sync::Arc;

use address::{Domain, ForwardPath, Host, ReversePath};
use smtp_proto::command::{BodyKind, Command, EnvelopeId};
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Code, Dialect, Status, Stuffing, client, replies};

use super::values::{PLAIN_PIECES, value};
use super::{Shape, fill, shape};

const SIZE: usize = 1024;

pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes = of_lines();
    shapes.extend(of_servers());
    shapes.extend(of_clients());
    shapes.extend(of_messages());
    shapes.extend(of_replies());
    shapes
}

fn of_lines() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for before in [
        "MAIL FROM:",
        "MAIL FROM:<a@b> ",
        "MAIL FROM:<a@b> ENVID=a",
        "RCPT TO:<a@b> ORCPT=a;",
        "EHLO ",
        "AUTH PLAIN ",
        "RCPT TO:<",
        "",
    ] {
        for piece in PLAIN_PIECES.into_iter().chain([
            "<",
            ">",
            "@",
            "=",
            ",",
            "BODY=8BITMIME ",
            "BODY=BINARYMIME ",
            "NOTIFY=DELAY ",
            "a@b:",
            "+41",
            "RET=HDRS ",
        ]) {
            let make = move |size| [before.as_bytes(), &value(piece, size)].concat();
            shapes.push(shape(format!("Command::parse of {before}{piece:?}"), SIZE, make, |line| {
                drop(black_box(Command::parse(&line)));
            }));
        }
    }
    shapes
}

/// The input of a client whose first command of each kind is refused.
const AGAIN: &[u8] = b"EHLO a\r\nEHLO a\r\n";

/// A client's input to a server: the beginning, the repeated part, the end.
fn of_servers() -> Vec<Shape> {
    let hello = "EHLO a\r\n";
    let data = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n";
    let chunks = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\n";
    let chunk = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nBDAT 1000000\r\n";
    let lmtp = "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n";
    let (smtp, submission) = (Dialect::Smtp, Dialect::Submission);
    let mut shapes = Vec::new();
    for (dialect, before, piece, after) in [
        (smtp, "", "NOOP\r\n", "QUIT\r\n"),
        (smtp, hello, "RSET\r\n", ""),
        (smtp, hello, "BDAT 9\r\n123456789", ""),
        (smtp, chunks, "BDAT 4\r\nab\r\n", "BDAT 0 LAST\r\n"),
        (smtp, chunk, "a\r\n.", ""),
        (submission, chunk, "\n", ""),
        (smtp, "", "EHLO a\r\n", "STARTTLS\r\n"),
        (smtp, hello, "MAIL FROM:<>\r\nRSET\r\n", ""),
        (smtp, "EHLO a\r\nMAIL FROM:<>\r\n", "RCPT TO:<a@b.c>\r\n", "DATA\r\n.\r\n"),
        (smtp, hello, "MAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\na\r\n.\r\n", ""),
        (smtp, data, "a", "\r\n.\r\n"),
        (smtp, data, "a\r\n", ".\r\n"),
        (smtp, data, ".\r\r\n", "\r\n.\r\n"),
        (smtp, data, "..\r\n", ".\r\n"),
        (smtp, data, ".a\r\n", ".\r\n"),
        (smtp, data, "\r", "\r\n.\r\n"),
        (smtp, data, "\n", "\r\n.\r\n"),
        (smtp, data, "\0", "\r\n.\r\n"),
        (submission, data, "\n", "\r\n.\r\n"),
        (submission, data, "a\n.\n", "\r\n.\r\n"),
        (submission, hello, "a", "\r\n"),
        (submission, "EHLO a\r\nAUTH PLAIN ", "YWFh", "\r\n"),
        (submission, "EHLO a\r\nAUTH LOGIN\r\n", "YWFh", "\r\nYQ==\r\n"),
        (submission, "EHLO a\r\nAUTH PLAIN AGEAYQ==\r\nMAIL FROM:<a@b.c>\r\n", "RCPT TO:<a@b.c>\r\n", ""),
        (smtp, hello, "a\n", ""),
        (smtp, "EHLO a\r\nEHLO a\r\n", "MAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nDATA\r\n.\r\n", ""),
        (submission, "EHLO a\r\nEHLO a\r\nAUTH PLAIN AGEAYQ==\r\nAUTH PLAIN AGEAYQ==\r\n", "NOOP\r\n", ""),
        (Dialect::Lmtp, lmtp, "a\r\n", ".\r\n"),
        (Dialect::Lmtp, "LHLO a\r\nMAIL FROM:<>\r\n", "RCPT TO:<a@b.c>\r\n", "DATA\r\n.\r\n"),
    ] {
        for (how, step) in [("whole", usize::MAX), ("octet by octet", 1)] {
            let make =
                move |size| [before.as_bytes(), &fill(piece.as_bytes(), size), after.as_bytes()].concat();
            let name = format!("server::Session of {dialect:?} {before:?} {piece:?} {how}");
            shapes.push(shape(name, SIZE / 2, make, move |octets: Vec<u8>| serve(dialect, &octets, step)));
        }
    }
    shapes
}

fn serve(dialect: Dialect, octets: &[u8], step: usize) {
    let hostname = Domain::parse("mail.example.org").unwrap();
    let settings = Settings { dialect, hostname, message_size: 1 << 20, recipients: 1_000, starttls: true };
    let security = if dialect == Dialect::Submission { Security::Tls } else { Security::Clear };
    let mut session = Session::new(Arc::new(settings), security);
    let mut rest = octets;
    // The first command of each kind is refused where the client repeats it.
    let mut refusals = if octets.starts_with(AGAIN) { [true; 5] } else { [false; 5] };
    let mut refuses = move |kind: usize| std::mem::take(&mut refusals[kind]);
    loop {
        let event = session.next();
        black_box(event.ends_transaction());
        match event {
            Event::Output => {
                black_box(session.output());
                session.sent();
            }
            Event::Input if rest.is_empty() => break,
            Event::Input => {
                black_box(session.receives_message());
                let space = session.space();
                let count = step.min(rest.len()).min(space.len());
                space[..count].copy_from_slice(&rest[..count]);
                session.filled(count);
                rest = &rest[count..];
            }
            Event::Hello(request) if refuses(0) => request.refuse(&replies::LOCAL_ERROR),
            Event::Hello(request) => {
                black_box(request.name.as_str());
                request.accept();
            }
            Event::Mail(request) if refuses(1) => request.refuse(&replies::LOCAL_ERROR),
            Event::Mail(request) => request.accept(),
            Event::Rcpt(request) if refuses(2) => request.refuse(&replies::UNKNOWN_RECIPIENT),
            Event::Rcpt(request) => request.accept(),
            Event::Data(request) if refuses(3) => request.refuse(&replies::LOCAL_ERROR),
            Event::Data(request) => request.accept(),
            Event::Message(request) => request.answer(&replies::accepted_as("a")),
            Event::Delivery(request) => {
                let recipients = request.recipients;
                request.answer(vec![replies::DELIVERED; recipients]);
            }
            Event::Login(request) if refuses(4) => request.refuse(&replies::BAD_CREDENTIALS),
            Event::Login(request) => request.accept(),
            Event::StartTls(request) => request.done(),
            Event::Body(_) | Event::BodyRefused(_) | Event::Reset => {}
            Event::Closed => return,
        }
    }
    session.close(&replies::SHUTTING_DOWN);
}

/// A server's replies to a client with this many recipients.
fn of_clients() -> Vec<Shape> {
    let opening = "220 a\r\n250-a\r\n250-PIPELINING\r\n250-SIZE\r\n250-DSN\r\n250-8BITMIME\r\n250 a\r\n";
    let mut shapes = Vec::new();
    for (name, dialect, replies) in [
        ("each is probed", Dialect::Smtp, ["250 a\r\n", "250 a\r\n", "", ""]),
        ("each is accepted", Dialect::Smtp, ["250 a\r\n", "250 a\r\n", "354 a\r\n", "250 a\r\n"]),
        ("each has its own reply", Dialect::Lmtp, ["250 a\r\n", "250 a\r\n", "354 a\r\n", "250 a\r\n"]),
        ("the sender is refused", Dialect::Smtp, ["550 a\r\n", "503 a\r\n", "503 a\r\n", ""]),
        ("each is refused", Dialect::Smtp, ["250 a\r\n", "550-a\r\n550 b\r\n", "354 a\r\n", "250 a\r\n"]),
        ("DATA is refused", Dialect::Lmtp, ["250 a\r\n", "250 a\r\n", "450 4.0.0 a\r\n", ""]),
    ] {
        let make = move |recipients: usize| {
            let final_replies = if dialect == Dialect::Lmtp { recipients } else { 1 };
            let [mail, rcpt, data, final_reply] = replies;
            let answers =
                [opening, mail, &rcpt.repeat(recipients), data, &final_reply.repeat(final_replies)].concat();
            (recipients, answers.into_bytes())
        };
        shapes.push(shape(format!("client::Session, {name}"), 64, make, move |(recipients, answers)| {
            deliver(dialect, (recipients, name == "each is probed"), &answers, usize::MAX);
        }));
    }
    for piece in [
        "250-a\r\n",
        "250-AUTH PLAIN\r\n",
        "250-2.0.0 a\r\n",
        "250-",
        "\n",
        "220 a\r\n",
        "a",
        "250 a\r\n",
        "250-a\r\n250 STARTTLS\r\n220 a\r\n",
    ] {
        for (how, step) in [("whole", usize::MAX), ("octet by octet", 1)] {
            let make = move |size| [b"220 a\r\n", &*fill(piece.as_bytes(), size)].concat();
            shapes.push(shape(
                format!("client::Session of {piece:?} {how}"),
                256,
                make,
                move |answers: Vec<u8>| {
                    deliver(Dialect::Smtp, (1, false), &answers, step);
                },
            ));
        }
    }
    shapes
}

/// Sends a message to this many recipients, or only probes them.
fn deliver(dialect: Dialect, (recipients, is_probe): (usize, bool), answers: &[u8], step: usize) {
    let settings = client::Settings {
        dialect,
        hello_name: Host::parse("a.example").unwrap(),
        tls: client::Tls::WhenOffered,
        login: None,
    };
    let mut session = client::Session::new(Arc::new(settings), Security::Clear);
    let envelope = client::Envelope {
        sender: ReversePath::parse("<>").unwrap(),
        recipients: vec![ForwardPath::parse("<a@b.c>").unwrap(); recipients],
        size: 1,
        body: BodyKind::EightBitMime,
        has_utf8_header: false,
        requires_tls: false,
        id: EnvelopeId::new("a"),
        is_junk: false,
    };
    let mut envelope = Some(envelope);
    let mut rest = answers;
    loop {
        match session.next() {
            client::Event::Output => {
                black_box(session.output());
                session.sent();
            }
            client::Event::Input if rest.is_empty() => break,
            client::Event::Input => {
                black_box((
                    session.awaited_reply(),
                    session.reply_count(),
                    session.limits(),
                    session.offers_smtputf8(),
                    session.offers_requiretls(),
                ));
                let space = session.space();
                let count = step.min(rest.len()).min(space.len());
                space[..count].copy_from_slice(&rest[..count]);
                session.filled(count);
                rest = &rest[count..];
            }
            client::Event::StartTls(handshake) => handshake.done(),
            client::Event::Ready(idle) => match envelope.take() {
                Some(envelope) if is_probe => idle.probe(envelope),
                Some(envelope) => idle.send(envelope),
                None => idle.quit(),
            },
            client::Event::Message(sending) => {
                black_box(sending.stuffing().map(Stuffing::end));
                sending.done();
            }
            client::Event::Finished(outcomes) => {
                black_box(outcomes.iter().map(|outcome| outcome.reply().text().len()).sum::<usize>());
            }
            client::Event::Unusable(_) | client::Event::LoginRefused(_) | client::Event::Closed => return,
        }
    }
    black_box(session.abandon(&replies::CONNECTION_LOST));
}

fn of_messages() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for piece in [".", "\r\n", ".\r\n", "a\r\n", "\r", "\n", "a", "\r.\r\n."] {
        for (how, step) in [("whole", usize::MAX), ("octet by octet", 1)] {
            let make = move |size| fill(piece.as_bytes(), size);
            shapes.push(shape(format!("Stuffing of {piece:?} {how}"), SIZE, make, move |octets: Vec<u8>| {
                let mut stuffing = Stuffing::new();
                for chunk in octets.chunks(step.min(octets.len())) {
                    black_box(stuffing.pieces(chunk).map(<[u8]>::len).sum::<usize>());
                }
                black_box(stuffing.end());
            }));
        }
    }
    shapes
}

fn of_replies() -> Vec<Shape> {
    let text = |size| String::from_utf8(fill(b"a\n\r\0", size)).unwrap();
    vec![shape("Reply", SIZE, text, |text| {
        let address = address::Address::parse("a@example.org").unwrap();
        drop(black_box((
            replies::unreadable_author(&text, &text),
            replies::not_put_right(&text),
            replies::author_not_owned(&text, &address),
            replies::policy_refusal(true, smtp_proto::Status::OTHER, &text, &text),
        )));
        let reply = replies::DELIVERED.with_text(text);
        black_box((reply.code().number(), reply.severity(), reply.status(), reply.text().len()));
        drop(black_box((reply.status_code(), reply.to_string())));
        black_box((Code::new(250).map(Code::severity), Status::new(1, 2).subject()));
        drop(black_box(client::Outcome::of(reply)));
        black_box(EnvelopeId::new("a").map(|id| id.as_str().len()));
    })]
}
