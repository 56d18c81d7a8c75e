//! Peers that hold a connection without any use: their sessions end, and good clients are still served.
//!
//! All of 127.0.0.0/8 is this machine's, so each address in it can be a network of its own, once it is not treated as
//! shared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};

use tests::imap::Imap;
use tests::site::Site;
use tests::smtp::message;
use tests::wire::Wire;

/// The number of connections that each attacking address holds; together they are all that there are.
const CONNECTIONS_PER_ADDRESS: usize = 2;

fn start(addresses: usize) -> Site {
    Site::start_with(|plan| {
        plan.mta.login.shared_networks.clear();
        plan.mda.login.shared_networks.clear();
        (plan.mta.limits.connections, plan.mta.limits.connections_per_address) =
            (addresses * CONNECTIONS_PER_ADDRESS, CONNECTIONS_PER_ADDRESS);
        (plan.mda.limits.connections, plan.mda.limits.connections_per_address) =
            (addresses * CONNECTIONS_PER_ADDRESS, CONNECTIONS_PER_ADDRESS);
    })
}

fn attacker(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, 10 + u8::try_from(number).unwrap()).into()
}

fn good_host(number: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 1, number).into()
}

/// A connection from an address, with the first line that it receives.
fn greeted(site: &Site, from: IpAddr, service: &str) -> (Wire, String) {
    let mut wire = Wire::connect_from(from, site.services.address(service)).unwrap();
    let line = line(&mut wire);
    (wire, line)
}

fn line(wire: &mut Wire) -> String {
    String::from_utf8(wire.line().unwrap().expect("the server has closed")).unwrap()
}

fn send_command(wire: &mut Wire, command: &str) -> String {
    wire.send(format!("{command}\r\n").as_bytes()).unwrap();
    loop {
        let line = line(wire);
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

#[test]
fn slow_peers_that_fill_port_25_do_not_keep_other_hosts_out() {
    let site = start(25);
    let held: Vec<_> = (0..25 * CONNECTIONS_PER_ADDRESS)
        .map(|number| {
            let (mut wire, greeting) = greeted(&site, attacker(number / CONNECTIONS_PER_ADDRESS), "smtp");
            assert!(greeting.starts_with("220 "), "{greeting}");
            wire.send(b"E").unwrap();
            wire
        })
        .collect();
    for number in 1..=5 {
        let (mut wire, greeting) = greeted(&site, good_host(number), "smtp");
        assert!(greeting.starts_with("220 "), "{greeting}");
        assert!(send_command(&mut wire, "EHLO client.example.com").starts_with("250 "));
        assert!(send_command(&mut wire, "MAIL FROM:<stranger@example.com>").starts_with("250 "));
        assert!(send_command(&mut wire, "RCPT TO:<ann@example.org>").starts_with("250 "));
        assert!(send_command(&mut wire, "DATA").starts_with("354 "));
        let letter = message("stranger@example.com", "ann@example.org", "good").replace('\n', "\r\n");
        let answer = send_command(&mut wire, &format!("{letter}\r\n."));
        assert!(answer.starts_with("250 "), "{answer}");
    }
    // An attacker's network gains nothing by reconnecting: it evicts no session of a network that holds as many.
    let (_, refused) = greeted(&site, attacker(24), "smtp");
    assert!(refused.starts_with("421 4.7.0 ") || refused.starts_with("220 "), "{refused}");
    assert_eq!(site.services.inbox(0).len(), 5);
    drop(held);
}

#[test]
fn slow_clients_that_fill_imap_do_not_keep_users_out() {
    let site = start(20);
    let services = &site.services;
    let log_in = |number| {
        let from = good_host(number);
        let imap =
            Imap::connect_from(from, services.address("imaps"), services.tls_config(), &services.hostname);
        let mut imap = imap.unwrap();
        imap.log_in("ann@example.org", "correct horse").unwrap().ok();
        imap
    };
    let mut before = log_in(1);
    let held: Vec<_> = (0..20 * CONNECTIONS_PER_ADDRESS - 1)
        .map(|number| {
            let from = attacker(number / CONNECTIONS_PER_ADDRESS);
            // In the middle of a literal, and in the middle of a TLS handshake.
            if number % 2 == 0 {
                let (mut wire, greeting) = greeted(&site, from, "imap");
                assert!(greeting.starts_with("* OK "), "{greeting}");
                wire.send(b"a LOGIN {100+}\r\nx").unwrap();
                wire
            } else {
                let mut wire = Wire::connect_from(from, services.address("imaps")).unwrap();
                wire.send(b"\x16\x03\x01").unwrap();
                wire
            }
        })
        .collect();
    let mut users: Vec<_> = (2..=6).map(log_in).collect();
    for user in users.iter_mut().chain([&mut before]) {
        user.command("SELECT INBOX").unwrap().ok();
    }
    drop(held);
}

#[test]
fn a_session_without_progress_is_ended_with_a_reply() {
    let site = Site::start_with(|plan| {
        for timeouts in [&mut plan.mta.limits.timeouts, &mut plan.mda.limits.timeouts] {
            (timeouts.command_seconds, timeouts.grace_seconds) = (1, 1);
        }
    });
    let (mut command, _) = greeted(&site, good_host(1), "smtp");
    command.send(b"NO").unwrap();
    assert!(line(&mut command).starts_with("421 4.4.2 "));
    assert_eq!(command.line().unwrap(), None);

    let (mut body, _) = greeted(&site, good_host(1), "smtp");
    for words in ["EHLO client.example.com", "MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA"] {
        let answer = send_command(&mut body, words);
        assert!(answer.starts_with("250 ") || answer.starts_with("354 "), "{answer}");
    }
    body.send(b"Subject: x\r\n").unwrap();
    assert_eq!(line(&mut body), "421 4.4.2 Transfer too slow, closing connection");

    let (mut literal, _) = greeted(&site, good_host(1), "imap");
    literal.send(b"a LOGIN {100+}\r\nx").unwrap();
    assert_eq!(line(&mut literal), "* BYE [UNAVAILABLE] Command timeout");
}

#[test]
fn sessions_without_a_login_or_a_message_time_out() {
    let site = Site::start_with(|plan| {
        (plan.mta.limits.timeouts.login_seconds, plan.mta.limits.timeouts.message_seconds) = (1, 1);
        plan.mda.limits.timeouts.login_seconds = 1;
    });
    for (service, words) in
        [("smtp", "421 4.4.2 "), ("submission", "421 4.4.2 "), ("imap", "* BYE [UNAVAILABLE] Login timeout")]
    {
        let (mut wire, _) = greeted(&site, good_host(1), service);
        let last = line(&mut wire);
        assert!(last.starts_with(words), "{service}: {last}");
    }
    // The handshake counts as well.
    let mut wire = Wire::connect_from(good_host(1), site.services.address("imaps")).unwrap();
    wire.send(b"\x16\x03\x01").unwrap();
    assert_eq!(wire.line().unwrap(), None);
}
