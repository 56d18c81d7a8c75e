//! RFC 7208 over a name server. The rules themselves are tested in `crates/spf`.

use std::time::Duration;

use address::Address;
use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::doubles::name_server::NameServer;

const PEER: &str = "192.0.2.7";

/// The results for HELO and, unless `sender` is empty, for MAIL FROM.
async fn results(names: NameServer, ip: &str, helo: &str, sender: &str) -> Vec<AuthResult> {
    let resolver = names.resolver(30_000).await;
    let sender = match sender {
        "" => ReversePath::Null,
        address => ReversePath::Address(Address::parse(address).unwrap()),
    };
    let origin = Origin { ip: ip.parse().unwrap(), helo, sender: &sender };
    let checked = check(&resolver, &origin, Instant::now() + Duration::from_secs(30)).await;
    checked.findings().map(|finding| finding.result).collect()
}

async fn result_of(names: NameServer, ip: &str) -> AuthResult {
    results(names, ip, "mail.example.net", "ann@example.net").await[1]
}

fn publishing(text: &str) -> NameServer {
    NameServer::new().txt("example.net", text)
}

#[tokio::test]
async fn a_record_in_error_is_a_permanent_error() {
    for text in [
        "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.0/33 -all",
        "v=spf1 +all moo",
        "v=spf1 ip4:192.0.2.0/24 \u{e9} -all",
        "v=spf1 a:a.example a:b.example a:c.example +all",
    ] {
        assert_eq!(result_of(publishing(text), PEER).await, AuthResult::PermError, "{text}");
    }
    let two = publishing("v=spf1 +all").txt("example.net", "v=spf1 +all");
    assert_eq!(result_of(two, PEER).await, AuthResult::PermError);
}

#[tokio::test]
async fn each_address_family_is_matched_by_its_own_mechanisms() {
    let six = || {
        publishing("v=spf1 exists:six.example.net -all")
            .address("six.example.net", "2001:db8::1".parse().unwrap())
    };
    assert_eq!(result_of(six(), "2001:db8::7").await, AuthResult::Fail);
    assert_eq!(result_of(publishing("v=spf1 ip6:::/0 -all"), PEER).await, AuthResult::Fail);
    assert_eq!(result_of(publishing("v=spf1 ip6:::/0 -all"), "2001:db8::7").await, AuthResult::Pass);
    assert_eq!(
        result_of(publishing("v=spf1 ip4:192.0.2.7 -all"), "::ffff:192.0.2.7").await,
        AuthResult::Pass
    );
}

#[tokio::test]
async fn a_reverse_name_equal_to_the_domain_matches() {
    let peer: std::net::Ipv4Addr = PEER.parse().unwrap();
    let names = publishing("v=spf1 ptr -all").ptr(peer, "example.net").address("example.net", peer.into());
    assert_eq!(result_of(names, PEER).await, AuthResult::Pass);
}

#[tokio::test]
async fn the_null_sender_is_checked_as_postmaster_of_the_name_in_helo() {
    let names = || {
        NameServer::new()
            .txt("mail.example.net", "v=spf1 exists:%{l}._.example.net -all")
            .address("postmaster._.example.net", "127.0.0.2".parse().unwrap())
    };
    assert_eq!(results(names(), PEER, "mail.example.net", "").await, [AuthResult::Pass]);
    for (helo, sender, expected) in [
        ("[192.0.2.7]", "", &[AuthResult::None][..]),
        ("localhost", "", &[AuthResult::None]),
        ("not a name", "", &[AuthResult::None]),
        ("[192.0.2.7]", "ann@[192.0.2.7]", &[AuthResult::None, AuthResult::None]),
        ("MAIL.example.net", "ann@mail.example.net", &[AuthResult::Pass, AuthResult::Fail]),
    ] {
        assert_eq!(results(names(), PEER, helo, sender).await, expected, "{helo} {sender}");
    }
    // The macro `h` of an internationalised name is its A-label (RFC 8616 §4).
    let idn = publishing("v=spf1 exists:%{h}._.example.net -all")
        .address("xn--mnchen-3ya.example._.example.net", "127.0.0.2".parse().unwrap());
    assert_eq!(results(idn, PEER, "m\u{fc}nchen.example", "ann@example.net").await[1], AuthResult::Pass);
}

#[tokio::test]
async fn an_unanswered_query_is_a_temporary_error() {
    assert_eq!(result_of(NameServer::new().server_failure("example.net"), PEER).await, AuthResult::TempError);
    assert_eq!(
        result_of(publishing("v=spf1 a:b.example.net -all").server_failure("b.example.net"), PEER).await,
        AuthResult::TempError
    );
    assert_eq!(result_of(NameServer::new(), PEER).await, AuthResult::None);
    let silent = NameServer::silent().resolver(30_000).await;
    let sender = ReversePath::Address(Address::parse("ann@example.net").unwrap());
    let origin = Origin { ip: PEER.parse().unwrap(), helo: "mail.example.net", sender: &sender };
    let checked = check(&silent, &origin, Instant::now()).await;
    assert!(checked.findings().all(|finding| finding.result == AuthResult::TempError));
}

#[tokio::test]
async fn a_query_for_both_identities_is_sent_once() {
    let names = NameServer::new()
        .txt("example.net", "v=spf1 a:mail.example.net -all")
        .address("mail.example.net", PEER.parse().unwrap());
    let queries = names.queries();
    assert_eq!(
        results(names, PEER, "example.net", "ann@example.net").await,
        [AuthResult::Pass, AuthResult::Pass]
    );
    let count = |kind| queries.borrow().iter().filter(|(_, queries)| *queries == kind).count();
    assert_eq!((count(RecordType::TXT), count(RecordType::A)), (1, 1));
}
