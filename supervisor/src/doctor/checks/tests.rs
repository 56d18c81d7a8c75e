use std::net::IpAddr;

use handover::certificate::CertificateFacts;
use hickory_proto::rr::rdata::{A, AAAA, CAA, MX, PTR, SRV, TXT};
use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::{
    Blocklist, ChainTrust, ConnectionOutcome, Distrust, Family, FetchError, HealthReason, Machine, NameFault,
    PortHolder, Probe, Reverse,
};
use super::*;
use crate::dns::records::tests::facts;
use crate::mta_sts;

const NOW: u64 = 1_795_834_800;
const PORTS: [u16; 7] = [25, 80, 143, 443, 465, 587, 993];

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect()))
}

fn v4(address: &str) -> RData {
    RData::A(A(address.parse().unwrap()))
}

/// A machine and its observed surroundings.
struct Scene {
    facts: SiteFacts,
    observed: ObservedState,
}

/// A scene without faults: each record as wanted, each reverse name right, each blocklist clean.
fn green() -> Scene {
    let facts = facts();
    let wanted = WantedRecords::of(&facts).unwrap();
    let mut observed = ObservedState {
        at: NOW,
        resolvers: vec!["198.51.100.53:53".parse().unwrap()],
        ..ObservedState::default()
    };
    for (name, kind) in super::super::queries::Queries::about(&facts, &wanted).all {
        observed.names.insert((name, kind), Answer::Nothing);
    }
    for record in wanted.all() {
        let (name, data) = (record.owner().unwrap(), record.data().unwrap());
        match observed.names.entry((name, record.kind())).or_insert(Answer::Nothing) {
            Answer::Found(records) => records.push(data),
            other => *other = Answer::Found(vec![data]),
        }
    }
    let host = name("mail.example.org.");
    let own: Vec<IpAddr> = facts.addresses.all().collect();
    for (_, records) in &wanted.domains {
        for record in of_purpose(records, Purpose::Web) {
            let name = record.owner().unwrap();
            observed.aliases.insert(name.clone(), host.clone());
            for kind in [RecordType::A, RecordType::AAAA, RecordType::CAA] {
                let answer = observed.names[&(host.clone(), kind)].clone();
                observed.names.insert((name.clone(), kind), answer);
            }
        }
    }
    observed.gives_forged = Some(false);
    observed.authentic.extend([host.clone(), name("example.org."), Name::root()]);
    for address in &own {
        let names = Answer::Found(vec![RData::PTR(PTR(host.clone()))]);
        let forward = [(host.clone(), own.clone())].into();
        observed.reverse.insert(*address, Reverse { names, forward });
    }
    let greeted = || Probe::Greeted("220 mx.example.com".into());
    observed.probe =
        Some(("mx.example.com:25".into(), vec![(Family::V4, greeted()), (Family::V6, greeted())]));
    for (address, port) in own.iter().flat_map(|address| PORTS.map(|port| (*address, port))) {
        observed.connections.insert(
            (address, port),
            if port == 80 { ConnectionOutcome::Answered } else { ConnectionOutcome::Own },
        );
    }
    observed.last_connections = Some(PORTS.map(|port| (port, NOW - 3600)).into());
    observed.blocklists = vec![Blocklist {
        zone: Domain::parse("bl.example.com").unwrap(),
        listed: Answer::Found(vec![v4("127.0.0.2")]),
        unlisted: Answer::Nothing,
        own: own.iter().map(|address| (*address, Answer::Nothing)).collect(),
    }];
    observed.policies = facts
        .presence
        .domains
        .iter()
        .map(|domain| (domain.clone(), Ok(mta_sts::policy(&facts.presence.hostname))))
        .collect();
    observed.ahead = Some(1);
    let names =
        wanted.all().filter(|record| record.purpose == Purpose::Web).map(|record| record.name.to_string());
    let certificate = CertificateFacts {
        names: names.chain(["mail.example.org".to_owned()]).collect(),
        issuer: "CN=An authority".into(),
        not_before: NOW as i64 - 30 * 86_400,
        not_after: NOW as i64 + 60 * 86_400,
    };
    observed.machine = Machine {
        free: Some(Ok(20 << 30)),
        certificate: Some(Ok((certificate, ChainTrust::Trusted))),
        health: Some(Ok(Vec::new())),
        port_25: Some(PortHolder::Unseen),
        ..Machine::default()
    };
    Scene { facts, observed }
}

impl Scene {
    fn report(&self) -> Report {
        let wanted = WantedRecords::of(&self.facts).unwrap();
        let host = name("mail.example.org.");
        run(&Case { facts: &self.facts, wanted: &wanted, observed: &self.observed, host }, Scope::Whole)
    }

    fn findings(&self) -> Vec<Finding> {
        self.report().0.into_iter().flat_map(|checked| checked.findings).collect()
    }

    /// Replaces the records of a name.
    fn with(mut self, owner: &str, kind: RecordType, records: Vec<RData>) -> Self {
        let answer = if records.is_empty() { Answer::Nothing } else { Answer::Found(records) };
        self.observed.names.insert((name(owner), kind), answer);
        self
    }

    fn but(mut self, change: impl FnOnce(&mut ObservedState)) -> Self {
        change(&mut self.observed);
        self
    }
}

/// Asserts that the scene has exactly this finding, and that its fix contains the given text.
#[track_caller]
fn assert_found(scene: Scene, id: FindingId, severity: Severity, fix: &str) {
    let findings = scene.findings();
    let [finding] = findings.as_slice() else { panic!("not one finding but {findings:#?}") };
    assert_eq!((finding.id, finding.severity), (id, severity), "{finding:?}");
    assert!(finding.fix.contains(fix), "{:?} does not say {fix:?}", finding.fix);
    assert!(!finding.cause.is_empty());
}

