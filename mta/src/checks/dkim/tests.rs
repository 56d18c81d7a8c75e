use std::net::Ipv4Addr;

use address::Domain;
use address::ReversePath;
use serve::MailId;

use crate::checks::{AuthResult, AuthenticationResults, Method, PeerIdentity, authenticate};
use crate::content::Content;
use crate::doubles::name_server::NameServer;
use crate::sign::Signer;
use crate::sign::tests::Keys;

const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const BUDGET_MS: u64 = 30_000;

/// The field has white space before its colon, and the body ends with lines of white space.
const MESSAGE: &str = "From: Ann <ann@example.net>\r\nSubject : hi\r\n\r\nhello \t\r\n \r\n\t\r\n\r\n";

fn names() -> NameServer {
    NameServer::new().txt("_dmarc.example.net", "v=DMARC1; p=reject")
}

async fn results(names: NameServer, message: &[u8]) -> AuthenticationResults {
    let resolver = names.resolver(BUDGET_MS).await;
    let peer = PeerIdentity { ip: Some(PEER.into()), helo: "mail.example.com".to_owned() };
    let hostname = Domain::parse("mx.example.org").unwrap();
    let content = Content::from_octets(message.to_vec());
    authenticate(&resolver, &hostname, MailId::new(), &peer, &ReversePath::Null, &content, Vec::new()).await
}

/// The message with the signatures of example.net on top.
async fn signed(keys: &Keys, message: &str) -> String {
    let signer = Signer::load(&keys.config[..1]).unwrap();
    let content = Content::from_octets(message.as_bytes().to_vec());
    let fields = signer.sign(&Domain::parse("example.net").unwrap(), &content).await.unwrap();
    String::from_utf8(fields).unwrap() + message
}

/// The results of DKIM and DMARC, and the reason of the first.
fn summary(results: &AuthenticationResults) -> (AuthResult, AuthResult, &str) {
    let of = |method| results.findings().iter().find(|finding| finding.method == method).unwrap();
    let dkim = of(Method::Dkim);
    (dkim.result, of(Method::Dmarc).result, dkim.reason.as_deref().unwrap_or_default())
}

/// Publishes records in place of the key's own, and checks the message with them.
async fn check_with(
    keys: &Keys,
    records: impl Fn(&str) -> Vec<String>,
    message: &str,
) -> (AuthResult, AuthResult, String) {
    let (owner, record) = keys.record(0);
    let names = records(record).iter().fold(names(), |names, record| names.txt(owner, record));
    let results = results(names, message.as_bytes()).await;
    let (dkim, dmarc, reason) = summary(&results);
    (dkim, dmarc, reason.to_owned())
}

fn own(record: &str) -> Vec<String> {
    vec![record.to_owned()]
}

#[tokio::test]
async fn a_key_record_restricts_the_use_of_its_key() {
    let keys = Keys::make("example.net");
    let message = signed(&keys, MESSAGE).await;
    let pass = (AuthResult::Pass, AuthResult::Pass);
    let error = (AuthResult::PermError, AuthResult::Fail);
    for (tags, (dkim, dmarc), reason) in [
        ("n=x", pass, ""),
        ("h=sha256; s=email; t=s", pass, ""),
        ("t=y", pass, "test mode"),
        ("h=sha1", error, "the key does not allow this hash algorithm"),
        ("s=other", error, "the key is not for mail"),
        ("v=DKIM1", error, "malformed key record"),
    ] {
        let with = |record: &str| vec![record.replace("k=rsa;", &format!("k=rsa; {tags};"))];
        assert_eq!(check_with(&keys, with, &message).await, (dkim, dmarc, reason.to_owned()), "{tags}");
    }
    let revoked = check_with(&keys, |_| vec!["v=DKIM1; k=rsa; p=".to_owned()], &message).await;
    assert_eq!(revoked, (AuthResult::PermError, AuthResult::Fail, "key revoked".to_owned()));
    let several = |record: &str| vec!["some text".to_owned(), "v=DKIM1; p=".to_owned(), record.to_owned()];
    assert_eq!(check_with(&keys, several, &message).await.0, AuthResult::Pass);
}

#[tokio::test]
async fn a_failure_of_a_domain_in_test_mode_is_neutral() {
    let keys = Keys::make("example.net");
    let message = signed(&keys, MESSAGE).await + "more\r\n";
    let testing = |record: &str| vec![record.replace("k=rsa;", "k=rsa; t=y;")];
    let expected = (AuthResult::Neutral, AuthResult::Fail, "test mode: body hash did not verify".to_owned());
    assert_eq!(check_with(&keys, testing, &message).await, expected);
}

#[tokio::test]
async fn a_signature_that_leaves_a_from_uncovered_does_not_count() {
    let keys = Keys::make("example.net");
    let message = signed(&keys, MESSAGE).await;
    let uncovered = message.replacen("h=From:From:", "h=To:To:", 1);
    let refused = (AuthResult::PermError, AuthResult::Fail, "a From field is not signed".to_owned());
    assert_eq!(check_with(&keys, own, &uncovered).await, refused);
    // One From field more than the signature covers.
    let added = format!("From: eve@example.net\r\nFrom: ann@example.net\r\n{message}");
    assert_eq!(check_with(&keys, own, &added).await.0, AuthResult::PermError);
    let added = format!("Subject: buy\r\n{message}");
    let broken = (AuthResult::Fail, AuthResult::Fail, "signature did not verify".to_owned());
    assert_eq!(check_with(&keys, own, &added).await, broken);
}

#[tokio::test]
async fn another_body_fails_whether_or_not_its_key_can_be_fetched() {
    let keys = Keys::make("example.net");
    let message = signed(&keys, MESSAGE).await + "more\r\n";
    let broken = keys.selectors().iter().fold(names(), |names, owner| names.server_failure(owner));
    let results = results(broken, message.as_bytes()).await;
    assert_eq!(summary(&results), (AuthResult::Fail, AuthResult::Fail, "body hash did not verify"));
}

#[tokio::test]
async fn many_fields_and_names_are_verified() {
    let many = "To: bob@example.org\r\n".repeat(3_000);
    let keys = Keys::make("example.net");
    let message = signed(&keys, &format!("{many}From: ann@example.net\r\n\r\nhello\r\n")).await;
    assert_eq!(check_with(&keys, own, &message).await, (AuthResult::Pass, AuthResult::Pass, String::new()));
}

#[tokio::test]
async fn a_malformed_line_does_not_disable_the_check() {
    let keys = Keys::make("example.net");
    let message = format!("no field\r\n{}", signed(&keys, MESSAGE).await);
    let results = results(keys.publish(names()), message.as_bytes()).await;
    let dkim = results.findings().iter().find(|finding| finding.method == Method::Dkim).unwrap();
    assert_eq!(dkim.result, AuthResult::Pass);
}
