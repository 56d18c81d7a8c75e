//! Each kind of bad input gets its own reply, and the session continues: a correct message afterwards is not lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::demo::Demo;
use tests::site::Site;
use tests::smtp::{Smtp, message};

const STRANGER: &str = "stranger@example.com";

#[track_caller]
fn still_accepts_mail(session: &mut Smtp, to: &str, subject: &str) {
    session.command("RSET").unwrap().expect(250);
    session.mail(STRANGER, &[to], &message(STRANGER, to, subject)).unwrap().expect(250);
}

#[test]
fn wrong_and_missing_passwords_get_different_replies() {
    let demo = Demo::start();
    let mut session = demo.services.submission_session();
    session.log_in(demo.services.user(0), "not the password").unwrap().expect_status(535, "5.7.8");
    session.log_in("unknown@example.org", "not the password").unwrap().expect_status(535, "5.7.8");
    let user = &demo.services.users[0];
    session.log_in(&user.address, &user.password).unwrap().expect_status(235, "2.7.0");

    let address = demo.services.address("imaps");
    let mut reader =
        tests::imap::Imap::connect_secure(address, demo.services.tls_config(), &demo.services.hostname)
            .unwrap();
    let answer = reader.log_in(&user.address, "not the password").unwrap();
    assert!(answer.tagged.starts_with("NO [AUTHENTICATIONFAILED]"), "{answer:?}");
    reader.log_in(&user.address, &user.password).unwrap().ok();
}

#[test]
fn only_the_unknown_recipient_is_refused() {
    let site = Site::start();
    let mut session = site.services.smtp_client();
    session.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
    session.command("RCPT TO:<unknown@example.org>").unwrap().expect_status(550, "5.1.1");
    session.command("RCPT TO:<bob@example.org>").unwrap().expect_status(250, "2.1.5");
    session.command("DATA").unwrap().expect(354);
    session.data(&message(STRANGER, "bob@example.org", "despite-unknown")).unwrap().expect(250);
    assert_eq!(site.services.inbox(1).len(), 1);
}

#[test]
fn a_message_too_large_is_refused_when_announced_and_when_sent() {
    let site = Site::start_with(|plan| plan.mta.limits.message_size = 100_000);
    let mut session = site.services.smtp_client();
    session.command("MAIL FROM:<stranger@example.com> SIZE=100001").unwrap().expect_status(552, "5.3.4");

    let line = format!("{}\n", "x".repeat(76));
    let large = message(STRANGER, "bob@example.org", "too-large") + &line.repeat(2_000);
    session.mail(STRANGER, &["bob@example.org"], &large).unwrap().expect_status(552, "5.3.4");
    still_accepts_mail(&mut session, "bob@example.org", "after-too-large");
    let inbox = site.services.inbox(1);
    assert!(inbox.len() == 1 && inbox[0].contains("after-too-large"), "{inbox:?}");
}

#[test]
fn a_command_line_too_long_is_refused_as_a_whole() {
    let site = Site::start();
    let mut session = site.services.smtp_client();
    // RFC 5321 §4.5.3.1.4; its rest is not parsed as a command.
    session.command(&format!("NOOP {}", "x".repeat(100_000))).unwrap().expect_status(500, "5.5.6");
    still_accepts_mail(&mut session, "bob@example.org", "after-long-line");
    assert_eq!(site.services.inbox(1).len(), 1);
}

#[test]
fn a_nul_in_a_command_is_a_syntax_error() {
    let site = Site::start();
    let mut session = site.services.smtp_client();
    session.send(b"MAIL FROM:<stran\0ger@example.com>\r\n").unwrap();
    let reply = session.reply().unwrap();
    assert!(matches!(reply.code, 500 | 501), "{reply:?}");
    still_accepts_mail(&mut session, "bob@example.org", "after-nul");
    assert_eq!(site.services.inbox(1).len(), 1);
}

#[test]
fn a_nul_in_a_message_is_refused_at_its_end() {
    let site = Site::start();
    let mut session = site.services.smtp_client();
    let letter = message(STRANGER, "bob@example.org", "with-nul") + "a\0b\n";
    let reply = session.mail(STRANGER, &["bob@example.org"], &letter).unwrap();
    assert_eq!((reply.code, reply.enhanced()), (554, Some("5.6.11")), "{reply:?}");
    still_accepts_mail(&mut session, "bob@example.org", "after-nul");
    let inbox = site.services.inbox(1);
    assert!(inbox.len() == 1 && inbox[0].contains("after-nul"), "{inbox:?}");
}

#[test]
fn bare_line_feeds_do_not_end_a_message() {
    let site = Site::start();
    let mut session = site.services.smtp_client();
    session.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
    session.command("RCPT TO:<bob@example.org>").unwrap().expect(250);
    session.command("DATA").unwrap().expect(354);
    session
        .send(
            b"Subject: smuggler\r\n\r\nbody\n.\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<ann@example.org>\r\n\
              DATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n",
        )
        .unwrap();
    // One reply to one message, and it is a refusal: nothing after the false end was parsed as a command.
    let reply = session.reply().unwrap();
    assert!((500..600).contains(&reply.code), "{reply:?}");
    assert!(session.reply().is_err(), "the connection is closed");
    still_accepts_mail(&mut site.services.smtp_client(), "bob@example.org", "after-smuggler");
    assert!(site.services.inbox(0).is_empty());
    assert_eq!(site.services.inbox(1).len(), 1);
}
