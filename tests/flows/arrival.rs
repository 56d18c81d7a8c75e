//! Mail from another host arrives and a mail client reads it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::demo::Demo;
use tests::smtp::message;

#[test]
fn mail_from_another_host_can_be_fetched() {
    let demo = Demo::start();
    let letter = message("stranger@example.com", demo.services.user(0), "first-letter");
    let mut stranger = demo.services.smtp_client();
    stranger.mail("stranger@example.com", &[demo.services.user(0)], &letter).unwrap().expect(250);

    // The message was stored before the 250 reply, so it is available at once.
    let mut reader = demo.services.imap_client(0);
    let select = reader.command("SELECT INBOX").unwrap().ok();
    let count = select.containing(" EXISTS").split(' ').next().unwrap().to_owned();
    let fetched = reader.command(&format!("FETCH {count} (FLAGS BODY[])")).unwrap().ok();
    let text = fetched.containing("BODY[]");
    assert!(text.contains("A letter about first-letter."), "{text}");
    assert!(text.contains("Return-Path: <stranger@example.com>"), "{text}");
    assert!(text.contains("Received: from client.example.com"), "{text}");
    assert!(text.contains(&format!("Authentication-Results: {}", demo.services.hostname)), "{text}");
}

#[test]
fn a_client_in_idle_is_notified_of_new_mail() {
    let demo = Demo::start();
    let mut reader = demo.services.imap_client(1);
    reader.command("SELECT INBOX").unwrap().ok();
    let response = reader.idle_until(" EXISTS", || {
        let letter = message("stranger@example.com", demo.services.user(1), "while-you-wait");
        let mut stranger = demo.services.smtp_client();
        stranger.mail("stranger@example.com", &[demo.services.user(1)], &letter).unwrap().expect(250);
    });
    let response = response.unwrap().ok();
    let count = response.containing(" EXISTS").split(' ').next().unwrap().to_owned();
    let fetched =
        reader.command(&format!("FETCH {count} (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")).unwrap().ok();
    assert!(fetched.containing("BODY[").contains("while-you-wait"), "{fetched:?}");
}

#[test]
fn one_message_to_both_users_is_stored_for_each() {
    let demo = Demo::start();
    let letter = message("stranger@example.com", demo.services.user(0), "to-both");
    let mut stranger = demo.services.smtp_client();
    let both = [demo.services.user(0), demo.services.user(1)];
    stranger.mail("stranger@example.com", &both, &letter).unwrap().expect(250);
    for number in [0, 1] {
        let found = demo.services.inbox(number).iter().filter(|message| message.contains("to-both")).count();
        assert_eq!(found, 1, "for user {number}");
    }
}
