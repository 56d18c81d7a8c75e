//! RFC 9989 over a name server. The rules themselves are tested in `crates/dmarc`.

use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::doubles::name_server::NameServer;

/// The finding about a message from `author`, signed by `signers`.
async fn found(names: NameServer, author: &str, signers: &[&str]) -> Finding {
    let resolver = names.resolver(30_000).await;
    let from = format!("From: ann@{author}\r\n\r\n");
    let signer = |domain: &&str| Identifier {
        domain: Domain::parse(domain).unwrap(),
        mechanism: Mechanism::Dkim,
        authentication: Authentication::Passed,
    };
    let signers: Vec<Identifier> = signers.iter().map(signer).collect();
    let spf = SpfOutput::new("bounce.example.org".to_owned()).with_result(SpfResult::Pass);
    let end = Instant::now() + Duration::from_secs(30);
    check(&resolver.inner(), &Author::of(from.as_bytes()), (&spf, "bounce.example.org"), &signers, end)
        .await
        .0
}

/// The result and the property `policy.dmarc`.
async fn of(names: NameServer, author: &str, signers: &[&str]) -> (AuthResult, Option<String>) {
    let found = found(names, author, signers).await;
    let policy = found.properties.into_iter().find(|(name, _)| *name == "policy.dmarc");
    (found.result, policy.map(|(_, policy)| policy))
}

fn policy(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn a_walk_of_several_rounds_finds_the_organization() {
    let names = || NameServer::new().txt("_dmarc.example.net", "v=DMARC1; p=none; sp=reject");
    for (author, signer, expected) in [
        ("example.net", "example.net", (AuthResult::Pass, policy("none"))),
        ("a.b.example.net", "c.example.net", (AuthResult::Pass, policy("reject"))),
        ("a.b.example.net", "other.net", (AuthResult::Fail, policy("reject"))),
        ("a.b.example.com", "a.b.example.com", (AuthResult::None, None)),
    ] {
        assert_eq!(of(names(), author, &[signer]).await, expected, "{author} {signer}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_a_policy_of_its_own() {
    let names = || {
        NameServer::new()
            .txt("_dmarc.example.net", "v=DMARC1; p=none; np=reject")
            .address("alive.example.net", "192.0.2.1".parse().unwrap())
    };
    assert_eq!(of(names(), "alive.example.net", &[]).await, (AuthResult::Fail, policy("none")));
    assert_eq!(of(names(), "ghost.example.net", &[]).await, (AuthResult::Fail, policy("reject")));
    let broken = names().server_failure("ghost.example.net");
    assert_eq!(of(broken, "ghost.example.net", &[]).await.0, AuthResult::TempError);
}

#[tokio::test]
async fn the_requested_policy_is_recorded() {
    let names = |tags: &str| NameServer::new().txt("_dmarc.example.net", &format!("v=DMARC1; {tags}"));
    for (tags, expected) in [
        ("p=reject; t=y", (AuthResult::Fail, policy("quarantine"))),
        ("p=reject; pct=0", (AuthResult::Fail, policy("reject"))),
        ("p=junk; rua=mailto:a@example.net", (AuthResult::Fail, policy("none"))),
        ("p=junk", (AuthResult::PermError, None)),
    ] {
        assert_eq!(of(names(tags), "example.net", &[]).await, expected, "{tags}");
    }
    let finding = found(names("p=junk"), "a.example.net", &[]).await;
    assert_eq!(finding.reason.as_deref(), Some("the DMARC record of example.net has no valid policy"));
}

#[tokio::test]
async fn a_record_in_several_strings_is_one_text() {
    let text = format!("v=DMARC1; rua=mailto:{}@example.net; p=reject", "a".repeat(300));
    let names = NameServer::new().txt("_dmarc.example.net", &text);
    assert_eq!(of(names, "example.net", &[]).await, (AuthResult::Fail, policy("reject")));
}

#[tokio::test]
async fn an_unanswered_query_matters_where_the_result_depends_on_it() {
    let names =
        || NameServer::new().txt("_dmarc.example.net", "v=DMARC1; p=reject").server_failure("_dmarc.net");
    for (signers, expected) in [
        (&["example.net"][..], AuthResult::Pass),
        (&["example.com"], AuthResult::Fail),
        (&["mail.example.net"], AuthResult::TempError),
    ] {
        assert_eq!(of(names(), "example.net", signers).await.0, expected, "{signers:?}");
    }
}

#[tokio::test]
async fn a_domain_that_answers_by_its_own_record_costs_one_query() {
    let names = NameServer::new().txt("_dmarc.example.net", "v=DMARC1; p=reject");
    let queries = names.queries();
    assert_eq!(of(names, "example.net", &["example.net"]).await.0, AuthResult::Pass);
    // The resolver queries the root on its own.
    let texts = queries.borrow().iter().filter(|(_, kind)| *kind == RecordType::TXT).count();
    assert_eq!(texts, 1);
}
