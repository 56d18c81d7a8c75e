//! A full mailbox: the sender gets a reply at RCPT and keeps the message, and no mail is lost or bounced.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use address::Address;
use handover::config::{Quotas, UserQuota};
use tests::site::Site;
use tests::smtp::message;
use tests::wait;

const STRANGER: &str = "stranger@example.com";
const BOB: &str = "bob@example.org";

/// A site where Bob has a quota of this many octets, and the others have none.
fn site(octets: u64) -> Site {
    Site::start_with(|plan| {
        let bob = UserQuota { user: Address::parse(BOB).unwrap(), octets: Some(octets) };
        let quotas = Quotas { default: None, users: vec![bob] };
        (plan.mta.quotas, plan.mda.quotas) = (quotas.clone(), quotas);
    })
}

/// Fills Bob's INBOX by APPEND up to about this many octets.
fn fill(site: &Site, octets: usize) {
    let mut bob = site.services.imap_client(1);
    bob.append("INBOX", &format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(octets - 20))).unwrap().ok();
}

fn empty(site: &Site) {
    let mut bob = site.services.imap_client(1);
    bob.command("SELECT INBOX").unwrap().ok();
    bob.command("STORE 1:* +FLAGS.SILENT (\\Deleted)").unwrap().ok();
    bob.command("EXPUNGE").unwrap().ok();
}

#[test]
fn a_full_mailbox_is_refused_at_rcpt_and_others_receive_mail() {
    let site = site(10_000);
    fill(&site, 9_500);
    let mut stranger = site.services.smtp_client();
    // With a declared size, RCPT is refused.
    stranger.command(&format!("MAIL FROM:<{STRANGER}> SIZE=2000")).unwrap().expect(250);
    stranger.command(&format!("RCPT TO:<{BOB}>")).unwrap().expect_status(452, "4.2.2");
    stranger.command("RCPT TO:<bob+list@example.org>").unwrap().expect_status(452, "4.2.2");
    stranger.command("RCPT TO:<ann@example.org>").unwrap().expect(250);
    stranger.command("RSET").unwrap().expect(250);

    // Without, it is refused at its end, with the same reply as at RCPT.
    let letter = message(STRANGER, BOB, "too-long") + &"y".repeat(900);
    stranger.mail(STRANGER, &[BOB], &letter).unwrap().expect_status(452, "4.2.2");
    fill(&site, 490);
    stranger
        .mail(STRANGER, &[BOB], &message(STRANGER, BOB, "to-the-full"))
        .unwrap()
        .expect_status(452, "4.2.2");

    empty(&site);
    stranger.mail(STRANGER, &[BOB], &message(STRANGER, BOB, "there-is-room")).unwrap().expect(250);
    site.services.await_message(1, "there-is-room");
    assert_eq!(site.services.inbox(1).len(), 1, "the refused message was not stored");
}

#[test]
fn a_users_mail_to_a_full_mailbox_waits_until_there_is_room() {
    let mut site = site(10_000);
    fill(&site, 9_990);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", BOB, "patient");
    submitter.mail("ann@example.org", &[BOB], &letter).unwrap().expect(250);
    wait::until_true("delivery was attempted", || site.mta().log().contains("Mailbox full"));
    empty(&site);
    site.services.await_message(1, "patient");
    assert!(site.services.inbox(0).is_empty(), "no failure was reported");
}

#[test]
fn a_full_recipient_does_not_delay_the_other() {
    let site = site(10_000);
    fill(&site, 9_600);
    let mut stranger = site.services.smtp_client();
    // Small enough for RCPT, where the size is unknown, and too large at its end.
    let letter = message(STRANGER, BOB, "for-both") + &"z".repeat(900);
    stranger.mail(STRANGER, &[BOB, "ann@example.org"], &letter).unwrap().expect(250);
    site.services.await_message(0, "for-both");
    empty(&site);
    site.services.await_message(1, "for-both");
}
