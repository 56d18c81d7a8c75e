//! Tests against a script of the server's replies and the commands that must follow each.

use address::{ForwardPath, Host, ReversePath};
use sasl::Password;

use super::*;

fn settings(dialect: Dialect) -> Settings {
    Settings { dialect, hello_name: Host::parse("mx.example.org").unwrap(), tls: Tls::Never, login: None }
}

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        sender: ReversePath::parse("<ann@example.org>").unwrap(),
        recipients: recipients
            .iter()
            .map(|name| ForwardPath::parse(&format!("<{name}@example.net>")).unwrap())
            .collect(),
        size: 7,
        body: BodyKind::SevenBit,
        has_utf8_header: false,
        requires_tls: false,
        id: None,
        is_junk: false,
    }
}

/// A client's session with the envelopes that it sends, and its results.
struct ScriptedSession {
    session: Session,
    envelopes: Vec<Envelope>,
    finished: Vec<Vec<Outcome>>,
    unusable: Option<Reply>,
}

impl ScriptedSession {
    fn new(settings: Settings, envelopes: Vec<Envelope>) -> Self {
        let session = Session::new(Arc::new(settings), Security::Clear);
        Self { session, envelopes, finished: Vec::new(), unusable: None }
    }

    /// Feeds a reply of the server; returns the client's next commands.
    fn reply(&mut self, reply: &str) -> String {
        for octet in reply.bytes() {
            self.session.space()[0] = octet;
            self.session.filled(1);
        }
        let mut sent = String::new();
        loop {
            match self.session.next() {
                Event::Output => {
                    sent.push_str(std::str::from_utf8(self.session.output()).unwrap());
                    self.session.sent();
                }
                Event::Input | Event::Closed => return sent,
                Event::StartTls(handshake) => {
                    sent.push_str("(handshake)\r\n");
                    handshake.done();
                }
                Event::Ready(idle) if self.envelopes.is_empty() => idle.quit(),
                Event::Ready(idle) => idle.send(self.envelopes.remove(0)),
                Event::Message(sending) => {
                    sent.push_str("(message)\r\n");
                    sending.done();
                }
                Event::Finished(outcomes) => self.finished.push(outcomes),
                Event::Unusable(reply) | Event::LoginRefused(reply) => self.unusable = Some(reply),
            }
        }
    }

    fn words(&self) -> Vec<Vec<String>> {
        let word = |outcome: &Outcome| {
            let word = match outcome {
                Outcome::Delivered(_) => "delivered",
                Outcome::Deferred(_) => "deferred",
                Outcome::Failed(_) => "failed",
            };
            format!("{word} {}", outcome.reply().code().number())
        };
        self.finished.iter().map(|outcomes| outcomes.iter().map(word).collect()).collect()
    }
}

#[test]
fn without_pipelining_each_command_waits_for_its_reply() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a", "b"])]);
    assert_eq!(client.reply("220 old SMTP\r\n"), "EHLO mx.example.org\r\n");
    assert_eq!(client.reply("500 what?\r\n"), "HELO mx.example.org\r\n");
    assert_eq!(client.reply("250 old\r\n"), "MAIL FROM:<ann@example.org>\r\n");
    assert_eq!(client.reply("250 ok\r\n"), "RCPT TO:<a@example.net>\r\n");
    assert_eq!(client.reply("250 ok\r\n"), "RCPT TO:<b@example.net>\r\n");
    assert_eq!(client.reply("550 no\r\n"), "DATA\r\n");
    assert_eq!(client.reply("354 go\r\n"), "(message)\r\n");
    assert_eq!(client.reply("250 mine\r\n"), "QUIT\r\n");
    assert_eq!(client.reply("221 bye\r\n"), "");
    assert_eq!(client.words(), [["delivered 250", "failed 550"]]);
}

