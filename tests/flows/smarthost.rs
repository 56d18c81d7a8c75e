//! All outgoing mail goes to one host, which requires a login.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use handover::Confidential;
use handover::config::{Relay, RelayCredentials, RelaySecurity};
use nix::sys::signal::Signal;
use tests::demo::Demo;
use tests::mail_exchange::Exchange;
use tests::site::Site;
use tests::smtp::message;
use tests::wait;

const FRIEND: &str = "friend@example.net";
const NAME: &str = "smarthost.example.com";
/// The file of authorities that are trusted for the relay.
const AUTHORITIES: &str = "authorities.pem";

/// A relay that requires a login.
fn smarthost() -> Exchange {
    let relay = Exchange::start(NAME);
    relay.script(|script| script.login = Some(("mailstead".to_owned(), "open sesame".to_owned())));
    relay
}

/// A site that sends through the relay with this password.
fn site_behind(relay: &Exchange, security: RelaySecurity, password: &str) -> Site {
    site_trusting(relay.certificate(), relay, security, password)
}

/// The same, with this trusted authority.
fn site_trusting(authority: &str, relay: &Exchange, security: RelaySecurity, password: &str) -> Site {
    let site = Site::start_with(|plan| {
        let authorities = plan.mta.accounts.with_file_name(AUTHORITIES);
        fs::write(&authorities, authority).unwrap();
        plan.mta.relay = Some(Relay {
            host: NAME.parse::<address::Domain>().unwrap().into(),
            port: relay.address().port(),
            security,
            credentials: Some(credentials(password)),
            authorities: Some(authorities),
        });
        // A query for the MX of another domain would hang here.
        plan.mta.outbound.port = 1;
    });
    site.dns.host(NAME, relay.address().ip());
    site
}

fn credentials(password: &str) -> RelayCredentials {
    RelayCredentials { user: "mailstead".into(), password: Confidential::new(password) }
}

#[test]
fn outgoing_mail_is_sent_through_the_smarthost_after_a_login_and_local_mail_is_not() {
    for security in [RelaySecurity::StartTls, RelaySecurity::ImplicitTls] {
        let relay = smarthost();
        relay.script(|script| script.under_tls = security == RelaySecurity::ImplicitTls);
        let site = site_behind(&relay, security, "open sesame");
        let mut submitter = site.services.submission_client(0);
        let letter = message("ann@example.org", FRIEND, "via-relay");
        submitter.mail("ann@example.org", &["bob@example.org", FRIEND], &letter).unwrap().expect(250);
        let accepted = relay.await_message("via-relay");
        assert_eq!((accepted.to, accepted.secure), (vec![FRIEND.to_owned()], true));
        assert_eq!(accepted.login.as_deref(), Some("mailstead"));
        site.services.await_message(1, "via-relay");
    }
}

#[test]
fn with_a_wrong_password_mail_waits_until_it_is_corrected() {
    let relay = smarthost();
    let mut site = site_behind(&relay, RelaySecurity::StartTls, "open barley");
    let mut submitter = site.services.submission_client(0);
    // The message must not be delivered by an automatic retry.
    site.reconfigure_mta(|mta| mta.outbound.retry_seconds = 3600);
    wait::until_true("the MTA has reloaded", || site.mta().log().contains("reloaded"));
    let letter = message("ann@example.org", FRIEND, "patient");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    wait::until_true("the log has the reason", || {
        let log = site.mta().log();
        log.contains("login refused by the relay") && log.contains("535 5.7.8") && log.contains("deferred")
    });
    assert!(!site.mta().log().contains("open barley"), "a password is never logged");
    assert!(relay.accepted().is_empty());

    site.reconfigure_mta(|mta| {
        mta.relay.as_mut().unwrap().credentials = Some(credentials("open sesame"));
    });
    relay.await_message("patient");
    assert!(site.services.inbox(0).is_empty(), "no failure was reported");
}

