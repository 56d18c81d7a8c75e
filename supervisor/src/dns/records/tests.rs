use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A machine with two domains and all optional features.
pub(crate) fn facts() -> SiteFacts {
    let signature = |of: &str, selector: &str, kind: &str, length| PublicSignature {
        domain: domain(of),
        selector: selector.into(),
        kind: kind.into(),
        base64: "A".repeat(length),
    };
    SiteFacts {
        presence: Presence {
            hostname: domain("mail.example.org"),
            domains: vec![domain("example.org"), domain("example.net")],
            serves_web: true,
            is_attested: true,
            is_local: false,
            is_relayed: false,
            certificate: "/data/tls/certificate.pem".into(),
            authorities: None,
            volume: "/data".into(),
            acme_directory: Some("https://acme-v02.api.letsencrypt.org/directory".into()),
            dns_servers: Vec::new(),
            blocklists: vec![domain("bl.example.com")],
            smtp_host: Some("mx.example.com:25".into()),
            signatures: vec![
                signature("example.org", "one", "rsa", 392),
                signature("example.org", "two", "ed25519", 44),
                signature("example.net", "one", "rsa", 392),
            ],
        },
        addresses: Addresses {
            v4: vec![[198, 51, 100, 7].into()],
            v6: vec!["2001:db8:51::7".parse().unwrap()],
            ..Addresses::default()
        },
        key: Some([0xab; 32]),
    }
}

fn lines(facts: &SiteFacts) -> Vec<String> {
    WantedRecords::of(facts).unwrap().all().map(Record::line).collect()
}

#[test]
fn all_records_are_made_for_all_features() {
    let lines = lines(&facts());
    for expected in [
        "mail.example.org. 3600 IN A 198.51.100.7",
        "mail.example.org. 3600 IN AAAA 2001:db8:51::7",
        "mail.example.org. 3600 IN TXT \"v=spf1 a -all\"",
        "mail.example.org. 3600 IN CAA 0 issue \"letsencrypt.org\"",
        &format!("_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 {}", "ab".repeat(32)),
        "example.org. 3600 IN MX 10 mail.example.org.",
        "example.net. 3600 IN MX 10 mail.example.org.",
        "example.org. 3600 IN TXT \"v=spf1 mx -all\"",
        "_dmarc.example.net. 3600 IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.net\"",
        "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@example.org\"",
        "_imaps._tcp.example.net. 3600 IN SRV 0 1 993 mail.example.org.",
        "_submissions._tcp.example.org. 3600 IN SRV 0 1 465 mail.example.org.",
        "_imap._tcp.example.org. 3600 IN SRV 10 1 143 mail.example.org.",
        "_submission._tcp.example.net. 3600 IN SRV 10 1 587 mail.example.org.",
        "_pop3._tcp.example.org. 3600 IN SRV 0 0 0 .",
        "_pop3s._tcp.example.net. 3600 IN SRV 0 0 0 .",
        "_autodiscover._tcp.example.org. 3600 IN SRV 0 1 443 mail.example.org.",
        "mta-sts.example.net. 3600 IN CNAME mail.example.org.",
        "autoconfig.example.org. 3600 IN CNAME mail.example.org.",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} is missing in\n{}", lines.join("\n"));
    }
    assert_eq!(lines.iter().filter(|line| line.contains("._domainkey.")).count(), 3);
    assert_eq!(lines.iter().filter(|line| line.starts_with("_mta-sts.")).count(), 2);
}

#[test]
fn only_pop3_is_published_as_not_offered() {
    let denied: Vec<String> =
        lines(&facts()).into_iter().filter(|line| line.ends_with("SRV 0 0 0 .")).collect();
    assert!(denied.iter().all(|line| line.starts_with("_pop3")) && denied.len() == 4, "{denied:?}");
}

#[test]
fn a_name_has_one_spf_record_if_the_machine_and_the_domain_share_it() {
    let mut facts = facts();
    facts.presence.hostname = domain("example.org");
    let lines = lines(&facts);
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("example.org.") && line.contains("v=spf1")).count(),
        1
    );
}

#[test]
fn services_that_are_not_served_have_no_records() {
    let mut facts = facts();
    facts.presence.is_attested = false;
    let without = lines(&facts).join("\n");
    assert!(!without.contains("mta-sts") && without.contains("autoconfig"), "{without}");
    facts.presence.serves_web = false;
    let without = lines(&facts).join("\n");
    assert!(!without.contains("auto") && without.contains("_imaps"), "{without}");
}

#[test]
fn only_an_authority_whose_name_is_known_gets_a_record() {
    for (directory, name) in [
        ("https://acme-v02.api.letsencrypt.org/directory", Some("letsencrypt.org")),
        ("https://acme-staging-v02.api.letsencrypt.org/directory", Some("letsencrypt.org")),
        ("https://dv.acme-v02.api.pki.goog/directory", Some("pki.goog")),
        ("https://acme.zerossl.com/v2/DV90", Some("sectigo.com")),
        ("https://evilapi.letsencrypt.org.example.com/", None),
        ("https://notpki.goog/", None),
        ("https://acme.example.com:14000/dir", None),
    ] {
        assert_eq!(authority(directory).map(|name| name.to_string()), name.map(str::to_owned), "{directory}");
    }
}

#[test]
fn a_zone_contains_only_its_own_names() {
    let zone = WantedRecords::of(&facts()).unwrap().lines_of(&domain("example.net"));
    assert!(zone.lines().count() > 10);
    for line in zone.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(name == "example.net." || name.ends_with(".example.net."), "{line}");
    }
}
