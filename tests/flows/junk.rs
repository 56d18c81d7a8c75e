//! Suspect mail is accepted and goes to the Junk mailbox, and never on to another host.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use tests::mail_exchange::Exchange;
use tests::site::{Plan, Site};
use tests::smtp::{Reply, message};
use tests::stranger::{self, ADDRESS, NAME};
use tests::wait;

const SENDER: &str = "eve@example.net";

fn site_with(change: impl FnOnce(&mut Plan)) -> Site {
    let site = Site::start_with(|plan| {
        stranger::trust_proxy(plan);
        change(plan);
    });
    stranger::publish(&site.dns);
    site.dns
        .text("_dmarc.shop.example", "v=DMARC1; p=quarantine")
        .text("_dmarc.bank.example", "v=DMARC1; p=reject");
    site
}

fn send(site: &Site, to: &[&str], letter: &str) -> Reply {
    stranger::connect(site, ADDRESS, NAME).mail(SENDER, to, letter).unwrap()
}

fn junk(site: &Site, user: usize) -> Vec<String> {
    let mut reader = site.services.imap_client(user);
    reader.command("EXAMINE Junk").unwrap().ok();
    let answer = reader.command("UID FETCH 1:* (UID BODY.PEEK[])").unwrap().ok();
    answer.untagged.into_iter().filter(|response| response.contains(" FETCH (")).collect()
}

/// The message with these words once it is in the Junk mailbox of that user; it is nowhere else.
#[track_caller]
fn await_junk(site: &Site, user: usize, words: &str) -> String {
    let text = wait::until(&format!("{words} is in Junk"), || {
        junk(site, user).into_iter().find(|text| text.contains(words))
    });
    assert!(site.services.inbox(user).iter().all(|text| !text.contains(words)), "it is in INBOX as well");
    text.replace("\r\n ", " ").replace("\r\n\t", " ")
}

#[test]
fn quarantined_mail_is_in_junk_and_says_why() {
    let site = site_with(|_| {});
    send(&site, &["bob@example.org"], &message("a@shop.example", "bob@example.org", "suspect")).expect(250);
    let text = await_junk(&site, 1, "Subject: suspect");
    assert!(text.contains("\r\nMailstead-Policy: junk; reverse name pass: "), "{text}");
    assert!(text.contains("; DMARC fail: ") && text.contains("asks to treat it as suspicious"), "{text}");
}

#[test]
fn a_list_that_breaks_the_authors_signature_is_not_refused() {
    let site = site_with(|_| {});
    let sign = |domain: &str, letter: &str| stranger::sign(domain, letter, &site.dns);
    let original = message("ceo@bank.example", "talk@lists.example.net", "posting");
    let signed = sign("bank.example", &original) + &original;
    // As the author sent it, it is mail of its domain.
    send(&site, &["bob@example.org"], &signed).expect(250);
    let text = site.services.await_message(1, "Subject: posting").replace("\r\n ", " ");
    assert!(text.contains("Mailstead-Policy: accepted; "), "{text}");

    let with_footer =
        format!("List-Id: Talk <talk.lists.example.net>\n{signed}-- \nTo leave the list, write to us.\n")
            .replace("Subject: posting", "Subject: [talk] posting");
    let by_list = sign("lists.example.net", &with_footer) + &with_footer;
    send(&site, &["bob@example.org"], &by_list).expect(250);
    let text = await_junk(&site, 1, "Subject: [talk] posting");
    assert!(text.contains("Mailstead-Policy: junk; ") && text.contains("; DMARC fail: "), "{text}");

    // The name alone, without the list's signature, helps no forger.
    let reply = send(&site, &["bob@example.org"], &with_footer);
    reply.expect_status(550, "5.7.1");
}

#[test]
fn junk_is_not_forwarded() {
    let exchange = Exchange::start("mx.far.example");
    let site = site_with(|plan| {
        plan.mta.outbound.port = exchange.address().port();
        let targets = ["ann@far.example", "bob@example.org"].map(str::to_owned);
        plan.aliases.push(("team@example.org".to_owned(), targets.to_vec()));
        plan.aliases.push(("away@example.org".to_owned(), targets[..1].to_vec()));
    });
    site.dns.host("mx.far.example", exchange.address().ip()).mx("far.example", 10, "mx.far.example");
    let letter = |author, words| message(author, "team@example.org", words);
    send(&site, &["team@example.org"], &letter("a@shop.example", "suspect")).expect(250);
    await_junk(&site, 1, "Subject: suspect");
    send(&site, &["away@example.org"], &letter("a@shop.example", "refused")).expect_status(550, "5.7.1");
    // Mail that is sent later and arrives shows that the first was not merely late.
    send(&site, &["team@example.org"], &letter(SENDER, "honest")).expect(250);
    exchange.await_message("Subject: honest");
    assert_eq!(exchange.accepted().len(), 1);
}

#[test]
fn while_the_mail_store_is_down_the_sender_keeps_junk() {
    let mut site = site_with(|_| {});
    site.mda().kill_everything();
    // The test holds the socket, so a connection would wait for the restart.
    let (socket, away) = (site.services.lmtp.clone(), site.folder().join("away.sock"));
    fs::rename(&socket, &away).unwrap();
    let letter = message("a@shop.example", "bob@example.org", "patient");
    send(&site, &["bob@example.org"], &letter).expect_status(451, "4.3.0");
    assert!(site.mta().log().contains("cannot connect to the mail store"));
    fs::rename(&away, &socket).unwrap();
    site.start_mda();
    send(&site, &["bob@example.org"], &letter).expect(250);
    let text = await_junk(&site, 1, "Subject: patient");
    assert!(text.contains("Mailstead-Policy: junk; "), "{text}");
    assert_eq!(junk(&site, 1).len(), 1);
}