#[test]
fn a_name_in_a_sentence_has_no_trailing_dot() {
    let own: IpAddr = "198.51.100.7".parse().unwrap();
    let host = "mail.example.org.";
    let forward = [(name("vps7.example.com."), vec![own])].into();
    let names = Answer::Found(vec![RData::PTR(PTR(name("vps7.example.com.")))]);
    let mx = RData::MX(MX::new(10, name("mx.example.com.")));
    let v6 = vec![RData::AAAA("2001:db8:51::99".parse().unwrap())];
    let key = "one._domainkey.example.org.";
    for scene in [
        green().with(host, RecordType::A, vec![]).with(host, RecordType::AAAA, vec![]),
        green().with(host, RecordType::AAAA, v6),
        green().with("example.org.", RecordType::MX, vec![mx]),
        green().with(key, RecordType::TXT, vec![]),
        green().with(host, RecordType::CAA, vec![]).with("example.org.", RecordType::CAA, vec![]),
        green().but(|observed| {
            observed.reverse.insert(own, Reverse { names, forward });
        }),
    ] {
        let findings = scene.findings();
        assert!(!findings.is_empty());
        for Finding { cause, fix, .. } in findings {
            let prose = fix.lines().next().unwrap();
            for text in [cause.as_str(), prose] {
                let has_dot = |word: &str| word.contains('.') && word.ends_with('.');
                assert!(!text.split([' ', ',', ':', ';']).any(has_dot), "{text}");
            }
        }
    }
}

#[test]
fn a_correct_setup_is_all_green() {
    let report = green().report();
    assert_eq!(report.severity(), Severity::Ok, "{}", report.text());
    assert_eq!(report.0.len(), 1 + 1 + 4 + 1 + 2 * 8 + 9);
}

#[test]
fn each_fault_in_the_records_is_named_with_the_record_to_publish() {
    use Severity::{Error, Notice, Warning};
    let mx = |host: &str| RData::MX(MX::new(10, name(host)));
    let authority =
        |of: &str| RData::CAA(CAA::new_issue(false, Some(Name::from_ascii(of).unwrap()), Vec::new()));
    let host = "mail.example.org.";
    let spf = "example.org. 3600 IN TXT \"v=spf1 mx -all\"";
    let key = "one._domainkey.example.org.";
    let other_key = RData::TLSA(hickory_proto::rr::rdata::TLSA::new(
        hickory_proto::rr::rdata::tlsa::CertUsage::DaneEe,
        hickory_proto::rr::rdata::tlsa::Selector::Spki,
        hickory_proto::rr::rdata::tlsa::Matching::Sha256,
        vec![1; 32],
    ));
    for (owner, kind, records, id, severity, fix) in [
        (host, RecordType::AAAA, vec![], FindingId::Ipv6Unpublished, Warning, "IN AAAA 2001:db8:51::7"),
        (host, RecordType::A, vec![], FindingId::AddressMissing, Error, "IN A 198.51.100.7"),
        (
            host,
            RecordType::A,
            vec![v4("198.51.100.99")],
            FindingId::AddressDifferent,
            Error,
            "IN A 198.51.100.7",
        ),
        ("example.org.", RecordType::MX, vec![], FindingId::MxMissing, Error, "IN MX 10 mail.example.org."),
        (
            "example.org.",
            RecordType::MX,
            vec![mx("mx.example.com.")],
            FindingId::MxElsewhere,
            Error,
            "IN MX 10 mail",
        ),
        (
            "example.org.",
            RecordType::MX,
            vec![mx(host), mx("mx.example.com.")],
            FindingId::MxElsewhere,
            Notice,
            "nothing if that host is an intended backup",
        ),
        ("example.org.", RecordType::TXT, vec![text("other")], FindingId::SpfMissing, Error, spf),
        (
            "example.org.",
            RecordType::TXT,
            vec![text("v=spf1 mx -all"), text("v=spf1 a -all")],
            FindingId::SpfSeveral,
            Error,
            "publish\nexample.org. 3600 IN TXT \"v=spf1 mx a -all\"",
        ),
        (
            "example.org.",
            RecordType::TXT,
            vec![text("v=spf1 ip4:192.0.2.1 -all")],
            FindingId::SpfDifferent,
            Error,
            "example.org. 3600 IN TXT \"v=spf1 mx ip4:192.0.2.1 -all\"",
        ),
        (host, RecordType::TXT, vec![], FindingId::SpfMissing, Error, "v=spf1 a -all"),
        (key, RecordType::TXT, vec![], FindingId::DkimMissing, Error, "IN TXT \"v=DKIM1; k=rsa; p=AAAA"),
        (
            key,
            RecordType::TXT,
            vec![text("v=DKIM1; k=rsa; p=BBBB")],
            FindingId::DkimDifferent,
            Error,
            "p=AAAA",
        ),
        (key, RecordType::TXT, vec![text("v=DKIM1; p=")], FindingId::DkimDifferent, Error, "p=AAAA"),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![],
            FindingId::DmarcMissing,
            Warning,
            "v=DMARC1; p=quarantine",
        ),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=DMARC1; p=none"), text("v=DMARC1; p=reject")],
            FindingId::DmarcSeveral,
            Error,
            "_dmarc.example.org.",
        ),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=DMARC1; p=none")],
            FindingId::DmarcWeak,
            Notice,
            "p=quarantine",
        ),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=DMARC1; q=1")],
            FindingId::DmarcWeak,
            Warning,
            "p=quarantine",
        ),
        // No record for receivers, although it resembles one.
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=dmarc1; p=reject")],
            FindingId::DmarcWeak,
            Warning,
            "remove\n_dmarc.example.org. IN TXT \"v=dmarc1; p=reject\"\npublish\n_dmarc.example.org. 3600 IN TXT \
             \"v=DMARC1; p=reject\"",
        ),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=DMARC1; p=reject; pct=50; ri=3600; sp=none")],
            FindingId::DmarcIgnored,
            Notice,
            "publish\n_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject; sp=none\"",
        ),
        (
            "example.org.",
            RecordType::TXT,
            vec![text("v=spf1 a:mail.example.org ?all")],
            FindingId::SpfNeutral,
            Notice,
            "publish\nexample.org. 3600 IN TXT \"v=spf1 a:mail.example.org ~all\"",
        ),
        (
            "example.org.",
            RecordType::TXT,
            vec![text("v=spf1 mx")],
            FindingId::SpfNeutral,
            Notice,
            "publish\nexample.org. 3600 IN TXT \"v=spf1 mx ~all\"",
        ),
        ("_mta-sts.example.org.", RecordType::TXT, vec![], FindingId::MtaStsMissing, Warning, "v=STSv1; id="),
        (
            "_mta-sts.example.org.",
            RecordType::TXT,
            vec![text("v=STSv1; id=1;")],
            FindingId::MtaStsDifferent,
            Warning,
            "v=STSv1",
        ),
        (
            "_mta-sts.example.org.",
            RecordType::TXT,
            vec![text("v=STSv1; id=1;"), text("v=STSv1; id=2;")],
            FindingId::MtaStsSeveral,
            Warning,
            "v=STSv1",
        ),
        (
            "_smtp._tls.example.org.",
            RecordType::TXT,
            vec![],
            FindingId::TlsReportingMissing,
            Notice,
            "v=TLSRPTv1",
        ),
        (
            "_imaps._tcp.example.org.",
            RecordType::SRV,
            vec![],
            FindingId::ServiceMissing,
            Notice,
            "IN SRV 0 1 993",
        ),
        (
            "_imaps._tcp.example.org.",
            RecordType::SRV,
            vec![RData::SRV(SRV::new(0, 1, 993, name("imap.example.com.")))],
            FindingId::ServiceDifferent,
            Warning,
            "IN SRV 0 1 993 mail.example.org.",
        ),
        (
            "_submission._tcp.example.org.",
            RecordType::SRV,
            vec![RData::SRV(SRV::new(0, 0, 0, Name::root()))],
            FindingId::ServiceDenied,
            Notice,
            "_submission._tcp.example.org. 3600 IN SRV 10 1 587 mail.example.org.",
        ),
        (
            "_imap._tcp.example.org.",
            RecordType::SRV,
            vec![RData::SRV(SRV::new(0, 1, 143, name(host)))],
            FindingId::ServicePreference,
            Notice,
            "_imap._tcp.example.org. 3600 IN SRV 10 1 143 mail.example.org.",
        ),
        (
            "_pop3._tcp.example.org.",
            RecordType::SRV,
            vec![RData::SRV(SRV::new(0, 1, 110, name(host)))],
            FindingId::ServiceDifferent,
            Warning,
            "IN SRV 0 0 0 .",
        ),
        (
            "autoconfig.example.org.",
            RecordType::A,
            vec![v4("198.51.100.80")],
            FindingId::WebElsewhere,
            Warning,
            "IN CNAME mail.example.org.",
        ),
        (host, RecordType::CAA, vec![], FindingId::CaaMissing, Notice, "IN CAA 0 issue \"letsencrypt.org\""),
        (
            host,
            RecordType::CAA,
            vec![authority("ca.example.com")],
            FindingId::CaaForbids,
            Error,
            "IN CAA 0 issue \"letsencrypt.org\"",
        ),
        (
            "_25._tcp.mail.example.org.",
            RecordType::TLSA,
            vec![],
            FindingId::TlsaMissing,
            Notice,
            "TLSA 3 1 1 abab",
        ),
        (
            "_25._tcp.mail.example.org.",
            RecordType::TLSA,
            vec![other_key],
            FindingId::TlsaDifferent,
            Error,
            "TLSA 3 1 1 abab",
        ),
    ] {
        let scene =
            green().with(owner, kind, records).but(|observed| drop(observed.aliases.remove(&name(owner))));
        assert_found(scene, id, severity, fix);
    }
    let unknown = green().but(|observed| {
        observed.names.insert((name("example.org."), RecordType::MX), Answer::Failed("SERVFAIL".into()));
    });
    assert_found(unknown, FindingId::Unanswered, Warning, "dig example.org. MX");
    let alias = green().but(|observed| {
        observed.aliases.insert(name(host), name("vps.example.com."));
    });
    assert_found(alias, FindingId::MxAlias, Error, "mail.example.org. 3600 IN A 198.51.100.7");
    let other = green()
        .with("example.org.", RecordType::MX, vec![mx("mx.example.com.")])
        .but(|observed| drop(observed.aliases.insert(name("mx.example.com."), name("vps.example.com."))));
    let of_other = other.findings().into_iter().find(|finding| finding.id == FindingId::MxAlias).unwrap();
    assert!(of_other.fix.contains("example.org. 3600 IN MX 10 vps.example.com."), "{of_other:?}");
}

