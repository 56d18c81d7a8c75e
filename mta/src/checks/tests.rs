mod author;

use std::net::Ipv4Addr;

use address::Address;
use serve::MailId;

use super::*;
use crate::doubles::name_server::NameServer;
use crate::sign::Signer;
use crate::sign::tests::Keys;

const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const BUDGET_MS: u64 = 30_000;

fn names() -> NameServer {
    NameServer::new()
        .ptr(PEER, "mail.example.net")
        .address("mail.example.net", PEER.into())
        .txt("mail.example.net", "v=spf1 a -all")
        .txt("example.net", "v=spf1 ip4:192.0.2.0/24 -all")
        .txt("_dmarc.example.net", "v=DMARC1; p=reject")
        .txt("strict.example", "v=spf1 -all")
}

async fn results(names: NameServer, ip: IpAddr, sender: &str, message: &[u8]) -> AuthenticationResults {
    let resolver = names.resolver(BUDGET_MS).await;
    let peer = PeerIdentity { ip: Some(ip), helo: "mail.example.net".to_owned() };
    let sender = match sender {
        "" => ReversePath::Null,
        address => ReversePath::Address(Address::parse(address).unwrap()),
    };
    let hostname = Domain::parse("mx.example.org").unwrap();
    authenticate(
        &resolver,
        &hostname,
        MailId::new(),
        &peer,
        &sender,
        &Content::from_octets(message.to_vec()),
        Vec::new(),
    )
    .await
}

fn auth_results(results: &AuthenticationResults) -> Vec<(Method, AuthResult)> {
    results.findings().iter().map(|finding| (finding.method, finding.result)).collect()
}

const PLAIN: &[u8] = b"From: Ann <ann@example.net>\r\nSubject: hi\r\n\r\nhello\r\n";

#[tokio::test]
async fn a_message_from_an_authorised_address_passes_without_a_signature() {
    let results = results(names(), PEER.into(), "ann@example.net", PLAIN).await;
    assert_eq!(
        results.to_field().replace("\r\n\t", " ").replace("\r\n ", " "),
        "Authentication-Results: mx.example.org; \
         spf=pass smtp.helo=mail.example.net; \
         spf=pass smtp.mailfrom=ann@example.net; \
         dkim=none; \
         dmarc=pass header.from=example.net policy.dmarc=reject\r\n"
    );
}

#[tokio::test]
async fn a_message_from_an_unauthorised_address_fails() {
    let results = results(names(), [198, 51, 100, 1].into(), "ann@example.net", PLAIN).await;
    assert_eq!(
        auth_results(&results),
        [
            (Method::Spf, AuthResult::Fail),
            (Method::Spf, AuthResult::Fail),
            (Method::Dkim, AuthResult::None),
            (Method::Dmarc, AuthResult::Fail),
        ]
    );
}

#[tokio::test]
async fn the_null_sender_is_checked_by_the_name_in_helo() {
    let results = results(names(), PEER.into(), "", PLAIN).await;
    assert_eq!(
        auth_results(&results),
        [
            (Method::Spf, AuthResult::Pass),
            (Method::Dkim, AuthResult::None),
            (Method::Dmarc, AuthResult::Pass)
        ]
    );
}

#[tokio::test]
async fn signatures_of_both_key_types_pass_and_authenticate_the_author() {
    let keys = Keys::make("example.net");
    let signer = Signer::load(&keys.config).unwrap();
    let mut content = Content::from_octets(PLAIN.to_vec());
    let fields = signer.sign(&Domain::parse("example.net").unwrap(), &content).await.unwrap();
    content.prepend(&fields);
    let mut message = Vec::new();
    content.copy_to(&mut message).unwrap();
    let names = keys.publish(names());
    let results = results(names, PEER.into(), "bounces@strict.example", &message).await;
    assert_eq!(
        auth_results(&results)[1..],
        [
            (Method::Spf, AuthResult::Fail),
            (Method::Dkim, AuthResult::Pass),
            (Method::Dkim, AuthResult::Pass),
            (Method::Dmarc, AuthResult::Pass),
        ]
    );
}

#[tokio::test]
async fn a_changed_body_fails_and_a_missing_key_is_a_permanent_error() {
    let keys = Keys::make("example.net");
    let signer = Signer::load(&keys.config).unwrap();
    let content = Content::from_octets(PLAIN.to_vec());
    let mut message = signer.sign(&Domain::parse("example.net").unwrap(), &content).await.unwrap();
    message.extend_from_slice(PLAIN);
    let dkim = |results: &AuthenticationResults| {
        auth_results(results)
            .into_iter()
            .filter(|(method, _)| *method == Method::Dkim)
            .map(|(_, result)| result)
            .collect::<Vec<_>>()
    };
    let unknown = results(names(), PEER.into(), "", &message).await;
    assert_eq!(dkim(&unknown), [AuthResult::PermError; 2]);
    let broken = keys.selectors().into_iter().fold(names(), |names, owner| names.server_failure(&owner));
    assert_eq!(dkim(&results(broken, PEER.into(), "", &message).await), [AuthResult::TempError; 2]);
    message.extend_from_slice(b"more\r\n");
    assert_eq!(dkim(&results(keys.publish(names()), PEER.into(), "", &message).await), [AuthResult::Fail; 2]);
}

#[tokio::test]
async fn a_retired_algorithm_fails_and_an_unreadable_signature_is_neutral() {
    let message = [
        b"DKIM-Signature: v=1; a=rsa-sha1; d=example.net; s=old; h=From; bh=2jmj7l5rSw0yVb/vlWAYkK/YBwk=; b=AAAA\r\n",
        b"DKIM-Signature: nonsense\r\n".as_slice(),
        PLAIN,
    ]
    .concat();
    let results = results(names(), PEER.into(), "", &message).await;
    let dkim: Vec<_> = results.findings().iter().filter(|finding| finding.method == Method::Dkim).collect();
    assert_eq!(
        dkim.iter().map(|finding| finding.result).collect::<Vec<_>>(),
        [AuthResult::Fail, AuthResult::Neutral]
    );
    assert!(results.to_field().contains("RFC 8301"), "{}", results.to_field());
}

#[tokio::test]
async fn the_number_of_checked_signatures_is_limited() {
    let signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s; h=From; bh=AAAA; b=AAAA\r\n";
    let message = [signature.repeat(100).as_slice(), PLAIN].concat();
    let results = results(names(), PEER.into(), "", &message).await;
    assert_eq!(results.findings().iter().filter(|finding| finding.method == Method::Dkim).count(), 8);
}

#[tokio::test]
async fn silent_name_servers_cost_at_most_the_budget() {
    let resolver = NameServer::silent().resolver(200).await;
    let hostname = Domain::parse("mx.example.org").unwrap();
    let peer = PeerIdentity { ip: Some(PEER.into()), helo: "mail.example.net".to_owned() };
    let content = Content::from_octets(PLAIN.to_vec());
    let results =
        authenticate(&resolver, &hostname, MailId::new(), &peer, &ReversePath::Null, &content, Vec::new())
            .await;
    assert_eq!(
        auth_results(&results),
        [
            (Method::Spf, AuthResult::TempError),
            (Method::Dkim, AuthResult::None),
            (Method::Dmarc, AuthResult::TempError),
        ]
    );
}

#[tokio::test]
async fn a_message_without_a_header_section_has_results_of_the_envelope() {
    let results = results(names(), PEER.into(), "ann@example.net", b"\r\nhello\r\n").await;
    assert_eq!(
        auth_results(&results)[..2],
        [(Method::Spf, AuthResult::Pass), (Method::Spf, AuthResult::Pass)]
    );
}
