//! Faults planted into a scene without faults: each is reported once, with a fix that names the records.

use super::*;

#[test]
fn a_key_damaged_by_a_web_form_is_recognized() {
    let owner = "one._domainkey.example.org.";
    let key = format!("v=DKIM1; k=rsa; p={}", "A".repeat(392));
    for (found, id, severity) in [
        (key[..255].to_owned(), FindingId::DkimCut, Severity::Error),
        (format!("\"{}\" \"{}\"", &key[..200], &key[200..]), FindingId::DkimQuoted, Severity::Error),
        (key.replace(';', "\\;"), FindingId::DkimQuoted, Severity::Error),
        (key.replace("; p=", "; t=y:s; p="), FindingId::DkimTesting, Severity::Warning),
    ] {
        let scene = green().with(owner, RecordType::TXT, vec![text(&found)]);
        assert_found(scene, id, severity, &format!("publish\n{owner} 3600 IN TXT"));
    }
}

#[test]
fn a_fresh_domain_is_one_finding_with_the_whole_zone() {
    let mut scene = green();
    scene.facts.presence.acme_directory = None;
    let wanted = WantedRecords::of(&scene.facts).unwrap();
    let scene = scene.but(|observed| {
        for answer in observed.names.values_mut() {
            *answer = Answer::Nothing;
        }
        observed.aliases.clear();
        observed.connections.clear();
        // The answers of blocklists, and of the resolver about the root.
        for reverse in observed.reverse.values_mut() {
            reverse.names = Answer::Nothing;
        }
    });
    let findings = scene.findings();
    let [finding] = findings.as_slice() else { panic!("not one finding but {findings:#?}") };
    assert_eq!(finding.id, FindingId::NothingPublished);
    for record in wanted.all() {
        assert!(finding.fix.contains(&record.line()), "{} is not in {}", record.line(), finding.fix);
    }
    assert!(finding.fix.contains("7.100.51.198.in-addr.arpa. 3600 IN PTR mail.example.org."));
}

#[test]
fn a_fresh_domain_beside_a_published_one_is_one_finding() {
    let domain = Domain::parse("example.net").unwrap();
    let scene = green().but(|observed| {
        let is_below = |name: &Name| name.to_string().ends_with("example.net.");
        for ((name, _), answer) in &mut observed.names {
            if is_below(name) {
                *answer = Answer::Nothing;
            }
        }
        observed.aliases.retain(|name, _| !is_below(name));
    });
    let wanted = WantedRecords::of(&scene.facts).unwrap();
    let (_, records) = wanted.domains.iter().find(|(of, _)| *of == domain).unwrap();
    assert_found(scene, FindingId::NothingPublished, Severity::Error, &records[0].line());
}

#[test]
fn the_zone_and_the_resolver_are_named_where_they_are_the_cause() {
    let failed = |fault: NameFault| {
        green().but(move |observed| {
            let is_below = |name: &Name| name.to_string().ends_with("example.org.");
            for ((name, _), answer) in &mut observed.names {
                if is_below(name) {
                    *answer = Answer::Failed("Server Failure".into());
                }
            }
            observed.aliases.retain(|name, _| !is_below(name));
            observed.connections.clear();
            for of in ["example.org.", "mail.example.org."] {
                observed.faults.insert(name(of), fault.clone());
            }
        })
    };
    let once = |scene: Scene, id: FindingId| {
        // The other domain's names resolve to the host.
        let mut findings = scene.findings();
        findings.retain(|finding| finding.id == id);
        assert_eq!(findings.len(), 1, "{:#?}", scene.findings());
        findings.remove(0)
    };
    let bogus = once(failed(NameFault::Bogus("SERVFAIL, Signature Expired".into())), FindingId::ZoneBogus);
    assert!(bogus.cause.contains("Signature Expired"), "{bogus:?}");
    once(failed(NameFault::Unanswered("SERVFAIL, No Reachable Authority".into())), FindingId::ZoneUnanswered);
    let everything = |fault: NameFault| {
        green().but(move |observed| {
            for answer in observed.names.values_mut() {
                *answer = Answer::Failed("refused".into());
            }
            observed.faults.insert(Name::root(), fault);
        })
    };
    assert_found(
        everything(NameFault::Refused),
        FindingId::ResolverRefuses,
        Severity::Error,
        "access-control",
    );
    let fails = NameFault::Unanswered("SERVFAIL".into());
    assert_found(everything(fails), FindingId::ResolverFails, Severity::Error, "MAIL_DNS_SERVERS");
}