#[test]
fn a_sufficient_record_of_the_operator_is_accepted() {
    for records in [
        vec![text("v=spf1 include:_spf.example.com mx ~all")],
        vec![text("v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:51::/48 -all"), text("verification=1")],
        vec![text("v=spf1 redirect=_all.example.com")],
    ] {
        let scene = green()
            .with("_spf.example.com.", RecordType::TXT, vec![text("v=spf1 ip4:192.0.2.0/24 -all")])
            .with("_all.example.com.", RecordType::TXT, vec![text("v=spf1 include:_own.example.com ~all")])
            .with("_own.example.com.", RecordType::TXT, vec![text("v=spf1 mx:example.net")]);
        assert_eq!(
            scene.with("example.org.", RecordType::TXT, records.clone()).findings(),
            [],
            "{records:?}"
        );
    }
    let strict = vec![text("v=DMARC1; p=reject; sp=reject; adkim=s")];
    assert_eq!(green().with("_dmarc.example.org.", RecordType::TXT, strict).findings(), []);
    let silent = green().with("_pop3._tcp.example.org.", RecordType::SRV, Vec::new());
    assert_eq!(silent.findings(), []);
}

#[test]
fn reports_go_to_another_domain_only_with_its_permission() {
    let record = vec![text("v=DMARC1; p=reject; rua=mailto:a@example.com,mailto:b@example.org")];
    let name_of_permission = "example.org._report._dmarc.example.com.";
    let scene = || green().with("_dmarc.example.org.", RecordType::TXT, record.clone());
    for texts in [vec![], vec![text("v=spf1 -all")]] {
        assert_found(
            scene().with(name_of_permission, RecordType::TXT, texts),
            FindingId::DmarcReports,
            Severity::Notice,
            "example.org._report._dmarc.example.com. 3600 IN TXT \"v=DMARC1\"",
        );
    }
    assert_found(scene(), FindingId::Unanswered, Severity::Warning, name_of_permission);
    let permitted = scene().with(name_of_permission, RecordType::TXT, vec![text("v=DMARC1;")]);
    assert_eq!(permitted.findings(), []);
}

