//! The records of `mailstead dns`, read by a real name server and published at one.

use std::fs;
use std::process::Command;

use address::Domain;
use handover::Confidential;
use handover::config::{DnsUpdate, Presence, PublicSignature, TsigAlgorithm, TsigKey};
use supervisor::dns::addresses::Addresses;
use supervisor::dns::publish::{PublishError, PublishPlan};
use supervisor::dns::records::{SiteFacts, WantedRecords};
use supervisor::dns::update::Updater;
use tests::knot::{KEY_NAME, Knot, SECRET, Signing, program};

fn domain(text: &str) -> Domain {
    Domain::parse(text).expect("a domain")
}

fn wanted() -> WantedRecords {
    let signature = |of: &str, selector: &str, kind: &str, length| PublicSignature {
        domain: domain(of),
        selector: selector.into(),
        kind: kind.into(),
        base64: "A".repeat(length),
    };
    let facts = SiteFacts {
        presence: Presence {
            hostname: domain("mail.example.org"),
            domains: vec![domain("example.org"), domain("example.net")],
            serves_web: true,
            is_attested: true,
            is_local: false,
            is_relayed: false,
            authorities: None,
            certificate: "/nowhere".into(),
            volume: "/nowhere".into(),
            acme_directory: Some("https://acme-v02.api.letsencrypt.org/directory".into()),
            dns_servers: Vec::new(),
            blocklists: Vec::new(),
            smtp_host: None,
            signatures: vec![
                signature("example.org", "mailstead-rsa", "rsa", 392),
                signature("example.org", "mailstead-ed25519", "ed25519", 44),
                signature("example.net", "mailstead-rsa", "rsa", 392),
            ],
        },
        addresses: Addresses {
            v4: vec![[198, 51, 100, 7].into()],
            v6: vec!["2001:db8:51::7".parse().expect("an address")],
            ..Addresses::default()
        },
        key: Some([0xab; 32]),
    };
    WantedRecords::of(&facts).expect("short names")
}

#[test]
fn the_zone_of_each_domain_is_loaded_by_a_name_server_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for zone in ["example.org", "example.net"] {
        let lines = wanted().lines_of(&domain(zone));
        let text = format!(
            "$TTL 60\n{zone}. SOA ns.example.com. h.example.com. 1 60 60 3600 60\n{zone}. NS ns.example.com.\n{lines}"
        );
        let path = folder.path().join(zone);
        fs::write(&path, &text).unwrap();
        let output =
            Command::new(program("kzonecheck")).args(["-v", "-o", zone]).arg(&path).output().unwrap();
        let printed =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{printed}\n{text}");
        assert!(printed.contains("No semantic error"), "{printed}\n{text}");
    }
}

/// Runs the command with these settings before any start. Returns its status, its output and its errors.
fn run(command: &[&str], domains: &str) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mailstead"))
        .args(command)
        .env_clear()
        .env("MAIL_DOMAIN", domains)
        .output()
        .expect("the command was built");
    let text = |octets| String::from_utf8(octets).expect("the output is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn missing_keys_cost_only_their_own_records() {
    let (status, zone, printed) = run(&["dns"], "example.org");
    assert_eq!(status, Some(0), "{printed}");
    assert!(zone.contains("example.org. 3600 IN MX 10 mail.example.org."), "{zone}");
    let missing = "mailstead dns: there is no signing key for example.org: the next start";
    assert!(printed.contains(missing), "{printed}");

    let (status, zone, printed) = run(&["dns", "--publish"], "example.org");
    assert_eq!((status, zone.as_str()), (Some(74), ""));
    assert!(printed.contains("mailstead dns: nothing was published: there is no signing key"), "{printed}");
}

#[test]
fn a_zone_without_our_records_is_an_error() {
    let (status, zone, printed) = run(&["dns", "--zone", "foo.org"], "example.org");
    assert_eq!((status, zone.as_str()), (Some(64), ""));
    assert!(printed.contains("mailstead dns: the zone foo.org has none of the records"), "{printed}");
    assert!(printed.contains("mail.example.org"), "{printed}");
    assert_eq!(run(&["dns", "--zone", "example.org"], "example.org").0, Some(0));
}

