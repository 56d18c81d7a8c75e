//! The policy refuses the mail of strangers whose DNS records, hello or author are wrong, and nothing of it remains.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use address::Domain;
use hickory_proto::rr::rdata::MX;
use hickory_proto::rr::{Name, RData};
use tests::dns::{Failure, NameServer};
use tests::site::{HOSTNAME, Site};
use tests::smtp::{Reply, message};
use tests::stranger::{self, ADDRESS, NAME};
use tests::wait;

const SENDER: &str = "eve@example.net";
const USER: &str = "bob@example.org";
const LISTED: &str = "203.0.113.66";

fn site() -> Site {
    let site = Site::start_with(|plan| {
        stranger::trust_proxy(plan);
        plan.mta.policy.blocklists = vec![Domain::parse("bl.example").unwrap()];
        plan.aliases.push(("postmaster@example.org".to_owned(), vec!["ann@example.org".to_owned()]));
    });
    stranger::publish(&site.dns);
    let other = |number| IpAddr::from([203, 0, 113, number]);
    site.dns
        .reverse(other(11), NAME)
        .reverse(other(66), "listed.example.net")
        .host("listed.example.net", other(66))
        .host("66.113.0.203.bl.example", Ipv4Addr::new(127, 0, 0, 2).into())
        .text("66.113.0.203.bl.example", "seen sending spam")
        .add("silent.example", RData::MX(MX::new(0, Name::root())))
        .text("bank.example", "v=spf1 -all")
        .text("_dmarc.bank.example", "v=DMARC1; p=reject");
    site
}

/// Sends a message from a host with this address and name.
fn send(site: &Site, (address, name): (&str, &str), sender: &str, author: &str, to: &str) -> Reply {
    stranger::connect(site, address, name)
        .mail(sender, &[to], &message(author, to, "from-a-stranger"))
        .unwrap()
}

/// The files of a site's queue and mail that contain some words.
fn files_with(site: &Site, words: &str) -> Vec<PathBuf> {
    fn search(folder: &Path, words: &[u8], found: &mut Vec<PathBuf>) {
        // The folder of a user is made for the first message.
        let Ok(entries) = fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                search(&path, words, found);
            } else if fs::read(&path).is_ok_and(|text| text.windows(words.len()).any(|part| part == words)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    search(site.queue(), words.as_bytes(), &mut found);
    search(site.mail(), words.as_bytes(), &mut found);
    found
}

#[test]
fn a_refused_stranger_learns_why_leaves_nothing_and_reaches_the_postmaster() {
    let site = site();
    let honest = (ADDRESS, NAME);
    let cases = [
        (("203.0.113.10", NAME), SENDER, SENDER, "5.7.25", "has no reverse name"),
        (("203.0.113.11", NAME), SENDER, SENDER, "5.7.25", "The reverse name mail.example.net"),
        ((ADDRESS, HOSTNAME), SENDER, SENDER, "5.7.1", "is a name of this server"),
        ((LISTED, "listed.example.net"), SENDER, SENDER, "5.7.1", "bl.example (seen sending spam)"),
        (honest, "eve@silent.example", SENDER, "5.7.27", "takes no mail (null MX)"),
        (honest, SENDER, "ceo@bank.example", "5.7.1", "DMARC: "),
    ];
    for (host, sender, author, status, words) in cases {
        let reply = send(&site, host, sender, author, USER).expect_status(550, status);
        let text = reply.lines.join(" ");
        assert!(text.contains(words), "{text}");
        assert!(text.contains("postmaster@example.org"), "{text}");
    }
    assert_eq!(files_with(&site, "from-a-stranger"), [] as [PathBuf; 0], "refused messages leave no file");

    for (number, (host, sender, author, ..)) in cases.into_iter().enumerate() {
        send(&site, host, sender, author, "postmaster@example.org").expect(250);
        wait::until_true("the postmaster has the message", || site.services.inbox(0).len() == number + 1);
    }
    assert_eq!(files_with(&site, "from-a-stranger").len(), cases.len(), "accepted messages are found");
    send(&site, honest, SENDER, SENDER, USER).expect(250);
    let text = site.services.await_message(1, "Subject: from-a-stranger").replace("\r\n ", " ");
    assert!(text.contains("Mailstead-Policy: accepted; reverse name pass: "), "{text}");
    assert_eq!(site.services.inbox(1).len(), 1);
}

#[test]
fn a_reverse_name_without_an_answer_is_waited_for() {
    let site = site();
    let reverse = "9.113.0.203.in-addr.arpa";
    site.dns.set_failure(reverse, Some(Failure::Fails));
    send(&site, (ADDRESS, NAME), SENDER, SENDER, USER).expect_status(451, "4.7.25");
    site.dns.set_failure(reverse, None);
    wait::until_true("the next attempt is accepted", || {
        send(&site, (ADDRESS, NAME), SENDER, SENDER, USER).code == 250
    });
    site.services.await_message(1, "Subject: from-a-stranger");
}

#[test]
fn mail_is_accepted_once_all_name_servers_are_known_to_be_dead() {
    let mut site = site();
    send(&site, (ADDRESS, NAME), SENDER, SENDER, USER).expect(250);
    // A server elsewhere, which the site does not know: its own is dropped.
    site.dns = NameServer::start();
    wait::until_true("mail is accepted during the outage", || {
        let reply = send(&site, ("203.0.113.10", NAME), SENDER, SENDER, USER);
        assert!(reply.code == 250 || reply.enhanced() == Some("4.7.25"), "{reply:?}");
        reply.code == 250
    });
    assert!(site.mta().log().contains("no name server answers"));
    wait::until_true("both messages are there", || site.services.inbox(1).len() == 2);
}