#[test]
fn the_result_of_an_spf_record_is_reported_with_the_deciding_term() {
    use Severity::{Error, Warning};
    let many: String = (1..=11).map(|number| format!(" include:i{number}.example.com")).collect();
    let both = "198.51.100.7 and 2001:db8:51::7";
    for (record, id, severity, cause, fix) in [
        (
            "v=spf1 include:some.example.com -all",
            FindingId::SpfDifferent,
            Error,
            format!("mail from {both} is forged (fail, by its term -all)"),
            "v=spf1 mx include:some.example.com -all\"",
        ),
        (
            "v=spf1 ip4:198.51.100.7 ~all",
            FindingId::SpfDifferent,
            Warning,
            "mail from 2001:db8:51::7 is probably forged (softfail, by its term ~all)".to_owned(),
            "v=spf1 mx ip4:198.51.100.7 ~all\"",
        ),
        (
            "v=spf1 include:some.example.com",
            FindingId::SpfDifferent,
            Warning,
            format!("mail from {both} is of unknown origin (neutral, since none of its terms matches)"),
            "v=spf1 mx include:some.example.com\"",
        ),
        (
            "v=spf1 redirect=some.example.com",
            FindingId::SpfDifferent,
            Error,
            "by the term -all of some.example.com. (by way of redirect=some.example.com)".to_owned(),
            "v=spf1 mx redirect=some.example.com\"",
        ),
        (
            "v=spf1 ip:198.51.100.7 mx -all",
            FindingId::SpfSyntax,
            Error,
            format!("is broken (permerror) for mail from {both}: its term ip:198.51.100.7 is malformed"),
            "TXT \"v=spf1 mx -all\"",
        ),
        (
            "v=spf1 include:wrong.example.com mx ~all",
            FindingId::SpfSyntax,
            Error,
            "the term ip4:1.2.3 of wrong.example.com. (by way of include:wrong.example.com) is malformed"
                .to_owned(),
            "TXT \"v=spf1 mx ~all\"",
        ),
        (
            "v=spf1 include:none.example.com ip4:192.0.2.1 -all",
            FindingId::SpfInclude,
            Error,
            "its term include:none.example.com refers to none.example.com., which has no SPF record"
                .to_owned(),
            "TXT \"v=spf1 mx ip4:192.0.2.1 -all\"",
        ),
        (
            "v=spf1 redirect=none.example.com",
            FindingId::SpfInclude,
            Error,
            "its term redirect=none.example.com refers to none.example.com.".to_owned(),
            "TXT \"v=spf1 mx -all\"",
        ),
        (
            &format!("v=spf1{many} mx -all"),
            FindingId::SpfLookups,
            Error,
            "its term include:i11.example.com exceeds the limit of ten lookups".to_owned(),
            "v=spf1 ip4:198.51.100.7 ip6:2001:db8:51::7 include:i1.example.com include:i2.example.com",
        ),
        (
            "v=spf1 a:x.example.com a:y.example.com a:z.example.com mx -all",
            FindingId::SpfLookups,
            Warning,
            format!("for mail from {both}: it looks up more than two records that do not exist"),
            "v=spf1 ip4:198.51.100.7 ip6:2001:db8:51::7 a:x.example.com",
        ),
        (
            "v=spf1 include:slow.example.com mx -all",
            FindingId::Unanswered,
            Warning,
            "TXT of slow.example.com., SERVFAIL".to_owned(),
            "dig slow.example.com. TXT",
        ),
    ] {
        let mut scene = green()
            .with("some.example.com.", RecordType::TXT, vec![text("v=spf1 ip4:192.0.2.0/24 -all")])
            .with("wrong.example.com.", RecordType::TXT, vec![text("v=spf1 ip4:1.2.3 -all")])
            .with("none.example.com.", RecordType::TXT, Vec::new())
            .with("example.org.", RecordType::TXT, vec![text(record)]);
        for number in 1..=11 {
            let owner = format!("i{number}.example.com.");
            scene = scene.with(&owner, RecordType::TXT, vec![text("v=spf1 -all")]);
        }
        for (owner, kind) in
            ["x", "y", "z"].into_iter().flat_map(|label| [(label, RecordType::A), (label, RecordType::AAAA)])
        {
            scene = scene.with(&format!("{owner}.example.com."), kind, Vec::new());
        }
        let slow = (name("slow.example.com."), RecordType::TXT);
        let scene =
            scene.but(|observed| drop(observed.names.insert(slow, Answer::Failed("SERVFAIL".into()))));
        let findings = scene.findings();
        assert!(findings[0].cause.contains(&cause), "{record}: {findings:#?}");
        assert_found(scene, id, severity, fix);
    }
}

#[test]
fn the_record_suggested_for_a_broken_one_passes() {
    for broken in [
        "v=spf1 ip4:192.0.2.1 ~all",
        "v=spf1 all:me mx a:printer.example.org ip4:192.0.2.1 -all",
        "v=spf1; mx -all",
        "v=spf1 ip4:192.0.2.1 \u{201c}all\u{201d}",
    ] {
        for exchange in ["mail.example.org.", "mx.example.com."] {
            let scene = green().with("example.org.", RecordType::TXT, vec![text(broken)]);
            let scene =
                scene.with("example.org.", RecordType::MX, vec![RData::MX(MX::new(10, name(exchange)))]);
            let findings = scene.findings();
            let finding = findings.iter().find(|finding| finding.id.name().starts_with("spf-")).unwrap();
            let published =
                finding.fix.rsplit("publish").next().unwrap().split('"').nth(1).unwrap().to_owned();
            let mended = scene.with("example.org.", RecordType::TXT, vec![text(&published)]);
            let left = mended.findings();
            assert!(
                left.iter().all(|finding| finding.id == FindingId::MxElsewhere),
                "{published}: {left:#?}"
            );
        }
    }
}