#[test]
fn the_json_has_the_reason_why_nothing_could_be_checked() {
    let (status, json, printed) = run(&["check", "--json"], "no domain");
    assert_eq!(status, Some(64), "{printed}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["status"], "error");
    assert!(json["error"].as_str().unwrap().contains("MAIL_DOMAIN"), "{json}");
}

fn updater(knot: &Knot) -> Updater {
    let key = TsigKey {
        name: domain(KEY_NAME),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Confidential::new(SECRET),
    };
    Updater::new(&DnsUpdate { server: knot.address(), key: Some(key) }).expect("a key")
}

async fn planned(updater: &Updater) -> PublishPlan {
    // The SPF record of the domain with other services permits this machine.
    let passing = hickory_proto::rr::Name::from_ascii("example.org.").expect("a name");
    PublishPlan::read(updater, &wanted(), [passing].into(), &[]).await.expect("zones that can be read")
}

async fn publish(updater: &Updater) -> Result<String, PublishError> {
    planned(updater).await.apply(updater).await
}

#[tokio::test]
async fn a_domain_at_another_provider_does_not_affect_the_others() {
    let knot = Knot::start(&[("example.org", "")], Signing::Off);
    let error = publish(&updater(&knot)).await.unwrap_err().to_string();
    assert!(error.contains("_dmarc.example.net.") && !error.contains("_dmarc.example.org."), "{error}");
    assert_eq!(knot.dig(&["example.org", "MX"]), "10 mail.example.org.");
}

#[tokio::test]
async fn published_records_are_served_and_a_second_run_changes_nothing() {
    let stale = "@ TXT \"owner=example\"\nwww A 198.51.100.80\nmail A 198.51.100.99\n_submission._tcp SRV 0 0 0 .\n\
                 @ MX 5 192.0.2.1.\n";
    let knot = Knot::start(&[("example.org", stale), ("example.net", "")], Signing::On);
    let updater = updater(&knot);
    let outcome = publish(&updater).await.unwrap();
    assert!(outcome.contains("example.net. ") && outcome.contains("example.org. "), "{outcome}");

    for (query, answer) in [
        (["mail.example.org", "A"], "198.51.100.7"),
        (["mail.example.org", "AAAA"], "2001:db8:51::7"),
        (["example.org", "MX"], "10 mail.example.org."),
        (["example.net", "MX"], "10 mail.example.org."),
        (["mta-sts.example.org", "CNAME"], "mail.example.org."),
        (["www.example.org", "A"], "198.51.100.80"),
        (["_imaps._tcp.example.net", "SRV"], "0 1 993 mail.example.org."),
        (["_submission._tcp.example.org", "SRV"], "10 1 587 mail.example.org."),
        (["_imap._tcp.example.net", "SRV"], "10 1 143 mail.example.org."),
        (["_pop3._tcp.example.net", "SRV"], "0 0 0 ."),
        (["mail.example.org", "CAA"], "0 issue \"letsencrypt.org\""),
    ] {
        assert_eq!(knot.dig(&query), answer, "{query:?}");
    }
    assert_eq!(sorted(&knot.dig(&["example.org", "TXT"])), ["\"owner=example\"", "\"v=spf1 mx -all\""]);
    let tlsa = knot.dig(&["_25._tcp.mail.example.org", "TLSA"]).replace(' ', "").to_lowercase();
    assert_eq!(tlsa, format!("311{}", "ab".repeat(32)));

    assert!(planned(&updater).await.is_empty());
    let again = publish(&updater).await.unwrap();
    for line in again.lines() {
        assert!(line.contains(". 0 records published, 0 removed"), "{again}");
    }
}

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().map(str::trim).collect();
    lines.sort_unstable();
    lines
}