#[test]
fn a_translated_address_is_never_removed_by_a_fix() {
    let published: IpAddr = "203.0.113.9".parse().unwrap();
    let translated = |outcome: Option<ConnectionOutcome>| {
        let mut scene = green().with("mail.example.org.", RecordType::A, vec![v4("203.0.113.9")]);
        scene.facts.addresses.v4.clear();
        scene.facts.addresses.private_v4 = true;
        scene.observed.connections.retain(|(address, _), _| address.is_ipv6());
        scene.observed.reverse.retain(|address, _| address.is_ipv6());
        let names = Answer::Found(vec![RData::PTR(PTR(name("mail.example.org.")))]);
        let forward = [(name("mail.example.org."), vec![published])].into();
        scene.observed.reverse.insert(published, Reverse { names, forward });
        for port in PORTS {
            scene.observed.connections.extend(outcome.clone().map(|outcome| ((published, port), outcome)));
        }
        for alias in scene.observed.aliases.keys().cloned().collect::<Vec<_>>() {
            scene.observed.names.insert((alias, RecordType::A), Answer::Found(vec![v4("203.0.113.9")]));
        }
        scene
    };
    assert_eq!(translated(Some(ConnectionOutcome::Own)).findings(), []);
    // A router without hairpin NAT: other hosts have connected, so it is known to work.
    let silent = || Some(ConnectionOutcome::Silent("no answer within 5 seconds".into()));
    assert_eq!(translated(silent()).findings(), []);
    let unseen = translated(silent()).but(|observed| observed.last_connections = None);
    assert_found(
        unseen,
        FindingId::NotChecked,
        Severity::Notice,
        "openssl s_client -connect mail.example.org:25 -starttls smtp",
    );
    let other = translated(Some(ConnectionOutcome::Other("the greeting \"220 mx.example.com\"".into())));
    assert_found(
        other,
        FindingId::AddressDifferent,
        Severity::Error,
        "remove\nmail.example.org. IN A 203.0.113.9",
    );
}

#[test]
fn a_closed_or_proxied_port_is_found_and_an_unchecked_one_is_reported() {
    let own: IpAddr = "198.51.100.7".parse().unwrap();
    let with_outcome = |port: u16, outcome: ConnectionOutcome| {
        green().but(move |observed| drop(observed.connections.insert((own, port), outcome)))
    };
    assert_found(
        with_outcome(25, ConnectionOutcome::Silent("refused".into())),
        FindingId::PortClosed,
        Severity::Error,
        "ufw allow 25/tcp",
    );
    assert_found(
        with_outcome(993, ConnectionOutcome::Silent("refused".into())),
        FindingId::PortClosed,
        Severity::Warning,
        "ufw allow 993/tcp",
    );
    let greeting = ConnectionOutcome::Other("the greeting \"220 proxy.example.com\"".into());
    assert_found(with_outcome(25, greeting), FindingId::PortProxied, Severity::Error, "PROXY protocol");
    let unseen =
        green().but(|observed| observed.last_connections.as_mut().unwrap().retain(|port, _| *port != 993));
    assert_found(
        unseen,
        FindingId::NotChecked,
        Severity::Notice,
        "openssl s_client -connect mail.example.org:993 -brief",
    );
    let old =
        green().but(|observed| observed.last_connections.as_mut().unwrap().extend([(80, NOW - 30 * 86_400)]));
    assert_found(old, FindingId::NotChecked, Severity::Notice, "nc -vz mail.example.org 80");
}

#[test]
fn each_family_is_tried_for_outgoing_mail() {
    let probed = |v4: Probe, v6: Probe| {
        green().but(|observed| {
            observed.probe = Some(("mx.example.com:25".into(), vec![(Family::V4, v4), (Family::V6, v6)]));
        })
    };
    let (greeted, failed) = (|| Probe::Greeted("220 ".into()), || Probe::Failed("no answer".into()));
    assert_found(probed(failed(), greeted()), FindingId::Port25Blocked, Severity::Error, "over IPv4 too");
    assert_found(probed(greeted(), failed()), FindingId::Port25Blocked, Severity::Warning, "over IPv6 too");
    assert_found(probed(failed(), failed()), FindingId::Port25Blocked, Severity::Error, "MAIL_RELAY_URL");
    let nameless = probed(greeted(), Probe::NoAddress("none".into()));
    assert_found(nameless, FindingId::NotChecked, Severity::Notice, "IPv4 and IPv6");
}