#[test]
fn a_missing_web_name_is_found() {
    let gone = ["autoconfig.example.org."; 2].into_iter().zip([RecordType::A, RecordType::AAAA]);
    let scene = gone.fold(green(), |scene, (owner, kind)| scene.with(owner, kind, Vec::new()));
    let scene = scene.but(|observed| drop(observed.aliases.remove(&name("autoconfig.example.org."))));
    assert_found(
        scene,
        FindingId::WebMissing,
        Severity::Warning,
        "autoconfig.example.org. 3600 IN CNAME mail.example.org.",
    );
}

#[test]
fn a_domain_without_keys_does_not_affect_the_other_checks() {
    let mut scene = green();
    let before = scene.report().0.len();
    scene.facts.presence.signatures.retain(|signature| signature.domain.as_str() == "example.org");
    assert_eq!(scene.report().0.len(), before);
    assert_found(scene, FindingId::DkimMissing, Severity::Error, "the next start");
}

#[test]
fn a_certificate_without_names_is_reported() {
    let scene = green().but(|observed| {
        let Some(Ok((facts, _))) = &mut observed.machine.certificate else { panic!("no certificate") };
        facts.names.clear();
    });
    let causes: Vec<String> = scene.findings().into_iter().map(|finding| finding.cause).collect();
    assert!(
        causes.iter().any(|cause| cause.contains("is for no name, since it has no subjectAltName")),
        "{causes:?}"
    );
}

#[test]
fn unchecked_things_are_reported_as_such() {
    let scene = green().but(|observed| observed.reverse.clear());
    assert_found(scene, FindingId::NotChecked, Severity::Notice, "dig -x");
}

#[test]
fn each_fault_of_an_address_is_named() {
    let own: IpAddr = "198.51.100.7".parse().unwrap();
    let reverse = |names: Answer, forward: Vec<(Name, Vec<IpAddr>)>| {
        green().but(|observed| {
            observed.reverse.insert(own, Reverse { names, forward: forward.into_iter().collect() });
        })
    };
    let pointer = |to: &str| Answer::Found(vec![RData::PTR(PTR(name(to)))]);
    let line = "7.100.51.198.in-addr.arpa. 3600 IN PTR mail.example.org.";
    assert_found(reverse(Answer::Nothing, Vec::new()), FindingId::ReverseMissing, Severity::Error, line);
    let other = name("vps7.example.com.");
    let confirmed = vec![(other.clone(), vec![own])];
    assert_found(
        reverse(pointer("vps7.example.com."), confirmed),
        FindingId::ReverseGeneric,
        Severity::Warning,
        line,
    );
    const SIX: &str = "2001:db8:51::7";
    let six: IpAddr = SIX.parse().unwrap();
    let of_six = |names: Answer| {
        green().but(|observed| {
            observed.reverse.insert(six, Reverse { names, forward: std::collections::BTreeMap::new() });
        })
    };
    let pointer_of_six = Name::from(six);
    for (names, id) in [
        (Answer::Nothing, FindingId::ReverseMissing),
        (pointer("vps7.example.com."), FindingId::ReverseDifferent),
        (pointer("mail.example.org."), FindingId::ReverseUnconfirmed),
    ] {
        let scene = of_six(names.clone());
        let causes: Vec<String> = scene.findings().into_iter().map(|finding| finding.cause).collect();
        assert!(causes[0].ends_with("mail is sent over IPv4 to all hosts that have IPv4"), "{causes:?}");
        let fix =
            if id == FindingId::ReverseUnconfirmed { SIX.to_owned() } else { pointer_of_six.to_ascii() };
        assert_found(scene, id, Severity::Warning, &fix);
        // A machine that has only IPv6.
        let mut alone = of_six(names);
        alone.facts.addresses.v4.clear();
        let severity = alone.findings().into_iter().find(|finding| finding.id == id).unwrap().severity;
        assert_eq!(severity, Severity::Error);
    }
    let relative = name("web.example.org.");
    assert_found(
        reverse(pointer("web.example.org."), vec![(relative, vec![own])]),
        FindingId::ReverseDifferent,
        Severity::Warning,
        line,
    );
    assert_found(
        reverse(pointer("vps7.example.com."), vec![(other, vec![])]),
        FindingId::ReverseDifferent,
        Severity::Error,
        line,
    );
    let host = name("mail.example.org.");
    let elsewhere = vec![(host, vec!["198.51.100.99".parse().unwrap()])];
    assert_found(
        reverse(pointer("mail.example.org."), elsewhere),
        FindingId::ReverseUnconfirmed,
        Severity::Error,
        "198.51.100.7",
    );
}

#[test]
fn a_blocklist_that_refuses_or_invents_answers_is_distinguished_from_a_listing() {
    let list = |change: fn(&mut Blocklist)| green().but(|observed| change(&mut observed.blocklists[0]));
    let listed = list(|list| list.own[0].1 = Answer::Found(vec![v4("127.0.0.4")]));
    assert_found(listed, FindingId::Blocklisted, Severity::Error, "bl.example.com");
    for refuses in [
        list(|list| list.listed = Answer::Found(vec![v4("127.255.255.254")])),
        list(|list| list.own[0].1 = Answer::Found(vec![v4("127.255.255.254")])),
    ] {
        assert_found(refuses, FindingId::BlocklistRefuses, Severity::Notice, "MAIL_DNS_SERVERS");
    }
    for useless in [
        list(|list| list.listed = Answer::Nothing),
        list(|list| list.listed = Answer::Failed("no answer in time".into())),
        list(|list| list.unlisted = Answer::Found(vec![v4("127.0.0.2")])),
        // A resolver that answers for nonexistent names with the address of an advertising server.
        list(|list| {
            (list.listed, list.unlisted) = (Answer::Found(vec![v4("203.0.113.9")]), Answer::Nothing);
            list.own[0].1 = Answer::Found(vec![v4("203.0.113.9")]);
        }),
    ] {
        assert_found(useless, FindingId::BlocklistUseless, Severity::Notice, "MAIL_CHECK_BLOCKLISTS");
    }
}