#[test]
fn pipelining_sends_the_envelope_at_once() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a", "b"])]);
    client.reply("220 x ESMTP\r\n");
    assert_eq!(
        client.reply("250-x\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"),
        "MAIL FROM:<ann@example.org> SIZE=7\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    );
    assert_eq!(client.reply("250 ok\r\n450 later\r\n250 ok\r\n354 go\r\n"), "(message)\r\n");
    client.reply("250 mine\r\n");
    assert_eq!(client.words(), [["deferred 450", "delivered 250"]]);
}

#[test]
fn a_peer_that_accepts_data_without_recipients_gets_a_single_dot() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    assert_eq!(client.reply("250 ok\r\n550 no\r\n354 go\r\n"), ".\r\n");
    assert_eq!(client.reply("554 empty\r\n"), "QUIT\r\n");
    assert_eq!(client.words(), [["failed 550"]]);
}

#[test]
fn a_refused_sender_fails_each_recipient_after_all_pipelined_replies() {
    let mut client =
        ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a", "b"]), envelope(&["c"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    assert_eq!(client.reply("550 5.7.1 not you\r\n503 x\r\n503 x\r\n503 x\r\n"), "RSET\r\n");
    assert_eq!(client.words(), [["failed 550", "failed 550"]]);
    assert!(
        client.reply("250 ok\r\n").starts_with("MAIL FROM:<ann@example.org>\r\nRCPT TO:<c@example.net>\r\n")
    );
}

#[test]
fn lmtp_answers_for_each_accepted_recipient() {
    let mut client = ScriptedSession::new(settings(Dialect::Lmtp), vec![envelope(&["a", "b", "c", "d"])]);
    assert_eq!(client.reply("220 x LMTP\r\n"), "LHLO mx.example.org\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    client.reply("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    assert_eq!(client.reply("250 mine\r\n452 full\r\n"), "");
    assert_eq!(client.reply("552 never\r\n"), "QUIT\r\n");
    assert_eq!(client.words(), [["delivered 250", "failed 550", "deferred 452", "failed 552"]]);
}

#[test]
fn the_envelope_id_is_sent_when_dsn_is_offered() {
    let named = || Envelope { id: EnvelopeId::new("01jd+a b"), ..envelope(&["a"]) };
    let mut client = ScriptedSession::new(settings(Dialect::Lmtp), vec![named()]);
    client.reply("220 x LMTP\r\n");
    assert_eq!(client.reply("250-x\r\n250 DSN\r\n"), "MAIL FROM:<ann@example.org> ENVID=01jd+2Ba+20b\r\n");

    let mut client = ScriptedSession::new(settings(Dialect::Lmtp), vec![named()]);
    client.reply("220 x LMTP\r\n");
    assert_eq!(client.reply("250 x\r\n"), "MAIL FROM:<ann@example.org>\r\n");
}

#[test]
fn a_552_for_too_many_recipients_is_temporary() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a", "b"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    client.reply("250 ok\r\n552 too many\r\n552 5.2.2 full\r\n503 none\r\n");
    assert_eq!(client.words(), [["deferred 552", "failed 552"]]);
}