#[test]
fn a_corrected_authority_file_is_read_at_sighup_and_waiting_mail_is_sent() {
    let relay = smarthost();
    let another = smarthost();
    let mut site = site_trusting(another.certificate(), &relay, RelaySecurity::ImplicitTls, "open sesame");
    relay.script(|script| script.under_tls = true);
    let mut submitter = site.services.submission_client(0);
    site.reconfigure_mta(|mta| mta.outbound.retry_seconds = 3600);
    wait::until_true("the MTA has reloaded", || site.mta().log().contains("reloaded"));
    let letter = message("ann@example.org", FRIEND, "trustful");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    wait::until_true("the log has the reason", || {
        let log = site.mta().log();
        log.contains("cannot send through the relay")
            && log.contains("certificate")
            && log.contains("deferred")
    });
    assert!(relay.accepted().is_empty());

    fs::write(site.folder().join(AUTHORITIES), relay.certificate()).unwrap();
    site.mta().signal(Signal::SIGHUP);
    assert_eq!(relay.await_message("trustful").login.as_deref(), Some("mailstead"));
}

#[test]
fn waiting_mail_is_sent_to_a_new_relay_immediately() {
    let relay = smarthost();
    let mut site = site_behind(&relay, RelaySecurity::StartTls, "open sesame");
    let mut submitter = site.services.submission_client(0);
    let silent = TcpListener::bind((relay.address().ip(), 0)).unwrap();
    let reloads = |site: &mut Site| site.mta().log().matches("reloaded").count();
    site.reconfigure_mta(|mta| {
        mta.outbound.retry_seconds = 3600;
        mta.relay.as_mut().unwrap().port = silent.local_addr().unwrap().port();
    });
    wait::until_true("the MTA has reloaded", || reloads(&mut site) == 1);
    let letter = message("ann@example.org", FRIEND, "on-its-way");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    let waiting = silent.accept().unwrap();

    site.reconfigure_mta(|mta| mta.relay.as_mut().unwrap().port = relay.address().port());
    wait::until_true("the MTA has reloaded again", || reloads(&mut site) == 2);
    drop((waiting, silent));
    relay.await_message("on-its-way");
}

#[test]
fn an_unreachable_smarthost_degrades_the_health_with_the_reason() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let demo = Demo::start_with(&["--relay-to", &closed.to_string()]);
    let mut submitter = demo.services.submission_client(0);
    let letter = message(demo.services.user(0), FRIEND, "nowhere-yet");
    submitter.mail(demo.services.user(0), &[FRIEND], &letter).unwrap().expect(250);
    let report = wait::until("the health page reports it", || {
        let mut health = TcpStream::connect(demo.services.address("health")).unwrap();
        health.write_all(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        health.read_to_string(&mut page).unwrap();
        page.contains("the relay").then_some(page)
    });
    assert!(report.contains("degraded") && report.contains("MAIL_RELAY_URL"), "{report}");
}

/// Submits a message that must travel under TLS (RFC 8689).
fn submit_with_requiretls(site: &Site, recipients: &[&str], words: &str) {
    let mut submitter = site.services.submission_client(0);
    submitter.command("MAIL FROM:<ann@example.org> REQUIRETLS").unwrap().expect(250);
    for recipient in recipients {
        submitter.command(&format!("RCPT TO:<{recipient}>")).unwrap().expect(250);
    }
    submitter.command("DATA").unwrap().expect(354);
    submitter.data(&message("ann@example.org", FRIEND, words)).unwrap().expect(250);
}

#[test]
fn a_demand_for_tls_is_passed_on_to_a_smarthost_that_accepts_it() {
    let relay = smarthost();
    relay.script(|script| script.extensions = vec!["REQUIRETLS"]);
    let site = site_behind(&relay, RelaySecurity::StartTls, "open sesame");
    submit_with_requiretls(&site, &["bob@example.org", FRIEND], "demanding");
    let accepted = relay.await_message("demanding");
    assert!(accepted.requires_tls && accepted.secure);
    site.services.await_message(1, "demanding");
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "undemanding");
    submitter.mail("ann@example.org", &[FRIEND], &letter).unwrap().expect(250);
    assert!(!relay.await_message("undemanding").requires_tls);
}

#[test]
fn a_demand_for_tls_that_the_smarthost_does_not_accept_is_reported() {
    let relay = smarthost();
    let site = site_behind(&relay, RelaySecurity::StartTls, "open sesame");
    submit_with_requiretls(&site, &[FRIEND], "demanding");
    let report = site.services.await_message(0, "REQUIRETLS support required");
    assert!(report.contains("Status: 5.7.30"), "{report}");
    assert!(relay.accepted().is_empty());
}