/// A scene in which mail leaves through a provider's relay, and the domains' records permit it.
fn relayed() -> Scene {
    let relay = |scene: Scene, owner: &str| {
        scene.with(owner, RecordType::TXT, vec![text("v=spf1 include:spf.example.com -all")])
    };
    let mut scene =
        green().with("spf.example.com.", RecordType::TXT, vec![text("v=spf1 ip4:192.0.2.0/24 -all")]);
    scene.facts.presence.is_relayed = true;
    relay(relay(scene, "example.org."), "example.net.")
}

#[test]
fn mail_through_a_relay_is_not_judged_by_our_address() {
    assert_eq!(relayed().findings(), []);
    let ours = relayed().with("example.org.", RecordType::TXT, vec![text("v=spf1 mx -all")]);
    assert_found(
        ours,
        FindingId::SpfDifferent,
        Severity::Warning,
        "v=spf1 mx include:<the provider's term> -all",
    );
    let broken = relayed().with("spf.example.com.", RecordType::TXT, Vec::new());
    let found: Vec<FindingId> = broken.findings().iter().map(|finding| finding.id).collect();
    assert_eq!(found, [FindingId::SpfInclude, FindingId::SpfInclude], "for each domain");
}

#[test]
fn a_fault_that_keeps_mail_from_leaving_is_named() {
    let blocked = |observed: &mut ObservedState| {
        let failed = || Probe::Failed("no answer".into());
        let both = vec![(Family::V4, failed()), (Family::V6, failed())];
        observed.probe = Some(("mx.example.com:25".into(), both));
    };
    assert_found(green().but(blocked), FindingId::Port25Blocked, Severity::Error, "MAIL_RELAY_URL");
    assert_found(relayed().but(blocked), FindingId::Port25Blocked, Severity::Notice, "MAIL_RELAY_URL");
}

#[test]
fn a_silent_resolver_is_the_only_finding_about_records() {
    let silent = green().but(|observed| {
        for answer in observed.names.values_mut() {
            *answer = Answer::Failed("no answer in time".into());
        }
    });
    assert_found(silent, FindingId::ResolverSilent, Severity::Error, "MAIL_DNS_SERVERS");
    let none = green().but(|observed| observed.resolvers.clear());
    assert_found(none, FindingId::ResolverSilent, Severity::Error, "MAIL_DNS_SERVERS");
    let public = green().but(|observed| observed.resolvers = vec!["8.8.8.8:53".parse().unwrap()]);
    assert_found(public, FindingId::ResolverPublic, Severity::Notice, "unbound");
    let trusting = green().but(|observed| observed.authentic.clear());
    assert_found(trusting, FindingId::ResolverNotValidating, Severity::Notice, "unbound");
    let pretending = green().but(|observed| observed.gives_forged = Some(true));
    assert_found(pretending, FindingId::ResolverNotValidating, Severity::Notice, "unbound");
    assert_eq!(green().but(|observed| observed.gives_forged = None).findings(), [], "a closed network");
}

#[test]
fn a_wrong_key_in_an_unsigned_zone_is_a_warning() {
    let name = "_25._tcp.mail.example.org.";
    let records =
        green().observed.names[&(self::name("_465._tcp.mail.example.org."), RecordType::TLSA)].clone();
    let RData::TLSA(mut wrong) = records.records()[0].clone() else { panic!("no TLSA") };
    wrong.cert_data = vec![1; 32];
    let scene = green().with(name, RecordType::TLSA, vec![RData::TLSA(wrong)]);
    let scene = scene
        .but(|observed| observed.authentic.retain(|authentic| *authentic != self::name("mail.example.org.")));
    assert!(scene.findings()[0].cause.contains("once the zone is signed"));
    assert_found(scene, FindingId::TlsaDifferent, Severity::Warning, "TLSA");
}

#[test]
fn a_policy_that_cannot_be_fetched_or_names_other_hosts_is_found() {
    let domain = Domain::parse("example.org").unwrap();
    let policy = |policy: Result<String, FetchError>| {
        let domain = domain.clone();
        green().but(move |observed| drop(observed.policies.insert(domain, policy)))
    };
    let refused = FetchError::Failed("refused".into());
    assert_found(policy(Err(refused)), FindingId::MtaStsPolicy, Severity::Warning, "443");
    let other = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n";
    assert_found(policy(Ok(other.into())), FindingId::MtaStsPolicy, Severity::Error, "443");
    let bare = mta_sts::policy(&green().facts.presence.hostname);
    assert_eq!(policy(Ok(bare.trim_end().to_owned())).findings(), []);
}

#[test]
fn a_policy_behind_a_certificate_that_senders_do_not_trust_is_found_once() {
    let domain = Domain::parse("example.org").unwrap();
    let shown = |why: &Distrust| {
        let (domain, why) = (domain.clone(), FetchError::Distrusted(why.clone()));
        green().but(move |observed| drop(observed.policies.insert(domain, Err(why))))
    };
    // The server there has another certificate than ours.
    for (why, cause) in [
        (Distrust::Ended, "it has expired"),
        (Distrust::Name, "it is for other names"),
        (Distrust::Unknown, "not lead to an authority that they know"),
        (Distrust::Early, "not valid yet"),
    ] {
        let finding = shown(&why).findings().remove(0);
        assert!(finding.cause.contains(cause), "{finding:?}");
        assert_found(shown(&why), FindingId::MtaStsCertificate, Severity::Warning, "mta-sts.example.org");
    }
    // The server is ours, and the fault is reported already.
    let ours = |why: Distrust, change: fn(&mut CertificateFacts, &mut ChainTrust)| {
        shown(&why).but(|observed| {
            let Some(Ok((facts, chain))) = &mut observed.machine.certificate else {
                panic!("no certificate")
            };
            change(facts, chain);
        })
    };
    for (scene, id, severity) in [
        (
            ours(Distrust::Ended, |facts, _| facts.not_after = NOW as i64 - 1),
            FindingId::CertificateEnds,
            Severity::Error,
        ),
        (
            ours(Distrust::Name, |facts, _| facts.names.retain(|name| name != "mta-sts.example.org")),
            FindingId::CertificateName,
            Severity::Warning,
        ),
        (
            ours(Distrust::Unknown, |_, chain| *chain = ChainTrust::Distrusted(Distrust::Unknown)),
            FindingId::CertificateUntrusted,
            Severity::Warning,
        ),
        (
            ours(Distrust::Unknown, |_, chain| *chain = ChainTrust::Broken),
            FindingId::CertificateChain,
            Severity::Error,
        ),
    ] {
        assert_found(scene, id, severity, "");
    }
}