#[test]
fn after_starttls_the_hello_is_sent_again_and_clear_text_capabilities_are_discarded() {
    let settings = Settings { tls: Tls::WhenOffered, ..settings(Dialect::Smtp) };
    let mut client = ScriptedSession::new(settings, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    assert_eq!(client.reply("250-x\r\n250-PIPELINING\r\n250 STARTTLS\r\n"), "STARTTLS\r\n");
    assert_eq!(
        client.reply("220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"),
        "(handshake)\r\nEHLO mx.example.org\r\n"
    );
    assert_eq!(client.reply("250 x\r\n"), "MAIL FROM:<ann@example.org>\r\n");
}

#[test]
fn without_required_tls_nothing_is_sent() {
    let settings = Settings { tls: Tls::Required, ..settings(Dialect::Smtp) };
    let mut client = ScriptedSession::new(settings, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    assert_eq!(client.reply("250 x\r\n"), "");
    assert_eq!(client.unusable, Some(replies::PEER_WITHOUT_TLS));
}

#[test]
fn a_password_is_sent_under_tls_only() {
    let password = Password::new("correct horse").unwrap();
    let login = Some(Credentials { login: "ann".to_owned(), password });
    let clear = Settings { login: login.clone(), ..settings(Dialect::Submission) };
    let mut client = ScriptedSession::new(clear, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    assert_eq!(client.reply("250-x\r\n250 AUTH PLAIN\r\n"), "");
    assert_eq!(client.unusable, Some(replies::PEER_WITHOUT_TLS));

    let protected = Settings { login, tls: Tls::Required, ..settings(Dialect::Submission) };
    let mut client = ScriptedSession::new(protected, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 STARTTLS\r\n");
    client.reply("220 go\r\n");
    assert_eq!(client.reply("250-x\r\n250 AUTH LOGIN PLAIN\r\n"), "AUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl\r\n");
    assert_eq!(client.reply("235 in\r\n"), "MAIL FROM:<ann@example.org>\r\n");
}

#[test]
fn auth_login_sends_name_and_password_in_reply_to_challenges() {
    let login =
        Some(Credentials { login: "ann".to_owned(), password: Password::new("correct horse").unwrap() });
    let protected = Settings { login, tls: Tls::Required, ..settings(Dialect::Submission) };
    let mut client = ScriptedSession::new(protected, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 STARTTLS\r\n");
    client.reply("220 go\r\n");
    assert_eq!(client.reply("250-x\r\n250 AUTH CRAM-MD5 LOGIN\r\n"), "AUTH LOGIN\r\n");
    assert_eq!(client.reply("334 VXNlcm5hbWU6\r\n"), "YW5u\r\n");
    assert_eq!(client.reply("334 UGFzc3dvcmQ6\r\n"), "Y29ycmVjdCBob3JzZQ==\r\n");
    assert_eq!(client.reply("535 5.7.8 no\r\n"), "");
    assert_eq!(client.unusable.map(|reply| reply.to_string()).as_deref(), Some("535 5.7.8 no"));
}

#[test]
fn a_long_password_is_sent_after_the_challenge() {
    let login =
        Some(Credentials { login: "ann".to_owned(), password: Password::new("x".repeat(600)).unwrap() });
    let protected = Settings { login, tls: Tls::Required, ..settings(Dialect::Submission) };
    let mut client = ScriptedSession::new(protected, vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 STARTTLS\r\n");
    client.reply("220 go\r\n");
    assert_eq!(client.reply("250-x\r\n250 AUTH PLAIN\r\n"), "AUTH PLAIN\r\n");
    assert!(client.reply("334 \r\n").starts_with("AGFubgB4eHh4"));
    // A server that sends another challenge after PLAIN's response gets nothing more.
    assert_eq!(client.reply("334 \r\n"), "");
    assert!(client.unusable.is_some());
}

#[test]
fn a_probe_returns_the_outcome_of_each_recipient_and_sends_no_data() {
    let settings = settings(Dialect::Lmtp);
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    let reply = |session: &mut Session, text: &str| {
        for octet in text.bytes() {
            session.space()[0] = octet;
            session.filled(1);
        }
    };
    reply(&mut session, "220 x LMTP\r\n250-x\r\n250 PIPELINING\r\n");
    let (mut sent, mut finished) = (String::new(), Vec::new());
    let mut probes = 0;
    while finished.len() < 2 {
        match session.next() {
            Event::Output => {
                sent.push_str(std::str::from_utf8(session.output()).unwrap());
                session.sent();
            }
            Event::Ready(idle) => {
                idle.probe(envelope(&["a", "b"]));
                probes += 1;
            }
            Event::Input if probes == 1 => reply(&mut session, "250 ok\r\n250 ok\r\n452 4.2.2 full\r\n"),
            Event::Input => reply(&mut session, "250 reset\r\n451 later\r\n503 x\r\n503 x\r\n"),
            Event::Finished(outcomes) => finished.push(outcomes),
            event => panic!("{event:?}"),
        }
    }
    assert!(
        matches!(&finished[0][..], [Outcome::Delivered(_), Outcome::Deferred(full)] if full.code().number() == 452)
    );
    assert!(matches!(&finished[1][..], [Outcome::Deferred(_), Outcome::Deferred(_)]));
    assert!(sent.contains("RSET\r\n") && !sent.contains("DATA"), "{sent}");
}

#[test]
fn a_closed_channel_defers_recipients_without_an_outcome() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a", "b"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    assert_eq!(client.reply("250 ok\r\n550 no\r\n421 shutting down\r\n"), "");
    assert_eq!(client.words(), [["failed 550", "deferred 421"]]);

    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 PIPELINING\r\n");
    client.reply("250 ok\r\n250 ok\r\n354 go\r\n");
    let outcomes = client.session.abandon(&replies::CONNECTION_LOST);
    assert_eq!(outcomes, Some(vec![Outcome::Deferred(replies::CONNECTION_LOST)]));
}

#[test]
fn a_peer_with_a_malformed_reply_is_unusable() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a"])]);
    assert_eq!(client.reply("HTTP/1.1 400 Bad Request\r\n"), "");
    assert_eq!(client.unusable, Some(replies::MALFORMED_REPLY));
}

#[test]
fn many_recipients_are_sent_in_windows() {
    let names: Vec<String> = (0..250).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&names)]);
    client.reply("220 x ESMTP\r\n");
    let mut lines = client.reply("250-x\r\n250 PIPELINING\r\n").lines().count();
    assert_eq!(lines, transaction::WINDOW);
    while lines < 252 {
        lines += client.reply("250 ok\r\n").lines().count();
    }
    assert_eq!(client.reply(&"250 ok\r\n".repeat(transaction::WINDOW - 1)), "");
    assert_eq!(client.reply("354 go\r\n"), "(message)\r\n");
}

#[test]
fn a_chunk_follows_the_replies_to_the_recipients() {
    let envelopes = vec![envelope(&["a", "b"]), envelope(&["c"]), envelope(&["d"])];
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), envelopes);
    client.reply("220 x ESMTP\r\n");
    assert_eq!(
        client.reply("250-x\r\n250-PIPELINING\r\n250 chunking\r\n"),
        "MAIL FROM:<ann@example.org>\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\n"
    );
    assert_eq!(client.reply("250 ok\r\n550 no\r\n"), "");
    assert_eq!(client.reply("250 ok\r\n"), "BDAT 7 LAST\r\n(message)\r\n");
    let next = client.reply("552 too big\r\n");
    assert_eq!(next, "RSET\r\n", "a refused chunk leaves its transaction open");
    assert!(client.reply("250 ok\r\n").starts_with("MAIL "));
    assert_eq!(client.reply("250 ok\r\n250 ok\r\n"), "BDAT 7 LAST\r\n(message)\r\n");
    let next = client.reply("250 mine\r\n");
    assert!(next.starts_with("MAIL "), "{next}");
    assert_eq!(client.reply("250 ok\r\n550 no\r\n"), "QUIT\r\n");
    assert_eq!(client.words(), [vec!["failed 550", "failed 552"], vec!["delivered 250"], vec!["failed 550"]]);
}

#[test]
fn without_pipelining_a_chunk_saves_a_round_trip() {
    let mut client = ScriptedSession::new(settings(Dialect::Smtp), vec![envelope(&["a"])]);
    client.reply("220 x ESMTP\r\n");
    client.reply("250-x\r\n250 CHUNKING\r\n");
    assert_eq!(client.reply("250 ok\r\n"), "RCPT TO:<a@example.net>\r\n");
    assert_eq!(client.reply("250 ok\r\n"), "BDAT 7 LAST\r\n(message)\r\n");
    assert_eq!(client.reply("250 mine\r\n"), "QUIT\r\n");
}

#[test]
fn lmtp_uses_no_chunks() {
    let mut client = ScriptedSession::new(settings(Dialect::Lmtp), vec![envelope(&["a"])]);
    client.reply("220 x LMTP\r\n");
    assert!(client.reply("250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n").ends_with("DATA\r\n"));
}