/// Publishes into a zone that other services use too: no record is lost or weakened.
#[tokio::test]
async fn publishing_removes_and_weakens_nothing() {
    let foreign = "@ MX 5 mail\n@ MX 20 backup.example.com.\n\
                   @ TXT \"v=spf1 include:_spf.example.com mx ~all\"\n\
                   _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:reports@example.com\"\n\
                   autoconfig CNAME web.example.com.\nautodiscover A 198.51.100.80\n\
                   mta-sts CNAME policies.example.com.\n_mta-sts TXT \"v=STSv1; id=abc123;\"\n\
                   _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:tls@example.com\"\n\
                   _autodiscover._tcp SRV 0 0 443 outlook.example.com.\n_pop3._tcp SRV 0 1 110 pop.example.com.\n\
                   mail A 198.51.100.7\nmail CAA 0 issue \"ca.example.com\"\n\
                   mail CAA 0 iodef \"mailto:security@example.com\"\n_25._tcp.mail TLSA 3 1 1 \
                   0101010101010101010101010101010101010101010101010101010101010101\n\
                   * A 198.51.100.90\n* TXT \"v=STSv1; id=wildcard;\"\n";
    let elsewhere = "@ MX 10 mx.example.com.\n_dmarc CNAME dmarc.example.com.\n";
    let knot = Knot::start(&[("example.org", foreign), ("example.net", elsewhere)], Signing::Off);
    let updater = updater(&knot);
    let shown = planned(&updater).await.to_string();
    for line in [
        "  keep    example.org. IN MX 20 backup.example.com.: another host also accepts mail",
        "  keep    autoconfig.example.org. IN CNAME web.example.com.: the name leads to another web server",
        "  keep    example.net. IN MX 10 mx.example.com.: mail goes to another host",
        "  add     mail.example.org. 3600 IN AAAA 2001:db8:51::7",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("  remove"), "{shown}");
    publish(&updater).await.unwrap();
    for (query, answers) in [
        (["example.org", "MX"], &["20 backup.example.com.", "5 mail.example.org."][..]),
        (["example.org", "TXT"], &["\"v=spf1 include:_spf.example.com mx ~all\""]),
        (["_dmarc.example.org", "TXT"], &["\"v=DMARC1; p=reject; rua=mailto:reports@example.com\""]),
        (["autoconfig.example.org", "CNAME"], &["web.example.com."]),
        (["autodiscover.example.org", "A"], &["198.51.100.80"]),
        (["mta-sts.example.org", "CNAME"], &["policies.example.com."]),
        (["_mta-sts.example.org", "TXT"], &["\"v=STSv1; id=abc123;\""]),
        (["_smtp._tls.example.org", "TXT"], &["\"v=TLSRPTv1; rua=mailto:tls@example.com\""]),
        (["_autodiscover._tcp.example.org", "SRV"], &["0 0 443 outlook.example.com."]),
        (["_pop3._tcp.example.org", "SRV"], &["0 1 110 pop.example.com."]),
        (
            ["mail.example.org", "CAA"],
            &[
                "0 iodef \"mailto:security@example.com\"",
                "0 issue \"ca.example.com\"",
                "0 issue \"letsencrypt.org\"",
            ],
        ),
        (["example.net", "MX"], &["10 mx.example.com."]),
        (["_dmarc.example.net", "CNAME"], &["dmarc.example.com."]),
        (["anything.example.org", "A"], &["198.51.100.90"]),
        // The wildcard matches it, so it needs a record of its own.
        (["autoconfig.example.net", "CNAME"], &["mail.example.org."]),
        (["_pop3s._tcp.example.org", "SRV"], &["0 0 0 ."]),
    ] {
        let found = knot.dig(&query);
        assert_eq!(sorted(&found), answers, "{query:?}");
    }
    assert_eq!(knot.dig(&["_25._tcp.mail.example.org", "TLSA"]).lines().count(), 2);
}

#[tokio::test]
async fn a_zone_that_changes_between_reading_and_writing_is_left_as_it_is() {
    let knot = Knot::start(&[("example.org", ""), ("example.net", "")], Signing::Off);
    let updater = updater(&knot);
    let plan = planned(&updater).await;
    let name = hickory_proto::rr::Name::from_ascii("_dmarc.example.org.").unwrap();
    let policy =
        |text: &str| hickory_proto::rr::RData::TXT(hickory_proto::rr::rdata::TXT::new(vec![text.to_owned()]));
    updater.add(&name, 60, policy("v=DMARC1; p=reject")).await.unwrap();
    let error = plan.apply(&updater).await.unwrap_err().to_string();
    assert!(error.contains("other records than a moment ago"), "{error}");
    assert_eq!(knot.dig(&["_dmarc.example.org", "TXT"]), "\"v=DMARC1; p=reject\"");
    assert_eq!(knot.dig(&["example.org", "MX"]), "", "a zone is changed as a whole or not at all");
}
