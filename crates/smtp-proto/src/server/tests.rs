//! Cases that transcripts cannot show: dropped requests, differing answers, and the largest amount that a session
//! holds.

use super::*;

fn session(dialect: Dialect) -> Session {
    let hostname = Domain::parse("mail.example.org").unwrap();
    let settings = Settings { dialect, hostname, message_size: 1 << 30, recipients: 1_000, starttls: true };
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    session.sent();
    session
}

fn feed(session: &mut Session, mut octets: &[u8]) {
    while !octets.is_empty() {
        let space = session.space();
        let count = space.len().min(octets.len());
        space[..count].copy_from_slice(&octets[..count]);
        session.filled(count);
        octets = &octets[count..];
    }
}

/// Runs the session until it needs input, accepts every request, and returns the session's output.
fn accept_all(session: &mut Session) -> String {
    let mut output = Vec::new();
    loop {
        match session.next() {
            Event::Output => {
                output.extend_from_slice(session.output());
                session.sent();
            }
            Event::Input | Event::Closed => return String::from_utf8(output).unwrap(),
            Event::Hello(request) => request.accept(),
            Event::Mail(request) => request.accept(),
            Event::Rcpt(request) => request.accept(),
            Event::Data(request) => request.accept(),
            Event::Login(request) => request.accept(),
            Event::Message(request) => request.answer(&replies::MESSAGE_ACCEPTED),
            Event::Delivery(request) => request.answer([]),
            Event::StartTls(request) => request.done(),
            Event::Body(_) | Event::BodyRefused(_) | Event::Reset => {}
        }
    }
}

#[test]
fn a_request_dropped_without_an_answer_is_refused_temporarily_and_the_session_continues() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\n");
    accept_all(&mut session);
    feed(&mut session, b"MAIL FROM:<>\r\n");
    assert!(matches!(session.next(), Event::Mail(_)));
    assert_eq!(accept_all(&mut session), "451 4.3.0 Local error, try again later\r\n");
    feed(&mut session, b"MAIL FROM:<>\r\n");
    accept_all(&mut session);
    feed(&mut session, b"RCPT TO:<a@example.org>\r\n");
    assert!(matches!(session.next(), Event::Rcpt(_)));
    assert!(accept_all(&mut session).starts_with("451 "));
    feed(&mut session, b"RCPT TO:<a@example.org>\r\nDATA\r\n.\r\n");
    assert!(accept_all(&mut session).ends_with("250 2.0.0 Message accepted\r\n"));
}

#[test]
fn no_input_is_read_past_a_pending_request() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\n");
    let Event::Hello(request) = session.next() else { panic!("no hello") };
    request.accept();
    let Event::Mail(request) = session.next() else { panic!("no sender") };
    request.refuse(&replies::SYSTEM_FULL);
    let output = accept_all(&mut session);
    assert!(output.contains("452 4.3.1") && output.ends_with("503 5.5.1 Need MAIL first\r\n"), "{output}");
}

#[test]
fn a_dropped_starttls_request_closes_the_session() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\nSTARTTLS\r\n");
    let mut open = true;
    while open {
        match session.next() {
            Event::Hello(request) => request.accept(),
            Event::Output => session.sent(),
            Event::StartTls(_) => open = false,
            event => panic!("{event:?}"),
        }
    }
    assert!(matches!(session.next(), Event::Closed));
}

#[test]
fn lmtp_sends_one_reply_for_each_recipient() {
    for (answers, expected) in [
        (
            vec![replies::DELIVERED, replies::MAILBOX_FULL],
            "250 2.1.5 Delivered\r\n452 4.2.2 Mailbox full, try again later\r\n",
        ),
        (vec![replies::DELIVERED], "250 2.1.5 Delivered\r\n451 4.3.0 Local error, try again later\r\n"),
        (vec![replies::DELIVERED; 3], "250 2.1.5 Delivered\r\n250 2.1.5 Delivered\r\n"),
    ] {
        let mut session = session(Dialect::Lmtp);
        feed(
            &mut session,
            b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n",
        );
        accept_all(&mut session);
        feed(&mut session, b".\r\n");
        let Event::Delivery(request) = session.next() else { panic!("no delivery") };
        assert_eq!(request.recipients, 2);
        request.answer(answers);
        assert_eq!(accept_all(&mut session), expected);
    }
}

#[test]
fn no_command_is_read_while_many_replies_wait_to_be_sent() {
    let mut session = session(Dialect::Smtp);
    for _ in 0..100 {
        feed(&mut session, &b"HELP\r\n".repeat(100));
        while !matches!(session.next(), Event::Output) {}
        assert!(session.output().len() <= limits::OUTPUT + 200);
        while !matches!(session.next(), Event::Input) {
            session.sent();
        }
    }
}

