//! DMARC evaluates the author of the strict reading, or none.

use mail_auth::AuthenticatedMessage;
use message::Author;
use proptest::prelude::*;

use super::*;

/// A zone where `eve@attacker.example` and its host may send for the attacker alone, and the bank asks for rejection.
fn world() -> NameServer {
    names()
        .txt("attacker.example", "v=spf1 ip4:192.0.2.0/24 -all")
        .txt("_dmarc.attacker.example", "v=DMARC1; p=none")
        .txt("bank.example", "v=spf1 -all")
        .txt("_dmarc.bank.example", "v=DMARC1; p=reject")
        .txt("xn--bcher-kva.example", "v=spf1 ip4:192.0.2.0/24 -all")
        .txt("_dmarc.xn--bcher-kva.example", "v=DMARC1; p=reject")
}

async fn dmarc(names: NameServer, sender: &str, header: &str) -> Finding {
    let results = results(names, PEER.into(), sender, format!("{header}\r\n\r\nhello\r\n").as_bytes()).await;
    let last = results.findings().last().unwrap().clone();
    assert_eq!(last.method, Method::Dmarc);
    last
}

#[tokio::test]
async fn no_disguise_passes_dmarc_for_an_author_that_is_not_shown() {
    for header in [
        "From: <victim@bank.example>eve@attacker.example",
        "From: <victim@bank.example> <eve@attacker.example>",
        "From: victim@bank.example: eve@attacker.example;",
        "From: victim@bank.example <eve@attacker.example>",
        "From: \"victim@bank.example\"@attacker.example",
        "From: <@bank.example:eve@attacker.example>",
        "From: =?utf-8?q?victim=40bank.example?= eve@attacker.example",
        "From: =?utf-8?q?victim=40bank.example=2C?=eve@attacker.example",
        "From: eve@attacker.example(x",
        "From: eve@attacker.example.",
        "From: victim@bank.example\r\nFrom: eve@attacker.example",
        "From: eve@attacker.example\r\nFrom: victim@bank.example",
        "From : victim@bank.example\r\nFrom: eve@attacker.example",
        "From : eve@attacker.example",
        "no field\r\nFrom: eve@attacker.example",
        "From: eve@attacker.example\r\nno field\r\nFrom: victim@bank.example",
        "Subject: no From at all",
        "no field at all",
    ] {
        let found = dmarc(world(), "eve@attacker.example", header).await;
        assert_eq!(found.result, AuthResult::PermError, "{header:?}");
        assert!(found.reason.as_deref().unwrap().starts_with("the From field "), "{header:?}: {found:?}");
        assert!(found.properties.is_empty(), "{header:?}: {found:?}");
    }
}

#[tokio::test]
async fn an_author_is_evaluated_by_the_domain_that_is_shown() {
    for (header, sender, result, domain) in [
        ("From: eve@attacker.example", "eve@attacker.example", AuthResult::Pass, Some("attacker.example")),
        (
            "From: \"victim@bank.example\" <eve@attacker.example>",
            "eve@attacker.example",
            AuthResult::Pass,
            Some("attacker.example"),
        ),
        (
            "From: victim%bank.example@attacker.example",
            "eve@attacker.example",
            AuthResult::Pass,
            Some("attacker.example"),
        ),
        (
            "From: eve@attacker.example (victim@bank.example)",
            "eve@attacker.example",
            AuthResult::Pass,
            Some("attacker.example"),
        ),
        (
            "fRoM:\r\n\tVictim <victim@BANK.example>",
            "eve@attacker.example",
            AuthResult::Fail,
            Some("bank.example"),
        ),
        (
            "From: a@bücher.example",
            "b@xn--bcher-kva.example",
            AuthResult::Pass,
            Some("xn--bcher-kva.example"),
        ),
        (
            "From: a@attacker.example, b@attacker.example",
            "eve@attacker.example",
            AuthResult::Pass,
            Some("attacker.example"),
        ),
        ("From: victim@bank.example, eve@attacker.example", "eve@attacker.example", AuthResult::None, None),
        ("From: eve@attacker.example, victim@bank.example", "eve@attacker.example", AuthResult::None, None),
        ("From: eve@[192.0.2.7]", "eve@attacker.example", AuthResult::None, None),
    ] {
        let found = dmarc(world(), sender, header).await;
        assert_eq!(found.result, result, "{header:?}: {found:?}");
        let property = found.properties.iter().find(|(name, _)| *name == "header.from");
        assert_eq!(property.map(|(_, domain)| domain.as_str()), domain, "{header:?}");
    }
}