#[test]
fn the_machine_itself_is_checked() {
    use Severity::{Error, Warning};
    let certificate = |change: fn(&mut CertificateFacts, &mut ChainTrust)| {
        green().but(|observed| {
            let Some(Ok((facts, chain))) = &mut observed.machine.certificate else {
                panic!("no certificate")
            };
            change(facts, chain);
        })
    };
    for (scene, id, severity, fix) in [
        (green().but(|observed| observed.ahead = Some(-90)), FindingId::ClockWrong, Warning, "NTP"),
        (green().but(|observed| observed.ahead = Some(7200)), FindingId::ClockWrong, Error, "NTP"),
        (
            green().but(|observed| observed.ahead = None),
            FindingId::NotChecked,
            Severity::Notice,
            "timedatectl",
        ),
        (
            green().but(|observed| observed.machine.free = Some(Ok(100 << 20))),
            FindingId::SpaceLow,
            Error,
            "disk",
        ),
        (
            green().but(|observed| observed.machine.free = Some(Ok(700 << 20))),
            FindingId::SpaceLow,
            Warning,
            "disk",
        ),
        (
            green().but(|observed| observed.machine.is_read_only = true),
            FindingId::VolumeUnusable,
            Error,
            "read-write",
        ),
        (
            green().but(|observed| {
                observed.machine.foreign = vec!["the folder /data/mail belongs to 0:0".into()]
            }),
            FindingId::VolumeForeign,
            Warning,
            "restart",
        ),
        (certificate(|facts, _| facts.not_after = NOW as i64 - 1), FindingId::CertificateEnds, Error, "log"),
        (
            certificate(|facts, _| facts.not_after = NOW as i64 + 86_400),
            FindingId::CertificateEnds,
            Warning,
            "log",
        ),
        (
            certificate(|_, chain| *chain = ChainTrust::Broken),
            FindingId::CertificateChain,
            Error,
            "fullchain",
        ),
        (
            certificate(|_, chain| *chain = ChainTrust::Distrusted(Distrust::Unknown)),
            FindingId::CertificateUntrusted,
            Warning,
            "MAIL_ACME_CA_FILE",
        ),
        (
            certificate(|_, chain| *chain = ChainTrust::Distrusted(Distrust::Ended)),
            FindingId::CertificateUntrusted,
            Warning,
            "MAIL_ACME_CA_FILE",
        ),
        (
            certificate(|facts, _| facts.names.retain(|name| name != "mail.example.org")),
            FindingId::CertificateName,
            Error,
            "log",
        ),
        (
            certificate(|facts, chain| {
                facts.issuer = "CN=Mailstead self-made authority".into();
                *chain = ChainTrust::Distrusted(Distrust::Unknown);
            }),
            FindingId::CertificateSelfMade,
            Warning,
            "log",
        ),
        (
            green().but(|observed| observed.machine.certificate = Some(Err("cannot read it".into()))),
            FindingId::CertificateUnusable,
            Error,
            "log",
        ),
    ] {
        assert_found(scene, id, severity, fix);
    }
}

