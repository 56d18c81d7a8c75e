//! No relaying without a password, whatever address a client comes from: all of these come from loopback.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::demo::Demo;
use tests::mail_exchange::Exchange;
use tests::smtp::{Smtp, message};

const ELSEWHERE: &str = "someone@example.net";

#[test]
fn a_peer_cannot_relay() {
    let demo = Demo::start();
    let mut stranger = demo.services.smtp_client();
    stranger.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
    stranger.command(&format!("RCPT TO:<{ELSEWHERE}>")).unwrap().expect_status(550, "5.7.1");
    // Source routes and percent signs do not bypass it.
    for trick in [
        "someone%example.net@example.org",
        "@example.org:someone@example.net",
        "\"someone@example.net\"@example.org",
    ] {
        let trick = trick.replace("example.org", &demo.domain);
        let reply = stranger.command(&format!("RCPT TO:<{trick}>")).unwrap();
        assert!((500..600).contains(&reply.code), "{trick}: {reply:?}");
    }
    // A client that was refused can still send to a local user.
    stranger.command(&format!("RCPT TO:<{}>", demo.services.user(0))).unwrap().expect(250);
}

#[test]
fn a_peer_cannot_relay_with_a_local_sender() {
    let demo = Demo::start();
    let mut stranger = demo.services.smtp_client();
    stranger.command(&format!("MAIL FROM:<{}>", demo.services.user(0))).unwrap().expect(250);
    stranger.command(&format!("RCPT TO:<{ELSEWHERE}>")).unwrap().expect_status(550, "5.7.1");
}

#[test]
fn submission_requires_authentication() {
    let demo = Demo::start();
    let mut clear = Smtp::connect(demo.services.address("submission")).unwrap();
    let offers = clear.hello().unwrap().expect(250);
    assert!(
        !offers.lines.iter().any(|line| line.starts_with("AUTH")),
        "AUTH is offered without TLS: {offers:?}"
    );
    let reply = clear.command(&format!("MAIL FROM:<{}>", demo.services.user(0))).unwrap();
    assert!((500..600).contains(&reply.code), "{reply:?}");

    let mut secure = demo.services.submission_session();
    secure.command(&format!("MAIL FROM:<{}>", demo.services.user(0))).unwrap().expect_status(530, "5.7.0");
}

#[test]
fn a_login_cannot_send_as_another_user() {
    let elsewhere = Exchange::start("mx.example.net");
    let demo = Demo::start_with(&["--relay-to", &elsewhere.address().to_string()]);
    let mut submitter = demo.services.submission_client(0);
    let reply = submitter.command(&format!("MAIL FROM:<{}>", demo.services.user(1))).unwrap();
    assert_eq!((reply.code, reply.enhanced()), (553, Some("5.7.1")), "{reply:?}");

    // Not in the header alone either.
    let forged = message(demo.services.user(1), ELSEWHERE, "forged");
    let reply = submitter.mail(demo.services.user(0), &[ELSEWHERE], &forged).unwrap();
    assert_eq!((reply.code, reply.enhanced()), (554, Some("5.7.1")), "{reply:?}");
    assert!(elsewhere.accepted().is_empty());
}