#[tokio::test]
async fn several_dmarc_records_at_one_name_are_discarded() {
    let header = "From: ann@sub.twice.example";
    let twice = |names: NameServer, owner: &str| {
        names.txt(owner, "v=DMARC1; p=reject").txt(owner, "v = DMARC1 ; p=none").txt(owner, "another text")
    };
    for (names, result, domain_policy) in [
        // One DMARC record and other texts: the record applies.
        (
            names()
                .txt("_dmarc.twice.example", "v=DMARC1; p=reject")
                .txt("_dmarc.twice.example", "v=spf1 -all"),
            AuthResult::Fail,
            Some("reject"),
        ),
        (twice(names(), "_dmarc.twice.example"), AuthResult::None, None),
        (twice(names(), "_dmarc.sub.twice.example"), AuthResult::None, None),
        // RFC 9989 §4.10: the walk continues above the name whose records are discarded.
        (
            twice(names(), "_dmarc.sub.twice.example").txt("_dmarc.twice.example", "v=DMARC1; p=quarantine"),
            AuthResult::Fail,
            Some("quarantine"),
        ),
        (
            names()
                .txt("_dmarc.twice.example", "v=DMARC1; p=reject")
                .txt("_dmarc.twice.example", "v=DMARC1; p=unheard-of"),
            AuthResult::None,
            None,
        ),
        (
            twice(names(), "_dmarc.twice.example").server_failure("_dmarc.sub.twice.example"),
            AuthResult::TempError,
            None,
        ),
    ] {
        let found = dmarc(names, "eve@strict.example", header).await;
        assert_eq!(found.result, result, "{found:?}");
        let policy = found.properties.iter().find(|(name, _)| *name == "policy.dmarc");
        assert_eq!(policy.map(|(_, policy)| policy.as_str()), domain_policy, "{found:?}");
    }
}

/// The authors that mail-auth reads, as it evaluates them: domains as A-labels.
fn by_mail_auth(header: &[u8]) -> Vec<String> {
    let domain = |address: &String| {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let domain = Domain::parse(domain).map_or_else(|_| domain.to_owned(), |domain| domain.to_string());
        format!("{local}@{domain}")
    };
    AuthenticatedMessage::parse(header)
        .map_or_else(Vec::new, |message| message.from.iter().map(domain).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mail_auth_reads_the_same_author(
        before in prop::sample::select(vec!["", "X: y\r\n", "no field\r\n", "X:\r\n y\r\n", "From : z@x.example\r\n", "\u{feff}"]),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "ann@example.org", "<ann@example.org>", "bob@example.net", "<bob@example.net>", "Ann", "@", "<", ">", "(",
            ")", "\"", "\\", ",", ":", ";", ".", " ", "\r\n ", "=?utf-8?q?bob=40example.org?=", "ü", "bücher.example",
            "\"x\"", "(bob@example.net)", "%", "\0", "\r\nFrom: ", "\r\nX: ", "\r\nfrom : ", "\r\nno field", "＠",
        ]), 0..10),
    ) {
        let header = format!("{before}From: {}\r\n\r\n", pieces.concat());
        if let Ok(author) = Author::of(header.as_bytes()) {
            let mut strict: Vec<String> = author
                .addresses()
                .map(|address| format!("{}@{}", address.local.as_str().to_lowercase(), address.host))
                .collect();
            let mut theirs = by_mail_auth(header.as_bytes());
            if header.contains("\"@") {
                // A difference on purpose: mail-auth has no quoted local parts and leaves them empty.
                strict.iter_mut().chain(&mut theirs).for_each(|address| {
                    address.replace_range(..address.rfind('@').unwrap_or(0), "");
                });
            }
            prop_assert_eq!(strict, theirs);
        }
    }
}