#[test]
fn the_reason_for_a_self_made_certificate_is_reported_once() {
    let self_made = || {
        green().but(|observed| {
            let Some(Ok((facts, chain))) = &mut observed.machine.certificate else {
                panic!("no certificate")
            };
            facts.issuer = "CN=Mailstead self-made authority".into();
            *chain = ChainTrust::Distrusted(Distrust::Unknown);
        })
    };
    let reported = |source: &str, severity: &str, problem: &str| {
        let reason = HealthReason {
            source: source.into(),
            severity: severity.into(),
            problem: problem.into(),
            fix: "do it".into(),
        };
        let found = self_made().but(|observed| observed.machine.health = Some(Ok(vec![reason]))).findings();
        found
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .map(|finding| finding.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(reported("acme", "error", "it is down"), [FindingId::AcmeFailed]);
    assert_eq!(
        reported("settings", "warning", "the certificate of MAIL_TLS_CERT_FILE cannot be used"),
        [FindingId::Unhealthy]
    );
    assert_eq!(reported("acme", "note", "an order is pending"), [FindingId::CertificateSelfMade]);
    assert_eq!(
        reported("queue", "warning", "it waits"),
        [FindingId::CertificateSelfMade, FindingId::Unhealthy]
    );
}

#[test]
fn names_that_do_not_fit_into_a_certificate_are_reported_once() {
    let mut scene = green();
    let more = (0..40).map(|count| Domain::parse(&format!("d{count}.example")).unwrap());
    scene.facts.presence.domains.extend(more);
    let wanted = WantedRecords::of(&scene.facts).unwrap();
    let names =
        crate::certificate::wanted_names(&scene.facts.presence.hostname, &scene.facts.presence.domains, &[]);
    let Some(Ok((facts, _))) = &mut scene.observed.machine.certificate else { panic!("no certificate") };
    facts.names = names.names;
    let problem = "the certificate does not cover d39.example: a certificate has room for 100 names";
    let (source, severity) = ("acme".into(), "note".into());
    scene.observed.machine.health =
        Some(Ok(vec![HealthReason { source, severity, problem: problem.into(), fix: String::new() }]));
    let host = name("mail.example.org.");
    let case = Case { facts: &scene.facts, wanted: &wanted, observed: &scene.observed, host };
    let found = certificate::check(&case);
    assert_eq!(
        found.iter().map(|finding| finding.id).collect::<Vec<_>>(),
        [FindingId::CertificateName],
        "{found:?}"
    );
    assert!(found[0].cause.contains("room for 100 names") && found[0].cause.contains("mta-sts.d39.example"));
    assert_eq!(health::check(&case), [], "the certificate's check reports it");
}

#[test]
fn the_stewards_findings_are_repeated_and_its_silence_is_reported() {
    let reason = |source: &str| HealthReason {
        source: source.into(),
        severity: "warning".into(),
        problem: "the order failed".into(),
        fix: "wait".into(),
    };
    let reported = |source: &str| {
        let reason = reason(source);
        green().but(|observed| observed.machine.health = Some(Ok(vec![reason])))
    };
    assert_found(reported("acme"), FindingId::AcmeFailed, Severity::Warning, "wait");
    assert_found(reported("process"), FindingId::Unhealthy, Severity::Warning, "wait");
    assert_eq!(reported("doctor").findings(), [], "the doctor would quote itself");
    let handover::Concern { problem, fix } = handover::notice::GATEWAY_CLIENTS;
    let gateway = HealthReason { problem: problem.into(), fix: fix.into(), ..reason("settings") };
    let bridged = green().but(|observed| observed.machine.health = Some(Ok(vec![gateway])));
    assert_found(bridged, FindingId::GatewayClients, Severity::Warning, "network_mode: host");
    let gone = green().but(|observed| observed.machine.health = Some(Err("no answer".into())));
    let found: Vec<FindingId> = gone.findings().iter().map(|finding| finding.id).collect();
    assert_eq!(found, [FindingId::NotRunning, FindingId::Port25Taken]);
    let held_by = |holder: Option<PortHolder>| {
        green().but(|observed| {
            observed.machine.health = Some(Err("no answer".into()));
            observed.machine.port_25 = holder;
        })
    };
    assert_found(held_by(None), FindingId::NotRunning, Severity::Error, "up -d");
    let program = |name: &str| Some(PortHolder::Program { name: name.into(), id: 812 });
    let taken = held_by(program("exim4")).findings().remove(1);
    assert!(
        taken.cause.contains("exim4 (process 812)") && taken.fix.contains("disable --now exim4"),
        "{taken:?}"
    );
    // Its own process 1 is not a foreign program.
    assert_found(held_by(program("mailstead")), FindingId::Unhealthy, Severity::Error, "logs");
}

#[test]
fn behind_a_router_the_addresses_of_the_name_count_as_ours() {
    let mut scene = green();
    scene.facts.addresses = crate::dns::addresses::Addresses { private_v6: true, ..Default::default() };
    assert_eq!(scene.findings(), []);
    let gone = [RecordType::A, RecordType::AAAA];
    let scene = gone.into_iter().fold(scene, |scene, kind| scene.with("mail.example.org.", kind, Vec::new()));
    assert!(scene.findings().iter().any(|finding| finding.id == FindingId::AddressMissing));
}

#[test]
fn an_alias_for_a_web_name_is_as_good_as_addresses() {
    let scene = green().with(
        "autoconfig.example.org.",
        RecordType::AAAA,
        vec![RData::AAAA(AAAA("2001:db8:51::7".parse().unwrap()))],
    );
    assert_eq!(scene.findings(), []);
}

/// Checks that the table in `docs/operating.md` has every name that a script may find.
#[test]
fn every_finding_is_documented() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(path).unwrap();
    for id in FindingId::ALL {
        let row = format!("| `{}` | {} |", id.name(), id.meaning());
        assert!(page.contains(&row), "docs/operating.md lacks the row\n{row}");
    }
}

/// A scene in which the own name of example.org has those addresses, and a request to it has this result.
fn with_own_name(addresses: Vec<RData>, result: Result<(), FetchError>) -> Scene {
    green().with("example.org.", RecordType::A, addresses).but(|observed| {
        observed.own_names.insert(Domain::parse("example.org").unwrap(), result);
    })
}

#[test]
fn a_domains_own_name_that_leads_here_without_a_certificate_is_reported_with_the_fix() {
    let wrong = || Err(FetchError::Distrusted(Distrust::Name));
    let here = || v4("198.51.100.7");
    let id = FindingId::DomainCertificate;
    assert_found(with_own_name(vec![here()], wrong()), id, Severity::Warning, "quarter of an hour");
    let both = with_own_name(vec![here(), v4("198.51.100.80")], wrong());
    assert_found(both, id, Severity::Warning, "it also leads to 198.51.100.80");
    let mut external = with_own_name(vec![here()], wrong());
    external.facts.presence.acme_directory = None;
    assert_found(external, id, Severity::Warning, "MAIL_TLS_CERT_FILE");
    let beside =
        with_own_name(vec![here()], Err(FetchError::Distrusted(Distrust::Unknown))).but(|observed| {
            let Some(Ok((facts, _))) = &mut observed.machine.certificate else { panic!("there is one") };
            facts.names.push("example.org".into());
        });
    assert_found(beside, id, Severity::Warning, "another web server");
    let over_v6 = with_own_name(Vec::new(), wrong()).with(
        "example.org.",
        RecordType::AAAA,
        vec![RData::AAAA(AAAA("2001:db8:51::7".parse().unwrap()))],
    );
    assert_found(over_v6, id, Severity::Warning, "quarter of an hour");
}

#[test]
fn a_domains_own_name_that_leads_elsewhere_or_has_a_valid_certificate_is_accepted() {
    let here = || vec![v4("198.51.100.7")];
    let wrong = || Err(FetchError::Distrusted(Distrust::Name));
    for scene in [
        with_own_name(here(), Ok(())),
        with_own_name(here(), Err(FetchError::Failed("refused".into()))),
        with_own_name(vec![v4("198.51.100.80")], wrong()),
        with_own_name(Vec::new(), wrong()),
    ] {
        let findings = scene.findings();
        assert!(findings.is_empty(), "{findings:?}");
    }
}

#[test]
fn an_authority_that_may_not_certify_a_domains_own_name_is_a_warning_while_that_leads_here() {
    let other = || {
        let authority = Name::from_ascii("ca.example.com").unwrap();
        vec![RData::CAA(CAA::new_issue(false, Some(authority), Vec::new()))]
    };
    let scene = |address: &str| {
        with_own_name(vec![v4(address)], Ok(())).with("example.org.", RecordType::CAA, other())
    };
    assert!(scene("198.51.100.80").findings().is_empty());
    assert_found(
        scene("198.51.100.7"),
        FindingId::CaaForbids,
        Severity::Warning,
        "example.org. 3600 IN CAA 0 issue",
    );
}

mod planted;
