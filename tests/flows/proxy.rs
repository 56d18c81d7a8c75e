//! Connections through a proxy: the client that the PROXY header names is the peer for everything, and only the
//! headers of listed proxies are believed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::IpAddr;

use tests::site::{HOSTNAME, Site};
use tests::smtp::message;
use tests::wait::until_true;
use tests::wire::Wire;

const PROXY: &str = "127.0.0.2";
const HEADER: &[u8] = b"PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n";

/// A site that trusts [`PROXY`].
fn site() -> Site {
    Site::start_with(|plan| {
        for login in [&mut plan.mta.login, &mut plan.mda.login] {
            login.trusted_proxies = vec!["127.0.0.2/32".parse().unwrap()];
        }
        plan.mta.limits.connections_per_address = 2;
    })
}

fn through_proxy(site: &Site, service: &str, header: &[u8]) -> Wire {
    let proxy: IpAddr = PROXY.parse().unwrap();
    let mut wire = Wire::connect_from(proxy, site.services.address(service)).unwrap();
    wire.send(header).unwrap();
    wire
}

/// The next line, which must be there.
fn line(wire: &mut Wire) -> String {
    String::from_utf8(wire.line().unwrap().expect("the connection is open")).unwrap()
}

/// Sends a message to the first user.
fn send(site: &Site, wire: &mut Wire, subject: &str) {
    let user = site.services.user(0).to_owned();
    let text = message("stranger@example.com", &user, subject).replace('\n', "\r\n");
    assert!(line(wire).starts_with("220 "));
    for (command, code) in [
        ("HELO client.example.com".to_owned(), "250"),
        ("MAIL FROM:<stranger@example.com>".to_owned(), "250"),
        (format!("RCPT TO:<{user}>"), "250"),
        ("DATA".to_owned(), "354"),
        (format!("{text}."), "250"),
    ] {
        wire.send(format!("{command}\r\n").as_bytes()).unwrap();
        let reply = line(wire);
        assert!(reply.starts_with(code), "{command}: {reply}");
    }
}

#[test]
fn the_trace_fields_and_the_log_name_the_client_of_either_version() {
    let mut site = site();
    // The sender's domain can receive a reply.
    site.dns.host("example.com", IpAddr::from([203, 0, 113, 25]));
    for number in [9, 10] {
        let (name, address) = (format!("client{number}.example.com"), IpAddr::from([203, 0, 113, number]));
        site.dns.host(&name, address).reverse(address, &name);
    }
    send(&site, &mut through_proxy(&site, "smtp", HEADER), "one");
    assert!(site.services.await_message(0, "Subject: one").contains("[203.0.113.9]"));

    let addresses = [203, 0, 113, 10, 198, 51, 100, 1, 0x9c, 0x40, 0, 25];
    let binary = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat();
    send(&site, &mut through_proxy(&site, "smtp", &binary), "two");
    assert!(site.services.await_message(0, "Subject: two").contains("[203.0.113.10]"));
    assert!(site.mta().log().contains("203.0.113.10"));
}

#[test]
fn the_header_comes_before_tls_and_on_imap_before_the_greeting() {
    let site = site();
    for (service, greeting) in [("submissions", "220 "), ("imaps", "* OK")] {
        let mut wire = through_proxy(&site, service, HEADER);
        wire.secure(site.services.tls_config(), HOSTNAME).unwrap();
        assert!(line(&mut wire).starts_with(greeting), "{service}");
    }
    for (service, greeting) in [("submission", "220 "), ("imap", "* OK")] {
        assert!(line(&mut through_proxy(&site, service, HEADER)).starts_with(greeting), "{service}");
    }
}

#[test]
fn the_limit_counts_the_clients_and_not_the_proxy() {
    let site = site();
    let mut open = Vec::new();
    for client in 1..=5 {
        let header = format!("PROXY TCP4 203.0.113.{client} 198.51.100.1 40000 25\r\n");
        let mut wire = through_proxy(&site, "smtp", header.as_bytes());
        assert!(line(&mut wire).starts_with("220 "), "{client}");
        open.push(wire);
    }
    let mut second = through_proxy(&site, "smtp", b"PROXY TCP4 203.0.113.1 198.51.100.1 40001 25\r\n");
    assert!(line(&mut second).starts_with("220 "));
    let mut third = through_proxy(&site, "smtp", b"PROXY TCP4 203.0.113.1 198.51.100.1 40002 25\r\n");
    assert!(line(&mut third).starts_with("421 "));
}

#[test]
fn a_stranger_is_never_believed() {
    let site = site();
    let mut smtp = Wire::connect(site.services.address("smtp")).unwrap();
    smtp.send(HEADER).unwrap();
    assert!(line(&mut smtp).starts_with("220 "));
    let reply = line(&mut smtp);
    assert!(reply.starts_with("500 ") || reply.starts_with("554 "), "{reply}");

    let mut imap = Wire::connect(site.services.address("imap")).unwrap();
    imap.send(HEADER).unwrap();
    assert!(line(&mut imap).starts_with("* OK"));
    assert!(line(&mut imap).contains("BAD"));
}

#[test]
fn a_proxy_that_names_no_client_is_closed_and_logged_with_the_fix() {
    for (header, error) in [
        (&b"EHLO client.example.com\r\n"[..], "does not begin with a PROXY header"),
        (b"PROXY TCP4 127.0.0.1 198.51.100.1 40000 25\r\n", "names 127.0.0.1"),
        (b"PROXY TCP6 ::ffff:127.0.0.1 ::1 40000 25\r\n", "names 127.0.0.1"),
        (b"PROXY TCP4 203.0.113.9\r\n", "malformed"),
    ] {
        let mut site = site();
        let mut wire = through_proxy(&site, "smtp", header);
        // Octets that were not read make the kernel reset the connection instead of ending it.
        assert!(!matches!(wire.line(), Ok(Some(_))), "{error}");
        until_true("the log names the error", || site.mta().log().contains(error));
        assert!(site.mta().log().contains("MAIL_PROXY_TRUSTED"));
    }
}

#[test]
fn a_health_check_of_the_proxy_is_greeted() {
    let site = site();
    let own = b"PROXY TCP4 127.0.0.2 127.0.0.1 40000 25\r\n";
    for header in [&own[..], b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        assert!(line(&mut through_proxy(&site, "smtp", header)).starts_with("220 "));
    }
}