#[test]
fn a_message_is_passed_on_in_the_pieces_that_were_read() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    accept_all(&mut session);
    let line = b"0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
    for _ in 0..100 {
        let space = session.space();
        let count = space.len() / line.len() * line.len();
        space[..count].copy_from_slice(&line.repeat(count / line.len()));
        session.filled(count);
        assert!(matches!(session.next(), Event::Body(piece) if piece.len() == count));
        assert!(matches!(session.next(), Event::Input));
    }
}

/// A submission session under TLS that has been greeted.
fn submission() -> Session {
    let hostname = Domain::parse("mail.example.org").unwrap();
    let settings = Settings {
        dialect: Dialect::Submission,
        hostname,
        message_size: 1 << 30,
        recipients: 1_000,
        starttls: true,
    };
    let mut session = Session::new(Arc::new(settings), Security::Tls);
    feed(&mut session, b"EHLO a\r\n");
    accept_all(&mut session);
    session
}

#[test]
fn an_auth_line_may_have_12288_octets() {
    // RFC 4954 §4; neither response is valid, but the shorter one is read.
    for (octets, code) in [(12_288, "501 5.5.2"), (12_289, "500 5.5.6")] {
        let mut session = submission();
        feed(&mut session, format!("AUTH PLAIN {}\r\n", "A".repeat(octets - 13)).as_bytes());
        let output = accept_all(&mut session);
        assert!(output.starts_with(code), "{octets}: {output}");

        let mut session = submission();
        feed(&mut session, b"AUTH PLAIN\r\n");
        assert_eq!(accept_all(&mut session), "334 \r\n");
        feed(&mut session, format!("{}\r\n", "A".repeat(octets - 2)).as_bytes());
        let output = accept_all(&mut session);
        assert!(output.starts_with(code), "{octets}: {output}");
    }
}

#[test]
fn an_impossible_password_counts_as_a_failed_login() {
    let mut session = submission();
    feed(&mut session, b"AUTH LOGIN YW5u\r\n");
    accept_all(&mut session);
    for answer in ["535 5.7.8", "535 5.7.8", "535 5.7.8", "535 5.7.8", "535 5.7.8", "421 4.7.0"] {
        feed(&mut session, b"\r\nAUTH LOGIN YW5u\r\n");
        let output = accept_all(&mut session);
        assert!(output.starts_with(answer), "{output}");
    }
}

#[test]
fn only_permanent_refusals_of_recipients_end_the_session() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\nMAIL FROM:<>\r\n");
    accept_all(&mut session);
    let mut refuse = |reply: &Reply| {
        feed(&mut session, b"RCPT TO:<a@example.org>\r\n");
        let Event::Rcpt(request) = session.next() else { panic!("no recipient") };
        request.refuse(reply);
        accept_all(&mut session)
    };
    for _ in 0..1000 {
        assert!(refuse(&replies::TOO_MANY_RECIPIENTS).starts_with("452 4.5.3"));
    }
    for _ in 0..200 {
        assert!(refuse(&replies::UNKNOWN_RECIPIENT).starts_with("550 5.1.1"));
    }
    assert!(refuse(&replies::UNKNOWN_RECIPIENT).starts_with("421 4.7.0"));
}

#[test]
fn the_first_chunk_of_a_refused_message_is_dropped() {
    for refuse in [true, false] {
        let mut session = session(Dialect::Smtp);
        feed(&mut session, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
        accept_all(&mut session);
        feed(&mut session, b"BDAT 6\r\nQUIT\r\nNOOP\r\n");
        let Event::Data(request) = session.next() else { panic!("no message") };
        if refuse {
            request.refuse(&replies::LOCAL_ERROR);
        }
        assert_eq!(accept_all(&mut session), "451 4.3.0 Local error, try again later\r\n250 2.0.0 OK\r\n");
    }
}

#[test]
fn a_chunk_is_passed_on_in_the_pieces_that_were_read() {
    let mut session = session(Dialect::Smtp);
    feed(&mut session, b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1000000000 LAST\r\n");
    accept_all(&mut session);
    for _ in 0..100 {
        let space = session.space();
        let count = space.len();
        assert!(count >= 16 * 1024);
        space.fill(b'.');
        session.filled(count);
        assert!(matches!(session.next(), Event::Body(piece) if piece.len() == count));
        assert!(matches!(session.next(), Event::Input));
        assert!(session.receives_message());
    }
}