#[test]
fn further_faults_of_a_zone_are_found_once() {
    use Severity::{Error, Notice, Warning};
    let mx = |preference, host: &str| RData::MX(MX::new(preference, name(host)));
    let ours = || mx(10, "mail.example.org.");
    let top = "example.org.";
    let wildcard_only = RData::CAA(CAA::new_issuewild(false, None, Vec::new()));
    for (owner, kind, records, id, severity, fix) in [
        (
            top,
            RecordType::MX,
            vec![mx(10, "198.51.100.7.")],
            FindingId::MxImpossible,
            Error,
            "remove\nexample.org. IN MX 10 198.51.100.7.",
        ),
        (
            top,
            RecordType::MX,
            vec![mx(10, "mail.example.org.example.org.")],
            FindingId::MxImpossible,
            Error,
            "IN MX 10 mail.example.org.",
        ),
        (
            top,
            RecordType::MX,
            vec![ours(), mx(20, "localhost.")],
            FindingId::MxImpossible,
            Error,
            "remove\nexample.org. IN MX 20 localhost.",
        ),
        (
            top,
            RecordType::MX,
            vec![mx(0, ".")],
            FindingId::MxImpossible,
            Error,
            "remove\nexample.org. IN MX 0 .\npublish",
        ),
        (
            top,
            RecordType::TXT,
            vec![text("v=spf1 mx +all")],
            FindingId::SpfOpen,
            Warning,
            "publish\nexample.org. 3600 IN TXT \"v=spf1 mx -all\"",
        ),
        (
            top,
            RecordType::TXT,
            vec![text("v=spf1 all")],
            FindingId::SpfOpen,
            Warning,
            "publish\nexample.org. 3600 IN TXT \"v=spf1 mx -all\"",
        ),
        (
            "_dmarc.example.org.",
            RecordType::TXT,
            vec![text("v=DMARC1; p=rejct")],
            FindingId::DmarcWeak,
            Warning,
            "p=reject",
        ),
        (
            "_smtp._tls.example.org.",
            RecordType::TXT,
            vec![text("v=TLSRPTv1; rua=postmaster@example.org")],
            FindingId::TlsReportingWrong,
            Notice,
            "rua=mailto:",
        ),
        (
            "_mta-sts.example.org.",
            RecordType::TXT,
            vec![text("v=STSv1; id=2026-11-30!;")],
            FindingId::MtaStsDifferent,
            Warning,
            "remove",
        ),
        ("mail.example.org.", RecordType::CAA, vec![wildcard_only], FindingId::CaaMissing, Notice, "issue"),
        (
            "mail.example.org.",
            RecordType::A,
            vec![v4("198.51.100.7"), v4("10.0.0.5")],
            FindingId::AddressPrivate,
            Error,
            "remove\nmail.example.org. IN A 10.0.0.5",
        ),
        (
            "_imaps._tcp.example.org.",
            RecordType::SRV,
            vec![RData::SRV(SRV::new(0, 1, 9993, name("mail.example.org.")))],
            FindingId::ServiceDifferent,
            Warning,
            "remove\n_imaps._tcp.example.org. IN SRV 0 1 9993 mail.example.org.",
        ),
    ] {
        assert_found(green().with(owner, kind, records), id, severity, fix);
    }
    let at_top = green().with("_dmarc.example.org.", RecordType::TXT, Vec::new()).with(
        top,
        RecordType::TXT,
        vec![text("v=spf1 mx -all"), text("v=DMARC1; p=reject")],
    );
    assert_found(
        at_top,
        FindingId::DmarcMissing,
        Warning,
        "publish\n_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject\"",
    );
    let dead = green()
        .with(top, RecordType::MX, vec![ours(), mx(20, "old.example.com.")])
        .but(|observed| drop(observed.dead_exchanges.insert(name("old.example.com."), "refused".into())));
    assert_found(dead, FindingId::MxDead, Warning, "remove\nexample.org. IN MX 20 old.example.com.");
    let missing = [RecordType::A, RecordType::AAAA]
        .into_iter()
        .fold(green(), |scene, kind| scene.with("mail.example.org.", kind, Vec::new()))
        .but(|observed| {
            observed.connections.clear();
            for alias in observed.aliases.keys().cloned().collect::<Vec<_>>() {
                for kind in [RecordType::A, RecordType::AAAA] {
                    observed.names.insert((alias.clone(), kind), Answer::Nothing);
                }
            }
            for reverse in observed.reverse.values_mut() {
                reverse.forward.values_mut().for_each(Vec::clear);
            }
        });
    assert_found(missing, FindingId::AddressMissing, Error, "mail.example.org. 3600 IN AAAA");
    let several = green().but(|observed| {
        let reverse = observed.reverse.get_mut(&"198.51.100.7".parse::<IpAddr>().unwrap()).unwrap();
        let Answer::Found(names) = &mut reverse.names else { panic!("no names") };
        names.push(RData::PTR(PTR(name("vps.example.com."))));
    });
    assert_found(
        several,
        FindingId::ReverseSeveral,
        Notice,
        "remove\n7.100.51.198.in-addr.arpa. IN PTR vps.example.com.",
    );
    let inodes = |free| green().but(move |observed| observed.machine.files = Some((free, 1_000_000)));
    assert_found(inodes(0), FindingId::InodesLow, Error, "du --inodes");
    assert_found(inodes(10_000), FindingId::InodesLow, Warning, "du --inodes");
    let mut private = green();
    private.facts.presence.acme_directory = Some("https://ca.internal/acme/directory".into());
    assert_found(
        private,
        FindingId::CaaOther,
        Notice,
        "remove\nmail.example.org. IN CAA 0 issue \"letsencrypt.org\"",
    );
}
